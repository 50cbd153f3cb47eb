"""What a sheet is worth to each snapshot, in its own points."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.frame import read_term
from models.rules import Rule, to_terms
from pipeline.sheets.reading import Sheet

Floats = npt.NDArray[np.float64]


def count_rule(rule: Rule, signals: pd.DataFrame) -> Floats:
    """Return the points that one criterion gives each snapshot, caps aside, of shape (n,)."""
    (term,) = to_terms([rule])
    return read_term(term, signals)


def count_points(sheet: Sheet, signals: pd.DataFrame) -> Floats:
    """Return the points that a sheet gives each snapshot in all, of shape (n,).

    Columns in: one per signal of the sheet. Grain: one row per snapshot.
    """
    worth = {term.signal: read_term(term, signals) for term in sheet.terms}
    total = np.full(len(signals), sheet.config.start)
    for term in sheet.terms:
        if term.group is None:
            total += worth[term.signal]
    for name, cap in sheet.caps.items():
        members = [worth[term.signal] for term in sheet.terms if term.group == name]
        total += np.clip(np.sum(members, axis=0), cap.low, cap.high)
    return total
