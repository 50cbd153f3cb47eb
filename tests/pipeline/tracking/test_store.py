"""What a training leaves in MLflow, and what happens when the store is not as it should be."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from leadscore.models.score_frame import score_frame
from leadscore.models.scorecard import read_scorecard
from leadscore.pipeline.errors import NotFoundError, StoreError
from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.tracking.store import CHAMPION, open_store
from leadscore.pipeline.workflows.record_training import record_training

NAME = "demo.predictive"


def client_of(registered):
    uri = f"sqlite:///{registered.store_folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    return MlflowClient(uri, uri)


def test_a_run_has_configuration_figures_pictures_and_both_forms_of_the_model(registered, tmp_path):
    client = client_of(registered)
    run = client.get_run(registered.version.run_id)
    evaluation = registered.training.evaluation
    assert run.info.status == "FINISHED"
    for name, estimate in evaluation.metrics.items():
        logged = [run.data.metrics[key] for key in (name, f"{name}_low", f"{name}_high")]
        assert logged == list(estimate)
    assert run.data.metrics["later_wins"] == evaluation.wins
    assert run.data.params["data_digest"] == registered.training.tables.digest
    history = client.get_metric_history(run.info.run_id, "period_base_rate")
    assert [m.value for m in history] == [p.base_rate for p in evaluation.periods]
    contexts = {d.tags[0].value: json.loads(d.dataset.profile) for d in run.inputs.dataset_inputs}
    assert contexts["later"]["wins"] == evaluation.wins
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"gain_and_lift.png", "calibration.png", "terms.png"} <= files
    configuration = registered.store.read_document(run.info.run_id, "configuration.json")
    assert configuration == registered.project.resolved()
    path = client.download_artifacts(run.info.run_id, "pipeline.joblib", str(tmp_path))
    later = registered.training.later.signals
    said = joblib.load(path).predict_proba(later)[:, 1]
    scores = score_frame(registered.training.scorecard, later)
    np.testing.assert_allclose(said, scores.probability, atol=1e-9, rtol=0)


def test_a_registered_model_asks_for_ranges_and_carries_one_package(registered):
    """A later release may load it, and no package of ours has to be installed there."""
    client_of(registered)
    folder = Path(mlflow.artifacts.download_artifacts("models:/demo.predictive/1"))
    lines = (folder / "requirements.txt").read_text().split()
    names = {"mlflow", "numpy", "pandas", "pydantic"}
    found = [re.fullmatch(r"(\w+)<\d+,>=\d+\.\d+", line) for line in lines]
    assert {match[1] for match in found if match} == names, lines
    assert all(found), lines
    assert (folder / "code" / "leadscore" / "models" / "scorecard.py").is_file()
    assert [part.name for part in (folder / "code").iterdir()] == ["leadscore"]


def test_pictures_are_drawn(registered, tmp_path):
    client = client_of(registered)
    for name in ("gain_and_lift.png", "calibration.png", "terms.png"):
        path = client.download_artifacts(registered.version.run_id, name, str(tmp_path))
        content = Path(path).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) > 10_000


def test_mlflow_loads_the_version_and_scores_a_frame(registered):
    client_of(registered)
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/{registered.version.version}")
    later = registered.training.later.signals
    answers = model.predict(later)
    scores = score_frame(registered.training.scorecard, later)
    assert answers["probability"].tolist() == scores.probability.tolist()
    assert answers["band"].tolist() == scores.band.tolist()
    assert model.metadata.signature.inputs.has_input_names()
    assert model.input_example is not None
    alone = model.predict(pd.DataFrame({"web__pricing_views": [3.0]}))
    assert 0.0 < alone["probability"].iloc[0] < 1.0


def test_a_challenger_becomes_champion_when_promoted(registered):
    store = registered.store
    assert registered.version.aliases == ("challenger",)
    with pytest.raises(NotFoundError, match=r"no version 'champion'; there are 1 .*promote"):
        store.load_scorecard(NAME, CHAMPION)
    promoted = store.promote(NAME, "challenger")
    assert promoted.aliases == ("champion",)
    scorecard, version = store.load_scorecard(NAME, CHAMPION)
    assert (version, scorecard) == (promoted.version, registered.training.scorecard)
    client = client_of(registered)
    client.delete_registered_model_alias(NAME, CHAMPION)
    client.set_registered_model_alias(NAME, "challenger", "1")


def test_nothing_registered_says_what_to_do(registered):
    with pytest.raises(NotFoundError, match="run leadscore train"):
        registered.store.load_scorecard("other.predictive", CHAMPION)


def copy_of(registered, tmp_path):
    store_folder = tmp_path / "store"
    shutil.copytree(registered.store_folder, store_folder)
    return store_folder


def test_a_moved_store_says_so_and_is_mended(registered, tmp_path):
    store_folder = copy_of(registered, tmp_path)
    with pytest.raises(StoreError, match=r"was moved.*doctor --relocate"):
        open_store(store_folder)
    assert relocate(store_folder) > 0
    assert relocate(store_folder) == 0
    scorecard, _ = open_store(store_folder).load_scorecard(NAME, "1")
    assert scorecard == registered.training.scorecard
    with sqlite3.connect(store_folder / "mlflow.db") as database:
        dump = "\n".join(database.iterdump())
    assert str(registered.store_folder) not in dump


def corrupt(store_folder: Path, change):
    (path,) = store_folder.rglob("models/*/artifacts/artifacts/scorecard.json")
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'"base": -', b'"base": ', 1),
        lambda content: content.replace(b'"schema_version": 2', b'"schema_version": 3'),
        lambda content: b"",
    ],
    ids=["cut off", "a sign turned", "another schema", "empty"],
)
def test_a_damaged_version_is_not_promoted_and_the_champion_stays(registered, tmp_path, change):
    store_folder = copy_of(registered, tmp_path)
    relocate(store_folder)
    store = open_store(store_folder)
    store.promote(NAME, "1")
    corrupt(store_folder, change)
    with pytest.raises(StoreError, match="version 1 cannot be used"):
        store.promote(NAME, "1")
    assert store.find_version(NAME, CHAMPION).version == 1


def test_an_unreadable_store_is_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError, match="not a store that can be read"):
        open_store(tmp_path)


def test_a_server_that_is_down_is_told_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code = (
        "from pathlib import Path\n"
        "from leadscore.pipeline.errors import StoreError\n"
        "from leadscore.pipeline.tracking.store import open_store\n"
        "try:\n"
        f"    open_store(Path({str(tmp_path)!r}))\n"
        "except StoreError as error:\n"
        "    raise SystemExit(f'told: {error}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert "told: the MLflow store does not answer" in done.stderr


def test_two_stores_in_one_process_do_not_mix(registered, tmp_path):
    other = open_store(tmp_path / "other")
    assert other.list_versions(NAME) == []
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert "MLFLOW_REGISTRY_URI" not in os.environ
    assert [v.version for v in registered.store.list_versions(NAME)] == [1]
    record_training(registered.training, tmp_path / "other")
    assert [v.version for v in registered.store.list_versions(NAME)] == [1]
    assert [v.version for v in other.list_versions(NAME)] == [1]


def test_training_twice_gives_two_versions_with_the_same_bytes(registered, tmp_path):
    store_folder = copy_of(registered, tmp_path)
    relocate(store_folder)
    second = record_training(registered.training, store_folder).version
    assert second.version == 2
    assert second.fingerprint == registered.version.fingerprint
    assert second.aliases == ("challenger",)


def test_loading_the_served_model_warns_of_nothing(registered):
    client_of(registered)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        mlflow.pyfunc.load_model(f"models:/{NAME}/1")


def test_the_runs_scorecard_is_the_registered_one(registered, tmp_path):
    client = client_of(registered)
    path = client.download_artifacts(registered.version.run_id, "scorecard.json", str(tmp_path))
    assert read_scorecard(Path(path).read_text(encoding="utf-8")) == registered.training.scorecard
