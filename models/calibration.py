"""Calibration: an affine map of the log-odds, and how far probabilities are from what happened."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Affine(NamedTuple):
    """``factor * log_odds + shift``: what a recalibration does."""

    factor: float
    shift: float

    def apply(self, log_odds: Floats) -> Floats:
        """Return the recalibrated log-odds, of the same shape."""
        return self.factor * log_odds + self.shift


IDENTITY = Affine(1.0, 0.0)
_STEPS = 50


def fit_affine(log_odds: Floats, label: Floats) -> Affine:
    """Fit the scale and shift of the log-odds that make the log loss smallest.

    Parameters
    ----------
    log_odds : float array of shape (n,)
    label : array of shape (n,) of 0 and 1

    Returns
    -------
    Affine
        The identity where the log-odds are constant or the labels are all one class; the factor
        may come out at or below 0 where the log-odds rank the wrong way round.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines" (1999), without the smoothed
    targets; D. R. Cox, "Two further applications of a model for binary regression" (1958).
    """
    if np.ptp(log_odds) == 0.0 or np.ptp(label) == 0.0:
        return IDENTITY
    centre, spread = log_odds.mean(), log_odds.std()
    design = np.column_stack([(log_odds - centre) / spread, np.ones(len(log_odds))])
    weights = np.zeros(2)
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -500.0, 500.0)))
        slope = design.T @ (label - probability)
        curvature = (design * (probability * (1.0 - probability))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-10 * len(label) * np.eye(2), slope)
        weights = weights + np.clip(step, -4.0, 4.0)
        if np.abs(step).max() < 1e-10:
            break
    factor = weights[0] / spread
    return Affine(float(factor), float(weights[1] - factor * centre))


class Tally(NamedTuple):
    """Leads gathered by score, highest first: g distinct scores, each array of shape (g,).

    `size` and `wins` are float64 counts, so that leads can be weighted. Leads of equal score stand
    together, so nothing computed from a tally depends on the order of rows.
    """

    log_odds: Floats
    probability: Floats
    size: Floats
    wins: Floats


def tally(log_odds: Floats, probability: Floats, label: npt.NDArray[np.int8]) -> Tally:
    """Gather n leads by score.

    Parameters
    ----------
    log_odds, probability : float array of shape (n,)
    label : array of shape (n,) of 0 and 1

    Returns
    -------
    Tally
    """
    distinct, first, codes = np.unique(-log_odds, return_index=True, return_inverse=True)
    size = np.bincount(codes, minlength=len(distinct)).astype(np.float64)
    wins = np.bincount(codes, weights=label, minlength=len(distinct)).astype(np.float64)
    return Tally(-distinct, probability[first], size, wins)


class CalibrationBin(NamedTuple):
    """One row of a calibration table: leads of neighbouring probability."""

    size: float
    wins: float
    mean_prob: float
    win_rate: float


def calibration_table(leads: Tally, bins: int = 10) -> list[CalibrationBin]:
    """Hold the mean prediction against the win rate, in bins of equal count.

    Where a bin ends among leads of equal score, each of them counts in part on either side, so the
    table does not depend on the order of rows.

    Parameters
    ----------
    leads : Tally
    bins : int

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
        CalibrationBin(float(size), float(won), float(said / size), float(won / size))
        for won, said in zip(wins, total, strict=True)
    ]


def expected_calibration_error(leads: Tally, bins: int = 10) -> float:
    """Return the mean distance of prediction and win rate over bins of equal count.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning" (2015).
    """
    table = calibration_table(leads, bins)
    return sum(abs(row.mean_prob - row.win_rate) for row in table) / bins
