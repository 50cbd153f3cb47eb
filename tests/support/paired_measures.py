"""The difference of two models in one measure, in the same draws of leads."""

import numpy as np

from leadscore.pipeline.evaluation.metrics import (
    MEASURES,
    TAILS,
    Estimate,
    Scored,
    draw_score_groups,
)


def measure_difference(
    one: Scored, other: Scored, name: str, bootstrap_draws: int, seed: int
) -> Estimate:
    """Compute one measure's difference, `one` minus `other`, on the same snapshots.

    The draws are paired: each takes the same leads for both.

    Parameters
    ----------
    one, other : Scored
        The same snapshots in the same order, scored by two models.
    name : str
        Of ``MEASURES``.
    """
    compute = MEASURES[name]
    whole_one, draws_one = draw_score_groups(one, bootstrap_draws, seed)
    whole_other, draws_other = draw_score_groups(other, bootstrap_draws, seed)
    drawn = [compute(a) - compute(b) for a, b in zip(draws_one, draws_other, strict=True)]
    low, high = np.quantile(drawn, TAILS)
    return Estimate(compute(whole_one) - compute(whole_other), float(low), float(high))
