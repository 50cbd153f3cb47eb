"""Rows that do not fit: kept with their reason, counted, and never too many."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.files import Reject


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
