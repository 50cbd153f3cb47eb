"""A training that is killed leaves no alias on a version that cannot be loaded."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from support.seeds import DAY, FULL

from leadscore.pipeline.errors import NotFoundError
from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.tracking.store import CHALLENGER, CHAMPION, open_store

pytestmark = pytest.mark.proof
LEADSCORE = Path(sys.executable).with_name("leadscore")
NAME = "demo.predictive"
MOMENTS = 20 if FULL else 6
STEPS = (
    ("log_batch", "after"),
    ("log_inputs", "before"),
    ("log_artifact", "after"),
    ("log_text", "after"),
    ("create_registered_model", "before"),
    ("create_model_version", "before"),
    ("create_model_version", "after"),
    ("set_registered_model_alias", "before"),
    ("set_registered_model_alias", "after"),
)
DIE_AT = """
import os, sys
from pathlib import Path
import joblib
from mlflow import MlflowClient
from leadscore.pipeline.workflows.record_training import record_training
step, when, store_folder = sys.argv[1:]
real = getattr(MlflowClient, step)
def die(*args, **kwargs):
    if when == "after":
        real(*args, **kwargs)
    os._exit(9)
setattr(MlflowClient, step, die)
record_training(joblib.load(Path(store_folder) / "training"), Path(store_folder))
"""


@pytest.fixture
def store_folder(registered, tmp_path) -> Path:
    store_folder = tmp_path / "store"
    shutil.copytree(registered.store_folder, store_folder)
    relocate(store_folder)
    open_store(store_folder).promote(NAME, "1")
    return store_folder


def check_aliases(store_folder: Path) -> None:
    store = open_store(store_folder)
    assert store.load_scorecard(NAME, CHAMPION)[1] == 1
    try:
        store.load_scorecard(NAME, CHALLENGER)
    except NotFoundError:
        assert not any(CHALLENGER in version.aliases for version in store.list_versions(NAME))


@pytest.mark.parametrize(("step", "when"), STEPS)
def test_killed_at_a_named_step(registered, store_folder, step, when):
    joblib.dump(registered.training, store_folder / "training")
    done = subprocess.run(
        [sys.executable, "-c", DIE_AT, step, when, str(store_folder)],
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 9, done.stderr.decode()[-500:]
    check_aliases(store_folder)


def test_killed_at_random_moments_and_then_trained(store_folder):
    words = [str(LEADSCORE), "train", "-p", "demo"]
    words += ["--data", str(store_folder / "demo"), "--store", str(store_folder)]
    begin = time.monotonic()
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    whole = time.monotonic() - begin
    killed = 0
    for share in np.random.default_rng(DAY).uniform(0.3, 1.0, MOMENTS):
        process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=share * whole)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        check_aliases(store_folder)
    assert killed >= MOMENTS // 2
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    store = open_store(store_folder)
    newest = store.list_versions(NAME)[0]
    assert CHALLENGER in newest.aliases
    store.load_scorecard(NAME, CHALLENGER)
