"""The conversion between log-odds and probability."""

import math


def to_probability(log_odds: float) -> float:
    """Return the probability of finite log-odds, ``1 / (1 + exp(-log_odds))``, without overflow.

    >>> to_probability(0.0), to_probability(-800.0), to_probability(800.0)
    (0.5, 0.0, 1.0)
    """
    if log_odds >= 0.0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


def to_log_odds(probability: float) -> float:
    """Return the log-odds of a probability, ``log(p / (1 - p))``.

    Raises ValueError if `probability` is not strictly between 0 and 1.

    >>> to_log_odds(0.5)
    0.0
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(
            f"a probability strictly between 0 and 1 is expected, found {probability!r}"
        )
    return math.log(probability / (1.0 - probability))
