"""The hidden chain behind what leads do: its states, their order, and the marks they emit.

Every lead is in one of five states, day by day from its creation: quiet, curious, active, intent,
and seeker. A seeker looks for a job, from the first day to the last. A state emits marks, each with
a rate a day (a marked Poisson process): a letter that is ignored, opened or answered, a visit to
some pages, something on a social network, a webinar, a day in the trial. A state also has a daily
hazard that the lead is won, which the lead's own worth multiplies, and a daily chance that the lead
is given up.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leadscore.pipeline.demo.leads import DAY_S, EXTRACT_S, Facts
from leadscore.pipeline.demo.tables import Codes, Flags, Floats, read_column, read_rows

STATES = ("quiet", "curious", "active", "intent", "seeker")
SEEKER = STATES.index("seeker")
NEVER_CALLED_FACTOR = 0.05
LETTERS_A_DAY = 0.13


class Item(NamedTuple):
    """One activity of a mark: the file it is written to, its kind, and its page or form."""

    file: str
    kind: str
    about: str = ""


class Mark(NamedTuple):
    """Something a lead does: its activities in order, and its rate a day in each state."""

    items: tuple[Item, ...]
    rates: Floats


def _read_marks() -> dict[str, Mark]:
    """Read the marks from their list; letters that get no answer come first."""
    made = {}
    answered = np.zeros(len(STATES))
    for row in read_rows("marks"):
        items = tuple(Item(*text.split(":")) for text in row["activities"].split())
        rates = np.array([float(row[state]) for state in STATES])
        if row["per"] == "letter":
            answered = answered + rates
            rates = LETTERS_A_DAY * rates
        made[row["mark"]] = Mark(items, rates)
    ignored = Mark((Item("email", "delivered"),), LETTERS_A_DAY * (1.0 - answered))
    return {"ignored": ignored, **made}


MARKS = _read_marks()
LETTERS = 1 + len(read_column("marks", "mark", per="letter"))
"""The number of marks that are letters. They come first; no letter follows an unsubscribe."""

UNSUBSCRIBE = list(MARKS).index("unsubscribe")
RATES: Floats = np.array([mark.rates for mark in MARKS.values()]).T
"""Of shape (states, marks), a day."""

VISITS_BEFORE = 3.0
"""The visit that ended in the form has as many marks as three days have, visits only."""

RATES_BEFORE: Floats = (
    RATES
    * VISITS_BEFORE
    * np.array([name.endswith("visit") or name == "download" for name in MARKS])
)

HAZARD: Floats = np.array([0.0016, 0.0025, 0.0045, 0.0078, 0.00003])
"""The daily hazard that a lead of worth 0 is won, if sales call."""

GIVEN_UP: Floats = np.array(
    [[0.0120, 0.0090, 0.0070, 0.0050, 0.025], [0.004, 0.004, 0.004, 0.004, 0.006]]
)
"""The daily chance that a deal is lost: of leads that sales call, and of those they never call."""

BEGIN: Floats = np.array([0.42, 0.33, 0.17, 0.08, 0.0])
"""The chance of each state on the first day, for leads that are no seekers."""

NEXT: Floats = np.array(
    [
        [0.988, 0.009, 0.002, 0.001, 0.0],
        [0.024, 0.955, 0.016, 0.005, 0.0],
        [0.010, 0.030, 0.940, 0.020, 0.0],
        [0.008, 0.012, 0.030, 0.950, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
"""The chance of each state tomorrow, by the state of today."""


@dataclass(frozen=True)
class Journeys:
    """What n leads did and what became of them.

    Day d of a lead is the time ``(created + d days, created + (d + 1) days]``. `row`, `day` and
    `mark`, of one length, are the marks that the leads emitted, by day; those of `day` -1 came
    before the form was sent. `closed_day` is the day on which the lead was won or lost, -1 if it is
    open at the extract.
    """

    row: Codes
    day: Codes
    mark: Codes
    closed_day: Codes
    won: Flags
    called: Flags


def simulate(random: np.random.Generator, facts: Facts) -> Journeys:
    """Draw the journeys of leads until they are closed or the data is taken.

    Within a day a lead first emits marks, in its state of that day. Then it may be won, with
    probability ``1 - exp(-hazard * exp(score))``, or else lost. Then it moves to its state of the
    next day. On the day of the closing all marks are drawn. Activities after the closing are cut
    later; no snapshot of an open lead sees them.
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
    """Return the factor by which the worths of these leads multiply their hazards on a day."""
    changed = (facts.change_day[rows] >= 0) & (facts.change_day[rows] <= day)
    return np.exp(np.where(changed, facts.score_after[rows], facts.score[rows]))


def win_chances(worth: Floats) -> Floats:
    """Return the daily chance that a lead is won, of shape (n, 2, states).

    `worth`, of shape (n,), multiplies the hazards. The middle axis: sales call, or never do.
    """
    factors = np.array([1.0, NEVER_CALLED_FACTOR])
    return np.asarray(-np.expm1(-worth[:, None, None] * factors[:, None] * HAZARD), np.float64)


def _close(
    random: np.random.Generator, facts: Facts, alive: Codes, state: Codes, called: Flags, day: int
) -> tuple[Flags, Flags]:
    """Draw which leads are won on this day, and which are won or lost."""
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
