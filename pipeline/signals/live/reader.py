"""The live reader: the signals of one lead, in plain Python, for requests."""

from collections.abc import Mapping, Sequence

from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.filters import Filter, read_filter
from leadscore.pipeline.signals.kinds import ProfileSignal
from leadscore.pipeline.signals.live.activities import (
    Activity,
    ActivityColumns,
    Cell,
    CellIndex,
    KnownActivities,
    to_columns,
)
from leadscore.pipeline.signals.live.measures import (
    ActivityMeasure,
    AgeMeasure,
    Measure,
    make_measure,
)
from leadscore.pipeline.signals.text.readers import find_other_lists, make_text_reader
from leadscore.pipeline.values.fields import Normalised, make_normaliser
from leadscore.pipeline.values.times import DAY_US

RequestsByCell = dict[Cell, dict[AgeMeasure, list[str]]]
MeasureRequest = tuple[AgeMeasure, str, tuple[str, ...]]
"""A measure, and the columns that it fills: the first, and the others."""


class LivePlan:
    """The measures by cell: build it once, call it for every lead.

    A lead has few of the activities that signals read. So the plan goes from the cells with
    activities to the columns that they fill. If several columns need the same measure of one cell,
    it is computed once.
    """

    def __init__(self, measures: Sequence[tuple[str, Measure]], index: CellIndex) -> None:
        self._of_activities: list[tuple[str, ActivityMeasure]] = []
        alone: dict[Cell, list[tuple[AgeMeasure, str]]] = {}
        requests: dict[str, RequestsByCell] = {"sum": {}, "least": {}}
        for column, (if_none, of_activities, filter_index, of_ages, parts) in measures:
            if of_ages is not None:
                cells = index.cells[filter_index]
                if cells is None or (parts == "together" and len(cells) > 1):
                    of_activities = _make_combined(filter_index, of_ages, if_none)
                elif len(cells) == 1:
                    alone.setdefault(cells[0], []).append((of_ages, column))
                else:
                    for cell in cells:
                        cell_requests = requests[parts].setdefault(cell, {})
                        cell_requests.setdefault(of_ages, []).append(column)
            if of_activities is not None:
                self._of_activities.append((column, of_activities))
        sums, leasts = requests["sum"], requests["least"]
        self._of_cell: dict[
            Cell, tuple[list[tuple[AgeMeasure, str]], list[MeasureRequest], list[MeasureRequest]]
        ] = {}
        for cell in {**alone, **sums, **leasts}:
            shared = sums.get(cell, {})
            for of_ages, column in alone.get(cell, []):
                if of_ages in shared:
                    shared[of_ages].append(column)
            own = [one for one in alone.get(cell, []) if one[0] not in shared]
            self._of_cell[cell] = (own, _list_requests(sums, cell), _list_requests(leasts, cell))

    def measure(self, known: KnownActivities, found: dict[str, Normalised]) -> None:
        """Fill in the signals made from activities.

        `found` has the values by column; each begins with its value without activities.
        """
        of_cell, as_of_us = self._of_cell, known.as_of_us
        for cell, ages in known.ages.items():
            if cell not in of_cell:
                continue
            own, sums, leasts = of_cell[cell]
            for of_ages, column in own:
                found[column] = of_ages(ages, as_of_us)
            for of_ages, column, others in sums:
                value = of_ages(ages, as_of_us)
                found[column] += value  # type: ignore[operator]
                for other in others:
                    found[other] += value  # type: ignore[operator]
            for of_ages, column, others in leasts:
                value = of_ages(ages, as_of_us)
                for one in (column, *others):
                    so_far = found[one]
                    if so_far is None or value < so_far:  # type: ignore[operator]
                        found[one] = value
        for column, of_activities in self._of_activities:
            found[column] = of_activities(known)


def _list_requests(requests: RequestsByCell, cell: Cell) -> list[MeasureRequest]:
    return [
        (of_ages, columns[0], tuple(columns[1:]))
        for of_ages, columns in requests.get(cell, {}).items()
    ]


def _make_combined(filter_index: int, of_ages: AgeMeasure, if_none: Normalised) -> ActivityMeasure:
    def measure(known: KnownActivities) -> Normalised:
        ages = [age for part in known.parts(filter_index) for age in part]
        return of_ages(ages, known.as_of_us) if ages else if_none

    return measure


