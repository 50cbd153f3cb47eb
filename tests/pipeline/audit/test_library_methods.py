"""Statistics that libraries compute for the audit, against the plain formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from support.scorecards import LAW

from leadscore.pipeline.audit.columns.statistics import (
    measure_auc,
    predict_alone,
    predict_together,
)
from leadscore.pipeline.audit.tables.time_to_win import LeadFollowUp, estimate_arrival
from leadscore.pipeline.evaluation.multiple_testing import benjamini_hochberg


def split(won: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    splitter = StratifiedKFold(5, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros((len(won), 1)), won))


def count_log_odds(codes: np.ndarray, won: np.ndarray, size: int) -> np.ndarray:
    """Count wins by value, with five leads at the overall rate added to each."""
    count = np.bincount(codes, minlength=size)
    wins = np.bincount(codes, weights=won, minlength=size)
    return logit((wins + 5.0 * won.mean()) / (count + 5.0))


def count_out_of_fold(codes: np.ndarray, won: np.ndarray) -> np.ndarray:
    found = np.zeros(len(won))
    for train, test in split(won):
        found[test] = count_log_odds(codes[train], won[train], codes.max() + 1)[codes[test]]
    return found


def make_columns(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Make a column that decides the outcome often, one of many rare values, and one of noise."""
    rng = np.random.default_rng(seed)
    leads = int(rng.integers(150, 600))
    won = rng.random(leads) < 0.3
    leak = np.where(rng.random(leads) < 0.7, won, rng.integers(0, 4, leads))
    return [leak.astype(np.intp), rng.integers(0, 80, leads), rng.integers(0, 3, leads)], won


@pytest.mark.parametrize("seed", range(8))
def test_out_of_fold_close_rates_are_those_counted_by_hand(seed):
    columns, won = make_columns(seed)
    for codes in columns:
        expected, found = count_out_of_fold(codes, won), predict_alone(codes, won)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)
        assert measure_auc(found, won) == measure_auc(expected, won)


@pytest.mark.parametrize("seed", range(4))
def test_columns_together_are_a_regression_on_their_out_of_fold_close_rates(seed):
    columns, won = make_columns(seed)
    expected = np.zeros(len(won))
    for train, test in split(won):
        learned = np.column_stack([count_out_of_fold(c[train], won[train]) for c in columns])
        asked = np.column_stack(
            [count_log_odds(c[train], won[train], c.max() + 1)[c[test]] for c in columns]
        )
        scale = learned.std(axis=0)
        model = LogisticRegression(C=1.0, solver="newton-cholesky")
        model.fit(learned / scale, won[train])
        expected[test] = model.decision_function(asked / scale)
    found = predict_together(columns, won)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-10)
    assert measure_auc(found, won) == measure_auc(expected, won)


@pytest.mark.parametrize("seed", range(8))
def test_the_arrival_of_wins_is_the_kaplan_meier_estimate(seed):
    rng = np.random.default_rng(seed)
    watched = rng.integers(1, 400, 300).astype(np.float64)
    win = np.where(rng.random(300) < 0.4, np.floor(rng.random(300) * (watched + 1)), np.inf)
    longest = float(np.sort(watched)[-50])
    until = np.minimum(watched, win)
    steps = np.unique(win[win <= longest])
    at_risk = np.array([(until >= day).sum() for day in steps])
    won = 1.0 - np.cumprod(
        [1.0 - (win == day).sum() / n for day, n in zip(steps, at_risk, strict=True)]
    )
    days, share = estimate_arrival(LeadFollowUp(watched, win), longest)
    assert days.tolist() == [*steps, longest]
    np.testing.assert_allclose(share, [*(won / won[-1]), 1.0], rtol=0.0, atol=1e-14)


@LAW
@given(st.lists(st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.01, 0.02, 0.05, 1.0]), max_size=40))
def test_discoveries_are_those_of_benjamini_and_hochberg(drawn):
    chances = np.array(drawn)
    limits = 0.05 * np.arange(1, len(chances) + 1) / max(len(chances), 1)
    ranked = np.sort(chances)
    near = np.isclose(ranked, limits, rtol=1e-12, atol=0.0)  # rounding decides on the limit itself
    if not near.any():
        passed = np.flatnonzero(ranked <= limits)
        most = ranked[passed[-1]] if len(passed) else -1.0
        assert benjamini_hochberg(chances).tolist() == (chances <= most).tolist()
