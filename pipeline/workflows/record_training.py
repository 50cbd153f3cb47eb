"""Record a training in MLflow: one run with metrics, pictures and documents, and a version."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import joblib
import numpy as np

from leadscore.pipeline.audit.records import suppress_cells
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.ingest.rejects import write_rejects
from leadscore.pipeline.report.html_pages import write_training_page
from leadscore.pipeline.report.pictures import draw_training
from leadscore.pipeline.report.training_report import Report, make_report
from leadscore.pipeline.tracking.records import (
    EVALUATION_FILE,
    REPORT_FILE,
    DatasetNote,
    RunRecord,
    Version,
)
from leadscore.pipeline.tracking.store import open_store
from leadscore.pipeline.training.train import Training
from leadscore.pipeline.values.times import format_time
from leadscore.pipeline.workflows.reports import report_path, save_report


class RecordedTraining(NamedTuple):
    """The version that a training registered, and where its report lies."""

    version: Version
    report: Path


def record_training(training: Training, store_folder: Path) -> RecordedTraining:
    """Track a training and register its scorecard as challenger, or raise StoreError.

    Rejected rows are written to ``rejects/`` in the store folder: their reasons show values.
    MLflow gets only their number. The report lies in the run, and for people in the store folder.
    """
    project = training.project
    rejects = store_folder / "rejects" / f"{project.name}.csv"
    rejects.unlink(missing_ok=True)
    if training.tables.rejects:
        write_rejects(training.tables.rejects, rejects)
    store = open_store(store_folder)
    evaluation = training.evaluation
    report = make_report(project, training)
    page = write_training_page(report, store_folder / "cache")
    verdict = " ".join(verdict.text for verdict in evaluation.verdicts)
    with TemporaryDirectory() as scratch:
        version = store.record_training(
            RunRecord(
                project=project.name,
                scorecard=training.scorecard,
                params=_params(training),
                metrics=_metrics(training),
                series={
                    f"period_{name}": [getattr(period, name) for period in evaluation.periods]
                    for name in ("base_rate", "mean_prob", "auc", "log_loss")
                },
                documents={
                    "configuration.json": project.resolved(),
                    EVALUATION_FILE: evaluation.to_json(),
                    **_selection(training),
                    "data.json": _data(training),
                    "audit.json": suppress_cells(training.audit).to_json(),
                },
                files=_write_files(training, report, page, Path(scratch)),
                datasets=_datasets(training),
                tags={"basis": evaluation.basis, "verdict": verdict[:5000]},
            )
        )
    path = report_path(store_folder, version)
    save_report(page, path)
    return RecordedTraining(version, path)


def _params(training: Training) -> dict[str, object]:
    recalibration = training.scorecard.training["recalibration"]
    return {
        **({} if training.selected is None else vars(training.selected.hyperparameters)),
        "recalibration_factor": recalibration["factor"],
        "recalibration_shift": recalibration["shift"],
        "signals": len(training.scorecard.terms),
        "horizon_days": training.scorecard.horizon_days,
        "data_digest": training.tables.digest,
        "configuration_digest": training.scorecard.training["configuration"],
        "audit": training.audit.verdict,
        "allowed_leaks": ", ".join(training.audit.allowed_leaks),
    }


def _selection(training: Training) -> dict[str, object]:
    if training.selected is None:
        return {}
    candidates = training.selected.candidates
    return {
        "selection.json": [{**vars(c.hyperparameters), "log_loss": c.log_loss} for c in candidates]
    }


def _metrics(training: Training) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, estimate in training.evaluation.metrics.items():
        metrics[name] = estimate.value
        metrics[f"{name}_low"], metrics[f"{name}_high"] = estimate.low, estimate.high
    metrics["earlier_base_rate"] = training.evaluation.earlier_base_rate
    for part, dataset in _parts(training):
        metrics[f"{part}_snapshots"] = len(dataset)
        metrics[f"{part}_wins"] = int(dataset.label.sum())
    metrics["rows"] = training.tables.rows
    metrics["rejected_rows"] = len(training.tables.rejects)
    return metrics


def _parts(training: Training) -> list[tuple[str, Dataset]]:
    if training.earlier.order == "none":
        return [("all", training.earlier)]
    return [("earlier", training.earlier), ("later", training.later)]


def _data(training: Training) -> dict[str, object]:
    extract_us = training.tables.extract_us
    return {
        "digest": training.tables.digest,
        "rows": training.tables.rows,
        "rejected": len(training.tables.rejects),
        "leads": len(training.tables.leads),
        "extract": None if extract_us is None else format_time(extract_us),
        "horizon_days": training.scorecard.horizon_days,
        "order": training.earlier.order,
        "cut": training.cut,
        "parts": {
            part: {
                "snapshots": len(dataset),
                "leads": len(np.unique(dataset.lead)),
                "won": int(dataset.label.sum()),
                "not_won": int(len(dataset) - dataset.label.sum()),
            }
            for part, dataset in _parts(training)
        },
        "snapshots_left_out": training.earlier.left_out,
        "snapshots_in_neither_part": training.neither,
        "notes": [note.redacted for note in training.notes],
    }


def _datasets(training: Training) -> list[DatasetNote]:
    return [
        DatasetNote(
            f"{training.scorecard.project}-{part}",
            training.tables.digest,
            part,
            {"snapshots": len(dataset), "wins": int(dataset.label.sum())},
        )
        for part, dataset in _parts(training)
    ]


def _write_files(training: Training, report: Report, page: str, folder: Path) -> list[Path]:
    scorecard, html = folder / "scorecard.json", folder / REPORT_FILE
    scorecard.write_text(training.scorecard.to_json(), encoding="utf-8")
    html.write_text(page, encoding="utf-8", newline="\n")
    paths = [scorecard, html, *draw_training(report, folder)]
    if training.pipeline is not None:
        paths.append(folder / "pipeline.joblib")
        joblib.dump(training.pipeline, paths[-1])
    return paths
