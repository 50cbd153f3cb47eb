"""The measures of a catalogue, in an order that needs the least time per lead."""

from collections.abc import Sequence

from leadscore.pipeline.signals.live.activities import Cell, CellIndex, KnownActivities
from leadscore.pipeline.signals.live.measures import ActivityMeasure, AgeMeasure, Measure
from leadscore.pipeline.values.fields import Normalised

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
