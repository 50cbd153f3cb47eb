"""What scoring a file reads: the scorecard's signals, the leads in chunks, activities, changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.data import ROW_NUMBER
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.errors import ConfigError, DataError, RefusalError
from leadscore.pipeline.ingest.activities import ActivitiesRead, read_activities
from leadscore.pipeline.ingest.changes import read_changes
from leadscore.pipeline.ingest.columns import read_ids, read_times
from leadscore.pipeline.ingest.files import CHUNK_ROWS, Chunk, Reject, read_header, read_table
from leadscore.pipeline.ingest.outcomes import read_outcomes
from leadscore.pipeline.ingest.rejects import Problems, drop_rejected
from leadscore.pipeline.ingest.texts import read_profile
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.text.readers import find_other_lists
from leadscore.pipeline.values.times import format_time, read_moment

_ROWS_WITH_ACTIVITIES = 10 * CHUNK_ROWS
"""Every chunk reads the activities once more, so with them chunks are longer."""


def read_catalog(scorecard: Scorecard, project: Project, model: str) -> Catalog:
    """Return the catalogue a scorecard was trained with; the project has to know what it reads.

    Raises
    ------
    DataError
        If data.yaml lacks a field or property that the scorecard reads, or its activities.
    RefusalError
        If the lists of words that texts are read by are not those of the training.
    """
    catalog = Catalog.model_validate(scorecard.definitions)
    check_word_lists(catalog, model)
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


def check_word_lists(catalog: Catalog, model: str) -> None:
    """Refuse to read texts by other lists of words than those of the training.

    Raises
    ------
    RefusalError
        If a list differs.
    """
    other = find_other_lists(catalog)
    if other:
        raise RefusalError(
            f"{model} read texts by other lists of {', '.join(other)} than this release has; "
            "train again, or install the release (and its packages of mail domains) it was "
            "trained with"
        )


@dataclass(frozen=True)
class SideTables:
    """What is known beside the leads' own file, read once: activities, changes, deals."""

    read: ActivitiesRead | None
    changes: pa.Table | None
    closings: pa.Table | None = None

    def closed_by(self, as_of_us: int | None) -> pa.Array:
        """Return the leads with a deal that had closed by a moment, as far as is on file."""
        if self.closings is None or as_of_us is None:
            return pa.array([], pa.string())
        closed = pc.fill_null(pc.less_equal(self.closings["closed_us"], as_of_us), False)
        return self.closings["lead_id"].filter(closed).combine_chunks()


def read_side_tables(
    project: Project, catalog: Catalog, activities: Sequence[Path], folder: Path
) -> SideTables:
    """Read the activities and changes that a catalogue needs; `folder` holds the former.

    Raises
    ------
    ConfigError
        If `activities` are not as many files as data.yaml describes.
    DataError
        If a file cannot be read, or data.yaml knows nothing of it.
    """
    sources, read, changes = project.data.activities, None, None
    if activities and len(activities) != len(sources):
        raise ConfigError(
            f"--activities: {len(activities)} files given, data.yaml describes {len(sources)}; "
            "give one for each, in its order"
        )
    if catalog.reads_activities:
        paths = activities or [project.data_folder / source.file for source in sources]
        read = read_activities(
            list(zip(paths, sources, strict=True)), catalog.properties, folder,
            project.data.max_reject_share, limits=project.limits,
        )  # fmt: skip
    if catalog.changing and project.data.changes is not None:
        changes = read_changes(project, catalog).table
    elif catalog.changing:
        raise DataError(
            "data.yaml has no changes, which the model reads; declare them, or train again"
        )
    deals = project.data.outcomes.file
    has_deals = deals is not None and (project.data_folder / deals).is_file()
    return SideTables(read, changes, read_outcomes(project).table if has_deals else None)


def find_as_of(
    project: Project, catalog: Catalog, known: SideTables, as_of_us: int | None
) -> int | None:
    """Return the moment to score as of: the one given, the extract, or where activities end.

    With several files of activities that is the earliest of their ends, as in training.

    Raises
    ------
    ConfigError
        If a moment is needed and there is none.
    """
    if as_of_us is not None or not _needs_moment(catalog):
        return as_of_us
    if project.data.extracted_at is not None:
        return read_moment(project.data.extracted_at)
    ends = [file.last_us for file in known.read.files] if known.read is not None else []
    if not any(end is not None for end in ends):
        raise ConfigError("--as-of: these signals need a moment, and neither data.yaml (extract) "
                          "nor an activity names one")  # fmt: skip
    return min(end for end in ends if end is not None)


def _needs_moment(catalog: Catalog) -> bool:
    return catalog.reads_activities or catalog.reads_age or bool(catalog.changing)


def read_chunks(project: Project, catalog: Catalog, source: Path) -> Iterator[Chunk]:
    """Yield what a file of leads holds of the columns that are needed.

    The column of creation is needed for the lead's age; otherwise it is taken if it is there, so
    that a row refused in training is refused here, and leads of a later day than as_of are told.
    """
    leads = project.data.leads
    columns = [leads.fields[name].column or name for name in catalog.fields]
    if leads.id != ROW_NUMBER:
        columns.append(leads.id)
    if leads.created is not None:
        header = read_header(source, leads.delimiter, leads.encoding)
        if catalog.reads_age or leads.created.column in header:
            columns.append(leads.created.column)
    elif catalog.reads_age:
        raise DataError("the model reads the lead's age, and data.yaml has no leads.created")
    rows = _ROWS_WITH_ACTIVITIES if catalog.reads_activities else CHUNK_ROWS
    return read_table(source, list(dict.fromkeys(columns)), leads.delimiter, leads.encoding, rows)


def read_leads(
    project: Project, catalog: Catalog, source: Path, chunk: Chunk
) -> tuple[pa.Table, list[Reject]]:
    """Normalise a chunk of leads: line, lead_id, created_us and the fields; rejects beside them."""
    leads = project.data.leads
    problems: Problems = {}
    arrays = {
        "line": pa.array(chunk.lines, pa.int64()),
        "lead_id": read_ids(chunk, leads.id, problems),
        "created_us": pa.nulls(len(chunk.lines), pa.int64()),
    }
    spec = leads.created
    if spec is not None and spec.column in chunk.table.column_names:
        arrays["created_us"] = read_times(chunk, spec, problems, needed=True)
    arrays |= read_profile(leads.fields, catalog, chunk, problems)
    return drop_rejected(pa.table(arrays), source.name, chunk.lines, problems)


def drop_not_yet_created(
    table: pa.Table, file: str, as_of_us: int | None
) -> tuple[pa.Table, list[Reject]]:
    """Part leads into those that were there as of a moment, and rejects for those created later."""
    if as_of_us is None:
        return table, []
    later = pc.fill_null(pc.greater(table["created_us"], as_of_us), False)
    reason = f"created after {format_time(as_of_us)}, as of which is scored"
    lines = table["line"].filter(later).to_pylist()
    return table.filter(pc.invert(later)), [Reject(file, line, "", reason) for line in lines]
