"""The reasons of a lead already scored: those of its explanation, all or the largest."""

from hypothesis import given
from hypothesis import strategies as st
from support.scorecards import LAW, is_missing, make_scorecard, make_term, scored_leads

from leadscore.models.score_lead import Reason, Scorer, explain_lead, rank_parts
from leadscore.models.scorecard import Cap
from leadscore.models.shapes import Table


def worth(log_odds: float) -> Table:
    return Table(levels={}, missing=log_odds, other=log_odds)


def by_definition(scorecard, score, lead):
    """Every term's and every biting cap's part, sorted; written as it would be told."""
    points, reasons = scorecard.points, []
    for term, contribution in zip(scorecard.terms, score.contributions, strict=False):
        part, value = contribution - term.mean, lead.get(term.signal)
        value = None if is_missing(value) else value
        reasons.append(Reason(term.signal, term.family, value, part, points.part(part)))
    for name, part in zip(scorecard.caps, score.contributions[len(scorecard.terms) :], strict=True):
        if part != 0.0:
            reasons.append(Reason(f"cap:{name}", "", None, part, points.part(part)))
    return sorted(reasons, key=lambda reason: (-abs(reason.log_odds), reason.signal))


@LAW
@given(scored_leads(), st.integers(0, 8))
def test_reasons_are_those_of_the_definition_and_of_the_explanation(drawn, most):
    scorecard, leads = drawn
    scorer = Scorer(scorecard)
    for lead in leads:
        score = scorer.score(lead)
        expected = by_definition(scorecard, score, lead)
        assert explain_lead(scorer, lead, score).reasons == tuple(expected)
        assert explain_lead(scorer, lead).reasons == tuple(expected)
        names = scorer.contribution_index.names
        largest = [names[place] for place in rank_parts(scorer, score, most)[1]]
        assert largest == [reason.signal for reason in expected[:most]]


def test_a_cap_that_did_not_bite_takes_nobodys_place():
    """Where all else is worth nothing too, it would stand first by its name."""
    terms = [make_term(worth(0.0), f"web__{name}", group="g") for name in "ab"]
    scorer = Scorer(make_scorecard(*terms, caps={"g": Cap(low=-1.0, high=1.0)}))
    reasons = explain_lead(scorer, {}).reasons
    assert [reason.signal for reason in reasons] == ["web__a", "web__b"]
