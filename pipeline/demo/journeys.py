"""What becomes of each lead, day by day: its hidden state, what it does, and how it ends."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.demo.chain import (
    BEGIN,
    GIVEN_UP,
    HAZARD,
    LETTERS,
    NEVER_CALLED_FACTOR,
    NEXT,
    RATES,
    RATES_BEFORE,
    SEEKER,
    UNSUBSCRIBE,
)
from pipeline.demo.facts import DAY_S, EXTRACT_S, Facts

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Journeys:
    """What n leads did and what became of them.

    Day d of a lead is the time ``(created + d days, created + (d + 1) days]``. `row`, `day` and
    `mark`, of one length, are the marks that the leads emitted, by day; those of `day` -1 came
    before the form was sent. `closed_day` is the day on which the lead was won or lost, -1 where it
    is open at the extract.
    """

    row: Codes
    day: Codes
    mark: Codes
    closed_day: Codes
    won: Flags
    called: Flags


def simulate(random: np.random.Generator, facts: Facts) -> Journeys:
    """Draw the journeys of leads until they are closed or the data is taken.

    Within a day a lead first emits, in the state it is in; then it may be won, with probability
    ``1 - exp(-hazard * exp(score))``, or else lost; then it moves to its state of the next day.
    On the day of the closing all marks are drawn; what lies behind the closing is cut later, which
    no snapshot of an open lead sees.

    Parameters
    ----------
    random : Generator
    facts : Facts

    Returns
    -------
    Journeys
    """
    count = len(facts)
    called = random.random(count) >= facts.never_called
    state = np.where(
        random.random(count) < facts.seeker, SEEKER, _draw_next(random, BEGIN[None, :], count)
    )
    rows, marks = _emit(random, np.arange(count), state, facts.exposure, RATES_BEFORE)
    parts = [(rows, np.full(len(rows), -1), marks)]
    closed_day = np.full(count, -1)
    won, reachable = np.zeros(count, bool), np.ones(count, bool)
    alive, day = np.arange(count), 0
    while len(alive):
        now = state[alive]
        rows, marks = _emit(random, alive, now, facts.exposure[alive], RATES)
        seen = (marks >= LETTERS) | reachable[rows]
        rows, marks = rows[seen], marks[seen]
        reachable[rows[marks == UNSUBSCRIBE]] = False
        parts.append((rows, np.full(len(rows), day), marks))
        wins, ends = _close(random, facts, alive, now, called[alive], day)
        closed_day[alive[ends]] = day
        won[alive[wins]] = True
        state[alive] = _draw_next(random, NEXT[now], len(alive))
        day += 1
        alive = alive[~ends & (facts.created[alive] + day * DAY_S < EXTRACT_S)]
    row, days, mark = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Journeys(row, days, mark, closed_day, won, called)


def find_worth(facts: Facts, rows: Codes, day: int) -> Floats:
    """Return how much the hazards of these leads are multiplied on a day."""
    changed = (facts.change_day[rows] >= 0) & (facts.change_day[rows] <= day)
    return np.exp(np.where(changed, facts.score_after[rows], facts.score[rows]))


def win_chances(worth: Floats) -> Floats:
    """Return the chance a day of being won.

    Parameters
    ----------
    worth : float array of shape (n,)
        By which the hazards are multiplied.

    Returns
    -------
    float array of shape (n, 2, states)
        In the middle: sales call, or never do.
    """
    factors = np.array([1.0, NEVER_CALLED_FACTOR])
    return np.asarray(-np.expm1(-worth[:, None, None] * factors[:, None] * HAZARD), np.float64)


def _close(
    random: np.random.Generator, facts: Facts, alive: Codes, state: Codes, called: Flags, day: int
) -> tuple[Flags, Flags]:
    """Draw who is won on this day, and who is closed at all."""
    branch = np.where(called, 0, 1)
    factor = np.where(called, 1.0, NEVER_CALLED_FACTOR)
    wins = random.random(len(alive)) < -np.expm1(
        -find_worth(facts, alive, day) * factor * HAZARD[state]
    )
    lost = random.random(len(alive)) < GIVEN_UP[branch, state]
    return wins, wins | lost


def _emit(
    random: np.random.Generator, alive: Codes, state: Codes, exposure: Floats, rates: Floats
) -> tuple[Codes, Codes]:
    """Draw how many marks each lead emits, then which ones; return their rows and marks."""
    total = rates.sum(axis=1)
    counts = random.poisson(total[state] * exposure)
    place = np.repeat(np.arange(len(alive)), counts)
    shares = np.divide(rates, total[:, None], where=total[:, None] > 0.0, out=np.zeros_like(rates))
    edges = (np.cumsum(shares, axis=1) + np.arange(len(rates))[:, None]).ravel()
    found = np.searchsorted(edges, random.random(len(place)) + state[place], side="right")
    mark = np.minimum(found - state[place] * rates.shape[1], rates.shape[1] - 1)
    return alive[place], mark


def _draw_next(random: np.random.Generator, chances: Floats, count: int) -> Codes:
    edges = np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray((random.random(count)[:, None] > edges).sum(axis=1), np.int64)
