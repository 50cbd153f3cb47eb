"""Suspicious names of columns, and columns that are as good as identifiers."""

import re

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from leadscore.pipeline.audit.columns.encoding import Values

_OVERWRITTEN = frozenset("last latest newest ultima ultimo dernier derniere recent".split())
_JUDGED = frozenset(
    "tag tags quality rating grade score index stage status disposition remark remarks note notes "
    "comment comments calidad etapa motivo comentario comentarios puntuacion nota notas qualite "
    "etape statut commentaire".split()
)
_CLOSING = frozenset(
    "closed closing close won lost deal contract signed invoice invoiced purchase purchased paid "
    "cierre cerrado contrato factura pagado conclu contrat facture".split()
)
_HARMLESS = frozenset("marital civil employment familial name nombre nom".split())


def judge_name(column: str) -> str | None:
    """Return what a column's name says of when it was written, or None.

    Examples
    --------
    >>> judge_name("Last Notable Activity")
    'its name says that it is overwritten ("last")'
    >>> judge_name("marital_status") is None
    True
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower()
    words = re.findall("[a-z0-9]+", apart)
    if _HARMLESS & set(words):
        return None
    for word in words:
        if word in _OVERWRITTEN:
            return f'its name says that it is overwritten ("{word}")'
        if word in _CLOSING:
            return f'its name speaks of the closing ("{word}")'
    for word in words:
        if word in _JUDGED:
            return f'its name says that somebody judged the lead, at an unknown time ("{word}")'
    return None


UNIQUE = 0.8
"""From this share of different values on, a text is as good as a name."""
MIN_VALUES = 50
_IN_ORDER = 0.98
_DENSE = 0.2


def judge_identity(values: Values, order: npt.NDArray[np.float64] | None) -> str | None:
    """Return why a column is as good as an identifier, or None.

    Text is, if four in five of its values are different. Numbers are, if they are whole, nearly all
    different, and either run with the leads' order or leave few numbers out: others, as sums of
    money, are all different as well.

    Parameters
    ----------
    order : float array (n,) or None
        Time of creation or arrival number of each lead.
    """
    filled = values.filled
    count = int(filled.sum())
    if count < MIN_VALUES or values.kind == "time":
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
