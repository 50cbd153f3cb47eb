"""Intervals that resample leads, the same draws for all contenders, honest where wins are few."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from leadscore.pipeline.evaluation.metrics import LEVEL, Estimate

Floats = npt.NDArray[np.float64]
FEW_WINS = 20
"""With fewer wins among the leads that only one would have called, an exact interval joins in."""

_CELLS = 4_000_000


def draw_weights(leads: int, bootstrap_draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each lead is drawn, with replacement, in parts of shape (leads, draws).

    The parts have `bootstrap_draws` columns together. The same seed gives the same draws, which is
    what pairs the contenders. Fewer draws are the first of more.
    """
    random = np.random.default_rng(seed)
    most = max(1, _CELLS // leads)
    for begin in range(0, bootstrap_draws, most):
        draws = min(most, bootstrap_draws - begin)
        drawn = random.integers(leads, size=(draws, leads)) + leads * np.arange(draws)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=leads * draws)
        yield np.ascontiguousarray(counts.reshape(draws, leads).T, np.float64)


def percentile(value: float, drawn: Floats) -> Estimate:
    """Return a figure with its percentile interval over the draws, (draws,)."""
    tail = (1.0 - LEVEL) / 2.0
    return Estimate(value, *_tails(drawn, tail))


def _tails(drawn: Floats, tail: float) -> tuple[float, float]:
    """Return both quantiles, computed alike, so that -drawn has exactly the mirrored ones."""
    return -float(np.quantile(-drawn, 1.0 - tail)), float(np.quantile(drawn, 1.0 - tail))


class Gain(NamedTuple):
    """Wins at capacity of one contender minus those of another.

    `p` is the chance of a difference as large where there is none; `error` the standard error.
    """

    wins: Estimate
    p: float
    error: float


def estimate_gain(value: float, drawn: Floats, ahead: float, behind: float, swapped: float) -> Gain:
    """Return the gain in wins at capacity with its interval and p-value.

    `value` is the gain, `drawn` the same under resampling of leads. `ahead` and `behind` are the
    wins that only one of the two would have reached, `swapped` the leads that only one would have
    called. The interval is that of the draws, moved to lie about `value`: resampling evens out the
    luck at the place where the calls run out, so the draws lie nearer to no difference. With fewer
    than ``FEW_WINS`` such wins it is widened to the exact one, and the larger p-value counts: draws
    from so few would promise too much.

    References
    ----------
    B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 10 and 13;
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions"
    (1947); C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits" (1934).
    """
    centred = drawn + (value - drawn.mean())
    low, high = _tails(centred, (1.0 - LEVEL) / 2.0)
    below, above = (centred <= 0.0).sum(), (centred >= 0.0).sum()
    p = min(1.0, max(2.0 * min(below, above), 1.0) / len(drawn))
    if swapped > 0.0 and ahead + behind < FEW_WINS:
        exact_low, exact_high = _exact_interval(ahead, behind)
        low, high = min(low, exact_low), max(high, exact_high)
        p = max(p, _exact_p(ahead, behind))
    return Gain(Estimate(value, min(low, value), max(high, value)), float(p), float(drawn.std()))


def _exact_interval(ahead: float, behind: float) -> tuple[float, float]:
    """Return the interval of ``ahead - behind`` where their sum is given (Clopper, Pearson 1934).

    Counts may be broken, as calls among ties are; without any win, what 0 wins do not exclude.
    """
    tail, count = (1.0 - LEVEL) / 2.0, ahead + behind
    if count == 0.0:
        most = -float(np.log(tail))
        return -most, most
    least_behind, least_ahead = (
        0.0 if few <= 0.0 else float(beta.ppf(tail, few, many + 1.0))
        for few, many in ((behind, ahead), (ahead, behind))
    )
    return count * (2.0 * least_ahead - 1.0), count * (1.0 - 2.0 * least_behind)


def _exact_p(ahead: float, behind: float) -> float:
    """Return the two-sided p-value of the exact sign test (McNemar's)."""
    more, fewer = max(ahead, behind), min(ahead, behind)
    return 1.0 if more <= 0.0 else min(1.0, 2.0 * float(beta.cdf(0.5, more, fewer + 1.0)))
