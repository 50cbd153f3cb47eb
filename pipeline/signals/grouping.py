"""The groupings of the history reader's SQL: what a snapshot sees and makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.sql import quote_name, write_number
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
from pipeline.signals.filters import Filter
from pipeline.signals.seen_sql import SNAPSHOT_KEY, SeenDraft
from pipeline.values import DAY_US, days_to_us

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
    """One grouping in the making: the cells it has, and what is measured in each."""

    def __init__(self, place: int, by_day: bool, seen: SeenDraft) -> None:
        self.place = place
        self._by_day = by_day
        self._seen = seen
        self._cells: set[int] = set()
        self._measures: dict[Measure, str] = {}

    def reading(self, filter_: Filter, measure: Measure, if_none: float | None) -> Reading:
        """Add what a signal needs, and say where its value will stand."""
        cell = self._seen.cell(filter_)
        self._cells.add(cell)
        if measure.property is not None:
            self._seen.columns.add(f"a.{quote_name(measure.property)}")
        if measure.lookup is not None:
            self._seen.columns.add("a.place")
        name = self._measures.setdefault(measure, f"m{len(self._measures)}")
        return Reading(self.place, cell, name, if_none)

    def block(self) -> Block:
        """Return the finished grouping."""
        adds_floats = any(measure.adds_floats for measure in self._measures)
        measures = "".join(f",\n  {m.aggregate} AS {name}" for m, name in self._measures.items())
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{measures}\nFROM {self._source()}\n"
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

    def _source(self) -> str:
        """Name what is seen in the cells; by day, a row a day, as old as its youngest activity."""
        source = self._seen.name
        if len(self._cells) < self._seen.cell_count:
            source += f"\nWHERE cell IN ({', '.join(map(str, sorted(self._cells)))})"
        if not self._by_day:
            return source
        return (
            f"(\nSELECT {SNAPSHOT_KEY}, cell, MIN(age_us) AS age_us\n"
            f"FROM {source}\nGROUP BY {SNAPSHOT_KEY}, cell, day\n) AS days"
        )
