"""What each family of signals is worth to a contender: its score without them, not retrained."""

import numpy as np
import numpy.typing as npt

from models.scorecard import Scorecard

Floats = npt.NDArray[np.float64]


def list_families(scorecard: Scorecard) -> list[str]:
    """Return the families that a scorecard has terms of, in its order."""
    return list(dict.fromkeys(term.family for term in scorecard.terms))


def leave_out_family(scorecard: Scorecard, contributions: Floats, family: str) -> Floats:
    """Return the log-odds of n snapshots, each worth the average in what a family says.

    Parameters
    ----------
    scorecard : Scorecard
    contributions : float array of shape (n, terms + caps)
        Of ``FrameScores``.
    family : str

    Returns
    -------
    float array of shape (n,)
        Caps are applied anew.
    """
    terms = contributions[:, : len(scorecard.terms)].copy()
    for place, term in enumerate(scorecard.terms):
        if term.family == family:
            terms[:, place] = terms[:, place].mean()
    log_odds: Floats = scorecard.base + terms.sum(axis=1)
    for name, cap in scorecard.caps.items():
        members = [place for place, term in enumerate(scorecard.terms) if term.group == name]
        partial = terms[:, members].sum(axis=1)
        log_odds += np.clip(partial, cap.low, cap.high) - partial
    return log_odds
