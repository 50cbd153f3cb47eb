"""Score a file: chunk by chunk, in the input's order, rejects in a file next to it."""

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.models.score_frame import FrameScores, read_axes, score_frame
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.activities import ActivitiesRead
from leadscore.pipeline.ingest.files import Reject, is_parquet
from leadscore.pipeline.ingest.rejects import write_rejects
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.scoring.inputs import (
    find_as_of,
    find_closed,
    read_catalog,
    read_leads,
    read_side_tables,
    read_signals,
)
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.values.times import DAY_US, format_time

_ENDINGS = (".csv", ".parquet", ".pq")


@dataclass(frozen=True)
class BatchReport:
    """What was scored, and what was not.

    `rejected` rows could not be read; `not_yet` leads were created after `as_of`. `notes` is what
    the user of the result should know.
    """

    model: str
    fingerprint: str
    as_of: str | None
    rows: int
    scored: int
    rejected: int
    not_yet: int
    bands: dict[str, int]
    mean_prob: float | None
    scored_path: Path
    rejects_path: Path | None
    too_many_rejects: bool
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        rejects = None if self.rejects_path is None else str(self.rejects_path)
        return {**vars(self), "scored_path": str(self.scored_path), "rejects_path": rejects}


@dataclass
class _Tally:
    """What is counted while the chunks of a file are scored."""

    rejects: list[Reject] = field(default_factory=list)
    not_yet: list[Reject] = field(default_factory=list)
    bands: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("SQL", "MQL", "cold"), 0))
    scored: int = 0
    total_prob: float = 0.0
    too_old: int = 0
    closed: int = 0

    def count(self, leads: pa.Table, scores: FrameScores) -> None:
        """Count the scores of some leads."""
        self.scored += len(leads)
        self.total_prob += float(scores.probability.sum())
        for band in self.bands:
            self.bands[band] += int((scores.band == band).sum())


def score_file(
    project: Project,
    scorecard: Scorecard,
    model: str,
    source: Path,
    target: Path,
    as_of_us: int | None,
    activities: Sequence[Path] = (),
    progress: Progress = silent,
) -> BatchReport:
    """Score every lead of a file.

    The signals are those the scorecard was trained with, whatever signals.yaml says today; only the
    mapping of columns is read from the project. The result appears under its name only when it is
    whole.

    `model` is the text of the column `model`, ``name:version``. The source needs the id and the
    fields' columns, no outcomes; and the column of creation if the scorecard reads the lead's age.
    Columns out: lead_id, as_of, probability, score, points, band, fit (A best, to D), engagement (1
    best, to 4), model, fingerprint, reason_1 to reason_3 (signal and points against the average
    lead). Fit and engagement are texts, empty without such an axis. Grain and order: one row per
    row of the source that could be read; one per lead if the file is declared `duplicates: first`.
    `as_of_us` is the moment whose knowledge is used. If None, it is the extract that data.yaml
    names, else the earliest end of the files of activities; leads that need neither are scored
    without. `activities` replace the files of activities in data.yaml, as many and in their order.

    Raises ConfigError if `activities` are not as many as data.yaml has, or there is no moment to
    score as of.
    Raises DataError if a file cannot be read, or lacks a column.
    """
    catalog = read_catalog(scorecard, project.data, model)
    if target.suffix.lower() not in _ENDINGS:
        raise DataError(f"{target}: the result is written as {' or '.join(_ENDINGS)}; name it so")
    if source.resolve() == target.resolve():
        raise DataError(f"{target}: the result would overwrite the leads; name another file")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    oldest, tally = scorecard.training.get("oldest_days"), _Tally()
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        progress("reading activities and changes")
        known = read_side_tables(project, catalog, activities, Path(folder))
        as_of_us = find_as_of(project.data.extracted_at, catalog, known.activities, as_of_us)
        closed_ids = find_closed(project, as_of_us)
        try:
            with ScoredWriter(unfinished, parquet=is_parquet(target)) as writer:
                for leads in _read_leads(project, catalog, source, as_of_us, tally):
                    signals = read_signals(catalog, leads, known, as_of_us, project.limits)
                    scores = score_frame(scorecard, signals)
                    writer.write(to_scored_table(scorecard, model, leads, scores, as_of_us))
                    tally.count(leads, scores)
                    tally.closed += pc.sum(pc.is_in(leads["lead_id"], closed_ids)).as_py() or 0
                    tally.too_old += _count_older(leads, as_of_us, oldest)
                    progress("scoring", tally.scored)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    rejects_path = target.with_name(f"{target.name}.rejects.csv")
    rejects_path.unlink(missing_ok=True)
    left_out = sorted([*tally.rejects, *tally.not_yet], key=lambda reject: reject.line)
    if left_out:
        write_rejects(left_out, rejects_path)
    scored, rejected = tally.scored, len(tally.rejects)
    return BatchReport(
        model=model,
        fingerprint=scorecard.fingerprint,
        as_of=None if as_of_us is None else format_time(as_of_us),
        rows=scored + len(left_out),
        scored=scored,
        rejected=rejected,
        not_yet=len(tally.not_yet),
        bands=tally.bands,
        mean_prob=tally.total_prob / scored if scored else None,
        scored_path=target,
        rejects_path=rejects_path if left_out else None,
        too_many_rejects=rejected > project.data.max_reject_share * (scored + rejected),
        notes=[*_note_activities(known.activities, as_of_us), *_note_leads(tally, oldest)],
    )


