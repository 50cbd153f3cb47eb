"""The log of scores: nothing waits for it, nothing in it is bent, and it outlives its store."""

import math
import os
import random
import resource
import signal
import sqlite3
import struct
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.real_data import ROOT
from support.scorecards import LAW

from leadscore.pipeline.errors import ConfigError, NotFoundError
from leadscore.pipeline.score_log.log import (
    COLUMNS,
    ScoreEntry,
    ScoreLog,
    open_for_reading,
    open_store,
    write_entries,
    write_signals,
)

SHA = "ab" * 32


def entry(number: int = 0, **changes) -> ScoreEntry:
    made = ScoreEntry(
        request_id=f"r{number}",
        item=None,
        lead_id=f"L{number}",
        scored_us=number,
        as_of_us=number,
        created_us=None,
        model="demo.predictive",
        version=1,
        sha256=SHA,
        previous_band=None,
        signals='{"web__visits":3.0}',
        log_odds=0.25,
        probability=0.5621765008857981,
        band="SQL",
    )
    return made._replace(**changes)


def read_back(path) -> list[ScoreEntry]:
    with open_for_reading(path) as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM scores ORDER BY row").fetchall()
    return [ScoreEntry(*row) for row in rows]


def requests(path) -> list[str]:
    return [row.request_id for row in read_back(path)]


