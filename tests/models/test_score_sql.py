"""The scorecard as SQL: one text, run unchanged on DuckDB and on SQLite."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from support.scorecards import (
    LAW,
    LEVELS,
    NAMES,
    Lead,
    columns_of,
    is_missing,
    magnitude,
    make_scorecard,
    make_term,
    scored_leads,
)

from leadscore.models.bands import Bands
from leadscore.models.errors import ScorecardError
from leadscore.models.log_odds import to_log_odds
from leadscore.models.score_lead import Scorer
from leadscore.models.score_sql import score_sql
from leadscore.models.scorecard import Cap, Scorecard
from leadscore.models.shapes import Curve, Steps, Table
from leadscore.models.sql_text import quote_name

VISITS = Curve(knots=(0.0, 4.0), values=(-1.0, 1.0), missing=-0.75)


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Any]]:
    opened = {"duckdb": duckdb.connect(), "sqlite": sqlite3.connect(":memory:")}
    yield opened
    for engine in opened.values():
        engine.close()


def run_sql(engine: Any, scorecard: Scorecard, leads: list[Lead]) -> list[tuple]:
    """The table of these leads, missing as NULL, and the scorecard's text over it."""
    columns = {
        quote_name(c): "TEXT" if text else "DOUBLE" for c, text in columns_of(scorecard).items()
    }
    declared = ", ".join(["lead_id INTEGER", *(f"{c} {t}" for c, t in columns.items())])
    engine.execute("DROP TABLE IF EXISTS signals")
    engine.execute(f"CREATE TABLE signals ({declared})")
    rows = [
        [number, *(None if is_missing(v) else v for v in map(lead.get, columns_of(scorecard)))]
        for number, lead in enumerate(leads)
    ]
    engine.executemany(f"INSERT INTO signals VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return engine.execute(score_sql(scorecard, "signals") + " ORDER BY lead_id").fetchall()


def reads_marks_exactly(engine: Any, scorecard: Scorecard) -> bool:
    """SQLite reads some numbers, 3.95e-303 say, a bit off, and a lead on that very edge with it."""
    shapes = [s for term in scorecard.terms for s in (term.shape, *term.variants.values())]
    marks = [
        mark for s in shapes for mark in getattr(s, "knots", ()) or getattr(s, "edges", ())
    ]  # fmt: skip
    texts = [repr(mark) if "e" in repr(mark) else f"{mark!r}e0" for mark in marks]
    read = [engine.execute(f"SELECT {text}").fetchone()[0] for text in texts]
    return read == marks


def check_sql(engine: Any, scorecard: Scorecard, leads: list[Lead]) -> None:
    scorer = Scorer(scorecard)
    rows = run_sql(engine, scorecard, leads)
    assert [row[0] for row in rows] == list(range(len(leads)))
    for (_, log_odds, probability, score, band, points), lead in zip(rows, leads, strict=True):
        expected = scorer.score(lead)
        slack = 1e-9 * magnitude(scorecard)
        assert math.isclose(log_odds, expected.log_odds, rel_tol=0.0, abs_tol=slack), lead
        assert math.isclose(probability, expected.probability, rel_tol=0.0, abs_tol=slack)
        assert math.isclose(score, 100.0 * probability, rel_tol=1e-12)
        assert band == expected.band
        wanted = scorecard.points.total(expected.log_odds)
        assert math.isclose(points, wanted, rel_tol=1e-9, abs_tol=slack / 1e-6)


def test_sql_says_what_the_scorer_says(engines):
    @LAW
    @given(scored_leads())
    def law(drawn):
        for engine in engines.values():
            if reads_marks_exactly(engine, drawn[0]):
                check_sql(engine, *drawn)

    law()


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_scorecard_told_by_hand_in_sql(engines, engine):
    channel = Table(levels={"ads": -0.5, "fair": 1.25}, missing=-0.25, other=2.0)
    age = Curve(knots=(0.0, 30.0), values=(0.5, -0.25), beyond="linear", missing=0.0)
    ads = Steps(edges=(2.0,), values=(0.25, 0.75), missing=0.0)
    scorecard = make_scorecard(
        make_term(channel, "web__channel"),
        make_term(VISITS, by="web__channel", variants={"ads": ads}, group="visits"),
        make_term(age, "firmographic__age", group="visits"),
        base=-1.5,
        caps={"visits": Cap(low=-1.0, high=1.0)},
    )
    leads = [
        {"web__channel": "fair", "web__visits": 3.0, "firmographic__age": 60.0},
        {"web__channel": "ads", "web__visits": 2.0, "firmographic__age": -30.0},
        {"web__channel": "Fair", "web__visits": 9.0, "firmographic__age": 0.0},
        {},
    ]
    by_hand = [
        -1.5 + 1.25 + (0.5 - 1.0),
        -1.5 - 0.5 + 1.0,  # 0.75 + 1.25 is cut down to 1
        -1.5 + 2.0 + 1.0,  # 1.0 + 0.5 is cut down to 1; Fair is not fair
        -1.5 - 0.25 - 0.75,
    ]
    rows = run_sql(engines[engine], scorecard, leads)
    assert [row[1] for row in rows] == by_hand
    assert [row[4] for row in rows] == ["MQL", "MQL", "SQL", "cold"]
    assert [row[2] for row in rows] == pytest.approx([1 / (1 + math.exp(-x)) for x in by_hand])


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_lead_on_a_cutoff_has_the_same_band_in_sql(engines, engine):
    for mql, sql in ((0.2, 0.5), (0.1, 0.35), (0.0123456789, 0.9)):
        for cutoff in (to_log_odds(mql), to_log_odds(sql)):
            for base in (cutoff, np.nextafter(cutoff, -99), np.nextafter(cutoff, 99)):
                scorecard = make_scorecard(base=float(base), bands=Bands(mql=mql, sql=sql))
                check_sql(engines[engine], scorecard, [{}])


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
@pytest.mark.parametrize("base", [0.0, -36.8, 36.8, 699.0, -699.0, 701.0, -745.0, 1e9, -1e9])
def test_no_probability_overflows(engines, engine, base):
    check_sql(engines[engine], make_scorecard(base=base), [{}])


def test_exp_is_only_asked_for_what_no_engine_calls_an_overflow():
    # PostgreSQL makes over- and underflow an error
    def strict_exp(x: float) -> float:
        assert -700.0 <= x <= 0.0
        return math.exp(x)

    with closing(sqlite3.connect(":memory:")) as engine:
        engine.create_function("EXP", 1, strict_exp)
        for base in (0.0, 1.0, -1.0, 700.0, -700.0, 701.0, -701.0, 1e9, -1e9):
            check_sql(engine, make_scorecard(base=base), [{}])


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_sums_are_those_of_floats_and_not_of_decimals(engines, engine):
    tenths = [Table(levels={}, missing=0.1, other=0.0) for _ in range(3)]
    terms = (make_term(table, f"web__{n}") for n, table in enumerate(tenths))
    ((_, log_odds, *_),) = run_sql(engines[engine], make_scorecard(*terms), [{}])
    assert log_odds == 0.1 + 0.1 + 0.1 != 0.3


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_every_edge_is_where_python_has_it(engines, engine):
    edges = (1e-300, 0.1, 0.30000000000000004, 1.1, 2.2250738585072014e-5, 12345.6789, 1e22, 1e300)
    edges = tuple(sorted(edges))
    scorecard = make_scorecard(
        make_term(Steps(edges=edges, values=tuple(map(float, range(9))), missing=-1.0))
    )
    at = [float(np.nextafter(edge, side)) for edge in edges for side in (-np.inf, np.inf)]
    check_sql(engines[engine], scorecard, [{"web__visits": x} for x in (*edges, *at)])


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_no_level_and_no_name_can_leave_its_quotes(engines, engine):
    hostile = ["'; DROP TABLE signals; --", "''", "'", '"', "a' OR '1'='1", "\n", "/*", *LEVELS]
    worth = {level: float(number) for number, level in enumerate(hostile, start=1)}
    names = ['web__"; DROP TABLE signals; --', *(f"web__{name}" for name in NAMES)]
    names = list(dict.fromkeys(names))
    scorecard = make_scorecard(
        *(make_term(Table(levels=worth, missing=-1.0, other=-2.0), name) for name in names),
        bands=Bands(mql=0.2, sql=0.5),
    )
    leads = [dict.fromkeys(names, level) for level in [*hostile, "never seen"]]
    check_sql(engines[engine], scorecard, leads)


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_keys_and_table_are_the_callers(engines, engine):
    scorecard = make_scorecard(make_term(VISITS))
    database = engines[engine]
    database.execute('DROP TABLE IF EXISTS "all ""leads"""')
    database.execute(
        'CREATE TABLE "all ""leads""" AS SELECT \'l1\' AS lead_id, 7 AS "as of", 4e0 AS web__visits'
    )
    text = score_sql(scorecard, 'all "leads"', keys=("lead_id", "as of"))
    assert ";" not in text
    assert database.execute(text).fetchall() == [
        (
            "l1",
            7,
            1.0,
            pytest.approx(1 / (1 + math.exp(-1))),
            pytest.approx(73.10585786),
            "SQL",
            1.0,
        )
    ]


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_column_that_is_not_there_is_an_error(engines, engine):
    # SQLite takes a quoted name that is no column for a text, and scores it
    database = engines[engine]
    database.execute("DROP TABLE IF EXISTS signals")
    database.execute("CREATE TABLE signals AS SELECT 'l1' AS lead_id, 4e0 AS web__visit")
    text = score_sql(make_scorecard(make_term(VISITS)), "signals")
    with pytest.raises((duckdb.Error, sqlite3.Error), match="web__visits"):
        database.execute(text).fetchall()


def test_names_and_levels_that_no_engine_can_quote_are_refused():
    scorecard = make_scorecard(make_term(VISITS))
    for table, keys in (("", ("lead_id",)), ("a\0b", ("lead_id",)), ("leads", ("",))):
        with pytest.raises(ScorecardError, match="cannot be the name"):
            score_sql(scorecard, table, keys)
    nul = Table(levels={"a\0b": 1.0}, missing=0.0, other=0.0)
    with pytest.raises(ScorecardError, match="NUL"):
        score_sql(make_scorecard(make_term(nul, "web__channel")), "signals")
    variants = make_term(VISITS, by="web__channel", variants={"a\0b": VISITS})
    with pytest.raises(ScorecardError, match="NUL"):
        score_sql(make_scorecard(variants), "signals")
    with pytest.raises(ScorecardError, match="cannot be the name"):
        score_sql(make_scorecard(make_term(VISITS, "web__a\0b")), "signals")


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_a_hundred_capped_terms_and_a_thousand_levels_are_no_trouble(engines, engine):
    levels = {f"level {n}": n / 1000.0 for n in range(1000)}
    names = [f"web__visits_{n}" for n in range(100)]
    scorecard = make_scorecard(
        *(make_term(VISITS, name, group="all") for name in names),
        make_term(Table(levels=levels, missing=0.0, other=0.0), "web__channel"),
        caps={"all": Cap(low=-50.0, high=50.0)},
    )
    leads = [dict.fromkeys(names, visits) | {"web__channel": "level 999"} for visits in (0.0, 2.5)]
    check_sql(engines[engine], scorecard, leads)
