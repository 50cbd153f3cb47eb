"""The short ways of the live reader measure what their definitions say."""

import random
from datetime import UTC, datetime, timedelta
from math import exp, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.decay import LIFT, UNITS, decay_rate
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.kinds import Condition
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.fields import FieldSpec
from leadscore.pipeline.values.times import DAY_US

AS_OF_US = (datetime(2026, 1, 31, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
    microseconds=1
)
PROPERTIES = {"page": FieldSpec(), "campaign": FieldSpec()}
FILTERS = [
    {"activity": "visit"},
    {"activity": ["visit", "open"]},
    {"activity": "visit", "where": {"page": "a"}},
    {"activity": "visit", "where": {"page": ["a", "b"]}},
    {"activity": ["visit", "open"], "where": {"page": "b"}},
    {"activity": "visit", "where": {"campaign": "a"}},
    {"activity": ["click", "visit"], "where": {"campaign": ["a", "b"]}},
    {"activity": "visit", "where": {"page": "a", "campaign": "b"}},
    {"where": {"page": "a"}},
    {},
]
MEASURES = {
    "count": {"kind": "count"},
    "week": {"kind": "count", "window_days": 7},
    "half": {"kind": "decayed", "half_life_days": 2},
    "linear": {"kind": "decayed", "linear_days": 9},
    "days": {"kind": "active_days", "window_days": 7},
    "since": {"kind": "days_since"},
}
DAYS = {"count": None, "week": 7.0, "days": 7.0}


def make_reader(filters):
    return LiveReader(
        Catalog.model_validate({
            "signals": [
                {"name": f"{name}_{i}", "declaration": {"family": "web", **measure, **filter_}}
                for i, filter_ in enumerate(filters)
                for name, measure in MEASURES.items()
            ],
            "properties": PROPERTIES,
        })
    )  # fmt: skip


def weigh(name, age_us):
    """One weight by its definition."""
    whole = exp(age_us * decay_rate(2.0)) if name == "half" else 1.0 - age_us / (9 * DAY_US)
    return max(0, floor(whole * UNITS + 0.5)) / UNITS


def measure_one_by_one(name, ages):
    """A signal by its definition, from the ages of the activities that pass its filter."""
    within = [age for age in ages if DAYS.get(name) is None or age < DAYS[name] * DAY_US]
    match name:
        case "count" | "week":
            return len(within)
        case "days":
            return len({(AS_OF_US - age) // DAY_US for age in within})
        case "since":
            return min(ages) / DAY_US if ages else None
        case _:
            return pytest.approx(sum(weigh(name, age) for age in ages), rel=0, abs=1e-10)


words = st.sampled_from(["a", "b", "c", None])
activities = st.lists(
    st.builds(
        lambda kind, age, page, campaign: Activity(
            kind, AS_OF_US - age, AS_OF_US - age, None, {"page": page, "campaign": campaign}
        ),
        st.sampled_from(["visit", "open", "click", "other"]),
        st.one_of(st.integers(0, 20 * DAY_US), st.integers(0, 20).map(lambda d: d * DAY_US)),
        words, words,
    ),
    max_size=12,
)  # fmt: skip


@given(st.permutations(FILTERS), activities)
def test_every_measure_is_of_the_activities_that_pass_its_filter(filters, known):
    found = make_reader(filters).read_signals({}, known, as_of_us=AS_OF_US)
    for place, declared in enumerate(filters):
        where = {n: Condition.model_validate(c) for n, c in declared.get("where", {}).items()}
        count = {"family": "web", "kind": "count", **declared}
        (filter_,) = (
            Catalog.model_validate(
                {"signals": [{"name": "n", "declaration": count}], "properties": PROPERTIES}
            )
            .signals[0]
            .declaration.filters
        )
        assert set(filter_.where) == set(where)
        passes = read_filter(filter_, PROPERTIES).passes
        ages = [AS_OF_US - a.occurred_us for a in known if passes(a.kind, a.properties)]
        for name in MEASURES:
            assert found[f"web__{name}_{place}"] == measure_one_by_one(name, ages), (name, declared)


READER = make_reader(FILTERS)


@given(st.floats(0.0, 1.0))
def test_a_weight_is_lifted_to_the_nearest_unit(weight):
    rounded = weight + LIFT - LIFT
    assert (rounded * UNITS).is_integer()
    assert abs(rounded - weight) <= 0.5 / UNITS


def test_many_weights_add_up_to_their_sum_by_the_definition_in_any_order():
    dice = random.Random(1)
    ages = [int(dice.expovariate(1 / DAY_US)) for _ in range(50_000)]  # their sum is beyond 8,192
    known = [Activity("click", AS_OF_US - age, AS_OF_US - age) for age in ages]
    column, reader = "web__half_0", make_reader([{"activity": "click"}])
    found = reader.read_signals({}, known, as_of_us=AS_OF_US)[column]
    assert found == pytest.approx(sum(weigh("half", age) for age in ages), rel=1e-9)
    dice.shuffle(known)
    assert reader.read_signals({}, known, as_of_us=AS_OF_US)[column] == found
