"""What several tests share: a small trained and registered demo project, and the real data."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.browser import open_browser
from support.seeds import describe_seeds
from support.versions import Registry

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.tracking.records import Version
from leadscore.pipeline.tracking.relocation import relocate
from leadscore.pipeline.tracking.store import Store, open_store
from leadscore.pipeline.training.train import Training, train
from leadscore.pipeline.workflows.record_training import record_training


def pytest_report_header() -> str:
    return describe_seeds()


@dataclass(frozen=True)
class Registered:
    """A project trained on 2,500 demo leads and registered in a store of its own."""

    project: Project
    training: Training
    store_folder: Path
    store: Store
    version: Version


@pytest.fixture(scope="session")
def registered(_own_tracking: None, tmp_path_factory: pytest.TempPathFactory) -> Registered:
    store_folder = tmp_path_factory.mktemp("home")
    write_world(store_folder / "demo", 2500, seed=1)
    project = read_project(find_project("demo"), store_folder / "demo")
    training = train(project)
    version = record_training(training, store_folder).version
    return Registered(project, training, store_folder, open_store(store_folder), version)


@pytest.fixture(scope="session")
def promoted(registered: Registered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store folder of which version 1 is champion: for a service that runs."""
    store_folder = tmp_path_factory.mktemp("promoted") / "store"
    shutil.copytree(registered.store_folder, store_folder)
    relocate(store_folder)
    open_store(store_folder).promote(registered.version.name, "challenger")
    return store_folder


@pytest.fixture
def registry(registered: Registered, tmp_path: Path) -> Registry:
    """The same store copied for one test, its version 1 the champion."""
    store_folder = tmp_path / "store"
    store_folder.mkdir()
    shutil.copy(registered.store_folder / "mlflow.db", store_folder)
    shutil.copytree(registered.store_folder / "artifacts", store_folder / "artifacts")
    relocate(store_folder)
    found = Registry(store_folder, registered.training.scorecard)
    found.point(1)
    return found


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


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser
