"""Notes: what reading the tables noted, as records for decisions and for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadscore.pipeline.errors import GAP, fill_gaps

Table = Literal["leads", "outcomes", "activities"]
NoteKind = Literal[
    "orphan outcomes",
    "orphan activities",
    "leads after the extract",
    "outcomes after the extract",
    "activities after the extract",
    "outcomes before creation",
    "activities before creation",
    "wrong clock",
    "recorded too early",
    "extract far away",
    "extract guessed",
    "ends far apart",
    "extract impossible",
    "file without leads",
    "file after the extract",
    "differing rows",
    "duplicate activities",
    "conflicting activity ids",
    "unknown outcomes",
    "unknown outcomes lost",
    "outcome activities",
    "absent kinds",
    "excluded kinds",
    "unread kinds",
    "unread changes",
    "unused columns",
    "absent columns",
    "no early wins",
    "no late wins",
    "few early wins",
    "late records",
    "constant signals",
    "outcomes without times",
]


@dataclass(frozen=True)
class Note:
    """One thing that was noted. Whoever decides, decides by `kind` and `count`.

    `text` is for people, with a gap for each of the `values` from the data: without its gaps filled
    it names nobody. `count` counts rows of `table`. `todo` is what to do, where that depends on
    the data.
    """

    kind: NoteKind
    text: str
    count: int = 0
    table: Table | None = None
    values: tuple[str, ...] = ()
    todo: str = ""

    @property
    def redacted(self) -> str:
        """What was noted and what to do, without the values."""
        return f"{self.text}: {self.todo}" if self.todo else self.text

    def __str__(self) -> str:
        """Return what was noted and what to do, with the values."""
        return fill_gaps(self.redacted, self.values)


def note_values(kind: NoteKind, text: str, values: Sequence[str], count: int = 0) -> Note:
    """Return a note that ends with a list of values from the data."""
    return Note(kind, f"{text}{GAP}", count, values=(", ".join(values),))
