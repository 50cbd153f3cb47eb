"""The activities of one lead that were known at as_of, in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.signals.filters import Filter, Group
from pipeline.values import FIRST_US, Normalised


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


class ActivityColumns(NamedTuple):
    """The activities of one lead, fact by fact, which is quicker than row by row.

    All have one length; `properties` are None or empty where there are none. `latest_us` is the
    last of all their times.
    """

    kinds: Sequence[str]
    occurred_us: Sequence[int]
    recorded_us: Sequence[int]
    ids: Sequence[str | None]
    properties: Sequence[Mapping[str, Normalised] | None]
    latest_us: int

    def rows(self) -> list[Activity]:
        """Return them one by one."""
        return [
            Activity(kind, occurred_us, recorded_us, name, given or _NONE)
            for kind, occurred_us, recorded_us, name, given in zip(*self[:5], strict=True)
        ]


_NONE: Mapping[str, Normalised] = {}
NO_ACTIVITIES = ActivityColumns((), (), (), (), (), FIRST_US)


def turn(activities: Sequence[Activity]) -> ActivityColumns:
    """Return activities fact by fact."""
    if not activities:
        return NO_ACTIVITIES
    kinds, occurred, recorded, ids, properties = zip(*activities, strict=True)
    latest_us = max(max(occurred), max(recorded))
    return ActivityColumns(kinds, occurred, recorded, ids, properties, latest_us)


class View:
    """What a catalogue's signals look at in activities: made once, for every lead.

    Parameters
    ----------
    filters : sequence of Filter
        Known to the measures by their place here.
    properties : tuple of str
        Of activities, in the catalogue's order.
    left_out : frozenset of str
        Kinds that are dropped first of all, before duplicates, as ingestion drops them.
    """

    def __init__(
        self, filters: Sequence[Filter], properties: tuple[str, ...], left_out: frozenset[str]
    ) -> None:
        self.filters = filters
        self.groups = [wanted.groups() for wanted in filters]
        self.rank = make_rank(properties)
        self.left_out = left_out
        by_value = (one for groups in self.groups for one in groups or () if isinstance(one, tuple))
        self.told_apart = sorted({(kind, name) for kind, name, _ in by_value})
        """Kinds whose activities are told apart by the value of a property."""


class Seen:
    """The activities of one lead that were known at as_of, sorted out.

    `ages` has the ages in microseconds by group, youngest first; a group without activities is not
    among them.

    Parameters
    ----------
    columns : ActivityColumns
        In any order, duplicates included.
    as_of_us : int
    view : View
    """

    def __init__(self, columns: ActivityColumns, as_of_us: int, view: View) -> None:
        if view.left_out and not view.left_out.isdisjoint(columns.kinds):
            columns = turn([one for one in columns.rows() if one.kind not in view.left_out])
        ids = set(columns.ids)
        if len(ids) < len(columns.ids) and ids != {None}:  # one of them twice, maybe
            columns = turn(_drop_duplicates(columns.rows(), view.rank))
        if columns.latest_us > as_of_us:
            columns = turn([one for one in columns.rows() if one[1] <= as_of_us >= one[2]])
        self.as_of_us = as_of_us
        self.rank = view.rank
        self._columns = columns
        self._view = view
        self._found: dict[int, list[Activity]] = {}
        self._joined: dict[int, list[int]] = {}
        self.ages = self._group()

    def _group(self) -> Mapping[Group, list[int]]:
        kinds, occurred_us, _, _, properties, _ = self._columns
        as_of_us = self.as_of_us
        groups: defaultdict[Group, list[int]] = defaultdict(list)
        for kind, at_us in zip(kinds, occurred_us, strict=True):
            groups[kind].append(as_of_us - at_us)
        for kind, name in self._view.told_apart:
            if kind in groups:
                by_value: defaultdict[Normalised, list[int]] = defaultdict(list)
                for of, facts, at_us in zip(kinds, properties, occurred_us, strict=True):
                    if facts and of == kind:
                        by_value[facts.get(name)].append(as_of_us - at_us)
                for value, ages in by_value.items():
                    groups[kind, name, value] = ages
        for ages in groups.values():
            ages.sort()
        return groups

    def ages_of(self, place: int) -> list[int]:
        """Return the ages of a filter's activities, youngest first."""
        found = self._joined.get(place)
        if found is None:
            found = self._joined[place] = self._join(place)
        return found

    def activities(self, place: int) -> list[Activity]:
        """Return the activities of a filter."""
        found = self._found.get(place)
        if found is None:
            passes = self._view.filters[place].passes
            found = [one for one in self._columns.rows() if passes(one.kind, one.properties)]
            self._found[place] = found
        return found

    def _join(self, place: int) -> list[int]:
        groups = self._view.groups[place]
        if groups is None:
            return sorted([self.as_of_us - one.occurred_us for one in self.activities(place)])
        joined: list[int] = []
        for group in groups:
            ages = self.ages.get(group)
            if ages:
                joined = sorted(joined + ages) if joined else ages
        return joined


Rank = Callable[[Activity], Any]
"""The sort key that puts a lead's activities in the order of their `place`."""


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
