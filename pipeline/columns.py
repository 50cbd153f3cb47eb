"""Normalise a whole column by normalising each distinct value once.

The function for one value is the definition; this only spares calls, so a file and a request can
not disagree.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa


def normalise_column(
    column: pa.ChunkedArray, normalise: Callable[[Any], Any], kind: pa.DataType
) -> tuple[pa.Array, dict[int, str]]:
    """Normalise a column.

    Parameters
    ----------
    column : ChunkedArray of n values
        As read from the file.
    normalise : callable
        From one value to the normalised one; raises ValueError where it does not fit.
    kind : DataType
        Of the result: string, float64 or int64.

    Returns
    -------
    Array of n values
        Null where missing, and where the value did not fit.
    dict of int to str
        For each row that did not fit, why.
    """
    encoded = _as_array(column).dictionary_encode()
    values: list[object] = []
    reasons: dict[int, str] = {}
    for code, value in enumerate(_to_python(encoded.dictionary)):
        try:
            values.append(normalise(value))
        except ValueError as error:
            values.append(None)
            reasons[code] = str(error)
    result = pa.array(values, kind).take(encoded.indices)
    if not reasons:
        return result, {}
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.isin(codes, list(reasons)))
    return result, {int(row): reasons[int(codes[row])] for row in rows}


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
