"""The predictive model: scikit-learn's own answer, and the scorecard read off it."""

import io
import pickle
import pickletools
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from support.scorecards import LAW, make_scorecard

from leadscore.models.calibration import Affine
from leadscore.models.errors import ScorecardError
from leadscore.models.predictive import (
    MASS_SHARE,
    Hyperparameters,
    build_pipeline,
    decide,
    place_knots,
    recalibrate_pipeline,
    to_terms,
)
from leadscore.models.score_frame import score_frame
from leadscore.models.scorecard import Scorecard, read_scorecard
from leadscore.models.shapes import Curve, Table

FITS = settings(LAW, max_examples=100, suppress_health_check=list(HealthCheck))
RECIPE = Hyperparameters(knots=5, penalty=1.0, min_level_count=5)


@dataclass(frozen=True)
class History:
    """Signals with outcomes to learn from, and how."""

    signals: pd.DataFrame
    label: np.ndarray
    recipe: Hyperparameters = RECIPE

    @property
    def numbers(self) -> list[str]:
        return [c for c in self.signals if self.signals[c].dtype == np.float64]

    def build(self) -> Pipeline:
        categories = [c for c in self.signals if c not in self.numbers]
        return build_pipeline(self.signals, self.numbers, categories, self.recipe)

    def fit(self) -> Pipeline:
        return self.build().fit(self.signals, self.label)


def to_scorecard(pipeline: Pipeline) -> Scorecard:
    base, terms = to_terms(pipeline)
    return make_scorecard(*terms, base=base, kind="predictive")


def check_law(pipeline: Pipeline, rows: pd.DataFrame) -> None:
    """scikit-learn and the scorecard say the same of these rows."""
    said = score_frame(to_scorecard(pipeline), rows)
    expected = pipeline.predict_proba(rows)[:, 1]
    assert np.isfinite(said.log_odds).all()
    np.testing.assert_allclose(said.probability, expected, rtol=0.0, atol=1e-9)


# ---------------------------------------------------------------- any history

NUMBERS = {
    "plain": lambda rng, n: rng.normal(size=n),
    "with_missing": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "zero_inflated": lambda rng, n: rng.poisson(0.4, n) * rng.exponential(5.0, n),
    "counts": lambda rng, n: rng.poisson(3.0, n).astype(float),
    "constant": lambda rng, n: np.full(n, 3.5),
    "constant_or_missing": lambda rng, n: np.where(rng.random(n) < 0.5, np.nan, 7.0),
    "all_null": lambda rng, n: np.full(n, np.nan),
    "two_valued": lambda rng, n: rng.choice([-1.0, 4.0], n),
    "one_odd": lambda rng, n: np.r_[1.0, np.zeros(n - 1)],
    "huge": lambda rng, n: rng.normal(size=n) * 1e299,
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-299,
    "every_magnitude": lambda rng, n: rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-299, 299, n),
    "money": lambda rng, n: np.round(rng.lognormal(12.0, 2.0, n), 2),
    "near_one": lambda rng, n: 1.0 + rng.integers(0, 4, n) * 2.0**-52,
    "year_us": lambda rng, n: 1.7e15 + rng.integers(0, 10**9, n).astype(float),
}
CATEGORIES = {
    "few": lambda rng, n: rng.choice(["a", "b", "España"], n),
    "none": lambda rng, n: rng.choice(["a", "b", None], n),
    "nan": lambda rng, n: rng.choice(np.array(["a", "b", np.nan], dtype=object), n),
    "none_or_nan": lambda rng, n: rng.choice(np.array(["a", None, np.nan], dtype=object), n),
    "many": lambda rng, n: rng.choice([f"level {i}" for i in range(60)], n),
    "rarely_missing": lambda rng, n: np.array([None, *rng.choice(["a", "", " "], n - 1)], object),
    "constant": lambda rng, n: np.array(["a"] * n),
    "all_none": lambda rng, n: np.array([None] * n, dtype=object),
    "all_nan": lambda rng, n: np.array([np.nan] * n, dtype=object),
    "constant_or_missing": lambda rng, n: rng.choice(["a", None], n),
}
DROPPED = {"constant", "all_null", "all_none", "all_nan"}