def _read_leads(
    project: Project, catalog: Catalog, source: Path, as_of_us: int | None, tally: _Tally
) -> Iterator[pa.Table]:
    """Yield the leads to score, chunk by chunk, and count those that are not scored."""
    seen: set[str] = set()
    for table, refused in read_leads(project.data, catalog, source):
        tally.rejects += refused
        if project.data.leads.duplicates == "first":
            table = _first_rows(table, seen)
        if as_of_us is not None:
            later = pc.fill_null(pc.greater(table["created_us"], as_of_us), False)
            reason = f"created after {format_time(as_of_us)}, the moment of scoring"
            lines = table["line"].filter(later).to_pylist()
            tally.not_yet += [Reject(source.name, line, "", reason) for line in lines]
            table = table.filter(pc.invert(later))
        yield table


def _note_activities(read: ActivitiesRead | None, as_of_us: int | None) -> list[str]:
    if read is None:
        return []
    paths = ", ".join(str(file.path) for file in read.files)
    notes = [f"{read.activities:,} activities from {paths}"]
    for file in read.files:
        if as_of_us is not None and file.last_us is not None and as_of_us - file.last_us > DAY_US:
            days = (as_of_us - file.last_us) // DAY_US
            notes.append(
                f"{file.path.name} ends {days:,} days before, at {format_time(file.last_us)}: "
                "what leads did since is not seen"
            )
    return notes


def _note_leads(tally: _Tally, oldest: float | None) -> list[str]:
    notes = []
    if tally.too_old:
        notes.append(
            f"{tally.too_old:,} of {tally.scored:,} leads are older than any the model learned "
            f"from ({oldest:g} days): read their scores with care"
        )
    if tally.closed:
        notes.append(
            f"{tally.closed:,} of {tally.scored:,} leads had a deal closed by then: the model "
            "learned from open leads only"
        )
    return notes


def _first_rows(table: pa.Table, seen: set[str]) -> pa.Table:
    """Keep the first row of each lead, as training does where the file repeats them."""
    first = []
    for lead_id in table["lead_id"].to_pylist():
        first.append(lead_id not in seen)
        seen.add(lead_id)
    return table.filter(pa.array(first, pa.bool_()))


def _count_older(table: pa.Table, as_of_us: int | None, oldest_days: float | None) -> int:
    if as_of_us is None or oldest_days is None:
        return 0
    limit = as_of_us - round((oldest_days + 1.0) * DAY_US)
    return pc.sum(pc.less(table["created_us"], limit)).as_py() or 0


REASONS = 3
_FORMULA_STARTS = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def to_scored_table(
    scorecard: Scorecard, model: str, leads: pa.Table, scores: FrameScores, as_of_us: int | None
) -> pa.Table:
    """Return the rows of a scored file for n leads, in their order.

    Columns in: lead_id. Columns out: as `score_file` has them.
    """
    count = len(leads)
    fit, engagement = read_axes(scorecard, scores.contributions)
    as_of = "" if as_of_us is None else format_time(as_of_us)
    columns = {
        "lead_id": leads["lead_id"],
        "as_of": pa.array([as_of] * count, pa.string()),
        "probability": pa.array(scores.probability),
        "score": pa.array(100.0 * scores.probability),
        "points": pa.array(scorecard.points.total(scores.log_odds)),
        "band": pa.array(scores.band.tolist(), pa.string()),
        "fit": pa.array([grade or "" for grade in fit], pa.string()),
        "engagement": pa.array([grade or "" for grade in engagement], pa.string()),
        "model": pa.array([model] * count, pa.string()),
        "fingerprint": pa.array([scorecard.fingerprint] * count, pa.string()),
    }
    for number, reasons in enumerate(_reasons(scorecard, scores), start=1):
        columns[f"reason_{number}"] = pa.array(reasons, pa.string())
    return pa.table(columns)


def _reasons(scorecard: Scorecard, scores: FrameScores) -> list[list[str]]:
    """Name the largest contributions against the average lead: one list per place, n long."""
    names = [term.signal for term in scorecard.terms] + [f"cap:{name}" for name in scorecard.caps]
    means = np.array([term.mean for term in scorecard.terms] + [0.0] * len(scorecard.caps))
    worth = scorecard.points.part(scores.contributions - means)
    order = np.argsort(-np.abs(worth), axis=1, kind="stable")[:, :REASONS]
    places = []
    for place in range(REASONS):
        if place >= order.shape[1]:
            places.append([""] * len(worth))
            continue
        which = order[:, place]
        points = worth[np.arange(len(worth)), which]
        pairs, rows = np.unique(which + 1j * points, return_inverse=True)  # each text made once
        texts = [f"{names[int(pair.real)]} {pair.imag:+.1f}" for pair in pairs.tolist()]
        places.append([texts[row] for row in rows.tolist()])
    return places


class ScoredWriter:
    """Write tables one after the other into one CSV or Parquet file."""

    def __init__(self, path: Path, parquet: bool) -> None:
        self._path = path
        self._parquet = parquet

    def __enter__(self) -> "ScoredWriter":
        self._file: pq.ParquetWriter | None = None
        self._stream = None if self._parquet else self._path.open("w", encoding="utf-8", newline="")
        return self

    def write(self, table: pa.Table) -> None:
        """Append a table; all have the same columns."""
        if self._stream is None:
            if self._file is None:
                self._file = pq.ParquetWriter(self._path, table.schema)
            self._file.write_table(table)
            return
        writer = csv.writer(self._stream)
        if self._stream.tell() == 0:
            writer.writerow(table.schema.names)
        columns = [
            [escape_formula(text) for text in column.to_pylist()]
            if pa.types.is_string(column.type) else column.to_pylist()
            for column in table.columns
        ]  # fmt: skip
        writer.writerows(zip(*columns, strict=True))

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._stream):
            if file is not None:
                file.close()


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from running a cell of text as a formula (CWE-1236); numbers stay."""
    if text[:1] not in _FORMULA_STARTS or _NUMBER.fullmatch(text):
        return text
    return "'" + text
