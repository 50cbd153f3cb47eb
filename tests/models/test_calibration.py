"""Calibration: scale and shift, and how far what was said is from what happened."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from support.scorecards import LAW

from leadscore.models.calibration import IDENTITY, Affine, fit_affine
from leadscore.models.log_odds import to_log_odds, to_probability
from leadscore.models.score_frame import to_probabilities
from leadscore.pipeline.evaluation.metrics import (
    ScoreGroups,
    calibration_table,
    expected_calibration_error,
    group_by_score,
)


def gather(log_odds: np.ndarray, label: np.ndarray) -> ScoreGroups:
    return group_by_score(log_odds, to_probabilities(log_odds), label)


# ---------------------------------------------------------------- scale and shift


@pytest.mark.parametrize(("factor", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 1.5), (-0.7, 0.2)])
def test_a_planted_scale_and_shift_are_found_again(factor, shift):
    # every score met with the exact share of wins, so that nothing is left to chance
    said = np.linspace(-2.0, 2.0, 9)
    wins = np.round(1e6 * to_probabilities(factor * said + shift)).astype(int)
    log_odds = np.repeat(said, 1000)
    shares = [np.arange(1000) < won / 1000 for won in wins]
    found = fit_affine(log_odds, np.concatenate(shares).astype(float))
    assert found.factor == pytest.approx(factor, abs=0.01)
    assert found.shift == pytest.approx(shift, abs=0.01)
    assert found.apply(np.array([2.0])) == pytest.approx(2.0 * found.factor + found.shift)


@LAW
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.1, 1.0, 5.0]),
    st.sampled_from([-8.0, 0.0, 3.0]),
    st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_the_fit_is_the_one_of_an_unpenalised_regression(seed, spread, centre, unit):
    rng = np.random.default_rng(seed)
    log_odds = centre + spread * rng.standard_t(4, 300)
    label = (rng.random(300) < to_probabilities(np.clip(log_odds - centre, -2, 2))).astype(float)
    found = fit_affine(unit * log_odds, label)
    column = ((log_odds - log_odds.mean()) / log_odds.std())[:, None]
    reference = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(column, label)
    expected = reference.decision_function(column)
    np.testing.assert_allclose(found.apply(unit * log_odds), expected, atol=1e-4, rtol=1e-4)


def test_a_calibrated_score_is_left_as_it_is():
    counts = {0.1: (10, 90), 0.5: (50, 50), 0.8: (80, 20)}
    log_odds, label = [], []
    for probability, (wins, others) in counts.items():
        log_odds += [to_log_odds(probability)] * (wins + others)
        label += [1.0] * wins + [0.0] * others
    assert fit_affine(np.array(log_odds), np.array(label)) == pytest.approx((1.0, 0.0), abs=1e-8)


def test_with_nothing_to_fit_it_is_the_identity():
    constant = np.full(50, -1.3)
    label = np.arange(50) % 2.0
    assert fit_affine(constant, label) == IDENTITY
    assert fit_affine(label, np.zeros(50)) == IDENTITY
    assert fit_affine(label, np.ones(50)) == IDENTITY


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 1e9])
def test_perfect_separation_gives_a_finite_map_that_keeps_the_ranking(scale):
    log_odds = scale * np.linspace(-3.0, 3.0, 100)
    found = fit_affine(log_odds, (log_odds > 0.0).astype(float))
    assert np.isfinite(found).all()
    assert found.factor > 0.0


def test_one_far_lead_does_not_break_the_fit():
    rng = np.random.default_rng(0)
    log_odds = np.r_[rng.normal(size=500), 1e9]
    label = np.r_[(rng.random(500) < 0.3).astype(float), 1.0]
    found = fit_affine(log_odds, label)
    assert np.isfinite(found).all()
    average = to_probabilities(found.apply(log_odds)).mean()
    assert average == pytest.approx(label.mean(), abs=1e-3)  # as every fitted shift has it


# ---------------------------------------------------------------- the table


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and labels."""
    n = draw(st.integers(1, 60))
    some = st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.5, 1e-9, 40.0, -1e9]) | st.floats(-5, 5)
    log_odds = draw(st.lists(some, min_size=n, max_size=n))
    label = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    return np.array(log_odds), np.array(label, dtype=np.int8)


