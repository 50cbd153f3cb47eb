"""A rule sheet as its team uses it: registered, promoted, scored in a file, served, explained."""

import csv
import json
import shutil
import sqlite3

import pytest
from support.cli import run
from support.projects import WITHOUT_TIMES, make_leads, write_leads, write_project
from support.requests import EXTRACT, read_requests
from support.services_in_process import fill_cache, service_inside

from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.tracking.store import open_store

LEADS = 400


@pytest.fixture(scope="module")
def told(registered, promoted, tmp_path_factory):
    """A store folder with the demo's sheet as champion of its kind, and the outputs of commands."""
    store_folder = tmp_path_factory.mktemp("rules") / "store"
    shutil.copytree(promoted, store_folder)
    relocate(store_folder)
    data = registered.store_folder / "demo"
    done = run("rules", "register", "-p", "demo", "--data", data, "--store", store_folder, "--json")
    assert done.returncode == 0, done.stderr
    moved = run("promote", "-p", "demo", "rules:1", "--store", store_folder)
    assert moved.returncode == 0, moved.stderr
    assert "demo.rules version 1" in moved.stdout
    return store_folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def sheet(told):
    return open_store(told[0]).load_scorecard("demo.rules", "champion")[0]


@pytest.fixture(scope="module")
def scored(registered, told, tmp_path_factory):
    """The rows of a file that was scored by the sheet, by lead."""
    data, target = (
        registered.store_folder / "demo",
        tmp_path_factory.mktemp("scored") / "scored.csv",
    )
    done = run("score", data / "leads.csv", target, "-p", "demo", "--data", data,
               "--store", told[0], "--model", "rules", "--as-of", EXTRACT)  # fmt: skip
    assert done.returncode == 0, done.stderr
    with target.open(encoding="utf-8") as stream:
        return {row["lead_id"]: row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def service(registered, sheet, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("served")
    fill_cache(
        store_folder, {1: registered.training.scorecard}, champion=1, sheets={"rules": sheet}
    )
    with service_inside(store_folder) as service:
        yield service


@pytest.fixture(scope="module")
def served(registered, service):
    leads = read_requests(registered.store_folder / "demo")[:LEADS]
    answer = service.post("/v1/score/batch?model=rules", {"leads": leads}).json()
    assert answer["failed"] == 0, answer["results"]
    return {result["answer"]["lead_id"]: result["answer"] for result in answer["results"]}


def test_registering_says_what_the_points_have_come_to(told):
    said = told[1]
    assert said["model"] == "demo.rules"
    assert said["hyperparameters"] is None
    assert said["recalibration"]["factor"] > 0.0
    auc = said["metrics"]["auc"]
    assert 0.6 < auc["value"] < 0.85
    assert auc["low"] < auc["value"] < auc["high"]
    assert {band["band"] for band in said["bands"]} == {"SQL", "MQL", "cold"}
    assert (told[0] / "reports" / "demo-rules-v1.html").is_file()


def test_served_points_are_those_of_the_file(scored, served, sheet):
    for lead, answer in served.items():
        row = scored[lead]
        assert answer["points"] == round(float(row["points"]), 6)
        assert answer["probability"] == float(row["probability"])
        assert answer["band"] == row["band"]
        assert (answer["fit"], answer["engagement"]) == (row["fit"], row["engagement"])
        assert answer["model"] == {
            "name": "demo.rules", "version": 1, "fingerprint": sheet.fingerprint,
        }  # fmt: skip
    assert {row["band"] for row in scored.values()} == {"cold", "MQL", "SQL"}


def test_reasons_are_the_points_of_the_sheet_and_add_up(served):
    for answer in served.values():
        assert answer["average"]["points"] == 0.0
        assert round(sum(reason["points"] for reason in answer["reasons"]), 6) == answer["points"]
    reasons = [reason for answer in served.values() for reason in answer["reasons"]]
    seniority = {
        reason["value"]: reason["points"]
        for reason in reasons
        if reason["signal"] == "demographic__seniority"
    }
    assert seniority["director"] == 20.0
    assert seniority["student"] == -20.0


def test_a_level_that_a_sheet_has_no_points_for_is_no_surprise(served):
    codes = {warning["code"] for answer in served.values() for warning in answer["warnings"]}
    assert "unseen_level" not in codes
    assert not any("level" in code for code in codes)


def test_nobody_of_hopeless_fit_is_sales_qualified(scored):
    rows = [row for row in scored.values() if float(row["points"]) >= 100.0]
    assert {row["fit"] for row in rows} >= {"A", "B"}
    held = [row for row in rows if row["fit"] == "D"]
    assert all(row["band"] != "SQL" for row in held)
    assert all(row["band"] == "SQL" for row in rows if row["fit"] != "D")


def test_the_sheet_as_sql_gives_the_points_of_the_file(registered, service, scored, sheet, told):
    """SQLite scores the signals of the leads; nothing of ours is called."""
    exported = run(
        "export", "-p", "demo", "sql", "--model", "rules", "--store", told[0], "--table", "signals"
    )
    assert exported.returncode == 0, exported.stderr
    database = sqlite3.connect(":memory:")
    columns = ", ".join(
        f'"{name}" {"TEXT" if text else "REAL"}' for name, text in sheet.columns.items()
    )
    database.execute(f"CREATE TABLE signals (lead_id TEXT, {columns})")
    leads = read_requests(registered.store_folder / "demo")[:60]
    for lead in leads:
        answer = service.post("/v1/explain?model=rules", lead).json()
        values = {reason["signal"]: reason["value"] for reason in answer["reasons"]}
        row = [lead["lead_id"], *(values[name] for name in sheet.columns)]
        database.execute(f"INSERT INTO signals VALUES ({', '.join('?' * len(row))})", row)
    rows = database.execute(exported.stdout.rstrip().rstrip(";")).fetchall()
    assert len(rows) == len(leads)
    for lead, _, probability, _, band, points in rows:
        assert points == pytest.approx(float(scored[lead]["points"]), abs=1e-9)
        assert probability == pytest.approx(float(scored[lead]["probability"]), abs=1e-12)
        assert band == scored[lead]["band"]


def test_the_sheet_explains_a_lead_in_points_from_nothing(registered, told, scored):
    lead = max(scored, key=lambda one: float(scored[one]["points"]))
    done = run("explain", "--lead", lead, "-p", "demo", "--data", registered.store_folder / "demo",
               "--store", told[0], "--model", "rules", "--as-of", EXTRACT)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "every lead" in done.stdout
    assert "the average lead" not in done.stdout
    assert f"{float(scored[lead]['points']):+.1f}" in done.stdout


def test_all_kinds_are_listed_and_the_model_says_where_its_bands_begin(told, service):
    listed = run("versions", "-p", "demo", "--store", told[0])
    assert "demo.predictive" in listed.stdout
    assert "demo.rules" in listed.stdout
    model = service.get("/v1/model?model=rules").json()
    assert model["kind"] == "rules"
    assert model["bands"]["points"] == {"mql": 50.0, "sql": 100.0}
    assert model["bands"]["minimums"]["sql"]["fit"] == "C"


def test_an_explanation_of_a_sheet_has_its_sentence(service, registered):
    lead = read_requests(registered.store_folder / "demo")[0]
    answer = service.post("/v1/explain?model=rules", lead).json()
    assert "% likely to buy within 60 days" in answer["sentence"]
    assert answer["points"] == round(sum(reason["points"] for reason in answer["reasons"]), 6)


def test_a_sheet_over_leads_without_order_can_be_judged_again(tmp_path):
    folder = write_project(tmp_path / "mine", data=WITHOUT_TIMES, training={"horizon_days": None})
    write_leads(folder, make_leads(400))
    row = "{signal: country, is: [ES], points: 5}"
    (folder / "rules.yaml").write_text(f"mql: 1\nsql: 5\ncriteria:\n  store_folder: {row}\n")
    where = ("-p", folder, "--store", tmp_path / "store")
    done = run("rules", "register", *where)
    assert done.returncode == 0, done.stderr
    judged = run("evaluate", "--model", "rules:1", *where)
    assert judged.returncode == 0, judged.stderr
    unnamed = run("evaluate", "--model", "rules", *where)
    assert "promote rules:VERSION" in unnamed.stderr
