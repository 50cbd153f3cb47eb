"""Scoring: one lead, a frame and the reasons say the same of any scorecard and any lead."""

import os
import subprocess
import sys
from collections.abc import Iterator
from math import exp, isclose, log, nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scorecards import (
    LAW,
    Lead,
    is_missing,
    magnitude,
    make_scorecard,
    make_term,
    scored_leads,
    to_frame,
)

from leadscore.models.bands import Bands
from leadscore.models.errors import ScorecardError
from leadscore.models.log_odds import to_log_odds
from leadscore.models.score_frame import score_frame
from leadscore.models.score_lead import Scorer, explain_lead
from leadscore.models.scorecard import Cap, Points, Scorecard
from leadscore.models.shapes import LARGEST_WEIGHT, Curve, Steps, Table

ODD_LEVELS = ("nul\0a", "nul\0b", "nul")

CHANNEL = Table(levels={"ads": -0.5, "fair": 1.25}, missing=-0.25, other=0.125)
VISITS = Curve(knots=(0.0, 4.0, 8.0), values=(-1.0, 1.0, 1.5), missing=-0.75)
AGE = Curve(knots=(0.0, 30.0), values=(0.5, -0.25), beyond="linear", missing=0.0)
SINCE = Steps(edges=(1.0, 7.0), values=(1.0, 0.5, -0.5), missing=-1.0)

# ---------------------------------------------------------------- stories, recomputed by hand


def test_a_lead_adds_up_by_hand():
    scorecard = make_scorecard(
        make_term(CHANNEL, "web__channel"),
        make_term(VISITS, "web__visits"),
        make_term(AGE, "firmographic__age_days"),
        make_term(SINCE, "email__days_since_open"),
        base=-1.5,
    )
    lead = {
        "web__channel": "fair",  #  1.25
        "web__visits": 5.0,  #  1.0 + 0.5 * 1/4 = 1.125
        "firmographic__age_days": 60.0,  #  0.5 - 0.75 * 60/30 = -1.0
        "email__days_since_open": 7.0,  # -0.5
    }
    score = Scorer(scorecard).score(lead)
    assert score.contributions == (1.25, 1.125, -1.0, -0.5)
    assert score.log_odds == -0.625
    assert score.probability == pytest.approx(1.0 / (1.0 + exp(0.625)), abs=1e-15)
    assert score.band == "MQL"


def test_a_lead_of_whom_nothing_is_known_takes_every_missing_entry():
    terms = (make_term(CHANNEL, "web__channel"), make_term(VISITS), make_term(SINCE, "email__d"))
    scorer = Scorer(make_scorecard(*terms, base=-1.0))
    nothing = scorer.score({})
    assert nothing.contributions == (-0.25, -0.75, -1.0)
    assert nothing.log_odds == -3.0
    assert scorer.score({"web__channel": None, "web__visits": nan, "email__d": None}) == nothing
    assert scorer.score({"web__never_declared": 1e300}) == nothing


def clicks(low: float, high: float) -> Scorecard:
    worth = Curve(knots=(0.0, 1.0), values=(0.0, 1.0), beyond="linear", missing=0.0)
    return make_scorecard(
        make_term(worth, "email__clicks", group="clicks"),
        make_term(worth, "web__clicks", group="clicks"),
        make_term(worth, "social__clicks"),
        base=-2.0,
        caps={"clicks": Cap(low=low, high=high)},
        points=Points(per_log_odds=10.0, offset=100.0),
    )


@pytest.mark.parametrize(
    ("email", "web", "adjustment", "log_odds"),
    [
        (3.0, 4.0, -2.0, 4.0),  # 7 is cut down to 5
        (-3.0, 1.0, 1.0, -2.0),  # -2 is lifted to -1
        (2.0, 3.0, 0.0, 4.0),  # 5 is just within
        (1.0, 1.0, 0.0, 1.0),
    ],
)
def test_a_cap_holds_its_group_and_is_a_reason_of_its_own(email, web, adjustment, log_odds):
    scorer = Scorer(clicks(low=-1.0, high=5.0))
    lead = {"email__clicks": email, "web__clicks": web, "social__clicks": 1.0}
    score = scorer.score(lead)
    assert score.contributions == (email, web, 1.0, adjustment)
    assert score.log_odds == log_odds
    caps = [r for r in explain_lead(scorer, lead).reasons if r.signal.startswith("cap:")]
    if adjustment == 0.0:
        assert caps == []
    else:
        (cap,) = caps
        assert cap == ("cap:clicks", "", None, adjustment, 10.0 * adjustment)


