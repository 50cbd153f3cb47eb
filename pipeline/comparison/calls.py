"""Who is called when: week by week the best leads not called yet, as many as the team can call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.dataset import Dataset
from pipeline.values import DAY_US, format_time

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
WEEK_US = 7 * DAY_US
_MONDAY_US = 4 * DAY_US  # the first Monday after the epoch, 1970-01-05
STRETCH = 100
"""Without dates, about so many leads in order of arrival stand for a week."""


class Week(NamedTuple):
    """A week, named by its Monday (UTC), or a stretch of arrivals; one row per lead at most."""

    name: str
    rows: Rows


@dataclass(frozen=True)
class Calendar:
    """Who can be called in each week, in order, and how many calls a week has."""

    weeks: tuple[Week, ...]
    capacity: float

    @property
    def largest(self) -> int:
        """The number of leads in the fullest week."""
        return max(len(week.rows) for week in self.weeks)


def list_weeks(dataset: Dataset) -> tuple[Week, ...]:
    """Return the weeks of a dataset, each with every lead's latest snapshot of that week.

    Without dates, stretches of equal count in order of arrival stand for weeks.

    Parameters
    ----------
    dataset : Dataset
        Ordered by time or arrival.
    """
    if dataset.order == "arrival":
        ranked = np.lexsort((dataset.lead_id.astype(str), dataset.begin))
        parts = np.array_split(ranked, max(1, round(len(ranked) / STRETCH)))
        return tuple(
            Week(f"stretch {number} of {len(parts)}", rows)
            for number, rows in enumerate(parts, start=1)
        )
    as_of = find_as_of_us(dataset)
    number = (as_of - _MONDAY_US) // WEEK_US
    order = np.lexsort((as_of, dataset.lead, number))
    last = np.r_[
        (number[order][1:] != number[order][:-1]) | (np.diff(dataset.lead[order]) != 0), True
    ]
    latest = order[last]
    weeks = np.unique(number[latest])
    return tuple(
        Week(format_time(int(week * WEEK_US + _MONDAY_US))[:10], latest[number[latest] == week])
        for week in weeks
    )


def find_as_of_us(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Return the moment of each of n snapshots with dates, int64 (n,), in microseconds."""
    return (dataset.begin + np.round(dataset.age_days * DAY_US)).astype(np.int64)


def sum_by_lead(later: Dataset, values: Floats) -> Floats:
    """Sum n snapshots' values by lead, (leads,); the leads are numbered from 0."""
    return np.bincount(later.lead, values).astype(np.float64)


class Caller:
    """One contender on the telephone.

    Leads of equal score have the same right to a call. Where calls run out among them, each is
    called in part: the expected value over all ways to break the tie, so that ties flatter nobody
    and no order of rows matters.

    Parameters
    ----------
    weeks : tuple of Week
    log_odds : float array of shape (n,)
        Of n snapshots; only their order counts.
    lead : int array of shape (n,)
        The number of each snapshot's lead, from 0.
    """

    def __init__(self, weeks: tuple[Week, ...], log_odds: Floats, lead: Rows) -> None:
        self._lead = lead
        self._ranked = []
        for week in weeks:
            rows = week.rows[np.argsort(-log_odds[week.rows], kind="stable")]
            score = log_odds[rows]
            starts = np.flatnonzero(np.r_[True, score[1:] != score[:-1]])
            sizes = np.diff(np.r_[starts, len(rows)])
            self._ranked.append((rows, starts, sizes))

    def call(self, capacity: float, weight: Floats) -> Iterator[tuple[Rows, Floats]]:
        """Yield, week by week, rows and how much of each is called.

        Parameters
        ----------
        capacity : float
            Calls a week.
        weight : float array of shape (leads, draws)
            How often each lead is there, in each draw of leads; it is not changed.

        Yields
        ------
        rows : int array of shape (k,)
            Best first.
        called : float array of shape (k, draws)
            Between 0 and the lead's weight; over the weeks no lead is called more than that.
        """
        left = weight.astype(np.float64)
        for rows, starts, sizes in self._ranked:
            there = left[self._lead[rows]]
            if len(starts) == len(rows):
                equal = there
            else:
                equal = np.add.reduceat(there, starts, axis=0)
            taken = np.clip(capacity - (np.cumsum(equal, axis=0) - equal), 0.0, equal)
            if len(starts) < len(rows):
                share = np.divide(taken, equal, out=np.zeros_like(taken), where=equal > 0.0)
                taken = there * np.repeat(share, sizes, axis=0)
            left[self._lead[rows]] -= taken
            yield rows, taken

    def call_once(self, capacity: float) -> Floats:
        """Return how much of each snapshot is called, (n,), every lead being there once."""
        called = np.zeros(len(self._lead))
        ones = np.ones((int(self._lead.max()) + 1, 1))
        for rows, taken in self.call(capacity, ones):
            called[rows] = taken[:, 0]
        return called
