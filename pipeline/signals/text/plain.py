"""Text without accents and case, for comparing with words of ours."""

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")

_FOREIGN = re.compile("[^\x00-\x7f\u0300-\u036f]")  # the latter are accents standing alone
_WHOLE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
"""Letters that Unicode does not take apart."""


def strip_accents(text: str) -> str:
    """Return a text in small Latin letters without accents; other letters and marks are spaces.

    Examples
    --------
    >>> strip_accents("Señora ÉLODIE")
    'senora elodie'
    """
    text = text.casefold()
    if text.isascii():
        return text
    for letter, plain in _WHOLE.items():
        text = text.replace(letter, plain)
    text = _FOREIGN.sub(" ", unicodedata.normalize("NFKD", text))
    return text.encode("ascii", "ignore").decode("ascii")


def split_words(text: str) -> list[str]:
    """Return the words of a text, in small letters and without accents.

    Examples
    --------
    >>> split_words("Jefe/a de Logística")
    ['jefe', 'a', 'de', 'logistica']
    """
    return _WORD.findall(strip_accents(text))
