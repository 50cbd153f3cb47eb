"""Marks of names nobody has: typed without capitals, along the keyboard, at random, with digits.

Each is a signal and never a verdict: bell hooks had no capitals, and 3M has a digit.
"""

import re
from typing import NamedTuple

from leadscore.pipeline.signals.text.words import TextCache, split_words

WALK_LENGTH = 5
"""So many neighbouring keys make a walk; four would hit Liberty, Property and Doherty."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
_WALKS = frozenset(
    row[begin : begin + WALK_LENGTH]
    for letters in _ROWS
    for row in (letters, letters[::-1])
    for begin in range(len(row) - WALK_LENGTH + 1)
)
_PIVOTS = ("rt", "yu", "fg", "jk", "cv", "tr", "uy", "gf", "kj", "vc")
"""Every walk has one of these pairs, and few names have any."""
_CONSONANTS = re.compile("[bcdfghjklmnpqrstvxz]{5,}")  # w is a vowel in Welsh names, y in most
_MOST_CONSONANTS = 6
"""In a row, as in Goldschmidt."""
_MIDDLE_ROW = "sdfghjkl"
_DIGIT = re.compile(r"\d")


class SpamMarks(NamedTuple):
    """The marks that a name bears, by the kind of the signal that tells of each."""

    no_capitals: bool
    keyboard_walk: bool
    gibberish: bool
    digits: bool


def read_marks(name: str) -> SpamMarks:
    """Look for every mark in a name.

    Examples
    --------
    >>> read_marks("qwerty 1")
    SpamMarks(no_capitals=True, keyboard_walk=True, gibberish=False, digits=True)
    """
    return SpamMarks(
        lacks_capitals(name), walks_keyboard(name), is_gibberish(name), has_digits(name)
    )


def lacks_capitals(name: str) -> bool:
    """Say whether a name has letters with case, and all of them are small.

    Examples
    --------
    >>> lacks_capitals("juan garcía"), lacks_capitals("de la Cruz"), lacks_capitals("李明")
    (True, False, False)
    """
    return name.islower()


def walks_keyboard(text: str) -> bool:
    """Say whether a text has five neighbouring keys of a row, QWERTY or AZERTY, in a run.

    Examples
    --------
    >>> walks_keyboard("Qwerty"), walks_keyboard("Doherty"), walks_keyboard("mlkjh")
    (True, False, True)
    """
    text = text.lower()
    if not any(map(text.__contains__, _PIVOTS)):
        return False
    ends = range(WALK_LENGTH, len(text) + 1)
    return not _WALKS.isdisjoint([text[end - WALK_LENGTH : end] for end in ends])


def is_gibberish(text: str) -> bool:
    """Say whether a text has a word that no mouth could say, or one that stutters.

    Those are seven consonants in a row; a word of five or more without a vowel; one of four or more
    made of a third as many different letters; one of six or more from the middle row of the
    keyboard with one vowel at most. Only Latin letters are judged.

    Examples
    --------
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
"""Words of names come again in other names."""


def has_digits(text: str) -> bool:
    """Say whether a text has a digit.

    Examples
    --------
    >>> has_digits("R2 D2"), has_digits("Ana")
    (True, False)
    """
    return _DIGIT.search(text) is not None
