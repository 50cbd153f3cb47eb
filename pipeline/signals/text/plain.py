"""Text without accents and case, for comparing with words of ours."""

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")


def _strip(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


_LATIN = (*range(0xA0, 0x250), *range(0x300, 0x370), *range(0x1E00, 0x1F00))
_PLAIN = str.maketrans({chr(code): _strip(chr(code)) for code in _LATIN})


def strip_accents(text: str) -> str:
    """Return a text in small letters, Latin ones without accents.

    Examples
    --------
    >>> strip_accents("Señora ÉLODIE")
    'senora elodie'
    """
    text = text.lower()
    return text if text.isascii() else text.translate(_PLAIN)


def split_words(text: str) -> list[str]:
    """Return the words of a text, in small letters and without accents.

    Examples
    --------
    >>> split_words("Jefe/a de Logística")
    ['jefe', 'a', 'de', 'logistica']
    """
    return _WORD.findall(strip_accents(text))
