"""What is audited: signals as of the snapshots, and columns of the leads' file as they stand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.audit.columns.encoding import Values, read_values
from leadscore.pipeline.audit.columns.predictive_power import Labels
from leadscore.pipeline.audit.source_columns import CLOSED, WON
from leadscore.pipeline.config.data import ROW_NUMBER
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.signals.kinds import ActivitySignal, LeadAgeSignal

MOST_LEADS = 30_000
"""Number of leads, drawn at random, that is enough to judge a column by."""


@dataclass(frozen=True)
class Leads:
    """n leads whose outcome is known: their ids, whether they won, and their order in time."""

    lead_id: npt.NDArray[np.object_]
    won: Labels
    order: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Subject:
    """What is to be judged: a signal's values, or a column's, of some leads."""

    name: str
    columns: tuple[str, ...]
    signal: Signal | None
    history: str
    values: Values
    leads: Leads


def last_snapshots(dataset: Dataset) -> Dataset:
    """Return the last mature snapshot of each lead, of at most ``MOST_LEADS`` leads."""
    order = np.lexsort((dataset.age_days, dataset.lead))
    last = np.r_[dataset.lead[order][1:] != dataset.lead[order][:-1], True]
    rows = order[last]
    if len(rows) > MOST_LEADS:
        rows = np.random.default_rng(0).choice(rows, MOST_LEADS, replace=False)
    mask = np.zeros(len(dataset), bool)
    mask[rows] = True
    return dataset.rows(mask)


def leads_of(dataset: Dataset) -> Leads:
    """Return the leads of a dataset that has each once."""
    return Leads(dataset.lead_id, dataset.label == 1, _order(dataset))


def _order(dataset: Dataset) -> npt.NDArray[np.float64] | None:
    return None if dataset.order == "none" else dataset.begin


def find_subjects(
    project: Project, tables: Ingested, snapshots: Dataset, raw: pd.DataFrame
) -> Iterator[Subject]:
    """Yield every signal, then every other column of the leads' file.

    Signals whose past is known are as of the snapshots; all else is as it stands today.

    Parameters
    ----------
    snapshots : Dataset
        Of `last_snapshots`.
    raw : DataFrame
        Of `make_source_frame`.
    """
    leads = leads_of(snapshots)
    once = raw.drop_duplicates(LEAD_ID)
    known = once[once[WON].notna()]
    if len(known) > MOST_LEADS:
        known = known.sample(MOST_LEADS, random_state=0)
    today = Leads(
        known[LEAD_ID].to_numpy(object), known[WON].to_numpy(bool), _order_of(tables, known)
    )
    stored = tables.leads.to_pandas().set_index("lead_id").reindex(known[LEAD_ID])
    catalog, fields = project.catalog, project.data.leads.fields
    read: set[str] = set()
    changes = tables.changes
    written = set() if changes is None else set(changes["field"].unique().to_pylist())
    for signal in catalog.signals:
        columns = tuple(fields[name].column or name for name in signal.inputs)
        read |= set(columns)
        declared = signal.declaration
        if isinstance(declared, ActivitySignal | LeadAgeSignal):
            history = "activities" if isinstance(declared, ActivitySignal) else "creation"
        elif signal.stored in catalog.stored_changing and signal.stored in written:
            history = "changes"
        else:
            values = read_values(stored[signal.stored], signal.is_category)
            yield Subject(signal.column, columns, signal, "none", values, today)
            continue
        values = read_values(snapshots.signals[signal.column], signal.is_category)
        yield Subject(signal.column, columns, signal, history, values, leads)
    for column in _other_columns(project, raw):
        if column not in read:
            yield Subject(column, (column,), None, "none", read_values(known[column]), today)


def _order_of(tables: Ingested, known: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    frame = tables.leads.select(["lead_id", "created_us", "arrival"]).to_pandas()
    frame = frame.set_index("lead_id").reindex(known[LEAD_ID])
    for name in ("created_us", "arrival"):
        if frame[name].notna().all():
            return np.asarray(frame[name], np.float64)
    return None


def _other_columns(project: Project, raw: pd.DataFrame) -> list[str]:
    """Return the columns of the file that say something of leads: no ids, times or outcomes."""
    data = project.data
    ours = {data.leads.id, data.leads.order, ROW_NUMBER, LEAD_ID, WON, CLOSED}
    ours |= {
        spec.column for spec in (data.leads.created, data.leads.first_called) if spec is not None
    }
    if data.outcomes.file in (None, data.leads.file):
        ours |= {data.outcomes.column, data.outcomes.lead}
        ours |= {s.column for s in (data.outcomes.closed, data.outcomes.recorded) if s is not None}
    for source in data.activities:
        if source.file == data.leads.file:
            ours |= set(source.columns)
    return [column for column in raw.columns if column not in ours]
