"""Fit x engagement: who they are against what they do, four grades each."""

from dataclasses import dataclass

from models.axes import ENGAGEMENT, ENGAGEMENT_DIGITS, FIT, FIT_LETTERS
from models.frame import read_axes, score_frame, to_probabilities
from models.scorecard import Scorecard
from pipeline.groups import Group, count_group
from pipeline.train import Training


@dataclass(frozen=True)
class Grid:
    """Sixteen cells, a row per grade of fit, A first; in it engagement 1 (the most) to 4.

    The cuts are where the grades begin, the worst one aside, in points against the average lead.
    """

    rows: tuple[tuple[Group, ...], ...]
    fit_cuts: tuple[float, ...]
    engagement_cuts: tuple[float, ...]


def make_grid(training: Training) -> Grid | str:
    """Count the judged leads by grade of fit and engagement, as the scorecard has them.

    Returns
    -------
    Grid or str
        Why there is none.
    """
    scorecard = training.scorecard
    cuts = (scorecard.axes.fit, scorecard.axes.engagement)
    for axis, families, found in zip(("fit", "engagement"), (FIT, ENGAGEMENT), cuts, strict=True):
        if found is None:
            return (
                f"This scorecard has no signal of {axis} ({', '.join(sorted(families))}), so there "
                "is only one axis, and no matrix."
            )
    stands = read_axes(scorecard, score_frame(scorecard, training.later.signals).contributions)
    probability = to_probabilities(training.later_log_odds)
    rows = tuple(
        tuple(
            count_group(
                f"{letter}{digit}",
                training.later,
                probability,
                (stands.fit == letter) & (stands.engagement == digit),
            )
            for digit in reversed(ENGAGEMENT_DIGITS)
        )
        for letter in reversed(FIT_LETTERS)
    )
    fit, engagement = (
        _to_points(scorecard, found or (), members)
        for found, members in zip(cuts, scorecard.axis_members, strict=True)
    )
    return Grid(rows, fit, engagement)


def _to_points(
    scorecard: Scorecard, cuts: tuple[float, ...], members: tuple[int, ...]
) -> tuple[float, ...]:
    terms = scorecard.terms
    average = sum(terms[place].mean for place in members if place < len(terms))
    return tuple(scorecard.points.per_log_odds * (cut - average) for cut in cuts)
