"""The field's measures: scikit-learn's numbers, with intervals that resample leads."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from support.paired_measures import measure_difference

from leadscore.models.score_frame import to_probabilities
from leadscore.pipeline.evaluation.metrics import (
    MEASURES,
    Scored,
    group_by_score,
    lift_at_10,
    measure,
)


def draw(seed, leads=400, snapshots=1, grain=0.25, slope=0.7):
    """Draw scores with many ties, labels that follow them loosely, and the leads' numbers."""
    random = np.random.default_rng(seed)
    lead = np.repeat(np.arange(leads), snapshots)
    log_odds = random.normal(-1.0, 1.5, len(lead))
    log_odds = np.round(log_odds / grain) * grain
    chance = 1.0 / (1.0 + np.exp(-slope * log_odds - 0.2))
    label = (random.random(len(lead)) < chance).astype(np.int8)
    return Scored(log_odds, label, lead)


def values(scored, bootstrap_draws=100, seed=0):
    return {
        name: estimate.value for name, estimate in measure(scored, bootstrap_draws, seed).items()
    }


def width(estimate):
    return estimate.high - estimate.low


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("grain", [1e-9, 0.25, 2.0])
def test_each_measure_is_scikit_learns(seed, grain):
    scored = draw(seed, grain=grain)
    probability = to_probabilities(scored.log_odds)
    found = values(scored)
    assert len(np.unique(scored.log_odds)) < 12 or grain < 2.0
    for name, theirs in {
        "auc": roc_auc_score(scored.label, scored.log_odds),
        "average_precision": average_precision_score(scored.label, scored.log_odds),
        "log_loss": log_loss(scored.label, probability),
        "brier": brier_score_loss(scored.label, probability),
        "base_rate": scored.label.mean(),
        "mean_prob": probability.mean(),
    }.items():
        assert found[name] == pytest.approx(theirs, abs=1e-12), name


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_slope_is_that_of_a_logistic_regression_without_penalty(seed):
    scored = draw(seed)
    regression = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000)
    regression.fit(scored.log_odds[:, None], scored.label)
    assert values(scored)["calibration_slope"] == pytest.approx(regression.coef_[0, 0], abs=1e-6)


@pytest.mark.parametrize(("slope", "about"), [(1.0, 1.0), (0.5, 0.5), (2.0, 2.0)])
def test_the_calibration_slope_says_how_sure_a_model_may_be(slope, about):
    found = measure(draw(1, leads=5000, slope=slope), 200, 0)["calibration_slope"]
    assert abs(found.value - about) < 0.8 * width(found)
    assert width(found) < 0.3 * about


def test_the_interval_of_the_slope_is_that_of_refitting():
    """It takes one Newton step a draw; refitting each draw in full has to say the same."""
    scored = draw(4, leads=600)
    random = np.random.default_rng(9)
    slopes = []
    for _ in range(200):
        chosen = random.integers(600, size=600)
        regression = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
        regression.fit(scored.log_odds[chosen, None], scored.label[chosen])
        slopes.append(regression.coef_[0, 0])
    found = measure(scored, 1000, 0)["calibration_slope"]
    low, high = np.quantile(slopes, [0.025, 0.975])
    assert width(found) == pytest.approx(high - low, rel=0.25)
    assert found.low == pytest.approx(low, abs=0.06)


# Lift and calibration error, by hand


def lift(scored_and_won):
    log_odds, label = np.array(scored_and_won, np.float64).T
    return lift_at_10(group_by_score(log_odds, to_probabilities(log_odds), label.astype(np.int8)))


def test_lift_is_the_best_tenths_win_rate_over_everybodys():
    best, middle, rest = [(2, 1), (2, 1)], [(1, 1)] * 2, [(0, 0)] * 16
    assert lift(best + middle + rest) == pytest.approx(1.0 / 0.2)
    assert lift([(2, 1), (2, 0)] + middle + [(0, 0)] * 15 + [(0, 1)]) == pytest.approx(0.5 / 0.2)


def test_lift_counts_leads_of_equal_score_in_part():
    """Two of the four best make the tenth; which two is nobody's choice."""
    assert lift([(2, 1)] * 2 + [(2, 0)] * 2 + [(0, 0)] * 16) == pytest.approx(0.5 / 0.1)
    assert lift([(0, 1)] * 5 + [(0, 0)] * 15) == pytest.approx(1.0)


def test_lift_takes_part_of_a_lead_where_a_tenth_is_no_whole_number():
    """A tenth of 15 leads is one and a half: the best, who won, and half the next, who did not."""
    leads = [(2, 1), (1, 0)] + [(0, 1)] * 2 + [(-1, 0)] * 11
    assert lift(leads) == pytest.approx((1.0 / 1.5) / 0.2)


def test_the_calibration_error_is_nothing_where_each_bin_wins_as_said():
    half = Scored(np.zeros(40), np.array([0, 1] * 20, np.int8), np.arange(40))
    assert values(half)["ece"] == pytest.approx(0.0)
    sure = Scored(np.full(40, np.log(9.0)), np.array([0, 1] * 20, np.int8), np.arange(40))
    assert values(sure)["ece"] == pytest.approx(0.4)


# What must not matter