def test_each_channel_may_have_a_curve_of_its_own():
    ads = Curve(knots=(0.0, 10.0), values=(0.0, 0.5), missing=-1.0)
    visits = make_term(VISITS, by="web__channel", variants={"ads": ads})
    scorer = Scorer(make_scorecard(visits, make_term(CHANNEL, "web__channel")))
    assert scorer.score({"web__visits": 4.0, "web__channel": "ads"}).contributions == (0.2, -0.5)
    assert scorer.score({"web__visits": 4.0, "web__channel": "fair"}).contributions == (1.0, 1.25)
    assert scorer.score({"web__visits": 4.0}).contributions == (1.0, -0.25)
    assert scorer.score({"web__channel": "ads"}).contributions == (-1.0, -0.5)


def test_a_lead_exactly_on_a_cutoff_belongs_to_the_band_that_begins_there():
    bands = Bands(mql=0.2, sql=0.5)
    mql, sql = to_log_odds(0.2), to_log_odds(0.5)
    expected = {
        np.nextafter(mql, -9.0): "cold", mql: "MQL", np.nextafter(sql, -9.0): "MQL", sql: "SQL",
    }  # fmt: skip
    for base, band in expected.items():
        scorecard = make_scorecard(base=float(base), bands=bands)
        assert Scorer(scorecard).score({}).band == band
        assert list(score_frame(scorecard, pd.DataFrame(index=range(2))).band) == [band, band]


def test_points_add_up_from_the_average_lead_to_this_one():
    scorecard = make_scorecard(
        make_term(CHANNEL, "web__channel", mean=0.25),
        make_term(VISITS, "web__visits", mean=-0.5),
        base=-1.0,
        points=Points(per_log_odds=20.0 / log(2.0), offset=60.0),
    )
    said = explain_lead(Scorer(scorecard), {"web__channel": "fair", "web__visits": nan})
    assert said.average == -1.25
    assert [(r.signal, r.family, r.log_odds) for r in said.reasons] == [
        ("web__channel", "web", 1.0),
        ("web__visits", "web", -0.25),
    ]
    assert said.log_odds == -0.5
    assert said.points == pytest.approx(60.0 - 0.5 * 20.0 / log(2.0), abs=1e-12)
    assert said.points_to_double == pytest.approx(20.0, abs=1e-12)
    assert said.average_points + sum(r.points for r in said.reasons) == pytest.approx(said.points)
    assert (said.probability, said.band) == Scorer(scorecard).score({"web__channel": "fair"})[1:3]


def test_a_reason_gives_a_missing_value_as_none():
    scorer = Scorer(make_scorecard(make_term(VISITS)))
    values = [
        explain_lead(scorer, lead).reasons[0].value
        for lead in ({}, {"web__visits": None}, {"web__visits": nan}, {"web__visits": 2.0})
    ]
    assert values == [None, None, None, 2.0]


def test_reasons_come_largest_first_and_ties_by_name():
    def worth(x: float) -> Table:
        return Table(levels={}, missing=x, other=x)

    names = {"web__c": 0.5, "web__b": -2.0, "web__a": 0.5, "web__d": 1.0, "web__e": -0.5}
    terms = [make_term(worth(x), name) for name, x in names.items()]
    reasons = explain_lead(Scorer(make_scorecard(*terms)), {}).reasons
    assert [r.signal for r in reasons] == ["web__b", "web__d", "web__a", "web__c", "web__e"]


# ---------------------------------------------------------------- laws, over any scorecard


def bits(numbers: object) -> bytes:
    return (np.asarray(numbers, dtype=np.float64) + 0.0).tobytes("C")  # -0.0 is 0.0


CORNERS = {
    "cap bites", "variant", "table known", "table unseen", "table missing", "curve missing",
    "curve on a mark", "curve within", "flat beyond", "linear beyond", "steps missing",
    "steps on a mark", "steps beyond", "steps within",
}  # fmt: skip