@LAW
@given(judged(), st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_table_does_not_depend_on_the_order_of_rows(drawn, bins, random):
    log_odds, label = drawn
    order = list(range(len(label)))
    random.shuffle(order)
    table = calibration_table(gather(log_odds, label), bins)
    shuffled = calibration_table(gather(log_odds[order], label[order]), bins)
    assert table == shuffled


@LAW
@given(judged(), st.integers(1, 12))
def test_no_lead_and_no_win_is_lost_in_a_table(drawn, bins):
    log_odds, label = drawn
    leads = gather(log_odds, label)
    assert leads.size.sum() == len(label)
    assert leads.wins.sum() == label.sum()
    assert (np.diff(leads.log_odds) < 0.0).all()
    table = calibration_table(leads, bins)
    assert len(table) == bins
    assert sum(row.size for row in table) == pytest.approx(len(label), abs=1e-9)
    assert sum(row.wins for row in table) == pytest.approx(label.sum(), abs=1e-9)
    said = sum(row.size * row.mean_prob for row in table)
    assert said == pytest.approx(to_probabilities(log_odds).sum(), abs=1e-9)
    for row in table:
        assert row.size == pytest.approx(len(label) / bins)
        assert row.win_rate == pytest.approx(row.wins / row.size, abs=1e-12)
        assert -1e-9 <= row.win_rate <= 1.0 + 1e-9
    means = [row.mean_prob for row in table]
    assert all(high >= low - 1e-9 for high, low in pairwise(means))


def test_a_table_by_hand_with_a_tie_across_two_bins():
    # two leads at 0.8 (one won), four at 0.5 (one won), two at 0.2 (none): four a bin
    said = {0.8: [1, 0], 0.5: [1, 0, 0, 0], 0.2: [0, 0]}
    log_odds = np.array([to_log_odds(p) for p, labels in said.items() for _ in labels])
    label = np.array([won for labels in said.values() for won in labels], dtype=np.int8)
    leads = gather(log_odds, label)
    assert (leads.size.tolist(), leads.wins.tolist()) == ([2.0, 4.0, 2.0], [1.0, 1.0, 0.0])
    assert leads.probability == pytest.approx([0.8, 0.5, 0.2])
    high, low = calibration_table(leads, bins=2)
    assert high == pytest.approx((4.0, 1.5, 0.65, 0.375))  # half of the tie: two leads, half a win
    assert low == pytest.approx((4.0, 0.5, 0.35, 0.125))
    error = expected_calibration_error(leads, bins=2)
    assert error == pytest.approx(((0.65 - 0.375) + (0.35 - 0.125)) / 2)


def test_what_was_stated_perfectly_has_no_calibration_error():
    said = {0.9: (9, 10), 0.5: (10, 20), 0.25: (5, 20), 0.1: (5, 50)}
    log_odds = np.concatenate([np.full(n, to_log_odds(p)) for p, (_, n) in said.items()])
    label = np.concatenate([np.arange(n) < wins for wins, n in said.values()]).astype(np.int8)
    for bins in (1, 3, 4, 10):
        assert expected_calibration_error(gather(log_odds, label), bins) == pytest.approx(0.0)


def test_what_was_stated_all_wrong_has_the_distance_as_error():
    label = np.array([1, 1, 0, 0], dtype=np.int8)
    wrong = gather(np.array([-50.0, -50.0, 50.0, 50.0]), label)
    assert expected_calibration_error(wrong, bins=2) == pytest.approx(1.0)
    shy = gather(np.zeros(4), label)
    assert expected_calibration_error(shy, bins=2) == pytest.approx(0.0)
    assert expected_calibration_error(gather(np.zeros(4), np.ones(4, np.int8)), 2) == 0.5


# ---------------------------------------------------------------- log-odds and probability


@LAW
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_probability_keeps_the_ranking_and_its_bounds(one, other):
    low, high = sorted([one, other])
    assert 0.0 <= to_probability(low) <= to_probability(high) <= 1.0


@LAW
@given(st.floats(1e-300, 1.0 - 1e-12))
def test_log_odds_and_probability_are_each_others_inverse(probability):
    assert to_probability(to_log_odds(probability)) == pytest.approx(probability, rel=1e-12)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, 1.1, float("nan")])
def test_a_certain_or_impossible_probability_has_no_log_odds(probability):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        to_log_odds(probability)


def test_an_affine_map_is_factor_times_plus_shift():
    assert Affine(2.0, -0.5).apply(np.array([0.0, 1.5])).tolist() == [-0.5, 2.5]
    assert IDENTITY.apply(np.array([0.25])).tolist() == [0.25]
