"""What the planted worlds are made of: columns with a start and a history, leads with an end.

Times are days since the first of January 2024; the data is taken after two years.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Dice = np.random.Generator

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 731.0
NEVER = np.inf


@dataclass(frozen=True)
class Ends:
    """How the leads ended: `closed` is NEVER where no closing had come when the data was taken."""

    created: Floats
    closed: Floats
    won: Flags

    @property
    def lost(self) -> Flags:
        return np.isfinite(self.closed) & ~self.won

    def until(self) -> Floats:
        """Return when each lead was closed, or else when the data was taken."""
        return np.minimum(self.closed, DAYS)


@dataclass(frozen=True)
class Edit:
    """A new value of one lead; a function makes it of the value before."""

    row: int
    at: float
    new: Any


@dataclass
class Column:
    """One field of the leads' file: its values when each lead came, and its edits, in any order."""

    what: str
    type: str
    start: list[Any]
    edits: list[Edit] = field(default_factory=list)

    def edit(self, rows: Iterable[int], at: Iterable[float], new: Iterable[Any]) -> None:
        self.edits += map(Edit, map(int, rows), map(float, at), new)

    def play(self) -> tuple[list[Any], list[tuple[int, float, Any, Any]]]:
        """Return today's values, and what happened: row, time, old, new. Edits in vain are none."""
        today, happened = list(self.start), []
        for edit in sorted(self.edits, key=lambda edit: (edit.at, edit.row)):
            old = today[edit.row]
            new = edit.new(old) if callable(edit.new) else edit.new
            if edit.at < DAYS and new != old:
                today[edit.row] = new
                happened.append((edit.row, edit.at, old, new))
        return today, happened


def write_time(days: float) -> str:
    """Return a moment as ISO text, to the second."""
    moment = START + timedelta(seconds=round(days * 86_400))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def some(dice: Dice, rows: npt.NDArray[np.intp], share: float) -> npt.NDArray[np.intp]:
    """Return about this share of the rows, in their order."""
    return rows[dice.random(len(rows)) < share]


def draw_levels(dice: Dice, levels: list[Any], shares: Floats, count: int) -> list[Any]:
    """Draw values from levels with these shares (which need not sum up to 1)."""
    return [levels[i] for i in dice.choice(len(levels), count, p=shares / shares.sum())]


def edit_blindly(dice: Dice, column: Column, created: Floats, share: float, spread: str) -> None:
    """Edit a share of all leads at times that know nothing of the outcome.

    With `spread` "early" most edits come within two months of the creation, with "even" at any
    time until the data is taken, with "run" on one day for all leads that there are. An edit takes
    the value that some other lead started with, and never empties the field.
    """
    count = len(created)
    rows = some(dice, np.arange(count), share)
    if spread == "early":
        at = created[rows] + dice.exponential(40.0, len(rows))
    elif spread == "even":
        at = dice.uniform(created[rows], DAYS)
    else:
        at = np.full(len(rows), dice.uniform(0.4, 0.9) * DAYS) + dice.random(len(rows)) / 24
    living = at > created[rows]
    donors = dice.integers(0, count, len(rows))
    new = [_fill_from(column.start[donor]) for donor in donors[living]]
    column.edit(rows[living], at[living], new)


def _fill_from(found: Any) -> Any:
    """Make an edit that writes what another lead has, and leaves alone where that is nothing."""
    return (lambda old: old) if found is None else found
