"""Outcomes as the export spells them: won, lost or open, and when they closed."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import DataConfig, OutcomesConfig
from leadscore.pipeline.errors import GAP, DataError
from leadscore.pipeline.ingest.columns import normalise_column, read_ids, read_times
from leadscore.pipeline.ingest.files import Chunk, Reject, TableRead, read_table
from leadscore.pipeline.ingest.notes import Note, note_values
from leadscore.pipeline.ingest.rejects import Problems, check_rejects, drop_rejected, need_values
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
        rejects += chunk.rejects
        closings = _closings(config, chunk)
        rows += len(closings.lines) + len(chunk.rejects)
        table, refused = _normalise(config, path.name, closings)
        parts.append(table)
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


def _closings(config: OutcomesConfig, chunk: Chunk) -> Chunk:
    """Return the rows of a chunk that say won or lost."""
    status, _ = normalise_column(chunk.table[config.column], status_reader(config), pa.string())
    kept = status.is_valid()
    rows = pc.indices_nonzero(kept).to_pylist()
    return Chunk(
        chunk.table.filter(kept).append_column("#status", status.drop_null()),
        [chunk.lines[row] for row in rows],
        [chunk.numbers[row] for row in rows],
    )


def _normalise(config: OutcomesConfig, file: str, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
    if config.lead is None or config.closed is None:
        raise ValueError("this project's outcomes have no file of their own")
    problems: Problems = {}
    arrays = {
        "lead_id": read_ids(chunk, config.lead, problems),
        "status": chunk.table["#status"].combine_chunks(),
        "closed_us": read_times(chunk, config.closed, problems),
    }
    need_values(arrays["closed_us"], config.closed.column, problems)
    arrays["recorded_us"] = arrays["closed_us"]
    if config.recorded is not None:
        recorded = read_times(chunk, config.recorded, problems)
        arrays["recorded_us"] = pc.coalesce(recorded, arrays["closed_us"])
    table = pa.table(arrays)
    kept, rejects = drop_rejected(table, file, chunk.lines, problems)
    undated = pc.and_(pc.equal(table["status"], "won"), pc.is_null(table["closed_us"]))
    known = pc.and_(undated, pc.is_valid(table["lead_id"]))
    return pa.concat_tables([kept, table.filter(known)]), rejects


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
    """Count the texts of the outcome's column that stand neither under won nor under lost."""
    read, counts = status_reader(outcomes), Counter[str]()
    for pair in chunk.table[outcomes.column].value_counts().to_pylist():
        value = pair["values"]
        blank = value is None or value != value or not str(value).strip()
        if not blank and read(value) is None:
            counts[str(value)] = pair["counts"]
    return counts


def note_unknown(outcomes: OutcomesConfig, unknown: Counter[str]) -> list[Note]:
    """Note the texts that stand in neither list, the most frequent first."""
    if not unknown:
        return []
    shown = [f"{text[:30]!r} ({count} rows)" for text, count in unknown.most_common(5)]
    own = outcomes.file is None
    meaning = f"taken for {outcomes.other_is}" if own else "no closing"
    lost = own and outcomes.other_is == "lost"
    return [
        note_values(
            "unknown outcomes lost" if lost else "unknown outcomes",
            f"outcomes in neither list, {meaning}: ", shown, unknown.total(),
        )
    ]  # fmt: skip


def check_closing(arrays: Mapping[str, pa.Array], column: str, problems: Problems) -> None:
    """Mark rows whose closing time does not fit their outcome or their creation as problems."""
    rows = zip(
        arrays["status"].to_pylist(),
        arrays["closed_us"].to_pylist(),
        arrays["created_us"].to_pylist(),
        strict=True,
    )
    for row, (status, closed, created) in enumerate(rows):
        if status == "won" and closed is None:
            problems.setdefault(row, (column, Misfit("blank, though the lead is won")))
        elif status == "open" and closed is not None:
            misfit = Misfit("closed, though its outcome is neither won nor lost")
            problems.setdefault(row, (column, misfit))
        elif closed is not None and created is not None and closed < created:
            problems.setdefault(row, (column, Misfit("closed before the lead was created")))
