"""The engine reaches what it is given, keeps to its limits, and never writes to stdout."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.engine import Limits, open_engine, run_sql
from pipeline.errors import ConfigError, DataError

NUMBERS = pa.table({"x": pa.array(range(1000), pa.int64())})


def test_no_progress_bar_spoils_what_a_command_prints():
    sql = "SELECT current_setting('enable_progress_bar') AS bar"
    assert run_sql(sql, {}).to_pylist() == [{"bar": False}]


def test_the_limits_are_the_engines_own():
    sql = "SELECT current_setting('threads') AS threads, current_setting('memory_limit') AS memory"
    (found,) = run_sql(sql, {}, Limits("512MiB", 1)).to_pylist()
    assert found == {"threads": 1, "memory": "512.0 MiB"}


def test_a_limit_that_is_none_is_told():
    with pytest.raises(ConfigError, match=r"^--memory-limit: 'plenty'"):
        run_sql("SELECT 1", {}, Limits("plenty"))


def test_too_little_memory_is_told_with_what_to_do():
    sql = "SELECT list(x ORDER BY x) FROM numbers, range(20000)"
    with pytest.raises(DataError, match=r"12MB.*give --memory-limit more"):
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
        assert engine.query("SELECT COUNT(*) AS n FROM down", in_order=True)["n"][0].as_py() == 1000


@pytest.mark.parametrize("others", [0, 10, 100_000])
def test_floats_are_added_up_in_the_order_of_the_first_table_whatever_it_is_joined_with(others):
    amounts = [0.1, 0.2, 0.3, 1e6, -1e6, 0.7] * 3
    first = pa.table({"of": ["a"] * len(amounts), "amount": amounts})
    second = pa.table({"of": ["a", *(f"x{i}" for i in range(others))]})
    sql = "SELECT SUM(f.amount) AS total FROM f JOIN s ON s.of = f.of GROUP BY s.of"
    with open_engine({"f": first, "g": second}) as engine:
        engine.keep("s", "SELECT * FROM g")
        total = engine.query(sql, in_order=True)["total"][0].as_py()
        engine.keep("joined", "SELECT f.amount FROM f JOIN s ON s.of = f.of", in_order=True)
        kept = engine.query("SELECT amount FROM joined")["amount"].to_pylist()
    in_turn = 0.0
    for amount in amounts:
        in_turn += amount
    assert total == in_turn
    assert kept == amounts
