"""Score a file: chunk by chunk, in the input's order, rejects in a file beside it."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.frame import FrameScores, score_frame
from models.scorecard import Scorecard
from pipeline.dataset import read_history
from pipeline.declarations import ROW_NUMBER
from pipeline.errors import DataError
from pipeline.ingest import keep_rows, normalise_fields, row_ids, write_rejects
from pipeline.progress import Progress, silent
from pipeline.settings import Project
from pipeline.signals.catalog import Catalog
from pipeline.snapshots import take_snapshots
from pipeline.tables import Chunk, Reject, is_parquet, read_table
from pipeline.values import format_time

REASONS = 3
_ENDINGS = (".csv", ".parquet", ".pq")
_FORMULA_STARTS = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True)
class BatchReport:
    """What scoring a file came to."""

    model: str
    fingerprint: str
    rows: int
    scored: int
    rejected: int
    bands: dict[str, int]
    mean_prob: float | None
    scored_path: Path
    rejects_path: Path | None
    too_many_rejects: bool

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        rejects = None if self.rejects_path is None else str(self.rejects_path)
        return {**vars(self), "scored_path": str(self.scored_path), "rejects_path": rejects}


def score_file(
    project: Project,
    scorecard: Scorecard,
    model: str,
    source: Path,
    target: Path,
    as_of_us: int | None,
    progress: Progress = silent,
) -> BatchReport:
    """Score every lead of a file.

    The signals are those the scorecard was trained with, whatever signals.yaml says today; only the
    mapping of columns to fields is read from the project. The result appears under its name only
    when it is whole.

    Parameters
    ----------
    project : Project
    scorecard : Scorecard
    model : str
        What the column `model` says, ``name:version``.
    source : Path
        CSV or Parquet; needs the id and the fields' columns, no outcomes.
    target : Path
        CSV or Parquet, by its ending. Columns out: lead_id, as_of, probability, score, band,
        model, fingerprint, reason_1 to reason_3 (signal and points against the average lead).
        Grain and order: one row per row of the source that could be read.
    as_of_us : int or None
        Fills as_of; blank if None.
    progress : Progress

    Returns
    -------
    BatchReport

    Raises
    ------
    DataError
        If the source cannot be read, or lacks a column.
    """
    catalog = read_catalog(scorecard, project, model)
    if target.suffix.lower() not in _ENDINGS:
        raise DataError(f"{target}: the result is written as {' or '.join(_ENDINGS)}; name it so")
    if source.resolve() == target.resolve():
        raise DataError(f"{target}: the result would overwrite the leads; name another file")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    rejects: list[Reject] = []
    bands = dict.fromkeys(("SQL", "MQL", "cold"), 0)
    scored, total = 0, 0.0
    try:
        with _Writer(unfinished, parquet=is_parquet(target)) as writer:
            for chunk in _chunks(project, catalog, source):
                table, refused = _read_leads(project, catalog, source, chunk)
                rejects += [*chunk.rejects, *refused]
                scores = _score(scorecard, catalog, table)
                writer.write(_to_table(scorecard, model, table, scores, as_of_us))
                scored += len(table)
                total += float(scores.probability.sum())
                for band in bands:
                    bands[band] += int((scores.band == band).sum())
                progress("scoring", scored)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    beside = target.with_name(f"{target.name}.rejects.csv")
    beside.unlink(missing_ok=True)
    if rejects:
        write_rejects(sorted(rejects, key=lambda reject: reject.line), beside)
    return BatchReport(
        model=model,
        fingerprint=scorecard.fingerprint,
        rows=scored + len(rejects),
        scored=scored,
        rejected=len(rejects),
        bands=bands,
        mean_prob=total / scored if scored else None,
        scored_path=target,
        rejects_path=beside if rejects else None,
        too_many_rejects=len(rejects) > project.data.most_rejects * (scored + len(rejects)),
    )


def read_catalog(scorecard: Scorecard, project: Project, model: str) -> Catalog:
    """Return the catalogue a scorecard was trained with; the project has to know its fields.

    Raises
    ------
    DataError
        If data.yaml lacks a field that the scorecard reads.
    """
    catalog = Catalog.model_validate(scorecard.definitions)
    missing = [name for name in catalog.fields if name not in project.data.leads.fields]
    if missing:
        raise DataError(
            f"data.yaml has no field {', '.join(missing)}, which {model} reads; "
            "declare it under leads.fields, or train again"
        )
    return catalog


def _chunks(project: Project, catalog: Catalog, source: Path) -> Iterator[Chunk]:
    leads = project.data.leads
    columns = [leads.fields[name].column or name for name in catalog.fields]
    if leads.id != ROW_NUMBER:
        columns.append(leads.id)
    return read_table(source, list(dict.fromkeys(columns)), leads.delimiter, leads.encoding)


def _read_leads(
    project: Project, catalog: Catalog, source: Path, chunk: Chunk
) -> tuple[pa.Table, list[Reject]]:
    problems: dict[int, tuple[str, str]] = {}
    arrays = {"lead_id": row_ids(chunk, project.data.leads.id, problems)}
    arrays |= normalise_fields(project.data, catalog.fields, chunk, problems)
    return keep_rows(pa.table(arrays), source.name, chunk.lines, problems)


def _score(scorecard: Scorecard, catalog: Catalog, table: pa.Table) -> FrameScores:
    # A file may name a lead twice; each row is scored for itself, so rows stand in for ids here.
    rows = pa.array(map(str, range(len(table))), pa.string())
    leads = table.drop_columns(["lead_id"]).append_column("lead_id", rows)
    leads = leads.append_column("created_us", pa.nulls(len(table), pa.int64()))
    leads = leads.append_column("arrival", pa.nulls(len(table), pa.float64()))
    signals = read_history(catalog, take_snapshots(leads, (0.0,)), leads)
    return score_frame(scorecard, signals)


def _to_table(
    scorecard: Scorecard, model: str, leads: pa.Table, scores: FrameScores, as_of_us: int | None
) -> pa.Table:
    count = len(leads)
    as_of = "" if as_of_us is None else format_time(as_of_us)
    columns = {
        "lead_id": leads["lead_id"],
        "as_of": pa.array([as_of] * count, pa.string()),
        "probability": pa.array(scores.probability),
        "score": pa.array(100.0 * scores.probability),
        "band": pa.array(scores.band.tolist(), pa.string()),
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
    worth = scorecard.points.per_log_odds * (scores.contributions - means)
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


class _Writer:
    """Write tables one after the other into one CSV or Parquet file."""

    def __init__(self, path: Path, parquet: bool) -> None:
        self._path = path
        self._parquet = parquet

    def __enter__(self) -> "_Writer":
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
            [_no_formula(text) for text in column.to_pylist()]
            if pa.types.is_string(column.type) else column.to_pylist()
            for column in table.columns
        ]  # fmt: skip
        writer.writerows(zip(*columns, strict=True))

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._stream):
            if file is not None:
                file.close()


def _no_formula(text: str) -> str:
    """Keep a spreadsheet from running a cell of text as a formula (CWE-1236); numbers stay."""
    if text[:1] not in _FORMULA_STARTS or _NUMBER.fullmatch(text):
        return text
    return "'" + text
