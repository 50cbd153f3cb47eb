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
from leadscore.pipeline.ingest.files import Chunk, Reject
from leadscore.pipeline.values.fields import FieldSpec, Misfit, MisfitError, make_normaliser
from leadscore.pipeline.values.times import FIRST_US, LAST_US, TimeSpec, make_time_reader

ARROW_TYPE = {"text": pa.string(), "number": pa.float64(), "flag": pa.float64()}


class ChunkReader:
    """Read the columns of a chunk as arrays; a row with a value that does not fit is a reject."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self._problems: dict[int, tuple[str, Misfit]] = {}

    def add_problems(self, column: str, misfits: Mapping[int, Misfit]) -> None:
        """Reject the rows whose value in a column does not fit; a row's first problem counts."""
        for row, misfit in misfits.items():
            self._problems.setdefault(row, (column, misfit))

    def read_field(self, column: str, spec: FieldSpec, needed: bool = False) -> pa.Array:
        """Return a column of a field's type, null where a value is missing or does not fit.

        If a value is `needed`, a row without one is rejected.
        """
        values, misfits = normalise_column(
            self.chunk.table[column], make_normaliser(spec), ARROW_TYPE[spec.type]
        )
        self.add_problems(column, misfits)
        return self._need(values, column) if needed else values

    def read_ids(self, column: str) -> pa.Array:
        """Return a key of every row as text; `column` may be ``#row``; a blank key is a problem."""
        if column == ROW_NUMBER:
            return pa.array([str(number) for number in self.chunk.numbers], pa.string())
        return self.read_field(column, FieldSpec(), needed=True)

    def read_times(
        self, spec: TimeSpec | None, needed: bool = False, otherwise: pa.Array | None = None
    ) -> pa.Array:
        """Return a column of times as int64 UTC microseconds; what is no time is a problem.

        Blank times, and all of them without a column, are those of `otherwise`, or null.
        """
        if spec is None:
            nothing = pa.nulls(len(self.chunk.lines), pa.int64())
            return nothing if otherwise is None else otherwise
        column = self.chunk.table[spec.column]
        values = _cast_times(column)
        if values is None:
            values, misfits = normalise_column(column, make_time_reader(spec), pa.int64())
            self.add_problems(spec.column, misfits)
        if needed:
            self._need(values, spec.column)
        return values if otherwise is None else pc.coalesce(values, otherwise)

    def _need(self, values: pa.Array, column: str) -> pa.Array:
        if values.null_count:
            blank = pc.indices_nonzero(values.is_null()).to_pylist()
            self.add_problems(column, dict.fromkeys(blank, Misfit("blank where a value is needed")))
        return values

    def read_fields(
        self, configs: Mapping[str, FieldConfig], specs: Mapping[str, FieldSpec]
    ) -> dict[str, pa.Array]:
        """Return the columns of fields, or of properties, by name."""
        return {
            name: self.read_field(configs[name].column or name, spec)
            for name, spec in specs.items()
        }

    def split_rejects(self, arrays: Mapping[str, pa.Array]) -> tuple[pa.Table, list[Reject]]:
        """Return the rows of some columns that have no problem; and rejects, also the chunk's."""
        table, chunk, problems = pa.table(dict(arrays)), self.chunk, self._problems
        rejects = [
            Reject(chunk.file, chunk.lines[row], column, misfit.text, misfit.values)
            for row, (column, misfit) in sorted(problems.items())
        ]
        if problems:
            table = table.filter(pa.array([row not in problems for row in range(len(table))]))
        return table, [*chunk.rejects, *rejects]


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
