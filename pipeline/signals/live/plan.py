"""All the measures of a catalogue, in the order that costs a lead the least."""

from collections.abc import Sequence

from leadscore.pipeline.signals.live.activities import Cell, CellIndex, KnownActivities
from leadscore.pipeline.signals.live.measures import ActivityMeasure, AgeMeasure, Measure
from leadscore.pipeline.values.fields import Normalised

RequestsByCell = dict[Cell, dict[AgeMeasure, list[str]]]
MeasureRequest = tuple[AgeMeasure, str, tuple[str, ...]]
"""What is measured, and the columns it is for: the first, and others if any."""


class LivePlan:
    """What is measured of which activities; build it once for every lead.

    A lead has done few of the things that signals ask for. So it goes from the cells that have
    activities to the columns that they feed, and what several columns ask of one cell is measured
    once.

    Parameters
    ----------
    measures : sequence of (str, Measure)
        Of all signals of activities, by column.
    view : CellIndex
    """

    def __init__(self, measures: Sequence[tuple[str, Measure]], view: CellIndex) -> None:
        self._of_seen: list[tuple[str, ActivityMeasure]] = []
        alone: dict[Cell, list[tuple[AgeMeasure, str]]] = {}
        asked: dict[str, RequestsByCell] = {"sum": {}, "least": {}}
        for column, (if_none, of_seen, place, of_ages, parts) in measures:
            if of_ages is not None:
                cells = view.cells[place]
                if cells is None or (parts == "together" and len(cells) > 1):
                    of_seen = _make_of_all(place, of_ages, if_none)
                elif len(cells) == 1:
                    alone.setdefault(cells[0], []).append((of_ages, column))
                else:
                    for cell in cells:
                        asks = asked[parts].setdefault(cell, {})
                        asks.setdefault(of_ages, []).append(column)
            if of_seen is not None:
                self._of_seen.append((column, of_seen))
        sums, leasts = asked["sum"], asked["least"]
        self._of_cell: dict[
            Cell, tuple[list[tuple[AgeMeasure, str]], list[MeasureRequest], list[MeasureRequest]]
        ] = {}
        for cell in {**alone, **sums, **leasts}:
            shared = sums.get(cell, {})
            for of_ages, column in alone.get(cell, []):
                if of_ages in shared:
                    shared[of_ages].append(column)
            own = [one for one in alone.get(cell, []) if one[0] not in shared]
            self._of_cell[cell] = (own, _list_asks(sums, cell), _list_asks(leasts, cell))

    def measure(self, seen: KnownActivities, found: dict[str, Normalised]) -> None:
        """Fill in the signals of activities.

        Parameters
        ----------
        seen : KnownActivities
        found : dict of str to str, float or None
            By column; each has in it what it is without activities.
        """
        of_cell, as_of_us = self._of_cell, seen.as_of_us
        for cell, ages in seen.ages.items():
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
        for column, of_seen in self._of_seen:
            found[column] = of_seen(seen)


def _list_asks(asked: RequestsByCell, cell: Cell) -> list[MeasureRequest]:
    return [
        (of_ages, columns[0], tuple(columns[1:]))
        for of_ages, columns in asked.get(cell, {}).items()
    ]


def _make_of_all(place: int, of_ages: AgeMeasure, if_none: Normalised) -> ActivityMeasure:
    def measure(seen: KnownActivities) -> Normalised:
        ages = [age for part in seen.parts(place) for age in part]
        return of_ages(ages, seen.as_of_us) if ages else if_none

    return measure
