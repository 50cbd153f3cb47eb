"""Outcomes as the export spells them: won, lost or open, and when they closed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import DataConfig, OutcomesConfig
from leadscore.pipeline.errors import GAP, DataError
from leadscore.pipeline.ingest.columns import ChunkReader, normalise_column
from leadscore.pipeline.ingest.files import Chunk, Reject, TableRead, read_table
from leadscore.pipeline.ingest.notes import Note, NoteKind, note_values
from leadscore.pipeline.ingest.rejects import check_rejects
from leadscore.pipeline.values.fields import FieldSpec, Misfit, make_normaliser

OUTCOME_COLUMNS = ("lead_id", "status", "closed_us", "recorded_us")


def read_outcomes(data: DataConfig, folder: Path) -> TableRead:
    """Read the deals of a file of outcomes that closed, a row per deal.

    Columns out: ``OUTCOME_COLUMNS``. A deal that was won at an unknown time is a reject, and yet a
    row without closed_us: its lead must not count as not won. Rows that are neither won nor lost
    are unread.

    Raises DataError if the file cannot be read, or more of its closings are rejected than allowed.
    """
    config = data.outcomes
    if config.file is None or config.lead is None or config.closed is None:
        raise ValueError("this project's outcomes have no file of their own")
    path = folder / config.file
    times = [spec.column for spec in (config.closed, config.recorded) if spec is not None]
    columns = list(dict.fromkeys([config.lead, config.column, *times]))
    parts, rejects, rows, unknown = [], list[Reject](), 0, Counter[str]()
    for chunk in read_table(path, columns, config.delimiter, config.encoding):
        unknown += count_unknown(config, chunk)
        status, closings = _find_closings(config, chunk)
        rows += closings.rows
        reader = ChunkReader(closings)
        arrays = {"lead_id": reader.read_ids(config.lead), "status": status}
        arrays["closed_us"] = reader.read_times(config.closed, needed=True)
        arrays["recorded_us"] = reader.read_times(config.recorded, otherwise=arrays["closed_us"])
        table, refused = reader.split_rejects(arrays)
        undated = pc.and_(pc.equal(status, "won"), pc.is_null(arrays["closed_us"]))
        known = pc.and_(undated, pc.is_valid(arrays["lead_id"]))
        parts += [table, pa.table(arrays).filter(known)]
        rejects += refused
    if rows == 0:
        found = ", ".join(repr(text[:30]) for text, _ in unknown.most_common(5)) or "nothing"
        raise DataError(
            f"{path}: no row whose {config.column!r} is won or lost; found {GAP}: see "
            "outcomes.won and outcomes.lost in data.yaml",
            (found,),
        )
    check_rejects(path, data.max_reject_share, rejects, rows)
    order = [(name, "ascending") for name in ("lead_id", "closed_us", "status", "recorded_us")]
    return TableRead(pa.concat_tables(parts).sort_by(order), rows, rejects, unknown)


def _find_closings(config: OutcomesConfig, chunk: Chunk) -> tuple[pa.Array, Chunk]:
    """Return the rows of a chunk that are won or lost, and which of both they are."""
    status, _ = normalise_column(chunk.table[config.column], status_reader(config), pa.string())
    kept = status.is_valid()
    rows = pc.indices_nonzero(kept).to_pylist()
    lines, numbers = ([found[row] for row in rows] for found in (chunk.lines, chunk.numbers))
    closings = Chunk(chunk.file, chunk.table.filter(kept), lines, numbers, chunk.rejects)
    return status.drop_null(), closings


def status_reader(outcomes: OutcomesConfig) -> Callable[[object], str | None]:
    """Return the function from a text of the outcome's column to won, lost, or None for neither."""
    plain = make_normaliser(FieldSpec())
    won, lost = ({plain(word) for word in words} for words in (outcomes.won, outcomes.lost))
    words = dict.fromkeys(won, "won") | dict.fromkeys(lost, "lost")
    words.pop(None, None)

    def read(value: object) -> str | None:
        if isinstance(value, bool):
            value = str(value).lower() if str(value).lower() in words else int(value)
        return words.get(plain(value))

    return read


def count_unknown(outcomes: OutcomesConfig, chunk: Chunk) -> Counter[str]:
    """Count the texts of the outcome's column that are neither under won nor under lost."""
    read, counts = status_reader(outcomes), Counter[str]()
    for pair in chunk.table[outcomes.column].value_counts().to_pylist():
        value = pair["values"]
        blank = value is None or value != value or not str(value).strip()
        if not blank and read(value) is None:
            counts[str(value)] = pair["counts"]
    return counts


def note_unknown(outcomes: OutcomesConfig, unknown: Counter[str]) -> list[Note]:
    """Note the texts that are in neither list, the most frequent first."""
    if not unknown:
        return []
    shown = [f"{text[:30]!r} ({count} rows)" for text, count in unknown.most_common(5)]
    own = outcomes.file is None
    meaning = f"taken for {outcomes.other_is}" if own else "no closing"
    lost = own and outcomes.other_is == "lost"
    kind: NoteKind = "unknown outcomes lost" if lost else "unknown outcomes"
    text = f"outcomes in neither list, {meaning}: "
    return [note_values(kind, text, shown, unknown.total())]


def read_lead_outcomes(
    outcomes: OutcomesConfig, reader: ChunkReader, created: pa.Array
) -> dict[str, pa.Array]:
    """Return status, closed_us and recorded_us from the leads' own file.

    A row is rejected if its closing time does not fit its outcome or its creation.
    """
    status, _ = normalise_column(
        reader.chunk.table[outcomes.column], status_reader(outcomes), pa.string()
    )
    status, closed = status.fill_null(outcomes.other_is), reader.read_times(outcomes.closed)
    if outcomes.closed is not None:
        won, dated = pc.equal(status, "won"), closed.is_valid()
        for wrong, reason in (
            (pc.and_not(won, dated), "blank, though the lead is won"),
            (pc.and_(pc.equal(status, "open"), dated),
             "closed, though its outcome is neither won nor lost"),
            (pc.less(closed, created), "closed before the lead was created"),
        ):  # fmt: skip
            rows = pc.indices_nonzero(pc.fill_null(wrong, False)).to_pylist()
            reader.add_problems(outcomes.closed.column, dict.fromkeys(rows, Misfit(reason)))
    recorded = reader.read_times(outcomes.recorded, otherwise=closed)
    return {"status": status, "closed_us": closed, "recorded_us": recorded}
