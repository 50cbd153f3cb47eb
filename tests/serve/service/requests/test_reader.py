"""The activities of a request, read together, are those read one by one."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.kinds import CountSignal, PropertySignal
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.values.fields import FieldSpec, make_normaliser
from leadscore.serve.service.control.openapi import make_example
from leadscore.serve.service.requests.decode import ActivityBody, decode_lead
from leadscore.serve.service.requests.reader import RequestReader, read_time
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
READ = {"visit", "order", "robot"}
NORMALISERS = {name: make_normaliser(spec) for name, spec in PROPERTIES.items()}
normalise = make_normaliser(FieldSpec())
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


def read_alone(activity):
    """Return an activity as files are read, without properties that no signal reads."""
    occurred_us = read_time(activity.occurred_at)
    recorded = activity.recorded_at
    properties = activity.properties or {}
    if type(properties.get("page")) not in (str, type(None)):
        raise ValueError("page")
    if type(properties.get("value")) in (str, bool):
        raise ValueError("value")
    kind = normalise(activity.kind)
    if kind is None:
        raise ValueError("kind")
    return Activity(
        kind,
        occurred_us,
        occurred_us if recorded is None else read_time(recorded),
        normalise(activity.activity_id),
        {name: NORMALISERS[name](properties[name]) for name in PROPERTIES if name in properties},
    )


def read_only(columns):
    """Return activities without the properties that no signal reads."""
    return [
        one._replace(properties={k: one.properties[k] for k in PROPERTIES if k in one.properties})
        for one in columns.rows()
    ]


@given(bodies)
def test_activities_read_together_are_those_read_one_by_one(activities):
    reader = RequestReader(CATALOG)
    good, wrong = [], []
    for place, activity in enumerate(activities):
        try:
            good.append(read_alone(activity))
        except ValueError:
            wrong.append(place)
    for _ in range(2):  # the second time from what the first has remembered
        unused: dict = {}
        found, faults = reader.read_activities(activities, unused)
        assert {int(fault.pointer.split("/")[2]) for fault in faults} == set(wrong)
        if not wrong:
            assert read_only(found) == good
            assert repr(read_only(found)) == repr(good)
            kinds = {one.kind for one in good}
            assert {name for code, name in unused if code == "unread_kind"} == kinds - READ
            names = {name for one in activities for name in one.properties or ()}
            assert {n for code, n in unused if code == "unread_property"} == names - {*PROPERTIES}


@pytest.mark.parametrize("value", [1, 1.0, True])
def test_a_flag_is_no_number_however_often_the_number_was_sent(value):
    reader = RequestReader(CATALOG)
    for other in (1, 1.0, 2.5):
        sent = [
            ActivityBody("order", "2026-01-20T10:00:00Z", properties={"value": v})
            for v in (other, value)
        ]
        _, faults = reader.read_activities(sent, {})
        assert [f.pointer for f in faults] == ["/activities/1/properties/value"] * (value is True)


def test_the_example_of_the_documentation_is_read_to_the_last_word(registered):
    card = registered.training.scorecard
    model = build_served_model(card.to_json(), VersionNote("demo.predictive", 1))
    lead = decode_lead(msgspec.json.encode(make_example(model)))
    now_us = read_time("2026-02-01T00:00:00Z")
    assert score_lead(model, lead, now_us, strict=True).warnings == []
