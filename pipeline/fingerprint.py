"""The fingerprint of a training: what it read, by which configuration and libraries."""

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np

from models.calibration import Affine
from pipeline.audit.audit import list_leaks
from pipeline.dataset import Dataset
from pipeline.preparing import Prepared

_LIBRARIES = ("scikit-learn", "numpy", "pandas", "leadscore")


def fingerprint_training(
    prepared: Prepared, affine: Affine, sheet: dict[str, Any] | None = None
) -> dict[str, object]:
    """Return what ``Scorecard.training`` holds.

    Parameters
    ----------
    prepared : Prepared
    affine : Affine
        The recalibration; of a sheet, from points to log-odds.
    sheet : dict, optional
        A rule sheet as plain data: a part of its configuration.
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
