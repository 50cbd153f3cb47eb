"""The predictive model: stock scikit-learn over signals, and its fitted weights as a scorecard."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer

from leadscore.models.calibration import Affine
from leadscore.models.errors import ScorecardError
from leadscore.models.scorecard import Term
from leadscore.models.shapes import Curve, Table

Floats = npt.NDArray[np.float64]
MISSING = "\x1fmissing"
UNSEEN = "\x1fa level that was never seen"

MASS_SHARE = 0.10
"""A value that more than this share of the rows has becomes a knot of its own."""
TRIMMED_SHARE = 0.005
"""Beyond this share of the other values at each end a curve is flat."""
MISSING_WEIGHT = 0.5
"""How large an indicator of missing values is, against 1 for a flag: smaller is shrunk more."""


@dataclass(frozen=True)
class Hyperparameters:
    """How a model is built: knots per number, inverse L2 strength C, rarest level of its own."""

    knots: int
    penalty: float
    min_level_count: int


def place_knots(values: Floats, most: int) -> Floats:
    """Place the knots of one column.

    `most` knots are at quantiles; NaN is ignored. The knots increase and are values of the column;
    there are fewer than two if the column has fewer values. Values that more than a tenth of the
    rows have (mostly zero) are further knots, and the quantiles are those of the other values. So
    the curve can step between nothing and a little. ``SplineTransformer(knots="quantile")`` repeats
    knots on such columns, and its basis then degenerates without an error.
    """
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < 3:
        return distinct
    heavy = distinct[counts > MASS_SHARE * len(known)]
    rest = known[~np.isin(known, heavy)]
    if not len(rest):
        return heavy
    shares = np.linspace(TRIMMED_SHARE, 1.0 - TRIMMED_SHARE, most)
    knots = np.union1d(heavy, np.quantile(rest, shares, method="inverted_cdf"))
    return knots if len(knots) > 1 else distinct[[0, -1]]


def build_pipeline(
    signals: pd.DataFrame, numbers: list[str], categories: list[str], params: Hyperparameters
) -> Pipeline:
    """Build the unfitted pipeline for a frame of signals.

    A number enters as hat functions at its knots, missing ones at the median, with an indicator
    column of their own; a category as one column per level, levels with fewer than
    ``params.min_level_count`` rows grouped, missing as a level, unseen ones as the rare group.
    Columns that never change are left out.

    Numbers are float64 with NaN, categories object with None or NaN. The last step is a
    LogisticRegression. The hats are summed up from the left. That spans the same curves with a
    weight for each step from knot to knot: the L2 penalty then draws a curve towards flat, not
    towards zero, and further knots cost little. The columns of a category with k levels are made
    smaller by ``sqrt(2 / k)``, so that a field of twenty levels is not allowed more than a flag.

    Raises ScorecardError if no column is left.
    """
    steps: list[tuple[str, Any, list[str]]] = []
    sizes: dict[str, float] = {}
    for column in numbers:
        knots = place_knots(signals[column].to_numpy(dtype=np.float64), params.knots)
        if len(knots) > 1:
            steps.append((_name("curve", column), _curve_steps(knots), [column]))
        if len(knots) and signals[column].isna().any():
            name = _name("missing", column)
            steps.append((name, MissingIndicator(features="all"), [column]))
            sizes[name] = MISSING_WEIGHT
    for column in categories:
        known = signals[column].astype(object).where(signals[column].notna(), None)
        counts = known.value_counts(dropna=False)
        if len(counts) > 1:
            name = _name("levels", column)
            steps.append((name, _level_steps(params.min_level_count), [column]))
            sizes[name] = sqrt(2.0 / max(2, int((counts >= params.min_level_count).sum())))
    if not steps:
        raise ScorecardError("every signal is constant or missing throughout; nothing to learn")
    columns = ColumnTransformer(steps, transformer_weights=sizes, sparse_threshold=0.0)
    regression = LogisticRegression(
        C=params.penalty, solver="newton-cholesky", tol=1e-8, max_iter=200
    )
    return Pipeline([("signals", columns), ("regression", regression)])


def _curve_steps(knots: Floats) -> Pipeline:
    hats = SplineTransformer(degree=1, knots=knots[:, None], extrapolation="constant")
    sums = FunctionTransformer(np.cumsum, kw_args={"axis": 1})
    return make_pipeline(SimpleImputer(strategy="median"), hats, sums)


def _level_steps(min_level_count: int) -> Pipeline:
    # Two imputers, since pandas writes a missing text now as NaN and now as None.
    return make_pipeline(
        SimpleImputer(missing_values=np.nan, strategy="constant", fill_value=MISSING),
        SimpleImputer(missing_values=None, strategy="constant", fill_value=MISSING),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=min_level_count, sparse_output=False
        ),
    )


def _name(kind: str, column: str) -> str:
    return f"{kind}:{column.replace('__', '.')}"  # scikit-learn keeps the double underscore


def decide(pipeline: Pipeline, signals: pd.DataFrame) -> Floats:
    """Return the pipeline's log-odds for n rows, shape (n,)."""
    return np.asarray(pipeline.decision_function(signals), dtype=np.float64)


