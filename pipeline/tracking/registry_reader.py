"""Read the text of a registered scorecard for a service, which trusts nothing in it."""

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import mlflow

from leadscore.pipeline.errors import StoreError
from leadscore.pipeline.tracking.runs import SCORECARD_FILE
from leadscore.pipeline.tracking.store import Store


def fetch_scorecard(store: Store, name: str, number: int, largest: int) -> str:
    """Fetch the text of a version's scorecard.json, without any other file and without running it.

    A StoreError is raised if there is no such file, it has more than `largest` bytes or is not
    UTF-8, or the registry does not answer.
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