class ReadyConflict(ValueError):
    """A request has both a signal's value and activities from which it is made.

    `columns` are those of these signals, in the catalogue's order.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__(
            f"ready values of {', '.join(columns)} together with activities from which they are "
            "made: there would be two values of one signal; send either of them"
        )
        self.columns = columns


class LiveReader:
    """Compute the signals of one lead at a time; build it once per scorecard.

    Raises ValueError if a filter does not fit the properties of the catalogue, or if training used
    other word lists.
    """

    def __init__(self, catalog: Catalog) -> None:
        other = find_other_lists(catalog)
        if other:
            raise ValueError(
                f"training read texts by other lists of {', '.join(other)} than this release has"
            )
        self._fields = {name: make_normaliser(spec) for name, spec in catalog.fields.items()}
        self._unknown: dict[str, Normalised] = dict.fromkeys(catalog.columns)
        self._profile = [
            (signal.column, signal.inputs[0])
            for signal in catalog.signals
            if isinstance(signal.declaration, ProfileSignal)
        ]
        self._texts = [
            (signal.column, make_text_reader(declared))
            for signal, declared in catalog.text_signals()
        ]
        self._age = [s.column for s in catalog.signals if s.declaration.kind == "lead_age"]
        self._if_none = self._unknown.copy()
        self._filters_of: dict[str, list[int]] = {}
        measures: list[tuple[str, Measure]] = []
        numbers: dict[Filter, int] = {}
        for signal, declared in catalog.activity_signals():
            read = [read_filter(filter_, catalog.properties) for filter_ in declared.filters]
            indices = [numbers.setdefault(filter_, len(numbers)) for filter_ in read]
            measure = make_measure(declared, indices, catalog.day_offset_hours)
            measures.append((signal.column, measure))
            self._if_none[signal.column] = measure.if_none
            self._filters_of[signal.column] = indices
        self._index = CellIndex(
            list(numbers), tuple(catalog.properties), frozenset(catalog.excluded_kinds)
        )
        self._plan = LivePlan(measures, self._index)

    def read_signals(
        self,
        profile: Mapping[str, object],
        activities: Sequence[Activity] | ActivityColumns | None = None,
        *,
        as_of_us: int | None = None,
        created_us: int | None = None,
        ready: Mapping[str, Normalised] | None = None,
    ) -> dict[str, Normalised]:
        """Read every signal of one lead.

        A profile field that is absent, None or blank is missing; unknown fields are ignored. The
        activities may be in any order, with duplicates, activities after `as_of_us` and excluded
        kinds. None means that they are unknown: every signal made from activities is then missing.
        Empty means that there were none. `as_of_us` is the moment whose knowledge is used; without
        `created_us` the lead's age is missing. `ready` has values by column that replace those that
        would be read. The result has one entry per signal, in the catalogue's order.

        Raises ValueError if a value does not fit its field's type; the message names the field. If
        there are activities but no `as_of_us`. If `ready` has a column that the catalogue does not
        have.
        Raises ReadyConflict if `ready` has a signal for which there is an activity known at
        `as_of_us`, in its window or outside.
        """
        found = self._unknown.copy() if activities is None else self._if_none.copy()
        values: dict[str, Normalised] = {}
        field, raw = "", profile.get
        try:
            for field, normalise in self._fields.items():
                values[field] = normalise(raw(field))
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from error
        for column, field in self._profile:
            found[column] = values[field]
        for column, read_text in self._texts:
            found[column] = read_text(values)
        if as_of_us is not None and created_us is not None:
            for column in self._age:
                found[column] = (as_of_us - created_us) / DAY_US
        if activities is not None and self._filters_of:
            if as_of_us is None:
                raise ValueError("activities need as_of, the moment as of when they are read")
            if not isinstance(activities, ActivityColumns):
                activities = to_columns(activities)
            if activities.kinds:
                known = KnownActivities(activities, as_of_us, self._index)
                if ready:
                    self._check_ready(ready, known)
                self._plan.measure(known, found)
        if ready:
            unknown = sorted(set(ready).difference(found))
            if unknown:
                raise ValueError(f"no such signals: {', '.join(unknown)}")
            found.update(ready)
        return found

    def _check_ready(self, ready: Mapping[str, Normalised], known: KnownActivities) -> None:
        """Raise ReadyConflict if activities feed signals that are ready."""
        conflicts = tuple(
            column
            for column, indices in self._filters_of.items()
            if column in ready and any(known.parts(filter_index) for filter_index in indices)
        )
        if conflicts:
            raise ReadyConflict(conflicts)
