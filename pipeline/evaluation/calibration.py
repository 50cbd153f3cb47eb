"""Calibration of probabilities: the table of ten bins, and the expected calibration error."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leadscore.models.calibration import Floats


class ScoreGroups(NamedTuple):
    """Leads gathered by score, highest first: g distinct scores, each array of shape (g,).

    `size` and `wins` are float64 counts, so that leads can be weighted. Leads of equal score stand
    together, so nothing computed from a tally depends on the order of rows.
    """

    log_odds: Floats
    probability: Floats
    size: Floats
    wins: Floats


def group_by_score(
    log_odds: Floats, probability: Floats, label: npt.NDArray[np.int8]
) -> ScoreGroups:
    """Gather n leads by score.

    Parameters
    ----------
    log_odds, probability : float array of shape (n,)
    label : array of shape (n,) of 0 and 1
    """
    distinct, first, codes = np.unique(-log_odds, return_index=True, return_inverse=True)
    size = np.bincount(codes, minlength=len(distinct)).astype(np.float64)
    wins = np.bincount(codes, weights=label, minlength=len(distinct)).astype(np.float64)
    return ScoreGroups(-distinct, probability[first], size, wins)


class CalibrationBin(NamedTuple):
    """One row of a calibration table: leads of neighbouring probability."""

    size: float
    wins: float
    mean_prob: float
    win_rate: float


def calibration_table(leads: ScoreGroups, bins: int = 10) -> list[CalibrationBin]:
    """Compare the mean prediction with the win rate, in bins of equal count.

    Where a bin ends among leads of equal score, each of them counts in part on either side, so the
    table does not depend on the order of rows.

    Returns
    -------
    list of CalibrationBin
        From the highest to the lowest probability.
    """
    reached = np.r_[0.0, np.cumsum(leads.size)]
    edges = np.linspace(0.0, reached[-1], bins + 1)
    wins, total = (
        np.diff(np.interp(edges, reached, np.r_[0.0, np.cumsum(weights)]))
        for weights in (leads.wins, leads.size * leads.probability)
    )
    size = reached[-1] / bins
    return [
        CalibrationBin(float(size), float(won), float(predicted / size), float(won / size))
        for won, predicted in zip(wins, total, strict=True)
    ]


def expected_calibration_error(leads: ScoreGroups, bins: int = 10) -> float:
    """Return the mean distance of prediction and win rate over bins of equal count.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning" (2015).
    """
    table = calibration_table(leads, bins)
    return sum(abs(row.mean_prob - row.win_rate) for row in table) / bins
