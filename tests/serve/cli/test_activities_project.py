"""The commands on a project with activities, from training to a score as of a moment."""

import csv
import io
import json
import random
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from support.projects import SIGNALS, make_leads, write_leads, write_project
from typer.testing import CliRunner

from leadscore.pipeline.tracking.store import open_store
from leadscore.serve.cli.main import app

SOURCE = {
    "file": "web.csv", "lead": "lead", "kind": "event", "id": "id",
    "occurred": {"column": "at"}, "properties": {"page": {}},
}  # fmt: skip
MADE = {
    **SIGNALS,
    "visits": {"family": "web", "kind": "count", "activity": "visit", "window_days": 30},
    "pricing": {"family": "web", "kind": "count", "where": {"page": "/pricing"}},
    "interest": {"family": "web", "kind": "decayed", "half_life_days": 7},
    "quiet": {"family": "web", "kind": "days_since"},
    "channel": {"family": "web", "kind": "first_touch", "property": "page"},
    "age": {"family": "form", "kind": "lead_age"},
}
TRAINING = {"snapshots": {"every_days": 3, "until_days": 6}, "horizon_days": 40}


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def run_json(*words):
    return json.loads(run(*words, "--json"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Five hundred leads whose winners look at prices; trained, and the champion promoted."""
    folder = tmp_path_factory.mktemp("cli") / "shop"
    data = {"activities": [SOURCE], "extracted_at": "2025-06-30T00:00:00Z"}
    write_project(folder, data=data, signals=MADE, training=TRAINING)
    leads, dice = make_leads(500, seed=3), random.Random(4)
    write_leads(folder, leads)
    rows = []
    for lead in leads:
        created = datetime.fromisoformat(lead["created_at"])
        for _ in range(dice.randrange(8)):
            likes = dice.random() < (0.6 if lead["status"] == "won" else 0.2)
            rows.append(
                {
                    "id": f"a{len(rows)}",
                    "lead": lead["lead_id"],
                    "event": dice.choice(["visit", "download"]),
                    "at": (created + timedelta(days=dice.uniform(-2, 9)))
                    .astimezone(UTC)
                    .isoformat(),
                    "page": "/pricing" if likes else dice.choice(["/home", "/jobs", ""]),
                }
            )
    write_leads(folder, rows, "web.csv")
    options = ("-p", folder, "--store", folder / "var")
    run("train", *options)
    run("promote", 1, *options)
    return folder, options


def test_check_counts_activities_and_shows_parts(shop):
    folder, _ = shop
    report = run_json("check", "-p", folder)
    assert report["problems"] == []
    assert report["activities"] > 1000
    assert {part["part"] for part in report["parts"]} >= {"earlier", "later"}
    shown = run("check", "-p", folder)
    assert "activities" in shown
    assert "left out" in shown
    assert "closed at or before the snapshot" in shown


def test_figures_are_shown_within_each_age_too(shop):
    _folder, options = shop
    judged = run_json("evaluate", *options)
    assert [age["age_days"] for age in judged["ages"]] == [0.0, 3.0, 6.0]
    assert sum(age["snapshots"] for age in judged["ages"]) == judged["snapshots"]
    assert "AUC within the age" in run("evaluate", *options)


def test_describe_tells_every_signal_in_words_with_coverage_and_points(shop):
    _folder, options = shop
    told = run_json("describe", *options)
    assert told["model"] == "shop.predictive version 1"
    by_name = {signal["column"]: signal for signal in told["signals"]}
    assert len(by_name) == len(MADE)
    assert by_name["web__visits"]["definition"] == "how many visit in the last 30 days"
    assert by_name["web__visits"]["coverage"] == 1.0
    assert 0.0 < by_name["web__quiet"]["coverage"] < 1.0
    points = [value["points"] for value in by_name["web__pricing"]["values"]]
    assert points[-2] > points[0]  # the most views of prices against none; missing stands last
    shown = run("describe", *options)
    assert "web__pricing: how many activities with page /pricing" in shown
    assert "(missing)" in shown


def test_describe_works_before_anything_is_trained_and_makes_no_store(shop, tmp_path):
    folder, _ = shop
    told = run_json("describe", "-p", folder, "--store", tmp_path / "none")
    assert told["model"] == "nothing is registered yet"
    assert all(signal["values"] == [] for signal in told["signals"])
    assert not (tmp_path / "none").exists()


def test_a_file_is_scored_as_of_the_extract_and_says_so(shop, tmp_path):
    folder, options = shop
    target = tmp_path / "scored.csv"
    report = run_json("score", folder / "leads.csv", target, *options)
    assert report["as_of"] == "2025-06-30T00:00:00Z"
    assert report["scored"] == 500
    shown = run("score", folder / "leads.csv", target, *options)
    assert "as of 2025-06-30T00:00:00Z: nothing recorded later was used" in shown
    assert "are older than any the model learned from (6 days)" in shown


def test_explaining_a_lead_gives_the_probability_of_the_scored_file(shop, tmp_path):
    folder, options = shop
    target, moment = tmp_path / "scored.csv", "2025-03-01T12:00:00Z"
    report = run_json("score", folder / "leads.csv", target, *options, "--as-of", moment)
    assert report["scored"] + report["not_yet"] == 500
    assert report["not_yet"] > 200
    with target.open() as stream:
        scored = list(csv.DictReader(stream))
    for row in scored[::40]:
        told = run_json("explain", "--lead", row["lead_id"], *options, "--as-of", moment)
        assert told["as_of"] == moment
        assert told["probability"] == pytest.approx(float(row["probability"]), abs=1e-12)


def test_signals_leave_as_a_table_and_as_the_text_that_makes_them(shop):
    folder, _options = shop
    rows = list(csv.DictReader(io.StringIO(run("export", "signals", "-p", folder))))
    judged = run_json("train", "-p", folder, "--store", folder / "again")
    assert len(rows) == (
        judged["earlier_snapshots"] + judged["snapshots"] + judged["snapshots_in_neither_part"]
    )
    assert list(rows[0])[:2] == ["lead_id", "as_of"]
    assert {row["label"] for row in rows} == {"0", "1"}
    text = run("export", "signals-sql", "-p", folder)
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE snapshots (snapshot_id, lead_id, as_of_us)")
        connection.execute(
            "CREATE TABLE leads (lead_id, created_us, country, employees, newsletter)"
        )
        connection.execute(
            "CREATE TABLE activities (lead_id, kind, occurred_us, recorded_us, place, page)"
        )
        connection.execute("INSERT INTO snapshots VALUES (0, 'a', 100)")
        connection.execute("INSERT INTO leads VALUES ('a', 0, 'ES', 3.0, 1.0)")
        connection.execute("INSERT INTO activities VALUES ('a', 'visit', 40, 60, 0, '/pricing')")
        connection.execute("INSERT INTO activities VALUES ('a', 'visit', 50, 101, 1, '/jobs')")
        cursor = connection.execute(text)
        row = dict(zip([c[0] for c in cursor.description], cursor.fetchone(), strict=True))
    assert (row["web__visits"], row["web__pricing"], row["web__channel"]) == (1, 1, "/pricing")


def test_a_memory_limit_that_is_none_is_told(shop):
    folder, _ = shop
    result = CliRunner().invoke(app, ["check", "-p", str(folder), "--memory-limit", "a lot"])
    assert result.exit_code == 2
    assert "--memory-limit: 'a lot'" in result.stderr


def test_a_file_and_an_explanation_are_as_of_the_same_moment_by_default(shop, tmp_path):
    folder, options = shop
    (folder / "data.yaml").write_text(
        (folder / "data.yaml").read_text().replace('"2025-06-30T00:00:00Z"', "null")
    )
    try:
        report = run_json("score", folder / "leads.csv", tmp_path / "scored.csv", *options)
        told = run_json("explain", "--lead", "00001", *options)
    finally:
        (folder / "data.yaml").write_text(
            (folder / "data.yaml")
            .read_text()
            .replace('"extracted_at": null', '"extracted_at": "2025-06-30T00:00:00Z"')
        )
    assert told["as_of"] == report["as_of"] < "2025-06-30"


def test_scoring_beyond_the_end_of_the_activities_is_noted(shop, tmp_path):
    folder, options = shop
    moment = ("--as-of", "2026-01-01T00:00:00Z")
    report = run_json("score", folder / "leads.csv", tmp_path / "s.csv", *options, *moment)
    assert any("what leads did since is not seen" in note for note in report["notes"])


def test_a_version_that_is_not_there_is_an_error_for_describe_too(shop):
    _, options = shop
    result = CliRunner().invoke(app, ["describe", *map(str, options), "--model", "9"])
    assert result.exit_code == 5


def test_the_run_keeps_cut_parts_and_what_was_left_out(shop):
    _, options = shop
    store = open_store(options[3])
    run_id = store.find_version("shop.predictive", "1").run_id
    data = store.read_document(run_id, "data.json")
    assert data["extract"] == "2025-06-30T00:00:00Z"
    assert data["cut"].startswith("2025-")
    for part in data["parts"].values():
        assert part["won"] + part["not_won"] == part["snapshots"]
    assert data["snapshots_left_out"]["closed at or before the snapshot"] > 0
