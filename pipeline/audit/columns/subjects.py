"""What is audited: signals as of the snapshots, columns as they stand today, and their values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from leadscore.pipeline.config.data import ROW_NUMBER
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, find_maturity
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.signals.kinds import ActivitySignal, LeadAgeSignal

WON, CLOSED = "#won", "#closed"


def make_source_frame(project: Project, tables: Ingested) -> pd.DataFrame:
    """Return every column of the leads' file as text, with what became of each lead.

    Raises ValueError if the tables were read without ``keep_source``.

    Returns
    -------
    DataFrame
        One row per row of the file, repeated lead ids included, in the file's order: its columns as
        text or None, ``#lead_id``, ``#won`` (True, False, or None where that is not known yet: the
        lead is open, and its horizon not over) and ``#closed`` (bool: won or lost).
    """
    if tables.source is None:
        raise ValueError("the leads' file was read without keeping its columns as text")
    source: pd.DataFrame = tables.source.to_pandas()
    leads = project.data.leads
    words = {config.column or name: config.missing for name, config in leads.fields.items()}
    for name in tables.source.column_names:
        missing = {word.strip() for word in (*leads.missing, *words.get(name, ()))}
        if missing and name != LEAD_ID:
            source[name] = source[name].where(~source[name].isin(missing), None)
    won, closed = find_outcomes(project, tables)
    source[WON] = source[LEAD_ID].map(won)
    source[CLOSED] = source[LEAD_ID].isin(closed)
    return source


def find_outcomes(project: Project, tables: Ingested) -> tuple[Mapping[str, bool], set[str]]:
    """Return what became of each lead as far as it is known by the extract.

    The first part says whether each lead was ever won. Open leads whose horizon is not over are not
    in it. The second part has the leads that were won or lost.
    """
    outcomes, leads = tables.outcomes, tables.leads
    won = set(outcomes.filter(pc.equal(outcomes["status"], "won"))["lead_id"].to_pylist())
    lost = set(outcomes.filter(pc.equal(outcomes["status"], "lost"))["lead_id"].to_pylist())
    known = {**dict.fromkeys(lost, False), **dict.fromkeys(won, True)}
    if project.training.horizon_days is not None and tables.extract_us is not None:
        maturity = find_maturity(project, tables)
        until = tables.extract_us - (0 if maturity is None else maturity.wait_us)
        old = leads.filter(pc.less_equal(leads["created_us"], until))["lead_id"].to_pylist()
        known = {**dict.fromkeys(old, False), **known}
    return known, won | lost


Codes = npt.NDArray[np.intp]
Labels = npt.NDArray[np.bool_]
Kind = Literal["text", "number", "time"]
MISSING = 0
"""The code of a missing value."""
RANGES = 20
COMMON = 0.02
"""A number that this share of the leads has is a value by itself, not part of a range."""
_NEARLY_ALL = 0.98
_TIME = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[/.]\d\d?[/.]\d{2,4}(\D|$)")


@dataclass(frozen=True)
class Values:
    """The values of n leads.

    `exact` numbers the different values from 1, 0 being missing; `coarse` does so for what rates
    are taken of: levels, and of numbers the common values and twenty ranges; both (n,). `names` are
    the different values, the first belonging to code 1. Of times only whether there is one counts.
    """

    kind: Kind
    exact: Codes
    coarse: Codes
    names: npt.NDArray[np.object_]

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Whether there is a value, (n,)."""
        return np.asarray(self.exact != MISSING)

    @property
    def presence(self) -> "Values":
        """Whether there is a value, as the only thing that is known."""
        there = self.filled.astype(np.intp)
        return Values("text", there, there, np.array(["any value"], object))

    def rows(self, mask: npt.NDArray[np.bool_]) -> "Values":
        """Return the values of the rows marked in `mask` (bool, n)."""
        return Values(self.kind, self.exact[mask], self.coarse[mask], self.names)


