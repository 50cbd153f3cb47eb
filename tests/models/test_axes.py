"""Fit and engagement: partial sums that one lead and a frame agree on, and the grades they give."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.scorecards import LAW, make_scorecard, make_term, scored_leads, to_frame, weights

from leadscore.models.axes import Axes, LeadAxes
from leadscore.models.score_frame import read_axes, score_frame, sum_axes
from leadscore.models.score_lead import AxesReader, Scorer
from leadscore.models.scorecard import Cap, read_scorecard
from leadscore.models.shapes import Table


def worth(log_odds):
    return Table(levels={}, missing=log_odds, other=log_odds)


def reader_of(*terms, **changes):
    scorecard = make_scorecard(*terms, **changes)
    return AxesReader(scorecard), Scorer(scorecard).score({}).contributions


def test_fit_is_who_they_are_and_engagement_is_what_they_do():
    names = {
        "demographic__a": 1.0, "firmographic__a": 2.0, "email__a": 4.0, "web__a": 8.0,
        "social__a": 16.0, "spam__a": 32.0, "form__a": 64.0,
    }  # fmt: skip
    terms = [make_term(worth(x), name) for name, x in names.items()]
    reader, contributions = reader_of(*terms, base=128.0)
    assert reader.sum(contributions) == (3.0, 28.0)


@pytest.mark.parametrize(
    ("groups", "sums"),
    [
        (("g", "g", None, None), (1.0, 4.0)),  # within fit: 3 is cut down to 1
        ((None, None, "g", "g"), (3.0, 1.0)),  # within engagement: 4 is cut down to 1
        (("g", None, None, "g"), (3.0, 4.0)),  # across both: it belongs to neither
    ],
)
def test_a_cap_counts_where_all_of_its_group_lies_on_the_axis(groups, sums):
    names = {"demographic__a": 1.0, "firmographic__a": 2.0, "email__a": 0.0, "web__a": 4.0}
    terms = [
        make_term(worth(x), name, group=group)
        for (name, x), group in zip(names.items(), groups, strict=True)
    ]
    reader, contributions = reader_of(*terms, caps={"g": Cap(low=-1.0, high=1.0)})
    assert reader.sum(contributions) == sums


@pytest.mark.parametrize(
    ("total", "grade"),
    [(-9.0, "D4"), (0.99, "D4"), (1.0, "C3"), (2.0, "B2"), (2.99, "B2"), (3.0, "A1"), (9.0, "A1")],
)
def test_a_partial_sum_on_a_cut_point_belongs_above_it(total, grade):
    cuts = (1.0, 2.0, 3.0)
    assert "".join(Axes(fit=cuts, engagement=cuts).read(total, total)) == grade


def test_between_cut_points_that_coincide_nobody_stands():
    axes = Axes(fit=(1.0, 1.0, 3.0), engagement=(1.0, 1.0, 1.0))
    below, on = math.nextafter(1.0, 0.0), 1.0
    assert axes.read(below, below) == ("D", "4")
    assert axes.read(on, on) == ("B", "1")


def test_without_cut_points_nothing_is_said():
    assert Axes().read(1.0, 1.0) == LeadAxes(None, None)
    assert Axes(engagement=(0.0, 1.0, 2.0)).read(1.0, 1.0) == LeadAxes(None, "2")


@pytest.mark.parametrize(
    "cuts", [(1.0, 2.0), (2.0, 1.0, 3.0), (1.0, 2.0, math.inf), (1.0, 2.0, math.nan)]
)
def test_cut_points_that_are_none_are_refused(cuts):
    with pytest.raises(ValidationError, match="fit"):
        Axes(fit=cuts)


def test_a_scorecard_keeps_its_axes():
    cut = make_scorecard(axes=Axes(fit=(0.0, 1.0, 2.0))).sealed()
    assert read_scorecard(cut.to_json()) == cut
    assert cut.sha256 != make_scorecard().sealed().sha256


cut_points = st.lists(weights, min_size=3, max_size=3).map(lambda cuts: tuple(sorted(cuts)))
FAMILIES = st.sampled_from(["demographic", "firmographic", "email", "web", "social", "form"])


def test_one_lead_and_a_frame_stand_in_the_same_place_to_the_last_bit():
    seen: set[str | None] = set()

    @LAW
    @given(scored_leads(), st.lists(FAMILIES, min_size=5, max_size=5), st.data())
    def law(drawn, families, data):
        scorecard, leads = drawn
        terms = [
            term.model_copy(update={"family": family})
            for term, family in zip(scorecard.terms, families, strict=False)
        ]
        scorecard = scorecard.model_copy(update={"terms": tuple(terms)})
        scorer, reader = Scorer(scorecard), AxesReader(scorecard)
        sums = [reader.sum(scorer.score(lead).contributions) for lead in leads]
        cuts = [
            data.draw(st.none() | st.sampled_from([
                tuple(sorted(axis[:3])), (axis[0],) * 3, data.draw(cut_points),
                (axis[0] - 1.0, axis[0], axis[0] + 1.0),
            ]))
            for axis in zip(*sums, strict=True)
        ]  # fmt: skip
        axes = Axes(fit=cuts[0], engagement=cuts[1])
        scorecard = scorecard.model_copy(update={"axes": axes})
        reader = AxesReader(scorecard)
        many = score_frame(scorecard, to_frame(scorecard, leads)).contributions
        assert np.array(sums).T.tobytes() == np.array(sum_axes(scorecard, many)).tobytes()
        ones = [reader.read(scorer.score(lead).contributions) for lead in leads]
        assert [*zip(*read_axes(scorecard, many), strict=True)] == ones
        seen.update(grade for one in ones for grade in one)

    law()
    assert seen == {None, *"ABCD", *"1234"}
