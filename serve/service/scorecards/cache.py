"""The folder on disk between the registry and the workers: what is served, and checked how lately.

``index.json`` lists the versions and where aliases point;
``scorecards/<sha256>.json`` holds each scorecard once; ``registry.json`` notes when the registry
was last asked and how it answered. The follower writes, workers read; every file appears whole.
"""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from leadscore.models.errors import ScorecardError
from leadscore.serve.service.scorecards.served import (
    LARGEST_SCORECARD,
    ServedModel,
    VersionNote,
    build_served_model,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_LARGEST_INDEX = 8_000_000
Stamp = tuple[int, int, int]


class VersionEntry(msgspec.Struct, frozen=True):
    """One version as the index has it; see ``VersionNote``. `sha256` names its scorecard."""

    sha256: str
    trained_ms: int | None = None
    metrics: dict[str, float] = {}
    basis: str = ""


class ModelEntry(msgspec.Struct, frozen=True):
    """A registered model: its versions by number, and where aliases point."""

    versions: dict[str, VersionEntry]
    aliases: dict[str, str]


class Index(msgspec.Struct, frozen=True):
    """What can be served of a project: registered models by name."""

    project: str
    models: dict[str, ModelEntry]


class RegistryState(msgspec.Struct, frozen=True):
    """How the registry answered when it was last asked, in milliseconds since 1970.

    `answered_ms` is when it last answered at all. `refused` has the versions that were not taken,
    as ``name:version``, each with the reason.
    """

    asked_ms: int
    answered_ms: int | None
    problem: str | None = None
    refused: dict[str, str] = {}


class ScorecardCache:
    """The folder; see the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = self.folder / "index.json"
        self._state = self.folder / "registry.json"

    def stamp(self) -> Stamp | None:
        """Return what changes with every index that is written, for the price of one stat."""
        return stamp_file(self._index)

    def stamp_scorecard(self, sha256: str) -> Stamp | None:
        """Return the same of a scorecard's file; None if it is not there."""
        return stamp_file(self._path(sha256))

    def read_index(self) -> Index | None:
        """Return the index, or None if there is none yet.

        Raises ScorecardError if it cannot be read.
        """
        try:
            with self._index.open("rb") as stream:
                index = msgspec.json.decode(stream.read(_LARGEST_INDEX), type=Index)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ScorecardError(f"{self._index.name}: {type(error).__name__}") from error
        for model in index.models.values():
            if not all(map(_NUMBER.fullmatch, (*model.versions, *model.aliases.values()))):
                raise ScorecardError(f"{self._index.name}: a version that is no number")
        return index

    def read_state(self) -> RegistryState | None:
        """Return how the registry answered, or None if it was never asked, or that is lost."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=RegistryState)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def load(self, name: str, version: str, entry: VersionEntry) -> ServedModel:
        """Make one version of the index ready to serve, checked anew.

        Raises ScorecardError if its file is missing, or is not what the index names.
        """
        if not _SHA256.fullmatch(entry.sha256):
            raise ScorecardError(f"{name} version {version}: no name of a scorecard")
        try:
            with self._path(entry.sha256).open("rb") as stream:
                text = stream.read(LARGEST_SCORECARD + 1).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScorecardError(f"{name} version {version}: {type(error).__name__}") from error
        note = VersionNote(name, int(version), entry.trained_ms, entry.metrics, entry.basis)
        served = build_served_model(text, note)
        if served.scorecard.sha256 != entry.sha256:
            raise ScorecardError(f"{name} version {version}: its file holds another scorecard")
        return served

    def write_scorecard(self, sha256: str, text: str) -> None:
        """Keep a scorecard."""
        self._write(self._path(sha256), text.encode("utf-8"))

    def write_index(self, index: Index) -> None:
        """Replace the index; every scorecard that it names is there already."""
        self._write(self._index, msgspec.json.encode(index))

    def write_state(self, state: RegistryState) -> None:
        """Replace the state of the registry; it need not survive a power cut."""
        self._write(self._state, msgspec.json.encode(state), durable=False)

    def drop_others(self, kept: Mapping[str, object]) -> None:
        """Remove the scorecards that no version of the index names, and files half written."""
        for path in (self.folder / "scorecards").glob("*"):
            if path.name.removesuffix(".json") not in kept:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path(self, sha256: str) -> Path:
        return self.folder / "scorecards" / f"{sha256}.json"

    def _write(self, path: Path, content: bytes, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        with unfinished.open("wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        unfinished.replace(path)


def stamp_file(path: Path) -> Stamp | None:
    """Return what changes with every file that takes this place, for the price of one stat."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
