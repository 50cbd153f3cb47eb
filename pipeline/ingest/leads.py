"""The leads' file: one row per lead, typed and checked."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import ROW_NUMBER, DataConfig
from leadscore.pipeline.config.project import columns_used
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.ingest.columns import ChunkReader
from leadscore.pipeline.ingest.files import (
    Chunk,
    Reject,
    TableRead,
    read_header,
    read_table,
    readable_columns,
)
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.outcomes import count_unknown, read_lead_outcomes
from leadscore.pipeline.ingest.rejects import check_rejects
from leadscore.pipeline.ingest.texts import derive_text_columns
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.values.fields import FieldSpec

LEAD_ID = "#lead_id"
"""The column of ids in the source table; no column of ours begins with # in a file."""


@dataclass(frozen=True)
class LeadsRead(TableRead):
    """The rows of a leads' file that fit, sorted by creation, arrival and lead_id.

    `table` has the columns of `normalise_leads` without line. `unread` counts the texts of outcomes
    that are in neither list. `source` is every row of the file, in its order: every readable column
    as text, null where it is blank, and ``#lead_id``; None without `keep_source`.
    """

    notes: list[Note]
    source: pa.Table | None = None


def read_leads(
    path: Path, config: DataConfig, catalog: Catalog, keep_source: bool = False
) -> LeadsRead:
    """Read, type and check a leads' file.

    Of rows with the same lead_id the first is kept; the rest are rejects, unless the file is
    declared `duplicates: first`.

    Raises DataError if the file cannot be read, no row is left, or more rows are rejected than
    allowed.
    """
    leads, used = config.leads, list(columns_used(config))
    header = read_header(path, leads.delimiter, leads.encoding)
    notes = _note_unused(path, config, header, used)
    shown = readable_columns(path, header) if keep_source else []
    wanted = [*used, *(column for column in shown if column not in used)]
    parts, source, rejects, rows = [], [], list[Reject](), 0
    unknown: Counter[str] = Counter()
    for chunk in read_table(path, wanted, leads.delimiter, leads.encoding):
        rows += chunk.rows
        table, refused = normalise_leads(chunk, config, catalog, with_outcomes=True)
        parts.append(table)
        rejects += refused
        if config.outcomes.file is None:
            unknown += count_unknown(config.outcomes, chunk)
        if keep_source:
            texts = {column: _to_text(chunk.table[column]) for column in shown}
            source.append(pa.table({**texts, LEAD_ID: ChunkReader(chunk).read_ids(leads.id)}))
    table = pa.concat_tables(parts)
    if leads.duplicates == "first":
        table, differing = _first_rows(table)
        if differing:
            text = (
                f"{differing:,} leads have other fields or times in a later row; the first counts"
            )
            notes.append(Note("differing rows", text, differing, "leads"))
    else:
        table, doubles = _drop_doubles(table, path.name)
        rejects += doubles
    check_rejects(path, config.max_reject_share, rejects, rows)
    names = ["created_us", "arrival", "lead_id"]
    table = table.sort_by([(name, "ascending") for name in names]).drop_columns(["line"])
    whole = pa.concat_tables(source) if keep_source else None
    return LeadsRead(table, rows, rejects, unknown, notes, whole)


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _note_unused(
    path: Path, config: DataConfig, header: Sequence[str], used: Collection[str]
) -> list[Note]:
    notes = [
        Note("absent columns", f"excluded names {column!r}, which {path.name} does not have")
        for column in sorted(set(config.excluded) - set(header))
    ]
    elsewhere = _columns_used_elsewhere(config)
    unnamed = [
        column for column in header
        if column not in used and column not in config.excluded and column not in elsewhere
    ]  # fmt: skip
    if unnamed:
        text = f"columns neither used nor excluded with a reason: {', '.join(unnamed)}"
        notes.append(Note("unused columns", text, len(unnamed)))
    return notes


def _columns_used_elsewhere(config: DataConfig) -> set[str]:
    """Return the columns that the leads' file feeds to outcomes or activities."""
    columns: set[str] = set()
    if config.outcomes.file == config.leads.file:
        columns |= {config.outcomes.column, config.outcomes.lead or ""}
        columns |= {s.column for s in (config.outcomes.closed, config.outcomes.recorded) if s}
    for source in config.activities:
        if source.file == config.leads.file:
            columns |= set(source.columns)
    return columns


def normalise_leads(
    chunk: Chunk, config: DataConfig, catalog: Catalog, *, with_outcomes: bool
) -> tuple[pa.Table, list[Reject]]:
    """Normalise a chunk of leads; training, scoring and explaining all read leads by this.

    Columns out: line and created_us (int64), lead_id, and those of `derive_text_columns`. With
    outcomes also arrival (float64), and status, closed_us and recorded_us if they are in this file.
    The chunk may lack the column of creation.
    """
    leads, reader = config.leads, ChunkReader(chunk)
    arrays = {"line": pa.array(chunk.lines, pa.int64()), "lead_id": reader.read_ids(leads.id)}
    created = leads.created
    if created is not None and created.column not in chunk.table.column_names:
        created = None
    arrays["created_us"] = reader.read_times(created, needed=True)
    if with_outcomes:
        arrays["arrival"] = _read_arrival(reader, leads.order)
        if config.outcomes.file is None:
            arrays |= read_lead_outcomes(config.outcomes, reader, arrays["created_us"])
    fields = reader.read_fields(leads.fields, catalog.fields)
    return reader.split_rejects({**arrays, **derive_text_columns(catalog, fields)})


def _read_arrival(reader: ChunkReader, order: str | None) -> pa.Array:
    if order is None:
        return pa.nulls(len(reader.chunk.lines), pa.float64())
    if order == ROW_NUMBER:
        return pa.array(reader.chunk.numbers, pa.float64())
    return reader.read_field(order, FieldSpec(type="number"), needed=True)


def _first_rows(table: pa.Table) -> tuple[pa.Table, int]:
    """Keep the first row of each lead, and count the leads with another row that differs."""
    names = [name for name in table.column_names if name != "line"]
    firsts = table.group_by("lead_id", use_threads=False).aggregate([("line", "min")])
    different = (
        table.group_by(names).aggregate([]).group_by("lead_id").aggregate([([], "count_all")])
    )
    differing = pc.sum(pc.greater(different["count_all"], 1)).as_py() or 0
    return table.filter(pc.is_in(table["line"], firsts["line_min"])), differing


def _drop_doubles(table: pa.Table, file: str) -> tuple[pa.Table, list[Reject]]:
    first: dict[str, int] = {}
    good, rejects = [], []
    for lead_id, line in zip(table["lead_id"].to_pylist(), table["line"].to_pylist(), strict=True):
        known = first.setdefault(lead_id, line)
        good.append(known == line)
        if known != line:
            reason = f"a lead_id that line {GAP} has already"
            rejects.append(Reject(file, line, "", reason, (str(known),)))
    return (table.filter(pa.array(good, pa.bool_())) if rejects else table), rejects
