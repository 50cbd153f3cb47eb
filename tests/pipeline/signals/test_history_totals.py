"""What the history reader adds up does not depend on how the activities come by."""

import itertools
from math import floor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.histories import CATALOG, Story, tables_of

from leadscore.pipeline.engine.duckdb_engine import open_engine
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.decay import UNITS
from leadscore.pipeline.signals.history import reader as matrix
from leadscore.pipeline.signals.history.activities_sql import Aggregate
from leadscore.pipeline.signals.history.reader import History, Total, read_history
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.values.times import DAY_US


def add_in_lots(aggregate, order, rows, size):
    total = Total(aggregate, cells=1, snapshots=1)
    for begin in range(0, len(order), size):
        lot = order[begin : begin + size]
        total.add(np.zeros(len(lot), dtype=np.int64), {n: c[lot] for n, c in rows.items()})
    total.end_part()
    total.finish()
    return total.values[0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_weights_add_up_to_the_same_bits_in_any_order_however_many_they_are(seed):
    random = np.random.default_rng(seed)
    rows = {"age_us": random.integers(0, DAY_US, 50_000)}
    aggregate = Aggregate("decayed", linear_us=7 * DAY_US)
    units = sum(
        floor((1.0 - age / (7.0 * DAY_US)) * UNITS + 0.5) for age in rows["age_us"].tolist()
    )
    orders = [np.arange(50_000), random.permutation(50_000), np.argsort(rows["age_us"])]
    found = {
        add_in_lots(aggregate, order, rows, size)
        for order, size in itertools.product(orders, (777, 50_000))
    }
    assert found == {units / UNITS}  # an integer divided by a power of 2: rounded once
    assert units / UNITS > 2 * 8192


def test_a_day_counts_once_though_its_activities_come_in_several_lots():
    rows = {"age_us": np.arange(9), "day": np.array([-2.0, 5, -2, 7, 5, 5, -2, 7, 7])}
    assert add_in_lots(Aggregate("days"), np.arange(9), rows, 2) == 3.0
    assert add_in_lots(Aggregate("days", window_us=2), np.arange(9), rows, 2) == 2.0


@pytest.mark.parametrize("activity", [None, ["visit"], ["visit", "open"]])
def test_a_sum_is_made_in_the_order_of_the_log_whatever_else_is_in_it(tmp_path, activity):
    count, random = 400, np.random.default_rng(0)
    amounts = random.normal(size=count) * 10.0 ** random.integers(0, 8, count)

    def log(lead_id, values, first):
        moments = pa.array(range(len(values)), pa.int64())
        return pa.table({
            "lead_id": [lead_id] * len(values), "kind": ["visit"] * len(values),
            "occurred_us": moments, "recorded_us": moments, "x": values,
            "place": pa.array(range(first, first + len(values)), pa.int64()),
        })  # fmt: skip

    filtered = {} if activity is None else {"activity": activity}
    signals = {"total": {"kind": "sum", "property": "x"}, "opens": {"kind": "count"}}
    catalog = Catalog.model_validate({
        "signals": [
            {"name": name, "declaration": {"family": "web", **how, **filtered}}
            for name, how in signals.items()
        ],
        "properties": {"x": {"type": "number"}},
    })  # fmt: skip
    looks = pa.table({"snapshot_id": [0], "lead_id": ["a"], "as_of_us": [10 * count]})
    leads = pa.table({"lead_id": ["a"], "created_us": [0]})
    found = set()
    for before, size in ((1, 7), (1800, 5000), (2000, 100), (2030, 5000)):
        logs = [log("A", np.ones(before), 1), log("a", amounts, before + 1)]
        logs.append(log("b", np.ones(5000), before + count + 1))
        pq.write_table(pa.concat_tables(logs), tmp_path / "log.parquet", row_group_size=size)
        frame = read_history(catalog, looks, History(leads, tmp_path / "log.parquet"))
        found.add(frame["web__total"][0])
    in_turn = 0.0
    for amount in amounts.tolist():
        in_turn += amount
    assert found == {in_turn}


@pytest.mark.parametrize(("each", "max_cells", "parts"), [(1, 1, 2), (5, 1, 10), (1, 5, 10)])
def test_leads_seen_more_often_are_gone_through_in_smaller_parts(
    monkeypatch, each, max_cells, parts
):
    monkeypatch.setattr(matrix, "_PART_ROWS", 500)
    leads = [f"L{number}" for number in range(10)]
    logged = pa.table({"lead_id": sorted(leads * 100), "place": range(1, 1001)})
    looks = pa.table({"lead_id": leads * each})
    with open_engine({"all_activities": logged, "snapshots": looks}) as engine:
        assert len(matrix._split_leads(engine, max_cells)) == parts


def test_equal_signals_are_columns_of_their_own():
    declaration = {"family": "web", "kind": "count"}
    signals = [{"name": name, "declaration": declaration} for name in ("a", "b")]
    catalog = Catalog.model_validate(CATALOG.model_dump() | {"signals": signals})
    visit = Activity("visit", 1, 1, None, {"page": None, "seconds": None})
    story = Story(0, {"title": None, "employees": None}, [visit], [], [5])
    with tables_of([story]) as (snapshots, history):
        frame = read_history(catalog, snapshots, history)
    frame.loc[0, "web__a"] = 7.0
    assert frame.to_dict("records") == [{"web__a": 7.0, "web__b": 1.0}]
