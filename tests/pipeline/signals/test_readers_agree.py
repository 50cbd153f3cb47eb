"""The two readers of activities say the same, whatever a history looks like; and what they say."""

import math
import random

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.histories import (
    CATALOG,
    KINDS,
    Story,
    lead_ids,
    own_id,
    profile_as_of,
    run_on_sqlite,
    stories,
    tables_of,
)

from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.signals.history import reader as matrix
from leadscore.pipeline.signals.history.reader import read_history
from leadscore.pipeline.signals.history.signals_sql import signals_sql
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import DAY_US

COUNTS = {
    signal.column
    for signal in CATALOG.signals
    if signal.declaration.kind in ("count", "active_days")
}
READER = LiveReader(CATALOG)


def check_equal(column, by_history, by_live, where):
    if by_live is None:
        missing = by_history is None or (isinstance(by_history, float) and math.isnan(by_history))
        assert missing, (where, column, by_history, by_live)
    elif isinstance(by_live, str) or column in COUNTS:
        assert by_history == by_live, (where, column)
    else:
        assert by_history == pytest.approx(by_live, rel=1e-9, abs=1e-9), (where, column)


def read_live(story, lead_id, as_of_us, reader=READER):
    activities = [a._replace(activity_id=own_id(lead_id, a)) for a in story.activities]
    return reader.read_signals(
        profile_as_of(story, as_of_us), activities, as_of_us=as_of_us, created_us=story.created_us
    )


@settings(
    max_examples=75, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # whole histories are
)  # fmt: skip
@given(st.lists(stories(), min_size=30, max_size=36))
def test_both_readers_say_the_same_of_every_history_and_so_does_sqlite(drawn):
    """Over 2,200 histories: duplicates, disorder, ties, edges, late records, changes, silence."""
    with tables_of(drawn) as (snapshots, history):
        frame = read_history(CATALOG, snapshots, history)
        tables = {
            "snapshots": snapshots, "leads": history.leads, "activities": history.activities,
            "changes": history.changes,
        }  # fmt: skip
        header, by_sqlite = run_on_sqlite(signals_sql(CATALOG), tables)
        whole = run_sql(signals_sql(CATALOG), tables)
    assert header == whole.column_names == ["snapshot_id", *CATALOG.columns]
    looks = [
        (story, lead_id, as_of_us)
        for story, lead_id in zip(drawn, lead_ids(len(drawn)), strict=True)
        for as_of_us in story.as_of
    ]
    rows = zip(looks, frame.to_dict("records"), by_sqlite, whole.to_pylist(), strict=True)
    for (story, lead_id, as_of_us), by_matrix, sqlite_row, duckdb_row in rows:
        by_live = read_live(story, lead_id, as_of_us)
        assert list(by_live) == CATALOG.columns
        by_sqlite_row = dict(zip(header, sqlite_row, strict=True))
        for column, value in by_live.items():
            where = (story, as_of_us)
            check_equal(column, by_matrix[column], value, where)
            check_equal(column, by_sqlite_row[column], value, where)
            check_equal(column, duckdb_row[column], value, where)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.lists(stories(), min_size=20, max_size=30), st.sampled_from([1, 7, 50]))
def test_signals_do_not_depend_on_how_many_activities_are_read_at_a_time(drawn, size):
    with tables_of(drawn) as (snapshots, history), pytest.MonkeyPatch.context() as patch:
        whole = read_history(CATALOG, snapshots, history)
        patch.setattr(matrix, "_PART_ROWS", size)
        patch.setattr(matrix, "_BATCH_ROWS", size)
        parted = read_history(CATALOG, snapshots, history)
    pd.testing.assert_frame_equal(parted, whole, check_exact=True)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.lists(stories(), min_size=20, max_size=30), st.sets(st.sampled_from(KINDS), max_size=3))
def test_both_readers_leave_out_the_same_kinds_also_where_any_kind_counts(drawn, kinds):
    catalog = CATALOG.model_copy(update={"excluded_kinds": tuple(sorted(kinds))})
    reader = LiveReader(catalog)
    with tables_of(drawn, left_out=catalog.excluded_kinds) as (snapshots, history):
        rows = iter(read_history(catalog, snapshots, history).to_dict("records"))
    for story, lead_id in zip(drawn, lead_ids(len(drawn)), strict=True):
        for as_of_us in story.as_of:
            by_matrix = next(rows)
            for column, value in read_live(story, lead_id, as_of_us, reader).items():
                check_equal(column, by_matrix[column], value, (story, as_of_us, kinds))


