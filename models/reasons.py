"""Why a lead has the score it has: signed contributions that add up to it."""

from collections.abc import Mapping, Sequence
from math import log
from operator import sub
from typing import NamedTuple

from leadscore.models.score_lead import LeadScore, Scorer
from leadscore.models.scorecard import Scorecard


class Reason(NamedTuple):
    """One signal's part in a lead's score, against the average lead of the training period.

    `value` is the signal's value, None when missing. `log_odds` and `points` are its contribution
    minus the average lead's.
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


def explain_lead(
    scorer: Scorer, signals: Mapping[str, object], score: LeadScore | None = None
) -> Explanation:
    """Explain one lead's score, or the `score` that was computed already.

    Reasons are largest first, ties by signal name. A cap that changed the sum is a reason of its
    own, named ``cap:group``. The sum is exact to 1e-9 log-odds.
    """
    scorecard, score = scorer.scorecard, score or scorer.score(signals)
    names, families, _, _, points = scorer.contribution_index
    contributions, order = rank_parts(scorer, score)
    reasons = [
        Reason(
            names[place], families[place], read_value(signals, names[place]), contributions[place],
            points.part(contributions[place]),
        )
        for place in order
    ]  # fmt: skip
    average = average_log_odds(scorecard)
    return Explanation(
        average,
        points.total(average),
        tuple(reasons),
        score.log_odds,
        points.total(score.log_odds),
        score.probability,
        score.band,
        points.part(log(2.0)),
    )


def rank_parts(
    scorer: Scorer, score: LeadScore, most: int | None = None
) -> tuple[list[float], list[int]]:
    """Return each contribution minus the average lead's, and their order by size.

    The contributions are in log-odds, in the order of ``scorer.contribution_index``. The order has
    indices, largest first, ties by name, at most `most`. It lacks caps that changed nothing.
    """
    contributions = list(map(sub, score.contributions, scorer.contribution_index.means))
    sizes = list(map(abs, contributions))
    order = sorted(
        scorer.contribution_index.by_name, key=sizes.__getitem__, reverse=True
    )  # ties stay in order
    if scorer.scorecard.caps:
        terms = len(scorer.scorecard.terms)
        order = [place for place in order if place < terms or contributions[place] != 0.0]
    return contributions, order[:most]


def read_value(signals: Mapping[str, object], name: str) -> object:
    """Return what a signal was, None when missing."""
    value = signals.get(name)
    return None if value != value else value


def round_to_sum(values: Sequence[float], total: float, digits: int) -> list[float]:
    """Round values that add up to `total` so that they still add up to their rounded total.

    Each value is rounded to the nearest number with `digits` decimals. The smallest values that
    were rounded the other way make up what is then lacking, so that a large value is the same
    however many are shown with it. No value changes by a unit of the last digit or more.

    >>> round_to_sum([0.34, 0.33, 0.33], 1.0, digits=1)
    [0.3, 0.3, 0.4]
    """
    unit = 10.0**digits
    units = [round(value * unit) for value in values]
    lacking = round(round(total, digits) * unit) - sum(units)
    step = 1 if lacking > 0 else -1
    smallest = sorted(range(len(values)), key=lambda place: (abs(values[place]), -place))
    eligible = [place for place in smallest if step * (values[place] * unit - units[place]) > 0.0]
    for place in eligible[: abs(lacking)]:
        units[place] += step
    return [count / unit for count in units]


def average_log_odds(scorecard: Scorecard) -> float:
    """Return the base plus the average contribution of every signal, in log-odds."""
    total = scorecard.base
    for term in scorecard.terms:
        total += term.mean
    return total
