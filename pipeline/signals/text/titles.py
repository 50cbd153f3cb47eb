"""What a job title tells: how high, and in which function, in English, Spanish and French.

Titles are read by words and phrases (`title_ranks`, `title_functions`); no kept library knows
three languages.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leadscore.pipeline.signals.text.title_functions import FUNCTION, WEAK_FUNCTION
from leadscore.pipeline.signals.text.title_ranks import RANKS, SENIORITY
from leadscore.pipeline.signals.text.words import split_words, strip_accents

_OTHER = "other"
_STOP = frozenset(
    "of the for in at de del la el lo los las des du d l le les un une en au aux and y e et a al "
    "s o ou or our con with para pour sur".split()
)
_INCLUSIVE = re.compile(
    r"(?<=[a-z]{3})(?:[./-](?:trice|rice|ice|euse|se|ere|ne|fe|te|ora|ra|a|e|es|as|os)\b"
    r"|\((?:a|e|ne|fe|trice|rice|euse|ra|te)\))"
)
_BYGONE = frozenset("former formerly ex exdirector exdirectora wife husband aspiring".split())
_FORMS_OF_ADDRESS = (["sr"], ["sra"], ["srta"], ["mr"], ["mrs"], ["ms"])
_BEFORE_EMPLOYER = ("at", "chez")
LISTS = {
    "title_words": {
        "seniority": SENIORITY, "function": FUNCTION, "weak": WEAK_FUNCTION,
        "stop": sorted(_STOP), "bygone": sorted(_BYGONE), "address": _FORMS_OF_ADDRESS,
    }
}  # fmt: skip
_DOTTED = re.compile(r"\b([a-z])\.(?=[a-z]\b)")
_RESEARCH = re.compile(r"\b(?:r ?[&+] ?d|i ?\+ ?d(?: ?\+ ?i)?)\b")
_EMPLOYER = re.compile(r"\s@.*")


class Title(NamedTuple):
    """What was read from a title; ``other`` where its words do not tell."""

    seniority: str
    function: str


class _Table(NamedTuple):
    """Phrases and what each means; where a phrase is read, its words are not read again."""

    meanings: Mapping[str, int]
    longest: Mapping[str, int]

    def find(self, words: list[str]) -> list[int]:
        """Return the meanings of the phrases in a title, from left to right."""
        meanings, found, place, end = self.meanings, [], 0, len(words)
        while place < end:
            word = words[place]
            place += 1
            if word in self.longest:
                for length in range(min(self.longest[word], end - place + 1), 1, -1):
                    phrase = " ".join(words[place - 1 : place - 1 + length])
                    if phrase in meanings:
                        word = phrase
                        place += length - 1
                        break
            if word in meanings:
                found.append(meanings[word])
        return found


def _make_table(groups: Iterable[str]) -> _Table:
    meanings: dict[str, int] = {}
    longest: dict[str, int] = {}
    for place, words in enumerate(groups):
        for word in words.split():
            parts = word.split("_")
            meanings.setdefault(" ".join(parts), place)
            if len(parts) > 1:
                longest[parts[0]] = max(len(parts), longest.get(parts[0], 0))
    return _Table(meanings, longest)


_RANKS = _make_table(SENIORITY.values())
_FUNCTIONS = _make_table(FUNCTION.values())
_WEAK = _make_table(WEAK_FUNCTION.values())
_LEVELS = [RANKS.get(rank, rank) for rank in SENIORITY]
_NAMED, _NAMED_WEAKLY = list(FUNCTION), list(WEAK_FUNCTION)


def read_title(title: str) -> Title:
    """Read a job title.

    Seniority is the highest rank that its words name, in the order of ``SENIORITY``: a student who
    assists is a student, the assistant to a director an assistant. Function is the first one named;
    founders and engineers have that of their word only if no other is named.

    Examples
    --------
    >>> read_title("VP Sales & Marketing")
    Title(seniority='director', function='sales')
    >>> read_title("Jefe/a de Compras")
    Title(seniority='manager', function='operations')
    """
    text = strip_accents(title.replace("·", "/").replace("•", "/"))
    if not text.replace(" ", "").isalnum():
        text = _write_out(text)
    words = split_words(text)
    for before_employer in _BEFORE_EMPLOYER:
        if before_employer in words:
            words = words[: words.index(before_employer)]
    words = [word for word in words if word not in _STOP]
    rank = min(_RANKS.find(words), default=None)
    seniority = _OTHER if rank is None else _LEVELS[rank]
    if words and (words[0] in _BYGONE or words in _FORMS_OF_ADDRESS):
        seniority = seniority if seniority == "not_working" else _OTHER
    return Title(seniority, _OTHER if seniority == "not_working" else _name_function(words))


def _write_out(text: str) -> str:
    """Drop inclusive endings, the dots of c.e.o. and the employer after an @; join R&D and I+D."""
    if "@" in text:
        text = _EMPLOYER.sub("", text)
    if "." in text or "/" in text or "(" in text or "-" in text:
        text = _DOTTED.sub(r"\1", _INCLUSIVE.sub("", text))
    if "&" in text or "+" in text:
        text = _RESEARCH.sub("research", text)
    return text


def _name_function(words: list[str]) -> str:
    named = _FUNCTIONS.find(words)
    if named:
        return _NAMED[named[0]]
    weak = min(_WEAK.find(words), default=None)
    return _OTHER if weak is None else _NAMED_WEAKLY[weak]