def corners_of(scorecard: Scorecard, lead: Lead) -> Iterator[str]:
    """What is special about a lead, so that no law passes because nothing was tried."""
    if any(Scorer(scorecard).score(lead).contributions[len(scorecard.terms) :]):
        yield "cap bites"
    for term in scorecard.terms:
        value, shape = lead.get(term.signal), term.shape
        if lead.get(term.by or "") in term.variants:
            yield "variant"
        elif is_missing(value):
            yield f"{shape.kind} missing"
        elif isinstance(shape, Table):
            yield "table known" if value in shape.levels else "table unseen"
        else:
            marks = shape.knots if isinstance(shape, Curve) else shape.edges
            inside = bool(marks) and marks[0] <= value <= marks[-1]
            if inside:
                yield f"{shape.kind} on a mark" if value in marks else f"{shape.kind} within"
            else:
                yield f"{getattr(shape, 'beyond', 'steps')} beyond"


def test_one_lead_and_a_frame_agree_to_the_last_bit():
    seen: set[str] = set()

    @LAW
    @given(scored_leads(1.7e308, levels=ODD_LEVELS), st.sampled_from(["object", "str"]))
    def law(drawn, text_dtype):
        scorecard, leads = drawn
        frame = to_frame(scorecard, leads, text_dtype)
        before = frame.copy(deep=True)
        many = score_frame(scorecard, frame)
        pd.testing.assert_frame_equal(frame, before)
        arrays = {name: frame[name].to_numpy() for name in frame}
        if arrays:
            same = score_frame(scorecard, arrays)
            assert bits(same.log_odds) == bits(many.log_odds)
            assert bits(same.contributions) == bits(many.contributions)
            assert list(same.band) == list(many.band)
        ones = [Scorer(scorecard).score(lead) for lead in leads]
        assert bits(many.log_odds) == bits([one.log_odds for one in ones])
        assert bits(many.probability) == bits([one.probability for one in ones])
        assert list(many.band) == [one.band for one in ones]
        width = len(scorecard.terms) + len(scorecard.caps)
        assert many.contributions.shape == (len(leads), width)
        assert bits(many.contributions) == bits([one.contributions for one in ones])
        assert np.isfinite(many.log_odds).all()
        for lead in leads:
            seen.update(corners_of(scorecard, lead))

    law()
    assert seen == CORNERS


@LAW
@given(scored_leads(largest=1.7e308))
def test_contributions_add_up_and_caps_hold(drawn):
    scorecard, leads = drawn
    for lead in leads:
        score = Scorer(scorecard).score(lead)
        total = scorecard.base
        for contribution in score.contributions:
            total += contribution
        assert total == score.log_odds
        assert 0.0 <= score.probability <= 1.0
        slack = 1e-12 * magnitude(scorecard)
        parts = list(zip(scorecard.terms, score.contributions, strict=False))
        adjustments = score.contributions[len(scorecard.terms) :]
        for (name, cap), adjustment in zip(scorecard.caps.items(), adjustments, strict=True):
            partial = sum(part for term, part in parts if term.group == name)
            assert cap.low - slack <= partial + adjustment <= cap.high + slack
            if cap.low <= partial <= cap.high:
                assert adjustment == 0.0


@LAW
@given(scored_leads())
def test_reasons_add_up_in_log_odds_and_in_points(drawn):
    scorecard, leads = drawn
    scorer = Scorer(scorecard)
    for lead in leads:
        score, said = scorer.score(lead), explain_lead(scorer, lead)
        slack = 1e-12 * magnitude(scorecard)
        scale = scorecard.points.per_log_odds
        assert said.log_odds == score.log_odds
        assert abs(said.average + sum(r.log_odds for r in said.reasons) - said.log_odds) <= slack
        points = said.average_points + sum(r.points for r in said.reasons)
        assert abs(points - said.points) <= slack * max(1.0, scale) + 1e-9
        assert abs(scorecard.points.offset + scale * score.log_odds - said.points) <= slack * scale
        sizes = [abs(r.log_odds) for r in said.reasons]
        assert sizes == sorted(sizes, reverse=True)
        bitten = {
            f"cap:{name}"
            for name, part in zip(
                scorecard.caps, score.contributions[len(scorecard.terms) :], strict=True
            )
            if part != 0.0
        }
        assert {r.signal for r in said.reasons} == {t.signal for t in scorecard.terms} | bitten


