"""Why a lead has the score it has: signed contributions that add up to it."""

from collections.abc import Mapping
from math import log
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


def average_log_odds(scorecard: Scorecard) -> float:
    """Return the log-odds that every signal's average worth adds up to."""
    total = scorecard.base
    for term in scorecard.terms:
        total += term.mean
    return total
