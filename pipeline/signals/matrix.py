"""Run the history reader's plan, and scatter its long rows into one column per signal."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.engine import Limits, open_engine
from pipeline.signals.catalog import Catalog
from pipeline.signals.grouping import SNAPSHOT_KEY, Reading
from pipeline.signals.history import read_plan

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
    tables: dict[str, pa.Table | Path] = {"snapshots": snapshots, "leads": history.leads}
    for name, table, needed in (
        ("activities", history.activities, catalog.reads_activities),
        ("changes", history.changes, bool(catalog.changing)),
    ):
        if needed and table is None:
            raise ValueError(f"the catalogue reads {name}, and there are none")
        if needed and table is not None:
            tables[name] = table
    ids = np.sort(snapshots[SNAPSHOT_KEY].to_numpy())
    categories = set(catalog.category_columns)
    with open_engine(tables, limits) as engine:
        columns = _to_columns(engine.query(plan.profile).sort_by(SNAPSHOT_KEY), categories)
        parts: dict[tuple[str, int], Values] = {}  # a rate's two may lie in different blocks
        for place, block in enumerate(plan.blocks):
            long = _Long(engine.query(block.sql, one_thread=block.adds_floats), ids)
            for column, readings in plan.readings.items():
                for part, reading in enumerate(readings):
                    if reading.block == place:
                        parts[column, part] = long.spread(reading, column in categories)
    for column, readings in plan.readings.items():
        values = [parts[column, part] for part in range(len(readings))]
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


class _Long:
    """The rows of one block, by cell, each knowing its row of the matrix."""

    def __init__(self, table: pa.Table, ids: npt.NDArray[np.int64]) -> None:
        cells = table["cell"].to_numpy().astype(np.int16)  # which numpy sorts by radix
        order = np.argsort(cells, kind="stable")
        edges = np.searchsorted(cells[order], np.arange(cells.max(initial=-1) + 2))
        self._which = np.split(order, edges[1:-1]) if len(edges) > 1 else []
        found = table[SNAPSHOT_KEY].to_numpy()
        numbered = len(ids) == 0 or (ids[0] == 0 and ids[-1] == len(ids) - 1)
        rows = found if numbered else np.searchsorted(ids, found)
        self._rows = [rows[which] for which in self._which]
        self._table = table
        self._length = len(ids)

    def spread(self, reading: Reading, is_category: bool) -> Values:
        """Return one measure of one cell as a column of the matrix."""
        seen = reading.cell < len(self._which)
        which = self._which[reading.cell] if seen else np.empty(0, np.intp)
        rows = self._rows[reading.cell] if seen else which
        values = self._table[reading.measure]
        if is_category:
            texts = np.full(self._length, None, dtype=object)
            texts[rows] = np.array(values.take(pa.array(which)).to_pylist(), dtype=object)
            return texts
        numbers = values.to_numpy()[which].astype(np.float64)
        none = np.nan if reading.if_none is None else reading.if_none
        if reading.if_none is not None:
            numbers[np.isnan(numbers)] = none
        column = np.full(self._length, none)
        column[rows] = numbers
        return column
