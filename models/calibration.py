"""Recalibration: an affine map of the log-odds, fitted to outcomes."""

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

    Log-odds and labels (0 or 1) have shape (n,). The result is the identity if the log-odds are
    constant or all labels are equal. The factor is 0 or less if the log-odds rank the wrong way
    round.
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
