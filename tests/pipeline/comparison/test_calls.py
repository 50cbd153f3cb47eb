"""Who is called when, by hand: weeks, called once, ties, capacity, and laws for any world."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.projects import write_project
from support.scorecards import LAW
from support.worlds.rival import Recipe, draw_world, make_dataset, reach_both

from leadscore.pipeline.comparison.call_simulator import (
    CallSimulator,
    find_capacity,
    list_weeks,
    simulate_calls,
)
from leadscore.pipeline.comparison.pairs import count_wins_apart, measure_gain, share_calls
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import ConfigError


def called(dataset, log_odds, capacity):
    return CallSimulator(list_weeks(dataset), np.array(log_odds, float), dataset.lead).call_once(
        capacity
    )


def test_each_week_has_the_latest_snapshot_of_each_lead():
    # lead 0 is looked at twice in the first week and once in the second, lead 1 on a Sunday night
    later = make_dataset([0, 0, 0, 1, 1], [0.1, 0.6, 1.1, 0.99, 1.0], [0, 0, 0, 0, 0])
    first, second = list_weeks(later)
    assert first.name == "2024-12-30"
    assert second.name == "2025-01-06"
    assert sorted(first.rows) == [1, 3]
    assert sorted(second.rows) == [2, 4]


def test_the_best_are_called_and_nobody_twice():
    later = make_dataset([0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 1])
    # week one: lead 0; week two: lead 0 is called already, so lead 2
    assert called(later, [3, 1, 2, 9, 1, 2], 1.0).tolist() == [1, 0, 0, 0, 0, 1]


def test_a_lead_of_another_week_is_no_rival():
    later = make_dataset([0, 1], [0, 1], [0, 1])
    assert called(later, [9, -9], 1.0).tolist() == [1, 1]


def test_ties_share_the_last_calls():
    later = make_dataset([0, 1, 2, 3], [0, 0, 0, 0], [1, 0, 0, 0])
    assert called(later, [5, 1, 1, 1], 2.0) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    assert called(later, [0, 0, 0, 0], 1.0) == pytest.approx([0.25] * 4)


def test_what_a_tie_left_uncalled_may_be_called_next_week():
    later = make_dataset([0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0])
    # half of each in week one, the other halves in week two: nobody more than once
    assert called(later, [1, 1, 5, 1], 1.0) == pytest.approx([0.5, 0.5, 0.5, 0.5])


def test_with_calls_for_everybody_everybody_is_called_at_the_first_sight():
    world = draw_world(Recipe(leads=60, weeks=5), 1)
    taken = called(world.later, world.one, 1000.0)
    assert taken.sum() == 60


def test_arrivals_go_in_stretches_of_equal_count():
    later = make_dataset(list(range(250)), [0.0] * 250, [0] * 250, order="arrival")
    weeks = list_weeks(later)
    assert [len(week.rows) for week in weeks] == [125, 125]
    assert weeks[0].name == "stretch 1 of 2"
    assert max(later.begin[weeks[0].rows]) < min(later.begin[weeks[1].rows])


def test_swaps_by_hand():
    # leads 0 to 3 in one week, two calls: the one takes 0 and 1, the other 0 and 2; 1 and 3 win
    later = make_dataset([0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 0, 1])
    one, other = called(later, [4, 3, 2, 1], 2.0), called(later, [4, 1, 3, 2], 2.0)
    parted = share_calls(later, one, other)
    assert parted.both.tolist() == [1, 0, 0, 0]
    assert parted.only_one.tolist() == [0, 1, 0, 0]
    assert parted.only_other.tolist() == [0, 0, 1, 0]
    assert count_wins_apart(later, one, other) == (1.0, 0.0)


def test_groups_are_counted_apart_and_the_curve_rises_to_all_wins():
    later = make_dataset([0, 1, 2, 3], [0, 0, 1, 1], [1, 0, 1, 1])
    caller = CallSimulator(list_weeks(later), np.array([2.0, 1.0, 1.0, 2.0]), later.lead)
    groups = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    (reached,) = simulate_calls([caller], 1.0, later.label, 4, groups, 100, 0)
    assert reached.wins.tolist() == [2.0, 1.0]
    assert reached.calls.tolist() == [2.0, 1.0]
    assert reached.drawn_wins.shape == (2, 100)
    assert [caller.call_once(calls) @ later.label for calls in (0.0, 1.0, 2.0)] == [0.0, 2.0, 3.0]


WORLDS = st.builds(
    Recipe,
    leads=st.integers(12, 60),
    weeks=st.integers(1, 6),
    base=st.sampled_from([-2.0, 0.0]),
    capacity=st.sampled_from([0.5, 1.0, 3.0, 50.0]),
    steps=st.sampled_from([None, 0.5, 2.0]),
)
SEEDS = st.integers(0, 10**6)


@LAW
@given(WORLDS, SEEDS)
def test_to_swap_the_contenders_turns_the_sign_and_nothing_else(recipe, seed):
    world = draw_world(recipe, seed)
    one, other = reach_both(world, recipe.capacity, 50, seed)
    gain, turned = measure_gain(world.later, one, other), measure_gain(world.later, other, one)
    assert turned.wins == (-gain.wins.value, -gain.wins.high, -gain.wins.low)
    assert (turned.p, turned.error) == (gain.p, gain.error)


@LAW
@given(WORLDS, SEEDS)
def test_a_contender_against_itself_differs_by_exactly_nothing(recipe, seed):
    world = draw_world(recipe, seed)
    gain = measure_gain(
        world.later, *reach_both(world._replace(one=world.other), recipe.capacity, 50, seed)
    )
    assert gain.wins == (0.0, 0.0, 0.0)
    assert gain.p == 1.0


@LAW
@given(WORLDS, SEEDS)
def test_only_the_order_of_scores_counts(recipe, seed):
    world = draw_world(recipe, seed)
    before = called(world.later, world.other, recipe.capacity)
    after = called(world.later, np.exp(world.other / 3.0) - 7.0, recipe.capacity)
    assert np.array_equal(before, after)


@LAW
@given(WORLDS, SEEDS)
def test_the_order_of_rows_changes_nothing(recipe, seed):
    world = draw_world(recipe, seed)
    mixed = np.random.default_rng(seed).permutation(len(world.later))
    before = called(world.later, world.other, recipe.capacity)
    later = make_dataset(
        world.later.lead[mixed],
        (world.later.begin[mixed] + world.later.age_days[mixed] * 86_400e6 - 1_735_516_800e6)
        / (7 * 86_400e6),
        world.later.label[mixed],
    )
    after = called(later, world.other[mixed], recipe.capacity)
    assert after == pytest.approx(before[mixed], abs=1e-12)


@LAW
@given(WORLDS, SEEDS)
def test_no_week_has_more_calls_than_there_are_and_no_lead_more_than_one(recipe, seed):
    world = draw_world(recipe, seed)
    taken = called(world.later, world.other, recipe.capacity)
    assert np.bincount(world.later.lead, taken).max() <= 1.0 + 1e-12
    for week in list_weeks(world.later):
        assert taken[week.rows].sum() <= recipe.capacity + 1e-9


def capacity_of(tmp_path, order="time", calls=None, share=None, **training):
    project = read_project(write_project(tmp_path / "mine", training=training))
    leads = list(range(400))
    later = make_dataset(leads, [n / 100 for n in leads], [0] * 400, order)
    configured = project.training.comparison.calls_per_week
    return find_capacity(configured, later, list_weeks(later), calls, share)


def test_the_capacity_is_the_one_given_else_the_configured_else_a_tenth(tmp_path):
    configured = {"comparison": {"calls_per_week": 12}}
    assert capacity_of(tmp_path / "1", calls=7.0, **configured) == (7.0, "7 calls a week", False)
    assert capacity_of(tmp_path / "2", **configured) == (12.0, "12 calls a week", False)
    assert capacity_of(tmp_path / "3") == (10.0, "10 calls a week", True)
    assert capacity_of(tmp_path / "4", share=0.2) == (20.0, "20 calls a week", False)
    assert capacity_of(tmp_path / "5", share=0.001) == (1.0, "1 call a week", False)
    by_arrival = capacity_of(tmp_path / "6", order="arrival")
    assert by_arrival == (10.0, "calls to 10% of each 100 leads in a row", True)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"calls": 5.0, "share": 0.1}, "not both"), ({"calls": 0.0}, "above 0 is needed, found 0"),
     ({"share": 1.5}, "up to 1"), ({"calls": 5.0, "order": "arrival"}, "no dates")],
)  # fmt: skip
def test_a_capacity_that_makes_no_sense_is_refused(tmp_path, given, said):
    with pytest.raises(ConfigError, match=said):
        capacity_of(tmp_path, **given)
