"""The hidden chain behind what leads do: its states, how they follow each other, what they emit.

Every lead is in one of five states, day by day from its creation: quiet, curious, active, intent,
and seeker, who is after a job, from the first day to the last. A state emits marks, each with a
rate a day (a marked Poisson process): a letter that is ignored, opened or answered, a visit to some
pages, something on a social network, a webinar, a day in the trial. It also has a daily hazard of
being won, which the lead's own worth multiplies, and a daily chance of being given up.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.demo.leads import DAY_S, EXTRACT_S, Facts

Floats = npt.NDArray[np.float64]

STATES = ("quiet", "curious", "active", "intent", "seeker")
SEEKER = STATES.index("seeker")
NEVER_CALLED_FACTOR = 0.05
LETTERS_A_DAY = 0.13


class Item(NamedTuple):
    """One activity of a mark: the file it is written to, its kind, and what it is about."""

    file: str
    kind: str
    about: str = ""


class Mark(NamedTuple):
    """Something a lead does: its activities in order, and its rate a day in each state."""

    items: tuple[Item, ...]
    rates: tuple[float, float, float, float, float]


def _letter(*answers: str) -> tuple[Item, ...]:
    return (Item("email", "delivered"), *(Item("email", kind) for kind in answers))


def _visit(*pages: str) -> tuple[Item, ...]:
    return tuple(Item("web", "page_view", page) for page in pages)


_ANSWERED = {
    # of the letters delivered, the share that is opened and so on
    "open": (_letter("open"), (0.12, 0.20, 0.27, 0.30, 0.13)),
    "click": (_letter("open", "click"), (0.010, 0.05, 0.15, 0.27, 0.010)),
    "reply": (_letter("open", "reply"), (0.002, 0.015, 0.06, 0.17, 0.002)),
    "unsubscribe": (_letter("open", "unsubscribe"), (0.016, 0.008, 0.004, 0.002, 0.016)),
}
_DONE = {
    "blog visit": (_visit("home", "blog"), (0.0048, 0.017, 0.03, 0.036, 0.0064)),
    "product visit": (_visit("home", "product"), (0.0024, 0.014, 0.036, 0.054, 0.0024)),
    "documentation visit": (
        _visit("product", "documentation"), (0.0008, 0.0042, 0.015, 0.03, 0.0008)),
    "pricing visit": (_visit("product", "pricing"), (0.0008, 0.0056, 0.021, 0.066, 0.0008)),
    "demo visit": (_visit("home", "demo"), (0.00048, 0.0028, 0.011, 0.036, 0.00048)),
    "careers visit": (_visit("home", "careers"), (0.002, 0.002, 0.002, 0.002, 0.06)),
    "download": (
        (*_visit("product"), Item("web", "download")), (0.0012, 0.007, 0.021, 0.03, 0.0012)),
    "form": (
        (*_visit("home"), Item("web", "form_submit", "contact")),
        (0.00024, 0.001, 0.0042, 0.015, 0.00024)),
    "like": ((Item("social", "like"),), (0.0048, 0.0084, 0.012, 0.015, 0.0048)),
    "follow": ((Item("social", "follow"),), (0.0008, 0.0021, 0.003, 0.0042, 0.0008)),
    "share": ((Item("social", "share"),), (0.00056, 0.0028, 0.0084, 0.018, 0.00056)),
    "comment": ((Item("social", "comment"),), (0.00056, 0.0028, 0.0096, 0.024, 0.00056)),
    "webinar": ((Item("webinars", "registered"),), (0.00096, 0.0028, 0.0048, 0.006, 0.00096)),
    "webinar attended": (
        (Item("webinars", "registered"), Item("webinars", "attended")),
        (0.00056, 0.0028, 0.0084, 0.015, 0.00056)),
    "trial": ((Item("product", "trial_login"),), (0.00048, 0.0021, 0.009, 0.03, 0.00048)),
}  # fmt: skip


def _make_marks() -> dict[str, Mark]:
    answered = {name: np.array(shares) for name, (_, shares) in _ANSWERED.items()}
    ignored = 1.0 - sum(answered.values(), np.zeros(len(STATES)))
    shares = {"ignored": (_letter(), ignored)}
    shares |= {name: (_ANSWERED[name][0], share) for name, share in answered.items()}
    made = {}
    for name, (items, share) in shares.items():
        a, b, c, d, e = (LETTERS_A_DAY * share).tolist()
        made[name] = Mark(items, (a, b, c, d, e))
    return made | {name: Mark(items, rates) for name, (items, rates) in _DONE.items()}


MARKS = _make_marks()
LETTERS = len(_ANSWERED) + 1
"""The first so many marks are letters; none comes after an unsubscribe."""

UNSUBSCRIBE = list(MARKS).index("unsubscribe")
RATES: Floats = np.array([mark.rates for mark in MARKS.values()]).T
"""Of shape (states, marks), a day."""

VISITS_BEFORE = 3.0
"""The visit that ended in the form is as many marks as so many days have, visits only."""

RATES_BEFORE: Floats = (
    RATES
    * VISITS_BEFORE
    * np.array([name.endswith("visit") or name == "download" for name in MARKS])
)

HAZARD: Floats = np.array([0.0016, 0.0025, 0.0045, 0.0078, 0.00003])
"""Of being won, a day, where the lead's worth is 0 and sales call."""

GIVEN_UP: Floats = np.array(
    [[0.0120, 0.0090, 0.0070, 0.0050, 0.025], [0.004, 0.004, 0.004, 0.004, 0.006]]
)
"""The chance a day of a deal lost, of leads called and of those never called."""

BEGIN: Floats = np.array([0.42, 0.33, 0.17, 0.08, 0.0])
"""The states on the first day of those who are no seekers."""

NEXT: Floats = np.array(
    [
        [0.988, 0.009, 0.002, 0.001, 0.0],
        [0.024, 0.955, 0.016, 0.005, 0.0],
        [0.010, 0.030, 0.940, 0.020, 0.0],
        [0.008, 0.012, 0.030, 0.950, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
"""The chance of each state tomorrow, by that of today."""
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
