"""Golden leads: made from knots and levels, with the answers every reader must give."""

import itertools
import math

from leadscore.models.errors import ScorecardError
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import GoldenLead, Scorecard
from leadscore.models.shapes import Curve, Shape, Table

LEADS = 6
UNSEEN = "a level never seen"
TOLERANCE = 1e-9


def add_golden_leads(scorecard: Scorecard) -> Scorecard:
    """Return the scorecard with golden leads: one with everything missing, five along the terms.

    The values are knots, midpoints between them, edges and levels of the terms themselves, so no
    golden lead is made from a person.
    """
    scorer = Scorer(scorecard)
    golden = []
    for turn in range(LEADS):
        signals: dict[str, str | float | None] = {
            term.signal: None if turn == 0 else _pick(term.shape, turn - 1)
            for term in scorecard.terms
        }
        for term in scorecard.terms if turn else ():
            if term.by is not None and term.by not in signals:
                signals[term.by] = _cycle([*sorted(term.variants), UNSEEN], turn - 1)
        if turn and scorecard.bands.by is not None and scorecard.bands.by not in signals:
            levels = [*sorted(scorecard.bands.overrides), UNSEEN]
            signals[scorecard.bands.by] = _cycle(levels, turn - 1)
        answer = scorer.score(signals)
        golden.append(GoldenLead(signals=signals, log_odds=answer.log_odds, band=answer.band))
    return scorecard.model_copy(update={"golden": tuple(golden), "sha256": ""})


def check_golden_leads(scorecard: Scorecard) -> None:
    """Score the golden leads and hold the answers against the expected ones.

    Raises
    ------
    ScorecardError
        If there are none, or an answer differs by more than 1e-9 log-odds or in its band.
    """
    if not scorecard.golden:
        raise ScorecardError("the scorecard has no golden leads to be checked by")
    scorer = Scorer(scorecard)
    for number, lead in enumerate(scorecard.golden):
        answer = scorer.score(lead.signals)
        near = math.isclose(answer.log_odds, lead.log_odds, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if not near or answer.band != lead.band:
            raise ScorecardError(
                f"golden lead {number} scores {answer.log_odds!r} ({answer.band}), "
                f"expected {lead.log_odds!r} ({lead.band})"
            )


def _cycle(levels: list[str], turn: int) -> str:
    return levels[turn % len(levels)]


def _pick(shape: Shape, turn: int) -> str | float | None:
    if isinstance(shape, Table):
        return _cycle([*sorted(shape.levels), UNSEEN], turn)
    marks = list(shape.knots if isinstance(shape, Curve) else shape.edges)
    if not marks:
        return 0.0
    middles = [left + (right - left) / 2 for left, right in itertools.pairwise(marks)]
    values = sorted({*marks, *middles})
    return values[(turn * max(1, len(values) // (LEADS - 1))) % len(values)]
