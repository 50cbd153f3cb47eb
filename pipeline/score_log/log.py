"""The log of scores: every answer kept, while no answer waits for it."""

import os
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path

from leadscore.pipeline.errors import ConfigError, LeadscoreError
from leadscore.pipeline.score_log.store import ScoreEntry, open_store, write_entries

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
