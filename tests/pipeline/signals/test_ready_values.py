"""Values that come ready stand in place of what the live reader would compute, or are refused."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import CATALOG

from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader, ReadyConflict
from leadscore.pipeline.values.times import DAY_US

READER = LiveReader(CATALOG)
AS_OF = 100 * DAY_US
OLD_VISIT = Activity("visit", 0, 0, None, {"page": "a"})
PROFILE = {"title": "CEO", "employees": "7", "company": "Acme"}


def read(ready, activities=None, reader=READER):
    return reader.read_signals(PROFILE, activities, as_of_us=AS_OF, created_us=0, ready=ready)


@pytest.mark.parametrize("activities", [None, [], [Activity("open", 0, 0)]])
def test_a_ready_value_stands_where_no_activity_feeds_its_signal(activities):
    plain = read(None, activities)
    ready = {"web__visits": 3.0, "web__title": "CTO", "web__age": None, "web__last_page": "/x"}
    if activities:
        del ready["web__last_page"]
    assert read(ready, activities) == plain | ready
    assert list(read(ready, activities)) == CATALOG.columns
    assert read({}, activities) == plain


@pytest.mark.parametrize(
    ("column", "conflicts"),
    [
        ("web__visits", True),
        ("web__visits_1d", True),  # out of its window, and yet a zero of the activities' own
        ("web__opens_1d", False),
        ("web__total", True),  # of any kind
        ("web__pricing", False),  # another page
        ("web__click_rate", False),
        ("web__opens_of_a", True),  # the whole of the rate, though not the part
        ("web__pricing_rate", True),
        ("web__title", False),
        ("web__age", False),
    ],
)
def test_a_ready_value_beside_activities_that_feed_it_is_refused(column, conflicts):
    if not conflicts:
        assert read({column: 3.0}, [OLD_VISIT])[column] == 3.0
        return
    with pytest.raises(ReadyConflict, match=column) as caught:
        read({column: 3.0}, [OLD_VISIT])
    assert caught.value.columns == (column,)


def test_a_conflict_names_every_column_in_the_catalogues_order():
    ready = {"web__last_kind": "open", "web__visits": 1.0, "web__odd": 1.0, "web__title": "x"}
    with pytest.raises(ReadyConflict) as caught:
        read(ready, [OLD_VISIT])
    assert caught.value.columns == ("web__visits", "web__last_kind")


def test_what_is_not_known_yet_or_left_out_feeds_nothing():
    later = Activity("visit", AS_OF + 1, AS_OF + 1)
    told_later = Activity("visit", 0, AS_OF + 1)
    assert read({"web__visits": 3.0}, [later, told_later])["web__visits"] == 3.0
    reader = LiveReader(CATALOG.model_copy(update={"excluded_kinds": ("visit",)}))
    assert read({"web__visits": 3.0}, [OLD_VISIT], reader)["web__visits"] == 3.0


@pytest.mark.parametrize("activities", [None, [], [OLD_VISIT]])
def test_an_unknown_column_is_told(activities):
    with pytest.raises(ValueError, match="no such signals: web__a, web__b"):
        read({"web__b": 1.0, "web__a": 1.0, "web__title": "x"}, activities)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["visit", "open", "click", "it's odd"]), max_size=3),
    st.sampled_from([s.column for s, _ in CATALOG.activity_signals()]),
)
def test_a_conflict_is_where_an_activity_could_change_the_signal(kinds, column):
    """Told by trying: an activity feeds a signal if some moment and page of it change its value."""
    activities = [Activity(kind, 0, 0, None, {"page": "a", "seconds": 3.0}) for kind in kinds]
    silent = READER.read_signals({}, [], as_of_us=0)[column]
    feeds = any(
        READER.read_signals({}, [activity], as_of_us=moment)[column] != silent
        for activity in activities
        for moment in (0, 1)
    )
    if feeds:
        with pytest.raises(ReadyConflict):
            read({column: math.pi}, activities)
    elif "rate" not in column and "_of_" not in column:  # whose parts alone show nothing
        assert read({column: math.pi}, activities)[column] == math.pi
