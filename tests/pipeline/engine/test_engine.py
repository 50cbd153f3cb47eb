"""The engine reaches what it is given, keeps to its limits, and never writes to stdout."""

from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadscore.pipeline.engine.duckdb_engine import Limits, open_engine, run_sql
from leadscore.pipeline.errors import ConfigError, DataError

NUMBERS = pa.table({"x": pa.array(range(1000), pa.int64())})


def test_no_progress_bar_spoils_what_a_command_prints():
    sql = "SELECT current_setting('enable_progress_bar') AS bar"
    assert run_sql(sql, {}).to_pylist() == [{"bar": False}]


def test_the_limits_are_the_engines_own():
    sql = "SELECT current_setting('threads') AS threads, current_setting('memory_limit') AS memory"
    (found,) = run_sql(sql, {}, Limits("512MiB", 1)).to_pylist()
    assert found == {"threads": 1, "memory": "512.0 MiB"}


def test_a_release_without_the_optimizer_works_all_the_same(monkeypatch):
    monkeypatch.setattr(
        "leadscore.pipeline.engine.duckdb_engine._DISABLED_OPTIMIZER", "no_such_optimizer"
    )
    assert run_sql("SELECT sum(x) AS total FROM n", {"n": NUMBERS}).to_pylist() == [
        {"total": 499500}
    ]


def test_a_limit_that_is_none_is_told():
    with pytest.raises(ConfigError, match=r"^--memory-limit: 'plenty'"):
        run_sql("SELECT 1", {}, Limits("plenty"))


def test_too_little_memory_is_told_with_what_to_do():
    sql = "SELECT list(x ORDER BY x) FROM numbers, range(20000)"
    with pytest.raises(DataError, match=r"12MB.*increase --memory-limit"):
        run_sql(sql, {"numbers": NUMBERS}, Limits("12MB", 1))


def test_files_elsewhere_are_out_of_reach(tmp_path):
    pq.write_table(NUMBERS, tmp_path / "secret.parquet")
    with pytest.raises(Exception, match="disabled"):
        run_sql(f"SELECT * FROM '{tmp_path / 'secret.parquet'}'", {})


def test_what_is_written_keeps_its_order_and_can_be_added(tmp_path):
    with open_engine({"numbers": NUMBERS}, None, tmp_path) as engine:
        engine.write("SELECT x FROM numbers ORDER BY x DESC", tmp_path / "down.parquet")
        engine.add("down", tmp_path / "down.parquet")
        assert engine.query("SELECT x FROM down LIMIT 2")["x"].to_pylist() == [999, 998]
        assert len(list(engine.stream("SELECT x FROM down", 300))) == 4


def test_a_stream_has_every_row_once_in_lots_of_the_size_asked_for():
    count = 300_000
    numbers = pa.table({"x": pa.array(range(count), pa.int64())})
    with open_engine({"numbers": numbers}, Limits(threads=2)) as engine:
        lots = [lot["x"].to_pylist() for lot in engine.stream("SELECT x FROM numbers", 10_000)]
        assert engine.query("SELECT COUNT(*) AS n FROM numbers")["n"][0].as_py() == count
    assert max(map(len, lots)) == 10_000
    assert sorted(chain(*lots)) == list(range(count))


def test_memory_that_lacks_late_in_a_stream_is_told_and_other_errors_are_their_own():
    numbers = pa.table({"x": pa.array(range(1_000_000), pa.int64())})
    sql = "SELECT CASE WHEN x = 999000 THEN error('{}') ELSE x END FROM numbers"
    with open_engine({"numbers": numbers}, Limits("100MB", 1)) as engine:
        with pytest.raises(DataError, match=r"100MB.*increase --memory-limit"):
            list(engine.stream(sql.format("Out of Memory Error: at last"), 10))
        with pytest.raises(Exception, match="boom"):
            list(engine.stream(sql.format("boom"), 10))
