"""The percentile of a score among the leads of the later period."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scorecards import LAW

from leadscore.models.score_lead import find_percentile

TIED = (-3.0, -1.0, -1.0, -1.0, 1.0)
"""Half of the leads score -1."""


@pytest.mark.parametrize(
    ("log_odds", "percentile"),
    [
        (-9.0, 0.0), (-3.0, 0.0), (-2.0, 12.5), (-1.0, 25.0),
        (math.nextafter(-1.0, 0.0), 75.0), (0.0, 87.5), (1.0, 100.0), (9.0, 100.0),
    ],
)  # fmt: skip
def test_leads_of_one_score_do_not_score_lower_than_each_other(log_odds, percentile):
    assert find_percentile(TIED, log_odds) == pytest.approx(percentile, abs=1e-9)


def test_without_quantiles_there_is_no_percentile():
    assert find_percentile((), 0.0) is None


def test_where_all_leads_score_alike_one_is_below_them_or_not():
    assert [find_percentile((0.5,) * 101, x) for x in (0.4, 0.5, 0.6)] == [0.0, 100.0, 100.0]
    assert [find_percentile((0.5,), x) for x in (0.4, 0.5)] == [0.0, 100.0]


def test_it_counts_the_leads_that_score_lower():
    scores = np.random.default_rng(0).normal(size=5_000)
    quantiles = tuple(np.quantile(scores, np.linspace(0.0, 1.0, 101)).tolist())
    for one in scores[:200]:
        below = 100.0 * (scores < one).mean()
        assert find_percentile(quantiles, float(one)) == pytest.approx(below, abs=0.5)


@LAW
@given(
    st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.1, 7.0]) | st.floats(-1e9, 1e9), min_size=1),
    st.lists(st.floats(-1e9, 1e9) | st.sampled_from([-0.5, 0.0, 0.1]), min_size=2),
)
def test_it_never_falls_as_the_score_rises_and_stays_within_0_and_100(quantiles, scores):
    quantiles = tuple(sorted(quantiles))
    found = [find_percentile(quantiles, score) for score in sorted([*scores, *quantiles])]
    assert found == sorted(found)
    assert 0.0 <= found[0] <= found[-1] == 100.0
    assert find_percentile(quantiles, math.nextafter(quantiles[0], -math.inf)) == 0.0
