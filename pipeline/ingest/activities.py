"""The files of activities: typed, without duplicates, in one order, as one Parquet file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.config.data import ActivitiesConfig
from leadscore.pipeline.engine.duckdb_engine import Limits, open_engine
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.ingest.columns import ARROW_TYPE, ChunkReader
from leadscore.pipeline.ingest.files import Reject, read_table
from leadscore.pipeline.ingest.notes import Note, NoteKind, note_values
from leadscore.pipeline.ingest.rejects import check_rejects
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
) -> Iterator[pa.Table]:
    specs = {name: spec for name, spec in properties.items() if name in config.properties}
    columns = config.columns_for(specs)
    for chunk in read_table(
        file.path, columns, config.delimiter, config.encoding, rows=ROWS_AT_ONCE
    ):
        reader = ChunkReader(chunk)
        arrays = {**_read_common(config, reader), **reader.read_fields(config.properties, specs)}
        ordered = {
            column.name: arrays.get(column.name, pa.nulls(len(chunk.lines), column.type))
            for column in _schema(properties)
        }
        table, rejects = reader.split_rejects(ordered)
        file.rows += chunk.rows
        file.rejects += rejects
        if len(left_out):
            kept = table.filter(pc.invert(pc.is_in(table["kind"], left_out)))
            file.left_out += len(table) - len(kept)
            table = kept
        file.count(table, leads)
        yield table


def _read_common(config: ActivitiesConfig, reader: ChunkReader) -> dict[str, pa.Array]:
    arrays = {"lead_id": reader.read_ids(config.lead)}
    if isinstance(config.kind, str):
        arrays["kind"] = reader.read_ids(config.kind)
    else:
        arrays["kind"] = pa.array([config.kind.constant] * len(reader.chunk.lines), pa.string())
    arrays["occurred_us"] = reader.read_times(config.occurred, needed=True)
    arrays["recorded_us"] = reader.read_times(config.recorded, otherwise=arrays["occurred_us"])
    if config.id is not None:
        arrays["activity_id"] = reader.read_field(config.id, FieldSpec())
    return arrays


def deduplicate_activities(
    raw: Path | pa.Table,
    settled: Path,
    properties: Mapping[str, FieldSpec],
    leads: pa.Table | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Leave out duplicates and strangers, sort, number: from typed rows to the normalised file.

    Columns in: activity_id (text or null), lead_id, kind, occurred_us, recorded_us, and the
    properties. Columns out: the same and place. Grain: one row per activity.

    The result has the counts of `ActivitiesRead`, by their names there.
    """
    names = ["activity_id", "lead_id", "kind", "occurred_us", "recorded_us"]
    names += [quote_name(name) for name in properties]
    facts = "".join(f", {quote_name(name)} NULLS FIRST" for name in properties)
    tables: dict[str, pa.Table | Path] = {"read": raw}
    known = ""
    if leads is not None:
        tables["leads"] = leads.select(["lead_id"])
        known = " WHERE lead_id IN (SELECT lead_id FROM leads)"
    with open_engine(tables, limits, settled.parent) as engine:
        engine.define("raw", f"SELECT * FROM read{known}")
        counts = engine.query(_count_doubles(names)).to_pylist()[0]
        kept = _keep(names, facts, has_doubles=counts.pop("ids") > 0)
        if leads is not None:
            strangers = (
                "SELECT COUNT(*) AS strangers, MIN(lead_id) AS stranger FROM read "
                "WHERE lead_id NOT IN (SELECT lead_id FROM leads)"
            )
            counts |= engine.query(strangers).to_pylist()[0]
        engine.write(
            f"SELECT *, ROW_NUMBER() OVER () AS place FROM (SELECT * FROM ({kept}) AS kept "
            f"ORDER BY lead_id, occurred_us, activity_id NULLS FIRST, recorded_us, kind{facts}"
            ") AS sorted",
            settled,
        )
        engine.add("settled", settled)
        kinds = "SELECT kind, COUNT(*) AS activities FROM settled GROUP BY kind ORDER BY kind"
        found = {row["kind"]: row["activities"] for row in engine.query(kinds).to_pylist()}
    return {**counts, "kinds": found, "activities": sum(found.values())}


_DOUBLED = (
    "SELECT activity_id FROM raw WHERE activity_id IS NOT NULL "
    "GROUP BY activity_id HAVING COUNT(*) > 1"
)


def _count_doubles(names: list[str]) -> str:
    """Count ids of several rows, the surplus rows, and the ids whose rows differ.

    Names of our own begin with #, which no property's does.
    """
    compared = ", ".join(name for name in names if name != "recorded_us")
    return (
        "SELECT COUNT(*) AS ids, "
        'CAST(COALESCE(SUM("#copies"), 0) - COUNT(*) AS BIGINT) AS duplicates, '
        'COUNT(CASE WHEN "#stories" > 1 THEN 1 END) AS conflicts FROM ('
        'SELECT SUM("#copies") AS "#copies", COUNT(*) AS "#stories" FROM ('
        f'SELECT activity_id, COUNT(*) AS "#copies" FROM raw WHERE activity_id IN ({_DOUBLED}) '
        f"GROUP BY {compared}) AS stories GROUP BY activity_id) AS doubled"
    )


def _keep(names: list[str], facts: str, has_doubles: bool) -> str:
    """Select each activity once: of those with one id the first recorded, then the smallest."""
    columns = ", ".join(names)
    if not has_doubles:
        return f"SELECT {columns} FROM raw"
    return (
        f"SELECT {columns} FROM raw "
        f"WHERE activity_id IS NULL OR activity_id NOT IN ({_DOUBLED}) UNION ALL "
        f"SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY activity_id "
        f'ORDER BY recorded_us, lead_id, occurred_us, kind{facts}) AS "#copy" '
        f'FROM raw WHERE activity_id IN ({_DOUBLED})) AS copies WHERE "#copy" = 1'
    )


def note_activities(read: ActivitiesRead, wanted: set[str], closings: set[str]) -> list[Note]:
    """Note what a reader of the figures should know of the activities.

    `wanted` are the kinds that signals name, `closings` the words for closed outcomes.
    """
    counted: list[tuple[NoteKind, int, str, str, tuple[str, ...]]] = [
        ("excluded kinds", file.left_out, f"{file.path.name}: ",
         "activities of kinds excluded in data.yaml", ())
        for file in read.files
    ]  # fmt: skip
    counted += [
        ("duplicate activities", read.duplicates, "",
         "duplicate activities dropped, the first recorded kept", ()),
        ("conflicting activity ids", read.conflicts, "",
         "activity ids have different contents in different rows; are the ids of two tools mixed?",
         ()),
        ("orphan activities", read.strangers, "",
         f"activities of leads that are not in the leads' table, for example {GAP}",
         (repr(read.stranger),)),
    ]  # fmt: skip
    counted += [
        ("recorded too early", file.early_records, f"{file.path.name}: ",
         "activities recorded before they occurred; they count from when they occurred", ())
        for file in read.files
    ]  # fmt: skip
    notes = [
        Note(kind, f"{where}{count:,} {text}", count, "activities", values)
        for kind, count, where, text, values in counted
        if count
    ]
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
