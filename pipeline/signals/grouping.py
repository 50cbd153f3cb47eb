"""The groupings of the history reader's SQL: what a snapshot sees and makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.sql import quote_name, quote_text, write_number
from pipeline.signals.decay import HALF_LIVES, UNITS, decay_rate
from pipeline.signals.declarations import (
    ActiveDaysSignal,
    ActivityFilter,
    ActivitySignal,
    CountSignal,
    DaysSinceSignal,
    DecayedSignal,
    PropertySignal,
    RateSignal,
    TouchSignal,
)
from pipeline.signals.filters import Filter, PropertyTest
from pipeline.values import DAY_US, days_to_us

SNAPSHOT_KEY = "snapshot_id"
_DAY = write_number(float(DAY_US))


@dataclass(frozen=True)
class Reading:
    """Where a signal's value stands: in column `measure` of the rows of `cell` of a block.

    `if_none` is its value where there is no such row.
    """

    block: int
    cell: int
    measure: str
    if_none: float | None


@dataclass(frozen=True)
class Block:
    """One grouping: a SELECT of snapshot_id, cell and its measures, one row per pair.

    With `adds_floats` its last bits depend on the order in which an engine reads rows.
    """

    sql: str
    adds_floats: bool


@dataclass(frozen=True)
class Measure:
    """An aggregate over ``seen``.

    With `lookup` the aggregate is a place, and the value is that column of the activity standing
    there. `property` is what the aggregate reads beside age and place.
    """

    aggregate: str
    lookup: str | None = None
    property: str | None = None
    adds_floats: bool = False


def measures_of(
    declared: ActivitySignal,
) -> Iterator[tuple[ActivityFilter, Measure, float | None]]:
    """Yield what a signal is made from: filter, aggregate over ``seen``, value if none is seen."""
    match declared:
        case CountSignal():
            yield declared, Measure(_count(declared.window_days)), 0.0
        case ActiveDaysSignal():
            yield declared, Measure(_count(declared.window_days)), 0.0
        case DecayedSignal():
            yield declared, Measure(_decayed(declared)), 0.0
        case DaysSinceSignal():
            yield declared, Measure(f"MIN(age_us) / {_DAY}"), None
        case RateSignal():
            yield declared.part, Measure(_count(declared.window_days)), 0.0
            yield declared.whole, Measure(_count(declared.window_days)), 0.0
        case PropertySignal(kind="last") | TouchSignal():
            prop = declared.property
            pick = "MIN" if declared.kind == "first_touch" else "MAX"
            known = [] if prop is None else [f"{quote_name(prop)} IS NOT NULL"]
            within = _when([*known, *_window(declared.window_days)], "place")
            yield declared, Measure(f"{pick}({within})", prop or "kind", prop), None
        case PropertySignal():
            value = _when(_window(declared.window_days), quote_name(declared.property))
            if declared.kind == "sum":
                yield declared, Measure(f"SUM({value})", None, declared.property, True), 0.0
            else:
                yield declared, Measure(f"MAX({value})", None, declared.property), None
        case _:
            raise TypeError(f"{type(declared).__name__} is no signal of activities")


def _window(window_days: float | None) -> list[str]:
    return [] if window_days is None else [f"age_us < {days_to_us(window_days)}"]


def _when(conditions: list[str], value: str) -> str:
    return f"CASE WHEN {' AND '.join(conditions)} THEN {value} END" if conditions else value


def _count(window_days: float | None) -> str:
    return f"COUNT({_when(_window(window_days), '1') if window_days is not None else '*'})"


def _decayed(declared: DecayedSignal) -> str:
    """Sum weights as integers, so that the sum does not depend on the order of its parts.

    The guard keeps EXP from numbers so small that PostgreSQL calls them an error; beyond it a
    weight rounds to 0 anyway.
    """
    if declared.half_life_days is not None:
        guard = days_to_us(HALF_LIVES * declared.half_life_days)
        weight = f"EXP(age_us * {write_number(decay_rate(declared.half_life_days))})"
    else:
        guard = days_to_us(declared.linear_days or 0.0)
        weight = f"(1e0 - age_us / {write_number(float(guard))})"
    units = write_number(UNITS)
    return (
        f"SUM(CASE WHEN age_us < {guard} THEN CAST(FLOOR({weight} * {units} + 5e-1) AS BIGINT) "
        f"ELSE 0 END) / {units}"
    )


class Grouping:
    """One grouping in the making: the filters that are its cells, and what is measured in each."""

    def __init__(self, place: int, by_day: bool, any_kind: bool) -> None:
        self.place = place
        self._by_day = by_day
        self._any_kind = any_kind
        self._cells: dict[Filter, int] = {}
        self._measures: dict[Measure, str] = {}

    def reading(self, filter_: Filter, measure: Measure, if_none: float | None) -> Reading:
        """Add what a signal needs, and say where its value will stand."""
        cell = self._cells.setdefault(filter_, len(self._cells))
        name = self._measures.setdefault(measure, f"m{len(self._measures)}")
        return Reading(self.place, cell, name, if_none)

    def block(self, offset_us: int) -> Block:
        """Return the finished grouping; `offset_us` shifts times before they are cut to days."""
        adds_floats = any(measure.adds_floats for measure in self._measures)
        measures = "".join(f",\n  {m.aggregate} AS {name}" for m, name in self._measures.items())
        seen = self._by_days(offset_us) if self._by_day else self._seen()
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{measures}\nFROM (\n{seen}\n) AS seen\n"
            f"GROUP BY {SNAPSHOT_KEY}, cell"
        )
        lookups = {m: name for m, name in self._measures.items() if m.lookup is not None}
        return Block(self._looked_up(sql, lookups) if lookups else sql, adds_floats)

    def _looked_up(self, sql: str, lookups: dict[Measure, str]) -> str:
        values = "".join(
            f", t_{name}.{quote_name(measure.lookup or '')} AS {name}"
            if measure in lookups else f", grouped.{name}"
            for measure, name in self._measures.items()
        )  # fmt: skip
        joins = "".join(
            f"\nLEFT JOIN activities AS t_{name} ON t_{name}.place = grouped.{name}"
            for name in lookups.values()
        )
        return (
            f"SELECT grouped.{SNAPSHOT_KEY}, grouped.cell{values}\n"
            f"FROM (\n{sql}\n) AS grouped{joins}"
        )

    def _by_days(self, offset_us: int) -> str:
        """Make one row per distinct day, as old as the day's youngest activity."""
        day = f"FLOOR((a.occurred_us + {offset_us}) / {_DAY}) AS day"
        return (
            f"SELECT {SNAPSHOT_KEY}, cell, MIN(age_us) AS age_us\n"
            f"FROM (\n{self._seen(day)}\n) AS days\nGROUP BY {SNAPSHOT_KEY}, cell, day"
        )

    def _seen(self, day: str | None = None) -> str:
        """Select the activities that each snapshot sees, once for every cell they belong to.

        The condition on what is seen, and the direction of age, stand here and nowhere else.
        """
        properties = sorted({m.property for m in self._measures if m.property is not None})
        columns = ["s.as_of_us - a.occurred_us AS age_us"]
        columns += [f"a.{quote_name(name)}" for name in properties]
        if any(measure.lookup is not None for measure in self._measures):
            columns.append("a.place")
        if day is not None:
            columns.append(day)
        return (
            f"SELECT s.{SNAPSHOT_KEY}, k.cell, {', '.join(columns)}\n"
            f"FROM activities AS a\n{self._join_cells()}\n"
            "JOIN snapshots AS s ON s.lead_id = a.lead_id\n"
            "WHERE a.occurred_us <= s.as_of_us AND a.recorded_us <= s.as_of_us"
            f"{self._tests()}"
        )

    def _join_cells(self) -> str:
        rows = [
            f"SELECT {quote_text(kind)} AS kind, {cell} AS cell"
            for filter_, cell in self._cells.items()
            for kind in filter_.kinds or ("",)
        ]
        cells = " UNION ALL\n  ".join(rows)
        on = "1 = 1" if self._any_kind else "k.kind = a.kind"
        return f"JOIN (\n  {cells}\n) AS k ON {on}"

    def _tests(self) -> str:
        cases = "".join(
            f" WHEN {cell} THEN CASE WHEN {' AND '.join(map(_passes, filter_.tests))}"
            " THEN 1 ELSE 0 END"
            for filter_, cell in self._cells.items()
            if filter_.tests
        )
        return f"\nAND CASE k.cell{cases} ELSE 1 END = 1" if cases else ""


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
