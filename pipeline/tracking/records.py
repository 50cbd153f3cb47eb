"""The records that the store takes and returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
