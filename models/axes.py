"""The axes of fit and engagement: grades for who a lead is and for what it does."""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from leadscore.models.shapes import Frozen

FIT = frozenset({"demographic", "firmographic"})
ENGAGEMENT = frozenset({"email", "web", "social"})
Fit = Literal["A", "B", "C", "D"]
Engagement = Literal["1", "2", "3", "4"]
FIT_LETTERS: tuple[Fit, ...] = ("D", "C", "B", "A")
ENGAGEMENT_DIGITS: tuple[Engagement, ...] = ("4", "3", "2", "1")
"""The grades of each axis, from the lowest to the highest."""

LogOdds = Annotated[float, Field(allow_inf_nan=False)]
CutPoints = Annotated[tuple[LogOdds, LogOdds, LogOdds], Field(strict=False)]


class LeadAxes(NamedTuple):
    """A lead's grades on both axes; None where the scorecard has no cut points of an axis."""

    fit: Fit | None
    engagement: Engagement | None


class Axes(Frozen):
    """The cut points of both axes, in log-odds; None where the scorecard has no term on an axis.

    A partial sum below the first cut point is D (4), from the first on C (3), from the second on
    B (2), from the third on A (1). Cut points may be equal: no lead then has the grade between
    them, and a partial sum equal to them is above them all.
    """

    fit: CutPoints | None = None
    engagement: CutPoints | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for name, cuts in (("fit", self.fit), ("engagement", self.engagement)):
            if cuts is not None and any(left > right for left, right in pairwise(cuts)):
                raise ValueError(f"the cut points of {name} must not decrease, found {cuts}")
        return self

    def read(self, fit: float, engagement: float) -> LeadAxes:
        """Return the grades of a lead with these partial sums."""
        letter = None if self.fit is None else FIT_LETTERS[bisect_right(self.fit, fit)]
        if self.engagement is None:
            return LeadAxes(letter, None)
        return LeadAxes(letter, ENGAGEMENT_DIGITS[bisect_right(self.engagement, engagement)])
