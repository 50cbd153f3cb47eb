"""Text without accents and case, for comparing with words of ours."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_WORD = re.compile(r"[a-z0-9]+")

_FOREIGN = re.compile("[^\x00-\x7f\u0300-\u036f]")  # the latter are accents standing alone
_WHOLE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
"""Letters that Unicode does not take apart."""


Told = TypeVar("Told")
_SHORT = 100


def remember(read: Callable[[str], Told]) -> Callable[[str], Told]:
    """Keep what a function told of the last 65,536 texts of up to 100 characters each.

    Longer ones are read anew, so that no request can fill the memory.
    """
    kept = lru_cache(maxsize=65_536)(read)

    @wraps(read)
    def recall(text: str) -> Told:
        return kept(text) if len(text) <= _SHORT else read(text)

    recall.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
    return recall


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