@st.composite
def histories(draw: st.DrawFn) -> History:
    # the kinds come from the seed, so that each of them has its turn
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(20, 150))
    numbers = rng.choice([*NUMBERS], draw(st.integers(0, 3)), replace=False).tolist()
    categories = rng.choice([*CATEGORIES], draw(st.integers(0, 2)), replace=False).tolist()
    if not {*numbers, *categories} - DROPPED:
        numbers = ["plain"]
    made = {f"web__{kind}": pd.Series(NUMBERS[kind](rng, n)) for kind in numbers}
    for kind in categories:
        made[f"form__{kind}"] = pd.Series(CATEGORIES[kind](rng, n), dtype=object)
    label = (rng.random(n) < draw(st.sampled_from([0.05, 0.3, 0.7]))).astype(int)
    label[:2] = 0, 1
    recipe = Hyperparameters(
        knots=draw(st.integers(2, 8)),
        penalty=draw(st.sampled_from([1e-3, 0.1, 1.0, 30.0])),
        min_level_count=draw(st.sampled_from([1, 2, 5, 25])),
    )
    return History(pd.DataFrame(made), label, recipe)


def serving_rows(history: History) -> pd.DataFrame:
    """What training never saw: missing for the first time, unseen, extreme, on and off knots."""
    strange: dict[str, list[object]] = {}
    for column in history.signals:
        if column in history.numbers:
            known = history.signals[column].dropna()
            middle = float(known.median()) if len(known) else 0.0
            beside = [np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf), middle / 3.0]
            strange[column] = [np.nan, 1e300, -1e300, 0.0, -0.0, 5e-324, middle, *beside]
        else:
            strange[column] = [None, np.nan, "never seen", "", "A", "a", "\x00", "b ", "é", "a"]
    rows = pd.DataFrame(
        {c: pd.Series(v, dtype=history.signals[c].dtype) for c, v in strange.items()}
    )
    return pd.concat([history.signals, rows], ignore_index=True)


@FITS
@given(st.floats(0.05, 5.0), st.floats(-3.0, 3.0), histories())
def test_the_scorecard_says_what_scikit_learn_says(factor: float, shift: float, history: History):
    pipeline, rows = history.fit(), serving_rows(history)
    check_law(pipeline, rows)
    before, log_odds = to_scorecard(pipeline), decide(pipeline, rows)
    recalibrate_pipeline(pipeline, Affine(factor, shift))
    check_law(pipeline, rows)
    slack = 1e-9 * max(1.0, factor) * max(1.0, float(np.abs(log_odds).max()))
    moved = decide(pipeline, rows)
    np.testing.assert_allclose(moved, factor * log_odds + shift, rtol=0.0, atol=slack)
    folded = score_frame(before.rescaled(factor, shift), rows).log_odds
    np.testing.assert_allclose(folded, factor * log_odds + shift, rtol=0.0, atol=slack)


@pytest.mark.parametrize("kind", sorted({*NUMBERS, *CATEGORIES}))
def test_each_kind_of_column_keeps_the_law(kind):
    rng = np.random.default_rng(11)
    made = {"email__plain": pd.Series(NUMBERS["plain"](rng, 120))}
    if kind in NUMBERS:
        made[f"web__{kind}"] = pd.Series(NUMBERS[kind](rng, 120))
    if kind in CATEGORIES:
        made[f"form__{kind}"] = pd.Series(CATEGORIES[kind](rng, 120), dtype=object)
    history = History(pd.DataFrame(made), (rng.random(120) < 0.3).astype(int))
    pipeline = history.fit()
    check_law(pipeline, serving_rows(history))
    learned = {term.signal for term in to_terms(pipeline)[1]}
    assert learned == {"email__plain"} if kind in DROPPED else learned == set(made)


