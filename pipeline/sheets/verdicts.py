"""What the audit of a rule sheet finds: flags with plain sentences, from the evidence."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from leadscore.pipeline.dataset.dataset import EarlierPeriod
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.sheets.attributes import NEARLY_ALL
from leadscore.pipeline.sheets.evidence import Evidence, SheetEvidence

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


FAR = 2.0
"""Points that are so many times too many, or too few, are worth changing."""
SAME = 0.8
"""Two criteria overlap where they share so much of the leads that either one fires for."""
_LEANS = 0.05
_Z = 1.96


@dataclass(frozen=True)
class Context:
    """What flags need to know besides the evidence.

    `leaks` are the columns that the data audit holds for leaks, with its reason; `overlaps` has for
    each piece of evidence, by its number, the sentences on what it overlaps with.
    """

    signals: pd.DataFrame
    lead: np.ndarray[tuple[int], np.dtype[np.intp]]
    leaks: Mapping[str, str]
    overlaps: Mapping[int, Sequence[str]]


def flag_criterion(measured: SheetEvidence, number: int, context: Context) -> CriterionResult:
    """Return the result for one piece of evidence, without its parts."""
    evidence = measured.evidence[number]
    lift, part = evidence.lift, evidence.part
    name = evidence.criterion.name if part is None else part.words
    few = lift.leads < MIN_GROUP_LEADS
    silent = few or lift.leads_without < MIN_GROUP_LEADS
    scale = measured.per_log_odds * (evidence.points - evidence.zero)
    deserves = _estimate_deserved(evidence, scale) if evidence.can_tell else None
    return CriterionResult(
        name=name,
        points=evidence.points,
        leads=None if 0 < lift.leads < MIN_GROUP_LEADS else lift.leads,
        leads_without=None if silent else lift.leads_without,
        share=None if 0 < lift.leads < MIN_GROUP_LEADS else float(evidence.has.mean()),
        rate=None if few else lift.rate,
        rate_without=None if silent else lift.rate_without,
        lift=None if silent else _show_lift(evidence),
        deserves_alone=None if deserves is None else evidence.zero + scale * evidence.alone.value,
        deserves=deserves,
        flags=tuple(_find_flags(measured, number, deserves, context)),
    )


def _show_lift(evidence: Evidence) -> tuple[float, float, float | None] | None:
    lift = evidence.lift
    if not np.isfinite(lift.ratio):
        return None
    return lift.ratio, lift.ratio_low, lift.ratio_high if np.isfinite(lift.ratio_high) else None


def _estimate_deserved(evidence: Evidence, scale: float) -> Estimate:
    middle, half = scale * evidence.adjusted.value, _Z * abs(scale) * evidence.adjusted.error
    zero = evidence.zero
    return Estimate(zero + middle, zero + middle - half, zero + middle + half)


def _find_flags(
    measured: SheetEvidence, number: int, deserves: Estimate | None, context: Context
) -> Iterator[Flag]:
    evidence = measured.evidence[number]
    lift = evidence.lift
    if (leak := context.leaks.get(evidence.criterion.rule.signal)) and evidence.part is None:
        yield Flag("leak", f"the data audit holds its signal for a leak ({leak}), so its close "
                   "rates say nothing: the signal may know the outcome")  # fmt: skip
    if not lift.leads:
        yield Flag("never fires", _describe_never(evidence, context))
        return
    same = evidence.part is None and not evidence.criterion.varies
    if same and evidence.has.mean() >= NEARLY_ALL:
        often = f"{evidence.has.mean():.1%} of the snapshots"
        yield Flag("always fires", f"it fires for {often}, so it tells few leads apart")
    if deserves is None:
        if evidence.points != evidence.zero and not _has_parts(evidence):
            yield Flag("few leads", _describe_few(evidence))
        return
    yield from _flag_sign(measured, number, deserves)
    for text in context.overlaps.get(number, ()):
        yield Flag("overlap", text)


def _has_parts(evidence: Evidence) -> bool:
    return evidence.part is None and len(evidence.criterion.parts) > 1


def _flag_sign(measured: SheetEvidence, number: int, deserves: Estimate) -> Iterator[Flag]:
    evidence = measured.evidence[number]
    rates = _describe_rates(evidence)
    if measured.conflicts[number]:
        text = f"it gives {evidence.points:+.3g} points, and history goes the other way: {rates}"
        yield Flag("sign conflict", f"{text}; together with the other criteria, too")
        return
    if measured.disputed[number]:
        alone, adjusted = evidence.against
        views = ("alone", "together with the other criteria")
        one, other = views if alone < adjusted else views[::-1]
        text = f"{one} it goes against its {evidence.points:+.3g} points, not so {other} ({rates})"
        yield Flag("depends on others", f"{text}: look at it with what overlaps it")
        return
    if max(evidence.against) < _LEANS:
        text = f"history leans against its {evidence.points:+.3g} points: {rates}"
        yield Flag("sign doubtful", f"{text}; among so many criteria that may be chance")
        return
    if not measured.supported[number]:
        yield Flag("no effect proven", f"nothing beyond chance: {rates}")
        return
    given = evidence.points - evidence.zero
    low, high = sorted(((deserves.low - evidence.zero) / given,
                        (deserves.high - evidence.zero) / given))  # fmt: skip
    if FAR * high < 1.0:
        yield Flag(
            "too many points", f"{_describe_points(evidence, deserves, low, high)}: less than half"
        )
    elif low > FAR:
        yield Flag(
            "too few points", f"{_describe_points(evidence, deserves, low, high)}: more than twice"
        )


def _describe_points(evidence: Evidence, deserves: Estimate, low: float, high: float) -> str:
    if evidence.part is None and evidence.criterion.varies:
        middle = (low + high) / 2.0
        return (
            f"together with the other criteria its points deserve to be {middle:.1f} times what "
            "they are "
            f"({low:.1f} to {high:.1f})"
        )
    return (
        f"together with the other criteria it deserves {_span(deserves)}, "
        f"and has {evidence.points:+.3g}"
    )


def _span(deserves: Estimate) -> str:
    value, low, high = (round(end) + 0 for end in deserves)
    return f"{value:+d} points ({low:+d} to {high:+d})"


def _describe_rates(evidence: Evidence) -> str:
    lift = evidence.lift
    if min(lift.leads, lift.leads_without) < MIN_GROUP_LEADS:
        return "nearly every lead gets points from it"
    if evidence.part is None and evidence.criterion.varies:
        return f"{lift.rate:.1%} close where it gives points, {lift.rate_without:.1%} where none"
    return f"{lift.rate:.1%} close where it fires, {lift.rate_without:.1%} where not"


def _describe_few(evidence: Evidence) -> str:
    lift = evidence.lift
    if lift.leads_without < lift.leads:
        return "too few leads are without it to say what it is worth"
    if lift.leads < MIN_GROUP_LEADS:
        return f"it fires for fewer than {MIN_GROUP_LEADS} leads: too few to say what it is worth"
    return (
        f"it fires for {lift.leads:,} leads: too few, at this close rate, to say what it is worth"
    )


def _describe_never(evidence: Evidence, context: Context) -> str:
    part = evidence.part
    levels = [p.level for p in evidence.criterion.parts if p.level is not None]
    if part is not None:
        levels = [] if part.level is None else [part.level]
    if not levels:
        return "it never fires: no lead is so, in this part of history"
    known = _list_levels(context, evidence.criterion.rule.signal)
    named = ", ".join(repr(level) for level in levels)
    hints = [near for level in levels if (near := _find_near(level, known)) is not None]
    if hints:
        meant = ", ".join(repr(near) for near in dict.fromkeys(hints))
        return f"it never fires: no lead has {named}; did you mean {meant}?"
    text = f"; there are {', '.join(map(repr, known[:6]))}" if known else ""
    return f"it never fires: no lead has {named}{text}"


def _list_levels(context: Context, column: str) -> list[str]:
    """Return the levels that enough leads have to be named, most frequent first."""
    frame = pd.DataFrame({"level": context.signals[column], "lead": context.lead}).dropna()
    counts = frame.drop_duplicates().value_counts("level")
    return [str(level) for level, count in counts.items() if count >= MIN_GROUP_LEADS]


def _find_near(level: str, known: Collection[str]) -> str | None:
    lowered = {other.lower(): other for other in known}
    near = difflib.get_close_matches(level.lower(), lowered, n=1)
    return lowered[near[0]] if near else None


def find_overlaps(evidence: Sequence[Evidence]) -> dict[int, list[str]]:
    """Find which pieces of evidence fire for the same leads, by number.

    Compared are the parts of criteria that have several, and the others as wholes; never two of one
    criterion. Two overlap where they share ``SAME`` of the snapshots that either fires for.
    """
    chosen = [n for n, e in enumerate(evidence) if _is_compared(e)]
    found: dict[int, list[str]] = {}
    if not chosen:
        return found
    marks = np.column_stack([evidence[n].has for n in chosen]).astype(np.float64)
    both = marks.T @ marks
    size = np.diag(both)
    shared = both / np.maximum(size[:, None] + size[None, :] - both, 1.0)
    for i, j in np.argwhere(shared >= SAME):
        one, other = evidence[chosen[i]], evidence[chosen[j]]
        if one.criterion is not other.criterion:
            text = (
                f"it counts the same leads as {_call(other)}: {shared[i, j]:.0%} of those that "
                "either fires for have both, so the same thing counts twice"
            )
            found.setdefault(chosen[i], []).append(text)
    return found


def _is_compared(evidence: Evidence) -> bool:
    plain = evidence.part is not None or len(evidence.criterion.parts) < 2
    return plain and evidence.lift.leads >= MIN_GROUP_LEADS and evidence.has.mean() < NEARLY_ALL


def _call(evidence: Evidence) -> str:
    name = evidence.criterion.name
    return name if evidence.part is None else f"{name} ({evidence.part.words})"
