"""Rows that do not fit: kept with their reason, counted, and never too many."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.files import Reject
from leadscore.pipeline.values.fields import Misfit

Problems = dict[int, tuple[str, Misfit]]
"""By row of a chunk: the column, and why the row does not fit. A row's first problem counts."""


def add_problems(problems: Problems, column: str, misfits: Mapping[int, Misfit]) -> None:
    """Add the rows whose value in a column does not fit."""
    for row, misfit in misfits.items():
        problems.setdefault(row, (column, misfit))


def need_values(values: pa.Array, column: str, problems: Problems) -> None:
    """Make every row that has no value in a column a problem."""
    if values.null_count:
        for row, known in enumerate(values.is_valid().to_pylist()):
            if not known:
                problems.setdefault(row, (column, Misfit("blank where a value is needed")))


def drop_rejected(
    table: pa.Table, file: str, lines: list[int], problems: Problems
) -> tuple[pa.Table, list[Reject]]:
    """Split a table into the rows without a problem, and rejects."""
    if not problems:
        return table, []
    rejects = [
        Reject(file, lines[row], column, misfit.text, misfit.values)
        for row, (column, misfit) in sorted(problems.items())
    ]
    good = pa.array([row not in problems for row in range(len(lines))])
    return table.filter(good), rejects


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
