"""Bands with a memory: a lead rises at the cutoffs and leaves a band a little below them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.scorecards import LAW, make_scorecard, scored_leads

from leadscore.models.bands import BANDS, Bands, apply_hysteresis, assign_band
from leadscore.models.log_odds import to_log_odds
from leadscore.models.score_lead import Scorer, explain_lead
from leadscore.models.scorecard import read_scorecard

HELD = Bands(mql=0.2, sql=0.5, hysteresis=0.05)


def hold(probability, previous, bands=HELD):
    return apply_hysteresis(to_log_odds(probability), previous, bands.cutoff_log_odds)


@pytest.mark.parametrize(
    ("probability", "from_cold", "from_mql", "from_sql"),
    [
        (0.60, "SQL", "SQL", "SQL"),
        (0.50, "SQL", "SQL", "SQL"),
        (0.46, "MQL", "MQL", "SQL"),  # within the hysteresis of SQL
        (0.44, "MQL", "MQL", "MQL"),
        (0.20, "MQL", "MQL", "MQL"),
        (0.16, "cold", "MQL", "MQL"),  # within that of MQL: out of SQL, and held there
        (0.14, "cold", "cold", "cold"),
    ],
)
def test_a_lead_rises_at_the_cutoff_and_falls_below_it(probability, from_cold, from_mql, from_sql):
    found = [hold(probability, previous) for previous in BANDS]
    assert found == [from_cold, from_mql, from_sql]


def test_a_wide_hysteresis_holds_a_lead_where_it_was_and_lifts_nobody():
    """Here SQL is left at 15 %, below where MQL begins; a lead of MQL at 18 % stays MQL."""
    wide = Bands(mql=0.2, sql=0.3, hysteresis=0.15)
    assert [hold(0.18, previous, wide) for previous in BANDS] == ["cold", "MQL", "SQL"]
    assert [hold(0.14, previous, wide) for previous in BANDS] == ["cold", "MQL", "MQL"]


def test_a_lead_exactly_on_the_lower_mark_stays_and_one_bit_below_leaves():
    cutoffs = HELD.cutoff_log_odds
    for mark, band, below in (
        (cutoffs.mql_exit, "MQL", "cold"),
        (cutoffs.sql_exit, "SQL", "MQL"),
    ):
        assert apply_hysteresis(mark, band, cutoffs) == band
        assert apply_hysteresis(math.nextafter(mark, -math.inf), band, cutoffs) == below


@st.composite
def bands(draw):
    mql = draw(st.floats(1e-6, 0.6))
    sql = mql + draw(st.floats(1e-3, 0.39))
    part = draw(st.just(0.0) | st.floats(0.0, 1.0, exclude_max=True))
    return Bands(mql=mql, sql=sql, hysteresis=min(part * mql, math.nextafter(mql, 0.0)))


@st.composite
def near_a_mark(draw):
    """Bands, and log-odds anywhere, most often on a mark of theirs or beside it."""
    drawn = draw(bands())
    cutoffs = list(drawn.cutoff_log_odds.model_dump().values())
    on = st.sampled_from([m for mark in cutoffs for m in (
        mark, math.nextafter(mark, math.inf), math.nextafter(mark, -math.inf),
    )])  # fmt: skip
    between = st.builds(
        lambda a, b, t: a + (b - a) * t,
        st.sampled_from(cutoffs), st.sampled_from(cutoffs), st.floats(0.0, 1.0),
    )  # fmt: skip
    return drawn, draw(on | between | st.floats(-50.0, 50.0))


@LAW
@given(near_a_mark(), st.sampled_from(BANDS))
def test_a_band_is_held_lawfully(drawn, previous):
    bands, log_odds = drawn
    height = BANDS.index
    cutoffs = bands.cutoff_log_odds
    without = assign_band(log_odds, cutoffs)
    held = apply_hysteresis(log_odds, previous, cutoffs)
    assert height(held) >= height(without)
    assert height(held) <= max(height(previous), height(without))
    assert apply_hysteresis(log_odds, held, cutoffs) == held
    assert apply_hysteresis(log_odds, "cold", cutoffs) == without
    without_hysteresis = bands.model_copy(update={"hysteresis": 0.0}).cutoff_log_odds
    assert apply_hysteresis(log_odds, previous, without_hysteresis) == without


@LAW
@given(scored_leads(), bands())
def test_the_scorer_holds_a_band_only_where_the_last_one_is_given(drawn, bands):
    scorecard, leads = drawn
    scorer = Scorer(scorecard.model_copy(update={"bands": bands}))
    for lead in leads:
        plain = scorer.score(lead)
        assert plain.band == assign_band(plain.log_odds, bands.cutoff_log_odds)
        for previous in BANDS:
            score = scorer.score(lead, previous)
            band = apply_hysteresis(plain.log_odds, previous, bands.cutoff_log_odds)
            assert score == plain._replace(band=band)
            assert explain_lead(scorer, lead, score).band == score.band


@pytest.mark.parametrize("hysteresis", [-0.01, 0.2, 0.3, math.nan, math.inf])
def test_a_hysteresis_that_is_none_is_refused(hysteresis):
    with pytest.raises(ValidationError, match="hysteresis"):
        Bands(mql=0.2, sql=0.5, hysteresis=hysteresis)


def test_a_scorecard_keeps_its_hysteresis():
    held = make_scorecard(bands=HELD).sealed()
    assert read_scorecard(held.to_json()) == held
    assert held.sha256 != make_scorecard().sealed().sha256
