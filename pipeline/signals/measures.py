"""What each kind of signal measures on the activities that one lead is known to have had."""

from bisect import bisect_left
from collections.abc import Callable
from math import exp, floor
from typing import Any, NamedTuple

from pipeline.signals.catalog import Catalog
from pipeline.signals.decay import HALF_LIVES, UNITS, decay_rate
from pipeline.signals.declarations import (
    ActiveDaysSignal,
    ActivitySignal,
    CountSignal,
    DaysSinceSignal,
    DecayedSignal,
    PropertySignal,
    RateSignal,
    TouchSignal,
)
from pipeline.signals.filters import Filter, Group, read_filter
from pipeline.signals.seen import Activity, Seen
from pipeline.values import DAY_US, Normalised, days_to_us

OfAges = Callable[[list[int], int], Normalised]
"""From the ages of a group's activities, youngest first and at least one, and as_of."""
OfSeen = Callable[[Seen], Normalised]


class Measure(NamedTuple):
    """What a signal is where no activity is seen, and how else to measure it.

    Either `of_ages` of one group's activities, which need not be asked for unless there are some;
    or `of_seen`, from all that is seen.
    """

    if_none: Normalised
    group: Group | None = None
    of_ages: OfAges | None = None
    of_seen: OfSeen | None = None


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
        case _:
            if_none = None if isinstance(declared, DaysSinceSignal) else 0.0
            of_ages = _make_of_ages(declared, catalog)
            groups = filters[places[0]].groups()
            if groups is not None and len(groups) == 1:
                return Measure(if_none, groups[0], of_ages)
            return Measure(if_none, of_seen=_make_joined(places[0], of_ages, if_none))


def _make_of_ages(declared: ActivitySignal, catalog: Catalog) -> OfAges:
    match declared:
        case CountSignal():
            return _make_count(_window(declared.window_days))
        case ActiveDaysSignal():
            offset_us = round(catalog.day_offset_hours * 3_600_000_000)
            return _make_active_days(_window(declared.window_days), offset_us)
        case DecayedSignal(half_life_days=None):
            return _make_linear(days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            return _make_half_life(declared.half_life_days or 0.0)
        case DaysSinceSignal():
            return lambda ages, _: ages[0] / DAY_US
        case _:
            raise TypeError(f"{type(declared).__name__} is no signal of activities")


def _window(window_days: float | None) -> int | None:
    return None if window_days is None else days_to_us(window_days)


def _make_joined(place: int, of_ages: OfAges, if_none: Normalised) -> OfSeen:
    def measure(seen: Seen) -> Normalised:
        ages = seen.ages_of(place)
        return of_ages(ages, seen.as_of_us) if ages else if_none

    return measure


def _make_count(window_us: int | None) -> OfAges:
    if window_us is None:
        return lambda ages, _: float(len(ages))
    return lambda ages, _: float(bisect_left(ages, window_us))


def _make_rate(part: int, whole: int, window_us: int | None) -> OfSeen:
    count = _make_count(window_us)

    def measure(seen: Seen) -> Normalised:
        of = count(seen.ages_of(whole), 0)
        return count(seen.ages_of(part), 0) / of if of else None  # type: ignore[operator]

    return measure


def _make_active_days(window_us: int | None, offset_us: int) -> OfAges:
    def measure(ages: list[int], as_of_us: int) -> Normalised:
        if window_us is not None:
            ages = ages[: bisect_left(ages, window_us)]
        shifted = as_of_us + offset_us
        return float(len({floor((shifted - age) / DAY_US) for age in ages}))

    return measure


def _make_half_life(half_life_days: float) -> OfAges:
    rate, guard = decay_rate(half_life_days), days_to_us(HALF_LIVES * half_life_days)

    def measure(ages: list[int], _: int) -> Normalised:
        if ages[-1] >= guard:
            ages = ages[: bisect_left(ages, guard)]
        units = 0
        for age in ages:  # of a few mostly: a loop is quicker than a list and its sum
            units += floor(exp(age * rate) * UNITS + 0.5)
        return units / UNITS

    return measure


def _make_linear(guard: int) -> OfAges:
    def measure(ages: list[int], _: int) -> Normalised:
        if ages[-1] >= guard:
            ages = ages[: bisect_left(ages, guard)]
        units = 0
        for age in ages:
            units += floor((1.0 - age / guard) * UNITS + 0.5)
        return units / UNITS

    return measure


def _within(seen: Seen, place: int, window_us: int | None) -> list[Activity]:
    found = seen.activities(place)
    if window_us is None:
        return found
    return [a for a in found if seen.as_of_us - a.occurred_us < window_us]


def _make_aggregate(place: int, declared: PropertySignal, window_us: int | None) -> OfSeen:
    name, is_sum = declared.property, declared.kind == "sum"

    def measure(seen: Seen) -> Normalised:
        found = [a.properties.get(name) for a in _within(seen, place, window_us)]
        known = [float(value) for value in found if value is not None]
        if is_sum:
            return sum(known, 0.0)
        return max(known, default=None)

    return measure


def _make_pick(place: int, declared: PropertySignal | TouchSignal, window_us: int | None) -> OfSeen:
    name = declared.property
    pick: Any = min if declared.kind == "first_touch" else max

    def measure(seen: Seen) -> Normalised:
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
