"""Hold a team's own rule sheet against history: what each criterion is worth, and what it gets.

Only the earlier part is looked at, as in learning: whoever edits a sheet by its audit can then
still compare the new sheet on the later part, which had no say in it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from leadscore.pipeline.audit.audit import audit_tables
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import name_period, split_history
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.audit_records import CriterionResult, SheetAudit
from leadscore.pipeline.sheets.criteria import ScoredCriterion, split_criterion
from leadscore.pipeline.sheets.evidence import SheetEvidence, measure_sheet
from leadscore.pipeline.sheets.sheet import Sheet
from leadscore.pipeline.sheets.verdicts import Context, find_overlaps, flag_criterion
from leadscore.pipeline.signals.catalog import find_signal

_ROUTED = (
    "History was made by what sales used then, perhaps by this very sheet: leads that it ranked "
    "high were called first, which lifts their close rates."
)
_ADDS_NOTHING = "What goes with closing need not cause it: turning a sign changes whom you call."


def audit_sheet(sheet: Sheet, progress: Progress = silent) -> SheetAudit:
    """Audit a rule sheet against the earlier part of its project's history.

    Parameters
    ----------
    sheet : Sheet
    progress : Progress

    Returns
    -------
    SheetAudit

    Raises
    ------
    DataError
        If the data is not what the configuration says.
    RefusalError
        If there are no wins, or nothing else, to judge by.
    """
    project = sheet.project
    progress("reading the leads")
    tables = ingest(project, keep_source=True)
    if tables.problems:
        raise RefusalError("; ".join(map(str, tables.problems)))
    progress("computing signals")
    dataset = build_dataset(project, tables)
    split = split_history(project, dataset)
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
    criteria, unsupported = judge_criteria(sheet, earlier, leaks)
    period, notes = name_period(split), _note(sheet, data)
    return SheetAudit(project.name, str(sheet.path), period, criteria, unsupported, notes)


def judge_criteria(
    sheet: Sheet, earlier: Dataset, leaks: Mapping[str, str]
) -> tuple[tuple[CriterionResult, ...], float]:
    """Judge each criterion by history; and say what share of all points no evidence supports.

    Parameters
    ----------
    sheet : Sheet
    earlier : Dataset
        With a column for each signal of the sheet, wins and others.
    leaks : mapping of str to str
        The signals that the data audit holds for leaks, by column, and why.
    """
    signals = sheet.project.catalog.signals
    taken = [
        split_criterion(name, rule, find_signal(rule.signal, signals), earlier.signals)
        for name, rule in sheet.rules.items()
    ]
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        weighed = measure_sheet(taken, earlier)
    context = Context(earlier.signals, earlier.lead, leaks, find_overlaps(weighed.evidence))
    return _gather(taken, weighed, context), _find_unsupported(taken, weighed)


def _gather(
    taken: list[ScoredCriterion], weighed: SheetEvidence, context: Context
) -> tuple[CriterionResult, ...]:
    judged = [flag_criterion(weighed, number, context) for number in range(len(weighed.evidence))]
    criteria = []
    for place, one in enumerate(taken):
        parts = tuple(
            part
            for part, evidence in zip(judged, weighed.evidence, strict=True)
            if evidence.part is not None and evidence.taken is one
        )
        criteria.append(replace(judged[place], parts=parts))
    return tuple(criteria)


def _find_unsupported(taken: list[ScoredCriterion], weighed: SheetEvidence) -> float:
    """Return the share of all points, without their signs, that no evidence supports."""
    spent = np.array([np.abs(one.worth).sum() for one in taken])
    supported = weighed.supported[: len(taken)]
    return float(spent[~supported].sum() / spent.sum()) if spent.sum() > 0.0 else 0.0


def _note(sheet: Sheet, data: Audit) -> tuple[str, ...]:
    notes = [_ROUTED, _ADDS_NOTHING]
    capped = sorted(sheet.caps)
    if capped:
        notes.append(
            f"Criteria are judged without the cap of their group ({', '.join(capped)}): beyond it "
            "they give less than it says here."
        )
    if data.verdict == "do not train":
        notes.append(f"The audit of the data says: do not train on this yet. {data.reasons[0]}")
    return tuple(notes)
