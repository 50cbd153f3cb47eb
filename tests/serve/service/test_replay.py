"""Replay: what was answered comes out again to the last bit, and what was changed is found."""

import json
import math
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing

import pytest
from hypothesis import given
from support.cli import run
from support.scorecards import LAW, make_scorecard, make_term, scored_leads

from leadscore.models.score_lead import AxesReader, Scorer, find_percentile
from leadscore.models.scorecard import Scorecard
from leadscore.models.shapes import Curve, Table
from leadscore.pipeline.score_log.log import (
    ScoreEntry,
    ScoreLog,
    open_store,
    write_entries,
    write_signals,
)
from leadscore.serve.service.replay import MOST_SHOWN, Wanted, replay

VISITS = Curve(knots=(0.0, 4.0, 8.0), values=(-1.0, 1.0, 1.5), missing=-0.75)
CHANNEL = Table(levels={"ads": -0.5, "fair": 1.25}, missing=-0.25, other=0.125)
FIRST = make_scorecard(make_term(VISITS), make_term(CHANNEL, "web__channel"), base=-1.1).sealed()
SECOND = make_scorecard(make_term(VISITS), base=0.3).sealed()
DAY_US = 86_400_000_000
HEAVY = (
    "pandas",
    "numpy",
    "sklearn",
    "mlflow",
    "duckdb",
    "pyarrow",
    "leadscore.pipeline.config.project",
)


def answer(scorecard: Scorecard, number: int, signals: dict, **changes) -> ScoreEntry:
    """What a service logs of one lead."""
    score = Scorer(scorecard).score(signals, changes.get("previous_band"))
    fit, engagement = AxesReader(scorecard).read(score.contributions)
    made = ScoreEntry(
        request_id=f"r{number // 2}", item=number % 2, lead_id=f"L{number}",
        scored_us=number * DAY_US, as_of_us=number * DAY_US, created_us=None,
        model="demo.predictive", version=1 if scorecard is FIRST else 2, sha256=scorecard.sha256,
        previous_band=None, signals=write_signals(signals), log_odds=score.log_odds,
        probability=score.probability, band=score.band,
        percentile=find_percentile(scorecard.quantiles, score.log_odds), fit=fit,
        engagement=engagement,
    )  # fmt: skip
    return made._replace(**changes)


def leads(count: int) -> list[dict]:
    channels = ["ads", "fair", "España", None]
    return [
        {"web__visits": None if i % 7 == 0 else i / 3, "web__channel": channels[i % 4]}
        for i in range(count)
    ]


@pytest.fixture
def path(tmp_path):
    """A log of 40 answers, the later half by a second version."""
    path = tmp_path / "scores.db"
    log = ScoreLog(path)
    log.start()
    for scorecard in (FIRST, SECOND):
        log.remember(scorecard.sha256, scorecard.to_json())
    for number, signals in enumerate(leads(40)):
        log.append(answer(FIRST if number < 20 else SECOND, number, signals))
    log.close(10.0)
    assert log.lost == 0
    return path


def change(path, statement, *values) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_all_answers_come_out_again_by_version(path):
    report = replay(path, Wanted())
    assert report.all_equal
    assert (report.recomputed, report.differing, report.failed) == (40, 0, 0)
    assert report.versions == (
        (("demo.predictive", 1, FIRST.sha256), 20),
        (("demo.predictive", 2, SECOND.sha256), 20),
    )


@LAW
@given(scored_leads())
def test_any_scorecard_and_any_leads_come_out_again(tmp_path_factory, case):
    scorecard, lead_list = case
    scorecard = scorecard.sealed()
    entries = [answer(scorecard, i, signals) for i, signals in enumerate(lead_list)]
    path = tmp_path_factory.mktemp("law") / "scores.db"
    with closing(open_store(path)) as store:
        assert write_entries(store, [(scorecard.sha256, scorecard.to_json())], entries) == []
    report = replay(path, Wanted())
    assert report.all_equal, report
    assert report.recomputed == len(entries)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("log_odds", math.nextafter(0.0, 1.0)),
        ("probability", math.nextafter(0.5, 1.0)),
        ("band", "SQL?"),
    ],
)
def test_a_changed_row_is_found(path, field, value):
    change(path, f"UPDATE scores SET {field} = ? WHERE lead_id = 'L5'", value)
    report = replay(path, Wanted())
    assert not report.all_equal
    assert (report.recomputed, report.differing, report.failed) == (40, 1, 0)
    (difference,) = report.differences
    assert difference[:4] == ("r2", 1, field, value)
    assert difference.recomputed == getattr(answer(FIRST, 5, leads(40)[5]), field)


def test_one_bit_is_a_difference_and_so_is_a_sign_of_zero(tmp_path):
    zero = make_scorecard(make_term(VISITS), base=-0.75).sealed()  # 0.75 at 3.5 visits: a plain 0.0
    entries = [
        answer(zero, 0, {"web__visits": 3.5}),
        answer(zero, 1, {"web__visits": 3.5}, log_odds=-0.0),
        answer(zero, 2, {"web__visits": 3.5}, probability=math.nextafter(0.5, 1.0)),
    ]
    assert entries[0].log_odds == 0.0
    with closing(open_store(tmp_path / "scores.db")) as store:
        write_entries(store, [(zero.sha256, zero.to_json())], entries)
    report = replay(tmp_path / "scores.db", Wanted())
    assert [(d.request_id, d.item, d.field) for d in report.differences] == [
        ("r0", 1, "log_odds"),
        ("r1", 0, "probability"),
    ]


