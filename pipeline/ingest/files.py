"""Read a table from a CSV or Parquet file: in chunks, cells as they stand, nothing guessed.

CSV cells stay text until their field says what they are: identifiers such as ``001`` keep their
zeros. A row that does not fit the header is rejected with its line; a file that cannot be read as
a whole is an error with file and line.
"""

import csv
import gzip
import io
import lzma
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.pipeline.errors import GAP, DataError, fill_gaps

CHUNK_ROWS = 50_000
LONGEST_CELL = 1_000_000
_PARQUET_ENDINGS = (".parquet", ".pq")


@dataclass(frozen=True)
class Reject:
    """One row that was left out, and why. `line` counts from 1; a CSV's header is line 1.

    `reason` has a gap for each of the `values`, which come from the data.
    """

    file: str
    line: int
    column: str
    reason: str
    values: tuple[str, ...] = ()

    @property
    def full_reason(self) -> str:
        """The reason, with the values."""
        return fill_gaps(self.reason, self.values)


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a table.

    `table` has the wanted columns as they stand in `file`; `lines` is the line (CSV) or row
    (Parquet) of each, `numbers` the count of rows up to it, from 1; `rejects` are the rows between
    them that could not be read.
    """

    file: str
    table: pa.Table
    lines: list[int]
    numbers: list[int]
    rejects: list[Reject] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of rows, with the rejects."""
        return len(self.lines) + len(self.rejects)


@dataclass(frozen=True)
class TableRead:
    """The rows of a file that fit, and what else was found in it.

    `rows` counts all rows that should fit. `unread` counts the rows of no use, by their text.
    """

    table: pa.Table
    rows: int
    rejects: list[Reject]
    unread: Counter[str]


def is_parquet(path: Path) -> bool:
    """Say whether a file is read and written as Parquet, by its ending."""
    return path.suffix.lower() in _PARQUET_ENDINGS


def read_header(path: Path, delimiter: str, encoding: str) -> list[str]:
    """Return the names of a table's columns, in the file's order.

    Raises DataError if the file is absent, empty or unreadable, or has a name twice or empty.
    """
    if is_parquet(path):
        return _check_header(path, _open_parquet(path).schema_arrow.names, delimiter)
    with _open_text(path, encoding) as stream:
        for _, row in _rows(path, stream, delimiter):
            return _check_header(path, row, delimiter)
    raise DataError(f"{path}: the file is empty; a header line is needed")


def readable_columns(path: Path, header: Sequence[str]) -> list[str]:
    """Return the columns that a field could read: no lists, structures or bytes of Parquet."""
    if not is_parquet(path):
        return list(header)
    schema = _open_parquet(path).schema_arrow
    types = {name.strip(): schema.field(name).type for name in schema.names}
    return [name for name in header if _is_readable(types[name])]


def _is_readable(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or "binary" in str(kind))


def read_table(
    path: Path, columns: Sequence[str], delimiter: str, encoding: str, rows: int = CHUNK_ROWS
) -> Iterator[Chunk]:
    """Read some columns of a table, chunk by chunk.

    The file is ``.csv`` (also ``.gz`` and ``.xz``) or Parquet. A chunk has at most `rows` rows.

    Raises DataError as ``read_header``; or a wanted column is absent, a quote is never closed, the
    text is not of the stated encoding, a cell is longer than a million characters, a column is
    nested.
    """
    header = read_header(path, delimiter, encoding)
    absent = [column for column in columns if column not in header]
    if absent:
        raise DataError(
            f"{path}: no column {', '.join(map(repr, absent))}; found {', '.join(header)}"
            f"{_delimiter_hint(header, delimiter)}"
        )
    if is_parquet(path):
        yield from _read_parquet(path, columns, rows)
    else:
        yield from _read_csv(path, header, columns, delimiter, encoding, rows)


def _check_header(path: Path, header: Sequence[str], delimiter: str) -> list[str]:
    names = [name.strip() for name in header]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(
            f"{path}: the header has {', '.join(map(repr, twice))} more than once; "
            "rename one of them"
        )
    if "" in names:
        place = names.index("") + 1
        raise DataError(
            f"{path}: column {place} of the header has no name; give it one"
            f"{_delimiter_hint(names, delimiter)}"
        )
    return names


def _delimiter_hint(header: Sequence[str], delimiter: str) -> str:
    for other in ";\t,|":
        if len(header) == 1 and other != delimiter and other in header[0]:
            return f"; is the delimiter {other!r}? (leads.delimiter in data.yaml)"
    return ""


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path}: no such file; see `file` and `folder` in data.yaml, or --data")


def _open_text(path: Path, encoding: str) -> IO[str]:
    _check_file(path)
    codec = "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix.lower(), io.open)
    try:
        return opener(path, "rt", encoding=codec, newline="")  # type: ignore[operator, no-any-return]
    except (OSError, LookupError) as error:
        raise DataError(f"{path}: cannot be opened: {error}") from error


def _rows(path: Path, stream: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: {error}; is a quote never closed?") from error
    except UnicodeError as error:
        raise DataError(
            f"{path}, at or after line {line}: not the stated encoding ({error}); see "
            "leads.encoding in data.yaml: cp1252 is what Excel calls ANSI, utf-8-sig its UTF-8"
        ) from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{path}, line {line}: the file cannot be read on: {error}") from error


def _read_csv(
    path: Path, header: list[str], columns: Sequence[str], delimiter: str, encoding: str, rows: int
) -> Iterator[Chunk]:
    places = [header.index(column) for column in columns]
    with _open_text(path, encoding) as stream:
        lines: list[int] = []
        numbers: list[int] = []
        kept: list[list[str]] = []
        rejects: list[Reject] = []
        content = _rows(path, stream, delimiter)
        next(content)
        for number, (line, row) in enumerate(((at, row) for at, row in content if row), start=1):
            if len(row) != len(header):
                reason = f"{GAP} cells where the header has {len(header)}"
                rejects.append(Reject(path.name, line, "", reason, (str(len(row)),)))
                continue
            lines.append(line)
            numbers.append(number)
            kept.append([row[place] for place in places])
            if len(kept) == rows:
                yield Chunk(path.name, _to_table(kept, columns), lines, numbers, rejects)
                lines, numbers, kept, rejects = [], [], [], []
        yield Chunk(path.name, _to_table(kept, columns), lines, numbers, rejects)


def _to_table(rows: list[list[str]], columns: Sequence[str]) -> pa.Table:
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(column, pa.string()) for column in cells]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _open_parquet(path: Path) -> pq.ParquetFile:
    _check_file(path)
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a Parquet file that can be read: {error}") from error


def _read_parquet(path: Path, columns: Sequence[str], rows: int) -> Iterator[Chunk]:
    file = _open_parquet(path)
    by_name = {name.strip(): name for name in file.schema_arrow.names}
    stored = [by_name[column] for column in columns]
    for column, name in zip(columns, stored, strict=True):
        kind = file.schema_arrow.field(name).type
        if not _is_readable(kind):
            raise DataError(
                f"{path}: column {column!r} is of type {kind}; text, numbers, booleans "
                "and times can be read"
            )
    line = 1
    try:
        for batch in file.iter_batches(batch_size=rows, columns=stored):
            table = pa.Table.from_batches([batch]).select(stored).rename_columns(list(columns))
            numbers = list(range(line, line + len(table)))
            yield Chunk(path.name, table, numbers, numbers)
            line += len(table)
        if line == 1:
            empty = file.schema_arrow.empty_table().select(stored)
            yield Chunk(path.name, empty.rename_columns(list(columns)), [], [])
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}, after row {line - 1}: cannot be read on: {error}") from error
