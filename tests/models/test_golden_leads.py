"""Golden leads: a scorecard carries its own examination."""

import pytest
from hypothesis import given
from support.scorecards import LAW, columns_of, make_scorecard, make_term, scorecards

from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import add_golden_leads, check_golden_leads
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import Cap, Scorecard, read_scorecard
from leadscore.models.shapes import Curve, Steps, Table


def examined() -> Scorecard:
    return add_golden_leads(
        make_scorecard(
            make_term(Table(levels={"ads": -0.5, "fair": 1.0}, missing=0.25, other=-1.0), "web__c"),
            make_term(Curve(knots=(0.0, 4.0), values=(-1.0, 1.0), missing=-0.75), group="all"),
            make_term(Steps(edges=(1.0, 7.0), values=(1.0, 0.5, -0.5), missing=0.0), "email__d"),
            make_term(Steps(edges=(), values=(0.5,), missing=-0.5), "email__flat"),
            base=-0.125,
            caps={"all": Cap(low=-0.5, high=0.5)},
        )
    )


def with_term(scorecard: Scorecard, place: int, shape: Table | Curve | Steps) -> Scorecard:
    terms = list(scorecard.terms)
    terms[place] = terms[place].model_copy(update={"shape": shape})
    return scorecard.model_copy(update={"terms": tuple(terms)})


def test_golden_leads_are_made_of_knots_levels_and_nothing_else():
    leads = [lead.signals for lead in examined().golden]
    assert len(leads) == 6
    assert leads[0] == dict.fromkeys(["web__c", "web__visits", "email__d", "email__flat"])
    assert {lead["web__c"] for lead in leads} == {None, "ads", "fair", "a level never seen"}
    assert {lead["web__visits"] for lead in leads} == {None, 0.0, 2.0, 4.0}
    assert {lead["email__d"] for lead in leads} == {None, 1.0, 4.0, 7.0}


def test_golden_answers_are_the_scorers_own():
    scorecard = examined()
    check_golden_leads(scorecard)
    for lead in scorecard.golden:
        answer = Scorer(scorecard).score(lead.signals)
        assert (lead.log_odds, lead.band) == (answer.log_odds, answer.band)


def test_golden_leads_leave_the_scorecard_unsealed():
    sealed = examined().sealed()
    assert add_golden_leads(sealed).sha256 == ""
    assert read_scorecard(sealed.to_json()).golden == examined().golden


@LAW
@given(scorecards())
def test_any_scorecard_passes_its_own_examination_after_json(scorecard):
    again = read_scorecard(add_golden_leads(scorecard).sealed().to_json())
    check_golden_leads(again)
    assert all(set(lead.signals) <= set(columns_of(again)) for lead in again.golden)


def test_a_scorecard_without_golden_leads_fails():
    with pytest.raises(ScorecardError, match="no golden leads"):
        check_golden_leads(examined().model_copy(update={"golden": ()}))


@pytest.mark.parametrize(
    ("place", "shape"),
    [
        (0, Table(levels={"ads": -0.5, "fair": 1.0}, missing=0.25, other=-1.00001)),
        (0, Table(levels={"ads": -0.5, "fair": 1.00001}, missing=0.25, other=-1.0)),
        (0, Table(levels={"ads": -0.5, "fair": 1.0}, missing=0.25001, other=-1.0)),
        (2, Steps(edges=(1.0, 7.0), values=(1.0, 0.50001, -0.5), missing=0.0)),
        (2, Steps(edges=(1.0, 7.5), values=(1.0, 0.5, -0.5), missing=0.0)),
        (2, Steps(edges=(1.0, 7.0), values=(1.0, 0.5, -0.5), missing=0.00001)),
    ],
)
def test_a_weight_that_moved_is_noticed(place, shape):
    with pytest.raises(ScorecardError, match=r"golden lead \d scores .* expected"):
        check_golden_leads(with_term(examined(), place, shape))


def test_a_base_a_cap_or_a_band_that_moved_is_noticed():
    scorecard = examined()
    moved = scorecard.model_copy(update={"base": -0.125 + 1e-6})
    uncapped = scorecard.model_copy(update={"caps": {"all": Cap(low=-9.0, high=9.0)}})
    first = scorecard.golden[0].model_copy(update={"band": "SQL"})
    assert scorecard.golden[0].band != "SQL"
    relabelled = scorecard.model_copy(update={"golden": (first, *scorecard.golden[1:])})
    for tampered in (moved, uncapped, relabelled):
        with pytest.raises(ScorecardError, match=r"golden lead \d scores"):
            check_golden_leads(tampered)


def test_a_difference_in_the_last_bits_is_forgiven():
    scorecard = examined()
    check_golden_leads(scorecard.model_copy(update={"base": -0.125 + 1e-12}))


def test_golden_leads_go_through_the_variants():
    ads = Steps(edges=(2.0,), values=(3.0, 4.0), missing=5.0)
    visits = Curve(knots=(0.0, 4.0), values=(-1.0, 1.0), missing=0.0)
    scorecard = add_golden_leads(
        make_scorecard(make_term(visits, by="web__channel", variants={"ads": ads}))
    )
    worse = scorecard.terms[0].model_copy(update={"variants": {"ads": ads.rescaled(2.0)}})
    with pytest.raises(ScorecardError, match="golden lead"):
        check_golden_leads(scorecard.model_copy(update={"terms": (worse,)}))