def test_what_is_left_out_takes_no_duplicate_along():
    catalog = CATALOG.model_copy(update={"excluded_kinds": ("open",)})
    both = [Activity("open", 0, 0, "x", {}), Activity("visit", 0, 1, "x", {})]
    found = LiveReader(catalog).read_signals({}, both, as_of_us=9)
    assert (found["web__total"], found["web__visits"]) == (1.0, 1.0)


def test_a_rate_of_one_kind_per_something_of_any_kind_is_a_rate():
    """Part and whole then come from two groupings, which once came out as a bare count."""
    story = Story(0, {"title": None, "employees": None}, [
        Activity("click", 10, 10, None, {"page": "/pricing", "seconds": None}),
        Activity("click", 20, 20, None, {"page": "a", "seconds": None}),
        Activity("open", 30, 30, None, {"page": "a", "seconds": None}),
    ], [], [100])  # fmt: skip
    with tables_of([story]) as (snapshots, history):
        frame = read_history(CATALOG, snapshots, history)
    assert frame["web__pricing_of_clicks"].tolist() == [0.5]
    assert frame["web__opens_of_a"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("age_us", "seen"),
    [(0, 1.0), (-1, 0.0), (DAY_US - 1, 1.0), (DAY_US, 0.0), (DAY_US + 1, 0.0)],
)
def test_a_window_begins_just_after_its_first_moment_and_ends_with_the_snapshot(age_us, seen):
    visit = Activity("visit", 5 * DAY_US - age_us, 5 * DAY_US - age_us, None, {})
    found = READER.read_signals({}, [visit], as_of_us=5 * DAY_US)
    assert found["web__visits_1d"] == seen


def test_what_is_recorded_late_is_seen_from_then_on():
    visit = Activity("visit", 0, 2 * DAY_US, None, {})
    assert READER.read_signals({}, [visit], as_of_us=2 * DAY_US - 1)["web__total"] == 0.0
    assert READER.read_signals({}, [visit], as_of_us=2 * DAY_US)["web__total"] == 1.0


def test_unknown_activities_are_missing_and_no_activities_are_none():
    unknown = READER.read_signals({}, None, as_of_us=0)
    none = READER.read_signals({}, [], as_of_us=0)
    for signal, _ in CATALOG.activity_signals():
        assert unknown[signal.column] is None
    assert (none["web__total"], none["web__since"], none["web__click_rate"]) == (0.0, None, None)
    assert (none["web__seconds"], none["web__longest"], none["web__last_kind"]) == (0.0, None, None)


def test_activities_without_a_moment_are_an_error():
    with pytest.raises(ValueError, match="as of when"):
        READER.read_signals({}, [Activity("visit", 0, 0)])


def test_half_of_a_decayed_count_is_left_after_every_half_life():
    visits = [Activity("visit", 0, 0)] * 3
    found = [
        READER.read_signals({}, visits, as_of_us=days * DAY_US)["web__half"] for days in (0, 7, 14)
    ]
    assert found == [3.0, 1.5, 0.75]


def test_a_lead_with_a_hundred_thousand_activities_reads_the_same(tmp_path):
    """In one group, and as one Python list."""
    dice = random.Random(0)
    activities = [
        Activity(dice.choice(["visit", "open"]), dice.randrange(60 * DAY_US), 0, str(i), {
            "page": dice.choice(["/pricing", None]), "seconds": dice.random(),
        })
        for i in range(100_000)
    ]  # fmt: skip
    activities = [a._replace(recorded_us=a.occurred_us) for a in activities]
    story = Story(0, {"title": None, "employees": None}, activities, [], [50 * DAY_US])
    with tables_of([story], tmp_path) as (snapshots, history):
        (row,) = read_history(CATALOG, snapshots, history).to_dict("records")
    for column, value in read_live(story, "lead 0", 50 * DAY_US).items():
        check_equal(column, row[column], value, "the busy lead")
    assert row["web__total"] > 80_000
