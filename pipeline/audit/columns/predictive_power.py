"""How well columns predict the outcome, alone and together, out of fold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from leadscore.pipeline.audit.columns.encoding import Codes
from leadscore.pipeline.evaluation.metrics import Estimate

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
FOLDS = 5
_PRIOR = 5.0
"""Leads at the overall rate that each value begins with, so that rare ones say little."""


def predict_alone(codes: Codes, won: Labels) -> Floats:
    """Return the log-odds of each lead's value, from the leads of the other folds; (n,)."""
    log_odds = np.zeros(len(won))
    for train, test in _folds(won):
        log_odds[test] = _learn(codes[train], won[train], int(codes.max()) + 1)[codes[test]]
    return log_odds


def _learn(codes: Codes, won: Labels, size: int) -> Floats:
    """Return the log-odds of each value; those that are rare or unseen lie near the overall."""
    count = np.bincount(codes, minlength=size)
    wins = np.bincount(codes, weights=won, minlength=size)
    rates = (wins + won.mean() * _PRIOR) / (count + _PRIOR)
    return np.asarray(np.log(rates / (1.0 - rates)))


def _folds(won: Labels) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros((len(won), 1)), won))


def measure_auc(scores: Floats, won: Labels) -> Estimate:
    """Return the AUC of scores with its 95 % interval (`half_width`); ties count half."""
    wins, others = int(won.sum()), int((~won).sum())
    ranks = rankdata(scores)
    auc = float((ranks[won].sum() - wins * (wins + 1) / 2.0) / (wins * others))
    half = half_width(auc, wins, others)
    return Estimate(auc, max(auc - half, 0.0), min(auc + half, 1.0))


def half_width(auc: float, wins: int, others: int) -> float:
    """Return half of the width of an AUC's 95 % interval.

    Notes
    -----
    With the area A, m wins and n others, the variance of the AUC is
    ``[A (1 - A) + (m - 1)(Q1 - A^2) + (n - 1)(Q2 - A^2)] / (m n)`` with ``Q1 = A / (2 - A)`` and
    ``Q2 = 2 A^2 / (1 + A)``.

    References
    ----------
    J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982), 29-36.
    """
    both_wins, both_others = auc / (2.0 - auc), 2.0 * auc**2 / (1.0 + auc)
    variance = (
        auc * (1.0 - auc)
        + (wins - 1) * (both_wins - auc**2)
        + (others - 1) * (both_others - auc**2)
    ) / (wins * others)
    return float(1.96 * np.sqrt(max(variance, 0.0)))


def predict_together(columns: Sequence[Codes], won: Labels) -> Floats:
    """Return the log-odds that a logistic regression makes of several columns, out of fold; (n,).

    Within the leads that it learns from, the rate of each value comes from other folds again:
    otherwise columns without any information would seem to have some.

    Parameters
    ----------
    columns : sequence of int arrays (n,)
        ``Values.coarse`` of each; with none of them, all leads are alike.
    """
    log_odds = np.zeros(len(won))
    if not columns:
        return log_odds
    for train, test in _folds(won):
        mine = won[train]
        known = np.column_stack([predict_alone(codes[train], mine) for codes in columns])
        asked = np.column_stack(
            [_learn(codes[train], mine, int(codes.max()) + 1)[codes[test]] for codes in columns]
        )
        scale = known.std(axis=0)
        known, asked = known[:, scale > 0.0], asked[:, scale > 0.0]
        scale = scale[scale > 0.0]
        if not len(scale):
            continue
        model = LogisticRegression(C=1.0, solver="newton-cholesky").fit(known / scale, mine)
        log_odds[test] = model.decision_function(asked / scale)
    return log_odds
