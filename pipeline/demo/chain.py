"""The hidden chain behind what leads do: its states, how they follow each other, what they emit.

Every lead is in one of five states, day by day from its creation: quiet, curious, active, intent,
and seeker, who is after a job, from the first day to the last. A state emits marks, each with a
rate a day (a marked Poisson process): a letter that is ignored, opened or answered, a visit to some
pages, something on a social network, a webinar, a day in the trial. It also has a daily hazard of
being won, which the lead's own worth multiplies, and a daily chance of being given up.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