def wait_until(condition, seconds=10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.db"


@pytest.fixture
def log(path):
    log = ScoreLog(path)
    log.start()
    yield log
    log.close(5.0)


@contextmanager
def locked(path):
    """Hold the store as another program may: nobody else writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


# ---------------------------------------------------------------- what is kept


def test_entries_come_back_as_they_were_in_their_order(path, log):
    whole = entry(1, item=3, created_us=5, previous_band="MQL", percentile=99.5, fit=-0.0,
                  engagement=1.0, request=b'{"lead_id":"L1"}')  # fmt: skip
    log.remember(SHA, "{}")
    log.append(whole)
    for number in range(2, 1500):
        log.append(entry(number))
    log.close(10.0)
    assert (log.written, log.waiting, log.lost, log.error) == (1499, 0, 0, None)
    rows = read_back(path)
    assert rows == [whole, *(entry(number) for number in range(2, 1500))]
    assert math.copysign(1.0, rows[0].fit) == -1.0
    with open_for_reading(path) as connection:
        assert connection.execute("SELECT * FROM scorecards").fetchall() == [(SHA, "{}")]


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_float = st.sampled_from([-0.0, 0.0, 5e-324]) | st.floats(allow_nan=False)
_signal = st.none() | st.floats(allow_nan=False, allow_infinity=False) | _text


def bits(value: object) -> object:
    return struct.pack("<d", value) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with closing(open_store(tmp_path_factory.mktemp("store") / "scores.db")) as connection:
        yield connection


@LAW
@given(
    texts=st.tuples(_text, _text, _text, _text),
    floats=st.tuples(_float, _float, _float),
    signals=st.dictionaries(_text, _signal, max_size=6),
    whole=st.integers(-(2**63), 2**63 - 1),
    request=st.none() | st.binary(max_size=20),
)
def test_floats_and_texts_come_back_bit_for_bit(store, texts, floats, signals, whole, request):
    request_id, lead_id, model, band = texts
    log_odds, probability, fit = floats
    given_entry = entry(
        request_id=request_id, lead_id=lead_id, model=model, band=band, log_odds=log_odds,
        probability=probability, fit=fit, as_of_us=whole, signals=write_signals(signals),
        request=request,
    )  # fmt: skip
    assert write_entries(store, [], [given_entry]) == []
    query = f"SELECT {COLUMNS} FROM scores ORDER BY row DESC LIMIT 1"
    row = store.execute(query).fetchone()
    assert [bits(value) for value in row] == [bits(value) for value in given_entry]
    again = msgspec.json.decode(row[COLUMNS.split(", ").index("signals")])
    assert {k: bits(v) for k, v in again.items()} == {k: bits(v) for k, v in signals.items()}


def test_signals_have_one_text(path):
    assert write_signals({"b": 1.0, "a": math.nan, "c": -0.0}) == '{"a":null,"b":1.0,"c":-0.0}'
    with pytest.raises(UnicodeEncodeError):
        write_signals({"a": "\ud800"})


def test_the_file_is_its_owners_and_written_with_care(path, log):
    log.append(entry())
    wait_until(lambda: log.written == 1)
    for place in path.parent.iterdir():
        assert place.stat().st_mode & 0o777 == 0o600, place
    with closing(open_store(path)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        indexed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        assert {"scores_by_request", "scores_by_lead"} <= {name for (name,) in indexed}


# ---------------------------------------------------------------- other files


def make_foreign(path, *statements) -> bytes:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path.read_bytes()


def test_a_file_that_is_no_log_is_a_clear_error_and_left_alone(path):
    path.write_bytes(b"lead_id,score\nL1,0.5\n" * 100)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="not a log of scores"):
        ScoreLog(path).start()
    assert path.read_bytes() == before
    path.unlink()
    before = make_foreign(path, "CREATE TABLE leads (id)", "PRAGMA user_version = 1")
    with pytest.raises(ConfigError, match="something else"):
        ScoreLog(path).start()
    assert path.read_bytes() == before


def test_another_version_is_a_clear_error(path):
    open_store(path).close()
    before = make_foreign(path, "PRAGMA user_version = 2")
    for use in (lambda: ScoreLog(path).start(), lambda: open_for_reading(path).__enter__()):
        with pytest.raises(ConfigError, match="of version 2, this program reads 1"):
            use()
    assert path.read_bytes() == before


def test_places_that_cannot_be_written_or_read_are_told(tmp_path):
    for place in (tmp_path / "nowhere" / "scores.db", tmp_path):
        with pytest.raises(ConfigError, match="cannot be"):
            ScoreLog(place).start()
    with pytest.raises(NotFoundError), open_for_reading(tmp_path / "scores.db"):
        pass


# ---------------------------------------------------------------- trouble


def test_a_locked_store_delays_and_loses_nothing(path, log):
    log.append(entry(0))
    wait_until(lambda: log.written == 1)
    with locked(path):
        slowest = 0.0
        for number in range(1, 3000):
            begin = time.perf_counter()
            log.append(entry(number))
            slowest = max(slowest, time.perf_counter() - begin)
        assert slowest < 0.8, "append waited for the lock"
        wait_until(lambda: log.error is not None)
        assert "locked" in log.error
        assert (log.waiting, log.lost) == (2999, 0)
    wait_until(lambda: log.waiting == 0)
    assert (log.written, log.lost, log.error) == (3000, 0, None)
    assert requests(path) == [f"r{number}" for number in range(3000)]


def test_a_store_that_is_locked_at_the_start_is_waited_for(path):
    open_store(path).close()
    log = ScoreLog(path)
    with locked(path):
        log.start()
        log.append(entry())
        time.sleep(0.2)
        assert log.waiting == 1
    wait_until(lambda: log.written == 1)
    log.close(1.0)


def test_what_finds_no_room_is_dropped_and_counted(path):
    log = ScoreLog(path, most_waiting=100)
    log.start()
    log.append(entry(0))
    wait_until(lambda: log.written == 1)
    with locked(path):
        for number in range(1, 251):
            log.append(entry(number))
        assert log.waiting == 100
        assert log.lost == 150
    wait_until(lambda: log.waiting == 0)
    log.append(entry(999))
    log.close(5.0)
    assert requests(path) == [*(f"r{number}" for number in range(101)), "r999"]
    log.append(entry(1000))
    assert log.lost == 151, "after the end, too"


def test_a_full_disk_delays_and_loses_nothing(path, log):
    log.append(entry(0))
    wait_until(lambda: log.written == 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        for number in range(1, 500):
            log.append(entry(number))
        wait_until(lambda: log.error is not None)
        assert (log.waiting, log.lost) == (499, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    wait_until(lambda: log.waiting == 0)
    assert requests(path) == [f"r{number}" for number in range(500)]


@pytest.mark.parametrize("whole", [True, False], ids=["with its WAL", "without"])
def test_a_store_that_is_removed_is_made_anew_by_all_who_write_it(path, whole):
    logs = [ScoreLog(path) for _ in range(3)]
    for number, log in enumerate(logs):
        log.start()
        log.remember(SHA, "{}")
        log.append(entry(number))
    wait_until(lambda: all(log.written == 1 for log in logs))
    for place in list(path.parent.iterdir()) if whole else [path]:
        place.unlink()
    for number in range(10, 40):
        logs[number % 3].append(entry(number))
        time.sleep(0.01)
    for log in logs:
        log.close(10.0)
    assert sorted(requests(path)) == [f"r{number}" for number in range(10, 40)]
    assert [log.lost for log in logs] == [0, 0, 0]
    with open_for_reading(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT * FROM scorecards").fetchall() == [(SHA, "{}")]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_away_for_a_while_delays(path, log):
    log.append(entry(0))
    wait_until(lambda: log.written == 1)
    away = path.parent.with_name("away")
    path.parent.rename(away)
    log.append(entry(1))
    wait_until(lambda: log.error is not None)
    assert log.waiting == 1
    away.rename(path.parent)
    wait_until(lambda: log.waiting == 0)
    assert requests(path)[0] == "r0"
    assert set(requests(path)) == {"r0", "r1"}


def test_an_entry_that_no_store_takes_does_not_hold_up_the_rest(path, log):
    bad = [
        entry(1, lead_id="half a pair \ud800"),
        entry(2, scored_us=2**63),
        entry(3, band=None),
        entry(4, log_odds=math.nan),
        entry(5, probability=1),
        entry(6, model=object()),
    ]
    for one in (entry(0), *bad, entry(7)):
        log.append(one)
    log.close(5.0)
    assert requests(path) == ["r0", "r7"]
    assert (log.written, log.lost, log.waiting) == (2, len(bad), 0)
    assert log.error
    assert "half" not in log.error


def test_close_keeps_its_deadline_and_counts_what_is_left(path):
    log = ScoreLog(path)
    log.start()
    log.append(entry(0))
    wait_until(lambda: log.written == 1)
    with locked(path):
        log.append(entry(1))
        begin = time.monotonic()
        log.close(0.3)
        assert time.monotonic() - begin < 0.8
        wait_until(lambda: log.lost == 1)
    assert requests(path) == ["r0"]


def test_one_that_no_store_takes_among_hundreds_is_left_out_alone(path, log):
    for number in range(700):
        log.append(entry(number, scored_us=2**63 if number == 300 else number))
    log.close(5.0)
    assert requests(path) == [f"r{number}" for number in range(700) if number != 300]
    assert (log.written, log.lost) == (699, 1)


def test_a_scorecard_comes_no_later_than_entries_that_name_it(path):
    log = ScoreLog(path)
    log.start()
    done, missing = threading.Event(), []

    def look() -> None:
        query = "SELECT count(*) FROM scores WHERE sha256 NOT IN (SELECT sha256 FROM scorecards)"
        while not done.is_set():
            with open_for_reading(path) as connection:
                missing.append(connection.execute(query).fetchone()[0])

    looker = threading.Thread(target=look)
    looker.start()
    for number in range(60):
        log.remember(f"{number:064x}", "{}")
        log.append(entry(number, sha256=f"{number:064x}"))
        time.sleep(0.005)
    log.close(5.0)
    done.set()
    looker.join()
    assert missing
    assert set(missing) == {0}


# ---------------------------------------------------------------- processes

WRITER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from test_log import ScoreLog, entry
    log = ScoreLog(Path(sys.argv[1]))
    log.start()
    for number in range(int(sys.argv[3])):
        log.append(entry(number, model=sys.argv[2]))
        if number % 50 == 0:
            time.sleep(0.002)
            print(log.written, flush=True)
    log.close(30.0)
    print(log.written, flush=True)
""")


