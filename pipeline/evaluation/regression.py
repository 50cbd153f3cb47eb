"""What each of several columns is worth beside the others: logistic regression with its errors."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
_STEPS = 100
_PRIOR = 1.0
"""The weight of a normal prior on the log-odds that one standard deviation of a column is worth:
as one observation at even odds would have four times over, so it matters where a column separates
wins from others entirely, and nowhere else."""


class Coefficient(NamedTuple):
    """A worth in log-odds, and its standard error (0 where nothing can be said)."""

    value: float
    error: float

    @property
    def p_more(self) -> float:
        """The chance, were the truth 0, of a worth so large or larger."""
        return float(norm.sf(self._ratio))

    @property
    def p_less(self) -> float:
        """The chance, were the truth 0, of a worth so small or smaller."""
        return float(norm.cdf(self._ratio))

    @property
    def _ratio(self) -> float:
        return self.value / self.error if self.error > 0.0 else 0.0


class Coefficients(NamedTuple):
    """What k columns are worth in log-odds per unit, and two estimates of the covariance.

    `value` is of shape (k,), `by_lead` and `by_curvature` of shape (k, k).
    """

    value: Floats
    by_lead: Floats
    by_curvature: Floats

    def combine(self, factors: Floats) -> Coefficient:
        """Return what the columns are worth together, each times its factor; those are (k,)."""
        variances = [factors @ matrix @ factors for matrix in (self.by_lead, self.by_curvature)]
        return Coefficient(float(factors @ self.value), float(np.sqrt(max(variances))))


def fit_clustered_logit(
    columns: Floats, label: npt.NDArray[np.int8], lead: npt.NDArray[np.intp]
) -> Coefficients:
    """Fit a logistic regression of the label on columns of shape (n, k), with errors by lead.

    `lead` has the number of each snapshot's lead, from 0. Snapshots of one lead are not
    independent. A column that never changes has value 0 and error 0. Of equal columns each gets
    its part, with a large error.

    Columns are divided by their standard deviation and have a weak normal prior. A variance is the
    larger of that by the sandwich of the leads' summed scores [1]_ and that by the curvature alone,
    since the sandwich is too small where a column has few wins.

    References
    ----------
    .. [1] K.-Y. Liang, S. L. Zeger, "Longitudinal data analysis using generalized linear models",
       Biometrika 73 (1986), 13-22.
    """
    count = columns.shape[1]
    found = Coefficients(np.zeros(count), np.zeros((count, count)), np.zeros((count, count)))
    spread = columns.std(axis=0)
    used = spread > 1e-12 * np.maximum(np.abs(columns).max(axis=0, initial=0.0), 1.0)
    if not used.any() or np.ptp(label) == 0:
        return found
    scaled = (columns[:, used] - columns[:, used].mean(axis=0)) / spread[used]
    design = np.column_stack([np.ones(len(label)), scaled])
    weights, prob = _fit(design, label.astype(np.float64))
    inverse = np.linalg.inv(_curve(design, prob))
    scores = design * (label - prob)[:, None]
    by_lead = np.column_stack([np.bincount(lead, weights=column) for column in scores.T])
    sandwich = inverse @ (by_lead.T @ by_lead) @ inverse
    units = np.outer(spread[used], spread[used])
    found.value[used] = weights[1:] / spread[used]
    found.by_lead[np.ix_(used, used)] = sandwich[1:, 1:] / units
    found.by_curvature[np.ix_(used, used)] = inverse[1:, 1:] / units
    return found


def _curve(design: Floats, prob: Floats) -> Floats:
    curvature = (design * (prob * (1.0 - prob))[:, None]).T @ design
    return np.asarray(curvature + _penalty(design), np.float64)


def _penalty(design: Floats) -> Floats:
    return np.diag(np.r_[1e-9, np.full(design.shape[1] - 1, _PRIOR)])


def _fit(design: Floats, label: Floats) -> tuple[Floats, Floats]:
    """Return the weights (k + 1,) and the fitted probabilities (n,), by Newton's method."""
    penalty = _penalty(design)
    rate = label.mean()
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(rate / (1.0 - rate))
    prob = np.asarray(expit(design @ weights), np.float64)
    loss = _loss(design, label, weights, penalty)
    for _ in range(_STEPS):
        slope = design.T @ (label - prob) - penalty @ weights
        step = np.linalg.solve(_curve(design, prob), slope)
        size = 1.0
        while (new := _loss(design, label, weights + size * step, penalty)) > loss and size > 1e-6:
            size /= 2.0
        weights, loss = weights + size * step, new
        prob = np.asarray(expit(design @ weights), np.float64)
        if np.abs(size * step).max() < 1e-8:
            break
    return weights, prob


def _loss(design: Floats, label: Floats, weights: Floats, penalty: Floats) -> float:
    log_odds = design @ weights
    fit = np.logaddexp(0.0, log_odds) - label * log_odds
    return float(fit.sum() + weights @ penalty @ weights / 2.0)
