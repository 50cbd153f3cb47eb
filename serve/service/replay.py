"""Recompute logged answers from what was logged of them, and compare to the last bit."""

import math
import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from leadscore.models.errors import ScorecardError
from leadscore.models.score_lead import AxesReader, Scorer, find_percentile
from leadscore.models.scorecard import Scorecard, read_scorecard
from leadscore.pipeline.errors import NotFoundError
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.score_log.log import COLUMNS, ScoreEntry, open_for_reading, write_signals
from leadscore.serve.service.problems import Problem
from leadscore.serve.service.requests.decode import decode_lead
from leadscore.serve.service.scorecards.served import ServedModel, VersionNote
from leadscore.serve.service.scoring.score import score_lead

_decoder = msgspec.json.Decoder(dict[str, object])


class Recomputer:
    """Recomputes answers by one scorecard."""

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard
        self._scorer = Scorer(scorecard)
        self._rate = AxesReader(scorecard).read
        self._served: ServedModel | None = None

    def recompute(self, row: ScoreEntry) -> dict[str, object]:
        """Return the fields of an answer, recomputed.

        The names are those of ``ScoreEntry``; `signals` are among them if the request was kept.
        Raises Problem if no signals can be read from the request.
        """
        score = self._scorer.score(_decoder.decode(row.signals), row.previous_band)  # type: ignore[arg-type]
        fit, engagement = self._rate(score.contributions)
        fields: dict[str, object] = {
            "log_odds": score.log_odds,
            "probability": score.probability,
            "band": score.band,
            "percentile": find_percentile(self._scorecard.quantiles, score.log_odds),
            "fit": fit,
            "engagement": engagement,
        }
        if row.request is not None:
            fields["signals"] = self._read_signals(row.request, row.as_of_us)
        return fields

    def _read_signals(self, request: bytes, as_of_us: int) -> str:
        if self._served is None:
            self._served = ServedModel(self._scorecard, "", VersionNote("", 0))
        scored = score_lead(self._served, decode_lead(request), as_of_us, strict=False)
        return write_signals(scored.signals)


MOST_SHOWN = 20
_ROWS_AT_ONCE = 1_000
_MOST_SCORECARDS = 16
_UNSCORABLE = (msgspec.MsgspecError, TypeError, ValueError, ArithmeticError, RecursionError,
               ScorecardError, Problem)  # fmt: skip


class Wanted(NamedTuple):
    """Which answers are recomputed; None for all."""

    request_id: str | None = None
    lead_id: str | None = None
    since_us: int | None = None


class Difference(NamedTuple):
    """A field of an answer that is not what its signals give."""

    request_id: str
    item: int | None
    field: str
    logged: object
    recomputed: object


class Failure(NamedTuple):
    """Why answers could not be recomputed, how many, and the first of them."""

    reason: str
    answers: int
    first_request_id: str


class ReplayReport(NamedTuple):
    """The outcome.

    `versions` holds ``(model, version, sha256)`` and how many answers of it were recomputed,
    `differences` the first twenty; `differing` counts answers, each of which may differ in
    several fields.
    """

    recomputed: int
    differing: int
    failed: int
    versions: tuple[tuple[tuple[str, int, str], int], ...]
    differences: tuple[Difference, ...]
    failures: tuple[Failure, ...]

    @property
    def all_equal(self) -> bool:
        """Whether every answer was recomputed, and to the same bits."""
        return not (self.differing or self.failed)

    def to_json(self) -> dict[str, object]:
        """Return the report as plain data; a number that JSON cannot hold as text."""
        return {
            "recomputed": self.recomputed,
            "differing": self.differing,
            "failed": self.failed,
            "versions": [
                {"model": model, "version": version, "sha256": sha256, "recomputed": count}
                for (model, version, sha256), count in self.versions
            ],
            "differences": [
                {**d._asdict(), "logged": _plain(d.logged), "recomputed": _plain(d.recomputed)}
                for d in self.differences
            ],
            "failures": [failure._asdict() for failure in self.failures],
        }


