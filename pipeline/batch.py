"""Score a file: chunk by chunk, in the input's order, rejects in a file beside it."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.frame import FrameScores, score_frame
from models.scorecard import Scorecard
from pipeline.declarations import ROW_NUMBER, DataConfig
from pipeline.errors import ConfigError, DataError
from pipeline.ingestion.activities import ActivitiesRead, read_activities
from pipeline.ingestion.changes import read_changes
from pipeline.ingestion.columns import read_fields, read_ids, read_times
from pipeline.ingestion.rejects import Problems, keep_rows, write_rejects
from pipeline.ingestion.tables import CHUNK_ROWS, Chunk, Reject, is_parquet, read_table
from pipeline.progress import Progress, silent
from pipeline.scored_file import ScoredWriter, to_scored_table
from pipeline.settings import Project
from pipeline.signals.catalog import Catalog
from pipeline.signals.matrix import History, read_history
from pipeline.values import DAY_US, format_time, read_moment

_ENDINGS = (".csv", ".parquet", ".pq")
_ROWS_WITH_ACTIVITIES = 10 * CHUNK_ROWS
"""Every chunk reads the activities once more, so with them chunks are longer."""
_MOST_COPIES = 100


@dataclass(frozen=True)
class BatchReport:
    """What scoring a file came to; `notes` is what its user should know."""

    model: str
    fingerprint: str
    as_of: str | None
    rows: int
    scored: int
    rejected: int
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

    Parameters
    ----------
    project : Project
    scorecard : Scorecard
    model : str
        What the column `model` says, ``name:version``.
    source : Path
        CSV or Parquet; needs the id and the fields' columns, no outcomes; where the scorecard reads
        the lead's age, the column of creation too.
    target : Path
        CSV or Parquet, by its ending. Columns out: lead_id, as_of, probability, score, band,
        model, fingerprint, reason_1 to reason_3 (signal and points against the average lead).
        Grain and order: one row per row of the source that could be read.
    as_of_us : int or None
        The moment whose knowledge is used. If None, the extract that data.yaml names, else the
        last activity; leads that need neither are scored without a moment.
    activities : sequence of Path
        In place of the files of activities in data.yaml, as many and in their order.
    progress : Progress

    Returns
    -------
    BatchReport

    Raises
    ------
    ConfigError
        If `activities` are not as many as data.yaml has, or there is no moment to score as of.
    DataError
        If a file cannot be read, or lacks a column.
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
    scored, total, too_old = 0, 0.0, 0
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        known = _read_known(project, catalog, activities, Path(folder), progress)
        as_of_us = _find_as_of(project, catalog, known, as_of_us)
        oldest = scorecard.training.get("oldest_days")
        try:
            with ScoredWriter(unfinished, parquet=is_parquet(target)) as writer:
                for chunk in _chunks(project, catalog, source):
                    table, refused = _read_leads(project, catalog, source, chunk, as_of_us)
                    rejects += [*chunk.rejects, *refused]
                    scores = _score(project, scorecard, catalog, table, known, as_of_us)
                    writer.write(to_scored_table(scorecard, model, table, scores, as_of_us))
                    scored += len(table)
                    too_old += _count_older(table, as_of_us, oldest)
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
        as_of=None if as_of_us is None else format_time(as_of_us),
        rows=scored + len(rejects),
        scored=scored,
        rejected=len(rejects),
        bands=bands,
        mean_prob=total / scored if scored else None,
        scored_path=target,
        rejects_path=beside if rejects else None,
        too_many_rejects=len(rejects) > project.data.most_rejects * (scored + len(rejects)),
        notes=_notes(known, too_old, scored, oldest),
    )


def _notes(known: "_Known", too_old: int, scored: int, oldest: float | None) -> list[str]:
    notes = []
    if known.read is not None:
        files = ", ".join(str(file.path) for file in known.read.files)
        notes.append(f"{known.read.activities:,} activities from {files}")
    if too_old:
        notes.append(
            f"{too_old:,} of {scored:,} leads are older than any the model learned from "
            f"({oldest:g} days): read their scores with care"
        )
    return notes


def read_catalog(scorecard: Scorecard, project: Project, model: str) -> Catalog:
    """Return the catalogue a scorecard was trained with; the project has to know what it reads.

    Raises
    ------
    DataError
        If data.yaml lacks a field or property that the scorecard reads, or its activities.
    """
    catalog = Catalog.model_validate(scorecard.definitions)
    data = project.data
    missing = [name for name in catalog.fields if name not in data.leads.fields]
    if missing:
        raise DataError(
            f"data.yaml has no field {', '.join(missing)}, which {model} reads; "
            "declare it under leads.fields, or train again"
        )
    properties = {name for source in data.activities for name in source.properties}
    missing = sorted(set(catalog.properties) - properties)
    if missing or (catalog.reads_activities and not data.activities):
        raise DataError(
            f"data.yaml has no activities{' with ' if missing else ''}{', '.join(missing)}, which "
            f"{model} reads; declare them under activities, or train again"
        )
    return catalog


@dataclass(frozen=True)
class _Known:
    """What is known beside the leads' own file: activities and changes, read once."""

    read: ActivitiesRead | None
    changes: pa.Table | None


