"""Fit x engagement: who they are against what they do, four grades each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.frame import score_frame, to_probabilities
from pipeline.report.counts import Group, count_group
from pipeline.train import Training

FIT = frozenset({"demographic", "firmographic"})
ENGAGEMENT = frozenset({"email", "web", "social"})
GRADES, STAGES = "ABCD", "1234"
_QUARTERS = (0.25, 0.5, 0.75)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Sixteen cells, a row per grade of fit, A first; in it engagement 1 (the most) to 4."""

    rows: tuple[tuple[Group, ...], ...]
    fit_cuts: tuple[float, ...]
    engagement_cuts: tuple[float, ...]


def make_grid(training: Training) -> Grid | str:
    """Count the judged leads by grade of fit and engagement.

    The grades are the quarters of the earlier period's partial sums, ties going to the lower grade,
    so that leads which did nothing are a 4.

    Returns
    -------
    Grid or str
        Why there is none.
    """
    families = {term.family for term in training.scorecard.terms}
    for axis, members in (("fit", FIT), ("engagement", ENGAGEMENT)):
        if not families & members:
            return (
                f"This scorecard has no signal of {axis} ({', '.join(sorted(members))}), so there "
                "is only one axis, and no matrix."
            )
    learned = _sums(training, training.earlier.signals)
    judged = _sums(training, training.later.signals)
    cuts = [np.quantile(axis, _QUARTERS) for axis in learned]
    places = [np.searchsorted(c, axis, side="left") for c, axis in zip(cuts, judged, strict=True)]
    probability = to_probabilities(training.later_log_odds)
    scale = training.scorecard.points.per_log_odds
    rows = tuple(
        tuple(
            count_group(
                f"{grade}{stage}",
                training.later,
                probability,
                (places[0] == 3 - row) & (places[1] == 3 - column),
            )
            for column, stage in enumerate(STAGES)
        )
        for row, grade in enumerate(GRADES)
    )
    fit, engagement = (tuple((scale * cut).tolist()) for cut in cuts)
    return Grid(rows, fit, engagement)


def _sums(training: Training, signals: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return each snapshot's part of the log-odds by fit and engagement, against the average."""
    terms = training.scorecard.terms
    worth = score_frame(training.scorecard, signals).contributions
    fit, engagement = np.zeros(len(worth)), np.zeros(len(worth))
    for place, term in enumerate(terms):
        if term.family in FIT:
            fit += worth[:, place] - term.mean
        elif term.family in ENGAGEMENT:
            engagement += worth[:, place] - term.mean
    return fit, engagement
