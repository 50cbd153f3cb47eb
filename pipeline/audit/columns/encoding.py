"""A column's values, as the audit counts them: each value by itself, and in ranges."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.intp]
Kind = Literal["text", "number", "time"]
MISSING = 0
"""The code of a missing value."""
RANGES = 20
COMMON = 0.02
"""A number that this share of the leads has is a value by itself, not part of a range."""
_NEARLY_ALL = 0.98
_TIME = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[/.]\d\d?[/.]\d{2,4}(\D|$)")


@dataclass(frozen=True)
class Values:
    """The values of n leads.

    `exact` numbers the different values from 1, 0 being missing; `coarse` does so for what rates
    are taken of: levels, and of numbers the common values and twenty ranges; both (n,). `names` are
    the different values, the first belonging to code 1. Of times only whether there is one counts.
    """

    kind: Kind
    exact: Codes
    coarse: Codes
    names: npt.NDArray[np.object_]

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Whether there is a value, (n,)."""
        return np.asarray(self.exact != MISSING)

    def rows(self, mask: npt.NDArray[np.bool_]) -> "Values":
        """Return the values of the rows marked in `mask` (bool, n)."""
        return Values(self.kind, self.exact[mask], self.coarse[mask], self.names)


def read_values(
    column: "pd.Series[str] | pd.Series[float]", is_category: bool | None = None
) -> Values:
    """Tell levels, numbers and times apart, and number their values.

    Parameters
    ----------
    is_category : bool, optional
        Whether a signal learns each text as a level. If None, text is a number if 98 % of
        what stands in the column is written as one, and a time if 98 % begins as a date does.
    """
    filled = column.notna().to_numpy()
    if is_category:
        return _read_levels(column)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        texts = column[filled].astype(str)
        if len(texts) and texts.head(1000).str.match(_TIME).mean() >= _NEARLY_ALL:
            there = filled.astype(np.intp)
            return Values("time", there, there, np.array(["a time"], object))
        numbers = pd.to_numeric(column, errors="coerce")
        if not len(texts) or numbers.notna().sum() < _NEARLY_ALL * filled.sum():
            return _read_levels(column)
        column = numbers
    codes, found = pd.factorize(column, sort=True)
    exact = np.asarray(codes + 1, np.intp)
    return Values(
        "number", exact, _cut(np.asarray(column, np.float64), exact), np.asarray(found, object)
    )


def _read_levels(column: "pd.Series[str] | pd.Series[float]") -> Values:
    codes, names = pd.factorize(column)
    exact = np.asarray(codes + 1, np.intp)
    return Values("text", exact, exact, np.asarray(names, object))


def _cut(numbers: npt.NDArray[np.float64], exact: Codes) -> Codes:
    """Give the common values the first numbers, and the ranges of the rest those after them."""
    counts = np.bincount(exact)
    common = np.flatnonzero(counts >= max(COMMON * len(exact), 10.0))
    common = common[common != MISSING]
    if len(counts) - 1 <= RANGES:
        return exact
    coarse = np.zeros(len(exact), np.intp)
    coarse[np.isin(exact, common)] = np.searchsorted(common, exact[np.isin(exact, common)]) + 1
    rest = (exact != MISSING) & ~np.isin(exact, common)
    if rest.any():
        edges = np.unique(np.quantile(numbers[rest], np.linspace(0.0, 1.0, RANGES + 1)[1:-1]))
        coarse[rest] = np.searchsorted(edges, numbers[rest], side="right") + 1 + len(common)
    return coarse
