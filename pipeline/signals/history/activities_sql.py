"""The SQL of the activities that were known at each snapshot, their groups and aggregates."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from leadscore.models.sql_text import quote_name, quote_text, write_number
from leadscore.pipeline.signals.decay import HALF_LIVES, UNITS, decay_rate
from leadscore.pipeline.signals.filters import Filter, PropertyTest
from leadscore.pipeline.signals.kinds import (
    ActiveDaysSignal,
    ActivitySignal,
    CountSignal,
    DaysSinceSignal,
    DecayedSignal,
    PropertySignal,
    RateSignal,
    TouchSignal,
)
from leadscore.pipeline.values.times import DAY_US, days_to_us

SNAPSHOT_KEY = "snapshot_id"


@dataclass(frozen=True)
class Aggregate:
    """What is computed from the known activities of a cell.

    `how` is ``count`` (the number of activities), ``days`` (the number of their distinct days),
    ``decayed`` (the sum of their weights), ``since`` (the days since the youngest), ``sum`` or
    ``max`` of the property `of`, ``first`` or ``last`` (the value of the property `of` in the first
    or last activity that has one; the activity's kind if `of` is None).
    If `window_us` is given, only younger activities count. Weights halve every `half_life_days`, or
    fall to 0 within `linear_us`.
    """

    how: Literal["count", "days", "decayed", "since", "sum", "max", "first", "last"]
    window_us: int | None = None
    of: str | None = None
    half_life_days: float | None = None
    linear_us: int | None = None

    @property
    def if_none(self) -> float | None:
        """The value without any known activity; None if it is then missing."""
        return 0.0 if self.how in ("count", "days", "decayed", "sum") else None

    @property
    def needs_order(self) -> bool:
        """Whether the order of activities matters: for the last one, or for a sum's last bits."""
        return self.how in ("first", "last", "sum")

    @property
    def needs_whole_leads(self) -> bool:
        """Whether it needs all activities of a lead at once."""
        return self.how in ("days", "sum")

    @property
    def picked_column(self) -> str | None:
        """The column whose value one activity gives; None if all activities count."""
        return (self.of or "kind") if self.how in ("first", "last") else None


def make_aggregate(declared: ActivitySignal) -> Aggregate:
    """Return what a signal needs to know of the activities of each of its filters."""
    match declared:
        case DaysSinceSignal():
            return Aggregate("since")
        case DecayedSignal(half_life_days=None):
            return Aggregate("decayed", linear_us=days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            return Aggregate("decayed", half_life_days=declared.half_life_days)
        case CountSignal() | RateSignal():
            return Aggregate("count", _window(declared.window_days))
        case ActiveDaysSignal():
            return Aggregate("days", _window(declared.window_days))
        case TouchSignal():
            how: Literal["first", "last"] = "first" if declared.kind == "first_touch" else "last"
            return Aggregate(how, _window(declared.window_days), declared.property)
        case PropertySignal():
            return Aggregate(declared.kind, _window(declared.window_days), declared.property)
        case _:
            raise TypeError(f"{type(declared).__name__} is not a signal made from activities")


def _window(days: float | None) -> int | None:
    return None if days is None else days_to_us(days)


def write_aggregate(aggregate: Aggregate) -> str:
    """Write an aggregate in SQL, over rows with age_us and the columns that it reads.

    For ``days`` a row is a day with the age of its youngest activity. For ``first`` and ``last``
    the result is the activity's number in the column `place`.
    """
    match aggregate.how:
        case "count" | "days":
            return f"COUNT({_within(aggregate, '1') if aggregate.window_us is not None else '*'})"
        case "decayed":
            return _sum_weights(aggregate)
        case "since":
            return f"MIN(age_us) / {write_number(float(DAY_US))}"
        case "first" | "last":
            pick = "MIN" if aggregate.how == "first" else "MAX"
            return f"{pick}({_within(aggregate, 'place')})"
        case "sum" | "max":
            value = _within(aggregate, quote_name(aggregate.of or ""))
            return f"{aggregate.how.upper()}({value})"


def _within(aggregate: Aggregate, value: str) -> str:
    conditions = []
    if aggregate.picked_column and aggregate.of is not None:
        conditions.append(f"{quote_name(aggregate.of)} IS NOT NULL")
    if aggregate.window_us is not None:
        conditions.append(f"age_us < {aggregate.window_us}")
    return f"CASE WHEN {' AND '.join(conditions)} THEN {value} END" if conditions else value


def _sum_weights(aggregate: Aggregate) -> str:
    """Sum weights as integers, so that the sum does not depend on the order.

    The guard keeps EXP from results so small that PostgreSQL raises an error. Beyond the guard a
    weight rounds to 0 anyway.
    """
    if aggregate.half_life_days is not None:
        guard = days_to_us(HALF_LIVES * aggregate.half_life_days)
        weight = f"EXP(age_us * {write_number(decay_rate(aggregate.half_life_days))})"
    else:
        guard = aggregate.linear_us or 0
        weight = f"(1e0 - age_us / {write_number(float(guard))})"
    units = write_number(UNITS)
    return (
        f"SUM(CASE WHEN age_us < {guard} THEN CAST(FLOOR({weight} * {units} + 5e-1) AS BIGINT) "
        f"ELSE 0 END) / {units}"
    )


@dataclass
class KnownSql:
    """A SELECT of the activities known at each snapshot; each of its filters is a cell.

    Its columns are snapshot_id, cell, age_us, and `columns`, which its groups read.
    """

    name: str
    any_kind: bool
    columns: set[str] = field(default_factory=set)
    cells: dict[Filter, int] = field(default_factory=dict)

    @property
    def max_cells(self) -> int:
        """The largest number of rows that a snapshot has of one activity."""
        kinds = Counter(kind for filter_ in self.cells for kind in filter_.kinds or ())
        return len(self.cells) if self.any_kind else max(kinds.values(), default=1)

    @property
    def sql(self) -> str:
        """The SELECT of the activities known at each snapshot, once for every cell they belong to.

        No other SQL decides what was known, or defines age. The conditions compare differences, so
        that an engine tests rows after the join: as conditions of the join they slow DuckDB down.
        """
        columns = "".join(f", {column}" for column in sorted(self.columns))
        return (
            f"SELECT s.{SNAPSHOT_KEY}, k.cell, s.as_of_us - a.occurred_us AS age_us{columns}\n"
            f"FROM activities AS a\n{self._join_cells()}\n"
            "JOIN snapshots AS s ON s.lead_id = a.lead_id\n"
            "WHERE s.as_of_us - a.occurred_us >= 0 AND s.as_of_us - a.recorded_us >= 0"
            f"{self._tests()}"
        )

    def _join_cells(self) -> str:
        rows = [
            f"SELECT {quote_text(kind)} AS kind, {cell} AS cell"
            for filter_, cell in self.cells.items()
            for kind in filter_.kinds or ("",)
        ]
        cells = " UNION ALL\n  ".join(rows)
        on = "1 = 1" if self.any_kind else "k.kind = a.kind"
        return f"JOIN (\n  {cells}\n) AS k ON {on}"

    def _tests(self) -> str:
        cases = "".join(
            f" WHEN {cell} THEN CASE WHEN {' AND '.join(map(_passes, filter_.tests))}"
            " THEN 1 ELSE 0 END"
            for filter_, cell in self.cells.items()
            if filter_.tests
        )
        return f"\nAND CASE k.cell{cases} ELSE 1 END = 1" if cases else ""


def day_column(offset_us: int) -> str:
    """Return the column `day`: the UTC day of an activity, its time shifted by `offset_us`."""
    return f"FLOOR((a.occurred_us + {offset_us}) / {write_number(float(DAY_US))}) AS day"


def _passes(test: PropertyTest) -> str:
    column = f"a.{quote_name(test.property)}"
    if test.values is not None:
        values = ", ".join(
            quote_text(v) if isinstance(v, str) else write_number(v) for v in test.values
        )
        return f"{column} IN ({values})"
    bounds = [] if test.low is None else [f"{column} >= {write_number(test.low)}"]
    bounds += [] if test.high is None else [f"{column} <= {write_number(test.high)}"]
    return " AND ".join(bounds)


@dataclass(frozen=True)
class ValueRef:
    """The position of a signal's value: the column `measure` of the rows of `cell` in a group."""

    group: int
    cell: int
    measure: str


@dataclass
class GroupedSql:
    """A SELECT that groups known activities by snapshot_id and cell.

    With `by_day` the activities are grouped by day first. `measures` has the names of the
    aggregates. Columns out: snapshot_id, cell and the measures. Grain: one row per snapshot and
    cell.
    """

    number: int
    by_day: bool
    known: KnownSql
    cells: set[int] = field(default_factory=set)
    names: dict[Aggregate, str] = field(default_factory=dict)

    def add_value(self, filter_: Filter, aggregate: Aggregate) -> ValueRef:
        """Add an aggregate over the activities of a filter, and return where its value will be."""
        cell = self.known.cells.setdefault(filter_, len(self.known.cells))
        self.cells.add(cell)
        if aggregate.of is not None:
            self.known.columns.add(f"a.{quote_name(aggregate.of)}")
        if aggregate.needs_order:
            self.known.columns.add("a.place")
        name = self.names.setdefault(aggregate, f"m{len(self.names)}")
        return ValueRef(self.number, cell, name)

    @property
    def measures(self) -> dict[str, Aggregate]:
        """The aggregates by name."""
        return {name: aggregate for aggregate, name in self.names.items()}

    @property
    def sql(self) -> str:
        """The SELECT with all aggregates that were added."""
        values = "".join(
            f",\n  {write_aggregate(aggregate)} AS {name}" for aggregate, name in self.names.items()
        )
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{values}\nFROM {self._source()}\n"
            f"GROUP BY {SNAPSHOT_KEY}, cell"
        )
        if any(aggregate.picked_column for aggregate in self.names):
            sql = _copy_values(sql, self.measures)
        return sql

    def _source(self) -> str:
        """Write the FROM clause; by day, a row per day with the age of its youngest activity."""
        source = self.known.name
        if len(self.cells) < len(self.known.cells):
            source += f"\nWHERE cell IN ({', '.join(map(str, sorted(self.cells)))})"
        if not self.by_day:
            return source
        return (
            f"(\nSELECT {SNAPSHOT_KEY}, cell, MIN(age_us) AS age_us\n"
            f"FROM {source}\nGROUP BY {SNAPSHOT_KEY}, cell, day\n) AS days"
        )


def _copy_values(sql: str, measures: dict[str, Aggregate]) -> str:
    """Replace the numbers of activities in a grouping by the values of these activities."""
    columns = {name: aggregate.picked_column for name, aggregate in measures.items()}
    values = "".join(
        f", t_{name}.{quote_name(column)} AS {name}" if column else f", grouped.{name}"
        for name, column in columns.items()
    )
    joins = "".join(
        f"\nLEFT JOIN activities AS t_{name} ON t_{name}.place = grouped.{name}"
        for name, column in columns.items()
        if column
    )
    return (
        f"SELECT grouped.{SNAPSHOT_KEY}, grouped.cell{values}\nFROM (\n{sql}\n) AS grouped{joins}"
    )
