"""Train: from the project's tables to a sealed scorecard and its evaluation."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadscore.models.calibration import IDENTITY
from leadscore.models.errors import ScorecardError
from leadscore.models.predictive import recalibrate_pipeline, to_terms
from leadscore.models.score_frame import score_frame
from leadscore.models.scorecard import Points, Scorecard
from leadscore.pipeline.audit.audit import check_allowed
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.audit.tables.missing_outcomes import note_few_early_wins, note_late_records
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import describe_cut
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.evaluate import Evaluation, evaluate_scores
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.training.finalize import band_snapshots, finish_scorecard, plain_bands
from leadscore.pipeline.training.model_selection import (
    SelectedModel,
    cross_validate,
    fit_pipeline,
    select_hyperparameters,
)
from leadscore.pipeline.training.prepare import Prepared, fingerprint_training, prepare

POINTS_TO_DOUBLE = 20.0
"""So many points double the odds, as credit scorecards have it."""


@dataclass(frozen=True)
class Training:
    """All that one training has made.

    `earlier` and `later` are the datasets it learned from and was judged on; without any order they
    are the same, and the evaluation is cross-validated. `audit` says what was left out and why.
    A sheet has neither `pipeline` nor `choice`.
    """

    scorecard: Scorecard
    pipeline: Pipeline | None
    choice: SelectedModel | None
    evaluation: Evaluation
    earlier: Dataset
    later: Dataset
    later_log_odds: npt.NDArray[np.float64]
    later_bands: npt.NDArray[np.object_]
    neither: int
    cut: str | None
    tables: Ingested
    notes: tuple[Note, ...]
    audit: Audit

    @property
    def method(self) -> str:
        """How the scorecard came about, in half a sentence."""
        signals = f"{len(self.scorecard.terms)} signals"
        if self.choice is None:
            factor, shift = (
                self.scorecard.points.log_odds_per_point,
                self.scorecard.points.log_odds_at_zero,
            )
            return f"the points of {signals}; log-odds = {factor:.4f} x points {shift:+.3f}"
        affine = self.choice.affine
        kept = f"{affine.factor:.3f} x log-odds + {affine.shift:.3f}"
        return (
            f"logistic regression on {signals}, penalty C = {self.choice.recipe.penalty:g}; "
            f"recalibration: {'none' if affine == IDENTITY else kept}"
        )


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
    prepared = prepare(project, progress, allowed_leaks)
    project, dataset, split = prepared.project, prepared.dataset, prepared.split
    try:
        choice = select_hyperparameters(
            split.earlier, project.catalog, project.training.model, progress
        )
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
        bands=plain_bands(project.bands),
        definitions=project.catalog.to_definitions(),
        training=fingerprint_training(prepared, choice.affine),
    )
    scorecard = _with_means(scorecard, split.earlier.signals)
    if prepared.ordered:
        later_log_odds = score_frame(scorecard, split.later.signals).log_odds
    else:
        later_log_odds = cross_validate(dataset, project.catalog, project.training.model, progress)
    scorecard = finish_scorecard(scorecard, project.bands, split.later.signals, later_log_odds)
    progress("evaluating")
    return evaluate_training(prepared, scorecard, later_log_odds, (choice, pipeline))


def evaluate_training(
    prepared: Prepared,
    scorecard: Scorecard,
    later_log_odds: npt.NDArray[np.float64],
    learned: tuple[SelectedModel, Pipeline] | None = None,
) -> Training:
    """Evaluate a finished scorecard on the later part, and gather what its training has made.

    Parameters
    ----------
    prepared : Prepared
    scorecard : Scorecard
        Sealed.
    later_log_odds : float array of shape (n,)
        Of the later part's n snapshots; without order, out of fold.
    learned : tuple of Choice and Pipeline, optional
        None for a sheet.
    """
    project, split, tables = prepared.project, prepared.split, prepared.tables
    later_bands = band_snapshots(scorecard, split.later.signals, later_log_odds)
    evaluation = evaluate_scores(
        split.later,
        later_log_odds,
        later_bands,
        float(split.earlier.label.mean()),
        project.training.bootstrap_draws,
        project.training.seed,
    )
    choice, pipeline = learned or (None, None)
    return Training(
        scorecard, pipeline, choice, evaluation, split.earlier, split.later, later_log_odds,
        later_bands, split.neither, describe_cut(split), tables,
        (*_notes(project, tables, scorecard), *note_few_early_wins(project, prepared.dataset),
         *note_late_records(project, tables)), prepared.audit,
    )  # fmt: skip


def _with_means(scorecard: Scorecard, signals: pd.DataFrame) -> Scorecard:
    means = score_frame(scorecard, signals).contributions.mean(axis=0)
    terms = tuple(
        term.model_copy(update={"mean": float(mean)})
        for term, mean in zip(scorecard.terms, means, strict=True)
    )
    return scorecard.model_copy(update={"terms": terms})


def _notes(project: Project, tables: Ingested, scorecard: Scorecard) -> list[Note]:
    used = set(scorecard.columns)
    unused = [column for column in project.catalog.columns if column not in used]
    notes = list(tables.notes)
    if unused:
        text = f"left out, since they never change here: {', '.join(unused)}"
        notes.append(Note("constant signals", text))
    if project.training.horizon_days is None:
        text = "outcomes have no times: a lead counts as not won if it is not won yet"
        notes.append(Note("outcomes without times", text))
    return notes
