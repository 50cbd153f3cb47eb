"""The activities of one lead that were known at as_of, in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from pipeline.signals.filters import Filter
from pipeline.values import Normalised


class Activity(NamedTuple):
    """One thing a lead did; times in integer UTC microseconds, properties normalised.

    A property that is not there is missing. `recorded_us` is `occurred_us` where unknown;
    `activity_id` None where there is none, and then nothing is its duplicate.
    """

    kind: str
    occurred_us: int
    recorded_us: int
    activity_id: str | None = None
    properties: Mapping[str, Normalised] = {}


Rank = Callable[[Activity], Any]
"""The sort key that puts a lead's activities in the order of their `place`."""


class Seen:
    """The activities of one lead that were known at as_of, sorted out by filter.

    `ages` has by filter the ages of its activities in microseconds, youngest first.

    Parameters
    ----------
    activities : sequence of Activity
        In any order, duplicates included.
    as_of_us : int
    filters : list of Filter
        Known to the measures by their place here.
    rank : Rank
    """

    def __init__(
        self, activities: Sequence[Activity], as_of_us: int, filters: list[Filter], rank: Rank
    ) -> None:
        self.as_of_us = as_of_us
        self.rank = rank
        self._filters = filters
        self._found: list[list[Activity] | None] = [None] * len(filters)
        columns = _turn(activities)
        if len(set(columns[3])) < len(activities):  # the same twice, or without ids
            activities = _drop_duplicates(activities, rank)
            columns = _turn(activities)
        self._activities = activities
        self._by_kind: dict[str, list[Activity]] | None = None
        ages: defaultdict[str, list[int]] = defaultdict(list)
        for kind, occurred_us, recorded_us in zip(*columns[:3], strict=True):
            if occurred_us <= as_of_us >= recorded_us:
                ages[kind].append(as_of_us - occurred_us)
        self.ages = [self._find_ages(wanted, place, ages) for place, wanted in enumerate(filters)]

    def activities(self, place: int) -> list[Activity]:
        """Return the activities of a filter."""
        found = self._found[place]
        if found is None:
            found = self._found[place] = self._find(self._filters[place])
        return found

    def _find_ages(self, wanted: Filter, place: int, by_kind: Mapping[str, list[int]]) -> list[int]:
        if wanted.tests:
            ages: Iterable[int] = (
                self.as_of_us - activity.occurred_us for activity in self.activities(place)
            )
        else:
            ages = _joined(by_kind, wanted.kinds)
        return sorted(ages)

    def _find(self, wanted: Filter) -> list[Activity]:
        if self._by_kind is None:
            self._by_kind, as_of_us = {}, self.as_of_us
            for activity in self._activities:
                if activity[1] <= as_of_us and activity[2] <= as_of_us:
                    self._by_kind.setdefault(activity[0], []).append(activity)
        found = list(_joined(self._by_kind, wanted.kinds))
        for test in wanted.tests:
            found = [a for a in found if test.passes(a.properties.get(test.property))]
        return found


def _turn(activities: Sequence[Activity]) -> list[tuple[Any, ...]]:
    """Return the facts of activities one after the other, which is quicker than row by row."""
    return list(zip(*activities, strict=True)) or [()] * len(Activity._fields)


Item = TypeVar("Item")


def _joined(by_kind: Mapping[str, list[Item]], kinds: Sequence[str] | None) -> Iterable[Item]:
    """Return what is listed under some kinds, or under all of them."""
    if kinds is None:
        return chain.from_iterable(by_kind.values())
    if len(kinds) == 1:  # as mostly
        return by_kind.get(kinds[0], ())
    return chain.from_iterable(by_kind.get(kind, ()) for kind in kinds)


def make_rank(properties: tuple[str, ...]) -> Rank:
    """Return the sort key that puts a lead's activities in the order of their `place`."""

    def rank(activity: Activity) -> Any:
        facts = [activity.properties.get(name) for name in properties]
        return (
            activity.occurred_us,
            (activity.activity_id is not None, activity.activity_id),
            activity.recorded_us,
            activity.kind,
            [(fact is not None, fact) for fact in facts],
        )

    return rank


def _drop_duplicates(activities: Iterable[Activity], rank: Rank) -> list[Activity]:
    """Keep of each activity_id the one recorded first; of those the first in rank."""
    kept: dict[object, Activity] = {}
    for number, activity in enumerate(activities):
        key: object = number if activity.activity_id is None else activity.activity_id
        other = kept.get(key)
        if other is None or (activity.recorded_us, rank(activity)) < (
            other.recorded_us,
            rank(other),
        ):
            kept[key] = activity
    return list(kept.values())
