"""`leadscore audit` as a user types it, and what training leaves of it."""

import json
import shutil

import numpy as np
import pytest
import yaml
from support.cli import run
from support.worlds.audited import honest, ids, project_of, settled, world

from leadscore.pipeline.audit.records import suppress_cells
from leadscore.pipeline.tracking.store import open_store
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows.record_training import record_training


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaky") / "mine"
    folder.mkdir()
    leads = world(1200, extra=settled, number=ids, honest=honest)
    project_of(folder, leads, used=["extra", "number", "honest"])
    return folder


def test_the_audit_is_told_drawn_and_ends_with_4(leaky, tmp_path):
    done = run("audit", "-p", leaky, "--store", tmp_path)
    assert done.returncode == 4
    assert "DO NOT TRAIN ON THIS YET, because:" in done.stdout
    assert "to use it anyway: --allow-leak form__extra" in done.stdout
    page = (tmp_path / "reports" / "mine-audit.html").read_text(encoding="utf-8")
    assert "Do not train on this yet." in page
    assert 'id="chart-filling"' in page
    assert "<td>refuse" in page
    assert "lead-7" not in page


def test_its_json_has_every_column_and_signal(leaky, tmp_path):
    done = run("audit", "-p", leaky, "--store", tmp_path, "--json", "--allow-leak", "extra")
    assert done.returncode == 0
    audit = json.loads(done.stdout)
    assert audit["verdict"] == "train with warnings"
    verdicts = {column["name"]: column["verdict"] for column in audit["columns"]}
    assert verdicts == {
        "form__extra": "use", "form__number": "quarantine", "form__honest": "use",
        "demographic__country": "use", "firmographic__employees": "use", "newsletter": "use",
    }  # fmt: skip
    strict = run("audit", "-p", leaky, "--store", tmp_path, "--allow-leak", "extra", "--strict")
    assert strict.returncode == 4


def test_training_refuses_leaves_out_and_records(leaky, tmp_path):
    refused = run("train", "-p", leaky, "--store", tmp_path)
    assert refused.returncode == 4
    assert "form__extra: leaks: " in refused.stderr
    done = run("train", "-p", leaky, "--store", tmp_path, "--allow-leak", "form__extra", "--json")
    assert done.returncode == 0, done.stderr
    version = json.loads(done.stdout)
    assert version["audit"]["allowed_leaks"] == ["form__extra"]
    store = open_store(tmp_path)
    scorecard, _ = store.load_scorecard("mine.predictive", "challenger")
    assert scorecard.training["allowed_leaks"] == ["form__extra"]
    signals = {term.signal for term in scorecard.terms}
    assert "form__extra" in signals
    assert "form__number" not in signals, "quarantine is not learned from"
    recorded = json.loads(store.read_text(version["run_id"], "audit.json"))
    assert recorded["allowed_leaks"] == ["form__extra"]
    page = (tmp_path / "reports" / "mine-v1.html").read_text(encoding="utf-8")
    warning = (
        "The model learned from columns that the audit calls leaks (--allow-leak): form__extra"
    )
    assert warning in page
    run("promote", 1, "-p", leaky, "--store", tmp_path)
    scored = tmp_path / "scored.csv"
    done = run("score", leaky / "leads.csv", scored, "-p", leaky, "--store", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(scored.read_text().splitlines()) == 1201


def test_a_leak_that_is_left_out_leaves_no_trace_in_the_model(leaky, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(leaky, folder)
    data = yaml.safe_load((folder / "data.yaml").read_text())
    signals = yaml.safe_load((folder / "signals.yaml").read_text())
    del data["leads"]["fields"]["extra"], signals["extra"]
    data["excluded"] = {"extra": "says how it ended"}
    (folder / "data.yaml").write_text(json.dumps(data))
    (folder / "signals.yaml").write_text(json.dumps(signals))
    done = run("audit", "-p", folder, "--store", tmp_path / "store", "--json")
    assert done.returncode == 0
    columns = {c["name"]: c for c in json.loads(done.stdout)["columns"]}
    assert columns["extra"]["verdict"] == "refuse"
    assert columns["extra"]["reasons"][-1] == "left out in data.yaml: says how it ended"
    assert run("train", "-p", folder, "--store", tmp_path / "store").returncode == 0


def test_values_that_few_leads_have_are_named_nowhere(tmp_path):
    leads = world(1200)
    won = (leads["status"] == "won").to_numpy()
    leads["note"] = np.where(won & (np.cumsum(won) <= 25), "Juana Pérez", "none")
    project = project_of(tmp_path / "few", leads, used=["note"])
    training = train(project, allowed_leaks=["note"])
    version = record_training(training, tmp_path / "store").version
    kept = open_store(tmp_path / "store").read_text(version.run_id, "audit.json")
    page = (tmp_path / "store" / "reports" / "few-v1.html").read_text(encoding="utf-8")
    assert "Juana" not in kept
    assert "Juana" not in json.dumps(suppress_cells(training.audit).to_json())
    assert "Juana" not in page


def test_a_category_that_the_report_breaks_down_by_may_be_in_quarantine(tmp_path):
    project = project_of(tmp_path / "mine", world(900, number=ids), used=["number"])
    signals = yaml.safe_load((tmp_path / "mine" / "signals.yaml").read_text())
    signals["number"]["family"] = "web"
    (tmp_path / "mine" / "signals.yaml").write_text(json.dumps(signals))
    done = run("train", "-p", project.folder, "--store", tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert "audit: quarantine, and left out of training: web__number" in done.stdout
