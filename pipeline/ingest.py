"""From the leads' file to the normalised tables, with what was rejected kept beside them."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.columns import normalise_column
from pipeline.declarations import ROW_NUMBER, DataConfig
from pipeline.errors import DataError
from pipeline.outcomes import check_closing, count_unknown, note_unknown, status_reader
from pipeline.settings import Project, columns_used
from pipeline.tables import Chunk, Reject, read_header, read_table
from pipeline.values import FieldSpec, format_time, make_normaliser, make_time_reader, read_moment

ARROW_TYPE = {"text": pa.string(), "number": pa.float64(), "flag": pa.float64()}
_IDENTIFIER = make_normaliser(FieldSpec())
_ORDER = make_normaliser(FieldSpec(type="number"))


@dataclass(frozen=True)
class Ingested:
    """The normalised tables of one project.

    `leads` has lead_id (string), created_us (int64, null where there are no times), arrival
    (float64, null where there are none) and one column per field that a signal reads; sorted by
    time of creation, then arrival, then lead_id; one row per lead. `outcomes` has lead_id, status
    (won, lost or open), closed_us (int64, null if unknown). `extract_us` is when the data was
    taken, None without times. `rows` counts the rows of the file; `notes` is what a reader of the
    figures should know.
    """

    leads: pa.Table
    outcomes: pa.Table
    extract_us: int | None
    rows: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]
    digest: str


def ingest(project: Project) -> Ingested:
    """Read, type and check the leads' file of a project.

    Rows that do not fit are left out, counted and kept as rejects. Of rows with the same lead_id
    the first is kept; the rest are rejects.

    Parameters
    ----------
    project : Project

    Returns
    -------
    Ingested

    Raises
    ------
    DataError
        If the file cannot be read, no row is left, or more rows are rejected than
        ``most_rejects`` allows.
    """
    path, config = project.leads_path, project.data
    used = columns_used(project)
    notes = _note_unused(path, config, used)
    parts, rejects, rows = [], list[Reject](), 0
    unknown: Counter[str] = Counter()
    for chunk in read_table(path, list(used), config.leads.delimiter, config.leads.encoding):
        rows += len(chunk.lines) + len(chunk.rejects)
        table, refused = _normalise(project, chunk)
        parts.append(table)
        rejects += [*chunk.rejects, *refused]
        unknown += count_unknown(config.outcomes, chunk)
    table = pa.concat_tables(parts)
    table, doubles = _drop_doubles(table, path.name)
    rejects += doubles
    if rows == 0:
        raise DataError(f"{path}: a header and no row")
    _check_rejects(path, config, rejects, rows)
    if not len(table):
        raise DataError(f"{path}: all {rows} rows are rejected; the first: {rejects[0].reason}")
    names = ["created_us", "arrival", "lead_id"]
    table = table.sort_by([(name, "ascending") for name in names])
    extract_us = _extract_us(config, table)
    notes += note_unknown(config.outcomes, unknown)
    if config.extract is None and extract_us is not None:
        notes.append(
            f"no extract in data.yaml: the latest time is taken, {format_time(extract_us)}"
        )
    fields = list(project.catalog.fields)
    return Ingested(
        table.select(["lead_id", "created_us", "arrival", *fields]),
        table.select(["lead_id", "status", "closed_us"]),
        extract_us,
        rows,
        tuple(sorted(rejects, key=lambda reject: reject.line)),
        tuple(notes),
        _digest(table.drop_columns(["line"])),
    )


def _note_unused(path: Path, config: DataConfig, used: Mapping[str, str]) -> list[str]:
    header = read_header(path, config.leads.delimiter, config.leads.encoding)
    absent = sorted(set(config.left_out) - set(header))
    notes = [f"left_out names {column!r}, which {path.name} does not have" for column in absent]
    unnamed = [column for column in header if column not in used and column not in config.left_out]
    if unnamed:
        notes.append(f"columns neither used nor left out with a reason: {', '.join(unnamed)}")
    return notes


def _normalise(project: Project, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
    leads, outcomes = project.data.leads, project.data.outcomes
    file, lines = project.leads_path.name, pa.array(chunk.lines, pa.int64())
    problems: dict[int, tuple[str, str]] = {}

    def read(column: str, normalise: object, kind: pa.DataType) -> pa.Array:
        values, reasons = normalise_column(chunk.table[column], normalise, kind)  # type: ignore[arg-type]
        for row, reason in reasons.items():
            problems.setdefault(row, (column, reason))
        return values

    nothing = pa.nulls(len(lines))
    arrays = {"line": lines, "lead_id": row_ids(chunk, leads.id, problems)}
    arrays["created_us"] = nothing.cast(pa.int64())
    if leads.created is not None:
        reader = make_time_reader(leads.created)
        arrays["created_us"] = read(leads.created.column, reader, pa.int64())
        _need(arrays["created_us"], leads.created.column, problems)
    arrays["arrival"] = nothing.cast(pa.float64())
    if leads.order == ROW_NUMBER:
        arrays["arrival"] = pa.array(chunk.numbers, pa.float64())
    elif leads.order is not None:
        arrays["arrival"] = read(leads.order, _ORDER, pa.float64())
        _need(arrays["arrival"], leads.order, problems)
    arrays["status"] = read(outcomes.column, status_reader(outcomes), pa.string()).fill_null(
        outcomes.rest_is
    )
    arrays["closed_us"] = nothing.cast(pa.int64())
    if outcomes.closed is not None:
        reader = make_time_reader(outcomes.closed)
        arrays["closed_us"] = read(outcomes.closed.column, reader, pa.int64())
        check_closing(arrays, outcomes.closed.column, problems)
    arrays |= normalise_fields(project.data, project.catalog.fields, chunk, problems)
    return keep_rows(pa.table(arrays), file, chunk.lines, problems)


def normalise_fields(
    config: DataConfig,
    specs: Mapping[str, FieldSpec],
    chunk: Chunk,
    problems: dict[int, tuple[str, str]],
) -> dict[str, pa.Array]:
    """Normalise the profile fields of a chunk; rows that do not fit go into `problems`.

    Returns
    -------
    dict of str to Array
        One column per field in `specs`: string, or float64 for numbers and flags.
    """
    arrays = {}
    for name, spec in specs.items():
        column = config.leads.fields[name].column or name
        kind = ARROW_TYPE[spec.type]
        values, reasons = normalise_column(chunk.table[column], make_normaliser(spec), kind)
        arrays[name] = values
        for row, reason in reasons.items():
            problems.setdefault(row, (column, reason))
    return arrays


def row_ids(chunk: Chunk, column: str, problems: dict[int, tuple[str, str]]) -> pa.Array:
    """Return the lead_id of every row of a chunk, as text; a row without one is a problem."""
    if column == ROW_NUMBER:
        return pa.array([str(number) for number in chunk.numbers])
    values, reasons = normalise_column(chunk.table[column], _IDENTIFIER, pa.string())
    for row, reason in reasons.items():
        problems.setdefault(row, (column, reason))
    _need(values, column, problems)
    return values


def keep_rows(
    table: pa.Table, file: str, lines: list[int], problems: Mapping[int, tuple[str, str]]
) -> tuple[pa.Table, list[Reject]]:
    """Part a table into the rows without a problem, and rejects."""
    if not problems:
        return table, []
    rejects = [Reject(file, lines[row], *problems[row]) for row in sorted(problems)]
    good = pa.array([row not in problems for row in range(len(lines))])
    return table.filter(good), rejects


def _need(values: pa.Array, column: str, problems: dict[int, tuple[str, str]]) -> None:
    if values.null_count:
        for row, known in enumerate(values.is_valid().to_pylist()):
            if not known:
                problems.setdefault(row, (column, "blank where a value is needed"))


def _drop_doubles(table: pa.Table, file: str) -> tuple[pa.Table, list[Reject]]:
    first: dict[str, int] = {}
    good, rejects = [], []
    for lead_id, line in zip(table["lead_id"].to_pylist(), table["line"].to_pylist(), strict=True):
        known = first.setdefault(lead_id, line)
        good.append(known == line)
        if known != line:
            rejects.append(Reject(file, line, "", f"a lead_id that line {known} has already"))
    return (table.filter(pa.array(good, pa.bool_())) if rejects else table), rejects


def _check_rejects(path: Path, config: DataConfig, rejects: list[Reject], rows: int) -> None:
    if len(rejects) <= config.most_rejects * rows:
        return
    reasons = Counter((reject.column, reject.reason) for reject in rejects)
    (column, reason), count = reasons.most_common(1)[0]
    first = next(r.line for r in rejects if (r.column, r.reason) == (column, reason))
    where = f"column {column!r}: " if column else ""
    raise DataError(
        f"{path}: {len(rejects)} of {rows} rows rejected, at most {config.most_rejects:.0%} are "
        f"allowed (most_rejects); most often {where}{reason} ({count} rows, first at line {first})"
    )


def _extract_us(config: DataConfig, table: pa.Table) -> int | None:
    if config.leads.created is None:
        return None
    if config.extract is not None:
        return read_moment(config.extract)
    times = [*table["created_us"].to_pylist(), *table["closed_us"].to_pylist()]
    return max((moment for moment in times if moment is not None), default=None)


def _digest(table: pa.Table) -> str:
    """Hash the normalised rows, so that the same data has the same digest in any file format."""
    digest = hashlib.sha256(repr(table.schema.names).encode())
    for chunked in table.columns:
        column = chunked.combine_chunks()
        digest.update(column.is_valid().to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_string(column.type):
            digest.update(pc.binary_length(column).fill_null(0).to_numpy().tobytes())
            digest.update("".join(column.drop_null().to_pylist()).encode())
        else:
            digest.update(column.fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write rejects as a CSV beside the result: file, line, column, reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "line", "column", "reason"])
        writer.writerows((r.file, r.line, r.column, r.reason) for r in rejects)
