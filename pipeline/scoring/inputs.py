"""What scoring reads: the scorecard's catalogue, leads, activities and changes; and the signals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.data import ROW_NUMBER, DataConfig
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.snapshots import snapshot_at
from leadscore.pipeline.engine.duckdb_engine import Limits
from leadscore.pipeline.errors import ConfigError, DataError, NotFoundError, RefusalError
from leadscore.pipeline.ingest.activities import ActivitiesRead, read_activities
from leadscore.pipeline.ingest.changes import read_changes
from leadscore.pipeline.ingest.files import CHUNK_ROWS, Reject, read_header, read_table
from leadscore.pipeline.ingest.leads import normalise_leads
from leadscore.pipeline.ingest.outcomes import read_outcomes
from leadscore.pipeline.ingest.texts import add_text_changes
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.reader import History, Values, read_columns
from leadscore.pipeline.signals.text.readers import find_other_lists
from leadscore.pipeline.values.times import read_moment

_ROWS_WITH_ACTIVITIES = 10 * CHUNK_ROWS
"""Every chunk reads the activities again, so chunks are longer where there are any."""
_MOST_COPIES = 100


def read_catalog(scorecard: Scorecard, data: DataConfig, model: str) -> Catalog:
    """Return the catalogue a scorecard was trained with; data.yaml has to declare what it reads.

    Raises DataError if data.yaml lacks a field or property that the scorecard reads, or its
    activities.
    Raises RefusalError if the lists of words that texts are read by are not those of the training.
    """
    catalog = Catalog.model_validate(scorecard.definitions)
    check_word_lists(catalog, model)
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

    Raises RefusalError if a list differs.
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
    """What is known besides the leads' own file, read once: activities and changes."""

    activities: ActivitiesRead | None
    changes: pa.Table | None


def read_side_tables(
    project: Project, catalog: Catalog, activities: Sequence[Path], folder: Path
) -> SideTables:
    """Read the activities and changes that a catalogue needs; `folder` holds the former.

    Raises ConfigError if `activities` are not as many files as data.yaml describes.
    Raises DataError if a file cannot be read, or data.yaml does not describe it.
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
        changes = read_changes(project.data, project.data_folder, catalog).table
    elif catalog.changing:
        raise DataError(
            "data.yaml has no changes, which the model reads; declare them, or train again"
        )
    return SideTables(read, changes)


def find_closed(project: Project, as_of_us: int | None) -> pa.Array:
    """Return the leads with a deal that had closed by a moment, as far as is on file."""
    deals = project.data.outcomes.file
    if as_of_us is None or deals is None or not (project.data_folder / deals).is_file():
        return pa.array([], pa.string())
    closings = read_outcomes(project.data, project.data_folder).table
    closed = pc.fill_null(pc.less_equal(closings["closed_us"], as_of_us), False)
    return closings["lead_id"].filter(closed).combine_chunks()


def find_as_of(
    extracted_at: str | None,
    catalog: Catalog,
    activities: ActivitiesRead | None,
    as_of_us: int | None,
) -> int | None:
    """Return the moment to score as of: the one given, the extract, or where activities end.

    With several files of activities that is the earliest of their ends, as in training.

    Raises ConfigError if a moment is needed and there is none.
    """
    needs_moment = catalog.reads_activities or catalog.reads_age or bool(catalog.changing)
    if as_of_us is not None or not needs_moment:
        return as_of_us
    if extracted_at is not None:
        return read_moment(extracted_at)
    ends = [file.last_us for file in activities.files] if activities is not None else []
    known = [end for end in ends if end is not None]
    if not known:
        raise ConfigError(
            "--as-of: these signals need a moment, and neither extracted_at in data.yaml nor an "
            "activity names one"
        )
    return min(known)


def read_leads(
    data: DataConfig, catalog: Catalog, source: Path
) -> Iterator[tuple[pa.Table, list[Reject]]]:
    """Yield the leads of a file, chunk by chunk, normalised, and the rows that were rejected.

    The column of creation is needed for the lead's age. Otherwise it is read if it is there: a row
    refused in training is then refused here, and leads created after as_of are found.
    """
    leads = data.leads
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
    columns = list(dict.fromkeys(columns))
    for chunk in read_table(source, columns, leads.delimiter, leads.encoding, rows):
        yield normalise_leads(chunk, data, catalog, with_outcomes=False)


def find_lead(project: Project, catalog: Catalog, lead_id: str) -> pa.Table:
    """Return the first row of a lead in the project's own file, normalised.

    Raises DataError if the file cannot be read.
    Raises NotFoundError if it has no such lead.
    """
    path, any_rejects = project.leads_path, False
    for table, refused in read_leads(project.data, catalog, path):
        any_rejects |= bool(refused)
        found = table.filter(pc.equal(table["lead_id"], lead_id))
        if len(found):
            return found.slice(0, 1)
    rejected = " (some rows were rejected: see leadscore check)" if any_rejects else ""
    raise NotFoundError(f"{path}: no lead {lead_id!r}{rejected}")


def read_signals(
    catalog: Catalog,
    leads: pa.Table,
    known: SideTables,
    as_of_us: int | None,
    limits: Limits | None,
) -> dict[str, Values]:
    """Compute the signals of each row of `leads`, in its order; a lead may have several rows.

    Rows of one lead are read apart: the SQL text joins activities and changes by lead_id.

    Raises DataError if a lead has more rows than are read apart.
    """
    ids = leads["lead_id"].to_pandas()
    if known.activities is None and known.changes is None:  # nothing else is joined: ids may differ
        ids = pd.Series(range(len(leads)))
        texts = pa.array(map(str, ids), pa.string())
        leads = leads.set_column(leads.schema.get_field_index("lead_id"), "lead_id", texts)
    copy: npt.NDArray[np.int64] = ids.groupby(ids).cumcount().to_numpy()
    if copy.max(initial=0) >= _MOST_COPIES:
        raise DataError(f"a lead stands in the file more than {_MOST_COPIES} times")
    activities = None if known.activities is None else known.activities.path
    parts, order = [], []
    for number in range(int(copy.max(initial=0)) + 1):
        rows = np.flatnonzero(copy == number)
        part, changes = leads.take(pa.array(rows)), known.changes
        if changes is not None:
            changes = add_text_changes(catalog, part, changes)
        history = History(part, activities, changes)
        parts.append(read_columns(catalog, snapshot_at(part, as_of_us), history, limits))
        order.append(rows)
    if len(parts) == 1:
        return parts[0]
    back = np.argsort(np.concatenate(order))
    return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}
