"""The figures of a comparison one by one: intervals, p-values, wins needed, measures, families."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from support.scorecards import LAW, make_scorecard, make_term, scorecards, to_frame
from support.worlds.rival import Recipe, draw_world

from leadscore.models.calibration import Affine
from leadscore.models.score_frame import score_frame, to_probabilities
from leadscore.models.scorecard import Cap
from leadscore.models.shapes import Steps
from leadscore.pipeline.comparison.compare import drop_family, list_families
from leadscore.pipeline.comparison.experiment import read_gain, size_experiment
from leadscore.pipeline.comparison.measures import MEASURED, measure_contender
from leadscore.pipeline.comparison.pairs import count_needed
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.evaluation.metrics import (
    auc,
    average_precision,
    expected_calibration_error,
    group_by_score,
    log_loss,
)
from leadscore.pipeline.evaluation.multiple_testing import holm
from leadscore.pipeline.evaluation.resampling import draw_weights, estimate_gain


def test_every_draw_has_as_many_leads_and_a_seed_fixes_them():
    (weight,) = draw_weights(50, 200, 3)
    assert weight.shape == (50, 200)
    assert set(weight.sum(axis=0)) == {50.0}
    assert np.array_equal(weight, next(draw_weights(50, 200, 3)))
    assert np.array_equal(weight[:, :20], next(draw_weights(50, 20, 3))), "the first of more"
    parts = list(draw_weights(3_000_000, 3, 0))
    assert [part.shape[1] for part in parts] == [1, 1, 1]


def test_five_wins_against_none_prove_nothing():
    drawn = np.random.default_rng(0).normal(5.0, 1.0, 2000)  # as if it were sure
    gain = estimate_gain(5.0, drawn, 5.0, 0.0, 20.0)
    assert gain.p == pytest.approx(0.0625)
    assert gain.wins.low < 0.0
    assert estimate_gain(6.0, drawn + 1.0, 6.0, 0.0, 20.0).p == pytest.approx(0.03125)


@LAW
@given(st.integers(0, 19), st.integers(0, 19))
def test_the_exact_p_value_is_that_of_the_sign_test(ahead, behind):
    if not 0 < ahead + behind < 20:
        return
    drawn = np.full(100, float(ahead - behind)) + np.linspace(-1e-3, 1e-3, 100)
    gain = estimate_gain(float(ahead - behind), drawn, float(ahead), float(behind), 40.0)
    exact = binomtest(ahead, ahead + behind).pvalue
    assert gain.p == pytest.approx(max(exact, 0.01), abs=1e-9)
    span = binomtest(ahead, ahead + behind).proportion_ci(method="exact")
    assert gain.wins.low <= (ahead + behind) * (2.0 * span.low - 1.0) + 1e-6
    assert gain.wins.high >= (ahead + behind) * (2.0 * span.high - 1.0) - 1e-6


def test_no_win_among_the_swapped_is_not_no_difference():
    gain = estimate_gain(0.0, np.zeros(1000), 0.0, 0.0, 12.0)
    assert gain.wins.value == 0.0
    assert gain.wins.high == pytest.approx(3.689, abs=1e-3)  # what 0 wins do not exclude
    assert gain.p == 1.0


def test_with_many_wins_the_draws_decide():
    drawn = np.random.default_rng(0).normal(30.0, 10.0, 20_000)
    gain = estimate_gain(32.0, drawn, 60.0, 28.0, 300.0)
    assert gain.wins.low == pytest.approx(32.0 - 19.6, abs=0.5)
    assert gain.wins.high == pytest.approx(32.0 + 19.6, abs=0.5)
    assert gain.p == pytest.approx(0.0014, abs=0.001)


def test_holm_is_never_kinder_than_each_test_and_keeps_their_order():
    assert holm([0.04, 0.001, 0.03]) == [0.06, 0.003, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]


def test_four_times_the_wins_find_half_the_gain():
    needed = count_needed(300.0, 20.0, 12.0, 1)
    assert needed == pytest.approx(300.0 * (2.8016 * 12.0 / 20.0) ** 2, rel=1e-3)
    assert count_needed(300.0, 10.0, 12.0, 1) == pytest.approx(4.0 * needed)
    assert count_needed(300.0, 20.0, 12.0, 3) > needed
    assert count_needed(300.0, 0.0, 12.0, 1) is None


def test_measures_are_those_of_an_evaluation():
    world = draw_world(Recipe(leads=200, weeks=8, base=-1.0, steps=2.0), 5)
    later, equal = world.later, Affine(0.7, -0.3)
    period = (later.begin > np.median(later.begin)).astype(np.intp)
    found = measure_contender(world.other, equal, later.label, later.lead, period, 100, 0)
    value = dict(zip(MEASURED, found.value, strict=True))
    leads = group_by_score(world.other, to_probabilities(world.other), later.label)
    treated = equal.apply(world.other)
    alike = group_by_score(treated, to_probabilities(treated), later.label)
    assert value["auc"] == pytest.approx(auc(leads))
    assert value["average_precision"] == pytest.approx(average_precision(leads))
    assert value["log_loss"] == pytest.approx(log_loss(leads))
    assert value["log_loss_equal"] == pytest.approx(log_loss(alike))
    assert value["ece_equal"] == pytest.approx(expected_calibration_error(alike))
    ahead = pairs = 0.0
    for part in (0, 1):
        won = world.other[(period == part) & (later.label == 1)]
        lost = world.other[(period == part) & (later.label == 0)]
        apart = won[:, None] - lost[None, :]
        ahead += (apart > 0).sum() + (apart == 0).sum() / 2.0
        pairs += apart.size
    assert value["auc_within"] == pytest.approx(ahead / pairs)
    assert found.drawn.shape == (len(MEASURED), 100)


@LAW
@given(scorecards(), st.data())
def test_without_all_families_every_lead_is_worth_the_same(scorecard, data):
    frame = to_frame(scorecard, [{}, {}])
    scores = score_frame(scorecard, frame)
    for family in list_families(scorecard):
        without = drop_family(scorecard, scores.contributions, family)
        assert without == pytest.approx(scores.log_odds, rel=1e-6, abs=1e-6)  # equal leads


def test_a_family_is_replaced_by_its_mean_and_caps_hold_anew():
    steps = Steps(edges=(1.0,), values=(0.0, 2.0), missing=0.0)
    card = make_scorecard(
        make_term(steps, "web__a", group="g"), make_term(steps, "email__b", group="g"),
        caps={"g": Cap(low=0.0, high=3.0)},
    )  # fmt: skip
    leads = [{"web__a": a, "email__b": b} for a in (0.0, 1.0) for b in (0.0, 1.0)]
    scores = score_frame(card, to_frame(card, leads))
    assert scores.log_odds.tolist() == [0.0, 2.0, 2.0, 3.0]
    without = drop_family(card, scores.contributions, "web")
    assert without.tolist() == [1.0, 3.0, 1.0, 3.0]


def test_the_size_of_a_test_is_the_books():
    """Fleiss, Levin and Paik, 4.2: 0.60 against 0.70 takes 376 in each arm at 80 %."""
    assert size_experiment(0.6, 1.0 / 6.0) == 376


@pytest.mark.parametrize("written", ["", "a fifth", "0", "-5%", "nan", "2000%"])
def test_a_gain_that_is_none_is_refused(written):
    with pytest.raises(ConfigError, match="--gain: a gain such as 20%"):
        read_gain(written)
    with pytest.raises(ConfigError, match="cannot rise"):
        size_experiment(0.9, 0.2)
