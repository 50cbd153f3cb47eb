"""Read the seniority and the function from a job title, in English, Spanish and French.

Titles are read by their words and phrases, which the lists ``title_*.txt`` hold. No maintained
library knows the titles of three languages.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from leadscore.pipeline.signals.text.words import (
    read_groups,
    read_words,
    split_words,
    strip_accents,
)

OTHER = "other"
RANKS = {"helper": "junior", "low": "junior", "assistant": "junior"}
"""The seniority of ranks that have a list of their own but no name of their own."""

_INCLUSIVE = re.compile(
    r"(?<=[a-z]{3})(?:[./-](?:trice|rice|ice|euse|se|ere|ne|fe|te|ora|ra|a|e|es|as|os)\b"
    r"|\((?:a|e|ne|fe|trice|rice|euse|ra|te)\))"
)
_BEFORE_EMPLOYER = ("at", "chez")
_DOTTED = re.compile(r"\b([a-z])\.(?=[a-z]\b)")
_RESEARCH = re.compile(r"\b(?:r ?[&+] ?d|i ?\+ ?d(?: ?\+ ?i)?)\b")
_EMPLOYER = re.compile(r"\s@.*")


class Title(NamedTuple):
    """What a title names; ``other`` if its words name nothing."""

    seniority: str
    function: str


class _Phrases(NamedTuple):
    """The phrases of a list, each with the number of its group, and the longest by first word."""

    groups: Mapping[str, int]
    longest: Mapping[str, int]

    def find(self, words: list[str]) -> list[int]:
        """Return the groups of the phrases in a title, from left to right.

        The words of a phrase that was found are not read again.
        """
        groups, found, place, end = self.groups, [], 0, len(words)
        while place < end:
            word = words[place]
            place += 1
            if word in self.longest:
                for length in range(min(self.longest[word], end - place + 1), 1, -1):
                    phrase = " ".join(words[place - 1 : place - 1 + length])
                    if phrase in groups:
                        word = phrase
                        place += length - 1
                        break
            if word in groups:
                found.append(groups[word])
        return found


class _TitleWords(NamedTuple):
    """What the lists hold, ready to read titles by."""

    ranks: _Phrases
    seniority: list[str]
    functions: _Phrases
    function_names: list[str]
    weak_functions: _Phrases
    weak_function_names: list[str]
    stop: frozenset[str]
    bygone: frozenset[str]
    address: list[list[str]]


def _read_weak_functions() -> dict[str, str]:
    """Return the list of weak functions; assistants count as administration."""
    groups = {name: _lay_out(lines) for name, lines in read_groups("title_weak_functions").items()}
    helpers = _lay_out(read_groups("title_seniority")["helper"])
    return {**groups, "administration": helpers + groups["administration"]}


def _lay_out(lines: tuple[str, ...]) -> str:
    """Return the lines of a group as one text, in the layout that digests are taken of."""
    return lines[0] if len(lines) == 1 else "\n" + "".join(f"        {x}\n" for x in lines) + "    "


def get_title_lists() -> dict[str, Any]:
    """Return the lists as plain data, which the digest in a scorecard is taken of."""
    return {
        "seniority": {k: _lay_out(lines) for k, lines in read_groups("title_seniority").items()},
        "function": {k: _lay_out(lines) for k, lines in read_groups("title_functions").items()},
        "weak": _read_weak_functions(),
        "stop": sorted(read_words("title_little_words", "stop")),
        "bygone": sorted(read_words("title_little_words", "bygone")),
        "address": [[word] for word in read_words("title_little_words", "address")],
    }


@cache
def _read_title_words() -> _TitleWords:
    lists = get_title_lists()
    ranks, functions, weak = lists["seniority"], lists["function"], lists["weak"]
    return _TitleWords(
        ranks=_index_phrases(ranks), seniority=[RANKS.get(rank, rank) for rank in ranks],
        functions=_index_phrases(functions), function_names=list(functions),
        weak_functions=_index_phrases(weak), weak_function_names=list(weak),
        stop=frozenset(lists["stop"]), bygone=frozenset(lists["bygone"]), address=lists["address"],
    )  # fmt: skip


def _index_phrases(groups: Mapping[str, str]) -> _Phrases:
    numbers: dict[str, int] = {}
    longest: dict[str, int] = {}
    for number, text in enumerate(groups.values()):
        for phrase in text.split():
            parts = phrase.split("_")
            numbers.setdefault(" ".join(parts), number)
            if len(parts) > 1:
                longest[parts[0]] = max(len(parts), longest.get(parts[0], 0))
    return _Phrases(numbers, longest)


def read_title(title: str) -> Title:
    """Read a job title.

    The seniority is the first rank of ``title_seniority.txt`` that a word or phrase of the title
    names: a student who assists is a student, the assistant to a director is an assistant. The
    function is the first one that the title names. Founders and engineers have the function of
    their word only if the title names no other.

    >>> read_title("VP Sales & Marketing")
    Title(seniority='director', function='sales')
    >>> read_title("Jefe/a de Compras")
    Title(seniority='manager', function='operations')
    """
    known = _read_title_words()
    text = strip_accents(title.replace("·", "/").replace("•", "/"))
    if not text.replace(" ", "").isalnum():
        text = _write_out(text)
    words = split_words(text)
    for before_employer in _BEFORE_EMPLOYER:
        if before_employer in words:
            words = words[: words.index(before_employer)]
    words = [word for word in words if word not in known.stop]
    rank = min(known.ranks.find(words), default=None)
    seniority = OTHER if rank is None else known.seniority[rank]
    if words and (words[0] in known.bygone or words in known.address):
        seniority = seniority if seniority == "not_working" else OTHER
    return Title(seniority, OTHER if seniority == "not_working" else _find_function(words, known))


def _write_out(text: str) -> str:
    """Drop inclusive endings, the dots of c.e.o. and the employer after an @; join R&D and I+D."""
    if "@" in text:
        text = _EMPLOYER.sub("", text)
    if "." in text or "/" in text or "(" in text or "-" in text:
        text = _DOTTED.sub(r"\1", _INCLUSIVE.sub("", text))
    if "&" in text or "+" in text:
        text = _RESEARCH.sub("research", text)
    return text


def _find_function(words: list[str], known: _TitleWords) -> str:
    named = known.functions.find(words)
    if named:
        return known.function_names[named[0]]
    weak = min(known.weak_functions.find(words), default=None)
    return OTHER if weak is None else known.weak_function_names[weak]
