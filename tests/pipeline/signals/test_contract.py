"""One contract for every kind of signal, and the places that a new kind must be written into."""

import json
import math
import re
from typing import Literal

import pytest
from support.histories import CATALOG, CHANGING, FIELDS, PROPERTIES, Change, Story, tables_of
from support.real_data import ROOT

from leadscore.pipeline.signals.catalog import FIELD_TYPE, Catalog, Signal, describe_signal
from leadscore.pipeline.signals.history.activities_sql import make_aggregate
from leadscore.pipeline.signals.history.reader import read_history
from leadscore.pipeline.signals.kinds import (
    DECLARATIONS,
    ActivityFilter,
    ActivitySignal,
    TextSignal,
)
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.measures import make_measure
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.signals.text.readers import make_text_reader
from leadscore.pipeline.values.times import DAY_US

EXAMPLES = {
    "category": {"field": "title"},
    "number": {"field": "employees"},
    "flag": {"field": "subscribed"},
    "lead_age": {},
    "count": {"activity": "visit", "window_days": 7},
    "active_days": {"window_days": 30},
    "decayed": {"activity": ["visit", "open"], "half_life_days": 7},
    "days_since": {"activity": "visit"},
    "rate": {"part": {"activity": "open"}, "whole": {"activity": "visit"}},
    "sum": {"property": "seconds"},
    "max": {"property": "seconds", "window_days": 30},
    "last": {"property": "seconds"},
    "first_touch": {"property": "page"},
    "last_touch": {},
    "title_seniority": {"field": "title"},
    "title_function": {"field": "title"},
    "mail_kind": {"field": "email"},
    "mail_company": {"field": "email", "company": "company"},
    "message_length": {"field": "message"},
    "message_language": {"field": "message"},
    "no_capitals": {"fields": ["title", "company"]},
    "keyboard_walk": {"fields": ["company"]},
    "gibberish": {"fields": ["company"]},
    "digits": {"fields": ["company"]},
    "completeness": {"fields": ["title", "company", "email"]},
    "pattern_mismatch": {"expected": {"company": "[A-Z].*"}},
}
"""The keys of one declaration of every kind, besides family and kind."""

EXPECTED = {
    "category": "CEO",
    "number": 12.0,
    "flag": 1.0,
    "lead_age": 10.0,
    "count": 1.0,
    "active_days": 3.0,
    "decayed": 0.5 ** (9 / 7) + 0.5 ** (2 / 7) + 0.5 ** (1 / 7),
    "days_since": 2.0,
    "rate": 0.5,
    "sum": 31.5,
    "max": 30.0,
    "last": 30.0,
    "first_touch": "a",
    "last_touch": "open",
    "title_seniority": "executive",
    "title_function": "management",
    "mail_kind": "business",
    "mail_company": "same",
    "message_length": 5.0,
    "message_language": "en",
    "no_capitals": 1.0,
    "keyboard_walk": 0.0,
    "gibberish": 0.0,
    "digits": 0.0,
    "completeness": 1.0,
    "pattern_mismatch": 1.0,
}
"""What each example is for the lead of `BUSY` ten days after its creation."""

NOTHING = {"count": 0.0, "active_days": 0.0, "decayed": 0.0, "sum": 0.0,
           "completeness": 0.0, "pattern_mismatch": 0.0}  # fmt: skip
"""What is known of a lead with a blank profile and no activities; every other kind is missing."""


def did(kind, day, **properties):
    facts = {"page": None, "seconds": None, **properties}
    return Activity(kind, day * DAY_US, day * DAY_US, f"{kind} {day}", facts)


BUSY = Story(
    0,
    {"title": "CEO", "employees": 12.0, "subscribed": 1.0, "company": "acme",
     "email": "ana@acme.es", "message": "hello"},
    [did("visit", 8, seconds=30.0), did("open", 9), did("visit", 1, page="a", seconds=1.5),
     did("visit", 1, page="a", seconds=1.5), did("click", 40)],
    [],
    [0, 10 * DAY_US],
)  # fmt: skip
CHANGED = Story(
    0, {**BUSY.profile, "title": None, "company": "Acme"}, [],
    [Change("title", 5 * DAY_US, "CEO", None), Change("company", 6 * DAY_US, "qwerty", "Acme")],
    [DAY_US, 5 * DAY_US, 7 * DAY_US],
)  # fmt: skip
BLANK = Story(0, dict.fromkeys(FIELDS), [], [], [3 * DAY_US])
PROFILE_AS_OF = {
    DAY_US: {"title": "CEO", "company": "qwerty"}, 5 * DAY_US: {"company": "qwerty"},
}  # fmt: skip


def make_catalog(kind):
    declaration = {"family": "web", "kind": kind, **EXAMPLES[kind]}
    return Catalog.model_validate(
        {
            "signals": [{"name": "example", "declaration": declaration}],
            "fields": FIELDS,
            "changing": CHANGING,
            "properties": PROPERTIES,
        }
    )


def read_both(kind):
    """Return what history and live read of every snapshot of the stories, as pairs."""
    catalog = make_catalog(kind)
    with tables_of([BUSY, CHANGED, BLANK], catalog=catalog) as (snapshots, history):
        by_history = read_history(catalog, snapshots, history)["web__example"].tolist()
    reader = LiveReader(catalog)
    by_live = []
    for story in (BUSY, CHANGED, BLANK):
        for as_of_us in story.as_of:
            changed = PROFILE_AS_OF.get(as_of_us, {}) if story is CHANGED else {}
            found = reader.read_signals(
                {**story.profile, **changed}, story.activities,
                as_of_us=as_of_us, created_us=story.created_us,
            )  # fmt: skip
            by_live.append(found["web__example"])
    return list(zip(map(to_none, by_history), by_live, strict=True))


