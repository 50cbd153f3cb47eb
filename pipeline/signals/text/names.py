"""Find the marks of invented names: no capitals, keyboard walks, gibberish, digits.

Each mark is a signal and never a verdict: bell hooks wrote her name without capitals, and 3M has a
digit.
"""

import re
from typing import NamedTuple

from leadscore.pipeline.signals.text.words import TextCache, split_words

WALK_LENGTH = 5
"""Five neighbouring keys make a walk; four would find Liberty, Property and Doherty."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
_WALKS = frozenset(
    row[begin : begin + WALK_LENGTH]
    for letters in _ROWS
    for row in (letters, letters[::-1])
    for begin in range(len(row) - WALK_LENGTH + 1)
)
_PIVOTS = ("rt", "yu", "fg", "jk", "cv", "tr", "uy", "gf", "kj", "vc")
"""Every walk has one of these pairs, and few names have one."""
_CONSONANTS = re.compile("[bcdfghjklmnpqrstvxz]{5,}")  # w is a vowel in Welsh names, y in most
_MOST_CONSONANTS = 6
"""Six consonants in a row are a name, as in Goldschmidt."""
_MIDDLE_ROW = "sdfghjkl"
_DIGIT = re.compile(r"\d")


class SpamMarks(NamedTuple):
    """The marks of a name; each field is named as the kind of its signal."""

    no_capitals: bool
    keyboard_walk: bool
    gibberish: bool
    digits: bool


def read_marks(name: str) -> SpamMarks:
    """Find the marks of a name.

    >>> read_marks("qwerty 1")
    SpamMarks(no_capitals=True, keyboard_walk=True, gibberish=False, digits=True)
    """
    return SpamMarks(
        lacks_capitals(name), walks_keyboard(name), is_gibberish(name), has_digits(name)
    )


def lacks_capitals(name: str) -> bool:
    """Return whether a name has letters with case, and all of them are small.

    >>> lacks_capitals("juan garcía"), lacks_capitals("de la Cruz"), lacks_capitals("李明")
    (True, False, False)
    """
    return name.islower()


def walks_keyboard(text: str) -> bool:
    """Return whether a text has five neighbouring keys of a QWERTY or AZERTY row in a run.

    >>> walks_keyboard("Qwerty"), walks_keyboard("Doherty"), walks_keyboard("mlkjh")
    (True, False, True)
    """
    text = text.lower()
    if not any(map(text.__contains__, _PIVOTS)):
        return False
    ends = range(WALK_LENGTH, len(text) + 1)
    return not _WALKS.isdisjoint([text[end - WALK_LENGTH : end] for end in ends])


def is_gibberish(text: str) -> bool:
    """Return whether a text has a word that nobody could pronounce, or one that repeats itself.

    Such a word has seven consonants in a row; or five letters or more and no vowel; or four letters
    or more, of which at most a third are different; or six letters or more, all from the middle row
    of the keyboard, with one "a" at most. Only Latin letters count.

    >>> [is_gibberish(name) for name in ("sdfgsdfg", "Goldschmidt", "asdkjh", "Ng", "hahaha")]
    [True, False, True, False, True]
    """
    return any(map(_GIBBERISH.__getitem__, split_words(text)))


def _is_gibberish_word(word: str) -> bool:
    length = len(word)
    if length >= 4 and 3 * len(set(word)) <= length and word.isalpha():
        return True
    if length >= 6 and word.strip(_MIDDLE_ROW) in ("", "a"):
        return True
    runs = _CONSONANTS.findall(word)
    return any(len(run) > _MOST_CONSONANTS or run == word for run in runs)


_GIBBERISH = TextCache(_is_gibberish_word)
"""Many names share a word, so each word is read once."""


def has_digits(text: str) -> bool:
    """Return whether a text has a digit.

    >>> has_digits("R2 D2"), has_digits("Ana")
    (True, False)
    """
    return _DIGIT.search(text) is not None
