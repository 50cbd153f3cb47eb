"""The requests of a service to the registry: aliases, versions, and the text of a scorecard."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import mlflow
from mlflow.exceptions import MlflowException

from leadscore.pipeline.errors import StoreError
from leadscore.pipeline.tracking.runs import SCORECARD_FILE
from leadscore.pipeline.tracking.store import Store


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model: the versions of its aliases, and the newest version's number."""

    name: str
    aliases: Mapping[str, int]
    newest: int


@dataclass(frozen=True)
class RegisteredVersion:
    """The registry's data of a version; `metrics` are those of its run."""

    number: int
    created_ms: int
    basis: str
    metrics: Mapping[str, float]


def find_model(store: Store, name: str) -> RegisteredModel | None:
    """Return a registered model by name, or None if there is none, with one request.

    Raises
    ------
    StoreError
        If the registry does not answer.
    """
    with store.session():
        try:
            found = store.client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        newest = max((int(v.version) for v in found.latest_versions or ()), default=0)
        return RegisteredModel(name, {a: int(v) for a, v in found.aliases.items()}, newest)


def list_numbers(store: Store, name: str) -> list[int]:
    """List the numbers of a model's versions, the newest first."""
    with store.session():
        found = store.client.search_model_versions(f"name = '{name}'")
        return sorted((int(version.version) for version in found), reverse=True)


def find_version(store: Store, name: str, number: int) -> RegisteredVersion:
    """Return the registry's data of one version."""
    with store.session():
        found = store.client.get_model_version(name, str(number))
        metrics = store.client.get_run(str(found.run_id)).data.metrics if found.run_id else {}
        return RegisteredVersion(
            number, int(found.creation_timestamp), found.tags.get("basis", ""), dict(metrics)
        )


def fetch_scorecard(store: Store, name: str, number: int, largest: int) -> str:
    """Fetch the text of a version's scorecard.json, without any other file and without running it.

    A file of more than `largest` bytes is not fetched.

    Raises
    ------
    StoreError
        If there is no such file, it is too large or not UTF-8, or the registry does not answer.
    """
    what = f"{name} version {number}: {SCORECARD_FILE}"
    with store.session():
        uri = store.client.get_model_version_download_uri(name, str(number))
        parts = urlsplit(uri)
        if ".." in unquote(parts.path).split("/"):
            raise StoreError(f"{what}: its address {uri} leads out of its own folder")
        if parts.scheme in ("", "file"):
            folder = Path(url2pathname(parts.path if parts.scheme else uri))
            content = _read_local(folder, what, largest)
        else:
            content = _download(f"{uri.rstrip('/')}/artifacts", what, largest)
    try:
        if len(content) > largest:
            raise StoreError(f"{what} grew while it was read")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StoreError(f"{what} is not UTF-8") from error


def _read_local(folder: Path, what: str, largest: int) -> bytes:
    """Read a local file, but no link, pipe or device."""
    path = folder.resolve() / "artifacts" / SCORECARD_FILE
    if path.resolve() != path:
        raise StoreError(f"{what}: a link to another place, a file is expected")
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise StoreError(f"{what}: no such file") from None
    with open(number, "rb") as stream:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(f"{what}: a pipe, folder or device, a file is expected")
        _check_size(found.st_size, what, largest)
        return stream.read(largest + 1)


def _download(folder: str, what: str, largest: int) -> bytes:
    sizes = {
        Path(file.path).name: file.file_size
        for file in mlflow.artifacts.list_artifacts(artifact_uri=folder)
        if not file.is_dir
    }
    _check_size(sizes.get(SCORECARD_FILE), what, largest)
    with TemporaryDirectory(prefix="leadscore-") as scratch:
        path = mlflow.artifacts.download_artifacts(
            artifact_uri=f"{folder}/{SCORECARD_FILE}", dst_path=scratch
        )
        with Path(path).open("rb") as stream:
            return stream.read(largest + 1)


def _check_size(size: int | None, what: str, largest: int) -> None:
    if size is None or size > largest:
        found = (
            "no such file" if size is None else f"{size:,} bytes, at most {largest:,} are allowed"
        )
        raise StoreError(f"{what}: {found}")
