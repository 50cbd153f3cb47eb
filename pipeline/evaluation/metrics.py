"""The field's measures, each with an interval from draws of leads."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leadscore.models.calibration import Floats, fit_affine
from leadscore.models.score_frame import to_probabilities


class ScoreGroups(NamedTuple):
    """Leads gathered by score, highest first: g distinct scores, each array of shape (g,).

    `size` and `wins` are float64 counts, so that leads can be weighted. Leads of equal score stand
    together, so nothing computed from a tally depends on the order of rows.
    """

    log_odds: Floats
    probability: Floats
    size: Floats
    wins: Floats


def group_by_score(
    log_odds: Floats, probability: Floats, label: npt.NDArray[np.int8]
) -> ScoreGroups:
    """Gather n leads by score; the labels are 0 and 1."""
    distinct, first, codes = np.unique(-log_odds, return_index=True, return_inverse=True)
    size = np.bincount(codes, minlength=len(distinct)).astype(np.float64)
    wins = np.bincount(codes, weights=label, minlength=len(distinct)).astype(np.float64)
    return ScoreGroups(-distinct, probability[first], size, wins)


class CalibrationBin(NamedTuple):
    """One row of a calibration table: leads of neighbouring probability."""

    size: float
    wins: float
    mean_prob: float
    win_rate: float


def calibration_table(leads: ScoreGroups, bins: int = 10) -> list[CalibrationBin]:
    """Compare the mean prediction with the win rate in bins of equal count, the highest first.

    Where a bin ends among leads of equal score, each of them counts in part on either side, so the
    table does not depend on the order of rows.
    """
    reached = np.r_[0.0, np.cumsum(leads.size)]
    edges = np.linspace(0.0, reached[-1], bins + 1)
    wins, total = (
        np.diff(np.interp(edges, reached, np.r_[0.0, np.cumsum(weights)]))
        for weights in (leads.wins, leads.size * leads.probability)
    )
    size = reached[-1] / bins
    return [
        CalibrationBin(float(size), float(won), float(predicted / size), float(won / size))
        for won, predicted in zip(wins, total, strict=True)
    ]


def expected_calibration_error(leads: ScoreGroups, bins: int = 10) -> float:
    """Return the mean distance of prediction and win rate over bins of equal count.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning" (2015).
    """
    table = calibration_table(leads, bins)
    return sum(abs(row.mean_prob - row.win_rate) for row in table) / bins


LEVEL = 0.95
TAILS = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Scored(NamedTuple):
    """n scored and labelled snapshots: log-odds, label (0, 1) and number of the lead, each (n,)."""

    log_odds: Floats
    label: npt.NDArray[np.int8]
    lead: npt.NDArray[np.intp]


def auc(leads: ScoreGroups) -> float:
    """Return the chance that a won lead is scored above one that is not; ties count half."""
    lost = leads.size - leads.wins
    below = lost.sum() - np.cumsum(lost)
    return float((leads.wins * (below + lost / 2.0)).sum() / (leads.wins.sum() * lost.sum()))


def average_precision(leads: ScoreGroups) -> float:
    """Return the precision averaged over the wins, from the highest score down."""
    precision = np.cumsum(leads.wins) / np.maximum(np.cumsum(leads.size), 1e-300)
    return float((leads.wins * precision).sum() / leads.wins.sum())


def log_loss(leads: ScoreGroups) -> float:
    """Return the mean negative log-likelihood, in nats a snapshot."""
    lost = leads.size - leads.wins
    loss = leads.wins * np.logaddexp(0.0, -leads.log_odds) + lost * np.logaddexp(0, leads.log_odds)
    return float(loss.sum() / leads.size.sum())


def brier(leads: ScoreGroups) -> float:
    """Return the mean squared distance of probability and outcome."""
    lost = leads.size - leads.wins
    loss = leads.wins * (1.0 - leads.probability) ** 2 + lost * leads.probability**2
    return float(loss.sum() / leads.size.sum())


def lift_at_10(leads: ScoreGroups) -> float:
    """Return the win rate of the best-scored tenth over the win rate of all.

    Where the tenth ends among equal scores, each of them counts in part.
    """
    reached = np.r_[0.0, np.cumsum(leads.size)]
    tenth = reached[-1] / 10.0
    wins = np.interp(tenth, reached, np.r_[0.0, np.cumsum(leads.wins)])
    return float(wins / tenth / base_rate(leads))


def gain_curve(leads: ScoreGroups) -> tuple[Floats, Floats]:
    """Return the curve of gain: shares of the leads, best first, and of the wins among them.

    Both are of shape (g + 1,) for g distinct scores, and go from 0 to 1. Lift is their ratio.
    """
    called = np.r_[0.0, np.cumsum(leads.size) / leads.size.sum()]
    gained = np.r_[0.0, np.cumsum(leads.wins) / leads.wins.sum()]
    return called, gained


def base_rate(leads: ScoreGroups) -> float:
    """Return the share that won."""
    return float(leads.wins.sum() / leads.size.sum())


def mean_prob(leads: ScoreGroups) -> float:
    """Return the mean prediction."""
    return float((leads.size * leads.probability).sum() / leads.size.sum())


class _Slope:
    """Calibration slope; under resampling by one Newton step from the slope of all leads."""

    def __init__(self, scored: Scored) -> None:
        self._whole = fit_affine(scored.log_odds, scored.label.astype(np.float64))

    def __call__(self, leads: ScoreGroups) -> float:
        fitted = self._whole.apply(leads.log_odds)
        p = 1.0 / (1.0 + np.exp(-np.clip(fitted, -500.0, 500.0)))
        design = np.column_stack([leads.log_odds, np.ones(len(p))])
        slope = design.T @ (leads.wins - leads.size * p)
        curvature = (design * (leads.size * p * (1.0 - p))[:, None]).T @ design
        if not np.linalg.cond(curvature) < 1e14:
            return self._whole.factor
        return float(self._whole.factor + np.linalg.solve(curvature, slope)[0])


MEASURES: dict[str, Callable[[ScoreGroups], float]] = {
    "auc": auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "ece": expected_calibration_error,
    "lift_at_10": lift_at_10,
    "base_rate": base_rate,
    "mean_prob": mean_prob,
}


def measure(scored: Scored, bootstrap_draws: int, seed: int) -> dict[str, Estimate]:
    """Compute every measure by name, with its 95 % percentile interval; draws are of whole leads.

    The names are those of ``MEASURES`` and ``calibration_slope``. The interval of the calibration
    error lies high, since noise only ever adds to it. A ValueError is raised if the labels are all
    one class.

    References
    ----------
    B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    measures: dict[str, Callable[[ScoreGroups], float]] = {
        **MEASURES,
        "calibration_slope": _Slope(scored),
    }
    whole, draws = draw_score_groups(scored, bootstrap_draws, seed)
    drawn = [[compute(leads) for compute in measures.values()] for leads in draws]
    low, high = np.quantile(np.array(drawn), TAILS, axis=0)
    return {
        name: Estimate(compute(whole), float(low[i]), float(high[i]))
        for i, (name, compute) in enumerate(measures.items())
    }


