"""The lists, columns and files of the demo's tables."""

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from leadscore.pipeline.errors import ConfigError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def take(entries: Sequence[str], codes: npt.NDArray[np.integer]) -> pa.Array:
    """Return the entry of each code."""
    return pa.array(entries).take(pa.array(codes))


def choose(random: np.random.Generator, entries: Sequence[str], count: int) -> pa.Array:
    """Draw `count` of the entries, all with the same chance."""
    return take(entries, random.integers(0, len(entries), count))


def join(*parts: object) -> pa.Array:
    """Join texts row by row."""
    return pc.binary_join_element_wise(*parts, "")


def either(which: Flags, yes: object, no: object) -> pa.Array:
    """Return `yes` in the rows that are marked, and `no` in the others."""
    return pc.if_else(pa.array(which), yes, no)


def blank(empty: Flags, values: pa.Array) -> pa.Array:
    """Leave the marked rows empty."""
    return either(empty, pa.scalar(None, values.type), values)


def to_times(seconds: Codes, empty: Flags | None = None) -> pa.Array:
    """Return times in UTC from seconds; the marked rows are empty."""
    return pa.array(seconds, mask=empty).cast(pa.timestamp("s", "UTC"))


def number_rows(letter: str, numbers: Codes, width: int) -> pa.Array:
    """Return ids such as L0000001: a letter, and a number of `width` digits."""
    return join(letter, pad_numbers(numbers, width))


def pad_numbers(numbers: Codes, width: int) -> pa.Array:
    """Write numbers with zeros in front, `width` digits wide."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


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


Format = Literal["csv", "parquet"]


def read_format(text: str, with_tour: bool) -> Format:
    """Return the format of a name, or raise ConfigError; the tour needs CSV."""
    if text == "csv":
        return "csv"
    if text != "parquet":
        raise ConfigError(f"--format: csv or parquet is expected, found {text!r}")
    if with_tour:
        raise ConfigError("--format: the tour takes csv")
    return "parquet"


class Tables(ExitStack):
    """A folder of tables, each written part by part; a context manager that closes them."""

    def __init__(self, folder: Path, ending: Format) -> None:
        super().__init__()
        self._folder = folder
        self._ending = ending
        self._writers: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        """Return the path of a table."""
        return self._folder / f"{name}.{self._ending}"

    def write(self, name: str, table: pa.Table) -> None:
        """Append rows to a table; the first part makes the folder and sets the columns."""
        if name not in self._writers:
            self._folder.mkdir(parents=True, exist_ok=True)
            path, schema = str(self.path(name)), table.schema
            self._writers[name] = self.enter_context(
                pa_csv.CSVWriter(path, schema)
                if self._ending == "csv"
                else pq.ParquetWriter(path, schema, compression="zstd")
            )
        self._writers[name].write_table(table)
