"""The quick ways of reading a request say what the definitions say."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.kinds import CountSignal, PropertySignal
from leadscore.pipeline.values.fields import FieldSpec, make_normaliser, make_quick_normaliser
from leadscore.pipeline.values.times import TimeSpec, make_time_reader
from leadscore.serve.service.control.openapi import make_example
from leadscore.serve.service.requests.decode import _LEAD, ActivityBody, UsualActivity, decode_lead
from leadscore.serve.service.requests.reader import RequestReader
from leadscore.serve.service.requests.times import TimeReader, read_times
from leadscore.serve.service.scorecards.served import VersionNote, build_served_model
from leadscore.serve.service.scoring.score import score_lead

PROPERTIES = {"page": FieldSpec(missing=("none",)), "value": FieldSpec(type="number")}
CATALOG = Catalog(
    signals=(
        Signal(
            name="pricing",
            declaration=CountSignal(
                family="web", kind="count", activity="visit", where={"page": "pricing"}
            ),
        ),
        Signal(
            name="spent",
            declaration=PropertySignal(
                family="web", kind="sum", activity="order", property="value"
            ),
        ),
    ),
    properties=PROPERTIES,
    excluded_kinds=("robot",),
)
DEFINE = make_time_reader(TimeSpec(column="time"))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(["Z", "+00:00", "+05:30", "-08:00", "z", ""])
fractions = st.sampled_from(["", ".5", ".123", ".123456", ".1234567", ".000", ",5"])


@st.composite
def times(draw):
    """Times as callers write them, good ones mostly."""
    moment = draw(moments).replace(microsecond=0, tzinfo=None)
    mark = draw(st.sampled_from(["T", " ", "t"]))
    text = f"{moment:%Y-%m-%d}".zfill(10) + mark + f"{moment:%H:%M:%S}"
    return text + draw(fractions) + draw(zones)


def read_or_none(read, text):
    try:
        return read(text)
    except ValueError:
        return None


def outcome(read, text):
    try:
        return read(text)
    except ValueError as error:
        return str(error)


@given(st.lists(st.one_of(times(), st.text(max_size=30)), max_size=5))
def test_times_are_those_of_a_file_by_either_way(texts):
    reader = TimeReader()
    expected = [read_or_none(lambda t: DEFINE(t.upper()), text) for text in texts]
    for _ in range(2):  # the second time from what the first has left behind
        found = [read_or_none(reader.read, text) for text in texts]
        assert found == expected
    together = read_times(texts)
    assert together is None or together == expected


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
             "2106-02-07T06:28:16Z", "2106-02-07T06:28:15Z", "2026-01-01T00:00:00+05:30:15"],
)  # fmt: skip
@pytest.mark.parametrize("count", [1, 15, 16, 70_000])
def test_times_on_every_edge_are_read_together_as_one_by_one(text, count):
    together = read_times([text] * count)
    assert together is None or together == [TimeReader().read(text)] * count


def test_a_time_is_refused_without_being_quoted():
    for text in ("2026-01-31T09:30:00", "yesterday", "", "2026-13-31T09:30:00Z", "9" * 100):
        with pytest.raises(ValueError, match="time") as error:
            TimeReader().read(text)
        assert not text or text not in str(error.value)


@given(
    st.one_of(
        st.text(), st.sampled_from(["a", " a ", "Select", "\t", "é", "a\0", "x" * 10_001, None]),
        st.booleans(), st.floats(), st.integers(), st.just(10**400),
        st.sampled_from([0, -0.0, 7, 7.0, 1e300, -1e301]),
    ),
    st.sampled_from(["text", "number", "flag"]),
    st.sampled_from([("Select", "é"), ("Select", "7"), ()]),
)  # fmt: skip
def test_plain_values_are_normalised_as_any_value(value, kind, missing):
    spec = FieldSpec(type=kind, missing=missing)
    quick, slow = make_quick_normaliser(spec), make_normaliser(spec)
    assert repr(outcome(quick, value)) == repr(outcome(slow, value))


ids = st.sampled_from(["a1", "b-2", " c", "", "é", "x" * 10_001])
words = st.sampled_from(["visit", "order", "robot", "other", " visit ", "", "visite\u0301", "a b"])
values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["pricing", " pricing", "none", "", "home", "x\0"]),
)  # fmt: skip
bodies = st.lists(
    st.builds(
        ActivityBody,
        kind=words,
        occurred_at=times(),
        recorded_at=st.one_of(st.none(), st.just(""), times()),
        activity_id=st.one_of(
            st.none(), st.sampled_from(["a1", "b-2", " c", "", "é", "x" * 10_001])
        ),
        properties=st.one_of(
            st.none(), st.dictionaries(st.sampled_from(["page", "value", "other"]), values)
        ),
    ),
    max_size=4,
)


def read_only(columns):
    """Return activities without the properties that no signal reads."""
    return [
        one._replace(properties={k: v for k, v in one.properties.items() if k in PROPERTIES})
        for one in columns.rows()
    ]


@given(bodies)
def test_activities_are_read_alike_by_columns_and_one_by_one(activities):
    one_by_one: dict = {}
    expected, faults = RequestReader(CATALOG)._read_each(activities, one_by_one)
    vocabulary = RequestReader(CATALOG)
    for _ in range(2):  # the second time by columns, where they are plain
        unread: dict = {}
        found, told = vocabulary.read_activities(activities, unread)
        assert (read_only(found), found.latest_us) == (read_only(expected), expected.latest_us)
        assert (told, unread) == (faults, one_by_one)


@st.composite
def written(draw):
    """Activities as JSON, most of them as most are written, some in escapes."""
    listed = [
        {
            "kind": draw(words), "occurred_at": draw(times()),
            **draw(st.sampled_from([{}, {}, {"activity_id": "a1"}, {"activity_id": " c"}])),
            **draw(st.sampled_from([{}, {}, {}, {"recorded_at": "2026-01-31T09:30:00Z"}])),
            **draw(st.sampled_from([{}, {}, {"properties": {"page": "pricing", "other": "é"}}])),
        }
        for _ in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    text = json.dumps({"lead_id": "L-1", "activities": listed}, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text.replace(".", "\\u002e")
    return text.encode()


@given(written())
def test_times_read_while_decoding_are_those_of_a_file(text):
    unread: dict = {}
    expected, faults = RequestReader(CATALOG)._read_each(_LEAD.decode(text).activities, unread)
    vocabulary = RequestReader(CATALOG)
    for _ in range(2):  # the second time by columns, where they are plain
        again: dict = {}
        found, told = vocabulary.read_activities(decode_lead(text).activities, again)
        assert (told, again) == (faults, unread)
        assert (read_only(found), found.latest_us) == (read_only(expected), expected.latest_us)


USUAL = "2026-01-31T09:30:00"


@pytest.mark.parametrize(
    ("written_at", "usual"),
    [(USUAL + "Z", True), (USUAL + ".123Z", True), (USUAL + ".123456+05:30", True),
     (USUAL + ".1234567Z", False), (USUAL + ".9999999Z", False), (USUAL, False),
     ("2026-01-31T09:30Z", False)],
)  # fmt: skip
def test_a_time_is_read_while_decoding_if_that_loses_nothing(written_at, usual):
    lead = {"lead_id": "1.5", "activities": [{"kind": "visit", "occurred_at": written_at}]}
    (body,) = decode_lead(json.dumps(lead).encode()).activities
    assert isinstance(body, UsualActivity) is usual
    disguised = json.dumps(lead).replace(".", "\\u002e").encode()
    (body,) = decode_lead(disguised).activities
    assert isinstance(body, ActivityBody)
    if written_at != USUAL:
        found, faults = RequestReader(CATALOG).read_activities([body], {})
        assert (found.latest_us, faults) == (DEFINE(written_at), [])


def test_plain_activities_are_read_by_columns():
    plain = [
        ActivityBody("visit", "2026-01-20T10:00:00Z", None, f"a-{i}", {"page": "pricing"})
        for i in range(5)
    ]
    vocabulary = RequestReader(CATALOG)
    assert vocabulary._read_plain(plain, {}) is None  # nothing was met before
    vocabulary.read_activities(plain, {})
    found = vocabulary._read_plain(plain, {})
    assert found is not None
    assert found.rows()[0].occurred_us == DEFINE("2026-01-20T10:00:00Z")
    assert found.rows()[0].properties == {"page": "pricing"}


@pytest.mark.parametrize("name", [" c", "c ", "a c", "\x1cc", "", "é", "x" * 10_001])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_id_that_is_not_as_it_is_written_is_read_one_by_one(name, place):
    vocabulary = RequestReader(CATALOG)
    bodies = [ActivityBody("visit", "2026-01-20T10:00:00Z", None, f"a-{i}") for i in range(3)]
    vocabulary.read_activities(bodies, {})
    assert vocabulary._read_plain(bodies, {}) is not None
    bodies[place].activity_id = name
    assert vocabulary._read_plain(bodies, {}) is None


def test_the_example_of_the_documentation_is_read_to_the_last_word(registered):
    card = registered.training.scorecard
    model = build_served_model(card.to_json(), VersionNote("demo.predictive", 1))
    from msgspec.json import encode

    lead = decode_lead(encode(make_example(model)))
    now_us = DEFINE((datetime(2026, 2, 1, tzinfo=UTC) + timedelta(0)).isoformat())
    assert score_lead(model, lead, now_us, strict=True).warnings == []
