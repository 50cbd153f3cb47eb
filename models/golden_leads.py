"""Golden leads: made-up leads with the scores that every scorer must give them."""

import itertools
import math
from collections.abc import Iterable

from leadscore.models.errors import ScorecardError
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import GoldenLead, Scorecard
from leadscore.models.shapes import Curve, Shape, Table

LEADS = 6
"""The number of golden leads of a scorecard."""
UNSEEN = "a level never seen"
TOLERANCE = 1e-9
"""The largest difference in log-odds between a score and the expected one."""


def add_golden_leads(scorecard: Scorecard) -> Scorecard:
    """Return the scorecard with golden leads: one without any value, five with values.

    The values are knots, midpoints between them, edges and levels of the terms, so no golden lead
    comes from a person.
    """
    scorer = Scorer(scorecard)
    golden = []
    for number in range(LEADS):
        signals: dict[str, str | float | None] = {
            term.signal: None if number == 0 else _choose_value(term.shape, number - 1)
            for term in scorecard.terms
        }
        for term in scorecard.terms if number else ():
            if term.by is not None and term.by not in signals:
                signals[term.by] = _choose_level(term.variants, number - 1)
        if number and scorecard.bands.by is not None and scorecard.bands.by not in signals:
            signals[scorecard.bands.by] = _choose_level(scorecard.bands.overrides, number - 1)
        answer = scorer.score(signals)
        golden.append(GoldenLead(signals=signals, log_odds=answer.log_odds, band=answer.band))
    return scorecard.model_copy(update={"golden": tuple(golden), "sha256": ""})


def check_golden_leads(scorecard: Scorecard) -> None:
    """Score the golden leads and compare the scores with the expected ones.

    Raises ScorecardError if there are none, or if a score differs by more than 1e-9 log-odds or in
    its band.
    """
    if not scorecard.golden:
        raise ScorecardError("the scorecard has no golden leads, so it cannot be checked")
    scorer = Scorer(scorecard)
    for number, lead in enumerate(scorecard.golden):
        answer = scorer.score(lead.signals)
        near = math.isclose(answer.log_odds, lead.log_odds, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if not near or answer.band != lead.band:
            raise ScorecardError(
                f"golden lead {number} scores {answer.log_odds!r} ({answer.band}), "
                f"expected {lead.log_odds!r} ({lead.band})"
            )


def _choose_level(levels: Iterable[str], number: int) -> str:
    choices = [*sorted(levels), UNSEEN]
    return choices[number % len(choices)]


def _choose_value(shape: Shape, number: int) -> str | float:
    if isinstance(shape, Table):
        return _choose_level(shape.levels, number)
    limits = shape.knots if isinstance(shape, Curve) else shape.edges
    if not limits:
        return 0.0
    middles = [left + (right - left) / 2 for left, right in itertools.pairwise(limits)]
    values = sorted({*limits, *middles})
    return values[(number * max(1, len(values) // (LEADS - 1))) % len(values)]
