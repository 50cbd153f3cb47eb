"""The files of activities: typed, without duplicates, in one order, as one Parquet file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.pipeline.config.data import ActivitiesConfig
from leadscore.pipeline.engine.duckdb_engine import Limits
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.ingest.columns import (
    ARROW_TYPE,
    read_fields,
    read_ids,
    read_text,
    read_times,
)
from leadscore.pipeline.ingest.deduplicate import deduplicate_activities
from leadscore.pipeline.ingest.files import Chunk, Reject, read_table
from leadscore.pipeline.ingest.notes import Note, NoteKind, note_values
from leadscore.pipeline.ingest.rejects import Problems, check_rejects, drop_rejected
from leadscore.pipeline.values.fields import FieldSpec

ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class ActivitiesRead:
    """The activities of a project.

    `path` is a Parquet file of activity_id, lead_id, kind, occurred_us, recorded_us, one column
    per property that a signal reads, and place; sorted by place. `files` has the counts of each
    file. `duplicates` counts the rows whose activity_id another has, `conflicts` those of them that
    differ, `strangers` the rows of leads that are not in the leads' table, with
    `stranger` one such lead.
    """

    path: Path
    files: list["FileRead"]
    rejects: list[Reject]
    activities: int
    kinds: dict[str, int]
    duplicates: int = 0
    conflicts: int = 0
    strangers: int = 0
    stranger: str | None = None

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(file.rows for file in self.files)


@dataclass
class FileRead:
    """What one file of activities came to; times in UTC microseconds, None without a row."""

    path: Path
    rows: int = 0
    left_out: int = 0
    first_us: int | None = None
    last_us: int | None = None
    early_records: int = 0
    strangers: int = 0
    rejects: list[Reject] = field(default_factory=list)

    def count(self, table: pa.Table, leads: pa.Table | None) -> None:
        """Take the rows of a chunk into account, those of leads that are not in a table too."""
        if leads is not None:
            known = pc.is_in(table["lead_id"], leads["lead_id"].combine_chunks())
            self.strangers += len(table) - (pc.sum(known).as_py() or 0)
        times = pc.min_max(table["occurred_us"])
        for name, pick in (("first_us", min), ("last_us", max)):
            found = times[name.removesuffix("_us").replace("first", "min").replace("last", "max")]
            known = [m for m in (getattr(self, name), found.as_py()) if m is not None]
            setattr(self, name, pick(known, default=None))
        early = pc.less(table["recorded_us"], table["occurred_us"])
        self.early_records += pc.sum(early).as_py() or 0


def read_activities(
    configs: Sequence[tuple[Path, ActivitiesConfig]],
    properties: Mapping[str, FieldSpec],
    folder: Path,
    max_reject_share: float,
    leads: pa.Table | None = None,
    limits: Limits | None = None,
) -> ActivitiesRead:
    """Read every file of activities into one normalised Parquet file.

    Of rows with the same activity_id the one recorded first is kept; of those the smallest by
    lead_id, occurred_us, kind and properties. Kinds that any file leaves out are left out of all,
    before that, as the live reader does, which knows of no files.

    At most the share `max_reject_share` of a file's rows may be rejected. With `leads`, activities
    of other leads are left out and counted.

    Raises DataError if a file cannot be read, or too much of it is rejected.
    """
    raw = folder / "activities_as_read.parquet"
    left_out = pa.array(sorted({kind for _, c in configs for kind in c.excluded}), pa.string())
    files = []
    with pq.ParquetWriter(raw, _schema(properties), compression="zstd") as writer:
        for path, config in configs:
            file = FileRead(path)
            for table in _read_file(file, config, properties, leads, left_out):
                writer.write_table(table)
            check_rejects(path, max_reject_share, file.rejects, file.rows)
            files.append(file)
    settled = folder / "activities.parquet"
    counts = deduplicate_activities(raw, settled, properties, leads, limits)
    raw.unlink()
    rejects = [reject for file in files for reject in file.rejects]
    return ActivitiesRead(settled, files, rejects, **counts)


def _schema(properties: Mapping[str, FieldSpec]) -> pa.Schema:
    return pa.schema(
        [
            ("activity_id", pa.string()),
            ("lead_id", pa.string()),
            ("kind", pa.string()),
            ("occurred_us", pa.int64()),
            ("recorded_us", pa.int64()),
            *((name, ARROW_TYPE[spec.type]) for name, spec in properties.items()),
        ]
    )


def _read_file(
    file: FileRead,
    config: ActivitiesConfig,
    properties: Mapping[str, FieldSpec],
    leads: pa.Table | None,
    left_out: pa.Array,
) -> Any:
    specs = {name: spec for name, spec in properties.items() if name in config.properties}
    columns = config.columns_for(specs)
    schema = _schema(properties)
    for chunk in read_table(
        file.path, columns, config.delimiter, config.encoding, rows=ROWS_AT_ONCE
    ):
        problems: Problems = {}
        arrays = _normalise(config, chunk, problems)
        arrays |= read_fields(config.properties, specs, chunk, problems)
        for name, spec in properties.items():
            if name not in arrays:
                arrays[name] = pa.nulls(len(chunk.lines), ARROW_TYPE[spec.type])
        table, rejects = drop_rejected(
            pa.table([arrays[name] for name in schema.names], schema=schema),
            file.path.name, chunk.lines, problems,
        )  # fmt: skip
        file.rows += len(chunk.lines) + len(chunk.rejects)
        file.rejects += [*chunk.rejects, *rejects]
        if len(left_out):
            kept = table.filter(pc.invert(pc.is_in(table["kind"], left_out)))
            file.left_out += len(table) - len(kept)
            table = kept
        file.count(table, leads)
        yield table


def _normalise(config: ActivitiesConfig, chunk: Chunk, problems: Problems) -> dict[str, pa.Array]:
    count = len(chunk.lines)
    arrays = {"lead_id": read_ids(chunk, config.lead, problems)}
    if isinstance(config.kind, str):
        arrays["kind"] = read_ids(chunk, config.kind, problems)
    else:
        arrays["kind"] = pa.array([config.kind.constant] * count, pa.string())
    arrays["occurred_us"] = read_times(chunk, config.occurred, problems, needed=True)
    arrays["recorded_us"] = arrays["occurred_us"]
    if config.recorded is not None:
        recorded = read_times(chunk, config.recorded, problems)
        arrays["recorded_us"] = pc.coalesce(recorded, arrays["occurred_us"])
    arrays["activity_id"] = pa.nulls(count, pa.string())
    if config.id is not None:
        arrays["activity_id"] = read_text(chunk, config.id, problems)
    return arrays


def note_activities(read: ActivitiesRead, wanted: set[str], closings: set[str]) -> list[Note]:
    """Note what a reader of the figures should know of the activities.

    `wanted` are the kinds that signals name, `closings` the words for closed outcomes.
    """
    notes = [_note_excluded(file) for file in read.files if file.left_out]
    counted: tuple[tuple[NoteKind, int, str, tuple[str, ...]], ...] = (
        ("duplicate activities", read.duplicates,
         "duplicate activities dropped, the first recorded kept", ()),
        ("conflicting activity ids", read.conflicts,
         "activity ids have different contents in different rows; are the ids of two tools mixed?",
         ()),
        ("orphan activities", read.strangers,
         f"activities of leads that are not in the leads' table, for example {GAP}",
         (repr(read.stranger),)),
    )  # fmt: skip
    notes += [
        Note(kind, f"{count:,} {text}", count, "activities", values)
        for kind, count, text, values in counted
        if count
    ]
    notes += [_note_early(file) for file in read.files if file.early_records]
    outcomes = sorted(closings & set(read.kinds))
    if outcomes:
        text = f"activities that name the outcome itself: {', '.join(outcomes)}"
        notes.append(Note("outcome activities", text))
    absent = sorted(wanted - set(read.kinds))
    if absent:
        text = f"signals name kinds of activities that never occur: {', '.join(absent)}"
        notes.append(Note("absent kinds", text))
    unread = sorted(set(read.kinds) - wanted)
    if unread and wanted:
        notes.append(
            note_values("unread kinds", "kinds of activities that no signal names: ", unread[:20])
        )
    return notes


def _note_excluded(file: FileRead) -> Note:
    text = f"{file.path.name}: {file.left_out:,} activities of kinds excluded in data.yaml"
    return Note("excluded kinds", text, file.left_out, "activities")


def _note_early(file: FileRead) -> Note:
    text = (
        f"{file.path.name}: {file.early_records:,} activities recorded before they occurred; "
        "they count from when they occurred"
    )
    return Note("recorded too early", text, file.early_records, "activities")
