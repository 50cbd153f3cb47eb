"""The history reader: SQL selects the known activities, and numpy computes the signals.

The aggregates equal those that `activities_sql` writes in SQL. They are computed directly in the
columns of the result, because an engine spends most of its time on making and returning groups.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadscore.models.sql_text import quote_name, quote_text
from leadscore.pipeline.engine.duckdb_engine import Engine, Limits, open_engine
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.decay import UNITS, decay_rate
from leadscore.pipeline.signals.history.activities_sql import (
    SNAPSHOT_KEY,
    Aggregate,
    GroupedSql,
    ValueRef,
)
from leadscore.pipeline.signals.history.signals_sql import SqlPlan, read_plan
from leadscore.pipeline.values.times import DAY_US

_BATCH_ROWS = 100_000
"""Rows that are aggregated at a time; a larger number does not fit into the processor's cache."""
_PART_ROWS = 1_000_000
"""The approximate number of rows in memory if aggregates need whole leads."""

_START = {"since": np.inf, "first": np.inf, "last": -np.inf, "max": -np.inf}
"""The values before the first activity; sums begin with 0."""

_INPUT_COLUMNS = {
    "days": "day", "decayed": "age_us", "since": "age_us", "first": "place", "last": "place",
}  # fmt: skip
"""The column that an aggregate reads; the others read that of the property."""
_HIGH_UNIT = 2.0**20
"""Weights are summed in multiples of this many units, and their remainders separately.

Both sums are whole numbers that floats hold exactly, so they do not depend on the order.
"""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Rows = Mapping[str, npt.NDArray[Any]]
"""The columns of known activities by name; a text is 0 where it is known, and NaN elsewhere."""
Values = Floats | npt.NDArray[np.object_]


@dataclass(frozen=True)
class History:
    """The normalised tables that the history reader reads, as ingestion writes them.

    `activities` is a Parquet file or a table. It is None if the project has none, as is `changes`.
    """

    leads: pa.Table
    activities: pa.Table | Path | None = None
    changes: pa.Table | None = None


def read_history(
    catalog: Catalog, snapshots: pa.Table, history: History, limits: Limits | None = None
) -> pd.DataFrame:
    """Return the signals that ``read_columns`` computes as a DataFrame, for training."""
    columns = read_columns(catalog, snapshots, history, limits)
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype=column.dtype, copy=False)
            for name, column in columns.items()
        },
        columns=catalog.columns,
        copy=False,
    )


def read_columns(
    catalog: Catalog, snapshots: pa.Table, history: History, limits: Limits | None = None
) -> dict[str, Values]:
    """Compute the signals of some snapshots.

    Columns in: snapshot_id, lead_id, as_of_us. Columns out: one array per signal of the catalogue,
    in its order, by the name ``family__name``: object (text or None) for categories, float64 with
    NaN for the rest. Grain: one element per snapshot, ordered by snapshot_id. The result is that of
    ``signals_sql``.

    Raises ValueError if the catalogue reads activities or changes, but `history` has none.
    """
    plan = read_plan(catalog)
    tables: dict[str, pa.Table | Path] = {"unsorted_snapshots": snapshots, "leads": history.leads}
    for name, table, needed in (
        ("activities", history.activities, catalog.reads_activities),
        ("changes", history.changes, bool(catalog.changing)),
    ):
        if needed and table is None:
            raise ValueError(f"the catalogue reads {name}, but the history has none")
        if needed and table is not None:
            tables["all_activities" if name == "activities" else name] = table
    ids = np.sort(snapshots[SNAPSHOT_KEY].to_numpy())
    categories = set(catalog.category_columns)
    with open_engine(tables, limits) as engine:
        engine.materialize("snapshots", "SELECT * FROM unsorted_snapshots")
        columns = _to_columns(engine.query(plan.profile).sort_by(SNAPSHOT_KEY), categories)
        totals = _aggregate(engine, plan, ids)
        for column, refs in plan.refs.items():
            values = [_read(engine, totals[ref.group], ref, column in categories) for ref in refs]
            columns[column] = values[0] if len(values) == 1 else _rate(*values)
    return {name: columns[name] for name in catalog.columns}


def _to_columns(table: pa.Table, categories: set[str]) -> dict[str, Values]:
    return {
        name: np.array(table[name].to_pylist(), dtype=object)
        if name in categories
        else table[name].to_numpy().astype(np.float64)
        for name in table.column_names
        if name != SNAPSHOT_KEY
    }


def _rate(part: Values, whole: Values) -> Values:
    rate = np.full(len(whole), np.nan)
    np.divide(part, whole, out=rate, where=whole > 0)
    return rate