def test_changed_signals_are_found(path):
    change(path, "UPDATE scores SET signals = '{\"web__visits\":8.0}' WHERE lead_id = 'L21'")
    report = replay(path, Wanted())
    assert report.differing == 1
    assert {d.field for d in report.differences} == {"log_odds", "probability", "band"}


@pytest.mark.parametrize("text", ["{", "[1]", '{"web__visits": "many"}', '{"web__visits": {}}'])
def test_signals_that_cannot_be_scored_are_counted_and_the_rest_goes_on(path, text):
    change(path, "UPDATE scores SET signals = ? WHERE lead_id = 'L5'", text)
    report = replay(path, Wanted())
    assert (report.recomputed, report.differing, report.failed) == (39, 0, 1)
    (failure,) = report.failures
    assert "cannot be scored" in failure.reason
    assert failure[1:] == (1, "r2")


def test_a_changed_scorecard_is_found(path):
    change(path, "UPDATE scorecards SET document = replace(document, '1.25', '1.26')")
    report = replay(path, Wanted())
    assert (report.recomputed, report.failed) == (20, 20)
    assert "does not match its sha256" in report.failures[0].reason
    assert not report.all_equal


def test_a_scorecard_put_in_another_ones_place_is_found(path):
    change(path, "UPDATE scorecards SET document = ? WHERE sha256 = ?",
           SECOND.to_json(), FIRST.sha256)  # fmt: skip
    report = replay(path, Wanted())
    assert (report.recomputed, report.failed) == (20, 20)
    assert f"replaced by {SECOND.fingerprint}" in report.failures[0].reason


def test_a_scorecard_that_is_not_there_is_told(path):
    change(path, "DELETE FROM scorecards WHERE sha256 = ?", FIRST.sha256)
    report = replay(path, Wanted())
    assert report.failures == ((f"scorecard {FIRST.fingerprint} is not in the log", 20, "r0"),)


def test_only_what_is_asked_for_is_recomputed(path):
    assert replay(path, Wanted(request_id="r3")).recomputed == 2
    assert replay(path, Wanted(lead_id="L39")).recomputed == 1
    assert replay(path, Wanted(since_us=30 * DAY_US)).recomputed == 10
    assert replay(path, Wanted(request_id="r3", lead_id="L7", since_us=0)).recomputed == 1


def test_a_long_log_is_read_in_parts_and_its_differences_are_cut(tmp_path):
    path = tmp_path / "scores.db"
    one = answer(FIRST, 0, {"web__visits": 1.0})
    with closing(open_store(path)) as store:
        cards = [(FIRST.sha256, FIRST.to_json())]
        bad = one._replace(log_odds=9.0, lead_id="x" * 2_000)
        for _ in range(20):
            write_entries(store, cards, [bad] * 1_000)
    told = []
    tracemalloc.start()
    report = replay(path, Wanted(), lambda *words: told.append(words))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000, "the log itself is over 40 MB"
    assert report.differing == 20_000
    assert len(report.differences) == MOST_SHOWN
    assert told[0] == ("recomputing", 1_000, 20_000)
    assert told[-1] == ("recomputing", 20_000, 20_000)


def test_a_log_can_be_replayed_while_it_is_written(path):
    log = ScoreLog(path)
    log.start()
    for number in range(40, 2_000):
        log.append(answer(SECOND, number, {"web__visits": float(number)}))
        if number % 500 == 0:
            assert replay(path, Wanted()).all_equal
    log.close(10.0)
    assert (log.lost, replay(path, Wanted()).recomputed) == (0, 2_000)


def test_the_command_and_its_exit_codes(path):
    done = run("replay", "--log", path)
    assert done.returncode == 0, done.stderr
    assert "40 answers recomputed; 0 differ, 0 could not be recomputed" in done.stdout
    assert FIRST.fingerprint in done.stdout
    report = json.loads(run("replay", "--log", path, "--json", "--lead", "L3").stdout)
    assert report["recomputed"] == 1
    since = run("replay", "--log", path, "--since", "1970-01-31T00:00:00Z", "--json")
    assert json.loads(since.stdout)["recomputed"] == 10
    assert run("replay", "--log", path, "--since", "1970-01-31").returncode == 2
    assert run("replay", "--log", path, "--request-id", "nobody's").returncode == 5
    assert run("replay", "--log", path.with_name("other.db")).returncode == 5
    change(path, "UPDATE scores SET log_odds = 9e999 WHERE lead_id = 'L5'")
    change(path, "DELETE FROM scorecards WHERE sha256 = ?", SECOND.sha256)
    done = run("replay", "--log", path)
    assert done.returncode == 4
    assert "1 differ, 20 could not be recomputed" in done.stdout
    assert "is not in the log" in done.stdout
    as_json = run("replay", "--log", path, "--json")
    assert as_json.returncode == 4
    assert json.loads(as_json.stdout)["differences"][0]["logged"] == "inf"
    path.write_bytes(b"no log" * 1000)
    assert run("replay", "--log", path).returncode == 2


def test_what_a_service_imports_is_light():
    code = (
        "import sys\n"
        "import leadscore.serve.service.auth.access, leadscore.pipeline.score_log.log\n"
        "import leadscore.serve.service.replay\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr
