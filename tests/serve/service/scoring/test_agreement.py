"""Served, scored as a file, and by scikit-learn: three ways to one number."""

import csv

import pandas as pd
import pytest
from support.cli import run
from support.requests import EXTRACT, read_requests
from support.services_in_process import fill_cache, service_inside

CHUNK = 250


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("same")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


@pytest.fixture(scope="module")
def requests(registered):
    return read_requests(registered.store_folder / "demo")


@pytest.fixture(scope="module")
def served(service, requests):
    """What the service answers for all leads of the demo, by lead."""
    answers = {}
    for start in range(0, len(requests), CHUNK):
        answer = service.post("/v1/score/batch", {"leads": requests[start : start + CHUNK]}).json()
        assert answer["failed"] == 0, answer["results"]
        for result in answer["results"]:
            answers[result["answer"]["lead_id"]] = result["answer"]
    return answers


def test_served_is_what_a_file_is_scored(registered, promoted, served, tmp_path):
    data, target = registered.store_folder / "demo", tmp_path / "scored.csv"
    done = run("score", data / "leads.csv", target, "-p", "demo", "--data", data,
               "--store", promoted, "--as-of", EXTRACT)  # fmt: skip
    assert done.returncode == 0, done.stderr
    with target.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(served) == 2500
    for row in rows:
        answer = served[row["lead_id"]]
        assert answer["probability"] == pytest.approx(float(row["probability"]), abs=1e-9)
        assert answer["band"] == row["band"]
        assert (answer["fit"], answer["engagement"]) == (row["fit"], row["engagement"])
        assert row["fingerprint"] == answer["model"]["fingerprint"]
        best = answer["reasons"][0]
        assert row["reason_1"].split()[0] == best["signal"]
    assert {row["band"] for row in rows} == {"cold", "MQL", "SQL"}


def test_served_is_what_scikit_learn_predicts(registered, service, served, requests):
    columns = registered.project.catalog.columns
    chosen = requests[::7]
    assert len(chosen) >= 300
    signals = []
    for lead in chosen:
        answer = service.post("/v1/explain", lead).json()
        assert answer["probability"] == served[lead["lead_id"]]["probability"]
        signals.append({reason["signal"]: reason["value"] for reason in answer["reasons"]})
    frame = pd.DataFrame(signals).reindex(columns=columns)
    dtypes = registered.training.later.signals.dtypes
    frame = frame.astype({name: dtypes[name] for name in columns if name in dtypes})
    said = registered.training.pipeline.predict_proba(frame)[:, 1]
    for lead, probability in zip(chosen, said, strict=True):
        assert served[lead["lead_id"]]["probability"] == pytest.approx(probability, abs=1e-9)


def test_a_lead_alone_is_answered_as_in_a_batch(service, served, requests):
    for lead in requests[:150]:
        answer = service.score(lead)
        del answer["request_id"]
        assert answer == served[lead["lead_id"]]