def _aggregate(engine: Engine, plan: SqlPlan, ids: npt.NDArray[np.int64]) -> "list[GroupTotals]":
    refs = [ref for refs in plan.refs.values() for ref in refs]
    totals = [
        GroupTotals(group, [ref for ref in refs if ref.group == number], len(ids))
        for number, group in enumerate(plan.groups)
    ]
    for known in plan.known:
        fed = [total for total in totals if total.group.known is known]
        split = any(a.needs_whole_leads for total in fed for a in total.group.measures.values())
        for condition in _split_leads(engine, known.max_cells) if split else [""]:
            engine.define("activities", f"SELECT * FROM all_activities{condition}")
            for batch in engine.stream(known.sql, _BATCH_ROWS):
                rows = {name: _to_numbers(batch[name]) for name in batch.schema.names}
                snapshots = _to_indices(ids, rows.pop(SNAPSHOT_KEY))
                cells = rows.pop("cell")
                for total in fed:
                    total.add(cells, snapshots, rows)
            for total in fed:
                total.end_part()
    for total in totals:
        total.finish()
    return totals


def _to_indices(ids: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    are_indices = len(ids) == 0 or (ids[0] == 0 and ids[-1] == len(ids) - 1)
    return found if are_indices else np.searchsorted(ids, found)


def _read(engine: Engine, totals: "GroupTotals", ref: ValueRef, is_category: bool) -> Values:
    """Return a signal's column; ``first`` and ``last`` are picked from the activities found."""
    aggregate, values = totals.column(ref)
    if aggregate.picked_column is None:
        return values
    known = ~np.isnan(values)
    places, rows = np.unique(values[known].astype(np.int64), return_inverse=True)
    engine.add("chosen", pa.table({"place": places}))
    picked = engine.query(
        f"SELECT a.{quote_name(aggregate.picked_column)} AS picked FROM all_activities AS a "
        "JOIN chosen AS c ON c.place = a.place ORDER BY a.place"
    )["picked"]
    column: Values = (
        np.full(len(values), None, dtype=object) if is_category else np.full(len(values), np.nan)
    )
    column[known] = np.array(picked.to_pylist(), dtype=column.dtype)[rows]
    return column


def _split_leads(engine: Engine, max_cells: int) -> list[str]:
    """Return conditions that split the activities by lead into parts of about _PART_ROWS rows.

    The activities are sorted by lead, so each part is one range of their file.
    """
    counts = "SELECT COUNT(*) AS snapshots, COUNT(DISTINCT lead_id) AS leads FROM snapshots"
    (found,) = engine.query(counts).to_pylist()
    size = max(1, _PART_ROWS * max(found["leads"], 1) // (max_cells * max(found["snapshots"], 1)))
    (rows,) = engine.query("SELECT COUNT(*) AS count FROM all_activities").to_pylist()
    places = ", ".join(map(str, range(size, rows["count"], size)))
    if not places:
        return [""]
    first = (
        f"SELECT DISTINCT lead_id FROM all_activities WHERE place IN ({places}) ORDER BY lead_id"
    )
    edges = [quote_text(lead_id) for lead_id in engine.query(first)["lead_id"].to_pylist()]
    if not edges:
        return [""]
    between = [
        f" WHERE lead_id >= {low} AND lead_id < {high}" for low, high in itertools.pairwise(edges)
    ]
    return [f" WHERE lead_id < {edges[0]}", *between, f" WHERE lead_id >= {edges[-1]}"]


class Total:
    """One aggregate over several cells and all snapshots: `values` has a row per cell, float64."""

    def __init__(self, aggregate: Aggregate, cells: int, snapshots: int) -> None:
        self.aggregate = aggregate
        self.values: Floats = np.full((cells, snapshots), _START.get(aggregate.how, 0.0))
        self._flat = self.values.reshape(-1)
        self._rest = np.zeros(self.values.size if aggregate.how == "decayed" else 0)
        self._kept: list[tuple[npt.NDArray[Any], ...]] = []
        """The activities of the current leads, for aggregates that need all of them together."""

    def add(self, at: Indices, rows: Rows) -> None:
        """Add activities; `at` has the index of each of them in the flat `values`."""
        counted, how = self._counted(rows), self.aggregate.how
        if counted is not None:
            at = at[counted]
        if how == "count":
            np.add.at(self._flat, at, 1.0)
            return
        read = rows[_INPUT_COLUMNS.get(how, self.aggregate.of or "")]
        if counted is not None:
            read = read[counted]
        match how:
            case "days":
                self._kept.append((at, read))
            case "sum":
                places = rows["place"]
                self._kept.append((at, places if counted is None else places[counted], read))
            case "decayed":
                units = _weigh(self.aggregate, read)
                high = np.floor(units / _HIGH_UNIT)
                np.add.at(self._flat, at, high)
                np.add.at(self._rest, at, units - high * _HIGH_UNIT)
            case "max" | "last":
                np.maximum.at(self._flat, at, read.astype(np.float64))
            case "since" | "first":
                np.minimum.at(self._flat, at, read.astype(np.float64))

    def _counted(self, rows: Rows) -> npt.NDArray[np.bool_] | None:
        within = self.aggregate.window_us
        counted = None if within is None else rows["age_us"] < within
        if self.aggregate.of is not None:
            known = ~np.isnan(rows[self.aggregate.of])
            counted = known if counted is None else counted & known
        return counted

    def end_part(self) -> None:
        """Count the distinct days, or add the values in order, of the kept activities."""
        kept = [np.concatenate(columns) for columns in zip(*self._kept, strict=True)]
        self._kept.clear()
        if not kept or not len(kept[0]):
            return
        if self.aggregate.how == "days":
            at, day = kept
            first, span = day.min(), int(day.max() - day.min()) + 1
            pairs = np.sort(at * span + (day - first).astype(np.int64))
            new = np.concatenate([[True], pairs[1:] != pairs[:-1]])
            np.add.at(self._flat, pairs[new] // span, 1.0)
        else:
            at, places, values = kept
            order = np.argsort(places, kind="stable")
            np.add.at(self._flat, at[order], values[order])

    def finish(self) -> None:
        """Turn the sums into values, NaN if missing; of ``first`` and ``last`` numbers of rows."""
        if self.aggregate.how in _START:
            self.values[np.isinf(self.values)] = np.nan
        if self.aggregate.how == "since":
            self.values /= DAY_US
        if self.aggregate.how == "decayed":
            self._flat *= _HIGH_UNIT
            self._flat += self._rest
            self._flat /= UNITS


def _weigh(aggregate: Aggregate, ages: Floats) -> Floats:
    if aggregate.half_life_days is not None:
        weights = np.exp(ages * decay_rate(aggregate.half_life_days))
    else:
        weights = np.maximum(1.0 - ages / float(aggregate.linear_us or 0), 0.0)
    return np.floor(weights * UNITS + 0.5)


class GroupTotals:
    """The totals of one group; totals of the same cells are computed together."""

    def __init__(self, group: GroupedSql, refs: Iterable[ValueRef], snapshots: int) -> None:
        self.group = group
        self._snapshots = snapshots
        self._totals: dict[tuple[int, ...], list[Total]] = {}
        self._columns: dict[ValueRef, tuple[Total, int]] = {}
        self._returned: set[ValueRef] = set()
        wanted: dict[str, list[ValueRef]] = {}
        for ref in sorted(set(refs), key=lambda ref: ref.cell):
            wanted.setdefault(ref.measure, []).append(ref)
        for name, found in wanted.items():
            total = Total(group.measures[name], len(found), snapshots)
            self._totals.setdefault(tuple(r.cell for r in found), []).append(total)
            self._columns |= {ref: (total, row) for row, ref in enumerate(found)}

    def add(self, cells: npt.NDArray[np.int64], snapshots: Indices, rows: Rows) -> None:
        """Add activities with their cells and the indices of their snapshots."""
        for wanted, totals in self._totals.items():
            begins = np.full(max(wanted[-1], cells.max(initial=0)) + 1, -1)
            begins[list(wanted)] = np.arange(len(wanted)) * self._snapshots
            begin = begins[cells]
            here = slice(None) if (begin >= 0).all() else begin >= 0
            at = (begin + snapshots)[here]
            chosen = {name: column[here] for name, column in rows.items()}
            for total in totals:
                total.add(at, chosen)

    def end_part(self) -> None:
        """End a part: no later activity is of a lead whose activities were added so far."""
        for total in self._all():
            total.end_part()

    def finish(self) -> None:
        """End the last part: all activities were added."""
        for total in self._all():
            total.finish()

    def column(self, ref: ValueRef) -> tuple[Aggregate, Floats]:
        """Return a column, one value per snapshot; of ``first`` and ``last`` the numbers of rows.

        Every call returns an array of its own.
        """
        total, row = self._columns[ref]
        values = total.values[row].copy() if ref in self._returned else total.values[row]
        self._returned.add(ref)
        return total.aggregate, values

    def _all(self) -> Iterable[Total]:
        return (total for totals in self._totals.values() for total in totals)


def _to_numbers(column: pa.Array) -> npt.NDArray[Any]:
    """Return a column as numbers: NaN for null, and 0 for known text."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return numbers
    known = column.is_valid().to_numpy(zero_copy_only=False)
    return np.where(known, 0.0, np.nan)
