"""Values that name a lead rather than say something of it: keys, numbers of records."""

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from pipeline.audit.values import Values

UNIQUE = 0.8
"""From this share of different values on, a text is as good as a name."""
FEWEST = 50
_IN_ORDER = 0.98
_DENSE = 0.2


def tell_identity(values: Values, order: npt.NDArray[np.float64] | None) -> str | None:
    """Say that a column is as good as an identifier, or None.

    Text is, if four in five of its values are different. Numbers are, if they are whole, nearly all
    different, and either run with the leads' order or leave few numbers out: others, as sums of
    money, are all different as well.

    Parameters
    ----------
    values : Values
    order : float array (n,) or None
        Time of creation or arrival number of each lead.
    """
    filled = values.filled
    count = int(filled.sum())
    if count < FEWEST or values.kind == "time":
        return None
    different = len(np.unique(values.exact[filled]))
    if values.kind == "text":
        if different >= UNIQUE * count:
            return f"id-like: {different:,} different values in {count:,} leads"
        return None
    if different < 0.99 * count:
        return None
    numbers = np.asarray(values.names, float)[values.exact[filled] - 1]
    if not np.equal(numbers, np.round(numbers)).all():
        return None
    if order is not None and np.ptp(order[filled]) > 0.0:
        along = float(spearmanr(numbers, order[filled]).statistic)
        if abs(along) >= _IN_ORDER:
            return f"id-like: {different:,} different whole numbers that run with the leads' order"
    if count / (np.ptp(numbers) + 1.0) >= _DENSE:
        return f"id-like: {different:,} different whole numbers with few left out between them"
    return None
