"""`leadscore compare` as a user types it, and what it leaves in the store."""

import csv
import json
import shutil

import pytest
from mlflow import MlflowClient
from support.cli import run
from support.projects import make_leads, write_leads, write_project
from support.worlds.rival_contenders import demo_rules, register

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.tracking.store import open_store
from leadscore.pipeline.training.train import train


@pytest.fixture(scope="module")
def store_folder(registered, tmp_path_factory):
    """The registered demo, its version 1 champion, with a rule sheet that is challenger."""
    store_folder = tmp_path_factory.mktemp("compared") / "store"
    shutil.copytree(registered.store_folder, store_folder)
    relocate(store_folder)
    open_store(store_folder).promote(registered.version.name, "challenger")
    register(store_folder, demo_rules(registered.project))
    return store_folder


@pytest.fixture(scope="module")
def data(registered):
    return registered.project.data_folder


@pytest.fixture(scope="module")
def compared(store_folder, data, tmp_path_factory):
    swaps = tmp_path_factory.mktemp("swaps") / "swaps.csv"
    done = run("compare", "-p", "demo", "--store", store_folder,
               "--data", data, "--capacity", 8, "--json", "--swaps-csv", swaps)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), swaps


def test_by_default_every_registered_kind_is_compared_and_named(compared):
    found, _ = compared
    assert [standing["key"] for standing in found["standings"]] == ["predictive:1", "rules:1"]
    assert found["standings"][0]["aliases"] == ["champion"]
    assert found["standings"][1]["aliases"] == ["challenger"]
    assert found["verdict"][0].startswith(("The ", "No difference proven"))
    assert "with 8 calls a week" in found["verdict"][0]
    assert "History was routed by what sales used then" in found["caveats"][0]
    for standing in found["standings"]:
        for name in ("wins_at_capacity", "lift_at_capacity", "precision_at_capacity", "auc",
                     "auc_within", "average_precision", "log_loss_equal", "ece_equal"):  # fmt: skip
            assert standing["metrics"][name].keys() == {"value", "low", "high"}
            assert standing["metrics"][name]["low"] <= standing["metrics"][name]["high"]


def test_the_page_and_the_run_have_it_and_neither_has_a_lead(store_folder, compared):
    found, swaps = compared
    page = (store_folder / "reports" / "demo-comparison.html").read_text(encoding="utf-8")
    client = MlflowClient(f"sqlite:///{store_folder / 'mlflow.db'}")
    run_of = client.get_run(found["run_id"])
    assert run_of.data.tags["kind"] == "comparison"
    assert run_of.data.tags["verdict"] == found["verdict"][0]
    assert run_of.data.params["contender_2"] == "demo.rules:1"
    gain = found["pairs"][0]["gain"]["wins"]["value"]
    assert run_of.data.metrics["predictive-1-against-rules-1/gain"] == gain
    store = open_store(store_folder)
    assert store.read_text(found["run_id"], "demo-comparison.html") == page
    kept = store.read_text(found["run_id"], "comparison.json")
    with swaps.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 10
    for row in rows:
        assert row["lead_id"] not in page
        assert row["lead_id"] not in kept
        assert row["as_of"].endswith("Z")


def test_the_terminal_begins_with_the_verdict_and_plans_a_test(store_folder, data, compared):
    done = run("compare", "rules", "champion", "-p", "demo", "--store", store_folder,
               "--data", data, "--capacity", 8, "--plan-experiment", "--gain", "30%")  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert done.stdout.startswith(("The ", "No difference proven"))
    assert "only the predictive model 1" in words
    assert "To find a gain of 30% in wins per call" in words
    assert "weeks with 8 calls a week, then 60 days until the last outcome" in words
    assert "SHA-256 of the salt and lead_id" in words
    unplanned = run("compare", "-p", "demo", "--store", store_folder, "--data", data)
    assert "SHA-256" not in unplanned.stdout
    assert "with 15 calls a week" in " ".join(unplanned.stdout.split())  # of training.yaml


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (("3", "rules"), 5, "demo.predictive: no version '3'; there are 1 (champion)"),
        (("close_rate", "rules"), 5, "nothing is registered yet; run leadscore rules learn first"),
        (("champion", "1"), 2, "demo.predictive version 1 is named twice"),
        (("champion",), 2, "only demo.predictive version 1 is named"),
        (("champion", "rules", "--gain", "x"), 2, "--gain: a gain such as 20% is needed"),
        (("champion", "rules", "--capacity", "0"), 2, "--capacity: a number above 0"),
    ],
)
def test_what_makes_no_comparison_is_told_in_a_line(store_folder, data, names, code, said):
    done = run("compare", "-p", "demo", *names, "--store", store_folder, "--data", data)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_one_version_alone_cannot_be_compared(registered):
    done = run(
        "compare",
        "-p",
        "demo",
        "--store",
        registered.store_folder,
        "--data",
        registered.project.data_folder,
    )
    assert done.returncode == 5
    assert "a comparison needs two" in " ".join(done.stderr.split())


def test_comparison_settings_leave_the_fingerprint_of_a_training_alone(tmp_path):
    folder = write_project(tmp_path / "mine")
    write_leads(folder, make_leads(400))
    before = train(read_project(folder)).scorecard
    write_project(folder, training={"comparison": {"calls_per_week": 40}})
    project = read_project(folder)
    assert project.training.comparison.calls_per_week == 40
    assert train(project).scorecard.sha256 == before.sha256
