"""The activities of one lead that were known at as_of, in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import count
from typing import Any, NamedTuple

from leadscore.pipeline.signals.filters import Filter, Group
from leadscore.pipeline.values.fields import Normalised
from leadscore.pipeline.values.times import FIRST_US


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
    last of all their times, `met` are the kinds there are.
    """

    kinds: Sequence[str]
    occurred_us: Sequence[int]
    recorded_us: Sequence[int]
    ids: Sequence[str | None]
    properties: Sequence[Mapping[str, Normalised] | None]
    latest_us: int
    met: Set[str]

    def rows(self) -> list[Activity]:
        """Return them one by one."""
        return [
            Activity(kind, occurred_us, recorded_us, name, given or _NONE)
            for kind, occurred_us, recorded_us, name, given in zip(*self[:5], strict=True)
        ]


_NONE: Mapping[str, Normalised] = {}
NO_ACTIVITIES = ActivityColumns((), (), (), (), (), FIRST_US, frozenset())


def to_columns(activities: Sequence[Activity]) -> ActivityColumns:
    """Return activities fact by fact."""
    if not activities:
        return NO_ACTIVITIES
    return make_columns(*zip(*activities, strict=True))


def make_columns(
    kinds: Sequence[str],
    occurred_us: Sequence[int],
    recorded_us: Sequence[int],
    ids: Sequence[str | None],
    properties: Sequence[Mapping[str, Normalised] | None],
) -> ActivityColumns:
    """Return activities, of which there is at least one, from their facts."""
    latest_us = max(occurred_us)
    if recorded_us is not occurred_us:
        latest_us = max(latest_us, *recorded_us)
    return ActivityColumns(kinds, occurred_us, recorded_us, ids, properties, latest_us, set(kinds))


Cell = str | int
"""A kind, or the number of a part of one: its activities with one value of one property."""

PropertyIndex = tuple[str, dict[Normalised, int]]
"""A property that tells a kind apart, and the numbers of the parts by its value."""


class CellIndex:
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
        self.rank = make_rank(properties)
        self.left_out = left_out
        groups = [wanted.groups() for wanted in filters]
        self._numbers: dict[tuple[str, str], dict[Normalised, int]] = {}
        numbers = count()
        for group in (one for found in groups for one in found or ()):
            if isinstance(group, tuple):
                kind, name, value = group
                self._numbers.setdefault((kind, name), {}).setdefault(value, next(numbers))
        self.parts: dict[str, PropertyIndex] = {}
        self.more_parts: list[tuple[str, PropertyIndex]] = []
        """Of kinds that more than one property tells apart: these parts lie across the others."""
        for (kind, name), known in self._numbers.items():
            part = (name, known)
            if self.parts.setdefault(kind, part) is not part:
                self.more_parts.append((kind, part))
        self.cells = [self._find_cells(found) for found in groups]
        """Of each filter, none of which has an activity twice; None if it looks at each."""

    def _find_cells(self, groups: tuple[Group, ...] | None) -> tuple[Cell, ...] | None:
        if groups is None:
            return None
        cells: list[Cell] = []
        for group in groups:
            if isinstance(group, tuple):
                kind, name, value = group
                cells.append(self._numbers[kind, name][value])
            else:
                cells.append(group)  # what is left of it where it is told apart
                if group in self.parts:
                    cells += self.parts[group][1].values()
        return tuple(cells)


class KnownActivities:
    """The activities of one lead that were known at as_of, sorted out.

    `ages` has the ages in microseconds by cell, youngest first; a cell without activities is not
    among them.

    Parameters
    ----------
    columns : ActivityColumns
        In any order, duplicates included.
    as_of_us : int
    view : CellIndex
    """

    def __init__(self, columns: ActivityColumns, as_of_us: int, view: CellIndex) -> None:
        if view.left_out and not view.left_out.isdisjoint(columns.met):
            columns = to_columns([one for one in columns.rows() if one.kind not in view.left_out])
        ids = set(columns.ids)
        if len(ids) < len(columns.ids) and ids != {None}:  # one of them twice, maybe
            columns = to_columns(_drop_duplicates(columns.rows(), view.rank))
        if columns.latest_us > as_of_us:
            columns = to_columns([one for one in columns.rows() if one[1] <= as_of_us >= one[2]])
        self.as_of_us = as_of_us
        self.rank = view.rank
        self._columns = columns
        self._view = view
        self._rows: list[Activity] | None = None
        self._found: dict[int, list[Activity]] = {}
        self.ages = self._sort_out()

    def _sort_out(self) -> Mapping[Cell, list[int]]:
        kinds, occurred_us, _, _, properties, *_ = self._columns
        as_of_us, parts = self.as_of_us, self._view.parts
        cells: defaultdict[Cell, list[int]] = defaultdict(list)
        for kind, facts, at_us in zip(kinds, properties, occurred_us, strict=True):
            if facts and kind in parts:
                name, numbers = parts[kind]
                cells[numbers.get(facts.get(name), kind)].append(as_of_us - at_us)
            else:
                cells[kind].append(as_of_us - at_us)
        for kind, (name, numbers) in self._view.more_parts:
            for of, facts, at_us in zip(kinds, properties, occurred_us, strict=True):
                if facts and of == kind and facts.get(name) in numbers:
                    cells[numbers[facts.get(name)]].append(as_of_us - at_us)
        for ages in cells.values():
            ages.sort()
        return cells

    def parts(self, place: int) -> list[list[int]]:
        """Return the ages of a filter's activities, part by part, each youngest first."""
        cells, ages = self._view.cells[place], self.ages
        if cells is None:
            looked = [self.as_of_us - one.occurred_us for one in self.activities(place)]
            return [sorted(looked)] if looked else []
        return [ages[cell] for cell in cells if cell in ages]

    def activities(self, place: int) -> list[Activity]:
        """Return the activities of a filter."""
        found = self._found.get(place)
        if found is None:
            if self._rows is None:
                self._rows = self._columns.rows()
            passes = self._view.filters[place].passes
            found = [one for one in self._rows if passes(one.kind, one.properties)]
            self._found[place] = found
        return found


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
