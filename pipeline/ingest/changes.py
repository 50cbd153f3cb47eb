"""The file of changes of profile fields: who had which value until when."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import ChangesConfig, DataConfig
from leadscore.pipeline.ingest.columns import ARROW_TYPE, ChunkReader, normalise_column
from leadscore.pipeline.ingest.files import Chunk, Reject, TableRead, read_table
from leadscore.pipeline.ingest.notes import Note, note_values
from leadscore.pipeline.ingest.rejects import check_rejects
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.values.fields import make_normaliser

_SIDES = ("old", "new")


def read_changes(data: DataConfig, folder: Path, catalog: Catalog) -> TableRead:
    """Read the changes of the fields that signals read, each value typed as its field is.

    Columns out: lead_id, field, recorded_us, place (int64, in the order of recording, rows of the
    same moment in the file's), old_text, new_text (string), old_number, new_number (float64).
    Changes of fields that no signal reads are unread.

    Raises DataError if the file cannot be read, or more of it is rejected than allowed.
    """
    config = data.changes
    if config is None:
        raise ValueError("this project has no file of changes")
    path = folder / config.file
    columns = [config.lead, config.field, config.old, config.new, config.recorded.column]
    parts, rejects, rows, others = [], list[Reject](), 0, Counter[str]()
    chunks = read_table(path, list(dict.fromkeys(columns)), config.delimiter, config.encoding)
    wanted = pa.array(catalog.changing, pa.string())
    for chunk in chunks:
        rows += chunk.rows
        table, refused = _normalise(config, catalog, chunk)
        rejects += refused
        is_read = pc.is_in(table["field"], wanted)
        others.update(table["word"].filter(pc.invert(is_read)).to_pylist())
        parts.append(table.filter(is_read).drop_columns(["word"]))
    if rows:
        check_rejects(path, data.max_reject_share, rejects, rows)
    table = pa.concat_tables(parts)
    table = table.append_column("row", pa.array(range(len(table)), pa.int64()))
    table = table.sort_by([("recorded_us", "ascending"), ("row", "ascending")])
    table = table.append_column("place", pa.array(range(len(table)), pa.int64()))
    return TableRead(table.drop_columns(["row"]), rows, rejects, others)


def _normalise(
    config: ChangesConfig, catalog: Catalog, chunk: Chunk
) -> tuple[pa.Table, list[Reject]]:
    reader = ChunkReader(chunk)
    words = reader.read_ids(config.field)
    fields, _ = normalise_column(pa.chunked_array([words]), config.fields.get, pa.string())
    arrays = {"lead_id": reader.read_ids(config.lead), "word": words, "field": fields}
    arrays["recorded_us"] = reader.read_times(config.recorded, needed=True)
    for side in _SIDES:
        arrays[f"{side}_text"] = pa.nulls(len(fields), pa.string())
        arrays[f"{side}_number"] = pa.nulls(len(fields), pa.float64())
    for name in catalog.changing:
        spec, here = catalog.fields[name], pc.fill_null(pc.equal(fields, name), False)
        for side, column in zip(_SIDES, (config.old, config.new), strict=True):
            values, misfits = normalise_column(
                chunk.table[column], make_normaliser(spec), ARROW_TYPE[spec.type]
            )
            target = f"{side}_{'text' if spec.type == 'text' else 'number'}"
            arrays[target] = pc.if_else(here, values, arrays[target])
            ours = {row: misfit for row, misfit in misfits.items() if here[row].as_py()}
            reader.add_problems(column, ours)
    return reader.split_rejects(arrays)


def note_unread(others: Counter[str]) -> list[Note]:
    """Note the changes of fields that no signal reads, the most frequent first."""
    if not others:
        return []
    shown = [f"{word[:30]!r} ({count})" for word, count in others.most_common(5)]
    text = f"{others.total():,} changes of fields that no signal reads: "
    return [note_values("unread changes", text, shown, others.total())]
