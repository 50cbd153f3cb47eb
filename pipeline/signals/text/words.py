"""Write texts without accents and capitals, so that they compare with the lists of words."""

import codecs
import unicodedata
from collections.abc import Callable
from typing import TypeVar

_WHOLE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
"""Letters that Unicode does not decompose."""

T = TypeVar("T")
_MAX_CHARACTERS = 100
_MAX_TEXTS = 65_536


class TextCache(dict[str, T]):
    """The results of a function by its text: ``cache[text]`` reads each text once.

    A text of more than 100 characters is read each time. At 65,536 texts the cache is emptied. So
    no request can fill the memory. What the function raises is raised.
    """

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> T:
        value = self._read(text)
        if len(text) <= _MAX_CHARACTERS:
            if len(self) >= _MAX_TEXTS:
                self.clear()
            self[text] = value
        return value


def strip_accents(text: str) -> str:
    """Return a text in small Latin letters without accents; other letters become spaces.

    Examples
    --------
    >>> strip_accents("Señora ÉLODIE")
    'senora elodie'
    """
    text = text.casefold()
    return text if text.isascii() else _encode_plainly(text).decode("ascii")


def split_words(text: str) -> list[str]:
    """Return the words of a text, in small letters and without accents.

    Examples
    --------
    >>> split_words("Jefe/a de Logística")
    ['jefe', 'a', 'de', 'logistica']
    """
    text = text.casefold()
    plain = text.encode("ascii") if text.isascii() else _encode_plainly(text)
    return plain.translate(_WORDS_ONLY).decode("ascii").split()


def _encode_plainly(text: str) -> bytes:
    for letter, plain in _LONGER.items():
        text = text.replace(letter, plain)
    return text.encode("latin-1", _IN_PLAIN).translate(_ONE_BY_ONE)


def _write_plain(letters: str) -> str:
    parts = unicodedata.normalize("NFKD", letters).lower()
    return "".join([part if part.isascii() else _spell(part) for part in parts])


def _spell(part: str) -> str:
    return "" if "\u0300" <= part <= "\u036f" else _WHOLE.get(part, " ")  # accents standing alone


_PLAIN = TextCache(_write_plain)
_LATIN_1 = {chr(code): _write_plain(chr(code)) for code in range(256)}
_LONGER = {letter: plain for letter, plain in _LATIN_1.items() if len(plain) > 1}
_ONE_BY_ONE = bytes(ord(plain) if len(plain) == 1 else 0 for plain in _LATIN_1.values())
_WORDS_ONLY = bytes(code if bytes([code]).isalnum() else ord(" ") for code in range(256))
_IN_PLAIN = "leadscore.in_plain"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _PLAIN[error.object[error.start : error.end]], error.end


codecs.register_error(_IN_PLAIN, _replace)  # for letters that are not in Latin-1
