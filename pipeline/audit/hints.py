"""Names of columns that say when, or by whom, they were written."""

import re

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


def tell_name(column: str) -> str | None:
    """Say what a column's name gives away of when it was written, or None.

    Examples
    --------
    >>> tell_name("Last Notable Activity")
    'its name says that it is overwritten ("last")'
    >>> tell_name("marital_status") is None
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
            return f'its name says that somebody judged the lead, nobody knows when ("{word}")'
    return None
