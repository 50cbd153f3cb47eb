"""The aggregates of the history reader, in numpy.

They equal those that `aggregate_sql` writes in SQL. They are computed directly in the columns
of the result, because an engine spends most of its time on making and returning groups.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadscore.pipeline.signals.decay import UNITS, decay_rate
from leadscore.pipeline.signals.history.activities_sql import GroupedSql, ValueRef
from leadscore.pipeline.signals.history.aggregate_sql import Aggregate
from leadscore.pipeline.values.times import DAY_US

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Rows = Mapping[str, npt.NDArray[Any]]
"""The columns of known activities by name; a text is 0 where it is known, and NaN elsewhere."""

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


def read_rows(batch: pa.RecordBatch) -> Rows:
    """Return the columns of some rows as numbers: NaN for null, and 0 for known text."""
    return {name: _to_numbers(batch[name]) for name in batch.schema.names}


def _to_numbers(column: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return numbers
    known = column.is_valid().to_numpy(zero_copy_only=False)
    return np.where(known, 0.0, np.nan)
