"""What comes before any scorecard: tables, signals, the audit, and the split in time."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from leadscore.models.calibration import Affine
from leadscore.pipeline.audit.audit import audit_tables, exclude_columns, list_leaks
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import Split, split_history
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.ingest.tables import Ingested, ingest
from leadscore.pipeline.progress import Progress


@dataclass(frozen=True)
class Prepared:
    """All that a scorecard is learned from and evaluated on.

    `project` and `dataset` are without the signals that the audit left out. `left_out` are their
    columns. Without order, both parts of the split are the whole dataset.
    """

    project: Project
    tables: Ingested
    dataset: Dataset
    split: Split
    audit: Audit
    left_out: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        """Whether the later part is later than what is learned from."""
        return self.dataset.order != "none"


def prepare(project: Project, progress: Progress, allowed_leaks: Collection[str] = ()) -> Prepared:
    """Read the tables, compute signals, audit, and split by time.

    `allowed_leaks` names signals, fields or columns to learn from although the audit calls them
    leaks.

    Raises DataError if the data do not match the configuration.
    Raises RefusalError if the audit says not to train, or a part has too few wins.
    """
    progress("reading the leads")
    tables = ingest(project, keep_source=True)
    if tables.problems:
        raise RefusalError("; ".join(map(str, tables.problems)))
    progress("computing signals")
    dataset = build_dataset(project, tables)
    progress("auditing")
    audit = audit_tables(project, tables, dataset, allowed_leaks=allowed_leaks)
    tables = replace(tables, source=None)  # only the audit reads it
    kept = exclude_columns(project, audit)
    left_out = tuple(c for c in project.catalog.columns if c not in kept.catalog.columns)
    dataset = replace(dataset, signals=dataset.signals[kept.catalog.columns])
    split = split_history(kept.training.split, dataset)
    _check_classes(kept.training.min_wins, split)
    return Prepared(kept, tables, dataset, split, audit, left_out)


def _check_classes(min_wins: int, split: Split) -> None:
    wins = int(split.earlier.label.sum())
    if wins < min_wins:
        raise RefusalError(
            f"{wins} wins among {len(split.earlier)} snapshots to learn from, at least {min_wins} "
            "are needed (min_wins in training.yaml); wait for more, or lengthen the history"
        )
    for name, part in (("earlier", split.earlier), ("later", split.later)):
        if not 0 < part.label.sum() < len(part):
            raise RefusalError(
                f"the {name} part has {int(part.label.sum())} wins in {len(part)} snapshots; both "
                "wins and others are needed: see split in training.yaml, won and lost in data.yaml"
            )


_LIBRARIES = ("scikit-learn", "numpy", "pandas", "leadscore")


def fingerprint_training(
    prepared: Prepared, affine: Affine, sheet: dict[str, Any] | None = None
) -> dict[str, object]:
    """Return what ``Scorecard.training`` holds.

    `affine` is the recalibration, of a sheet the map from points to log-odds. `sheet` is a rule
    sheet as plain data, a part of its configuration.
    """
    project, tables, split = prepared.project, prepared.tables, prepared.split
    configuration: dict[str, Any] = project.resolved()
    if sheet is not None:
        configuration["rules"] = sheet
    for shown in ("report", "comparison"):  # these change what is shown, never the model
        del configuration["training"][shown]
    resolved = json.dumps(configuration, sort_keys=True).encode()
    ordered_by_time = split.earlier.order == "time"
    return {
        "data": tables.digest,
        "configuration": hashlib.sha256(resolved).hexdigest(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "order": split.earlier.order,
        "cut": split.cut if prepared.ordered else None,
        "earlier": _count(split.earlier),
        "later": _count(split.later) if prepared.ordered else None,
        "oldest_days": None if not ordered_by_time else max(project.training.snapshots.ages),
        "recalibration": {"factor": affine.factor, "shift": affine.shift},
        "allowed_leaks": list_leaks(project, prepared.audit),
    }


def _count(part: Dataset) -> dict[str, float]:
    return {
        "snapshots": len(part),
        "leads": len(np.unique(part.lead)),
        "wins": int(part.label.sum()),
        "base_rate": float(part.label.mean()),
    }
