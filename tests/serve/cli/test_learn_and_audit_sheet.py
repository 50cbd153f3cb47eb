"""`leadscore rules learn` and `rules audit` as a user types them."""

import json
import re

import pytest
import yaml
from support.cli import run
from support.projects import AGED, WITHOUT_TIMES, make_leads, write_leads, write_project
from support.real_data import ROOT

from leadscore.pipeline.sheets.sheet import read_sheet


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = write_project(tmp_path_factory.mktemp("rules") / "mine", signals=AGED)
    write_leads(folder, make_leads(900, seed=3))
    return folder


@pytest.fixture(scope="module")
def learned(mine, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("home")
    done = run("rules", "learn", "-p", mine, "--store", store_folder, "--json")
    assert done.returncode == 0, done.stderr
    return store_folder, json.loads(done.stdout)


def test_a_sheet_is_learned_written_and_registered(mine, learned):
    store_folder, told = learned
    assert told["sheet"] == str(store_folder / "close_rate" / "mine.yaml")
    assert told["registered"]["name"] == "mine.close_rate"
    assert told["registered"]["metrics"]["auc"]["low"] > 0.6
    best = max(told["attributes"], key=lambda row: row["points"])
    assert best["difference"]["low"] > 0.0
    assert best["difference"]["value"] == pytest.approx(
        100.0 * (best["close_rate"] - best["expected"])
    )
    sheet = yaml.safe_load((store_folder / "close_rate" / "mine.yaml").read_text(encoding="utf-8"))
    assert set(sheet) == {"mql", "sql", "criteria"}
    audited = run("rules", "audit", "-p", mine, "--sheet", told["sheet"], "--json")
    found = json.loads(audited.stdout)
    deserved = [c["deserves"] for c in found["criteria"] if c["deserves"] is not None]
    assert all(d["low"] < d["value"] < d["high"] for d in deserved)
    assert deserved
    flags = [flag["kind"] for criterion in found["criteria"] for flag in criterion["flags"]]
    assert "sign conflict" not in flags, "what history gave, history does not take back"


def test_an_edited_sheet_is_left_alone(mine, learned, tmp_path):
    store_folder, _ = learned
    path = tmp_path / "mine.yaml"
    path.write_text("mql: 10\n", encoding="utf-8")
    done = run("rules", "learn", "-p", mine, "--store", tmp_path, "--write", path)
    assert done.returncode == 4
    assert "edited by hand" in done.stderr
    assert path.read_text(encoding="utf-8") == "mql: 10\n"
    assert not (tmp_path / "mlflow.db").exists()
    done = run("rules", "learn", "-p", mine, "--store", store_folder, "--write", path, "--force")
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == (store_folder / "close_rate" / "mine.yaml").read_bytes()
    assert "Registered as mine.close_rate version 2, challenger" in done.stdout
    assert "at most 5 % of these are chance" in done.stdout


def test_leads_without_order_have_a_sheet_that_nothing_can_judge(tmp_path):
    signals = {name: declared for name, declared in AGED.items() if name != "age"}
    folder = write_project(
        tmp_path / "mine", data=WITHOUT_TIMES, signals=signals, training={"horizon_days": None}
    )
    write_leads(folder, make_leads(900, seed=3))
    done = run("rules", "learn", "-p", folder, "--store", tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert "Not registered: these leads have no order" in done.stdout
    assert (tmp_path / "store" / "close_rate" / "mine.yaml").is_file()
    assert not (tmp_path / "store" / "mlflow.db").exists()


def test_the_audit_of_the_demos_sheet_finds_its_careers_page(registered):
    done = run("rules", "audit", "-p", "demo", "--data", registered.store_folder / "demo")
    assert done.returncode == 0, done.stderr
    assert "careers_page: " in done.stdout
    assert "of all points belong to criteria that history does not support" in done.stdout
    assert "History was made by what sales used then" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:30])) <= 120


def test_a_sheet_that_is_not_there_is_told(mine, tmp_path):
    done = run("rules", "audit", "-p", mine, "--sheet", tmp_path / "none.yaml")
    assert done.returncode == 2
    assert "none.yaml: no such file" in done.stderr


def test_every_row_of_the_page_is_read(registered, tmp_path):
    """The table and the YAML of docs/rules.md, put into sheets for the demo."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `(\{.*\})` \|$", page, re.MULTILINE)
    assert len(rows) == 14
    for number, row in enumerate(map(yaml.safe_load, rows)):
        sheet = tmp_path / f"row{number}.yaml"
        sheet.write_text(yaml.safe_dump({"mql": 1, "sql": 2, "criteria": {"row": row}}))
        assert read_sheet(registered.project, sheet).rules
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)):
        sheet = tmp_path / f"block{number}.yaml"
        sheet.write_text(block if "mql" in block else f"mql: 1\nsql: 2\n{block}")
        assert read_sheet(registered.project, sheet).rules
