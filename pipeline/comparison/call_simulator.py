"""Who is called when, week by week, and how many wins these calls reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.evaluation.resampling import draw_weights
from leadscore.pipeline.values.times import DAY_US, format_time

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


def list_weeks(dataset: Dataset) -> tuple[Week, ...]:
    """Return the weeks of a dataset, each with every lead's latest snapshot of that week.

    Without dates, stretches of equal count in order of arrival stand for weeks.
    """
    if dataset.order == "arrival":
        ranked = np.lexsort((dataset.lead_id.astype(str), dataset.begin))
        parts = np.array_split(ranked, max(1, round(len(ranked) / STRETCH)))
        return tuple(
            Week(f"stretch {place} of {len(parts)}", rows) for place, rows in enumerate(parts, 1)
        )
    as_of = find_as_of_us(dataset)
    number = (as_of - _MONDAY_US) // WEEK_US
    order = np.lexsort((as_of, dataset.lead, number))
    last = np.r_[(np.diff(number[order]) != 0) | (np.diff(dataset.lead[order]) != 0), True]
    latest = order[last]
    return tuple(
        Week(format_time(int(week * WEEK_US + _MONDAY_US))[:10], latest[number[latest] == week])
        for week in np.unique(number[latest])
    )


def find_as_of_us(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Return the moment of each of n snapshots with dates, int64 (n,), in microseconds."""
    return (dataset.begin + np.round(dataset.age_days * DAY_US)).astype(np.int64)


def sum_by_lead(later: Dataset, values: Floats) -> Floats:
    """Sum n snapshots' values by lead, (leads,); the leads are numbered from 0."""
    return np.bincount(later.lead, values).astype(np.float64)


class CallSimulator:
    """Simulates the calls of one contender, week by week.

    Leads of equal score have the same right to a call. Where calls run out among them, each is
    called in part: the expected value over all ways to break the tie, so that ties flatter nobody
    and no order of rows matters. `log_odds` are those of n snapshots; only their order counts.
    `lead` is the number of each snapshot's lead, from 0.
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

    def run(self, capacity: float, weight: Floats) -> Iterator[tuple[Rows, Floats]]:
        """Yield, week by week, rows (k,) and how much of each is called (k, draws), best first.

        `weight` is how often each lead is there in each draw of leads, (leads, draws). Over the
        weeks no lead is called more often than that.
        """
        left = weight.astype(np.float64)
        for rows, starts, sizes in self._ranked:
            there = left[self._lead[rows]]
            ties = len(starts) < len(rows)
            equal = np.add.reduceat(there, starts, axis=0) if ties else there
            taken = np.clip(capacity - (np.cumsum(equal, axis=0) - equal), 0.0, equal)
            if ties:
                share = np.divide(taken, equal, out=np.zeros_like(taken), where=equal > 0.0)
                taken = there * np.repeat(share, sizes, axis=0)
            left[self._lead[rows]] -= taken
            yield rows, taken

    def call_once(self, capacity: float) -> Floats:
        """Return how much of each snapshot is called, (n,), every lead being there once."""
        called = np.zeros(len(self._lead))
        ones = np.ones((int(self._lead.max()) + 1, 1))
        for rows, taken in self.run(capacity, ones):
            called[rows] = taken[:, 0]
        return called


ASSUMED_SHARE = 0.1
"""The share of arriving leads that sales can call, where no capacity is configured."""


class Capacity(NamedTuple):
    """Calls a week (or a stretch), the same in words, and whether it is only assumed."""

    calls: float
    text: str
    assumed: bool


def find_capacity(
    configured: float | None,
    later: Dataset,
    weeks: tuple[Week, ...],
    calls: float | None,
    share: float | None,
) -> Capacity:
    """Return the capacity: the one given, else training.yaml's, else a tenth of the arrivals.

    `configured` is the number of calls a week in training.yaml. `calls` a week and `share` of the
    leads that arrive in a week come from the command line. The leads of `later` are numbered from
    0. Raises ConfigError if both are given, one is not above 0, or calls a week where there are no
    weeks.
    """
    if calls is not None and share is not None:
        raise ConfigError("give either --capacity or --capacity-share, not both")
    if calls is not None and not 0.0 < calls < inf:
        raise ConfigError(f"--capacity: a number above 0 is needed, found {calls:g}")
    if share is not None and not 0.0 < share <= 1.0:
        raise ConfigError(
            f"--capacity-share: a share above 0 and up to 1 is needed, found {share:g}"
        )
    part, in_one = share or ASSUMED_SHARE, (int(later.lead.max()) + 1) / len(weeks)
    if later.order == "arrival":
        if calls is not None:
            raise ConfigError(
                "--capacity: these leads have no dates, so there are no weeks to have calls in; "
                "give --capacity-share, the share of leads that can be called"
            )
        text = f"calls to {part:.0%} of each {in_one:.0f} leads in a row"
        return Capacity(part * in_one, text, share is None)
    if calls is None and share is None:
        calls = configured
    assumed = calls is None and share is None
    calls = calls or float(max(1, round(part * in_one)))
    return Capacity(calls, f"{calls:g} {'call' if calls == 1.0 else 'calls'} a week", assumed)


@dataclass(frozen=True)
class CallOutcome:
    """Calls and wins of one contender in g groups of snapshots: as it was, and in each draw.

    `wins` and `calls` are (g,); `drawn_wins` and `drawn_calls` (g, draws). `called` is how much of
    each snapshot is called, (n,).
    """

    called: Floats
    wins: Floats
    calls: Floats
    drawn_wins: Floats
    drawn_calls: Floats


def simulate_calls(
    callers: list[CallSimulator],
    capacity: float,
    label: npt.NDArray[np.int8],
    leads: int,
    groups: Floats,
    bootstrap_draws: int,
    seed: int,
) -> list[CallOutcome]:
    """Call with each contender, on the leads as they are and on each draw of them.

    `capacity` is in calls a week, `leads` is their number, and `groups` (g, n) has 1 where a
    snapshot belongs to a group.
    """
    counts: list[list[Floats]] = [[] for _ in callers]  # of each part of the draws: wins and calls
    for weight in chain([np.ones((leads, 1))], draw_weights(leads, bootstrap_draws, seed)):
        for caller, parts in zip(callers, counts, strict=True):
            wins, calls = both = np.zeros((2, len(groups), weight.shape[1]))
            for rows, called in caller.run(capacity, weight):
                members = groups[:, rows]
                calls += members @ called
                wins += (members * label[rows]) @ called
            parts.append(both)
    outcomes = []
    for caller, parts in zip(callers, counts, strict=True):
        wins, calls = np.concatenate(parts, axis=2)
        called = caller.call_once(capacity)
        outcomes.append(CallOutcome(called, wins[:, 0], calls[:, 0], wins[:, 1:], calls[:, 1:]))
    return outcomes
