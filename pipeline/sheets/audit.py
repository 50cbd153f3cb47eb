"""Audit a team's rule sheet by history: what each criterion gets, and what it deserves.

Only the earlier part is looked at, as in learning: whoever edits a sheet by its audit can then
still compare the new sheet on the later part, which had no say in it.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from leadscore.pipeline.audit.audit import audit_tables
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import EarlierPeriod, describe_earlier, split_history
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.attributes import NEARLY_ALL
from leadscore.pipeline.sheets.criteria import split_criterion
from leadscore.pipeline.sheets.evidence import Evidence, SheetEvidence, measure_sheet
from leadscore.pipeline.sheets.sheet import Sheet
from leadscore.pipeline.signals.catalog import find_signal

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

    `leaks` are the columns that the data audit holds for leaks, with its reason. It does not vouch
    for the `doubted` ones. `overlaps` has the sentences on overlaps by number of evidence.
    """

    signals: pd.DataFrame
    lead: np.ndarray[tuple[int], np.dtype[np.intp]]
    leaks: Mapping[str, str]
    doubted: Collection[str]
    overlaps: Mapping[int, Sequence[str]]


def flag_criterion(measured: SheetEvidence, number: int, context: Context) -> CriterionResult:
    """Return the result for one piece of evidence, without its parts."""
    evidence = measured.evidence[number]
    lift, part = evidence.lift, evidence.part
    few = lift.leads < MIN_GROUP_LEADS
    silent = few or lift.leads_without < MIN_GROUP_LEADS
    scale = measured.per_log_odds * (evidence.points - evidence.zero)
    deserves = None
    if evidence.can_tell and evidence.criterion.rule.signal not in context.leaks:
        middle = evidence.zero + scale * evidence.adjusted.value
        half = _Z * abs(scale) * evidence.adjusted.error
        deserves = Estimate(middle, middle - half, middle + half)
    high = lift.ratio_high if np.isfinite(lift.ratio_high) else None
    shown = (lift.ratio, lift.ratio_low, high)
    return CriterionResult(
        name=evidence.criterion.name if part is None else part.words,
        points=evidence.points,
        leads=None if 0 < lift.leads < MIN_GROUP_LEADS else lift.leads,
        leads_without=None if silent else lift.leads_without,
        share=None if 0 < lift.leads < MIN_GROUP_LEADS else float(evidence.has.mean()),
        rate=None if few else lift.rate,
        rate_without=None if silent else lift.rate_without,
        lift=None if silent or not np.isfinite(lift.ratio) else shown,
        deserves_alone=None if deserves is None else evidence.zero + scale * evidence.alone.value,
        deserves=deserves,
        flags=tuple(_find_flags(measured, number, deserves, context)),
    )


def _find_flags(
    measured: SheetEvidence, number: int, deserves: Estimate | None, context: Context
) -> Iterator[Flag]:
    evidence = measured.evidence[number]
    lift = evidence.lift
    signal = evidence.criterion.rule.signal
    if signal in context.leaks:
        if evidence.part is None:
            yield Flag("leak", f"the data audit holds its signal for a leak "
                       f"({context.leaks[signal]}), so its close rates say nothing: the signal may "
                       "know the outcome")  # fmt: skip
        return
    if not lift.leads:
        yield Flag("never fires", _describe_never(evidence, context))
        return
    if evidence.part is None and not evidence.varies and evidence.has.mean() >= NEARLY_ALL:
        often = f"{evidence.has.mean():.1%} of the snapshots"
        yield Flag("always fires", f"it fires for {often}, so it tells few leads apart")
    if deserves is None:
        has_parts = evidence.part is None and len(evidence.criterion.parts) > 1
        if evidence.points != evidence.zero and not has_parts:
            yield Flag("few leads", _describe_few(evidence))
        return
    sign = _find_sign(measured, number, deserves)
    if sign is not None and not (sign.kind == "too few points" and signal in context.doubted):
        yield sign
    yield from (Flag("overlap", text) for text in context.overlaps.get(number, ()))


def _find_sign(measured: SheetEvidence, number: int, deserves: Estimate) -> Flag | None:
    """Return what history says of the sign and the size of the points, if anything."""
    evidence = measured.evidence[number]
    rates = _describe_rates(evidence)
    if measured.conflicts[number]:
        text = f"it gives {evidence.points:+.3g} points, and history goes the other way: {rates}"
        return Flag("sign conflict", f"{text}; together with the other criteria, too")
    if measured.disputed[number]:
        alone, adjusted = evidence.against
        views = ("alone", "together with the other criteria")
        one, other = views if alone < adjusted else views[::-1]
        text = f"{one} it goes against its {evidence.points:+.3g} points, not so {other} ({rates})"
        return Flag("depends on others", f"{text}: look at it with what overlaps it")
    if max(evidence.against) < _LEANS:
        text = f"history leans against its {evidence.points:+.3g} points: {rates}"
        return Flag("sign doubtful", f"{text}; among so many criteria that may be chance")
    if not measured.supported[number]:
        return Flag("no effect proven", f"nothing beyond chance: {rates}")
    given = evidence.points - evidence.zero
    low, high = sorted((end - evidence.zero) / given for end in (deserves.low, deserves.high))
    text = (
        f"its points deserve to be {(low + high) / 2.0:.1f} times what they are ({low:.1f} to "
        f"{high:.1f})"
        if evidence.varies
        else f"it deserves {_span(deserves)}, and has {evidence.points:+.3g}"
    )
    text = f"together with the other criteria {text}"
    if FAR * high < 1.0:
        return Flag("too many points", f"{text}: less than half")
    return Flag("too few points", f"{text}: more than twice") if low > FAR else None


