"""What several tests share: a small trained and registered demo project, and the real data."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.demo.world import write_world
from pipeline.recording import record_training
from pipeline.settings import Project, find_project, read_project
from pipeline.tracking.records import Version
from pipeline.tracking.store import Store, open_store
from pipeline.train import Training, train

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Registered:
    """A project trained on 2,500 demo leads and registered in a store of its own."""

    project: Project
    training: Training
    home: Path
    store: Store
    version: Version


@pytest.fixture(scope="session")
def registered(_own_tracking: None, tmp_path_factory: pytest.TempPathFactory) -> Registered:
    home = tmp_path_factory.mktemp("home")
    write_world(home / "demo", 2500, seed=1)
    project = read_project(find_project("demo"), home / "demo")
    training = train(project)
    version = record_training(project, training, home)
    return Registered(project, training, home, open_store(home), version)


@pytest.fixture(scope="session", autouse=True)
def _own_tracking() -> Iterator[None]:
    """No test writes to a server that the developer's shell names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(autouse=True)
def _leave_no_address() -> Iterator[None]:
    """A test that points MLflow somewhere by hand, which MLflow notes here, does so for itself."""
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def real_data(file: str) -> Path:
    path = REAL_DATA / file
    if not path.is_file():
        pytest.skip(f"{file} is not beside the checkout, in shared/data/")
    return path
