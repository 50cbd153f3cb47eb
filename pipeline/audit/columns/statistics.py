"""How well a column predicts the outcome: out of fold, and by single values that settle it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

from leadscore.pipeline.audit.columns.subjects import MISSING, Codes, Labels, Values
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS, share_interval
from leadscore.pipeline.evaluation.metrics import Estimate

Floats = npt.NDArray[np.float64]
FOLDS = 5
_PRIOR = 5.0
"""How many leads at the overall rate each value begins with, so that rare values count little."""


_SPLITS = StratifiedKFold(FOLDS, shuffle=True, random_state=0)


def predict_alone(codes: Codes, won: Labels) -> Floats:
    """Return the log-odds of each lead's value, from the leads of the other folds; (n,)."""
    return np.asarray(_encoder().fit_transform(codes[:, None], won)[:, 0], np.float64)


def _encoder() -> Pipeline:
    """Return the step from values to their log-odds; values not seen get those of all leads."""
    return make_pipeline(TargetEncoder(smooth=_PRIOR, cv=_SPLITS), FunctionTransformer(logit))


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
    Otherwise columns without any information would seem to have some. `columns` has
    ``Values.coarse`` of each column, (n,). Without columns all leads are alike.
    """
    if not columns:
        return np.zeros(len(won))
    model = make_pipeline(
        *_encoder(),
        StandardScaler(with_mean=False),
        LogisticRegression(C=1.0, solver="newton-cholesky"),
    )
    found = cross_val_predict(
        model, np.column_stack(columns), won, cv=_SPLITS, method="decision_function"
    )
    return np.asarray(found, np.float64)


ALWAYS_WINS = 0.90
"""The least share won, at the low end of its interval, of a value that always wins."""
NEVER_WINS = 0.10
"""A value never wins if it has at most this part of the wins that the overall rate gives it ..."""
MIN_EXPECTED_WINS = 15.0
"""... and that rate gives it at least this number."""
MIN_VALUE_LEADS = 5
BY_CHANCE = np.log(1e-4)
"""A value all of whose leads won by chance is rarer than that."""


@dataclass(frozen=True)
class CertainValues:
    """How much of the outcome single values settle.

    `wins` is the share of all wins that values hold which always win, `others` that of the leads
    not won that values hold which never win; `always` and `never` are the largest such values, in
    words with their counts. Of a value without any exception `extra_wins` is how many of its leads
    should not have won, at the overall rate; `odds_ratio` is that of the surest value against all
    leads, at the low end of its interval; `never_expected` the wins that the largest value which
    never wins should have. `constant` is the share of winners that have one and the same value,
    `constant_others` that of the others which have it, `constant_rate` what the leads with any
    other value win, as a part of the overall rate.
    """

    wins: float
    others: float
    always: str
    never: str
    extra_wins: float
    odds_ratio: float
    never_expected: float
    constant: float
    constant_others: float
    constant_rate: float
    constant_expected: float
    constant_value: str


def find_certain_values(values: Values, won: Labels) -> CertainValues:
    """Count what values, each by itself, settle of the outcome.

    A value is a level, a number that many have, being missing, or anything but the commonest value.
    Ranges of numbers are not looked at: the ends of an honest, strong number may be nearly sure.
    """
    base = float(won.mean())
    always, never = np.zeros((2, len(won)), bool)
    sure: list[tuple[int, str]] = [(0, "")]
    none: list[tuple[int, str]] = [(0, "")]
    odds, extra_wins = 0.0, 0.0
    for name, rows in _groups(values):
        count, wins = int(rows.sum()), int(won[rows].sum())
        if count < MIN_VALUE_LEADS:
            continue
        text = f"{name}: {wins:,} of {count:,} won"
        low, _ = share_interval(np.array([wins / count]), np.array([float(count)]))
        pure = wins == count and count * np.log(base) < BY_CHANCE
        if pure:
            extra_wins = max(extra_wins, (1.0 - base) * count)
        if pure or low[0] >= max(ALWAYS_WINS, 1.0 - (1.0 - base) / 4.0):
            always |= rows
            sure.append((count, text))
            odds = max(odds, float(low[0] / max(1.0 - low[0], 1e-9)))
        elif base * count >= MIN_EXPECTED_WINS and wins <= NEVER_WINS * base * count:
            never |= rows
            none.append((count, text))
    usual = int(np.bincount(values.exact[won]).argmax())
    other = values.exact != usual
    rate = float(won[other].mean()) if other.any() else base
    return CertainValues(
        wins=float(always[won].mean()),
        others=float(never[~won].mean()),
        always=max(sure)[1],
        never=max(none)[1],
        extra_wins=extra_wins,
        odds_ratio=odds * (1.0 - base) / base,
        never_expected=base * max(none)[0],
        constant=float((~other)[won].mean()),
        constant_others=float((~other)[~won].mean()),
        constant_rate=rate / base,
        constant_expected=float(base * other.sum()),
        constant_value=name_value(values, usual),
    )


def name_value(values: Values, code: int) -> str:
    """Return a value in words; one that fewer than 30 leads have might point at somebody."""
    if code == MISSING:
        return "blank"
    if (values.exact == code).sum() < MIN_GROUP_LEADS:
        return "a value"
    name = values.names[code - 1]
    return f"{name:g}" if isinstance(name, float) else f"{str(name)[:40]!r}"


def _groups(values: Values) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    counts = np.bincount(values.exact)
    commonest = int(counts.argmax())
    for code in np.flatnonzero(counts >= MIN_VALUE_LEADS):
        yield name_value(values, int(code)), values.exact == code
    if len(counts) > 2:
        yield f"anything but {name_value(values, commonest)}", values.exact != commonest
    if counts[MISSING] and commonest != MISSING:
        yield "filled", values.filled


STRETCHES = 8


@dataclass(frozen=True)
class ColumnStatistics:
    """What one column shows: the shares filled among won and not, and what it carries alone.

    `auc_earlier` and `auc_later` are of the halves of the leads, None without order. `uneven` is by
    how much the share filled differs between stretches of their order.
    """

    filled: float
    filled_won: float
    filled_not_won: float
    values: int
    auc: Estimate
    auc_earlier: float | None
    auc_later: float | None
    certainty: CertainValues
    uneven: float


def measure_column(
    values: Values, won: Labels, order: npt.NDArray[np.float64] | None
) -> ColumnStatistics:
    """Measure one column of n leads with known outcomes, both won and not won.

    `order` is the time of creation or the arrival number of each lead, (n,).
    """
    filled = values.filled
    scores = predict_alone(values.coarse, won)
    earlier, later, uneven = None, None, 0.0
    if order is not None:
        earlier, later = _halves(scores, won, order)
        parts = np.array_split(filled[np.argsort(order, kind="stable")], STRETCHES)
        shares = [part.mean() for part in parts if len(part) >= 25]
        uneven = float(max(shares) - min(shares)) if shares else 0.0
    return ColumnStatistics(
        filled=float(filled.mean()),
        filled_won=float(filled[won].mean()),
        filled_not_won=float(filled[~won].mean()),
        values=len(np.unique(values.exact[filled])),
        auc=measure_auc(scores, won),
        auc_earlier=earlier,
        auc_later=later,
        certainty=find_certain_values(values, won),
        uneven=uneven,
    )


def _halves(
    scores: npt.NDArray[np.float64], won: Labels, order: npt.NDArray[np.float64]
) -> Iterator[float | None]:
    middle = np.median(order)
    for half in (order <= middle, order > middle):
        mixed = half.any() and 0 < won[half].sum() < half.sum()
        yield measure_auc(scores[half], won[half]).value if mixed else None