def draw_score_groups(
    scored: Scored, bootstrap_draws: int, seed: int
) -> tuple[ScoreGroups, Iterator[ScoreGroups]]:
    """Return the score groups of all leads, and an iterator over those of draws of leads."""
    if np.ptp(scored.label) == 0:
        raise ValueError("all labels are of one class; nothing can be measured")
    order = np.argsort(-scored.log_odds, kind="stable")
    ranked = scored.log_odds[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    probability = to_probabilities(ranked[starts])
    label, (_, lead) = scored.label[order], np.unique(scored.lead[order], return_inverse=True)
    leads = int(lead.max()) + 1
    whole = group_by_score(scored.log_odds, to_probabilities(scored.log_odds), scored.label)

    def draw() -> Iterator[ScoreGroups]:
        random = np.random.default_rng(seed)
        made = 0
        while made < bootstrap_draws:
            times = np.bincount(random.integers(leads, size=leads), minlength=leads)
            weight = times[lead].astype(np.float64)
            count = np.add.reduceat(weight, starts)
            wins = np.add.reduceat(weight * label, starts)
            if 0.0 < wins.sum() < count.sum():
                made += 1
                yield ScoreGroups(ranked[starts], probability, count, wins)

    return whole, draw()


class MeasureText(NamedTuple):
    """A measure's name and, in one sentence, what it says; `share` is shown in per cent."""

    name: str
    says: str
    share: bool = False


MEASURE_WORDS: dict[str, MeasureText] = {
    "auc": MeasureText(
        "AUC",
        "How often a lead that won is scored above one that did not; 0.5 is chance, 1 is perfect.",
    ),
    "average_precision": MeasureText(
        "average precision",
        "The share of winners among the best-scored leads, averaged over all winners; "
        "chance is the share that won.",
    ),
    "log_loss": MeasureText(
        "log loss", "How wrong the probabilities are, in nats a snapshot; 0 is best."
    ),
    "brier": MeasureText(
        "Brier", "The mean squared distance of probability and outcome; 0 is best."
    ),
    "ece": MeasureText(
        "calibration error (ECE)",
        "How far the probabilities are from what happened, over ten groups of equal size; 0 is "
        "best, and noise only ever adds to it.",
    ),
    "calibration_slope": MeasureText(
        "calibration slope",
        "1 is right; below 1 the model is too sure of itself, above 1 too timid.",
    ),
    "lift_at_10": MeasureText(
        "lift at 10 %",
        "How many times more often the best-scored tenth won than all leads did.",
    ),
    "base_rate": MeasureText("share that won", "The share that was observed.", share=True),
    "mean_prob": MeasureText("mean prediction", "What the model predicted on average.", share=True),
}

COMPARISON_WORDS: dict[str, MeasureText] = {
    **MEASURE_WORDS,
    "auc_within": MeasureText(
        "AUC within a period",
        "The same among leads of one month (or stretch) only, so that nobody gains by following "
        "how the share of wins moves.",
    ),
    "log_loss_equal": MeasureText(
        "log loss, treated alike",
        "How wrong they are once each score is scaled and shifted to fit the same earlier leads.",
    ),
    "ece_equal": MeasureText(
        "calibration error, treated alike",
        "How far they are from what happened once each score fits the same earlier leads.",
    ),
}
"""All measures of a comparison."""
