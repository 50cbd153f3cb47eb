"""The sums of the history reader, in numpy: its own aggregates, and no third reader of signals.

`aggregate_sql` writes the same aggregates in SQL. Here they are added up straight into the
columns of the result, since an engine spends most of its time on making groups and returning them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadscore.pipeline.signals.decay import UNITS, decay_rate
from leadscore.pipeline.signals.history.aggregate_sql import Aggregate
from leadscore.pipeline.signals.history.grouping import Block, Reading
from leadscore.pipeline.values.times import DAY_US

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Rows = Mapping[str, npt.NDArray[Any]]
"""Columns of activities seen, by name; of a property that is no number only where it is known."""

_START = {"since": np.inf, "first": np.inf, "last": -np.inf, "max": -np.inf}
"""What there is before the first activity; 0 of what is summed."""

_READ = {
    "days": "day", "decayed": "age_us", "since": "age_us", "first": "place", "last": "place",
}  # fmt: skip
"""The column that is read; else that of the property."""
_MANY = 2.0**20
"""Units of weights are summed in multiples of this number, and the remainders separately.

Both sums are whole numbers that floats have exactly, so that they come out the same in any order.
"""


class Total:
    """One aggregate in several cells of all snapshots: `values` has a row per cell, float64."""

    def __init__(self, aggregate: Aggregate, cells: int, snapshots: int) -> None:
        self.aggregate = aggregate
        self.values: Floats = np.full((cells, snapshots), _START.get(aggregate.how, 0.0))
        self._flat = self.values.reshape(-1)
        self._rest = np.zeros(self.values.size if aggregate.how == "decayed" else 0)
        self._kept: list[tuple[npt.NDArray[Any], ...]] = []
        """The activities of the current leads, for aggregates that need all of them together."""

    def add(self, at: Indices, rows: Rows) -> None:
        """Add activities; `at` is the place of each in the flat `values`."""
        counted, how = self._counted(rows), self.aggregate.how
        if counted is not None:
            at = at[counted]
        if how == "count":
            np.add.at(self._flat, at, 1.0)
            return
        read = rows[_READ.get(how, self.aggregate.of or "")]
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
                many = np.floor(units / _MANY)
                np.add.at(self._flat, at, many)
                np.add.at(self._rest, at, units - many * _MANY)
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
        """Count distinct days, and add in the order of places, all that was kept."""
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
        """Turn what was added up into values, NaN where there is none; of a pick into places."""
        if self.aggregate.how in _START:
            self.values[np.isinf(self.values)] = np.nan
        if self.aggregate.how == "since":
            self.values /= DAY_US
        if self.aggregate.how == "decayed":
            self._flat *= _MANY
            self._flat += self._rest
            self._flat /= UNITS


def _weigh(aggregate: Aggregate, ages: Floats) -> Floats:
    if aggregate.half_life_days is not None:
        weights = np.exp(ages * decay_rate(aggregate.half_life_days))
    else:
        weights = np.maximum(1.0 - ages / float(aggregate.linear_us or 0), 0.0)
    return np.floor(weights * UNITS + 0.5)


class BlockTotals:
    """The totals of one block. Those that are wanted of the same cells are reckoned together."""

    def __init__(self, block: Block, readings: Iterable[Reading], snapshots: int) -> None:
        self._snapshots = snapshots
        self._totals: dict[tuple[int, ...], list[Total]] = {}
        self._columns: dict[Reading, tuple[Total, int]] = {}
        self._returned: set[Reading] = set()
        wanted: dict[str, list[Reading]] = {}
        for reading in sorted(set(readings), key=lambda reading: reading.cell):
            wanted.setdefault(reading.measure, []).append(reading)
        for name, found in wanted.items():
            total = Total(block.measures[name], len(found), snapshots)
            self._totals.setdefault(tuple(r.cell for r in found), []).append(total)
            self._columns |= {reading: (total, row) for row, reading in enumerate(found)}

    def add(self, cells: npt.NDArray[np.int64], snapshots: Indices, rows: Rows) -> None:
        """Add activities, of each the cell and the place of the snapshot among all."""
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
        """Say that no later activity is of a lead whose activities were added so far."""
        for total in self._all():
            total.end_part()

    def finish(self) -> None:
        """Say that all activities were added."""
        for total in self._all():
            total.finish()

    def column(self, reading: Reading) -> tuple[Aggregate, Floats]:
        """Return one value per snapshot; for a first or last activity its place.

        Every call returns an array of its own.
        """
        total, row = self._columns[reading]
        values = total.values[row].copy() if reading in self._returned else total.values[row]
        self._returned.add(reading)
        return total.aggregate, values

    def _all(self) -> Iterable[Total]:
        return (total for totals in self._totals.values() for total in totals)


def read_rows(batch: pa.RecordBatch) -> Rows:
    """Return the columns of some rows as numbers, NaN for null; for text 0 where it is known."""
    return {name: _to_numbers(batch[name]) for name in batch.schema.names}


def _to_numbers(column: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return numbers
    known = column.is_valid().to_numpy(zero_copy_only=False)
    return np.where(known, 0.0, np.nan)
