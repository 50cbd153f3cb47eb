"""Where the grades of fit and engagement begin."""

import numpy as np
import pandas as pd

from models.axes import Axes
from models.frame import score_frame, sum_axes
from models.scorecard import Scorecard

_QUARTERS = (0.25, 0.5, 0.75)


def cut_axes(scorecard: Scorecard, signals: pd.DataFrame) -> Axes:
    """Find the cut points of fit and engagement: a quarter of the snapshots between each two.

    A cut point lies just above its quartile, so that where a quarter ends among snapshots of equal
    partial sum, the lower grade has them all: leads which did nothing are then a 4, however many
    they are, and cut points coincide.

    Columns in: one per term. Grain: one row per snapshot of the later period, or of all where there
    is no later one.

    Returns
    -------
    Axes
        None for an axis that no term lies on.
    """
    sums = sum_axes(scorecard, score_frame(scorecard, signals).contributions)
    fit, engagement = (
        tuple(np.nextafter(np.quantile(axis, _QUARTERS), np.inf).tolist()) if members else None
        for axis, members in zip(sums, scorecard.axis_members, strict=True)
    )
    return Axes(fit=fit, engagement=engagement)
