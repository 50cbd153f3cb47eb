"""The records that the store takes and returns, and the names of versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from leadscore.models.scorecard import Scorecard

EVALUATION_FILE = "evaluation.json"
REPORT_FILE = "report.html"
"""The files of a run that other commands read."""


@dataclass(frozen=True)
class DatasetNote:
    """The description of one part of a run's data: counts and a digest, but no rows."""

    name: str
    digest: str
    context: str
    profile: Mapping[str, float]


@dataclass(frozen=True)
class RunRecord:
    """Everything that one training records in MLflow."""

    project: str
    scorecard: Scorecard
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    series: Mapping[str, list[float | None]]
    documents: Mapping[str, object]
    files: list[Path]
    datasets: list[DatasetNote]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparisonRecord:
    """Everything that one comparison records in MLflow; `pages` are texts by file name."""

    project: str
    name: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    documents: Mapping[str, object]
    pages: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model: the versions of its aliases, and the newest version's number."""

    name: str
    aliases: Mapping[str, int]
    newest: int


@dataclass(frozen=True)
class Version:
    """One registered version of a model."""

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str
    fingerprint: str
    created_ms: int
    basis: str
    metrics: Mapping[str, float]


KIND_WORDS = {
    "predictive": "predictive model",
    "rules": "rule sheet",
    "close_rate": "close-rate sheet",
}
"""The kinds of models, which are registered as ``<project>.<kind>``, in words."""
KINDS = tuple(KIND_WORDS)
_DEFAULT_VERSION = "champion"
_MAKERS = {"rules": "rules register", "close_rate": "rules learn"}


def describe_reference(kind: str) -> str:
    """Return what the points of a scorecard's values are relative to, in words.

    Examples
    --------
    >>> describe_reference("predictive"), describe_reference("rules")
    ('against the average lead', 'as the sheet has them')
    """
    return "against the average lead" if kind == "predictive" else "as the sheet has them"


def next_commands(name: str) -> tuple[str, str]:
    """Return the command that registers a version of a model, and the one that promotes it.

    Examples
    --------
    >>> next_commands("demo.rules")
    ('leadscore rules register', 'leadscore promote rules:VERSION')
    >>> next_commands("demo.predictive")
    ('leadscore train', 'leadscore promote VERSION')
    """
    kind = name.rpartition(".")[2]
    if kind not in _MAKERS:
        return "leadscore train", "leadscore promote VERSION"
    return f"leadscore {_MAKERS[kind]}", f"leadscore promote {kind}:VERSION"


class VersionRef(NamedTuple):
    """A registered model's name, ``<project>.<kind>``, and a version's number or alias."""

    name: str
    version: str

    @property
    def title(self) -> str:
        """The name and the version for people."""
        return f"{self.name} version {self.version}"


def parse_version(written: str, project: str) -> VersionRef:
    """Parse a version that a person wrote; without a kind it is one of the predictive model.

    `project` counts if `written` names no project. The registry may have no such version.

    Examples
    --------
    >>> [tuple(parse_version(w, "demo")) for w in ("3", "rules", "demo.rules:2")]
    [('demo.predictive', '3'), ('demo.rules', 'champion'), ('demo.rules', '2')]
    """
    name, colon, version = written.rpartition(":")
    if not colon and version.removeprefix(f"{project}.") in KINDS:
        name, version = version, _DEFAULT_VERSION
    if not name:
        name = "predictive"
    return VersionRef(name if "." in name else f"{project}.{name}", version)