# ---------------------------------------------------------------- one history, told


def some_history(n: int = 400, seed: int = 7) -> History:
    rng = np.random.default_rng(seed)
    visits = rng.poisson(1.0, n).astype(float)
    age = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(0.0, 60.0, n))
    channel = rng.choice(np.array(["ads", "fair", "organic", None], dtype=object), n)
    odds = -1.0 + 0.8 * visits - 0.02 * np.nan_to_num(age, nan=30.0) + (channel == "fair")
    label = (rng.random(n) < 1.0 / (1.0 + np.exp(-odds))).astype(int)
    return History(
        pd.DataFrame(
            {
                "web__visits": visits,
                "firmographic__age": age,
                "web__channel": pd.Series(channel, dtype=object),
            }
        ),
        label,
    )


def test_terms_are_read_off_in_order_with_their_families_and_shapes():
    _, terms = to_terms(some_history().fit())
    assert [(t.signal, t.family, type(t.shape)) for t in terms] == [
        ("web__visits", "web", Curve),
        ("firmographic__age", "firmographic", Curve),
        ("web__channel", "web", Table),
    ]
    visits, _, channel = (term.shape for term in terms)
    assert set(visits.knots) <= set(some_history().signals["web__visits"])
    assert visits.beyond == "flat"
    assert visits.values[-1] > visits.values[0]
    assert set(channel.levels) == {"ads", "fair", "organic"}
    assert max(channel.levels, key=channel.levels.get) == "fair"


def test_what_is_missing_for_the_first_time_is_an_ordinary_lead():
    history = some_history()
    pipeline = history.fit()
    median = float(history.signals["web__visits"].median())
    rows = pd.DataFrame(
        {"web__visits": [np.nan, median], "firmographic__age": 30.0, "web__channel": "fair"}
    )
    unknown, at_median = decide(pipeline, rows)
    assert unknown == at_median
    check_law(pipeline, rows)


@pytest.mark.parametrize("min_level_count", [1, 5, 200])
def test_none_and_nan_are_the_same_missing_level(min_level_count):
    history = some_history()
    signals = history.signals.copy()
    channel = signals["web__channel"]
    every_other = np.arange(len(signals)) % 2 == 0
    mixed = channel.where(channel.notna() | every_other, np.nan)
    as_nan = channel.where(channel.notna(), np.nan)
    assert {type(v) for v in mixed[mixed.isna()]} == {float, type(None)}
    answers = []
    for column in (channel, mixed, as_nan):
        signals["web__channel"] = column.astype(object)
        recipe = Hyperparameters(knots=5, penalty=1.0, min_level_count=min_level_count)
        pipeline = History(signals, history.label, recipe).fit()
        rows = history.signals.head(3).copy()
        for missing in (None, np.nan):
            rows["web__channel"] = pd.Series([missing] * 3, dtype=object)
            answers.append(decide(pipeline, rows).tolist())
            check_law(pipeline, rows)
    assert all(answer == answers[0] for answer in answers)


