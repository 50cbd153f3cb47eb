"""One function for each signal that reads text, for the columns of a table and for one request."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
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
"""From the normalised fields of a lead, with the inputs of a signal, to the value of the signal."""

_TITLES = TextCache(titles.read_title)
_MARKS = TextCache(read_marks)
"""Many leads share a title or a name. What was read is kept in memory only."""

_ONE_TEXT: dict[str, Callable[[str], Normalised]] = {
    "title_seniority": lambda title: _TITLES[title].seniority,
    "title_function": lambda title: _TITLES[title].function,
    "mail_kind": mail.read_mail_kind,
    "message_length": lambda message: float(len(message)),
    "message_language": messages.guess_language,
}
_LISTS_READ = {
    "title_seniority": ("title_words",),
    "title_function": ("title_words",),
    "mail_kind": ("company_words", "disposable_mail", "free_mail", "mail_roles"),
    "mail_company": ("company_words", "disposable_mail", "free_mail", "mail_roles"),
    "message_language": ("language_words",),
}
"""The names of the lists of words that a kind of signal reads texts by."""


def make_text_reader(declared: TextSignal) -> TextReader:
    """Return the function from the inputs of a signal to its value.

    The function takes the normalised fields by name. It returns a level, a number, a flag (0 or 1),
    or None if the signal is missing, and it raises for no text. Completeness and answers off the
    form count missing inputs. The fit of mail and company is missing if one input is, every other
    signal if all inputs are.
    """
    match declared:
        case OneTextSignal():
            return _make_one_text(_ONE_TEXT[declared.kind], *declared.inputs)
        case MailCompanySignal():
            return _make_comparison(*declared.inputs)
        case MarksSignal():
            return _make_mark(SpamMarks._fields.index(declared.kind), declared.inputs)
        case CompletenessSignal():
            names = declared.inputs
            return lambda profile: measure_completeness([profile[name] for name in names])
        case PatternMismatchSignal():
            expected = {name: re.compile(form) for name, form in declared.expected.items()}
            return lambda profile: count_mismatches(profile, expected)
        case _:
            raise TypeError(f"{type(declared).__name__} reads no text")


def _make_one_text(read: Callable[[str], Normalised], name: str) -> TextReader:
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


def _make_mark(place: int, names: Sequence[str]) -> TextReader:
    """Return the function that looks for one mark in some texts; None if all are missing."""

    def read_mark(profile: Profile) -> Normalised:
        found = None
        for name in names:
            text = profile[name]
            if isinstance(text, str):
                if _MARKS[text][place]:
                    return 1.0
                found = 0.0
        return found

    return read_mark


def digest_word_lists(kinds: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of every list of words that some kinds of signals read by, by name.

    A scorecard keeps them: with other lists the same text would get another value.
    """
    names = {name for kind in kinds for name in _LISTS_READ.get(kind, ())}
    return {name: _digests()[name] for name in sorted(names)}


def find_other_lists(catalog: Catalog) -> list[str]:
    """Return the names of the lists that have changed since the catalogue was made."""
    today = digest_word_lists(declared.kind for _, declared in catalog.text_signals())
    return [name for name, digest in catalog.word_lists.items() if today.get(name) != digest]


@cache
def _digests() -> dict[str, str]:
    lists = {
        "title_words": titles.get_title_lists(),
        "language_words": messages.get_language_lists(),
        **mail.get_mail_lists(),
    }
    return {name: digest_list(words) for name, words in lists.items()}


def digest_list(words: Any) -> str:
    """Return the SHA-256 of a list of words; the order of its groups and words counts."""
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def measure_completeness(answers: Sequence[Normalised]) -> float:
    """Return the share of answers that are filled in, 0 to 1.

    >>> measure_completeness(["Ana", None, 12.0, None])
    0.5
    """
    return (len(answers) - answers.count(None)) / len(answers)


def count_mismatches(
    answers: Mapping[str, Normalised], expected: Mapping[str, re.Pattern[str]]
) -> float:
    """Return how many of the answers that are filled in do not match their whole pattern.

    >>> count_mismatches({"phone": "call me", "zip": None}, {"phone": re.compile("[0-9 +]+")})
    1.0
    """
    off = 0.0
    for name, pattern in expected.items():
        answer = answers[name]
        if answer is not None and pattern.fullmatch(str(answer)) is None:
            off += 1.0
    return off