def recalibrate_pipeline(pipeline: Pipeline, affine: Affine) -> None:
    """Fold a recalibration into the fitted weights, so that ``predict_proba`` has it too."""
    regression = pipeline.named_steps["regression"]
    regression.coef_ = affine.factor * regression.coef_
    regression.intercept_ = affine.factor * regression.intercept_ + affine.shift


def to_terms(pipeline: Pipeline) -> tuple[float, tuple[Term, ...]]:
    """Read base and terms off a fitted pipeline.

    Each fitted step transforms each knot, each level, a missing and an unseen value. The result
    times the weights are the terms, exactly as scikit-learn would compute them.

    There is one term per signal that the pipeline reads, in its order; `mean` is not filled in.
    """
    transformer = pipeline.named_steps["signals"]
    regression = pipeline.named_steps["regression"]
    weights = regression.coef_[0]
    parts: dict[str, dict[str, tuple[Pipeline, Floats]]] = {}
    for name, step, chosen in transformer.transformers_:
        if name == "remainder":
            continue
        (column,) = chosen
        kind = name.split(":", 1)[0]
        size = transformer.transformer_weights.get(name, 1.0)
        where = transformer.output_indices_[name]
        parts.setdefault(column, {})[kind] = (step, size * weights[where])
    terms = tuple(_to_term(column, steps) for column, steps in parts.items())
    return float(regression.intercept_[0]), terms


def _to_term(column: str, steps: dict[str, tuple[Pipeline, Floats]]) -> Term:
    family = column.split("__", 1)[0]
    if "levels" in steps:
        return Term(signal=column, family=family, shape=_to_table(column, *steps["levels"]))
    if_missing = float(steps["missing"][1][0]) if "missing" in steps else 0.0
    if "curve" not in steps:
        curve = Curve(knots=(0.0,), values=(0.0,), missing=if_missing)
        return Term(signal=column, family=family, shape=curve)
    steps_of_curve, weights = steps["curve"]
    knots = steps_of_curve[1].bsplines_[0].t[1:-1]
    log_odds = _ask(steps_of_curve, column, [*knots, np.nan], weights)
    curve = Curve(
        knots=tuple(map(float, knots)),
        values=tuple(map(float, log_odds[:-1])),
        missing=float(log_odds[-1]) + if_missing,
    )
    return Term(signal=column, family=family, shape=curve)


def _to_table(column: str, step: Pipeline, weights: Floats) -> Table:
    rare = step[-1].infrequent_categories_[0]
    hidden = {MISSING, *([] if rare is None else rare)}  # rare levels share `other`
    levels = [level for level in step[-1].categories_[0] if level not in hidden]
    log_odds = _ask(step, column, [*levels, None, UNSEEN], weights)
    return Table(
        levels=dict(zip(levels, map(float, log_odds), strict=False)),
        missing=float(log_odds[-2]),
        other=float(log_odds[-1]),
    )


def _ask(step: Pipeline, column: str, values: list[object], weights: Floats) -> Floats:
    kind = object if any(isinstance(value, str) for value in values) else np.float64
    probe = pd.DataFrame({column: pd.Series(values, dtype=kind)})
    return np.asarray(step.transform(probe) @ weights, dtype=np.float64)
