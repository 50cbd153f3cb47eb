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


_NO_AGES: list[int] = []

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
    left_out : frozenset of str
        Kinds that are dropped first of all, before duplicates, as ingestion drops them.
    """

    def __init__(
        self,
        activities: Sequence[Activity],
        as_of_us: int,
        filters: list[Filter],
        rank: Rank,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.as_of_us = as_of_us
        self.rank = rank
        self._filters = filters
        self._found: list[list[Activity] | None] = [None] * len(filters)
        columns = _turn(activities)
        if left_out and not left_out.isdisjoint(columns[0]):
            activities = [activity for activity in activities if activity.kind not in left_out]
            columns = _turn(activities)
        if len(set(columns[3])) < len(activities):  # the same twice, or without ids
            activities = _drop_duplicates(activities, rank)
            columns = _turn(activities)
        if max(columns[1], default=as_of_us) > as_of_us or (
            max(columns[2], default=as_of_us) > as_of_us
        ):
            activities = [one for one in activities if one[1] <= as_of_us >= one[2]]
            columns = _turn(activities)
        by_kind: dict[str, list[Activity]] = {kind: [] for kind in set(columns[0])}
        for kind, activity in zip(columns[0], activities, strict=True):
            by_kind[kind].append(activity)
        self._by_kind = by_kind
        self._by_value: dict[tuple[object, str], defaultdict[Normalised, list[int]]] = {}
        self.ages = [
            self._find_ages(wanted, place) if self._has(wanted.kinds) else _NO_AGES
            for place, wanted in enumerate(filters)
        ]

    def activities(self, place: int) -> list[Activity]:
        """Return the activities of a filter."""
        found = self._found[place]
        if found is None:
            found = self._found[place] = self._find(self._filters[place])
        return found

    def _has(self, kinds: tuple[str, ...] | None) -> bool:
        if kinds is None:
            return True
        return kinds[0] in self._by_kind if len(kinds) == 1 else True

    def _find_ages(self, wanted: Filter, place: int) -> list[int]:
        tests, as_of_us = wanted.tests, self.as_of_us
        if not tests:
            found = [as_of_us - one[1] for one in _joined(self._by_kind, wanted.kinds)]
        elif len(tests) == 1 and tests[0].values is not None:
            by_value = self._sort_out(wanted.kinds, tests[0].property)
            found = list(_joined(by_value, tests[0].values))
        else:
            found = [as_of_us - one[1] for one in self.activities(place)]
        found.sort()
        return found

    def _sort_out(self, kinds: tuple[str, ...] | None, name: str) -> Mapping[Normalised, list[int]]:
        """Return the ages of some kinds by the value of a property, in one go for all filters."""
        found = self._by_value.get((kinds, name))
        if found is None:
            found = self._by_value[kinds, name] = defaultdict(list)
            as_of_us = self.as_of_us
            for activity in _joined(self._by_kind, kinds):
                found[activity[4].get(name)].append(as_of_us - activity[1])
        return found

    def _find(self, wanted: Filter) -> list[Activity]:
        found = list(_joined(self._by_kind, wanted.kinds))
        for test in wanted.tests:
            found = [a for a in found if test.passes(a.properties.get(test.property))]
        return found


def _turn(activities: Sequence[Activity]) -> list[tuple[Any, ...]]:
    """Return the facts of activities one after the other, which is quicker than row by row."""
    return list(zip(*activities, strict=True)) or [()] * len(Activity._fields)


Key = TypeVar("Key")
Item = TypeVar("Item")


def _joined(by_key: Mapping[Key, list[Item]], keys: Sequence[Key] | None) -> Iterable[Item]:
    """Return what is listed under some keys, kinds say, or under all of them."""
    if keys is None:
        return chain.from_iterable(by_key.values())
    if len(keys) == 1:  # as mostly
        return by_key.get(keys[0], ())
    return chain.from_iterable(by_key.get(key, ()) for key in keys)


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
