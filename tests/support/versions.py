"""Registered versions made without training: a registry of its own, scorecards changed by hand."""

import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from support.load import LEAD

from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import Scorecard
from leadscore.serve.service.requests.decode import decode_lead
from leadscore.serve.service.scorecards.served import VersionNote, build_served_model
from leadscore.serve.service.scoring.score import score_lead

NAME = "demo.predictive"


class Registry:
    """The store of a store folder, or a server's, and its scorecards.

    Parameters
    ----------
    store_folder : Path
    scorecard : Scorecard
        The trained one, from which others are made.
    address : str, optional
        Of a server.
    """

    def __init__(
        self, store_folder: Path, scorecard: Scorecard, address: str | None = None
    ) -> None:
        uri = address or f"sqlite:///{store_folder / 'mlflow.db'}"
        self.store_folder, self.scorecard = store_folder, scorecard
        self.client = MlflowClient(uri, uri)
        self._folders = count(1)

    def add(self, scorecard: Scorecard | str | bytes | None = None, **files: bytes) -> int:
        """Register a version whose artifacts are a scorecard and, beside it, `files`."""
        folder = self.make_folder(scorecard, **files)
        return self.register(folder.as_uri())

    def make_folder(self, scorecard: Scorecard | str | bytes | None, **files: bytes) -> Path:
        """Lay out the artifacts of a version as MLflow does."""
        folder = self.store_folder / "artifacts" / "made" / str(next(self._folders))
        (folder / "artifacts").mkdir(parents=True)
        if isinstance(scorecard, Scorecard):
            scorecard = scorecard.to_json()
        if isinstance(scorecard, str):
            scorecard = scorecard.encode()
        if scorecard is not None:
            (folder / "artifacts" / "scorecard.json").write_bytes(scorecard)
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        return folder

    def register(self, source: str) -> int:
        """Register a version whose artifacts are said to lie there."""
        return int(self.client.create_model_version(NAME, source).version)

    def point(self, number: int, alias: str = "champion") -> None:
        """Let an alias point to a version."""
        self.client.set_registered_model_alias(NAME, alias, str(number))


def change(scorecard: Scorecard, factor: float, shift: float) -> Scorecard:
    """Return another scorecard, sealed and with golden leads."""
    return add_golden_leads(scorecard.rescaled(factor, shift)).sealed()


def expect_probability(scorecard: Scorecard, lead: dict[str, Any] = LEAD) -> float:
    """Return what the scoring of models says to a lead's signals."""
    model = build_served_model(scorecard.to_json(), VersionNote(NAME, 1))
    scored = score_lead(model, decode_lead(json.dumps(lead).encode()), 0, strict=False)
    return Scorer(scorecard).score(scored.signals).probability


def find_processes(marker: str) -> list[int]:
    """Return the processes whose command line holds a text (a test's own folder)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in path.read_text() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def is_seen(what: Callable[[], object]) -> bool:
    """Say whether something is true, where asking for it may fail meanwhile."""
    try:
        return bool(what())
    except (OSError, AssertionError):
        return False
