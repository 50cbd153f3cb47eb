"""Guess the language of a message."""

import re
from collections.abc import Mapping
from functools import cache

from leadscore.pipeline.signals.text.words import read_groups, split_words

_CHARACTERS_READ = 160
"""The language is guessed from the first 160 characters."""

_MIN_VOTES = 2
"""One word of three letters or more names a language, or two shorter ones."""

_LINK = re.compile(r"\S*(?:://|www\.|@)\S*")
_OTHER = "other"


def get_language_lists() -> dict[str, str]:
    """Return the commonest words of each language, which the digest in a scorecard is taken of."""
    return {name: " ".join(lines) for name, lines in read_groups("language_words").items()}


@cache
def _read_votes() -> tuple[tuple[str, ...], Mapping[str, int]]:
    """Return the languages, and the votes of each word: one byte per language.

    So one sum counts the votes for all languages at once.
    """
    lists = get_language_lists()
    votes: dict[str, int] = {}
    for place, words in enumerate(lists.values()):
        for word in set(words.split()):
            votes[word] = votes.get(word, 0) + ((1 if len(word) < 3 else 2) << 8 * place)
    return tuple(lists), votes


def guess_language(message: str) -> str:
    """Return ``en``, ``es``, ``fr``, ``pt``, ``de``, ``it``, or ``other`` if no language wins.

    The language wins whose commonest words occur most often. Words of one or two letters count
    half, links and addresses do not count (stop-word counting, as in G. Grefenstette, "Comparing
    two language identification schemes", JADT 1995).

    >>> guess_language("Quiero saber más sobre los precios"), guess_language("ok")
    ('es', 'other')
    """
    text = message[:_CHARACTERS_READ]
    if "://" in text or "www." in text or "@" in text:
        text = _LINK.sub(" ", text)
    languages, votes = _read_votes()
    total = sum(filter(None, map(votes.get, split_words(text))))
    counts = total.to_bytes(len(languages), "little")  # 160 characters give no language 256 votes
    most = max(counts)
    return (
        languages[counts.index(most)] if most >= _MIN_VOTES and counts.count(most) == 1 else _OTHER
    )
