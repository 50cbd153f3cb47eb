"""What a signal says, in words: each kind, each filter, each window."""

import pytest

from leadscore.pipeline.signals.catalog import Signal, describe_signal
from leadscore.pipeline.signals.kinds import DECLARATIONS

WORDS = [
    ({"kind": "category"}, "the category in the profile's it"),
    ({"kind": "number", "field": "size"}, "the number in the profile's size"),
    ({"kind": "flag"}, "the flag in the profile's it"),
    ({"kind": "lead_age"}, "days since the lead was created"),
    ({"kind": "title_seniority", "field": "job"}, "the seniority of the job title in job"),
    ({"kind": "title_function", "field": "job"}, "the function that the job title in job names"),
    ({"kind": "mail_kind", "field": "mail"},
     "whether the address in mail is a business, free, disposable or role address"),
    ({"kind": "mail_company", "field": "mail", "company": "firm"},
     "how the address in mail fits the company in firm"),
    ({"kind": "message_length", "field": "text"}, "the number of characters in text"),
    ({"kind": "message_language", "field": "text"}, "the language of text"),
    ({"kind": "no_capitals", "fields": ["first", "last"]},
     "whether first or last was typed without capitals"),
    ({"kind": "keyboard_walk", "fields": "name"},
     "whether name has five neighbouring keys in a row"),
    ({"kind": "gibberish", "fields": "name"},
     "whether name has a word that cannot be pronounced"),
    ({"kind": "digits", "fields": ["first", "last", "firm"]},
     "whether first or last or firm has a digit"),
    ({"kind": "completeness", "fields": ["job", "phone"]}, "the share filled in of job, phone"),
    ({"kind": "pattern_mismatch", "expected": {"phone": "[0-9]+", "zip": "[0-9]{5}"}},
     "how many answers in phone, zip do not have the expected form"),
    ({"kind": "count"}, "how many activities"),
    ({"kind": "count", "activity": ["open", "click"], "window_days": 7},
     "how many open or click in the last 7 days"),
    ({"kind": "count", "activity": "open", "window_days": 1}, "how many open in the last day"),
    ({"kind": "count", "activity": "open", "window_days": 0.5},
     "how many open in the last 0.5 days"),
    ({"kind": "active_days", "activity": "visit"}, "on how many days visit"),
    ({"kind": "active_days", "window_days": 30}, "on how many days activities in the last 30 days"),
    ({"kind": "decayed", "activity": "visit", "half_life_days": 7},
     "how many visit, each counting half as much after every 7 days"),
    ({"kind": "decayed", "half_life_days": 1},
     "how many activities, each counting half as much after every day"),
    ({"kind": "decayed", "activity": "visit", "linear_days": 30},
     "how many visit, each counting less until nothing after 30 days"),
    ({"kind": "days_since", "activity": "visit"}, "days since the last visit"),
    ({"kind": "rate", "part": {"activity": "click"}, "whole": {"activity": "sent"},
      "window_days": 90}, "share of click per sent in the last 90 days"),
    ({"kind": "rate", "part": {"where": {"page": "/pricing"}}, "whole": {}},
     "share of activities with page /pricing per activities"),
    ({"kind": "sum", "property": "seconds", "activity": "visit", "window_days": 7},
     "sum of seconds of visit in the last 7 days"),
    ({"kind": "max", "property": "seconds"}, "largest seconds of activities"),
    ({"kind": "last", "property": "seconds", "activity": "visit"},
     "last known seconds of visit"),
    ({"kind": "first_touch"}, "first kind of activities"),
    ({"kind": "last_touch", "activity": "visit", "window_days": 7},
     "last kind of visit in the last 7 days"),
    ({"kind": "first_touch", "property": "page"}, "first known page of activities"),
    ({"kind": "last_touch", "property": "page", "activity": "visit"}, "last known page of visit"),
]  # fmt: skip
CONDITIONS = [
    ({"page": "/pricing"}, "page /pricing"),
    ({"page": ["/pricing", "/demo"]}, "page /pricing or /demo"),
    ({"seconds": {"min": 30}}, "seconds from 30"),
    ({"seconds": {"max": 1.5}}, "seconds up to 1.5"),
    ({"seconds": {"min": 30, "max": 60}}, "seconds from 30 up to 60"),
    ({"page": "/a", "seconds": {"min": 0}}, "page /a and seconds from 0"),
]


def describe(**declared):
    declaration = {"family": "web", **declared}
    return describe_signal(Signal.model_validate(
        {"name": "it", "declaration": declaration}
    ))  # fmt: skip


@pytest.mark.parametrize(("declared", "words"), WORDS)
def test_a_signal_is_told_in_words(declared, words):
    assert describe(**declared) == words


def test_every_kind_of_signal_has_its_words_here():
    assert {declared["kind"] for declared, _ in WORDS} == set(DECLARATIONS)


@pytest.mark.parametrize(("where", "words"), CONDITIONS)
def test_a_condition_is_told_in_words(where, words):
    assert describe(kind="count", activity="visit", where=where) == f"how many visit with {words}"
    assert (
        describe(kind="days_since", where=where) == f"days since the last activities with {words}"
    )


def test_large_limits_are_told_to_the_digit():
    words = describe(kind="count", where={"amount": {"min": 1_234_567}})
    assert words == "how many activities with amount from 1234567"


def test_a_whole_number_is_told_as_it_is_written():
    assert describe(kind="count", where={"stars": 5}) == "how many activities with stars 5"
