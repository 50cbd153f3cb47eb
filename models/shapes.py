"""The three shapes of a term: a table, a curve through knots, steps.

Each maps one signal's value to log-odds, has its own entry for a missing value, and is plain data
that can be printed, edited, put into a spreadsheet or turned into SQL.
"""

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LARGEST_KNOT = 1e300
"""Knots and values stay within this, so that no difference of two of them overflows."""

LARGEST_WEIGHT = 1e9
"""A linear end of a curve is held within this many log-odds, so that sums stay finite."""

Weight = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT)]
Knot = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_KNOT, le=LARGEST_KNOT)]
Reader = Callable[[Any], float]


class Frozen(BaseModel):
    """A record that cannot be changed and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Table(Frozen):
    """What each level of a category is worth.

    A missing value has the entry `missing`; a level that is not in the table has the entry `other`.
    """

    kind: Literal["table"] = "table"
    levels: dict[str, Weight]
    missing: Weight
    other: Weight

    def reader(self) -> Reader:
        """Return the function from a level (str; None or NaN when missing) to log-odds."""
        levels: dict[Any, float] = dict(self.levels)
        get, missing, other = levels.get, self.missing, self.other

        def read(value: Any) -> float:
            if value is None or value != value:
                return missing
            return get(value, other)

        return read

    def rescaled(self, factor: float) -> Self:
        """Return the same table with every entry multiplied by `factor`."""
        levels = {level: factor * weight for level, weight in self.levels.items()}
        return self.model_copy(
            update={
                "levels": levels,
                "missing": factor * self.missing,
                "other": factor * self.other,
            }
        )


class Curve(Frozen):
    """Straight lines between knots; beyond the ends flat, or on along the last line.

    A missing value (None or NaN) has the entry `missing`.
    """

    kind: Literal["curve"] = "curve"
    knots: Annotated[tuple[Knot, ...], Field(min_length=1, strict=False)]
    values: Annotated[tuple[Weight, ...], Field(min_length=1, strict=False)]
    beyond: Literal["flat", "linear"] = "flat"
    missing: Weight

    @model_validator(mode="after")
    def _check_knots(self) -> Self:
        if len(self.knots) != len(self.values):
            raise ValueError(f"{len(self.knots)} knots but {len(self.values)} values")
        if any(left >= right for left, right in pairwise(self.knots)):
            raise ValueError("knots must increase")
        if self.beyond == "linear" and len(self.knots) < 2:
            raise ValueError("a curve that goes on linearly needs two knots")
        return self

    def reader(self) -> Reader:
        """Return the function from a number (or None, NaN when missing) to log-odds."""
        knots, values, missing = self.knots, self.values, self.missing
        first, last, low, high = knots[0], knots[-1], values[0], values[-1]
        segments = tuple(
            (value, value_end - value, knot, knot_end - knot)
            for (knot, value), (knot_end, value_end) in pairwise(zip(knots, values, strict=True))
        )
        linear = self.beyond == "linear"

        def read(value: Any) -> float:
            if value is None or value != value:
                return missing
            x: float = value
            if first <= x < last:
                start, rise, knot, width = segments[bisect_right(knots, x) - 1]
                return start + rise * ((x - knot) / width)
            if not linear:
                return low if x < first else high
            start, rise, knot, width = segments[0 if x < first else -1]
            if rise == 0.0:
                return start
            x = min(max(x, -LARGEST_KNOT), LARGEST_KNOT)
            weight = start + rise * ((x - knot) / width)
            return min(max(weight, -LARGEST_WEIGHT), LARGEST_WEIGHT)

        return read

    def rescaled(self, factor: float) -> Self:
        """Return the same curve with every value multiplied by `factor`."""
        return self.model_copy(
            update={
                "values": tuple(factor * value for value in self.values),
                "missing": factor * self.missing,
            }
        )


class Steps(Frozen):
    """Constant between edges; a value equal to an edge belongs to the step that begins there.

    A missing value (None or NaN) has the entry `missing`.
    """

    kind: Literal["steps"] = "steps"
    edges: Annotated[tuple[Knot, ...], Field(strict=False)]
    values: Annotated[tuple[Weight, ...], Field(min_length=1, strict=False)]
    missing: Weight

    @model_validator(mode="after")
    def _check_edges(self) -> Self:
        if len(self.values) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} steps, "
                f"found {len(self.values)} values"
            )
        if any(left >= right for left, right in pairwise(self.edges)):
            raise ValueError("edges must increase")
        return self

    def reader(self) -> Reader:
        """Return the function from a number (or None, NaN when missing) to log-odds."""
        edges, values, missing = self.edges, self.values, self.missing

        def read(value: Any) -> float:
            if value is None or value != value:
                return missing
            return values[bisect_right(edges, value)]

        return read

    def rescaled(self, factor: float) -> Self:
        """Return the same steps with every value multiplied by `factor`."""
        return self.model_copy(
            update={
                "values": tuple(factor * value for value in self.values),
                "missing": factor * self.missing,
            }
        )


Shape = Annotated[Table | Curve | Steps, Field(discriminator="kind")]