def test_a_category_with_nothing_in_it_is_left_out_whether_none_or_nan():
    history = some_history()
    n = len(history.signals)
    for nothing in ([None] * n, [np.nan] * n, [None, np.nan] * (n // 2)):
        signals = history.signals.assign(web__channel=pd.Series(nothing, dtype=object))
        _, terms = to_terms(History(signals, history.label).fit())
        assert [term.signal for term in terms] == ["web__visits", "firmographic__age"]


def test_columns_that_never_change_are_left_out():
    history = some_history()
    signals = history.signals.assign(
        web__constant=3.0,
        web__null=np.nan,
        form__constant=pd.Series(["a"] * len(history.signals), dtype=object),
    )
    _, terms = to_terms(History(signals, history.label).fit())
    assert [term.signal for term in terms] == [*history.signals]


def test_nothing_but_constants_cannot_be_learned_from():
    signals = pd.DataFrame(
        {
            "web__constant": [3.0] * 10,
            "web__null": [np.nan] * 10,
            "form__constant": pd.Series(["a"] * 10, dtype=object),
            "form__null": pd.Series([None] * 10, dtype=object),
        }
    )
    with pytest.raises(ScorecardError, match="nothing to learn"):
        History(signals, np.arange(10) % 2).build()


def test_whether_a_constant_is_known_can_still_be_learned():
    known = np.array([5.0, np.nan] * 100)
    label = np.array([1, 0] * 95 + [0, 1] * 5)
    pipeline = History(pd.DataFrame({"web__constant": known}), label).fit()
    (term,) = to_terms(pipeline)[1]
    assert term.shape.values == (0.0,)
    assert term.shape.missing < -1.0
    check_law(pipeline, pd.DataFrame({"web__constant": [5.0, np.nan, 9.0]}))


def test_perfect_separation_gives_finite_weights():
    visits = np.arange(200.0)
    won = visits >= 100.0
    signals = pd.DataFrame(
        {"web__visits": visits, "form__told": pd.Series(np.where(won, "yes", "no"), dtype=object)}
    )
    for penalty in (1e-3, 1.0, 1e4):
        history = History(signals, won.astype(int), Hyperparameters(5, penalty, 5))
        pipeline = history.fit()
        check_law(pipeline, serving_rows(history))
        assert ((decide(pipeline, signals) > 0.0) == won).all()


def test_ten_thousand_levels_become_a_few_and_a_rare_group():
    rng = np.random.default_rng(1)
    n = 20_000
    levels = np.concatenate([np.repeat(["ads", "fair"], 5_000), [f"x{i}" for i in range(9_998)]])
    levels = np.concatenate([levels, rng.choice(["ads", "fair"], n - len(levels))])
    label = (rng.random(n) < np.where(levels == "fair", 0.5, 0.1)).astype(int)
    signals = pd.DataFrame({"web__campaign": pd.Series(levels, dtype=object)})
    history = History(signals, label, Hyperparameters(5, 1.0, 20))
    assert signals["web__campaign"].nunique() == 10_000
    pipeline = history.fit()
    scorecard = to_scorecard(pipeline)
    (table,) = (term.shape for term in scorecard.terms)
    check_law(pipeline, serving_rows(history))
    assert table.levels["fair"] > table.levels["ads"]
    assert set(table.levels) == {"ads", "fair"}  # the rare ones are worth what `other` is
    assert len(scorecard.sealed().to_json()) < 5_000


def test_rare_levels_are_worth_what_a_level_never_seen_is():
    channel = ["ads"] * 50 + ["fair"] * 50 + ["a", "b", "c", "c"] * 5
    rng = np.random.default_rng(3)
    label = (rng.random(120) < np.where(np.arange(120) < 100, 0.2, 0.8)).astype(int)
    signals = pd.DataFrame({"web__channel": pd.Series(channel, dtype=object)})
    pipeline = History(signals, label, Hyperparameters(5, 1.0, 15)).fit()
    rows = pd.DataFrame({"web__channel": pd.Series(["a", "b", "c", "new", "ads"], dtype=object)})
    a, b, c, new, ads = decide(pipeline, rows)
    assert a == b == c == new > ads
    check_law(pipeline, rows)


# ---------------------------------------------------------------- nothing of ours inside


def walk(thing: object):
    """Every estimator in a fitted pipeline, itself included."""
    if isinstance(thing, BaseEstimator):
        yield thing
        things = [*vars(thing).values()]
    else:
        things = [*thing.values()] if isinstance(thing, dict) else thing
    for part in things:
        if isinstance(part, BaseEstimator | list | tuple | dict):
            yield from walk(part)


def test_every_part_of_a_fitted_pipeline_is_scikit_learns_own():
    parts = list(walk(some_history().fit()))
    names = {type(part).__name__ for part in parts}
    assert {"SplineTransformer", "OneHotEncoder", "LogisticRegression", "SimpleImputer"} <= names
    assert {type(part).__module__.split(".")[0] for part in parts} == {"sklearn"}


def test_a_stored_pipeline_names_no_module_of_ours():
    stored = pickle.dumps(some_history().fit(), protocol=2)  # names as one argument
    opcodes = list(pickletools.genops(stored))
    roots = {str(arg).split(" ")[0].split(".")[0] for op, arg, _ in opcodes if op.name == "GLOBAL"}
    assert {"sklearn", "numpy"} <= roots
    assert roots <= {
        "sklearn", "numpy", "scipy", "builtins", "__builtin__", "copy_reg", "_codecs",
    }  # fmt: skip


def test_a_pipeline_read_back_by_joblib_predicts_the_same():
    history = some_history()
    pipeline, rows = history.fit(), serving_rows(history)
    file = io.BytesIO()
    joblib.dump(pipeline, file)
    file.seek(0)
    again = joblib.load(file)
    assert again.predict_proba(rows).tolist() == pipeline.predict_proba(rows).tolist()
    assert to_terms(again) == to_terms(pipeline)


def test_the_same_history_gives_the_same_bytes():
    texts = {to_scorecard(some_history().fit()).sealed().to_json() for _ in range(3)}
    assert len(texts) == 1
    assert read_scorecard(texts.pop()).kind == "predictive"


def test_building_and_scoring_leave_the_callers_frame_alone():
    history = some_history()
    before = history.signals.copy(deep=True)
    pipeline = history.fit()
    check_law(pipeline, history.signals)
    pd.testing.assert_frame_equal(history.signals, before)


# ---------------------------------------------------------------- knots


@LAW
@given(
    st.lists(
        st.one_of(
            st.just(0.0),
            st.just(np.nan),
            st.integers(-5, 5).map(float),
            st.floats(-1e300, 1e300),
        ),
        max_size=60,
    ),
    st.integers(1, 10),
)
def test_knots_increase_and_are_values_of_the_column(values, most):
    column = np.array(values, dtype=np.float64)
    knots = place_knots(column, most)
    known, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    assert (np.diff(knots) > 0.0).all()
    assert set(knots) <= set(known)
    assert len(knots) >= min(2, len(known))
    assert set(known[counts > MASS_SHARE * counts.sum()]) <= set(knots)
    assert len(knots) <= most + 1.0 / MASS_SHARE


def test_a_count_that_is_mostly_zero_may_step_between_nothing_and_a_little():
    column = np.r_[np.zeros(900), np.arange(1.0, 101.0), np.nan]
    knots = place_knots(column, 5)
    assert knots[:2].tolist() == [0.0, 1.0]
    assert len(knots) == 6
    assert knots[-1] == 100.0


def test_every_heavy_value_is_a_knot():
    column = np.r_[np.full(30, 7.0), np.full(30, 30.0), np.linspace(0.0, 100.0, 140)]
    assert {7.0, 30.0} <= set(place_knots(column, 3))
    assert len(place_knots(column, 3)) == 5


@pytest.mark.parametrize(
    ("column", "knots"),
    [
        ([], []),
        ([np.nan, np.nan], []),
        ([3.0, 3.0, np.nan], [3.0]),
        ([1.0, 0.0, 1.0], [0.0, 1.0]),
        ([0.0, 1.0, 2.0] * 5, [0.0, 1.0, 2.0]),
    ],
)
def test_a_column_of_few_values_has_them_as_knots(column, knots):
    assert place_knots(np.array(column, dtype=np.float64), 5).tolist() == knots


def test_knots_do_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(5)
    column = np.where(rng.random(500) < 0.4, 0.0, rng.lognormal(size=500))
    shuffled = rng.permutation(column)
    assert place_knots(column, 6).tolist() == place_knots(shuffled, 6).tolist()
