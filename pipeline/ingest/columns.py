"""Normalise a whole column by normalising each distinct value once.

The function for one value is the definition; this only spares calls, so a file and a request can
not disagree.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import ROW_NUMBER, FieldConfig
from leadscore.pipeline.ingest.files import Chunk
from leadscore.pipeline.ingest.rejects import Problems, add_problems, need_values
from leadscore.pipeline.values.fields import FieldSpec, Misfit, MisfitError, make_normaliser
from leadscore.pipeline.values.times import FIRST_US, LAST_US, TimeSpec, make_time_reader

ARROW_TYPE = {"text": pa.string(), "number": pa.float64(), "flag": pa.float64()}
_IDENTIFIER = make_normaliser(FieldSpec())


def read_text(chunk: Chunk, column: str, problems: Problems) -> pa.Array:
    """Return a column of identifiers or plain words as text; what does not fit is a problem."""
    values, misfits = normalise_column(chunk.table[column], _IDENTIFIER, pa.string())
    add_problems(problems, column, misfits)
    return values


def read_ids(chunk: Chunk, column: str, problems: Problems) -> pa.Array:
    """Return a key of every row as text; `column` may be ``#row``; a blank key is a problem."""
    if column == ROW_NUMBER:
        return pa.array([str(number) for number in chunk.numbers], pa.string())
    values = read_text(chunk, column, problems)
    need_values(values, column, problems)
    return values


def read_times(chunk: Chunk, spec: TimeSpec, problems: Problems, needed: bool = False) -> pa.Array:
    """Return a column of times as int64 UTC microseconds; what is no time is a problem."""
    column = chunk.table[spec.column]
    values = _cast_times(column)
    if values is None:
        values, misfits = normalise_column(column, make_time_reader(spec), pa.int64())
        add_problems(problems, spec.column, misfits)
    if needed:
        need_values(values, spec.column, problems)
    return values


def _cast_times(column: pa.ChunkedArray) -> pa.Array | None:
    """Return times that name their zone by a cast, or None where each has to be read apart."""
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        return None
    try:
        values = _cut_nanoseconds(column).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    ends = pc.min_max(values)
    first, last = ends["min"].as_py(), ends["max"].as_py()
    if first is not None and (first < FIRST_US or last > LAST_US):
        return None
    return values.combine_chunks()


def read_fields(
    configs: Mapping[str, FieldConfig],
    specs: Mapping[str, FieldSpec],
    chunk: Chunk,
    problems: Problems,
) -> dict[str, pa.Array]:
    """Normalise the fields, or properties, of a chunk; rows that do not fit go into `problems`."""
    arrays = {}
    for name, spec in specs.items():
        column = configs[name].column or name
        arrays[name], misfits = normalise_column(
            chunk.table[column], make_normaliser(spec), ARROW_TYPE[spec.type]
        )
        add_problems(problems, column, misfits)
    return arrays


def normalise_column(
    column: pa.ChunkedArray, normalise: Callable[[Any], Any], kind: pa.DataType
) -> tuple[pa.Array, dict[int, Misfit]]:
    """Normalise a column.

    The result is null where a value is missing or did not fit. Also returned is why, by row, where
    `normalise` raised MisfitError.
    """
    encoded = _as_array(column).dictionary_encode()
    values: list[object] = []
    misfits: dict[int, Misfit] = {}
    for code, value in enumerate(_to_python(encoded.dictionary)):
        try:
            values.append(normalise(value))
        except MisfitError as error:
            values.append(None)
            misfits[code] = error.misfit
    result = pa.array(values, kind).take(encoded.indices)
    if not misfits:
        return result, {}
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.isin(codes, list(misfits)))
    return result, {int(row): misfits[int(codes[row])] for row in rows}


def _as_array(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_timestamp(column.type):
        column = _cut_nanoseconds(column)
    return column.combine_chunks()


def _to_python(values: pa.Array) -> list[object]:
    try:
        return list(values.to_pylist())
    except OverflowError:  # a time beyond the years 1 to 9999: as text it is refused by itself
        return list(values.cast(pa.string()).to_pylist())


def _cut_nanoseconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cut nanoseconds, as text is cut; other units are read as they are."""
    if column.type.unit != "ns":
        return column
    return column.cast(pa.timestamp("us", column.type.tz), safe=False)