def to_none(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def is_equal(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-9, abs=1e-12)
    return one == other


# The places that "add a kind of signal" must edit. A check takes the kind and the record of its
# declaration, and returns something if the kind is there; TypeError means that it is not.


def find_in_docs(kind, _):
    pages = sorted((ROOT / "docs").glob("*.md"))
    return any(re.search(rf"^\|.*`{kind}`|kinds.*`{kind}`", page.read_text("utf-8"), re.MULTILINE)
               for page in pages)  # fmt: skip


PLACES = {
    "pipeline/signals/kinds.py, DECLARATIONS: the record of the declaration":
        lambda kind, _: kind in DECLARATIONS,
    "pipeline/signals/kinds.py, TEXT_TYPE: what a kind that reads text yields":
        lambda kind, declared: not isinstance(declared, TextSignal) or kind in FIELD_TYPE,
    "pipeline/signals/history/activities_sql.py, make_aggregate: what the history reader computes "
    "(and reader.py, if it needs a new aggregate)":
        lambda _, declared: not isinstance(declared, ActivitySignal)
        or make_aggregate(declared),
    "pipeline/signals/live/measures.py, make_measure: what the live reader computes":
        lambda _, declared: not isinstance(declared, ActivitySignal)
        or make_measure(declared, list(range(len(declared.filters))), 0.0),
    "pipeline/signals/text/readers.py, make_text_reader: the function that reads the text":
        lambda _, declared: not isinstance(declared, TextSignal) or make_text_reader(declared),
    "pipeline/signals/catalog.py, describe_signal: the kind in words":
        lambda _, declared: describe_signal(Signal.model_construct(name="x", declaration=declared)),
    "tests/support/histories.py, _signals: the kind in the histories that both readers read":
        lambda kind, _: any(signal.declaration.kind == kind for signal in CATALOG.signals),
    "docs/data-team.md: the row of the kind in the table of kinds": find_in_docs,
    "tests/pipeline/signals/test_contract.py, EXAMPLES and EXPECTED: an example and its value":
        lambda kind, _: kind in EXAMPLES and kind in EXPECTED,
}  # fmt: skip


def find_missing_places(kind, declared):
    """Return the places that do not have a kind."""
    missing = []
    for place, check in PLACES.items():
        try:
            found = check(kind, declared)
        except (TypeError, KeyError):
            found = None
        if not found:
            missing.append(place)
    return missing


@pytest.mark.parametrize("kind", DECLARATIONS)
def test_every_kind_is_in_all_its_places(kind):
    assert kind in EXAMPLES, f"add an example of {kind} here, and edit:\n" + "\n".join(PLACES)
    declared = make_catalog(kind).signals[0].declaration
    missing = find_missing_places(kind, declared)
    assert not missing, f"{kind} is missing in:\n" + "\n".join(missing)


def test_a_new_kind_is_missing_in_every_place():
    class NewActivitySignal(ActivitySignal):
        kind: Literal["new_activity"]

        @property
        def filters(self):
            return (ActivityFilter(),)

    class NewTextSignal(TextSignal):
        kind: Literal["new_text"]

        @property
        def inputs(self):
            return ("title",)

    new = [NewActivitySignal(family="web", kind="new_activity"),
           NewTextSignal(family="web", kind="new_text")]  # fmt: skip
    missing = [find_missing_places(declared.kind, declared) for declared in new]
    assert set(missing[0]) | set(missing[1]) == set(PLACES)
    assert len(missing[0]) == 7
    assert len(missing[1]) == 7


@pytest.mark.parametrize("kind", DECLARATIONS)
def test_a_definition_comes_back_from_its_json(kind):
    catalog = make_catalog(kind)
    assert Catalog.model_validate(json.loads(json.dumps(catalog.to_definitions()))) == catalog


def test_every_kind_has_words_of_its_own():
    words = {kind: describe_signal(make_catalog(kind).signals[0]) for kind in DECLARATIONS}
    assert len(set(words.values())) == len(words)
    for kind, text in words.items():
        assert re.fullmatch(r"[a-z].{10,}[^.]", text), (kind, text)
        assert "None" not in text


@pytest.mark.parametrize("kind", DECLARATIONS)
def test_history_and_live_agree_and_missing_stays_missing(kind):
    pairs = read_both(kind)
    assert len(pairs) == 6
    is_category = make_catalog(kind).signals[0].is_category
    for by_history, by_live in pairs:
        assert is_equal(by_history, by_live), (kind, pairs)
        assert by_live is None or isinstance(by_live, str) == is_category, "Signal.is_category"
    assert is_equal(pairs[1][0], EXPECTED[kind])
    blank = pairs[-1][0]
    assert blank == (3.0 if kind == "lead_age" else NOTHING.get(kind))


@pytest.mark.parametrize("kind", DECLARATIONS)
def test_what_nobody_sent_is_missing(kind):
    """A lead without profile, activities and creation; a form that nobody filled in is known."""
    found = LiveReader(make_catalog(kind)).read_signals({}, None, as_of_us=0)
    assert found["web__example"] == (0.0 if kind in ("completeness", "pattern_mismatch") else None)