def _span(deserves: Estimate) -> str:
    value, low, high = (round(end) + 0 for end in deserves)
    return f"{value:+d} points ({low:+d} to {high:+d})"


def _describe_rates(evidence: Evidence) -> str:
    lift = evidence.lift
    if min(lift.leads, lift.leads_without) < MIN_GROUP_LEADS:
        return "nearly every lead gets points from it"
    if evidence.varies:
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
    column = context.signals[evidence.criterion.rule.signal]
    frame = pd.DataFrame({"level": column, "lead": context.lead}).dropna().drop_duplicates()
    counts = frame.value_counts("level")  # most frequent first; those of few leads are not named
    known = [str(level) for level, count in counts.items() if count >= MIN_GROUP_LEADS]
    lowered = {level.lower(): repr(level) for level in known}
    found = [difflib.get_close_matches(level.lower(), lowered, n=1) for level in levels]
    hints = dict.fromkeys(lowered[near[0]] for near in found if near)
    text = f"it never fires: no lead has {', '.join(map(repr, levels))}"
    if hints:
        return f"{text}; did you mean {', '.join(hints)}?"
    return f"{text}; there are {', '.join(map(repr, known[:6]))}" if known else text


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
            name = other.criterion.name
            name = name if other.part is None else f"{name} ({other.part.words})"
            text = (
                f"it counts the same leads as {name}: {shared[i, j]:.0%} of those that either "
                "fires for have both, so the same thing counts twice"
            )
            found.setdefault(chosen[i], []).append(text)
    return found


def _is_compared(evidence: Evidence) -> bool:
    plain = evidence.part is not None or len(evidence.criterion.parts) < 2
    return plain and evidence.lift.leads >= MIN_GROUP_LEADS and evidence.has.mean() < NEARLY_ALL


_ROUTED = (
    "History was made by what sales used then, perhaps by this very sheet: leads that it ranked "
    "high were called first, which lifts their close rates."
)
_ADDS_NOTHING = "What goes with closing need not cause it: turning a sign changes whom you call."


def audit_sheet(sheet: Sheet, progress: Progress = silent) -> SheetAudit:
    """Audit a rule sheet against the earlier part of its project's history.

    Raises DataError if the data do not match the configuration. Raises RefusalError if there are no
    wins, or nothing else, to judge by.
    """
    project = sheet.project
    progress("reading the leads")
    tables = ingest(project, keep_source=True)
    if tables.problems:
        raise RefusalError("; ".join(map(str, tables.problems)))
    progress("computing signals")
    dataset = build_dataset(project, tables)
    split = split_history(project.training.split, dataset)
    earlier = split.earlier
    wins = int(earlier.label.sum())
    if not 0 < wins < len(earlier):
        raise RefusalError(
            f"{wins} wins in {len(earlier)} snapshots to judge by; both wins and others are "
            "needed: see split in training.yaml, won and lost in data.yaml"
        )
    progress("auditing")
    data = audit_tables(project, tables, dataset)
    leaks = {
        column.name: column.reasons[0]
        for column in data.columns
        if column.used and column.verdict in ("quarantine", "refuse")
    }
    doubted = [column.name for column in data.columns if column.verdict == "not vouched for"]
    results, unsupported = measure_criteria(sheet, earlier, leaks, doubted)
    period, notes = describe_earlier(split), _note(sheet, data)
    return SheetAudit(project.name, str(sheet.path), period, results, unsupported, notes)


def measure_criteria(
    sheet: Sheet, earlier: Dataset, leaks: Mapping[str, str], doubted: Collection[str] = ()
) -> tuple[tuple[CriterionResult, ...], float]:
    """Measure each criterion, and the share of all points, without signs, that lacks evidence.

    `earlier` has a column for each signal of the sheet, wins and others. `leaks` are the columns
    that leak by the data audit, with the reason: what they deserve is not known. For the `doubted`
    columns no more points are advised.
    """
    signals = sheet.project.catalog.signals
    criteria = [
        split_criterion(name, rule, find_signal(rule.signal, signals), earlier.signals)
        for name, rule in sheet.rules.items()
    ]
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        measured = measure_sheet(criteria, earlier)
    overlaps = find_overlaps(measured.evidence)
    context = Context(earlier.signals, earlier.lead, leaks, doubted, overlaps)
    results = [
        flag_criterion(measured, number, context) for number in range(len(measured.evidence))
    ]
    found = []
    for place, one in enumerate(criteria):
        parts = tuple(
            part
            for part, evidence in zip(results, measured.evidence, strict=True)
            if evidence.part is not None and evidence.criterion is one
        )
        found.append(replace(results[place], parts=parts))
    spent = np.array([np.abs(one.points).sum() for one in criteria])
    unsupported = spent[~measured.supported[: len(criteria)]].sum()
    return tuple(found), float(unsupported / spent.sum()) if spent.sum() > 0.0 else 0.0


def _note(sheet: Sheet, data: Audit) -> tuple[str, ...]:
    notes = [_ROUTED, _ADDS_NOTHING]
    if sheet.caps:
        capped = ", ".join(sorted(sheet.caps))
        notes.append(
            f"Criteria are judged without the cap of their group ({capped}): beyond it "
            "they give less than it says here."
        )
    if data.verdict == "do not train":
        notes.append(f"The audit of the data says: do not train on this yet. {data.reasons[0]}")
    return tuple(notes)
