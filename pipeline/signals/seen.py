"""The activities of one lead that were known at as_of, in plain Python."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

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
    """The activities of one lead that were known at as_of, sorted out by filter on demand."""

    def __init__(
        self,
        activities: Sequence[Activity],
        as_of_us: int,
        filters: list[Filter],
        rank: Rank,
    ) -> None:
        self.as_of_us = as_of_us
        self.rank = rank
        self._filters = filters
        self._found: list[list[Activity] | None] = [None] * len(filters)
        self._ages: list[list[int] | None] = [None] * len(filters)
        self._by_kind: dict[str, list[Activity]] = {}
        ids = [a[3] for a in activities if a[3] is not None]
        if len(set(ids)) < len(ids):
            activities = _drop_duplicates(activities, rank)
        by_kind = self._by_kind
        for activity in activities:
            if activity[1] <= as_of_us and activity[2] <= as_of_us:
                kind = activity[0]
                if kind in by_kind:
                    by_kind[kind].append(activity)
                else:
                    by_kind[kind] = [activity]

    def activities(self, place: int) -> list[Activity]:
        """Return the activities of a filter, in the order given."""
        found = self._found[place]
        if found is None:
            found = self._found[place] = self._find(self._filters[place])
        return found

    def ages(self, place: int) -> list[int]:
        """Return the ages of the activities of a filter, youngest first."""
        ages = self._ages[place]
        if ages is None:
            as_of_us = self.as_of_us
            ages = self._ages[place] = sorted([as_of_us - a[1] for a in self.activities(place)])
        return ages

    def _find(self, wanted: Filter) -> list[Activity]:
        by_kind = self._by_kind
        kinds = by_kind if wanted.kinds is None else wanted.kinds
        if len(kinds) == 1:
            found = by_kind.get(next(iter(kinds)), [])
        else:
            found = list(chain.from_iterable(by_kind.get(kind, ()) for kind in kinds))
        for test in wanted.tests:
            found = [a for a in found if test.passes(a.properties.get(test.property))]
        return found


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
