"""What each kind of signal measures on the activities that one lead is known to have had."""

from bisect import bisect_left
from collections.abc import Callable
from math import exp, floor
from typing import Any

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
from pipeline.signals.filters import Filter, read_filter
from pipeline.signals.seen import Activity, Seen
from pipeline.values import DAY_US, Normalised, days_to_us

Measure = Callable[[Seen], Normalised]


def make_measure(declared: ActivitySignal, catalog: Catalog, filters: list[Filter]) -> Measure:
    """Return the function from the seen activities of a lead to the value of one signal.

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

    if isinstance(declared, RateSignal):
        part, whole = (
            place_of(read_filter(one, catalog.properties))
            for one in (declared.part, declared.whole)
        )
        return _make_rate(part, whole, _window(declared.window_days))
    (wanted,) = declared.filters
    place = place_of(read_filter(wanted, catalog.properties))
    match declared:
        case CountSignal():
            return _make_count(place, _window(declared.window_days))
        case ActiveDaysSignal():
            offset_us = round(catalog.day_offset_hours * 3_600_000_000)
            return _make_active_days(place, _window(declared.window_days), offset_us)
        case DecayedSignal(half_life_days=None):
            return _make_linear(place, days_to_us(declared.linear_days or 0.0))
        case DecayedSignal():
            return _make_half_life(place, declared.half_life_days or 0.0)
        case DaysSinceSignal():
            return _make_days_since(place)
        case PropertySignal(kind="sum" | "max"):
            return _make_aggregate(place, declared, _window(declared.window_days))
        case PropertySignal() | TouchSignal():
            return _make_pick(place, declared, _window(declared.window_days))
        case _:
            raise TypeError(f"{type(declared).__name__} is no signal of activities")


def _window(window_days: float | None) -> int | None:
    return None if window_days is None else days_to_us(window_days)


def _make_count(place: int, window_us: int | None) -> Measure:
    if window_us is None:
        return lambda seen: float(len(seen.ages[place]))
    return lambda seen: float(bisect_left(seen.ages[place], window_us))


def _make_rate(part: int, whole: int, window_us: int | None) -> Measure:
    count_part, count_whole = (_make_count(place, window_us) for place in (part, whole))

    def measure(seen: Seen) -> Normalised:
        of = count_whole(seen)
        return count_part(seen) / of if of else None  # type: ignore[operator]

    return measure


def _make_active_days(place: int, window_us: int | None, offset_us: int) -> Measure:
    def measure(seen: Seen) -> Normalised:
        ages = seen.ages[place]
        if window_us is not None:
            ages = ages[: bisect_left(ages, window_us)]
        shifted = seen.as_of_us + offset_us
        return float(len({floor((shifted - age) / DAY_US) for age in ages}))

    return measure


def _make_half_life(place: int, half_life_days: float) -> Measure:
    rate, guard = decay_rate(half_life_days), days_to_us(HALF_LIVES * half_life_days)

    def measure(seen: Seen) -> Normalised:
        ages = seen.ages[place]
        if not ages:
            return 0.0
        if ages[-1] >= guard:
            ages = ages[: bisect_left(ages, guard)]
        return sum([floor(exp(age * rate) * UNITS + 0.5) for age in ages]) / UNITS

    return measure


def _make_linear(place: int, guard: int) -> Measure:
    def measure(seen: Seen) -> Normalised:
        ages = seen.ages[place]
        if ages and ages[-1] >= guard:
            ages = ages[: bisect_left(ages, guard)]
        return sum([floor((1.0 - age / guard) * UNITS + 0.5) for age in ages]) / UNITS

    return measure


def _make_days_since(place: int) -> Measure:
    def measure(seen: Seen) -> Normalised:
        ages = seen.ages[place]
        return ages[0] / DAY_US if ages else None

    return measure


def _within(seen: Seen, place: int, window_us: int | None) -> list[Activity]:
    found = seen.activities(place)
    if window_us is None:
        return found
    return [a for a in found if seen.as_of_us - a.occurred_us < window_us]


def _make_aggregate(place: int, declared: PropertySignal, window_us: int | None) -> Measure:
    name, is_sum = declared.property, declared.kind == "sum"

    def measure(seen: Seen) -> Normalised:
        found = [a.properties.get(name) for a in _within(seen, place, window_us)]
        known = [float(value) for value in found if value is not None]
        if is_sum:
            return sum(known, 0.0)
        return max(known, default=None)

    return measure


def _make_pick(
    place: int, declared: PropertySignal | TouchSignal, window_us: int | None
) -> Measure:
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
