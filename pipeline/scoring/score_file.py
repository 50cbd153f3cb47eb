"""Score a file: chunk by chunk, in the input's order, rejects in a file beside it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.models.score_frame import FrameScores, score_frame
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.snapshots import snapshot_at
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.files import Reject, is_parquet
from leadscore.pipeline.ingest.rejects import write_rejects
from leadscore.pipeline.ingest.texts import add_text_changes
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.scoring.inputs import (
    SideTables,
    drop_not_yet_created,
    find_as_of,
    read_catalog,
    read_chunks,
    read_leads,
    read_side_tables,
)
from leadscore.pipeline.scoring.output import ScoredWriter, to_scored_table
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.reader import History, read_history
from leadscore.pipeline.values.times import DAY_US, format_time

_ENDINGS = (".csv", ".parquet", ".pq")
_MOST_COPIES = 100


@dataclass(frozen=True)
class BatchReport:
    """What scoring a file came to.

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
        fit (A best, to D), engagement (1 best, to 4), model, fingerprint, reason_1 to reason_3
        (signal and points against the average lead); fit and engagement are texts, empty where
        the scorecard says nothing of them.
        Grain and order: one row per row of the source that could be read; one per lead, where the
        file is declared `duplicates: first`.
    as_of_us : int or None
        The moment whose knowledge is used. If None, the extract that data.yaml names, else the
        earliest end of the files of activities; leads that need neither are scored without.
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
    scored, total, too_old, closed = 0, 0.0, 0, 0
    leads_seen: set[str] = set()
    unborn: list[Reject] = []
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        progress("reading activities and changes")
        known = read_side_tables(project, catalog, activities, Path(folder))
        as_of_us = find_as_of(project, catalog, known, as_of_us)
        oldest = scorecard.training.get("oldest_days")
        closed_ids = known.closed_by(as_of_us)
        try:
            with ScoredWriter(unfinished, parquet=is_parquet(target)) as writer:
                for chunk in read_chunks(project, catalog, source):
                    table, refused = read_leads(project, catalog, source, chunk)
                    rejects += [*chunk.rejects, *refused]
                    if project.data.leads.duplicates == "first":
                        table = _first_rows(table, leads_seen)
                    table, later = drop_not_yet_created(table, source.name, as_of_us)
                    unborn += later
                    scores = _score(project, scorecard, catalog, table, known, as_of_us)
                    writer.write(to_scored_table(scorecard, model, table, scores, as_of_us))
                    scored += len(table)
                    closed += pc.sum(pc.is_in(table["lead_id"], closed_ids)).as_py() or 0
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
    left_out = sorted([*rejects, *unborn], key=lambda reject: reject.line)
    if left_out:
        write_rejects(left_out, beside)
    return BatchReport(
        model=model,
        fingerprint=scorecard.fingerprint,
        as_of=None if as_of_us is None else format_time(as_of_us),
        rows=scored + len(left_out),
        scored=scored,
        rejected=len(rejects),
        not_yet=len(unborn),
        bands=bands,
        mean_prob=total / scored if scored else None,
        scored_path=target,
        rejects_path=beside if left_out else None,
        too_many_rejects=len(rejects) > project.data.max_reject_share * (scored + len(rejects)),
        notes=[
            *_note_activities(known, as_of_us),
            *_note_leads(scored, too_old, oldest, closed),
        ],
    )


def _note_activities(known: SideTables, as_of_us: int | None) -> list[str]:
    if known.read is None:
        return []
    notes = [
        f"{known.read.activities:,} activities from "
        + ", ".join(str(file.path) for file in known.read.files)
    ]
    for file in known.read.files:
        if as_of_us is not None and file.last_us is not None and as_of_us - file.last_us > DAY_US:
            days = (as_of_us - file.last_us) // DAY_US
            notes.append(
                f"{file.path.name} ends {days:,} days before, at {format_time(file.last_us)}: "
                "what leads did since is not seen"
            )
    return notes


def _note_leads(scored: int, too_old: int, oldest: float | None, closed: int) -> list[str]:
    notes = []
    if too_old:
        notes.append(
            f"{too_old:,} of {scored:,} leads are older than any the model learned from "
            f"({oldest:g} days): read their scores with care"
        )
    if closed:
        notes.append(
            f"{closed:,} of {scored:,} leads had a deal closed by then: the model learned from "
            "open leads only"
        )
    return notes


def _first_rows(table: pa.Table, seen: set[str]) -> pa.Table:
    """Keep the first row of each lead, as training does where the file repeats them."""
    first = []
    for lead_id in table["lead_id"].to_pylist():
        first.append(lead_id not in seen)
        seen.add(lead_id)
    return table.filter(pa.array(first, pa.bool_()))


def _score(
    project: Project,
    scorecard: Scorecard,
    catalog: Catalog,
    table: pa.Table,
    known: SideTables,
    as_of_us: int | None,
) -> FrameScores:
    """Score each row for itself: a file may name a lead twice."""
    activities = None if known.read is None else known.read.path
    if activities is None and known.changes is None:
        rows = pa.array(map(str, range(len(table))), pa.string())
        renamed = table.set_column(table.schema.get_field_index("lead_id"), "lead_id", rows)
        signals = read_history(
            catalog, snapshot_at(renamed, as_of_us), History(renamed), project.limits
        )
        return score_frame(scorecard, signals)
    copy = table["lead_id"].to_pandas().groupby(table["lead_id"].to_pandas()).cumcount().to_numpy()
    if copy.max(initial=0) >= _MOST_COPIES:
        raise DataError(f"a lead stands in the file more than {_MOST_COPIES} times")
    parts, rows = [], []
    for number in range(int(copy.max(initial=0)) + 1):
        which = np.flatnonzero(copy == number)
        leads = table.take(pa.array(which))
        once = History(leads, activities, _changes_of(catalog, leads, known))
        parts.append(read_history(catalog, snapshot_at(leads, as_of_us), once, project.limits))
        rows.append(which)
    if len(parts) == 1:
        return score_frame(scorecard, parts[0])
    signals = pd.concat([part.set_axis(at) for part, at in zip(parts, rows, strict=True)])
    return score_frame(scorecard, signals.sort_index())


def _changes_of(catalog: Catalog, leads: pa.Table, known: SideTables) -> pa.Table | None:
    return None if known.changes is None else add_text_changes(catalog, leads, known.changes)


def _count_older(table: pa.Table, as_of_us: int | None, oldest_days: float | None) -> int:
    if as_of_us is None or oldest_days is None:
        return 0
    limit = as_of_us - round((oldest_days + 1.0) * DAY_US)
    return pc.sum(pc.less(table["created_us"], limit)).as_py() or 0
