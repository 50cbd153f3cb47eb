"""The one function for each signal that reads text, for a table's columns and for one request."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter, or_
from typing import Any

from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.kinds import (
    CompletenessSignal,
    MailCompanySignal,
    MarksSignal,
    OneTextSignal,
    PatternMismatchSignal,
    TextSignal,
)
from leadscore.pipeline.signals.text import mail, messages, titles
from leadscore.pipeline.signals.text.names import SpamMarks, read_marks
from leadscore.pipeline.signals.text.words import TextCache
from leadscore.pipeline.values.fields import Normalised

Profile = Mapping[str, Normalised]
TextReader = Callable[[Profile], Normalised]
"""From the normalised fields of a lead, a signal's inputs among them, to the signal's value."""

_TITLES = TextCache(titles.read_title)
_MARKS = TextCache(read_marks)
"""Titles and names come again; what was read of them is kept, and written nowhere."""

_OF_ONE: dict[str, Callable[[str], Normalised]] = {
    "title_seniority": lambda title: _TITLES[title].seniority,
    "title_function": lambda title: _TITLES[title].function,
    "mail_kind": mail.read_mail_kind,
    "message_length": messages.measure_length,
    "message_language": messages.guess_language,
}
_LISTS: dict[str, dict[str, Any]] = {
    "title_seniority": titles.LISTS,
    "title_function": titles.LISTS,
    "mail_kind": mail.LISTS,
    "mail_company": mail.LISTS,
    "message_language": messages.LISTS,
}


def make_text_reader(declared: TextSignal) -> TextReader:
    """Return the function from the inputs of a signal to its value.

    Missing inputs: completeness and answers off the form count them; all else is missing where
    every one of them is, and the fit of mail and company where either is.

    Parameters
    ----------
    declared : TextSignal

    Returns
    -------
    callable
        Takes the normalised fields by name; returns a level, a number, a flag (0 or 1), or None
        where missing. It raises nothing for any text.
    """
    match declared:
        case OneTextSignal():
            return _make_of_one(_OF_ONE[declared.kind], *declared.inputs)
        case MailCompanySignal():
            return _make_comparison(*declared.inputs)
        case MarksSignal():
            return _make_mark(SpamMarks._fields.index(declared.kind), declared.inputs)
        case CompletenessSignal():
            return _make_completeness(declared.inputs)
        case PatternMismatchSignal():
            expected = {name: re.compile(form) for name, form in declared.expected.items()}
            return lambda profile: count_mismatches(profile, expected)
        case _:
            raise TypeError(f"{type(declared).__name__} reads no text")


def _make_of_one(read: Callable[[str], Normalised], name: str) -> TextReader:
    def read_one(profile: Profile) -> Normalised:
        text = profile[name]
        return read(text) if isinstance(text, str) else None

    return read_one


def _make_comparison(mail_name: str, company_name: str) -> TextReader:
    def compare(profile: Profile) -> Normalised:
        address, company = profile[mail_name], profile[company_name]
        if not isinstance(address, str) or not isinstance(company, str):
            return None
        return mail.compare_mail_company(address, company)

    return compare


def _make_completeness(names: Sequence[str]) -> TextReader:
    if len(names) == 1:
        return lambda profile: measure_completeness([profile[names[0]]])
    pick = itemgetter(*names)
    return lambda profile: measure_completeness(pick(profile))


def _make_mark(place: int, names: Sequence[str]) -> TextReader:
    read = _make_marks_reader(names)

    def read_mark(profile: Profile) -> Normalised:
        marks = read(profile)
        return None if marks is None else float(marks[place])

    return read_mark


def _make_marks_reader(names: Sequence[str]) -> Callable[[Profile], SpamMarks | None]:
    """Return the function from some texts to the marks that any of them bears; None without any."""

    def read_all(profile: Profile) -> SpamMarks | None:
        found = None
        for name in names:
            text = profile[name]
            if isinstance(text, str):
                borne = _MARKS[text]
                if found is None:
                    found = borne
                elif True in borne:
                    found = SpamMarks(*map(or_, found, borne))
        return found

    return read_all


class TextReaders:
    """Read all text signals of a catalogue; each name is looked at once, however many marks count.

    Parameters
    ----------
    catalog : Catalog
    """

    def __init__(self, catalog: Catalog) -> None:
        self._single: list[tuple[str, TextReader]] = []
        marks: dict[tuple[str, ...], list[tuple[str, int]]] = {}
        for signal, declared in catalog.text_signals():
            if isinstance(declared, MarksSignal):
                place = SpamMarks._fields.index(declared.kind)
                marks.setdefault(declared.inputs, []).append((signal.column, place))
            else:
                self._single.append((signal.column, make_text_reader(declared)))
        self._marks = [(_make_marks_reader(names), columns) for names, columns in marks.items()]

    def fill(self, found: dict[str, Normalised], profile: Profile) -> None:
        """Put the signals, of which none is in `found` yet, in their columns.

        Parameters
        ----------
        found : dict of str to str, float or None
        profile : mapping of str to str, float or None
            The normalised fields, every input among them.
        """
        for column, read in self._single:
            found[column] = read(profile)
        for read_marks_of, columns in self._marks:
            marks = read_marks_of(profile)
            for column, place in columns:
                found[column] = None if marks is None else float(marks[place])


def digest_word_lists(kinds: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of every list of words that some kinds of signals read by, by name.

    A scorecard keeps them: with other lists the same text would be worth something else.
    """
    names = {name for kind in kinds for name in _LISTS.get(kind, ())}
    return {name: _digests()[name] for name in sorted(names)}


def find_other_lists(catalog: Catalog) -> list[str]:
    """Return the lists of words that are not those the catalogue was made with, by name."""
    today = digest_word_lists(declared.kind for _, declared in catalog.text_signals())
    return [name for name, digest in catalog.word_lists.items() if today.get(name) != digest]


@cache
def _digests() -> dict[str, str]:
    lists = {name: words for found in _LISTS.values() for name, words in found.items()}
    return {name: _digest(words) for name, words in lists.items()}


def _digest(words: Any) -> str:
    plain = words if isinstance(words, dict) else sorted(words)  # the order of groups tells
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def measure_completeness(answers: Sequence[Normalised]) -> float:
    """Return the share of answers that are there, 0 to 1.

    Examples
    --------
    >>> measure_completeness(["Ana", None, 12.0, None])
    0.5
    """
    return (len(answers) - answers.count(None)) / len(answers)


def count_mismatches(
    answers: Mapping[str, Normalised], expected: Mapping[str, re.Pattern[str]]
) -> float:
    """Return how many of the answers that are there do not match the whole of their pattern.

    Examples
    --------
    >>> count_mismatches({"phone": "call me", "zip": None}, {"phone": re.compile("[0-9 +]+")})
    1.0
    """
    off = 0.0
    for name, pattern in expected.items():
        answer = answers[name]
        if answer is not None and pattern.fullmatch(str(answer)) is None:
            off += 1.0
    return off
