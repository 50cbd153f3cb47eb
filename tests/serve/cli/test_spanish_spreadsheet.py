"""A Spanish spreadsheet goes from the page that describes it to a scored file."""

import csv
import json

import pytest
from support.worlds.spreadsheet import write_sheet
from typer.testing import CliRunner

from leadscore.serve.cli.main import app


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    return write_sheet(folder / "hoja"), folder / "store"


def run(*words):
    done = CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_sheet_is_checked_trained_on_and_scored(sheet, tmp_path):
    folder, store_folder = sheet
    checked = json.loads(run("check", "-p", folder, "--json"))
    assert checked["rejects"] == []
    trained = json.loads(run("train", "-p", folder, "--store", store_folder, "--json"))
    assert trained["metrics"]["auc"]["low"] > 0.6
    run("promote", "1", "-p", folder, "--store", store_folder)
    scored = tmp_path / "puntuados.csv"
    run("score", folder / "leads.csv", scored, "-p", folder, "--store", store_folder)
    with scored.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    with (folder / "leads.csv").open(encoding="cp1252") as stream:
        leads = list(csv.DictReader(stream, delimiter=";"))
    assert [row["lead_id"] for row in rows] == [lead["ID"] for lead in leads]
    by_title: dict[str, list[float]] = {}
    for row, lead in zip(rows, leads, strict=True):
        by_title.setdefault(lead["Cargo"], []).append(float(row["probability"]))
    means = {title: sum(values) / len(values) for title, values in by_title.items()}
    assert means["CEO"] > 2 * means["Becaria"]
    spam = {
        row["band"] for row, lead in zip(rows, leads, strict=True) if "yopmail" in lead["Correo"]
    }
    assert spam == {"cold"}
