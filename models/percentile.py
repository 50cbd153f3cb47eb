"""The percentile: how many in a hundred leads of the later period score lower."""

from bisect import bisect_left
from collections.abc import Sequence


def find_percentile(quantiles: Sequence[float], log_odds: float) -> float | None:
    """Return the per cent of the later period's leads that score lower, 0 to 100.

    Linear between the quantiles; 0 up to the first, 100 from the last on. Where quantiles are
    equal, as many leads share a score: those do not score lower than each other, so the percentile
    of that score is that of the first of the equal ones, and right above it that of the last.

    Parameters
    ----------
    quantiles : sequence of float
        ``Scorecard.quantiles``: log-odds at evenly spaced shares of the leads, not decreasing.
    log_odds : float

    Returns
    -------
    float or None
        None without quantiles.

    Examples
    --------
    >>> find_percentile((-2.0, -1.0, 1.0), 0.0), find_percentile((-2.0, 0.0, 0.0, 1.0, 2.0), 0.0)
    (75.0, 25.0)
    """
    if not quantiles:
        return None
    if log_odds >= quantiles[-1]:
        return 100.0
    place = bisect_left(quantiles, log_odds)
    if place == 0:
        return 0.0
    left, right = quantiles[place - 1], quantiles[place]
    share = (log_odds - left) / (right - left)
    return 100.0 * (place - 1 + share) / (len(quantiles) - 1)
