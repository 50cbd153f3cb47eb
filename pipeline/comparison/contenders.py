"""Who is compared: registered versions, named as people name them."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.scorecard import Scorecard
from pipeline.choice import KIND_WORDS, KINDS, read_choice
from pipeline.errors import ConfigError, NotFoundError, RefusalError
from pipeline.settings import Project
from pipeline.tracking.records import Version
from pipeline.tracking.store import CHALLENGER, CHAMPION, Store


@dataclass(frozen=True)
class Contender:
    """A registered scorecard; `version` is what the registry says of it."""

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
    def said(self) -> str:
        """The name in a sentence: ``the rule sheet (version 2, champion)``."""
        aliases = "".join(f", {alias}" for alias in self.version.aliases)
        return f"the {KIND_WORDS[self.scorecard.kind]} (version {self.version.version}{aliases})"

    @property
    def cut(self) -> float | None:
        """From when on leads may judge it; None where it learned from none."""
        cut = self.scorecard.training.get("cut")
        return None if cut is None else float(cut)


def find_contenders(
    store: Store, project: Project, written: Sequence[str]
) -> tuple[Contender, ...]:
    """Find the versions that are meant.

    Parameters
    ----------
    store : Store
    project : Project
    written : sequence of str
        As ``read_choice`` reads them. A kind alone is its champion, else its challenger, else its
        newest version. Nothing written means every kind that has a version, or the champion and
        the challenger of the one that has.

    Returns
    -------
    tuple of Contender
        Two or more, in the order written.

    Raises
    ------
    NotFoundError
        If there is no such version, or nothing to compare with.
    ConfigError
        If one version is named twice, or only one is named.
    """
    versions = [_find(store, project, word) for word in written] or _find_all(store, project)
    names = [f"{version.name} version {version.version}" for version in versions]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ConfigError(f"{name} is named twice; a comparison needs two versions or more")
    if len(names) == 1:
        raise ConfigError(
            f"only {names[0]} is named; name another one to compare it with, "
            "rules or challenger or a version's number say"
        )
    return tuple(
        Contender(version, store.load_scorecard(version.name, str(version.version))[0])
        for version in versions
    )


def _find(store: Store, project: Project, word: str) -> Version:
    choice = read_choice(word, project.name)
    if word.removeprefix(f"{project.name}.") in KINDS:
        default = _find_default(store.list_versions(choice.name))
        if default is not None:
            return default
    return store.find_version(choice.name, choice.version)


def _find_default(versions: list[Version]) -> Version | None:
    """Return the champion, else the challenger, else the newest; None where there is none."""
    for alias in (CHAMPION, CHALLENGER):
        for version in versions:
            if alias in version.aliases:
                return version
    return versions[0] if versions else None


def _find_all(store: Store, project: Project) -> list[Version]:
    registered = {kind: store.list_versions(f"{project.name}.{kind}") for kind in KINDS}
    found = [v for kind in KINDS if (v := _find_default(registered[kind])) is not None]
    if len(found) == 1:
        others = [v for v in registered[found[0].name.rpartition(".")[2]] if v != found[0]]
        challengers = [v for v in others if CHALLENGER in v.aliases]
        found += challengers
    if len(found) < 2:
        there = found[0].name if found else "nothing"
        raise NotFoundError(
            f"{project.name}: {there} is registered, and a comparison needs two: train again, "
            f"register a rule sheet or a close-rate sheet, or name versions "
            f"(leadscore models -c {project.name} lists them)"
        )
    return found


def check_horizons(project: Project, contenders: Sequence[Contender]) -> None:
    """Refuse contenders that say something else than who wins within the project's horizon.

    Raises
    ------
    RefusalError
        If a horizon differs, or a contender learned from leads without any order.
    """
    horizon = project.training.horizon_days
    for contender in contenders:
        found = contender.scorecard.horizon_days
        if found != horizon:
            raise RefusalError(
                f"{contender.key} says who is won within {_days(found)}, training.yaml says "
                f"{_days(horizon)}; set horizon_days back, or train or register it again"
            )
        learned = contender.scorecard.kind != "rules"
        if learned and contender.cut is None:
            raise RefusalError(
                f"{contender.key} learned from leads without order in time, so none are later than "
                "those it knows; give leads.created or leads.order in data.yaml and train again"
            )


def _days(days: float | None) -> str:
    return "an open time" if days is None else f"{days:g} days"
