"""The MLflow store: runs, registered versions and aliases."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.scorecard import Scorecard, read_scorecard
from leadscore.pipeline.errors import NotFoundError, StoreError
from leadscore.pipeline.tracking.records import (
    ComparisonRecord,
    RegisteredModel,
    RunRecord,
    Version,
    next_commands,
)
from leadscore.pipeline.tracking.relocation import artifact_root, check_place
from leadscore.pipeline.tracking.runs import (
    SCORECARD_FILE,
    log_figures,
    log_scorecard,
    log_values,
    to_json,
)

CHAMPION, CHALLENGER = "champion", "challenger"
_URI_VARIABLE = "MLFLOW_TRACKING_URI"
_RESTORED = (_URI_VARIABLE, "MLFLOW_REGISTRY_URI")
"""Variables of the environment that MLflow sets and a session restores."""
# MLflow reads these when it is first used; a value that the user has set stays.
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class Store:
    """An open MLflow store; see ``open_store``. Use `client`, MLflow's own, within a `session`.

    `uri` is that of a database or a server. `root` is the URI under which experiments keep their
    artifacts; it is None if a server decides.
    """

    def __init__(self, uri: str, root: str | None) -> None:
        self._uri = uri
        self._root = root
        self.client = MlflowClient(uri, uri)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Point MLflow's global functions to this store, and turn its errors into StoreError.

        MLflow also writes the address into the environment. The next store, and every process
        started from here, would take it for the user's setting, so the session restores it.
        """
        before = {name: os.environ.get(name) for name in _RESTORED}
        try:
            mlflow.set_tracking_uri(self._uri)
            mlflow.set_registry_uri(self._uri)
            yield
        except (MlflowException, OSError) as error:
            first = str(error).strip().splitlines()[0][:300]
            raise StoreError(
                f"the MLflow store does not answer: {first} "
                "(check that the server runs and that the folder is writable)"
            ) from error
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def check_reachable(self) -> None:
        """Raise StoreError if the store does not answer."""
        with self.session():
            self.client.search_experiments(max_results=1)

    def record_training(self, record: RunRecord) -> Version:
        """Log one run, register its scorecard and give it the alias ``challenger``.

        The alias moves last, after the registered version was read back and checked. So the alias
        never points to a version that cannot be loaded, even if the process is killed.
        """
        name = f"{record.project}.{record.scorecard.kind}"
        with self.session(), TemporaryDirectory() as scratch:
            run_name = f"{record.scorecard.kind}-{record.scorecard.fingerprint}"
            with mlflow.start_run(
                experiment_id=self._experiment(record.project), run_name=run_name
            ) as run:
                run_id = run.info.run_id
                log_figures(self.client, run_id, record)
                for path in record.files:
                    self.client.log_artifact(run_id, str(path))
                for file, document in record.documents.items():
                    self.client.log_text(run_id, to_json(document), file)
                info = log_scorecard(record.scorecard, Path(scratch))
            self._register_name(name)
            registered = self.client.create_model_version(
                name,
                source=info.model_uri,
                run_id=run_id,
                tags={"fingerprint": record.scorecard.fingerprint, **record.tags},
                model_id=info.model_id,
            )
            version = int(registered.version)
            self.load_scorecard(name, str(version))
            self.client.set_registered_model_alias(name, CHALLENGER, str(version))
        return self.find_version(name, str(version))

    def record_comparison(self, record: ComparisonRecord) -> str:
        """Log one comparison as a run of its project, and return the run's id."""
        tags = {"kind": "comparison", **record.tags}
        with (
            self.session(),
            mlflow.start_run(
                experiment_id=self._experiment(record.project), run_name=record.name
            ) as run,
        ):
            run_id = str(run.info.run_id)
            log_values(self.client, run_id, record.metrics, record.params, tags)
            texts = {file: to_json(document) for file, document in record.documents.items()}
            for file, text in {**texts, **record.pages}.items():
                self.client.log_text(run_id, text, file)
        return run_id

    def find_version(self, name: str, which: str) -> Version:
        """Find a version by number or alias, or raise a NotFoundError that lists the versions."""
        versions = self.list_versions(name)
        for version in versions:
            if which == str(version.version) or which in version.aliases:
                return version
        register, promote = next_commands(name)
        if not versions:
            raise NotFoundError(f"{name}: nothing is registered yet; run {register} first")
        known = ", ".join(
            " ".join([str(v.version), *(f"({alias})" for alias in v.aliases)]) for v in versions
        )
        hint = f"; make one with {promote}" if which == CHAMPION else ""
        raise NotFoundError(f"{name}: no version {which!r}; there are {known}{hint}")

    def find_model(self, name: str) -> RegisteredModel | None:
        """Return a registered model by name, or None if there is none, with one request."""
        with self.session():
            try:
                found = self.client.get_registered_model(name)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise
        newest = max((int(v.version) for v in found.latest_versions or ()), default=0)
        return RegisteredModel(name, {a: int(v) for a, v in found.aliases.items()}, newest)

    def list_numbers(self, name: str) -> list[int]:
        """List the numbers of a model's versions, the newest first."""
        with self.session():
            found = self.client.search_model_versions(f"name = '{name}'")
        return sorted((int(version.version) for version in found), reverse=True)

    def list_versions(self, name: str) -> list[Version]:
        """List the versions of a registered model, the newest first; empty if there are none."""
        model = self.find_model(name)
        if model is None:
            return []
        with self.session():
            found = self.client.search_model_versions(f"name = '{name}'")
            versions = [self._note_version(item, model.aliases) for item in found]
        return sorted(versions, key=lambda version: -version.version)

    def read_version(self, name: str, number: int) -> Version:
        """Return one version by its number, without its aliases, with two requests."""
        with self.session():
            return self._note_version(self.client.get_model_version(name, str(number)), {})

    def _note_version(self, found: Any, aliases: Mapping[str, int]) -> Version:
        number = int(found.version)
        return Version(
            found.name,
            number,
            tuple(sorted(alias for alias, target in aliases.items() if target == number)),
            str(found.run_id),
            found.tags.get("fingerprint", ""),
            int(found.creation_timestamp),
            found.tags.get("basis", ""),
            dict(self.client.get_run(str(found.run_id)).data.metrics) if found.run_id else {},
        )

    def load_scorecard(self, name: str, which: str) -> tuple[Scorecard, int]:
        """Load a registered scorecard and check it: hash, schema, finite weights, golden leads.

        `name` is ``project.kind``; `which` is a version's number or an alias. A NotFoundError is
        raised if there is no such version, a StoreError if the stored scorecard cannot be read, or
        was changed after its registration.
        """
        version = self.find_version(name, which).version
        with self.session(), TemporaryDirectory() as scratch:
            folder = mlflow.artifacts.download_artifacts(
                f"models:/{name}/{version}", dst_path=scratch
            )
            path = Path(folder) / "artifacts" / SCORECARD_FILE
            try:
                scorecard = read_scorecard(path.read_text(encoding="utf-8"))
                check_golden_leads(scorecard)
            except (ScorecardError, OSError, UnicodeDecodeError) as error:
                raise StoreError(f"{name} version {version} cannot be used: {error}") from error
        return scorecard, version

    def promote(self, name: str, which: str) -> Version:
        """Give a version the alias ``champion``, after ``load_scorecard`` has checked it.

        After an error the champion stays the same.
        """
        _, version = self.load_scorecard(name, which)
        with self.session():
            self.client.set_registered_model_alias(name, CHAMPION, str(version))
            if CHALLENGER in self.find_version(name, str(version)).aliases:
                self.client.delete_registered_model_alias(name, CHALLENGER)
        return self.find_version(name, str(version))

    def read_document(self, run_id: str, file: str) -> Any:
        """Read a JSON document that a run has logged."""
        return json.loads(self.read_text(run_id, file))

    def read_text(self, run_id: str, file: str) -> str:
        """Read a text that a run has logged, or raise StoreError."""
        with self.session(), TemporaryDirectory() as scratch:
            path = self.client.download_artifacts(run_id, file, scratch)
            return Path(path).read_text(encoding="utf-8")

    def _experiment(self, project: str) -> str:
        found = self.client.get_experiment_by_name(project)
        if found is not None:
            return str(found.experiment_id)
        location = None if self._root is None else f"{self._root}/{project}"
        return str(self.client.create_experiment(project, artifact_location=location))

    def _register_name(self, name: str) -> None:
        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def has_store(store_folder: Path) -> bool:
    """Return whether a store exists, without making one."""
    return bool(os.environ.get(_URI_VARIABLE)) or (store_folder / "mlflow.db").is_file()


def open_store(store_folder: Path) -> Store:
    """Open the store of a folder, which is made if absent, or the server of MLFLOW_TRACKING_URI.

    A StoreError is raised if the store was moved, or cannot be opened or reached.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    uri, root = os.environ.get(_URI_VARIABLE), None
    if not uri:
        store_folder = store_folder.resolve()
        try:
            store_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{store_folder}: this folder cannot hold a store: {error}") from error
        check_place(store_folder)
        uri, root = f"sqlite:///{store_folder / 'mlflow.db'}", artifact_root(store_folder)
    store = Store(uri, root)
    store.check_reachable()
    return store
