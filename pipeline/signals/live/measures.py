"""How the live reader computes each kind of signal from the known activities of a lead."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from math import exp
from typing import Any, Literal, NamedTuple

from leadscore.pipeline.signals.decay import LIFT, decay_rate
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
from leadscore.pipeline.signals.live.activities import Activity, KnownActivities
from leadscore.pipeline.values.fields import Normalised
from leadscore.pipeline.values.times import DAY_US, days_to_us

AgeMeasure = Callable[[list[int], int], float]
"""A function of the ages of some activities in microseconds, youngest first, and of as_of."""
ActivityMeasure = Callable[[KnownActivities], Normalised]


class Measure(NamedTuple):
    """How to compute one signal: its value without known activities, and a function.

    The function is `of_activities`, of all known activities, or `of_ages`, of the activities of the
    filter `filter_index`. `of_ages` needs no call without activities. If the filter has several
    cells, the signal is the ``sum`` or the ``least`` of the results, or `of_ages` needs the
    activities of all cells ``together``, in any order.
    """

    if_none: Normalised
    of_activities: ActivityMeasure | None = None
    filter_index: int = -1
    of_ages: AgeMeasure | None = None
    parts: Literal["sum", "least", "together"] = "sum"


def make_measure(
    declared: ActivitySignal, filter_indices: list[int], day_offset_hours: float
) -> Measure:
    """Return how to compute one signal from the known activities of a lead.

    `filter_indices` are the indices of the signal's filters in the ``CellIndex``.
    """
    index = filter_indices[0]
    match declared:
        case RateSignal():
            part, whole = filter_indices
            rate = _make_rate(part, whole, _window(declared.window_days))
            return Measure(None, of_activities=rate)
        case PropertySignal(kind="sum" | "max"):
            measure = _make_aggregate(index, declared, _window(declared.window_days))
            return Measure(0.0 if declared.kind == "sum" else None, of_activities=measure)
        case PropertySignal() | TouchSignal():
            return Measure(
                None, of_activities=_make_touch(index, declared, _window(declared.window_days))
            )
        case ActiveDaysSignal():
            offset_us = round(day_offset_hours * 3_600_000_000)
            of_ages = _make_active_days(_window(declared.window_days), offset_us)
            return Measure(0.0, filter_index=index, of_ages=of_ages, parts="together")
        case DaysSinceSignal():
            return Measure(None, filter_index=index, of_ages=_count_days_since, parts="least")
        case _:
            return Measure(0.0, filter_index=index, of_ages=_make_sum(declared))


def _make_sum(declared: ActivitySignal) -> AgeMeasure:
    match declared:
        case CountSignal():
            return _make_count(_window(declared.window_days))
        case DecayedSignal(half_life_days=None):
            return _make_linear(days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            return _make_half_life(declared.half_life_days or 0.0)
        case _:
            raise TypeError(f"{type(declared).__name__} is not a signal made from activities")


def _window(window_days: float | None) -> int | None:
    return None if window_days is None else days_to_us(window_days)


def _count_days_since(ages: list[int], _: int) -> float:
    return ages[0] / DAY_US


# The cache returns the same function for equal arguments, so that several signals of the same
# activities are computed only once.


@cache
def _make_count(window_us: int | None) -> AgeMeasure:
    if window_us is None:
        return lambda ages, _: float(len(ages))
    return lambda ages, _: float(bisect_left(ages, window_us))


@cache
def _make_half_life(half_life_days: float) -> AgeMeasure:
    rate = decay_rate(half_life_days)

    def measure(ages: list[int], _: int) -> float:
        total = 0.0
        for age in ages:  # most leads have few: a loop is faster than the sum of a list
            total += exp(age * rate) + LIFT - LIFT  # 0 beyond HALF_LIVES
        return total

    return measure


@cache
def _make_linear(guard: int) -> AgeMeasure:
    def measure(ages: list[int], _: int) -> float:
        if ages[-1] >= guard:
            ages = ages[: bisect_left(ages, guard)]
        total = 0.0
        for age in ages:
            total += 1.0 - age / guard + LIFT - LIFT
        return total

    return measure


def _make_active_days(window_us: int | None, offset_us: int) -> AgeMeasure:
    def measure(ages: list[int], as_of_us: int) -> float:
        shifted = as_of_us + offset_us
        known = ages if window_us is None else [age for age in ages if age < window_us]
        return float(len({(shifted - age) // DAY_US for age in known}))

    return measure


def _make_rate(part: int, whole: int, window_us: int | None) -> ActivityMeasure:
    count = _make_count(window_us)

    def measure(known: KnownActivities) -> Normalised:
        total = sum([count(ages, 0) for ages in known.parts(whole)])
        return sum([count(ages, 0) for ages in known.parts(part)]) / total if total else None

    return measure


def _within(known: KnownActivities, filter_index: int, window_us: int | None) -> list[Activity]:
    found = known.activities(filter_index)
    if window_us is None:
        return found
    return [a for a in found if known.as_of_us - a.occurred_us < window_us]


def _make_aggregate(
    filter_index: int, declared: PropertySignal, window_us: int | None
) -> ActivityMeasure:
    name, is_sum = declared.property, declared.kind == "sum"

    def measure(known: KnownActivities) -> Normalised:
        found = [a.properties.get(name) for a in _within(known, filter_index, window_us)]
        values = [float(value) for value in found if value is not None]
        return sum(values, 0.0) if is_sum else max(values, default=None)

    return measure


def _make_touch(
    filter_index: int, declared: PropertySignal | TouchSignal, window_us: int | None
) -> ActivityMeasure:
    name = declared.property
    pick: Any = min if declared.kind == "first_touch" else max

    def measure(known: KnownActivities) -> Normalised:
        found = _within(known, filter_index, window_us)
        if name is not None:
            found = [a for a in found if a.properties.get(name) is not None]
        if not found:
            return None
        edge = pick(a.occurred_us for a in found)
        chosen = [a for a in found if a.occurred_us == edge]
        one = chosen[0] if len(chosen) == 1 else pick(chosen, key=known.rank)
        return one.kind if name is None else one.properties[name]

    return measure