@LAW
@given(st.floats(0.01, 20.0), st.floats(-5.0, 5.0), scored_leads())
def test_a_recalibrated_scorecard_is_a_scale_and_a_shift(factor, shift, drawn):
    scorecard, leads = drawn
    small = scorecard.rescaled(0.05, 0.0)  # leaves room for a factor of 20
    large = small.rescaled(factor, shift)
    for lead in leads:
        first, before, after = (Scorer(card).score(lead) for card in (scorecard, small, large))
        parts = first.contributions + before.contributions + after.contributions
        if any(abs(part) >= LARGEST_WEIGHT for part in parts):
            continue  # the end of a linear curve is held, on whatever scale
        slack = 1e-12 * max(1.0, factor) * magnitude(scorecard)
        assert isclose(before.log_odds, 0.05 * first.log_odds, abs_tol=slack)
        assert isclose(after.log_odds, factor * before.log_odds + shift, abs_tol=slack)


# ---------------------------------------------------------------- frames that do not fit


def test_a_frame_that_lacks_a_column_is_refused_by_name():
    visits = make_term(VISITS, by="web__channel", variants={"ads": VISITS})
    with pytest.raises(ScorecardError, match="the signals lack web__channel, web__visits"):
        score_frame(make_scorecard(visits), pd.DataFrame({"web__other": [1.0]}))


def test_a_frame_with_text_for_a_number_or_a_number_for_text_is_refused():
    with pytest.raises(ScorecardError, match="web__visits has to hold numbers"):
        score_frame(make_scorecard(make_term(VISITS)), pd.DataFrame({"web__visits": ["4"]}))
    by_channel = make_scorecard(make_term(CHANNEL, "web__channel"))
    with pytest.raises(ScorecardError, match="web__channel has to hold text, found float"):
        score_frame(by_channel, pd.DataFrame({"web__channel": [4.0]}))


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "bool"])
def test_whole_numbers_and_flags_are_numbers_in_a_frame(dtype):
    scorecard = make_scorecard(make_term(VISITS))
    frame = pd.DataFrame({"web__visits": pd.Series([0, 1], dtype=dtype)})
    assert score_frame(scorecard, frame).log_odds.tolist() == [-1.0, -0.5]


@pytest.mark.parametrize("empty", [None, nan])
def test_columns_of_nothing_but_missing_values_are_missing(empty):
    scorecard = make_scorecard(make_term(VISITS), make_term(CHANNEL, "web__channel"))
    frame = pd.DataFrame({"web__visits": [empty] * 2, "web__channel": [empty] * 2})
    assert score_frame(scorecard, frame).contributions.tolist() == [[-0.75, -0.25]] * 2


def test_a_frame_without_rows_has_no_scores():
    scorecard = make_scorecard(make_term(VISITS), make_term(CHANNEL, "web__channel"))
    scores = score_frame(scorecard, to_frame(scorecard, []))
    assert scores.log_odds.shape == (0,)
    assert scores.contributions.shape == (0, 2)


def test_rows_may_have_any_index():
    scorecard = make_scorecard(make_term(VISITS))
    frame = pd.DataFrame({"web__visits": [0.0, 4.0, nan]}, index=[7, 7, 3])
    assert score_frame(scorecard, frame).log_odds.tolist() == [-1.0, 1.0, -0.75]


# ---------------------------------------------------------------- what a request must not load


@pytest.mark.parametrize("module", ["score_lead", "score_sql", "golden_leads"])
def test_scoring_one_lead_loads_no_data_science(module):
    root = Path(__file__).parents[2]
    program = (
        f"import leadscore.models.{module}, sys\n"
        "print(*sorted(m.split('.')[0] for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert "leadscore" in loaded
    assert not loaded & {"sklearn", "pandas", "numpy", "mlflow", "scipy", "duckdb", "pyarrow"}
