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
"""The largest size of a knot and of a value, so that no difference of two of them overflows."""

LARGEST_WEIGHT = 1e9
"""The largest size of a contribution in log-odds; linear ends of curves are clipped to it."""

Weight = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT)]
Knot = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST_KNOT, le=LARGEST_KNOT)]
Reader = Callable[[Any], float]


class Frozen(BaseModel):
    """A record that cannot be changed; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Table(Frozen):
    """The contribution of each level of a category, in log-odds.

    A missing value takes `missing`; a level that is not in `levels` takes `other`.
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
        """Return the table with every entry multiplied by `factor`."""
        levels = {level: factor * weight for level, weight in self.levels.items()}
        return self.model_copy(
            update={
                "levels": levels,
                "missing": factor * self.missing,
                "other": factor * self.other,
            }
        )


class _NumberShape(Frozen):
    """The common part of shapes over numbers: `values` at knots or of steps, and `missing`."""

    values: Annotated[tuple[Weight, ...], Field(min_length=1, strict=False)]
    missing: Weight

    def rescaled(self, factor: float) -> Self:
        """Return the shape with every value multiplied by `factor`."""
        return self.model_copy(
            update={
                "values": tuple(factor * value for value in self.values),
                "missing": factor * self.missing,
            }
        )


class Curve(_NumberShape):
    """Straight lines between knots.

    Beyond the first and last knot the curve is flat, or the outermost line goes on (`beyond`).
    A missing value (None or NaN) takes `missing`.
    """

    kind: Literal["curve"] = "curve"
    knots: Annotated[tuple[Knot, ...], Field(min_length=1, strict=False)]
    beyond: Literal["flat", "linear"] = "flat"

    @model_validator(mode="after")
    def _check_knots(self) -> Self:
        if len(self.knots) != len(self.values):
            raise ValueError(f"{len(self.knots)} knots but {len(self.values)} values")
        if any(left >= right for left, right in pairwise(self.knots)):
            raise ValueError("knots must increase")
        if self.beyond == "linear" and len(self.knots) < 2:
            raise ValueError("a curve with linear ends needs at least two knots")
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


class Steps(_NumberShape):
    """Constant between edges; a value equal to an edge belongs to the step that begins there.

    A missing value (None or NaN) takes `missing`.
    """

    kind: Literal["steps"] = "steps"
    edges: Annotated[tuple[Knot, ...], Field(strict=False)]

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


Shape = Annotated[Table | Curve | Steps, Field(discriminator="kind")]
