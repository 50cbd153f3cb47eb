"""What goes into the store, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leadscore.models.scorecard import Scorecard

EVALUATION_FILE = "evaluation.json"
REPORT_FILE = "report.html"
"""Files of a run that are read back."""


@dataclass(frozen=True)
class DatasetNote:
    """What a run says of one part of its data: no rows, only counts and a digest."""

    name: str
    digest: str
    context: str
    profile: Mapping[str, float]


@dataclass(frozen=True)
class RunRecord:
    """All that one training leaves in MLflow."""

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
    """All that one comparison leaves in MLflow; `pages` are texts by their file's name."""

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
