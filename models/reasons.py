"""Why a lead has the score it has: signed contributions that add up to it."""

from collections.abc import Mapping, Sequence
from math import floor, log
from typing import NamedTuple

from models.scorecard import Scorecard
from models.scoring import Scorer


class Reason(NamedTuple):
    """One signal's part in a lead's score, against the average lead of the training period.

    `value` is what the signal was (None when missing), `log_odds` and `points` what that is worth
    more (or less) than the average lead's value.
    """

    signal: str
    family: str
    value: object
    log_odds: float
    points: float


class Explanation(NamedTuple):
    """A waterfall: the average lead's log-odds, then reasons, then this lead's log-odds.

    ``average + sum of reasons = log_odds``, and the same in points, of which `points_to_double`
    double the odds.
    """

    average: float
    average_points: float
    reasons: tuple[Reason, ...]
    log_odds: float
    points: float
    probability: float
    band: str
    points_to_double: float


def explain_lead(scorer: Scorer, signals: Mapping[str, object]) -> Explanation:
    """Explain one lead's score.

    Parameters
    ----------
    scorer : Scorer
    signals : mapping of str to str, float or None
        As for ``Scorer.score``.

    Returns
    -------
    Explanation
        Reasons largest first, ties by signal name. A cap that bit is a reason of its own, named
        ``cap:group``. The sum is exact to 1e-9 log-odds.
    """
    scorecard = scorer.scorecard
    score = scorer.score(signals)
    scale = scorecard.points.per_log_odds
    reasons = []
    for term, contribution in zip(scorecard.terms, score.contributions, strict=False):
        worth = contribution - term.mean
        value = signals.get(term.signal)
        value = None if value != value else value
        reasons.append(Reason(term.signal, term.family, value, worth, scale * worth))
    adjustments = score.contributions[len(scorecard.terms) :]
    for name, adjustment in zip(scorecard.caps, adjustments, strict=True):
        if adjustment != 0.0:
            reasons.append(Reason(f"cap:{name}", "", None, adjustment, scale * adjustment))
    reasons.sort(key=lambda reason: (-abs(reason.log_odds), reason.signal))
    average = average_log_odds(scorecard)
    return Explanation(
        average,
        scorecard.points.offset + scale * average,
        tuple(reasons),
        score.log_odds,
        scorecard.points.offset + scale * score.log_odds,
        score.probability,
        score.band,
        scale * log(2.0),
    )


def round_to_sum(values: Sequence[float], total: float, digits: int) -> list[float]:
    """Round values so that they still add up to their rounded total, digit for digit.

    Parameters
    ----------
    values : sequence of float
        Add up to `total`.
    total : float
    digits : int
        After the decimal point.

    Returns
    -------
    list of float
        In the order given, each less than one unit of the last digit from its value.

    References
    ----------
    The method of largest remainders, of A. Hamilton (1792).

    Examples
    --------
    >>> round_to_sum([0.34, 0.33, 0.33], 1.0, digits=1)
    [0.4, 0.3, 0.3]
    """
    unit = 10.0**digits
    units = [floor(value * unit) for value in values]
    left = round(round(total, digits) * unit) - sum(units)
    by_remainder = sorted(range(len(values)), key=lambda i: units[i] - values[i] * unit)
    for place in by_remainder[: max(left, 0)]:
        units[place] += 1
    return [count / unit for count in units]


def average_log_odds(scorecard: Scorecard) -> float:
    """Return the log-odds that every signal's average worth adds up to."""
    total = scorecard.base
    for term in scorecard.terms:
        total += term.mean
    return total