def start_process(code, *words) -> subprocess.Popen:
    folder = Path(__file__).parent
    paths = os.pathsep.join([str(folder), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip


def start_writer(path, model, entries=10**9) -> subprocess.Popen:
    return start_process(WRITER, path, model, entries)


IDLER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from test_log import ScoreLog, entry, wait_until
    log = ScoreLog(Path(sys.argv[1]))
    log.start()
    for number in range(200):
        log.append(entry(number))
    wait_until(lambda: log.written == 200)
    print("written", flush=True)
    sys.stdin.readline()
    log.append(entry(9999))
    log.close(5.0)
    print(log.lost)
""")


def test_a_store_made_anew_does_not_wait_for_a_process_that_holds_the_old_one(path, log):
    idler = start_process(IDLER, path)
    assert idler.stdout.readline() == "written\n"
    log.append(entry(1000))
    wait_until(lambda: log.written == 1)
    path.unlink()  # and leave its WAL, which the idle process holds
    log.append(entry(1001))
    wait_until(lambda: log.written == 2)
    wait_until(lambda: log.waiting == 0)
    log.append(entry(1002))
    wait_until(lambda: log.written == 3)
    assert requests(path) == ["r1001", "r1002"]
    out, _ = idler.communicate("go on\n", timeout=20)
    assert out == "0\n"
    assert requests(path) == ["r1001", "r1002", "r9999"]


def test_several_processes_write_one_store(path):
    writers = [start_writer(path, model, 2000) for model in "abc"]
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert out.split()[-1] == "2000"
    rows = read_back(path)
    for model in "abc":
        mine = [row.request_id for row in rows if row.model == model]
        assert mine == [f"r{number}" for number in range(2000)]


def test_a_kill_loses_at_most_what_was_waiting(path):
    dice = random.Random(7)
    for turn in range(4):
        writer = start_writer(path, f"turn {turn}")
        told = [int(writer.stdout.readline())]
        while told[-1] == 0:
            told.append(int(writer.stdout.readline()))
        until = time.monotonic() + dice.uniform(0.0, 0.5)
        while time.monotonic() < until:
            told.append(int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=10)
        whole = rest[: rest.rfind("\n") + 1].split()
        promised = int(whole[-1]) if whole else told[-1]
        mine = [row.request_id for row in read_back(path) if row.model == f"turn {turn}"]
        assert len(mine) >= promised > 0
        assert mine == [f"r{number}" for number in range(len(mine))], "a gap"
        with open_for_reading(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