def _read_known(
    project: Project,
    catalog: Catalog,
    activities: Sequence[Path],
    folder: Path,
    progress: Progress,
) -> _Known:
    sources, read, changes = project.data.activities, None, None
    if activities and len(activities) != len(sources):
        raise ConfigError(
            f"--activities: {len(activities)} files given, data.yaml describes {len(sources)}; "
            "give one for each, in its order"
        )
    if catalog.reads_activities:
        progress("reading the activities")
        paths = activities or [project.data_folder / source.file for source in sources]
        read = read_activities(
            list(zip(paths, sources, strict=True)), catalog.properties, folder,
            project.data.most_rejects, limits=project.limits,
        )  # fmt: skip
    if catalog.changing and project.data.changes is not None:
        changes = read_changes(project, catalog).table
    elif catalog.changing:
        raise DataError(
            "data.yaml has no changes, which the model reads; declare them, or train again"
        )
    return _Known(read, changes)


def _find_as_of(
    project: Project, catalog: Catalog, known: _Known, as_of_us: int | None
) -> int | None:
    needed = catalog.reads_activities or catalog.reads_age or bool(catalog.changing)
    if as_of_us is not None or not needed:
        return as_of_us
    if project.data.extract is not None:
        return read_moment(project.data.extract)
    ends = [file.last_us for file in known.read.files] if known.read is not None else []
    if not any(end is not None for end in ends):
        raise ConfigError("--as-of: these signals need a moment, and neither data.yaml (extract) "
                          "nor an activity names one")  # fmt: skip
    return max(end for end in ends if end is not None)


def _chunks(project: Project, catalog: Catalog, source: Path) -> Iterator[Chunk]:
    leads = project.data.leads
    columns = [leads.fields[name].column or name for name in catalog.fields]
    if leads.id != ROW_NUMBER:
        columns.append(leads.id)
    if catalog.reads_age:
        columns.append(_created(project.data))
    rows = _ROWS_WITH_ACTIVITIES if catalog.reads_activities else CHUNK_ROWS
    return read_table(source, list(dict.fromkeys(columns)), leads.delimiter, leads.encoding, rows)


def _created(data: DataConfig) -> str:
    if data.leads.created is None:
        raise DataError("the model reads the lead's age, and data.yaml has no leads.created")
    return data.leads.created.column


def _read_leads(
    project: Project, catalog: Catalog, source: Path, chunk: Chunk, as_of_us: int | None
) -> tuple[pa.Table, list[Reject]]:
    leads = project.data.leads
    problems: Problems = {}
    arrays = {
        "lead_id": read_ids(chunk, leads.id, problems),
        "created_us": pa.nulls(len(chunk.lines), pa.int64()),
    }
    if catalog.reads_age and leads.created is not None and as_of_us is not None:
        created = arrays["created_us"] = read_times(chunk, leads.created, problems, needed=True)
        later = pc.fill_null(pc.greater(created, as_of_us), False)
        for row in np.flatnonzero(later.to_numpy(zero_copy_only=False)):
            problems.setdefault(
                int(row), (leads.created.column, f"created after {format_time(as_of_us)}, as of "
                           "which is scored"),
            )  # fmt: skip
    arrays |= read_fields(leads.fields, catalog.fields, chunk, problems)
    return keep_rows(pa.table(arrays), source.name, chunk.lines, problems)


def _score(
    project: Project,
    scorecard: Scorecard,
    catalog: Catalog,
    table: pa.Table,
    known: _Known,
    as_of_us: int | None,
) -> FrameScores:
    """Score each row for itself: a file may name a lead twice."""
    activities = None if known.read is None else known.read.path
    history = History(table, activities, known.changes)
    if activities is None and known.changes is None:
        rows = pa.array(map(str, range(len(table))), pa.string())
        renamed = table.set_column(table.schema.get_field_index("lead_id"), "lead_id", rows)
        history = replace(history, leads=renamed)
        signals = read_history(catalog, _look_at(renamed, as_of_us), history, project.limits)
        return score_frame(scorecard, signals)
    copy = table["lead_id"].to_pandas().groupby(table["lead_id"].to_pandas()).cumcount().to_numpy()
    if copy.max(initial=0) >= _MOST_COPIES:
        raise DataError(f"a lead stands in the file more than {_MOST_COPIES} times")
    parts, rows = [], []
    for number in range(int(copy.max(initial=0)) + 1):
        which = np.flatnonzero(copy == number)
        leads = table.take(pa.array(which))
        once = replace(history, leads=leads)
        parts.append(read_history(catalog, _look_at(leads, as_of_us), once, project.limits))
        rows.append(which)
    if len(parts) == 1:
        return score_frame(scorecard, parts[0])
    signals = pd.concat([part.set_axis(at) for part, at in zip(parts, rows, strict=True)])
    return score_frame(scorecard, signals.sort_index())


def _look_at(leads: pa.Table, as_of_us: int | None) -> pa.Table:
    """Return one snapshot of every lead, all as of one moment."""
    return pa.table(
        {
            "snapshot_id": pa.array(range(len(leads)), pa.int64()),
            "lead_id": leads["lead_id"],
            "as_of_us": pa.array([as_of_us] * len(leads), pa.int64()),
        }
    )


def _count_older(table: pa.Table, as_of_us: int | None, oldest_days: float | None) -> int:
    if as_of_us is None or oldest_days is None:
        return 0
    limit = as_of_us - round((oldest_days + 1.0) * DAY_US)
    return pc.sum(pc.less(table["created_us"], limit)).as_py() or 0
