"""The activities of one lead that were known at as_of, in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import compress, count
from typing import Any, NamedTuple

from leadscore.pipeline.signals.filters import Filter, Group
from leadscore.pipeline.values.fields import Normalised
from leadscore.pipeline.values.times import FIRST_US


class Activity(NamedTuple):
    """One thing a lead did; times in integer UTC microseconds, properties normalised.

    An absent property is missing. `recorded_us` is `occurred_us` if it is unknown. An activity
    whose `activity_id` is None has no duplicates.
    """

    kind: str
    occurred_us: int
    recorded_us: int
    activity_id: str | None = None
    properties: Mapping[str, Normalised] = {}


class ActivityColumns(NamedTuple):
    """The activities of one lead as columns, which are faster than rows.

    The sequences have the same length; an activity without properties has None or an empty
    mapping. `latest_us` is the latest of all times, `kind_set` has the distinct kinds.
    """

    kinds: Sequence[str]
    occurred_us: Sequence[int]
    recorded_us: Sequence[int]
    ids: Sequence[str | None]
    properties: Sequence[Mapping[str, Normalised] | None]
    latest_us: int
    kind_set: Set[str]

    def rows(self) -> list[Activity]:
        """Return the activities as rows."""
        return [
            Activity(kind, occurred_us, recorded_us, name, given or _NONE)
            for kind, occurred_us, recorded_us, name, given in zip(*self[:5], strict=True)
        ]


_NONE: Mapping[str, Normalised] = {}
NO_ACTIVITIES = ActivityColumns((), (), (), (), (), FIRST_US, frozenset())


def to_columns(activities: Sequence[Activity]) -> ActivityColumns:
    """Return activities as columns."""
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
    """Return the columns of at least one activity."""
    latest_us = max(occurred_us)
    if recorded_us is not occurred_us:
        latest_us = max(latest_us, *recorded_us)
    return ActivityColumns(kinds, occurred_us, recorded_us, ids, properties, latest_us, set(kinds))


Cell = str | int
"""A kind, or the number of a part of a kind: the activities with one value of one property."""

PropertyIndex = tuple[str, dict[Normalised, int]]
"""A property that splits a kind into parts, and the numbers of the parts by its value."""


class CellIndex:
    """The cells of the filters of a catalogue: build it once, use it for every lead.

    Measures refer to `filters` by their indices. `properties` are in the catalogue's order.
    Activities of `excluded_kinds` are removed before duplicates are, as in ingestion.
    """

    def __init__(
        self, filters: Sequence[Filter], properties: tuple[str, ...], excluded_kinds: frozenset[str]
    ) -> None:
        self.filters = filters
        self.rank = make_rank(properties)
        self.excluded_kinds = excluded_kinds
        groups = [filter_.groups() for filter_ in filters]
        self._numbers: dict[tuple[str, str], dict[Normalised, int]] = {}
        numbers = count()
        for group in (one for found in groups for one in found or ()):
            if isinstance(group, tuple):
                kind, name, value = group
                self._numbers.setdefault((kind, name), {}).setdefault(value, next(numbers))
        self.parts: dict[str, PropertyIndex] = {}
        self.more_parts: list[tuple[str, PropertyIndex]] = []
        """The further properties that split a kind; their parts overlap with those in `parts`."""
        for (kind, name), known in self._numbers.items():
            part = (name, known)
            if self.parts.setdefault(kind, part) is not part:
                self.more_parts.append((kind, part))
        self.cells = [self._find_cells(found) for found in groups]
        """The cells of each filter, without any activity twice; None if it tests each activity."""

    def _find_cells(self, groups: tuple[Group, ...] | None) -> tuple[Cell, ...] | None:
        if groups is None:
            return None
        cells: list[Cell] = []
        for group in groups:
            if isinstance(group, tuple):
                kind, name, value = group
                cells.append(self._numbers[kind, name][value])
            else:
                cells.append(group)  # if the kind has parts, this cell has the rest of it
                if group in self.parts:
                    cells += self.parts[group][1].values()
        return tuple(cells)


class KnownActivities:
    """The activities of one lead that were known at as_of.

    `ages` has the ages in microseconds by cell, youngest first; it lacks cells without activities.
    `columns` may be in any order and have duplicates.
    """

    def __init__(self, columns: ActivityColumns, as_of_us: int, index: CellIndex) -> None:
        excluded = index.excluded_kinds
        if excluded and not excluded.isdisjoint(columns.kind_set):
            columns = _select(columns, [kind not in excluded for kind in columns.kinds])
        ids = set(columns.ids)
        if len(ids) < len(columns.ids) and ids != {None}:  # there may be duplicates
            columns = _drop_duplicates(columns, index.rank)
        if columns.latest_us > as_of_us:
            times = zip(columns.occurred_us, columns.recorded_us, strict=True)
            columns = _select(columns, [at <= as_of_us >= known for at, known in times])
        self.as_of_us = as_of_us
        self.rank = index.rank
        self._columns = columns
        self._index = index
        self._rows: list[Activity] | None = None
        self._found: dict[int, list[Activity]] = {}
        self.ages = self._group_ages()

    def _group_ages(self) -> Mapping[Cell, list[int]]:
        kinds, occurred_us, _, _, properties, *_ = self._columns
        as_of_us, parts = self.as_of_us, self._index.parts
        cells: defaultdict[Cell, list[int]] = defaultdict(list)
        for kind, facts, at_us in zip(kinds, properties, occurred_us, strict=True):
            if facts and kind in parts:
                name, numbers = parts[kind]
                cells[numbers.get(facts.get(name), kind)].append(as_of_us - at_us)
            else:
                cells[kind].append(as_of_us - at_us)
        for kind, (name, numbers) in self._index.more_parts:
            for other, facts, at_us in zip(kinds, properties, occurred_us, strict=True):
                if facts and other == kind and facts.get(name) in numbers:
                    cells[numbers[facts.get(name)]].append(as_of_us - at_us)
        for ages in cells.values():
            ages.sort()
        return cells

    def parts(self, filter_index: int) -> list[list[int]]:
        """Return the ages of a filter's activities by cell, each youngest first."""
        cells, ages = self._index.cells[filter_index], self.ages
        if cells is None:
            tested = [self.as_of_us - one.occurred_us for one in self.activities(filter_index)]
            return [sorted(tested)] if tested else []
        return [ages[cell] for cell in cells if cell in ages]

    def activities(self, filter_index: int) -> list[Activity]:
        """Return the activities of a filter."""
        found = self._found.get(filter_index)
        if found is None:
            if self._rows is None:
                self._rows = self._columns.rows()
            passes = self._index.filters[filter_index].passes
            found = [one for one in self._rows if passes(one.kind, one.properties)]
            self._found[filter_index] = found
        return found


