"""The audit of the tables: everything but the audit of columns and signals."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.pipeline.audit.columns.subjects import WON
from leadscore.pipeline.audit.records import Arrival, Finding, Month, SampleSize, Severity
from leadscore.pipeline.audit.tables.activities import judge_activities
from leadscore.pipeline.audit.tables.duplicates import judge_duplicates
from leadscore.pipeline.audit.tables.months import find_months, judge_months
from leadscore.pipeline.audit.tables.notes import judge_notes, judge_rejects
from leadscore.pipeline.audit.tables.sample_size import judge_sample_size, measure_sample_size
from leadscore.pipeline.audit.tables.time_to_win import find_arrival, judge_arrival
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.signals.kinds import TEXT_TYPE
from leadscore.pipeline.values.times import TimeSpec

UNCALLED = 0.1
"""Above this share of the leads not won, leads without a call are worth a warning."""
_SPAM_MAIL = ("free", "disposable")


@dataclass(frozen=True)
class TableFindings:
    """What was found in the tables, and the figures that show it."""

    findings: tuple[Finding, ...]
    arrival: Arrival | None
    months: tuple[Month, ...]
    strength: SampleSize | None


def judge_tables(
    project: Project, tables: Ingested, dataset: Dataset | None, raw: pd.DataFrame
) -> TableFindings:
    """Judge the tables of a project as a whole.

    `dataset` has the mature snapshots, or is None if there are none, which is a finding. Problems
    come first, then warnings, then notes. Raises DataError if there is a horizon and no time says
    when the data was taken, or the engine's memory does not suffice.
    """
    arrival = find_arrival(project, tables)
    strength = None if dataset is None else measure_sample_size(project, dataset)
    found = [
        *judge_notes(tables),
        *judge_rejects(tables),
        *judge_arrival(project, tables, arrival),
        *judge_months(project, tables, dataset),
        *judge_duplicates(project, tables, raw),
        *judge_activities(project, tables),
        *_judge_midnights(project, tables),
        *_judge_calls(project, raw),
    ]
    if dataset is not None and strength is not None:
        found += judge_sample_size(project, dataset, strength)
        found += _judge_spam(project, dataset)
    elif not any(finding.severity == "problem" for finding in found):
        text = "no snapshot of any lead has a known outcome"
        todo = (
            "wait, or shorten horizon_days in training.yaml; are won and lost in data.yaml right?"
        )
        found.append(Finding("problem", "outcomes", text, todo))
    weights: tuple[Severity, ...] = ("problem", "warning", "note")
    findings = sorted(found, key=lambda finding: weights.index(finding.severity))
    return TableFindings(tuple(findings), arrival, find_months(dataset), strength)


def _judge_midnights(project: Project, tables: Ingested) -> list[Finding]:
    config = project.data
    times = {
        "creation": (config.leads.created, tables.leads["created_us"]),
        "closing": (config.outcomes.closed, tables.outcomes["closed_us"]),
    }
    dates = [name for name, (spec, column) in times.items() if spec and _has_no_hours(spec, column)]
    if not dates:
        return []
    text = (
        f"all times of {' and '.join(dates)} lie on midnight, so they are dates: what came first "
        "within a day is not known, and the age of a lead counts whole days"
    )
    todo = "export the full times if the CRM has them; a lead won on its first day is left out"
    return [Finding("note", "times", text, todo)]


def _has_no_hours(spec: TimeSpec, column: pa.ChunkedArray) -> bool:
    """Say whether all times lie on midnight, in their zone or in UTC; two at least."""
    moments = pd.DatetimeIndex(column.drop_null().to_numpy().astype("datetime64[us]"), tz="UTC")
    if len(moments.unique()) < 2:
        return False
    zones = [ZoneInfo("UTC"), *([] if spec.zone is None else [ZoneInfo(spec.zone)])]
    local = (moments.tz_convert(zone) for zone in zones)
    return any(bool((times == times.normalize()).all()) for times in local)


def _judge_calls(project: Project, raw: pd.DataFrame) -> list[Finding]:
    called = project.data.leads.first_called
    if called is None or called.column not in raw:
        return []
    leads = raw.drop_duplicates(LEAD_ID)
    lost = leads[leads[WON].eq(False).fillna(False).astype(bool)]
    if lost.empty:
        return []
    never = lost[called.column].isna()
    text = (
        f"{never.sum():,} of {len(lost):,} leads that are not won ({never.mean():.1%}) were never "
        f"called ({called.column} is blank): they count as lost though nobody called them"
    )
    if never.mean() <= UNCALLED:
        return [Finding("note", "calls", text)]
    todo = (
        "a score learned from them also says whom sales used to call; leave leads out of the "
        "export that nobody meant to call, and call a small random share of those that are left"
    )
    return [Finding("warning", "calls", text, todo)]


def _judge_spam(project: Project, dataset: Dataset) -> list[Finding]:
    """Say how many leads carry each mark of spam, in their first mature snapshot."""
    first = np.unique(dataset.lead, return_index=True)[1]
    signals, shares = dataset.signals.iloc[first], []
    for signal in project.catalog.signals:
        if signal.declaration.family != "spam":
            continue
        values = signals[signal.column]
        if signal.declaration.kind == "mail_kind":
            shares += [(f"{word} mail address", (values == word).mean()) for word in _SPAM_MAIL]
        elif TEXT_TYPE.get(signal.declaration.kind, signal.declaration.kind) == "flag":
            shares.append((signal.name.replace("_", " "), (values == 1.0).mean()))
    if not shares:
        return []
    marks = ", ".join(f"{name} {share:.1%}" for name, share in shares)
    text = f"of {len(first):,} leads with a known outcome carry a mark of spam: {marks}"
    return [Finding("note", "spam", text)]
