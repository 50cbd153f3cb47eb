"""From a project's files to the normalised tables, and the rows that were rejected."""

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.ingest.activities import ActivitiesRead, note_activities, read_activities
from leadscore.pipeline.ingest.changes import note_unread, read_changes
from leadscore.pipeline.ingest.extract import find_extract, find_unusable_files, note_clocks
from leadscore.pipeline.ingest.files import Reject
from leadscore.pipeline.ingest.leads import read_leads
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.outcomes import OUTCOME_COLUMNS, note_unknown, read_outcomes
from leadscore.pipeline.ingest.texts import add_text_changes
from leadscore.pipeline.signals.history.reader import History


@dataclass(frozen=True)
class Ingested:
    """The normalised tables of one project.

    `leads` has lead_id (string), created_us (int64, null where there are no times), arrival
    (float64, null where there are none) and one column per field that a signal reads; sorted by
    time of creation, then arrival, then lead_id; one row per lead. `outcomes` has lead_id, status
    (won, lost or open), closed_us and recorded_us (int64, null if unknown); a lead may have several
    rows or none. `activities` and `changes` are None where no signal reads them. `extract_us` is
    when the data was taken, None without times. `rows` counts the rows of all files; `notes` is
    what a reader of the figures should know, `problems` why nothing should be learned from this.

    `source` is the leads' file as text, see `LeadsRead`; None if nobody asked for it. The file of
    activities lives as long as this object.
    """

    leads: pa.Table
    outcomes: pa.Table
    extract_us: int | None
    rows: int
    rejects: tuple[Reject, ...]
    notes: tuple[Note, ...]
    digest: str
    activities: ActivitiesRead | None = None
    changes: pa.Table | None = None
    problems: tuple[Note, ...] = ()
    source: pa.Table | None = field(default=None, repr=False)
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @property
    def history(self) -> History:
        """The tables that signals are read from."""
        path = None if self.activities is None else self.activities.path
        return History(self.leads, path, self.changes)


def ingest(project: Project, keep_source: bool = False) -> Ingested:
    """Read, type and check the files of a project.

    Rows that do not fit are left out, counted and kept as rejects. With `keep_source` the leads'
    file is kept as text too, which the audit reads.

    Raises DataError if a file cannot be read, no row is left, or more rows are rejected than
    ``max_reject_share`` allows.
    """
    config, catalog = project.data, project.catalog
    read = read_leads(project.leads_path, config, catalog, keep_source)
    notes, rejects, rows = list(read.notes), list(read.rejects), read.rows
    fields = list(catalog.stored)
    leads = read.table.select(["lead_id", "created_us", "arrival", *fields])
    if config.outcomes.file is None:
        outcomes = read.table.select(OUTCOME_COLUMNS)
        notes += note_unknown(config.outcomes, read.unread)
    else:
        deals = read_outcomes(config, project.data_folder)
        known = pc.is_in(deals.table["lead_id"], leads["lead_id"].combine_chunks())
        outcomes = deals.table.filter(known)
        notes += note_unknown(config.outcomes, deals.unread)
        orphans = len(deals.table) - len(outcomes)
        if orphans:
            text = f"{orphans:,} outcomes of leads that are not in the table"
            notes.append(Note("orphan outcomes", text, orphans, "outcomes"))
        rows, rejects = rows + deals.rows, rejects + deals.rejects
    digests = [digest_rows(leads.column_names, leads.to_batches()),
               digest_rows(outcomes.column_names, outcomes.to_batches())]  # fmt: skip
    activities, folder = None, None
    if catalog.reads_activities:
        folder = tempfile.TemporaryDirectory(prefix="leadscore-")
        activities = read_activities(
            [(project.data_folder / source.file, source) for source in config.activities],
            catalog.properties, Path(folder.name), config.max_reject_share, leads, project.limits,
        )  # fmt: skip
        closings = {*config.outcomes.won, *config.outcomes.lost}
        notes += note_activities(activities, catalog.activity_kinds, closings)
        rows, rejects = rows + activities.rows, rejects + activities.rejects
        digests.append(_digest_file(activities.path))
    changes = None
    if catalog.changing:
        changed = read_changes(config, project.data_folder, catalog)
        changes = add_text_changes(catalog, read.table, changed.table)
        notes += note_unread(changed.unread)
        rows, rejects = rows + changed.rows, rejects + changed.rejects
        digests.append(digest_rows(changes.column_names, changes.to_batches()))
    extract = find_extract(config, leads, outcomes, activities)
    notes += extract.notes + note_clocks(leads, outcomes, activities, extract.us)
    unusable = [] if activities is None else find_unusable_files(activities, extract.us)
    return Ingested(
        leads=leads,
        outcomes=outcomes,
        extract_us=extract.us,
        rows=rows,
        rejects=tuple(sorted(rejects, key=lambda reject: (reject.file, reject.line))),
        notes=tuple(notes),
        problems=(*extract.problems, *unusable),
        digest=hashlib.sha256(" ".join(digests).encode()).hexdigest(),
        activities=activities,
        changes=changes,
        source=read.source,
        _folder=folder,
    )


def _digest_file(path: Path) -> str:
    with pq.ParquetFile(path) as file:
        return digest_rows(file.schema_arrow.names, file.iter_batches())


def digest_rows(names: Sequence[str], batches: Iterable[pa.RecordBatch]) -> str:
    """Hash the rows of a table, whatever batches they come in.

    The columns hold text, int64 and float64. Their order counts. The result is a SHA-256 in
    hexadecimal digits.
    """
    parts = {name: [hashlib.sha256() for _ in range(3)] for name in names}
    for batch in batches:
        for name, (known, lengths, content) in parts.items():
            column = batch.column(name)
            known.update(column.is_valid().to_numpy(zero_copy_only=False).tobytes())
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                texts = column.fill_null("").cast(pa.large_binary())
                lengths.update(pc.binary_length(texts).to_numpy().tobytes())
                content.update(b"".join(texts.to_pylist()))
            else:
                content.update(column.fill_null(0).to_numpy().tobytes())
    whole = hashlib.sha256(repr(list(names)).encode())
    for hashes in parts.values():
        for one in hashes:
            whole.update(one.digest())
    return whole.hexdigest()
