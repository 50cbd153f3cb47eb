"""The functions that log one run: figures, documents, and the scorecard as a model."""

import json
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from leadscore import models
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.tracking.records import RunRecord

SCORECARD_FILE = "scorecard.json"
_REQUIREMENTS = ("mlflow", "numpy", "pandas", "pydantic")
_DISTRIBUTIONS = {"mlflow": "mlflow-skinny"}  # the full one installs it too, in the same version
_BATCH = 900  # MLflow accepts at most 1,000 metrics per call


def log_figures(client: MlflowClient, run_id: str, record: RunRecord) -> None:
    """Log figures, parameters, tags and counts of the data, in as few calls as possible."""
    log_values(client, run_id, record.metrics, record.params, record.tags)
    now_ms = round(1000 * time.time())
    metrics = []
    for name, values in record.series.items():
        steps = enumerate(values)
        metrics += [Metric(name, value, now_ms, step) for step, value in steps if value is not None]
    _log_metrics(client, run_id, metrics)
    inputs = [
        DatasetInput(
            Dataset(note.name, note.digest[:36], "local", "{}", profile=json.dumps(
                dict(note.profile))),
            [InputTag("mlflow.data.context", note.context)],
        )
        for note in record.datasets
    ]  # fmt: skip
    client.log_inputs(run_id, inputs)


def log_values(
    client: MlflowClient,
    run_id: str,
    metrics: Mapping[str, float],
    params: Mapping[str, object],
    tags: Mapping[str, str],
) -> None:
    """Log figures, parameters and tags of a run."""
    now_ms = round(1000 * time.time())
    client.log_batch(
        run_id,
        [],
        [Param(name, str(value)) for name, value in params.items()],
        [RunTag(name, value) for name, value in tags.items()],
    )
    _log_metrics(
        client, run_id, [Metric(name, value, now_ms, 0) for name, value in metrics.items()]
    )


def _log_metrics(client: MlflowClient, run_id: str, metrics: list[Metric]) -> None:
    for begin in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics[begin : begin + _BATCH])


def log_scorecard(scorecard: Scorecard, scratch: Path) -> Any:
    """Log a scorecard as a model of the active run: source code, which loads without unpickling."""
    path = scratch / SCORECARD_FILE
    path.write_text(scorecard.to_json(), encoding="utf-8")
    columns: list[ColSpec | TensorSpec] = [
        ColSpec("string" if is_text else "double", signal, required=False)
        for signal, is_text in scorecard.columns.items()
    ]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec("double", "probability"), ColSpec("double", "score"),
        ColSpec("string", "band"), ColSpec("double", "log_odds"),
    ]  # fmt: skip
    return mlflow.pyfunc.log_model(
        name="scorecard",
        python_model=str(Path(__file__).with_name("mlflow_model.py")),
        artifacts={"scorecard": str(path)},
        code_paths=[str(_copy_code(scratch))],
        pip_requirements=[_write_range(name) for name in _REQUIREMENTS],
        signature=ModelSignature(Schema(columns), Schema(outputs)),
        input_example=_example(scorecard),
    )


def _write_range(package: str) -> str:
    """Return the versions of a package that may load the model: from this minor version on."""
    major, minor = version(_DISTRIBUTIONS.get(package, package)).split(".")[:2]
    return f"{package}>={major}.{minor},<{int(major) + 1}"


def _copy_code(scratch: Path) -> Path:
    """Copy the package ``leadscore.models``, which is all that the registered model imports."""
    package = scratch / "leadscore"
    source = Path(models.__file__).parent
    shutil.copytree(source, package / "models", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text('"""Lead scores from a scorecard."""\n', encoding="utf-8")
    return package


def _example(scorecard: Scorecard) -> pd.DataFrame:
    lead = scorecard.golden[-1].signals
    return pd.DataFrame({signal: [lead.get(signal)] for signal in scorecard.columns})


def to_json(document: object) -> str:
    """Write a document as JSON that a person can read."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
