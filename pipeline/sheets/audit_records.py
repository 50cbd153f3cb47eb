"""What the audit of a rule sheet finds: of each criterion, of its parts, and of the whole."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from leadscore.pipeline.dataset.split import EarlierPeriod
from leadscore.pipeline.evaluation.metrics import Estimate

FlagKind = Literal[
    "leak", "sign conflict", "sign doubtful", "depends on others", "never fires", "always fires",
    "few leads", "no effect proven", "too many points", "too few points", "overlap",
]  # fmt: skip


@dataclass(frozen=True)
class Flag:
    """One thing to know about a criterion, with a sentence that explains it."""

    kind: FlagKind
    text: str


@dataclass(frozen=True)
class CriterionResult:
    """A criterion, or a part of one (a level, a span), measured against history.

    `points` is what it gives where it fires, on average; `share` of the snapshots it fires for.
    Rates are shares of snapshots that won: where it fires, and where the criterion gives nothing;
    `lift` is their ratio, whose upper end is None where it is without limit. `deserves_alone` is
    what these rates say on the sheet's own scale, `deserves` what is left beside all other
    criteria. All of them are None where too few leads tell, and the counts too below 30 leads.
    """

    name: str
    points: float
    leads: int | None
    leads_without: int | None
    share: float | None
    rate: float | None
    rate_without: float | None
    lift: tuple[float, float, float | None] | None
    deserves_alone: float | None
    deserves: Estimate | None
    flags: tuple[Flag, ...]
    parts: tuple["CriterionResult", ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, figures with intervals as value, low and high."""
        document = asdict(replace(self, parts=()))
        for name in ("lift", "deserves"):
            if document[name] is not None:
                document[name] = dict(zip(("value", "low", "high"), document[name], strict=True))
        return {**document, "parts": [part.to_json() for part in self.parts]}

    def flagged(self, kind: FlagKind) -> bool:
        """Whether it has a flag of this kind; its parts have their own."""
        return any(flag.kind == kind for flag in self.flags)


@dataclass(frozen=True)
class SheetAudit:
    """All that the audit of a sheet found.

    `unsupported` is the share of all points given, whatever their sign, that no evidence supports.
    `notes` say what to bear in mind.
    """

    project: str
    sheet: str
    period: EarlierPeriod
    criteria: tuple[CriterionResult, ...]
    unsupported: float
    notes: tuple[str, ...]

    def walk(self) -> Iterator[tuple[str, CriterionResult]]:
        """Yield every criterion and part, with the name to call it by."""
        for criterion in self.criteria:
            yield criterion.name, criterion
            for part in criterion.parts:
                yield f"{criterion.name}, {part.name}", part

    def to_json(self) -> dict[str, Any]:
        """Return the audit as plain data."""
        return {
            **asdict(replace(self, criteria=())),
            "criteria": [criterion.to_json() for criterion in self.criteria],
        }
