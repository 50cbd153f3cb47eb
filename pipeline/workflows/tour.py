"""The tour behind ``make demo``: train, register, promote, evaluate and score the demo leads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from leadscore.models.log_odds import to_log_odds
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.demo.world import World
from leadscore.pipeline.evaluation.evaluate import Evaluation
from leadscore.pipeline.evaluation.metrics import auc, group_by_score
from leadscore.pipeline.progress import Progress
from leadscore.pipeline.scoring.score_file import BatchReport
from leadscore.pipeline.tracking.records import Version
from leadscore.pipeline.tracking.store import CHAMPION
from leadscore.pipeline.training.train import train
from leadscore.pipeline.values.times import DAY_US
from leadscore.pipeline.workflows.record_training import record_training
from leadscore.pipeline.workflows.store import promote_version
from leadscore.pipeline.workflows.versions import evaluate_version, score_with_version

SCORED_FILE = "scored.csv"


@dataclass(frozen=True)
class Tour:
    """The results of the tour; `truth_auc` is the AUC of the true probabilities themselves."""

    version: Version
    evaluation: Evaluation
    truth_auc: float
    batch: BatchReport
    report: Path
    newest_lead: str


def take_tour(world: World, store_folder: Path, progress: Progress) -> Tour:
    """Train on a demo world in CSV, promote the version, evaluate it, and score the open leads."""
    folder = world.leads_path.parent
    project = read_project(find_project("demo"), folder)
    training = train(project, progress)
    progress("tracking and registering")
    version, report = record_training(training, store_folder)
    version = promote_version(store_folder, project.name, str(version.version))
    progress("evaluating the champion")
    evaluation, _ = evaluate_version(store_folder, project, CHAMPION)
    target = folder / SCORED_FILE
    batch = score_with_version(
        store_folder, project, CHAMPION, world.open_path, target, None, progress=progress
    )
    newest = training.tables.leads["lead_id"][-1].as_py()
    return Tour(
        version,
        evaluation,
        _truth_auc(folder, training.later),
        batch,
        report,
        newest,
    )


def read_truth(path: Path, snapshots: Dataset) -> npt.NDArray[np.float64]:
    """Return the true probability of each of n snapshots, from a world's truth.csv or .parquet.

    A KeyError is raised if a snapshot is not in the truth.
    """
    truth = pq.read_table(path) if path.suffix == ".parquet" else pa_csv.read_csv(path)
    as_of_us = truth["as_of"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    keys = zip(truth["lead_id"].to_pylist(), as_of_us, strict=True)
    known = dict(zip(keys, truth["true_prob"].to_pylist(), strict=True))
    moments = snapshots.begin.astype(np.int64) + (snapshots.age_days * DAY_US).astype(np.int64)
    wanted = zip(snapshots.lead_id.tolist(), moments.tolist(), strict=True)
    return np.array([known[key] for key in wanted])


def _truth_auc(folder: Path, later: Dataset) -> float:
    probability = read_truth(folder / "truth.csv", later)
    log_odds = np.array([*map(to_log_odds, probability.tolist())])
    return auc(group_by_score(log_odds, probability, later.label))
