"""The scored file: its columns, its reasons, and writing it as CSV or Parquet."""

import csv
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.models.score_frame import FrameScores, read_axes
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.values.times import format_time

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
