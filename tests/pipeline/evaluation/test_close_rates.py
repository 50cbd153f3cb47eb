"""The close-rate method by hand: rates, points, intervals, and what is told from chance."""

from math import inf

import numpy as np
import pytest
from scipy.stats import fisher_exact

from leadscore.pipeline.evaluation.close_rates import compare_close_rates
from leadscore.pipeline.evaluation.multiple_testing import benjamini_hochberg, holm_one_sided
from leadscore.pipeline.evaluation.regression import fit_clustered_logit


def leads_of(*counts):
    """Return marks, labels and leads of groups (has it, won, how many)."""
    has, label, many = (np.array(values) for values in zip(*counts, strict=True))
    return (
        np.repeat(has, many).astype(bool),
        np.repeat(label, many).astype(np.int8),
        np.arange(many.sum()),
    )


def test_forty_per_cent_against_fifteen_gives_25_points():
    has, label, lead = leads_of((1, 1, 40), (1, 0, 60), (0, 1, 110), (0, 0, 790))
    lift = compare_close_rates(has, label, lead)
    assert (lift.rate, lift.expected) == (0.4, 0.15)
    assert lift.points == pytest.approx(25.0, abs=1e-12)
    assert lift.rate_without == pytest.approx(110 / 900)
    assert lift.ratio == pytest.approx(0.4 / (110 / 900))
    assert lift.points_low < 25.0 < lift.points_high
    assert (lift.leads, lift.leads_without) == (100, 900)
    assert lift.p < 1e-8


def test_the_interval_is_newcombes_by_his_own_example():
    """56 of 70 against 48 of 80: .0524 to .3339 by method 10 of his paper."""
    has, label, lead = leads_of((1, 1, 56), (1, 0, 14), (0, 1, 48), (0, 0, 32))
    lift = compare_close_rates(has, label, lead)
    without = 80 / 150
    assert lift.points_low / 100 / without == pytest.approx(0.0524, abs=1e-4)
    assert lift.points_high / 100 / without == pytest.approx(0.3339, abs=1e-4)


def test_the_chance_is_fishers_without_half_of_the_very_table():
    has, label, lead = leads_of((1, 1, 9), (1, 0, 21), (0, 1, 20), (0, 0, 100))
    lift = compare_close_rates(has, label, lead)
    exact = fisher_exact([[9, 21], [20, 100]], alternative="greater").pvalue
    assert lift.can_tell
    assert 0.5 * exact < lift.p_more < exact
    assert lift.p_more + lift.p_less == pytest.approx(1.0)


def test_snapshots_of_one_lead_make_nothing_surer():
    has, label, lead = leads_of((1, 1, 40), (1, 0, 60), (0, 1, 110), (0, 0, 790))
    once = compare_close_rates(has, label, lead)
    four = compare_close_rates(*(np.repeat(values, 4) for values in (has, label, lead)))
    assert vars(four) == pytest.approx(vars(once))


def test_what_only_gathers_with_age_is_worth_nothing():
    """Of young leads 30 % win and few have it, of old ones 10 % and most have it."""
    young = leads_of((1, 1, 30), (1, 0, 70), (0, 1, 270), (0, 0, 630))
    old = leads_of((1, 1, 90), (1, 0, 810), (0, 1, 10), (0, 0, 90))
    has, label, _ = (np.concatenate(pair) for pair in zip(young, old, strict=True))
    lead, age = np.arange(2000), np.repeat([0, 1], 1000)
    assert compare_close_rates(has, label, lead).points == pytest.approx(-8.0)
    fair = compare_close_rates(has, label, lead, age)
    assert fair.points == pytest.approx(0.0, abs=1e-9)
    assert fair.ratio == pytest.approx(1.0)
    assert fair.rate_without == pytest.approx(fair.rate)
    assert fair.p > 0.9


def test_a_rate_of_nothing_has_an_interval_too():
    has, label, lead = leads_of((1, 0, 100), (0, 1, 200), (0, 0, 700))
    lift = compare_close_rates(has, label, lead)
    assert (lift.rate, lift.ratio, lift.ratio_low) == (0.0, 0.0, 0.0)
    assert 0.0 < lift.ratio_high < 1.0
    assert lift.points == pytest.approx(-20.0)
    turned = compare_close_rates(~has, label, lead)
    assert (turned.ratio, turned.ratio_high) == (inf, inf)
    assert turned.ratio_low > 1.0


@pytest.mark.parametrize("has", [np.zeros(50, bool), np.ones(50, bool), np.arange(50) < 3])
def test_too_few_on_a_side_tell_nothing(has):
    lift = compare_close_rates(has, (np.arange(50) % 2).astype(np.int8), np.arange(50))
    assert not lift.can_tell
    assert lift.p == 1.0


def test_chances_are_told_from_many():
    nothing = np.array([])
    assert benjamini_hochberg(nothing).tolist() == holm_one_sided(nothing).tolist() == []
    chances = np.array([0.001, 0.012, 0.02, 0.9])
    assert benjamini_hochberg(chances).tolist() == [True, True, True, False]
    assert holm_one_sided(chances).tolist() == [True, True, True, False]
    assert holm_one_sided(np.full(40, 0.02)).sum() == 0


def test_columns_are_weighed_beside_each_other():
    """Two columns that go together; only one of them tells."""
    dice = np.random.default_rng(3)
    one = dice.random(20_000) < 0.4
    other = np.where(dice.random(20_000) < 0.7, one, dice.random(20_000) < 0.4)
    label = (dice.random(20_000) < 1 / (1 + np.exp(1.5 - 1.2 * one))).astype(np.int8)
    columns = np.column_stack([one, other]).astype(float)
    worths = fit_clustered_logit(columns, label, np.arange(20_000))
    first, second = (worths.combine(np.eye(2)[place]) for place in (0, 1))
    assert first.value == pytest.approx(1.2, abs=4 * first.error)
    assert second.value == pytest.approx(0.0, abs=4 * second.error)
    assert first.p_more < 1e-9
    assert 0.05 < first.error / 0.037 / 2 < 1.0
    doubled = fit_clustered_logit(
        np.repeat(columns, 3, 0), np.repeat(label, 3), np.repeat(one * 0 + np.arange(20_000), 3)
    )
    assert doubled.combine(np.eye(2)[0]).error == pytest.approx(first.error, rel=0.02)


def test_a_column_that_never_changes_or_always_wins_is_weighed_all_the_same():
    label = np.r_[np.ones(60), np.zeros(140)].astype(np.int8)
    columns = np.column_stack([np.ones(200), np.arange(200) < 60]).astype(float)
    worths = fit_clustered_logit(columns, label, np.arange(200))
    assert worths.combine(np.array([1.0, 0.0])) == (0.0, 0.0)
    always = worths.combine(np.array([0.0, 1.0]))
    assert 2.0 < always.value < 30.0
    assert np.isfinite(always.error)
