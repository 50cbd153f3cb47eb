"""How well columns predict the outcome, alone and together, on leads of folds not learned from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

from leadscore.pipeline.audit.columns.encoding import Codes
from leadscore.pipeline.evaluation.metrics import Estimate

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
FOLDS = 5
_PRIOR = 5.0
"""How many leads at the overall rate each value begins with, so that rare values count little."""


def predict_alone(codes: Codes, won: Labels) -> Floats:
    """Return the log-odds of each lead's value, from the leads of the other folds; (n,)."""
    return np.asarray(_encoder().fit_transform(codes[:, None], won)[:, 0], np.float64)


def _encoder() -> Pipeline:
    """Return the step from values to their log-odds; values not seen get those of all leads."""
    return make_pipeline(TargetEncoder(smooth=_PRIOR, cv=_folds()), FunctionTransformer(logit))


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=0)


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

    Within the leads that it learns from, the log-odds of each value come from other folds again.
    Otherwise columns without any information would seem to have some.

    Parameters
    ----------
    columns : sequence of int arrays (n,)
        ``Values.coarse`` of each; with none of them, all leads are alike.
    """
    if not columns:
        return np.zeros(len(won))
    model = make_pipeline(
        *_encoder(),
        StandardScaler(with_mean=False),
        LogisticRegression(C=1.0, solver="newton-cholesky"),
    )
    found = cross_val_predict(
        model, np.column_stack(columns), won, cv=_folds(), method="decision_function"
    )
    return np.asarray(found, np.float64)
