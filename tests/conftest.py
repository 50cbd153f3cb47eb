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
    home: Path
    store: Store
    version: Version


@pytest.fixture(scope="session")
def registered(_own_tracking: None, tmp_path_factory: pytest.TempPathFactory) -> Registered:
    home = tmp_path_factory.mktemp("home")
    write_world(home / "demo", 2500, seed=1)
    project = read_project(find_project("demo"), home / "demo")
    training = train(project)
    version = record_training(training, home).version
    return Registered(project, training, home, open_store(home), version)


@pytest.fixture(scope="session")
def promoted(registered: Registered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of which version 1 is champion: for a service that runs."""
    home = tmp_path_factory.mktemp("promoted") / "home"
    shutil.copytree(registered.home, home)
    relocate(home)
    open_store(home).promote(registered.version.name, "challenger")
    return home


@pytest.fixture
def registry(registered: Registered, tmp_path: Path) -> Registry:
    """The same store copied for one test, its version 1 the champion."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(registered.home / "mlflow.db", home)
    shutil.copytree(registered.home / "artifacts", home / "artifacts")
    relocate(home)
    found = Registry(home, registered.training.scorecard)
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