def test_the_order_of_rows_does_not_matter():
    scored = draw(3, leads=150, snapshots=3)
    shuffled = np.random.default_rng(1).permutation(len(scored.label))
    again = Scored(*(column[shuffled] for column in scored))
    before, after = measure(scored, 100, 7), measure(again, 100, 7)
    for name in before:
        assert after[name] == pytest.approx(before[name], rel=1e-9), name


def test_the_numbers_that_leads_go_by_do_not_matter():
    scored = draw(3, leads=150, snapshots=3)
    renamed = scored._replace(lead=scored.lead * 17 + 1000)
    assert measure(renamed, 100, 7) == measure(scored, 100, 7)


def test_only_the_ranking_matters_to_the_measures_of_ranking():
    scored = draw(3)
    stretched = scored._replace(log_odds=3.0 * scored.log_odds + 1.0)
    one, other = values(scored), values(stretched)
    for name in ("auc", "average_precision", "lift_at_10"):
        assert one[name] == pytest.approx(other[name])
    assert one["log_loss"] != pytest.approx(other["log_loss"])
    assert one["calibration_slope"] == pytest.approx(3.0 * other["calibration_slope"])


# Intervals


def test_the_seed_decides_the_interval_and_nothing_else():
    scored = draw(2)
    assert measure(scored, 100, 5) == measure(scored, 100, 5)
    one, other = measure(scored, 100, 5), measure(scored, 100, 6)
    assert all(one[name].value == other[name].value for name in one)
    assert one["auc"].low != other["auc"].low


@pytest.mark.parametrize("seed", range(4))
def test_an_interval_holds_its_value(seed):
    found = measure(draw(seed), 300, seed)
    assert set(found) == {*MEASURES, "calibration_slope"}
    for name, (value, low, high) in found.items():
        assert low < high, name
        if name != "ece":  # noise only ever adds to it
            assert low < value < high, name


def test_the_interval_of_a_rate_is_as_wide_as_the_binomial_says():
    found = measure(draw(0, leads=1000), 2000, 0)["base_rate"]
    error = np.sqrt(found.value * (1.0 - found.value) / 1000)
    assert width(found) == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_five_snapshots_of_each_lead_know_no_more_than_one():
    once = draw(6, leads=200)
    five = Scored(*(np.repeat(column, 5) for column in once))
    strangers = five._replace(lead=np.arange(1000))
    single, repeated, naive = (measure(scored, 300, 0) for scored in (once, five, strangers))
    for name in ("auc", "average_precision", "log_loss", "brier", "base_rate", "calibration_slope"):
        assert repeated[name] == pytest.approx(single[name], rel=1e-6), name
        assert width(naive[name]) < 0.6 * width(repeated[name]), name


def test_a_model_differs_from_itself_by_nothing_at_all():
    scored = draw(1)
    for name in MEASURES:
        assert measure_difference(scored, scored, name, 50, 0) == (0.0, 0.0, 0.0)


def test_a_difference_is_paired_lead_by_lead():
    one = draw(8, leads=500)
    noise = np.random.default_rng(0).normal(0, 0.3, 500)
    other = one._replace(log_odds=one.log_odds + noise)
    for name in ("auc", "log_loss", "brier", "average_precision"):
        found = measure_difference(one, other, name, 300, 0)
        first, second = measure(one, 300, 0)[name], measure(other, 300, 1)[name]
        assert found.value == pytest.approx(first.value - second.value)
        assert found.low <= found.value <= found.high
        assert width(found) < 0.5 * np.hypot(width(first), width(second)), name


def test_a_difference_is_paired_where_the_two_rank_the_leads_otherwise():
    """Whatever order the scores put leads in, a draw takes the same leads for both: no draw of the
    win rate may differ."""
    one = draw(8, leads=100, snapshots=2)
    other = one._replace(log_odds=-one.log_odds + np.linspace(0, 1, 200))
    assert measure_difference(one, other, "base_rate", 100, 0) == (0.0, 0.0, 0.0)


def test_a_difference_has_the_sign_of_one_minus_other():
    good = draw(5, leads=800)
    bad = good._replace(log_odds=np.random.default_rng(0).permutation(good.log_odds))
    assert measure_difference(good, bad, "auc", 200, 0).low > 0.1
    assert measure_difference(good, bad, "log_loss", 200, 0).high < 0.0


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_class_are_an_error(label):
    scored = draw(0)._replace(label=np.full(400, label, np.int8))
    with pytest.raises(ValueError, match="one class"):
        measure(scored, 100, 0)
    with pytest.raises(ValueError, match="one class"):
        measure_difference(scored, scored, "auc", 100, 0)


def test_one_win_among_many_is_measured_and_no_draw_lacks_it():
    label = np.zeros(300, np.int8)
    label[7] = 1
    found = measure(draw(0, leads=300)._replace(label=label), 100, 0)
    assert all(np.isfinite(estimate).all() for estimate in found.values())
    assert found["base_rate"].low >= 1 / 300


def test_scores_far_out_give_finite_measures():
    label = np.array([0, 1] * 50, np.int8)
    scored = Scored(np.linspace(-2000, 2000, 100), label, np.arange(100))
    assert all(np.isfinite(estimate).all() for estimate in measure(scored, 100, 0).values())
