"""The SQLite store of a log of scores: its schema, opened, written and read."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from leadscore.pipeline.errors import ConfigError, NotFoundError

SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 1_000
_encoder = msgspec.json.Encoder(order="sorted")

# log_odds and its like are ANY, since a REAL column would turn -0.0 into 0.0.
_SCHEMA = f"""
CREATE TABLE scorecards (
  sha256 TEXT PRIMARY KEY,
  document TEXT NOT NULL
) STRICT;
CREATE TABLE scores (
  row INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  item INTEGER,
  lead_id TEXT NOT NULL,
  scored_us INTEGER NOT NULL,
  as_of_us INTEGER NOT NULL,
  created_us INTEGER,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  previous_band TEXT,
  signals TEXT NOT NULL,
  log_odds ANY NOT NULL CHECK (typeof(log_odds) = 'real'),
  probability ANY NOT NULL CHECK (typeof(probability) = 'real'),
  band TEXT NOT NULL,
  percentile ANY,
  fit ANY,
  engagement ANY,
  request BLOB
) STRICT;
CREATE INDEX scores_by_request ON scores (request_id);
CREATE INDEX scores_by_lead ON scores (lead_id);
PRAGMA user_version = {SCHEMA_VERSION};
"""

_ENTRY_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    OverflowError,
    UnicodeError,
)
"""What is wrong with one entry, and would be wrong with it next time."""


class ScoreEntry(NamedTuple):
    """One answer: what it was made from, by which model, and its figures.

    `item` is the index in a batch, None for a single lead. `signals` is what `write_signals` gave.
    Times are UTC microseconds. `request` is the raw body, where the user asked for it to be kept.
    """

    request_id: str
    item: int | None
    lead_id: str
    scored_us: int
    as_of_us: int
    created_us: int | None
    model: str
    version: int
    sha256: str
    previous_band: str | None
    signals: str
    log_odds: float
    probability: float
    band: str
    percentile: float | None = None
    fit: str | None = None
    engagement: str | None = None
    request: bytes | None = None


COLUMNS = ", ".join(ScoreEntry._fields)
_ROW = f"({', '.join('?' * len(ScoreEntry._fields))})"
_AT_ONCE = (256, 64, 16, 4, 1)
"""Rows written by one statement: after each, this thread waits for its turn again."""
_INSERTS = {
    count: f"INSERT INTO scores ({COLUMNS}) VALUES {', '.join([_ROW] * count)}"  # noqa: S608 - names of our own
    for count in _AT_ONCE
}


def write_signals(signals: Mapping[str, object]) -> str:
    """Return signals as canonical JSON: keys sorted, floats in shortest form, NaN as null.

    Raises UnicodeEncodeError if a text holds half a surrogate pair, which no reader of signals lets
    through.
    """
    return _encoder.encode(signals).decode()


def open_store(path: Path) -> sqlite3.Connection:
    """Open a store for writing; make it, for its owner only, where there is none.

    Several processes may do so at the same time. Raises ConfigError if the file cannot be made, is
    no SQLite store of scores or has another version, and sqlite3.OperationalError if it is locked
    or cannot be written.
    """
    try:
        _make_file(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made: {error.strerror}") from error
    connection = _connect(path, "rw")
    try:
        with _refusing_foreign_files(path):
            if not _check_schema(connection, path):
                connection.execute("PRAGMA journal_mode = WAL").close()
                _create_schema(connection, path)
            connection.execute("PRAGMA journal_mode = WAL").close()
            connection.execute("PRAGMA synchronous = FULL").close()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store for reading, while others may write it.

    Raises NotFoundError if there is no such file, and ConfigError if it is no store of scores, has
    another version or cannot be read.
    """
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    try:
        with closing(_connect(path, "ro")) as connection:
            with _refusing_foreign_files(path):
                if not _check_schema(connection, path):
                    raise ConfigError(f"{path}: an empty file, not a log of scores")
            yield connection
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def write_entries(
    connection: sqlite3.Connection,
    scorecards: Iterable[tuple[str, str]],
    entries: Iterable[ScoreEntry],
) -> list[Exception]:
    """Write scorecards and entries in one transaction.

    Scorecards, as (sha256, document), that are already there are left as they are. Returns an error
    for each entry that the store can never take, and that was left out. Raises sqlite3.Error if the
    store cannot be written; then nothing was.
    """
    refused: list[Exception] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT OR IGNORE INTO scorecards VALUES (?, ?)", scorecards)
        for some in _split(list(entries)):
            refused += _insert(connection, some)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return refused


def _split(entries: list[ScoreEntry]) -> Iterator[list[ScoreEntry]]:
    begin = 0
    for count in _AT_ONCE:
        while len(entries) - begin >= count:
            yield entries[begin : begin + count]
            begin += count


def _insert(connection: sqlite3.Connection, entries: list[ScoreEntry]) -> list[Exception]:
    """Write entries by one statement, or each for itself where one of them cannot be taken."""
    try:
        connection.execute(_INSERTS[len(entries)], list(chain.from_iterable(entries)))
    except _ENTRY_ERRORS as error:
        if len(entries) == 1:
            return [error]
        return [refused for entry in entries for refused in _insert(connection, [entry])]
    return []


def _make_file(path: Path) -> None:
    """Make an empty file, readable by its owner, unless there is one.

    What a store that was removed left behind goes first: SQLite would take it for its own.
    """
    if path.exists():
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # or another process' new store would lose its files
        if not path.exists():
            for ending in ("-wal", "-shm", "-journal"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    finally:
        os.close(folder)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
    except sqlite3.OperationalError as error:
        raise ConfigError(f"{path}: cannot be opened: {error}") from error


@contextmanager
def _refusing_foreign_files(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path}: not a log of scores: {error}") from error


def _check_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Say whether the schema is there; a file with nothing in it has none yet."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if version == 0 and not names:
        return False
    if not {"scorecards", "scores"} <= names:
        raise ConfigError(f"{path}: an SQLite file of something else, not a log of scores")
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: a log of scores of version {version}, this program reads {SCHEMA_VERSION}"
        )
    return True


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _check_schema(connection, path):  # another process may have been faster
            for statement in _SCHEMA.strip().split(";\n"):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
