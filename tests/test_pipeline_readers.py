"""The two readers of activities say the same, whatever a history looks like; and what they say."""

import math

import pytest
from histories import CATALOG, lead_ids, own_id, profile_as_of, run_on_sqlite, stories, tables_of
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine import run_sql
from pipeline.signals.history import signals_sql
from pipeline.signals.live import LiveReader
from pipeline.signals.matrix import read_history

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


def read_live(story, lead_id, as_of_us):
    activities = [a._replace(activity_id=own_id(lead_id, a)) for a in story.activities]
    return READER.read_signals(
        profile_as_of(story, as_of_us), activities, as_of_us=as_of_us, created_us=story.created_us
    )


@settings(max_examples=44, deadline=None)
@given(st.lists(stories(), min_size=50, max_size=60))
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
