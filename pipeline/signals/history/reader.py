"""The history reader: SQL selects the known activities, and numpy computes the signals."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadscore.models.sql_text import quote_name, quote_text
from leadscore.pipeline.engine.duckdb_engine import Engine, Limits, open_engine
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.activities_sql import SNAPSHOT_KEY, ValueRef
from leadscore.pipeline.signals.history.signals_sql import SqlPlan, read_plan
from leadscore.pipeline.signals.history.totals import GroupTotals, read_rows

_BATCH_ROWS = 100_000
"""Rows that are aggregated at a time; a larger number does not fit into the processor's cache."""
_PART_ROWS = 1_000_000
"""The approximate number of rows in memory if aggregates need whole leads."""

Values = npt.NDArray[np.float64] | npt.NDArray[np.object_]


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


def _aggregate(engine: Engine, plan: SqlPlan, ids: npt.NDArray[np.int64]) -> list[GroupTotals]:
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
                rows = dict(read_rows(batch))
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


def _read(engine: Engine, totals: GroupTotals, ref: ValueRef, is_category: bool) -> Values:
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