def replay(path: Path, wanted: Wanted, progress: Progress = silent) -> ReplayReport:
    """Recompute the answers of a log, each with the scorecard that the log keeps for it.

    Rows are read in parts, so a long log needs no more memory than a short one, and is written to
    meanwhile. Raises NotFoundError if there is no such file or no such answer in it, and
    ConfigError if the file is no store of scores, has another version or cannot be read.
    """
    results = _Results()
    with open_for_reading(path) as connection:
        find_recomputer = lru_cache(_MOST_SCORECARDS)(partial(_load_recomputer, connection))
        for row in _read_rows(connection, wanted, progress):
            recomputer = find_recomputer(row.sha256)
            if isinstance(recomputer, str):
                results.note_failure(row, recomputer)
                continue
            try:
                fields = recomputer.recompute(row)
            except _UNSCORABLE as error:
                results.note_failure(row, f"its signals cannot be scored: {type(error).__name__}")
            else:
                results.note(row, fields)
    report = results.report()
    if not (report.recomputed or report.failed):
        raise NotFoundError(f"{path}: no answer in it is the one asked for")
    return report


def _load_recomputer(connection: sqlite3.Connection, sha256: str) -> Recomputer | str:
    """Return what recomputes the answers of a scorecard, or why it cannot be used."""
    query = "SELECT document FROM scorecards WHERE sha256 = ?"
    found = connection.execute(query, (sha256,)).fetchone()
    if found is None:
        return f"scorecard {sha256[:12]} is not in the log"
    try:
        scorecard = read_scorecard(found[0])
    except ScorecardError as error:
        return f"scorecard {sha256[:12]}: {error}"
    if scorecard.sha256 != sha256:
        return f"scorecard {sha256[:12]} was replaced by {scorecard.fingerprint}"
    return Recomputer(scorecard)


class _Results:
    """Counts what was compared, and keeps the first of what differs."""

    def __init__(self) -> None:
        self._versions: Counter[tuple[str, int, str]] = Counter()
        self._failures: dict[str, Failure] = {}
        self._differences: list[Difference] = []
        self._differing = 0

    def note(self, row: ScoreEntry, fields: dict[str, object]) -> None:
        self._versions[row.model, row.version, row.sha256] += 1
        differ = [name for name, value in fields.items() if not _is_same(getattr(row, name), value)]
        self._differing += bool(differ)
        for name in differ:
            if len(self._differences) < MOST_SHOWN:
                logged = getattr(row, name)
                found = Difference(row.request_id, row.item, name, logged, fields[name])
                self._differences.append(found)

    def note_failure(self, row: ScoreEntry, reason: str) -> None:
        if reason not in self._failures and len(self._failures) >= MOST_SHOWN:
            reason = "other reasons"
        known = self._failures.get(reason, Failure(reason, 0, row.request_id))
        self._failures[reason] = known._replace(answers=known.answers + 1)

    def report(self) -> ReplayReport:
        return ReplayReport(
            recomputed=self._versions.total(),
            differing=self._differing,
            failed=sum(failure.answers for failure in self._failures.values()),
            versions=tuple(sorted(self._versions.items())),
            differences=tuple(self._differences),
            failures=tuple(self._failures.values()),
        )


def _read_rows(
    connection: sqlite3.Connection, wanted: Wanted, progress: Progress
) -> Iterator[ScoreEntry]:
    conditions = {"request_id = ?": wanted.request_id, "lead_id = ?": wanted.lead_id,
                  "scored_us >= ?": wanted.since_us}  # fmt: skip
    asked = {text: value for text, value in conditions.items() if value is not None}
    where, values = " AND ".join(["row > ?", *asked]), tuple(asked.values())
    count = f"SELECT count(*) FROM scores WHERE {where}"  # noqa: S608 - texts of our own
    total = connection.execute(count, (0, *values)).fetchone()[0]
    # Part by part: one long read would keep the writers from ever cutting their WAL.
    query = (
        f"SELECT row, {COLUMNS} FROM scores "  # noqa: S608
        f"WHERE {where} ORDER BY row LIMIT {_ROWS_AT_ONCE}"
    )
    last = done = 0
    while rows := connection.execute(query, (last, *values)).fetchall():
        for row in rows:
            yield ScoreEntry(*row[1:])
        last, done = rows[-1][0], done + len(rows)
        progress("recomputing", done, max(done, total))


def _is_same(logged: object, recomputed: object) -> bool:
    if isinstance(logged, float) and isinstance(recomputed, float):
        return struct.pack("<d", logged) == struct.pack("<d", recomputed)
    return type(logged) is type(recomputed) and logged == recomputed


def _plain(value: object) -> object:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
