"""The words of a text, without accents and capitals, and the lists that they compare with."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_FOLDER = Path(__file__).with_name("lists")
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


_NOT_DECOMPOSED = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
}  # fmt: skip
"""Letters with a Latin spelling that Unicode does not decompose."""

_LAST_KEPT = 0x2FFF
"""Letters of Chinese, Japanese and Korean follow: there are too many to keep each one."""


class _PlainLetters(dict[int, str]):
    """The Latin spelling of each letter, by its code; read once, on first use."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code)).lower()
        plain = "".join([part if part.isascii() else _spell(part) for part in parts])
        if code <= _LAST_KEPT:
            self[code] = plain
        return plain


def _spell(part: str) -> str:
    is_accent = "\u0300" <= part <= "\u036f"
    return "" if is_accent else _NOT_DECOMPOSED.get(part, " ")


_PLAIN_LETTERS = _PlainLetters()
_WORD = re.compile("[a-z0-9]+")


def strip_accents(text: str) -> str:
    """Return a text in small Latin letters without accents; other letters become spaces.

    >>> strip_accents("Señora ÉLODIE")
    'senora elodie'
    """
    text = text.casefold()
    return text if text.isascii() else text.translate(_PLAIN_LETTERS)


def split_words(text: str) -> list[str]:
    """Return the words of a text, in small letters and without accents.

    >>> split_words("Jefe/a de Logística")
    ['jefe', 'a', 'de', 'logistica']
    """
    return _WORD.findall(strip_accents(text))


@cache
def read_groups(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the lines of each group of a list, a file in the folder ``lists``, in its order.

    A line ``[name]`` begins a group, the lines below it hold the group's words, and lines that
    begin with ``#`` are comments.

    Raises ValueError if the file has words before its first group, or a group twice.
    """
    path = _FOLDER / f"{name}.txt"
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("["):
            if text in groups:
                raise ValueError(f"{path}:{number}: the group {text} stands here a second time")
            groups[text] = []
        elif not groups:
            raise ValueError(f"{path}:{number}: words without a group, found {text!r}")
        else:
            groups[[*groups][-1]].append(text)
    return {heading.strip("[]"): tuple(lines) for heading, lines in groups.items()}


def read_words(name: str, group: str) -> tuple[str, ...]:
    """Return the words of one group of a list, in the order of the file.

    >>> read_words("company_words", "no_company")[:2]
    ('autonomo', 'autonoma')
    """
    return tuple(" ".join(read_groups(name)[group]).split())
