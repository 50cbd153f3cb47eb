"""Audit a team's rule sheet by history: what each criterion gets, and what it deserves.

Only the earlier part is looked at, as in learning: whoever edits a sheet by its audit can then
still compare the new sheet on the later part, which had no say in it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from leadscore.pipeline.audit.audit import audit_tables
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.dataset.dataset import (
    Dataset,
    build_dataset,
    describe_earlier,
    split_history,
)
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.criteria import ScoredCriterion, split_criterion
from leadscore.pipeline.sheets.evidence import SheetEvidence, measure_sheet
from leadscore.pipeline.sheets.sheet import Sheet
from leadscore.pipeline.sheets.verdicts import (
    Context,
    CriterionResult,
    SheetAudit,
    find_overlaps,
    flag_criterion,
)
from leadscore.pipeline.signals.catalog import find_signal

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
    results, unsupported = measure_criteria(sheet, earlier, leaks)
    period, notes = describe_earlier(split), _note(sheet, data)
    return SheetAudit(project.name, str(sheet.path), period, results, unsupported, notes)


def measure_criteria(
    sheet: Sheet, earlier: Dataset, leaks: Mapping[str, str]
) -> tuple[tuple[CriterionResult, ...], float]:
    """Measure each criterion by history, and the share of all points without evidence.

    `earlier` has a column for each signal of the sheet, wins and others. `leaks` are the columns
    that leak by the data audit, with the reason.
    """
    signals = sheet.project.catalog.signals
    criteria = [
        split_criterion(name, rule, find_signal(rule.signal, signals), earlier.signals)
        for name, rule in sheet.rules.items()
    ]
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        measured = measure_sheet(criteria, earlier)
    context = Context(earlier.signals, earlier.lead, leaks, find_overlaps(measured.evidence))
    return _gather(criteria, measured, context), _find_unsupported(criteria, measured)


def _gather(
    criteria: list[ScoredCriterion], measured: SheetEvidence, context: Context
) -> tuple[CriterionResult, ...]:
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
    return tuple(found)


def _find_unsupported(criteria: list[ScoredCriterion], measured: SheetEvidence) -> float:
    """Return the share of all points, without their signs, that no evidence supports."""
    spent = np.array([np.abs(one.points).sum() for one in criteria])
    supported = measured.supported[: len(criteria)]
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
