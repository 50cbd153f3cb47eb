"""Run the history reader's plan, and scatter its long rows into one column per signal."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from models.sql import quote_text
from pipeline.engine import Engine, Limits, open_engine
from pipeline.signals.catalog import Catalog
from pipeline.signals.grouping import Reading
from pipeline.signals.history import read_plan
from pipeline.signals.seen_sql import SNAPSHOT_KEY

_PART = 1_000_000
"""So many activities at a time: what is made of them then lies near the processor, and is small."""

Values = npt.NDArray[np.float64] | npt.NDArray[np.object_]


@dataclass(frozen=True)
class History:
    """The normalised tables that signals are read from.

    `leads` as `pipeline.ingest.Ingested` has it; `activities` a Parquet file or a table, and
    `changes` a table, None where the project has none.
    """

    leads: pa.Table
    activities: pa.Table | Path | None = None
    changes: pa.Table | None = None


def read_history(
    catalog: Catalog, snapshots: pa.Table, history: History, limits: Limits | None = None
) -> pd.DataFrame:
    """Compute the signals of some snapshots.

    Columns in: snapshot_id, lead_id, as_of_us. Columns out: one per signal, ``family__name``:
    object (text or None) for categories, float64 with NaN for the rest. Grain: one row per
    snapshot, ordered by snapshot_id. The result is that of ``signals_sql``.

    Parameters
    ----------
    catalog : Catalog
    snapshots : Table
    history : History
    limits : Limits, optional
        Of the engine.

    Returns
    -------
    DataFrame

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
    wanted: list[dict[Reading, bool]] = [{} for _ in plan.blocks]
    for column, readings in plan.readings.items():
        for reading in readings:
            wanted[reading.block][reading] = column in categories
    spreads = [_Spread(block, readings, len(ids)) for block, readings in enumerate(wanted)]
    with open_engine(tables, limits) as engine:
        engine.keep("snapshots", "SELECT * FROM looks")
        columns = _to_columns(engine.query(plan.profile).sort_by(SNAPSHOT_KEY), categories)
        for leads in _parts(engine) if plan.blocks else []:
            engine.define("activities", f"SELECT * FROM logged{leads}")
            for seen in plan.seen:
                if seen.is_shared:
                    engine.keep(seen.name, seen.sql, in_order=seen.adds_floats)
                else:
                    engine.define(seen.name, seen.sql)
            for block, spread in zip(plan.blocks, spreads, strict=True):
                spread.add(engine.query(block.sql, in_order=block.adds_floats), ids)
    for column, readings in plan.readings.items():
        values = [spreads[reading.block].values[reading] for reading in readings]
        columns[column] = values[0] if len(values) == 1 else _rate(*values)
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=columns[name].dtype) for name in catalog.columns},
        columns=catalog.columns,
        copy=False,
    )


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


def _parts(engine: Engine) -> list[str]:
    """Return conditions that part what is logged by lead, about _PART activities in each.

    The log lies sorted by lead, so that each part is a stretch of its file.
    """
    count = engine.query("SELECT COUNT(*) AS activities FROM logged")["activities"][0].as_py()
    places = ", ".join(map(str, range(_PART, count, _PART)))
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


class _Spread:
    """The values that are read from one block, a column of the matrix each.

    `values` has them by reading. Measures of which the same cells are wanted lie in matrices of
    one shape, a row per cell, so that where a value goes is reckoned once for all of them.
    """

    def __init__(self, block: int, readings: Mapping[Reading, bool], length: int) -> None:
        self.values: dict[Reading, Values] = {}
        self._length = length
        self._matrices: dict[tuple[int, ...], list[tuple[str, float | None, Values]]] = {}
        wanted: dict[tuple[str, float | None, bool], set[int]] = {}
        for reading, is_category in readings.items():
            wanted.setdefault((reading.measure, reading.if_none, is_category), set()).add(
                reading.cell
            )
        for (measure, none, is_category), found in wanted.items():
            cells = tuple(sorted(found))
            shape = (len(cells), length)
            matrix: Values = (
                np.full(shape, None, dtype=object)
                if is_category
                else np.zeros(shape)
                if none == 0.0
                else np.full(shape, np.nan if none is None else none)
            )
            self._matrices.setdefault(cells, []).append((measure, none, matrix))
            for cell, column in zip(cells, matrix, strict=True):
                self.values[Reading(block, cell, measure, none)] = column

    def add(self, table: pa.Table, ids: npt.NDArray[np.int64]) -> None:
        """Scatter the rows of a part: each pair of snapshot and cell comes in one part only."""
        cells, found = table["cell"].to_numpy(), table[SNAPSHOT_KEY].to_numpy()
        numbered = len(ids) == 0 or (ids[0] == 0 and ids[-1] == len(ids) - 1)
        rows = found if numbered else np.searchsorted(ids, found)
        for wanted, matrices in self._matrices.items():
            begins = np.full(max(wanted[-1], cells.max(initial=0)) + 1, -1)
            begins[list(wanted)] = np.arange(len(wanted)) * self._length
            begin = begins[cells]
            kept = slice(None) if (begin >= 0).all() else begin >= 0
            at = (begin + rows)[kept]
            for measure, none, matrix in matrices:
                matrix.reshape(-1)[at] = _to_values(table[measure], none, matrix.dtype.hasobject)[
                    kept
                ]


def _to_values(column: pa.ChunkedArray, none: float | None, is_category: bool) -> Values:
    if is_category:
        return np.array(column.to_pylist(), dtype=object)
    numbers: npt.NDArray[np.float64] = column.to_numpy().astype(np.float64, copy=False)
    if none is None or not column.null_count:
        return numbers
    return np.where(np.isnan(numbers), none, numbers)