Rank = Callable[[Activity], Any]
"""The sort key of a lead's activities, with the order of the column `place`."""


def make_rank(properties: tuple[str, ...]) -> Rank:
    """Return the sort key of a lead's activities, with the order of the column `place`."""

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


def _select(columns: ActivityColumns, wanted: Sequence[bool]) -> ActivityColumns:
    """Return the activities at the places that are True."""
    if True not in wanted:
        return NO_ACTIVITIES
    occurred_us = recorded_us = list(compress(columns.occurred_us, wanted))
    if columns.recorded_us is not columns.occurred_us:
        recorded_us = list(compress(columns.recorded_us, wanted))
    return make_columns(
        list(compress(columns.kinds, wanted)),
        occurred_us,
        recorded_us,
        list(compress(columns.ids, wanted)),
        list(compress(columns.properties, wanted)),
    )


def _drop_duplicates(columns: ActivityColumns, rank: Rank) -> ActivityColumns:
    """Keep of each activity_id the activity recorded first, and of these the first in rank."""

    def order(place: int) -> Any:
        activity = Activity(
            columns.kinds[place],
            columns.occurred_us[place],
            columns.recorded_us[place],
            columns.ids[place],
            columns.properties[place] or _NONE,
        )
        return activity.recorded_us, rank(activity)

    wanted = [True] * len(columns.ids)
    kept: dict[str, int] = {}
    for place, name in enumerate(columns.ids):
        if name is None:
            continue
        other = kept.setdefault(name, place)
        if other == place:
            continue
        if order(place) < order(other):
            kept[name] = place
            wanted[other] = False
        else:
            wanted[place] = False
    return _select(columns, wanted)
