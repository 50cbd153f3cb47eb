"""Rows that do not fit: kept with their reason, counted, and never too many."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.files import Reject
from leadscore.pipeline.ingest.redact import redact_values

Problems = dict[int, tuple[str, str]]
"""By row of a chunk: the column and the reason why the row does not fit; the first one counts."""


def need_values(values: pa.Array, column: str, problems: Problems) -> None:
    """Make every row that has no value in a column a problem."""
    if values.null_count:
        for row, known in enumerate(values.is_valid().to_pylist()):
            if not known:
                problems.setdefault(row, (column, "blank where a value is needed"))


def drop_rejected(
    table: pa.Table, file: str, lines: list[int], problems: Mapping[int, tuple[str, str]]
) -> tuple[pa.Table, list[Reject]]:
    """Part a table into the rows without a problem, and rejects."""
    if not problems:
        return table, []
    rejects = [Reject(file, lines[row], *problems[row]) for row in sorted(problems)]
    good = pa.array([row not in problems for row in range(len(lines))])
    return table.filter(good), rejects


def check_rejects(path: Path, most: float, rejects: Sequence[Reject], rows: int) -> None:
    """Refuse a file of which too much was rejected.

    Raises
    ------
    DataError
        If more than the share `most` of its rows are rejects, or it has no row that fits.
    """
    if rows == 0:
        raise DataError(f"{path}: a header and no row")
    if len(rejects) <= most * rows and len(rejects) < rows:
        return
    reasons = Counter((reject.column, reject.reason) for reject in rejects)
    (column, reason), count = reasons.most_common(1)[0]
    first = next(r.line for r in rejects if (r.column, r.reason) == (column, reason))
    where = f"column {column!r}: " if column else ""
    if len(rejects) == rows:
        raise DataError(
            f"{path}: all {rows} rows are rejected; most often {where}{reason} "
            f"({count} rows, first at line {first})"
        )
    raise DataError(
        f"{path}: {len(rejects)} of {rows} rows rejected, at most {most:.0%} are "
        f"allowed (max_reject_share); most often {where}{reason} "
        f"({count} rows, first at line {first})"
    )


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write rejects as a CSV beside the result: file, line, column, reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "line", "column", "reason"])
        writer.writerows((r.file, r.line, r.column, r.reason) for r in rejects)


_NUMBER = re.compile(r"\d+")


class Rejected(NamedTuple):
    """How many `rows` of a file were rejected for one reason; reason and line of the first."""

    rows: int
    file: str
    column: str
    reason: str
    line: int


def group_rejects(rejects: Sequence[Reject]) -> list[Rejected]:
    """Count rejects by file, column and reason, the most frequent first.

    Reasons that differ only in numbers or in the values they quote are one.
    """
    alike = [
        (reject.file, reject.column, _NUMBER.sub("", redact_values(reject.reason)))
        for reject in rejects
    ]
    first = dict(reversed([*zip(alike, rejects, strict=True)]))
    return [
        Rejected(count, what[0], what[1], first[what].reason, first[what].line)
        for what, count in Counter(alike).most_common()
    ]
