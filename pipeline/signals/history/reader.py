"""The signals of many snapshots, one column each: SQL selects activities, numpy adds them up."""

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
from leadscore.pipeline.signals.history.grouping import Reading
from leadscore.pipeline.signals.history.known_activities_sql import SNAPSHOT_KEY
from leadscore.pipeline.signals.history.signals_sql import SqlPlan, read_plan
from leadscore.pipeline.signals.history.totals import BlockTotals, read_rows

_ROWS = 100_000
"""So many rows are added up at a time: they then lie near the processor."""
_PART = 1_000_000
"""About this many rows are kept if all activities of a lead are needed together."""

Values = npt.NDArray[np.float64] | npt.NDArray[np.object_]


@dataclass(frozen=True)
class History:
    """The normalised tables that signals are read from.

    `leads` as ingestion leaves it; `activities` a Parquet file or a table, and
    `changes` a table, None where the project has none.
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

    Parameters
    ----------
    catalog : Catalog
    snapshots : Table
    history : History
    limits : Limits, optional
        Of the engine.

    Raises
    ------
    ValueError
        If the catalogue reads activities or changes and `history` has none.
    """
    plan = read_plan(catalog)
    tables: dict[str, pa.Table | Path] = {"looks": snapshots, "leads": history.leads}
    for name, table, needed in (
        ("activities", history.activities, catalog.reads_activities),
        ("changes", history.changes, bool(catalog.changing)),
    ):
        if needed and table is None:
            raise ValueError(f"the catalogue reads {name}, and there are none")
        if needed and table is not None:
            tables["logged" if name == "activities" else name] = table
    ids = np.sort(snapshots[SNAPSHOT_KEY].to_numpy())
    categories = set(catalog.category_columns)
    with open_engine(tables, limits) as engine:
        engine.keep("snapshots", "SELECT * FROM looks")
        columns = _to_columns(engine.query(plan.profile).sort_by(SNAPSHOT_KEY), categories)
        totals = _add_up(engine, plan, ids)
        for column, readings in plan.readings.items():
            values = [
                _read(engine, totals[reading.block], reading, column in categories)
                for reading in readings
            ]
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


def _add_up(engine: Engine, plan: SqlPlan, ids: npt.NDArray[np.int64]) -> list[BlockTotals]:
    wanted: list[list[Reading]] = [[] for _ in plan.blocks]
    for readings in plan.readings.values():
        for reading in readings:
            wanted[reading.block].append(reading)
    totals = [
        BlockTotals(block, readings, len(ids))
        for block, readings in zip(plan.blocks, wanted, strict=True)
    ]
    for seen in plan.seen:
        mine = [
            (block, total)
            for block, total in zip(plan.blocks, totals, strict=True)
            if block.seen == seen.name
        ]
        parted = any(a.needs_all for block, _ in mine for a in block.measures.values())
        for leads in _parts(engine, seen.most_cells) if parted else [""]:
            engine.define("activities", f"SELECT * FROM logged{leads}")
            for batch in engine.stream(seen.sql, _ROWS):
                rows = dict(read_rows(batch))
                places = _places(ids, rows.pop(SNAPSHOT_KEY))
                cells = rows.pop("cell")
                for _, total in mine:
                    total.add(cells, places, rows)
            for _, total in mine:
                total.end_part()
    for total in totals:
        total.finish()
    return totals


def _places(ids: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    numbered = len(ids) == 0 or (ids[0] == 0 and ids[-1] == len(ids) - 1)
    return found if numbered else np.searchsorted(ids, found)


def _read(engine: Engine, totals: BlockTotals, reading: Reading, is_category: bool) -> Values:
    """Return a column; of a pick what stands at the places that were found."""
    aggregate, values = totals.column(reading)
    if aggregate.picked_column is None:
        return values
    known = ~np.isnan(values)
    places, rows = np.unique(values[known].astype(np.int64), return_inverse=True)
    engine.add("picked", pa.table({"place": places}))
    picked = engine.query(
        f"SELECT a.{quote_name(aggregate.picked_column)} AS picked FROM logged AS a "
        "JOIN picked AS p ON p.place = a.place ORDER BY a.place"
    )["picked"]
    column: Values = (
        np.full(len(values), None, dtype=object) if is_category else np.full(len(values), np.nan)
    )
    column[known] = np.array(picked.to_pylist(), dtype=column.dtype)[rows]
    return column


def _parts(engine: Engine, most_cells: int) -> list[str]:
    """Return conditions that part what is logged by lead, about _PART rows seen in each.

    The log lies sorted by lead, so that each part is a stretch of its file.
    """
    counted = "SELECT COUNT(*) AS looks, COUNT(DISTINCT lead_id) AS leads FROM snapshots"
    (found,) = engine.query(counted).to_pylist()
    size = max(1, _PART * max(found["leads"], 1) // (most_cells * max(found["looks"], 1)))
    count = engine.query("SELECT COUNT(*) AS activities FROM logged")["activities"][0].as_py()
    places = ", ".join(map(str, range(size, count, size)))
    if not places:
        return [""]
    first = f"SELECT DISTINCT lead_id FROM logged WHERE place IN ({places}) ORDER BY lead_id"
    edges = [quote_text(lead_id) for lead_id in engine.query(first)["lead_id"].to_pylist()]
    if not edges:
        return [""]
    between = [
        f" WHERE lead_id >= {low} AND lead_id < {high}" for low, high in itertools.pairwise(edges)
    ]
    return [f" WHERE lead_id < {edges[0]}", *between, f" WHERE lead_id >= {edges[-1]}"]
