"""Make the columns of the demo's tables from numbers and lists."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def take(entries: Sequence[str], codes: npt.NDArray[np.integer]) -> pa.Array:
    """Return the entry of each code."""
    return pa.array(entries).take(pa.array(codes))


def choose(random: np.random.Generator, entries: Sequence[str], count: int) -> pa.Array:
    """Draw `count` of the entries, all with the same chance."""
    return take(entries, random.integers(0, len(entries), count))


def join(*parts: object) -> pa.Array:
    """Join texts row by row."""
    return pc.binary_join_element_wise(*parts, "")


def either(which: Flags, yes: object, no: object) -> pa.Array:
    """Return `yes` in the rows that are marked, and `no` in the others."""
    return pc.if_else(pa.array(which), yes, no)


def blank(empty: Flags, values: pa.Array) -> pa.Array:
    """Leave the marked rows empty."""
    return either(empty, pa.scalar(None, values.type), values)


def to_times(seconds: Codes, empty: Flags | None = None) -> pa.Array:
    """Return times in UTC from seconds; the marked rows are empty."""
    return pa.array(seconds, mask=empty).cast(pa.timestamp("s", "UTC"))


def number_rows(letter: str, numbers: Codes, width: int) -> pa.Array:
    """Return ids such as L0000001: a letter, and a number of `width` digits."""
    return join(letter, pad_numbers(numbers, width))


def pad_numbers(numbers: Codes, width: int) -> pa.Array:
    """Write numbers with zeros in front, `width` digits wide."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
