"""The leads' file: one row per lead, typed and checked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import ROW_NUMBER, DataConfig
from leadscore.pipeline.config.project import Project, columns_used
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.ingest.columns import normalise_column, read_ids, read_times
from leadscore.pipeline.ingest.files import Chunk, Reject, read_header, read_table
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.outcomes import check_closing, count_unknown, status_reader
from leadscore.pipeline.ingest.rejects import (
    Problems,
    add_problems,
    check_rejects,
    drop_rejected,
    need_values,
)
from leadscore.pipeline.ingest.texts import read_profile
from leadscore.pipeline.values.fields import FieldSpec, make_normaliser

_ORDER = make_normaliser(FieldSpec(type="number"))


@dataclass(frozen=True)
class LeadsRead:
    """What a leads' file holds: its rows that fit, sorted by creation, arrival and lead_id.

    `table` has lead_id, created_us, arrival, one column per field that a signal reads
    and per signal made from texts (see `read_profile`), and status,
    closed_us and recorded_us of the outcome where it stands in the same file. `unknown` counts the
    texts of outcomes that stand in neither list.
    """

    table: pa.Table
    rows: int
    rejects: list[Reject]
    notes: list[Note]
    unknown: Counter[str]


def read_leads(project: Project) -> LeadsRead:
    """Read, type and check the leads' file of a project.

    Of rows with the same lead_id the first is kept; the rest are rejects, unless the file is
    declared `duplicates: first`.

    Raises
    ------
    DataError
        If the file cannot be read, no row is left, or more rows are rejected than allowed.
    """
    path, config = project.leads_path, project.data
    used = columns_used(project)
    notes = _note_unused(project, used)
    parts, rejects, rows = [], list[Reject](), 0
    unknown: Counter[str] = Counter()
    for chunk in read_table(path, list(used), config.leads.delimiter, config.leads.encoding):
        rows += len(chunk.lines) + len(chunk.rejects)
        table, refused = _normalise(project, chunk)
        parts.append(table)
        rejects += [*chunk.rejects, *refused]
        if config.outcomes.file is None:
            unknown += count_unknown(config.outcomes, chunk)
    table = pa.concat_tables(parts)
    if config.leads.duplicates == "first":
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
    return LeadsRead(table, rows, rejects, notes, unknown)


def _note_unused(project: Project, used: Mapping[str, str]) -> list[Note]:
    path, config = project.leads_path, project.data
    header = read_header(path, config.leads.delimiter, config.leads.encoding)
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


def _normalise(project: Project, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
    leads, outcomes = project.data.leads, project.data.outcomes
    problems: Problems = {}
    nothing = pa.nulls(len(chunk.lines))
    arrays = {
        "line": pa.array(chunk.lines, pa.int64()),
        "lead_id": read_ids(chunk, leads.id, problems),
        "created_us": nothing.cast(pa.int64()),
        "arrival": nothing.cast(pa.float64()),
    }
    if leads.created is not None:
        arrays["created_us"] = read_times(chunk, leads.created, problems, needed=True)
    if leads.order == ROW_NUMBER:
        arrays["arrival"] = pa.array(chunk.numbers, pa.float64())
    elif leads.order is not None:
        arrays["arrival"], misfits = normalise_column(
            chunk.table[leads.order], _ORDER, pa.float64()
        )
        add_problems(problems, leads.order, misfits)
        need_values(arrays["arrival"], leads.order, problems)
    if outcomes.file is None:
        arrays |= _read_outcomes(project.data, chunk, arrays["created_us"], problems)
    arrays |= read_profile(leads.fields, project.catalog, chunk, problems)
    return drop_rejected(pa.table(arrays), project.leads_path.name, chunk.lines, problems)


def _read_outcomes(
    config: DataConfig, chunk: Chunk, created: pa.Array, problems: Problems
) -> dict[str, pa.Array]:
    outcomes = config.outcomes
    nothing = pa.nulls(len(chunk.lines)).cast(pa.int64())
    status, _ = normalise_column(chunk.table[outcomes.column], status_reader(outcomes), pa.string())
    arrays = {"status": status.fill_null(outcomes.other_is), "closed_us": nothing}
    if outcomes.closed is not None:
        arrays["closed_us"] = read_times(chunk, outcomes.closed, problems)
        check_closing({**arrays, "created_us": created}, outcomes.closed.column, problems)
    arrays["recorded_us"] = arrays["closed_us"]
    if outcomes.recorded is not None:
        recorded = read_times(chunk, outcomes.recorded, problems)
        arrays["recorded_us"] = pc.coalesce(recorded, arrays["closed_us"])
    return arrays


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
