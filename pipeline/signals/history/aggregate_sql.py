"""The aggregates over the activities of one cell, from which signals are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from leadscore.models.sql_text import quote_name, write_number
from leadscore.pipeline.signals.decay import HALF_LIVES, UNITS, decay_rate
from leadscore.pipeline.signals.kinds import (
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
from leadscore.pipeline.values.times import DAY_US, days_to_us


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


def list_aggregates(declared: ActivitySignal) -> Iterator[tuple[ActivityFilter, Aggregate]]:
    """Yield the filters and aggregates of a signal; of a rate those of the part and the whole."""
    match declared:
        case CountSignal():
            yield declared, Aggregate("count", _window(declared.window_days))
        case ActiveDaysSignal():
            yield declared, Aggregate("days", _window(declared.window_days))
        case DecayedSignal(half_life_days=None):
            yield declared, Aggregate("decayed", linear_us=days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            yield declared, Aggregate("decayed", half_life_days=declared.half_life_days)
        case DaysSinceSignal():
            yield declared, Aggregate("since")
        case RateSignal():
            yield declared.part, Aggregate("count", _window(declared.window_days))
            yield declared.whole, Aggregate("count", _window(declared.window_days))
        case TouchSignal():
            window_us = _window(declared.window_days)
            if declared.kind == "first_touch":
                yield declared, Aggregate("first", window_us, declared.property)
            else:
                yield declared, Aggregate("last", window_us, declared.property)
        case PropertySignal():
            yield (
                declared,
                Aggregate(declared.kind, _window(declared.window_days), declared.property),
            )
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
