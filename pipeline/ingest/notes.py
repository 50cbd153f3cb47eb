"""What reading the tables noted, and the rows that do not fit: kept, counted, never too many."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leadscore.pipeline.errors import GAP, DataError, fill_gaps
from leadscore.pipeline.ingest.files import Reject

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


def check_rejects(path: Path, most: float, rejects: Sequence[Reject], rows: int) -> None:
    """Refuse a file with too many rejected rows.

    Raises DataError if more than the share `most` of its rows are rejects, or it has no row that
    fits.
    """
    if rows == 0:
        raise DataError(f"{path}: a header and no row")
    if len(rejects) <= most * rows and len(rejects) < rows:
        return
    first, count = group_rejects(rejects)[0]
    where = f"column {first.column!r}: " if first.column else ""
    often = f"most often {where}{first.reason} ({count} rows, first at line {first.line})"
    if len(rejects) == rows:
        raise DataError(f"{path}: all {rows} rows are rejected; {often}", first.values)
    raise DataError(
        f"{path}: {len(rejects)} of {rows} rows rejected, at most {most:.0%} are "
        f"allowed (max_reject_share); {often}",
        first.values,
    )


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write rejects as a CSV next to the result: file, line, column, reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "line", "column", "reason"])
        writer.writerows((r.file, r.line, r.column, r.full_reason) for r in rejects)


def group_rejects(rejects: Sequence[Reject]) -> list[tuple[Reject, int]]:
    """Count rejects by file, column and reason: the first of each, and how many; most first.

    Reasons that differ in the values they show only are one.
    """
    first: dict[tuple[str, str, str], Reject] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for reject in rejects:
        alike = (reject.file, reject.column, reject.reason)
        first.setdefault(alike, reject)
        counts[alike] += 1
    return [(first[alike], count) for alike, count in counts.most_common()]
