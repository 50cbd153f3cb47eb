"""Train: from the project's tables to a sealed scorecard and its evaluation."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from models.calibration import IDENTITY, Affine
from models.errors import ScorecardError
from models.frame import score_frame
from models.golden import add_golden_leads
from models.predictive import recalibrate_pipeline, to_terms
from models.scorecard import Points, Scorecard
from pipeline.audit.audit import audit_tables, check_allowed, leave_out, list_leaks
from pipeline.audit.records import Audit
from pipeline.cut_points import cut_axes
from pipeline.dataset import Dataset, Split, build_dataset, name_cut, split_dataset
from pipeline.errors import RefusalError
from pipeline.evaluate import Evaluation, evaluate_scores
from pipeline.ingest import Ingested, ingest
from pipeline.progress import Progress, silent
from pipeline.selection import Choice, choose_recipe, cross_validate, fit_pipeline
from pipeline.settings import Project
from pipeline.silence import note_late, note_uneven

POINTS_TO_DOUBLE = 20.0
"""So many points double the odds, as credit scorecards have it."""

_LIBRARIES = ("scikit-learn", "numpy", "pandas", "leadscore")


@dataclass(frozen=True)
class Training:
    """All that one training has made.

    `earlier` and `later` are the datasets it learned from and was judged on; without any order they
    are the same, and the evaluation is cross-validated. `audit` says what was left out and why.
    """

    scorecard: Scorecard
    pipeline: Pipeline
    choice: Choice
    evaluation: Evaluation
    earlier: Dataset
    later: Dataset
    later_log_odds: npt.NDArray[np.float64]
    neither: int
    cut: str | None
    tables: Ingested
    notes: tuple[str, ...]
    audit: Audit


def train(
    project: Project, progress: Progress = silent, allowed_leaks: Collection[str] = ()
) -> Training:
    """Train the predictive model of a project, on what its audit lets through.

    Parameters
    ----------
    project : Project
    progress : Progress
    allowed_leaks : collection of str
        Signals, fields or columns to learn from though the audit says that they leak.

    Returns
    -------
    Training

    Raises
    ------
    DataError
        If the data is not what the configuration says.
    RefusalError
        If the audit says not to train, there are too few wins to learn from, or the later period
        cannot judge.
    ConfigError
        If `allowed_leaks` names nothing that a signal reads.
    """
    check_allowed(project, allowed_leaks)
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        return _train(project, progress, allowed_leaks)


def _train(project: Project, progress: Progress, allowed_leaks: Collection[str]) -> Training:
    progress("reading the leads")
    tables = ingest(project)
    if tables.problems:
        raise RefusalError("; ".join(tables.problems))
    progress("computing signals")
    dataset = build_dataset(project, tables)
    progress("auditing")
    audit = audit_tables(project, tables, dataset, allowed_leaks=allowed_leaks)
    project = leave_out(project, audit)
    dataset = replace(dataset, signals=dataset.signals[project.catalog.columns])
    ordered = dataset.order != "none"
    split = (
        split_dataset(dataset, project.training.split)
        if ordered
        else Split(dataset, dataset, float("nan"), 0)
    )
    _check_classes(project, split)
    try:
        choice = choose_recipe(split.earlier, project.catalog, project.training.model, progress)
        progress("fitting")
        pipeline = fit_pipeline(split.earlier, project.catalog, choice.recipe)
        if choice.affine != IDENTITY:
            recalibrate_pipeline(pipeline, choice.affine)
        base, terms = to_terms(pipeline)
    except ScorecardError as error:
        raise RefusalError(str(error)) from error
    scorecard = Scorecard(
        project=project.name,
        kind="predictive",
        horizon_days=project.training.horizon_days,
        base=base,
        terms=terms,
        points=Points(per_log_odds=POINTS_TO_DOUBLE / float(np.log(2.0))),
        bands=project.bands,
        definitions=project.catalog.to_definitions(),
        training={
            **_fingerprint(project, tables, split, choice.affine),
            "allowed_leaks": list_leaks(project, audit),
        },
    )
    scorecard = _with_means(scorecard, split.earlier.signals)
    if ordered:
        later_log_odds = score_frame(scorecard, split.later.signals).log_odds
    else:
        later_log_odds = cross_validate(dataset, project.catalog, project.training.model, progress)
    quantiles = np.quantile(later_log_odds, np.linspace(0.0, 1.0, 101))
    scorecard = scorecard.model_copy(
        update={
            "quantiles": tuple(map(float, quantiles)),
            "axes": cut_axes(scorecard, split.later.signals),
        }
    )
    scorecard = add_golden_leads(scorecard).sealed()
    progress("evaluating")
    evaluation = evaluate_scores(
        split.later,
        later_log_odds,
        scorecard.bands.log_odds,
        float(split.earlier.label.mean()),
        project.training.resamples,
        project.training.seed,
    )
    return Training(
        scorecard, pipeline, choice, evaluation, split.earlier, split.later, later_log_odds,
        split.neither, name_cut(split), tables,
        (*_notes(project, tables, scorecard), *note_uneven(project, dataset),
         *note_late(project, tables)), audit,
    )  # fmt: skip


def evaluate_registered(project: Project, scorecard: Scorecard) -> Evaluation:
    """Judge a registered scorecard on the data as it is now.

    Judged on are the leads created from the training's own cut on, wherever the configuration
    would cut today, so no lead that the scorecard learned from can flatter it.

    Parameters
    ----------
    project : Project
    scorecard : Scorecard
        Learned from leads with times or arrival numbers.

    Returns
    -------
    Evaluation

    Raises
    ------
    RefusalError
        If the leads have no order, or the later ones are too few to judge by.
    """
    cut = scorecard.training["cut"]
    if cut is None:
        raise RefusalError(
            "these leads have no order in time, so none are later than what the model learned from"
        )
    if scorecard.horizon_days != project.training.horizon_days:
        raise RefusalError(
            f"the model says who is won within {scorecard.horizon_days} days, training.yaml now "
            f"says {project.training.horizon_days}; set horizon_days back, or train again"
        )
    tables = ingest(project)
    dataset = build_dataset(project, tables)
    later = dataset.rows(dataset.begin >= cut)
    if not 0 < later.label.sum() < len(later):
        raise RefusalError(
            f"{int(later.label.sum())} wins among the {len(later)} snapshots from the cut on; "
            "both wins and others are needed to judge by"
        )
    log_odds = score_frame(scorecard, later.signals).log_odds
    evaluation = evaluate_scores(
        later,
        log_odds,
        scorecard.bands.log_odds,
        scorecard.training["earlier"]["base_rate"],
        project.training.resamples,
        project.training.seed,
    )
    if tables.digest != scorecard.training["data"]:
        evaluation.verdict.append(
            "The data are not those of the training: leads count as later by their creation or "
            "arrival number alone, so see to it that those still mean the same."
        )
    return evaluation


def _check_classes(project: Project, split: Split) -> None:
    wins = int(split.earlier.label.sum())
    needed = project.training.minimum_wins
    if wins < needed:
        raise RefusalError(
            f"{wins} wins among {len(split.earlier)} snapshots to learn from, at least {needed} "
            "are needed (minimum_wins in training.yaml); wait for more, or lengthen the history"
        )
    for name, part in (("earlier", split.earlier), ("later", split.later)):
        if not 0 < part.label.sum() < len(part):
            raise RefusalError(
                f"the {name} part has {int(part.label.sum())} wins in {len(part)} snapshots; both "
                "wins and others are needed: see split in training.yaml, won and lost in data.yaml"
            )


def _fingerprint(
    project: Project, tables: Ingested, split: Split, affine: Affine
) -> dict[str, object]:
    configuration = project.resolved()
    del configuration["training"]["report"]  # changes what is shown, never the model
    resolved = json.dumps(configuration, sort_keys=True).encode()
    ordered = split.earlier.order != "none"
    ordered_by_time = split.earlier.order == "time"
    return {
        "data": tables.digest,
        "configuration": hashlib.sha256(resolved).hexdigest(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "order": split.earlier.order,
        "cut": split.cut if ordered else None,
        "earlier": _count(split.earlier),
        "later": _count(split.later) if ordered else None,
        "oldest_days": None if not ordered_by_time else max(project.training.snapshots.ages),
        "recalibration": {"factor": affine.factor, "shift": affine.shift},
    }


def _count(part: Dataset) -> dict[str, float]:
    return {
        "snapshots": len(part),
        "leads": len(np.unique(part.lead)),
        "wins": int(part.label.sum()),
        "base_rate": float(part.label.mean()),
    }


def _with_means(scorecard: Scorecard, signals: pd.DataFrame) -> Scorecard:
    means = score_frame(scorecard, signals).contributions.mean(axis=0)
    terms = tuple(
        term.model_copy(update={"mean": float(mean)})
        for term, mean in zip(scorecard.terms, means, strict=True)
    )
    return scorecard.model_copy(update={"terms": terms})


def _notes(project: Project, tables: Ingested, scorecard: Scorecard) -> tuple[str, ...]:
    used = {term.signal for term in scorecard.terms}
    unused = [column for column in project.catalog.columns if column not in used]
    notes = [*tables.notes]
    if unused:
        notes.append(f"left out, since they never change here: {', '.join(unused)}")
    if project.training.horizon_days is None:
        notes.append("outcomes have no times: a lead counts as not won if it is not won yet")
    return tuple(notes)
