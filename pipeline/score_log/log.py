"""The log of scores in one SQLite store: every answer kept, while no answer waits for it."""

import fcntl
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from leadscore.pipeline.errors import ConfigError, LeadscoreError, NotFoundError

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
                with _transaction(connection):
                    if not _check_schema(connection, path):  # another process may have been faster
                        for statement in _SCHEMA.strip().split(";\n"):
                            connection.execute(statement)
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
    with _transaction(connection):
        connection.executemany("INSERT OR IGNORE INTO scorecards VALUES (?, ?)", scorecards)
        for some in _split(list(entries)):
            refused += _insert(connection, some)
    return refused


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


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
    """Return whether the schema is there; a file with nothing in it has none yet."""
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


MOST_WAITING = 10_000
_EVERY_S = 0.05
_MOST_PER_BATCH = 500
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class ScoreLog:
    """Takes entries on the event loop and writes them in a thread of its own.

    Scoring goes on whatever happens to the store. While it cannot be written (locked, disk full,
    file gone) entries wait where there is room, and are dropped and counted where there is none;
    when it can be written again, what waits is written, to a new file if the old one is gone. A
    process that is killed loses what was waiting, and nothing else. Several processes may write the
    store.
    """

    def __init__(self, path: Path, most_waiting: int = MOST_WAITING) -> None:
        self.path = path
        self.most_waiting = most_waiting
        self.written = 0
        self.error: str | None = None
        self._dropped = 0  # by the event loop; the rest is the thread's
        self._refused = 0
        self._queue: deque[ScoreEntry] = deque()
        self._batch: list[ScoreEntry] = []
        self._scorecards: dict[str, str] = {}
        self._stored: set[str] = set()
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._stop = threading.Event()
        self._deadline_s = 0.0
        self._thread = threading.Thread(target=self._run, name="score-log", daemon=True)

    @property
    def lost(self) -> int:
        """How many entries were dropped: no room, no time at the end, or refused by the store."""
        return self._dropped + self._refused

    @property
    def waiting(self) -> int:
        """How many entries are not in the store yet."""
        return len(self._queue) + len(self._batch)

    def start(self) -> None:
        """Look at the store and start the thread; call it once, in the process that appends.

        A store that is only locked at the moment is waited for later. Raises ConfigError if the
        file cannot be made or opened, is no store of scores, or has another version.
        """
        try:
            open_store(self.path).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY:
                raise ConfigError(f"{self.path}: cannot be written: {error}") from error
        self._thread.start()

    def append(self, entry: ScoreEntry) -> None:
        """Take an entry: never waits, never raises; called from one thread."""
        if self.waiting >= self.most_waiting or self._stop.is_set():
            self._dropped += 1
        else:
            self._queue.append(entry)

    def remember(self, sha256: str, document: str) -> None:
        """See to it that a scorecard is in the store no later than the entries that name it.

        `document` is ``Scorecard.to_json()``; it is kept in memory, too, for a store that has to be
        made anew. Raises UnicodeEncodeError if it holds half a surrogate pair, which no file could
        have held.
        """
        document.encode()
        self._scorecards[sha256] = document

    def close(self, deadline_s: float) -> None:
        """Write what waits, for `deadline_s` seconds at most; the rest is counted as lost."""
        self._deadline_s = time.monotonic() + deadline_s
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(deadline_s)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._drain()
        while not self._drain() and time.monotonic() < self._deadline_s:
            time.sleep(_EVERY_S)
        self._refused += self.waiting
        self._queue.clear()
        self._batch = []
        self._disconnect()

    def _drain(self) -> bool:
        """Write all that waits; return whether that was done."""
        while self._queue or self._batch or len(self._stored) < len(self._scorecards):
            while self._queue and len(self._batch) < _MOST_PER_BATCH:
                self._batch.append(self._queue.popleft())
            try:
                self._write_batch()
            except Exception as error:
                self.error = _describe(error)
                self._disconnect()  # and begin anew with whatever then lies there
                return False
        return True

    def _write_batch(self) -> None:
        if self._connection is None:
            self._connection = open_store(self.path)
            self._identity = _identify(self.path)
        # Listed after the batch was taken, so every scorecard that it names is among them.
        missing = [(k, text) for k, text in list(self._scorecards.items()) if k not in self._stored]
        refused = write_entries(self._connection, missing, self._batch)
        if _identify(self.path) != self._identity:
            raise FileNotFoundError(0, "the file was moved or replaced")
        self._stored.update(key for key, _ in missing)
        self.written += len(self._batch) - len(refused)
        self._refused += len(refused)
        self._batch = []
        self.error = _describe(refused[-1]) if refused else None

    def _disconnect(self) -> None:
        self._stored.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _identify(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _describe(error: Exception) -> str:
    """Describe an error without any value of an entry."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    known = isinstance(error, sqlite3.Error | LeadscoreError)
    return str(error) if known else type(error).__name__
