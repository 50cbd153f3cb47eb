"""What each kind of signal measures on the activities that one lead is known to have had."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from math import exp
from typing import Any, Literal, NamedTuple

from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.decay import LIFT, decay_rate
from leadscore.pipeline.signals.filters import Filter, read_filter
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
"""From the ages of some activities in microseconds, youngest first and at least one, and as_of."""
ActivityMeasure = Callable[[KnownActivities], Normalised]


class Measure(NamedTuple):
    """What a signal is where no activity is seen, and how else to measure it.

    Either `of_ages` of the activities at one place among the filters, which need not be asked for
    unless there are some; of parts of them it is the `sum` or the `least`, or has to see them
    `together`, in any order. Or `of_seen`, from all that is seen.
    """

    if_none: Normalised
    of_seen: ActivityMeasure | None = None
    place: int = -1
    of_ages: AgeMeasure | None = None
    parts: Literal["sum", "least", "together"] = "sum"


def make_measure(declared: ActivitySignal, catalog: Catalog, filters: list[Filter]) -> Measure:
    """Return how one signal is measured on the seen activities of a lead.

    Parameters
    ----------
    declared : ActivitySignal
    catalog : Catalog
    filters : list of Filter
        Those met so far; the signal's own are added, each once.

    Raises
    ------
    ValueError
        If a filter does not fit the properties of the catalogue.
    """

    def place_of(read: Filter) -> int:
        if read not in filters:
            filters.append(read)
        return filters.index(read)

    places = [place_of(read_filter(one, catalog.properties)) for one in declared.filters]
    match declared:
        case RateSignal():
            part, whole = places
            return Measure(None, of_seen=_make_rate(part, whole, _window(declared.window_days)))
        case PropertySignal(kind="sum" | "max"):
            measure = _make_aggregate(places[0], declared, _window(declared.window_days))
            return Measure(0.0 if declared.kind == "sum" else None, of_seen=measure)
        case PropertySignal() | TouchSignal():
            return Measure(
                None, of_seen=_make_pick(places[0], declared, _window(declared.window_days))
            )
        case ActiveDaysSignal():
            offset_us = round(catalog.day_offset_hours * 3_600_000_000)
            of_ages = _make_active_days(_window(declared.window_days), offset_us)
            return Measure(0.0, place=places[0], of_ages=of_ages, parts="together")
        case DaysSinceSignal():
            return Measure(None, place=places[0], of_ages=_count_days_since, parts="least")
        case _:
            return Measure(0.0, place=places[0], of_ages=_make_sum(declared))


def _make_sum(declared: ActivitySignal) -> AgeMeasure:
    match declared:
        case CountSignal():
            return _make_count(_window(declared.window_days))
        case DecayedSignal(half_life_days=None):
            return _make_linear(days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            return _make_half_life(declared.half_life_days or 0.0)
        case _:
            raise TypeError(f"{type(declared).__name__} is no signal of activities")


def _window(window_days: float | None) -> int | None:
    return None if window_days is None else days_to_us(window_days)


def _count_days_since(ages: list[int], _: int) -> float:
    return ages[0] / DAY_US


# What is made once for equal arguments is one function, so that what several signals of the same
# activities ask for is measured once.


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
        for age in ages:  # of a few mostly: a loop is quicker than a list and its sum
            total += exp(age * rate) + LIFT - LIFT  # of one beyond all half-lives that count: 0
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

    def measure(seen: KnownActivities) -> Normalised:
        of = sum([count(ages, 0) for ages in seen.parts(whole)])
        return sum([count(ages, 0) for ages in seen.parts(part)]) / of if of else None

    return measure


def _within(seen: KnownActivities, place: int, window_us: int | None) -> list[Activity]:
    found = seen.activities(place)
    if window_us is None:
        return found
    return [a for a in found if seen.as_of_us - a.occurred_us < window_us]


def _make_aggregate(place: int, declared: PropertySignal, window_us: int | None) -> ActivityMeasure:
    name, is_sum = declared.property, declared.kind == "sum"

    def measure(seen: KnownActivities) -> Normalised:
        found = [a.properties.get(name) for a in _within(seen, place, window_us)]
        known = [float(value) for value in found if value is not None]
        if is_sum:
            return sum(known, 0.0)
        return max(known, default=None)

    return measure


def _make_pick(
    place: int, declared: PropertySignal | TouchSignal, window_us: int | None
) -> ActivityMeasure:
    name = declared.property
    pick: Any = min if declared.kind == "first_touch" else max

    def measure(seen: KnownActivities) -> Normalised:
        found = _within(seen, place, window_us)
        if name is not None:
            found = [a for a in found if a.properties.get(name) is not None]
        if not found:
            return None
        edge = pick(a.occurred_us for a in found)
        chosen = [a for a in found if a.occurred_us == edge]
        one = chosen[0] if len(chosen) == 1 else pick(chosen, key=seen.rank)
        return one.kind if name is None else one.properties[name]

    return measure
