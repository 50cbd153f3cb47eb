"""Read the lists of the demo world from the folder ``lists``: names, titles, texts, facts.

A list is a CSV file; lines that begin with ``#`` are comments.
"""

import csv
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("lists")


@cache
def read_rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a list, in the order of the file."""
    lines = (_FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def read_column(name: str, column: str, **where: str) -> tuple[str, ...]:
    """Return a column of a list, of the rows that have these values in other columns.

    Examples
    --------
    >>> read_column("title_parts", "text", language="en", function="people", part="area")
    ('Human Resources', 'HR')
    """
    wanted = where.items()
    return tuple(row[column] for row in read_rows(name) if wanted <= row.items())
