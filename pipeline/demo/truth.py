"""The true probability of every snapshot, computed and not simulated.

It is the probability that a lead is won within the horizon, given its facts, all that it did up to
the snapshot, and that it is still open. The lead's state is hidden, and so is whether sales will
ever call it. The forward filter [1]_ holds the probability of each of the ten cases (called or
never, times five states) given what was seen. Each day multiplies it by the likelihood of the marks
of that day, also of having none, then by the chance that the lead stays open, then by the chain's
step; then it is scaled to one. A backward table holds the chance of a win within the horizon from
each case, by the logarithm of the lead's worth on a grid. Both together give the answer.

The truth knows what the files do not hold: values that were left blank; that a webinar was
attended, from that day on (it is recorded up to five days later); and whether and when the lead
will change jobs. The truth does not know whether sales called a lead.

References
----------
.. [1] L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
   recognition", Proceedings of the IEEE 77 (1989), 257-286.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from leadscore.pipeline.demo.journeys import (
    BEGIN,
    GIVEN_UP,
    LETTERS,
    NEXT,
    RATES,
    RATES_BEFORE,
    SEEKER,
    STATES,
    UNSUBSCRIBE,
    Journeys,
    find_worth,
    win_chances,
)
from leadscore.pipeline.demo.leads import Facts
from leadscore.pipeline.demo.tables import Floats

HORIZON_DAYS = 60
AGES_DAYS = (0, 7, 14, 30)
_LOWEST, _HIGHEST, _STEP = -16.0, 8.0, 0.01
_GRID = np.arange(_LOWEST, _HIGHEST + _STEP / 2.0, _STEP)


def filter_states(
    facts: Facts, journeys: Journeys, ages_days: Sequence[int] = AGES_DAYS
) -> Iterator[tuple[int, Floats]]:
    """Yield each age, with the probability of each hidden case, given what was seen by then.

    The ages increase. The probabilities, of shape (n, 2, states), sum to one for each lead; they
    have no meaning for leads that are closed by then.
    """
    belief = _begin(facts, journeys)
    reachable = np.ones(len(facts), bool)
    first = np.searchsorted(journeys.day, np.arange(max(ages_days) + 1))
    for day in range(max(ages_days) + 1):
        if day in ages_days:
            yield day, belief
        if day == max(ages_days):
            return
        here = slice(first[day], first[day + 1])
        rows, marks = journeys.row[here], journeys.mark[here]
        letters = RATES[:, :LETTERS].sum(axis=1)
        silence = RATES[:, LETTERS:].sum(axis=1) + reachable[:, None] * letters
        likelihood = np.exp(-facts.exposure[:, None] * silence)
        np.multiply.at(likelihood, rows, RATES.T[marks])
        reachable[rows[marks == UNSUBSCRIBE]] = False
        worth = find_worth(facts, np.arange(len(facts)), day)
        stays = (1.0 - win_chances(worth)) * (1.0 - GIVEN_UP)
        belief = _scale((belief * likelihood[:, None, :] * stays) @ NEXT)


def _begin(facts: Facts, journeys: Journeys) -> Floats:
    """Return the probabilities at creation, given the visit that ended in the form."""
    before = journeys.day == -1
    first = (1.0 - facts.seeker)[:, None] * BEGIN
    first[:, SEEKER] += facts.seeker
    first *= np.exp(-facts.exposure[:, None] * RATES_BEFORE.sum(axis=1))
    np.multiply.at(first, journeys.row[before], RATES_BEFORE.T[journeys.mark[before]])
    called = np.stack([1.0 - facts.never_called, facts.never_called], axis=1)
    return _scale(called[:, :, None] * first[:, None, :])


def _scale(belief: Floats) -> Floats:
    return np.asarray(belief / belief.sum(axis=(1, 2), keepdims=True), np.float64)


def step_back(chances: Floats, worth: Floats) -> Floats:
    """Go one day back: from the chances of a win within k days to those within k + 1.

    `chances` and the result have the shape (n, 2, states), `worth` the shape (n,).
    """
    wins = win_chances(worth)
    return np.asarray(wins + (1.0 - wins) * (1.0 - GIVEN_UP) * (chances @ NEXT.T), np.float64)


@cache
def backward_table(days: int) -> Floats:
    """Return the chances of a win within `days`, of shape (grid, 2, states)."""
    if days == 0:
        return np.zeros((len(_GRID), 2, len(STATES)))
    return step_back(backward_table(days - 1), np.exp(_GRID))


def look_ahead(log_worth: Floats, days: int) -> Floats:
    """Return the chances of a win within `days`, of shape (n, 2, states).

    Between the points of the grid, .01 apart, they are linear, which is exact to 1e-5.
    """
    place = np.clip((log_worth - _LOWEST) / _STEP, 0.0, len(_GRID) - 1.000001)
    left = place.astype(np.int64)
    part = (place - left)[:, None, None]
    table = backward_table(days)
    return np.asarray(table[left] * (1.0 - part) + table[left + 1] * part, np.float64)


def true_probabilities(
    facts: Facts,
    journeys: Journeys,
    ages_days: Sequence[int] = AGES_DAYS,
    horizon_days: int = HORIZON_DAYS,
) -> Iterator[tuple[int, Floats]]:
    """Yield each age, with every lead's probability of a win within the horizon after it.

    The ages increase. A probability has no meaning if the lead is closed by then.
    """
    everyone = np.arange(len(facts))
    for age, belief in filter_states(facts, journeys, ages_days):
        worth = find_worth(facts, everyone, age)
        ahead = look_ahead(np.log(worth), horizon_days)
        changes = (facts.change_day > age) & (facts.change_day < age + horizon_days)
        for row_day in np.unique(facts.change_day[changes]):
            rows = np.flatnonzero(changes & (facts.change_day == row_day))
            then = look_ahead(facts.score_after[rows], age + horizon_days - int(row_day))
            for _ in range(int(row_day) - age):
                then = step_back(then, worth[rows])
            ahead[rows] = then
        yield age, (belief * ahead).sum(axis=(1, 2))