def read_values(
    column: "pd.Series[str] | pd.Series[float]", is_category: bool | None = None
) -> Values:
    """Tell levels, numbers and times apart, and number their values.

    `is_category` says whether a signal learns each text as a level. If it is None, text is a number
    if 98 % of the values are written as numbers, and a time if 98 % begin like a date.
    """
    filled = column.notna().to_numpy()
    if is_category:
        return _read_levels(column)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        texts = column[filled].astype(str)
        if len(texts) and texts.head(1000).str.match(_TIME).mean() >= _NEARLY_ALL:
            there = filled.astype(np.intp)
            return Values("time", there, there, np.array(["a time"], object))
        numbers = pd.to_numeric(column, errors="coerce")
        if not len(texts) or numbers.notna().sum() < _NEARLY_ALL * filled.sum():
            return _read_levels(column)
        column = numbers
    codes, found = pd.factorize(column, sort=True)
    exact = np.asarray(codes + 1, np.intp)
    coarse = _cut(np.asarray(column, np.float64), exact)
    return Values("number", exact, coarse, np.asarray(found, object))


def _read_levels(column: "pd.Series[str] | pd.Series[float]") -> Values:
    codes, names = pd.factorize(column)
    exact = np.asarray(codes + 1, np.intp)
    return Values("text", exact, exact, np.asarray(names, object))


def _cut(numbers: npt.NDArray[np.float64], exact: Codes) -> Codes:
    """Give the common values the first numbers, and the ranges of the rest those after them."""
    counts = np.bincount(exact)
    if len(counts) - 1 <= RANGES:
        return exact
    common = np.flatnonzero(counts >= max(COMMON * len(exact), 10.0))
    common = common[common != MISSING]
    is_common, coarse = np.isin(exact, common), np.zeros(len(exact), np.intp)
    coarse[is_common] = np.searchsorted(common, exact[is_common]) + 1
    rest = (exact != MISSING) & ~is_common
    if rest.any():
        edges = np.unique(np.quantile(numbers[rest], np.linspace(0.0, 1.0, RANGES + 1)[1:-1]))
        coarse[rest] = np.searchsorted(edges, numbers[rest], side="right") + 1 + len(common)
    return coarse


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
    rows = order[np.r_[np.diff(dataset.lead[order]) != 0, True]]
    if len(rows) > MOST_LEADS:
        rows = np.random.default_rng(0).choice(rows, MOST_LEADS, replace=False)
    mask = np.zeros(len(dataset), bool)
    mask[rows] = True
    return dataset.rows(mask)


def leads_of(dataset: Dataset) -> Leads:
    """Return the leads of a dataset that has each once."""
    order = None if dataset.order == "none" else dataset.begin
    return Leads(dataset.lead_id, dataset.label == 1, order)


def find_subjects(
    project: Project, tables: Ingested, snapshots: Dataset, raw: pd.DataFrame
) -> Iterator[Subject]:
    """Yield every signal, then every other column of the leads' file.

    Signals whose past is known are as of the snapshots; all else is as it stands today. `snapshots`
    come from `last_snapshots`, `raw` from `make_source_frame`.
    """
    leads = leads_of(snapshots)
    known, today = _read_today(tables, raw)
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
    yield from find_columns(tables, raw, [c for c in _other_columns(project, raw) if c not in read])


def find_columns(tables: Ingested, raw: pd.DataFrame, columns: Iterable[str]) -> Iterator[Subject]:
    """Yield columns of the leads' file as they stand today; `raw` is of `make_source_frame`."""
    known, today = _read_today(tables, raw)
    for column in columns:
        yield Subject(column, (column,), None, "none", read_values(known[column]), today)


def _read_today(tables: Ingested, raw: pd.DataFrame) -> tuple[pd.DataFrame, Leads]:
    """Return rows of leads whose outcome is known, at most ``MOST_LEADS``, and these leads."""
    once = raw.drop_duplicates(LEAD_ID)
    known = once[once[WON].notna()]
    if len(known) > MOST_LEADS:
        known = known.sample(MOST_LEADS, random_state=0)
    order = _order_of(tables, known)
    return known, Leads(known[LEAD_ID].to_numpy(object), known[WON].to_numpy(bool), order)


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
    times = [data.leads.created, data.leads.first_called]
    if data.outcomes.file in (None, data.leads.file):
        ours |= {data.outcomes.column, data.outcomes.lead}
        times += [data.outcomes.closed, data.outcomes.recorded]
    ours |= {spec.column for spec in times if spec is not None}
    for source in data.activities:
        if source.file == data.leads.file:
            ours |= set(source.columns)
    return [column for column in raw.columns if column not in ours]
