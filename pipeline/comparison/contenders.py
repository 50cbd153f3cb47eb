"""Who is compared: registered versions, named as people name them."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.tracking.records import Version
from leadscore.pipeline.tracking.version_names import KIND_WORDS


@dataclass(frozen=True)
class Contender:
    """A registered scorecard; `version` is its entry in the registry."""

    version: Version
    scorecard: Scorecard

    @property
    def key(self) -> str:
        """The name in JSON, and to be typed: ``rules:2``."""
        return f"{self.version.name.rpartition('.')[2]}:{self.version.version}"

    @property
    def name(self) -> str:
        """The name in a table for people: ``rule sheet 2``."""
        return f"{KIND_WORDS[self.scorecard.kind]} {self.version.version}"

    @property
    def title(self) -> str:
        """The name in a sentence: ``the rule sheet (version 2, champion)``."""
        aliases = "".join(f", {alias}" for alias in self.version.aliases)
        return f"the {KIND_WORDS[self.scorecard.kind]} (version {self.version.version}{aliases})"

    @property
    def cut(self) -> float | None:
        """From when on leads may judge it; None where it learned from none."""
        cut = self.scorecard.training.get("cut")
        return None if cut is None else float(cut)


def check_horizons(horizon_days: float | None, contenders: Sequence[Contender]) -> None:
    """Refuse contenders that do not predict wins within the project's horizon.

    Raises
    ------
    RefusalError
        If a horizon differs, or a contender learned from leads without any order.
    """
    for contender in contenders:
        found = contender.scorecard.horizon_days
        if found != horizon_days:
            raise RefusalError(
                f"{contender.key} predicts who is won within {_days(found)}, training.yaml says "
                f"{_days(horizon_days)}; set horizon_days back, or train or register it again"
            )
        learned = contender.scorecard.kind != "rules"
        if learned and contender.cut is None:
            raise RefusalError(
                f"{contender.key} learned from leads without order in time, so none are later than "
                "those it knows; give leads.created or leads.order in data.yaml and train again"
            )


def _days(days: float | None) -> str:
    return "an open time" if days is None else f"{days:g} days"
