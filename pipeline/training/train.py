"""Train: from the project's tables to a sealed scorecard and its evaluation."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands, Minimums, SheetBands
from leadscore.models.calibration import IDENTITY
from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.predictive import recalibrate_pipeline, to_terms
from leadscore.models.score_frame import Floats, assign_bands, score_frame, sum_axes
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
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.training.model_selection import (
    SelectedModel,
    cross_validate,
    fit_pipeline,
    select_hyperparameters,
)
from leadscore.pipeline.training.prepare import Prepared, fingerprint_training, prepare

_QUARTERS = (0.25, 0.5, 0.75)
POINTS_TO_DOUBLE = 20.0
"""How many points double the odds, as in credit scorecards."""


@dataclass(frozen=True)
class Training:
    """All results of one training.

    `project` is without the signals that the audit left out. `earlier` and `later` are the datasets
    for learning and for evaluation. Without order they are the same, and the evaluation is
    cross-validated: then `later_log_odds` and `later_bands` are out of fold. The contributions are
    the scorecard's own, (n, terms + caps) each. A sheet has neither `pipeline` nor `selected`.
    """

    project: Project
    scorecard: Scorecard
    pipeline: Pipeline | None
    selected: SelectedModel | None
    evaluation: Evaluation
    earlier: Dataset
    later: Dataset
    earlier_contributions: Floats
    later_contributions: Floats
    later_log_odds: Floats
    later_bands: npt.NDArray[np.object_]
    neither: int
    cut: str | None
    tables: Ingested
    notes: tuple[Note, ...]
    audit: Audit

    @property
    def method(self) -> str:
        """How the scorecard was made, in half a sentence."""
        signals = f"{len(self.scorecard.terms)} signals"
        if self.selected is None:
            scale = self.scorecard.points
            factor, shift = scale.log_odds_per_point, scale.log_odds_at_zero
            return f"the points of {signals}; log-odds = {factor:.4f} x points {shift:+.3f}"
        affine = self.selected.affine
        kept = f"{affine.factor:.3f} x log-odds + {affine.shift:.3f}"
        return (
            f"logistic regression on {signals}, penalty C = "
            f"{self.selected.hyperparameters.penalty:g}; "
            f"recalibration: {'none' if affine == IDENTITY else kept}"
        )


def train(
    project: Project, progress: Progress = silent, allowed_leaks: Collection[str] = ()
) -> Training:
    """Train the predictive model of a project on the signals that pass its audit.

    `allowed_leaks` names signals, fields or columns to learn from although the audit calls them
    leaks.

    Raises DataError if the data do not match the configuration.
    Raises RefusalError if the audit says not to train, or a part has too few wins.
    Raises ConfigError if `allowed_leaks` names nothing that a signal reads.
    """
    check_allowed(project, allowed_leaks)
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        return _train(project, progress, allowed_leaks)


def _train(project: Project, progress: Progress, allowed_leaks: Collection[str]) -> Training:
    prepared = prepare(project, progress, allowed_leaks)
    project, split = prepared.project, prepared.split
    catalog, config = project.catalog, project.training.model
    try:
        selected = select_hyperparameters(split.earlier, catalog, config, progress)
        progress("fitting")
        pipeline = fit_pipeline(split.earlier, catalog, selected.hyperparameters)
        if selected.affine != IDENTITY:
            recalibrate_pipeline(pipeline, selected.affine)
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
        training=fingerprint_training(prepared, selected.affine),
    )
    earlier = score_frame(scorecard, split.earlier.signals).contributions
    means = map(float, earlier.mean(axis=0))
    terms = tuple(
        term.model_copy(update={"mean": mean}) for term, mean in zip(terms, means, strict=True)
    )
    scorecard = scorecard.model_copy(update={"terms": terms})
    if prepared.ordered:
        later = score_frame(scorecard, split.later.signals)
        contributions, log_odds = later.contributions, later.log_odds
    else:
        contributions, log_odds = earlier, cross_validate(split.later, catalog, config, progress)
    scorecard = finish_scorecard(scorecard, project.bands, contributions, log_odds)
    progress("evaluating")
    return evaluate_training(
        prepared, scorecard, earlier, contributions, log_odds, selected, pipeline
    )


def evaluate_training(
    prepared: Prepared,
    scorecard: Scorecard,
    earlier_contributions: Floats,
    later_contributions: Floats,
    later_log_odds: Floats,
    selected: SelectedModel | None = None,
    pipeline: Pipeline | None = None,
) -> Training:
    """Evaluate a finished scorecard on the later part, and gather the results of its training.

    The contributions, (n, terms + caps), are those of both parts. The log-odds are those of the
    later part, without order out of fold. A sheet has neither `selected` nor `pipeline`.
    """
    project, split, tables = prepared.project, prepared.split, prepared.tables
    later_bands = assign_bands(scorecard, split.later.signals, later_log_odds, later_contributions)
    evaluation = evaluate_scores(
        split.later,
        later_log_odds,
        later_bands,
        float(split.earlier.label.mean()),
        project.training.bootstrap_draws,
        project.training.seed,
    )
    notes = (
        *_notes(project, tables, scorecard),
        *note_few_early_wins(project, prepared.dataset),
        *note_late_records(project, tables),
    )
    return Training(
        project, scorecard, pipeline, selected, evaluation, split.earlier, split.later,
        earlier_contributions, later_contributions, later_log_odds, later_bands, split.neither,
        describe_cut(split), tables, notes, prepared.audit,
    )  # fmt: skip


def _notes(project: Project, tables: Ingested, scorecard: Scorecard) -> list[Note]:
    used = set(scorecard.columns)
    unused = [column for column in project.catalog.columns if column not in used]
    notes = list(tables.notes)
    if unused:
        text = f"left out because their value never changes: {', '.join(unused)}"
        notes.append(Note("constant signals", text))
    if project.training.horizon_days is None:
        text = "outcomes have no times: a lead counts as not won if it is not won yet"
        notes.append(Note("outcomes without times", text))
    return notes


def plain_bands(bands: Bands) -> Bands:
    """Return the cutoffs of every lead alone, for a scorecard whose axes have no cut points yet."""
    silent: dict[str, object] = {"by": None, "overrides": {}, "minimums": Minimums()}
    if isinstance(bands, SheetBands):
        silent["at_overrides"] = {}
    return bands.model_copy(update=silent)


def finish_scorecard(
    draft: Scorecard,
    bands: Bands,
    contributions: Floats,
    log_odds: Floats,
    axes: Axes | None = None,
) -> Scorecard:
    """Add what depends on the later leads: quantiles and axes. Then add golden leads and the hash.

    `draft` has `plain_bands`; `bands` are those of the finished scorecard. Contributions (n, terms
    + caps) and log-odds (n,) are those of the later period, without order out of fold. `axes` has
    the cut points that a sheet gives; the others are the quarters of the later period.

    Raises RefusalError if the bands ask for what the scorecard does not have: a signal, or an axis.
    """
    found, given = cut_axes(draft, contributions), axes or Axes()
    axes = Axes(fit=given.fit or found.fit, engagement=given.engagement or found.engagement)
    lacking = [name for name in sorted(bands.minimums.axes) if getattr(axes, name) is None]
    if lacking:
        raise RefusalError(
            f"the bands have a minimum of {', '.join(lacking)}, but no scored signal belongs to "
            "its families; remove the minimum, or score such a signal"
        )
    if bands.by is not None and bands.by not in Catalog.model_validate(draft.definitions).columns:
        raise RefusalError(
            f"the bands depend on {bands.by}, which is not a scored signal (see what the audit "
            "left out); remove `by`, or allow the signal"
        )
    quantiles = np.quantile(log_odds, np.linspace(0.0, 1.0, 101))
    done = {"quantiles": tuple(map(float, quantiles)), "axes": axes, "bands": bands}
    return add_golden_leads(draft.model_copy(update=done)).sealed()


def cut_axes(scorecard: Scorecard, contributions: Floats) -> Axes:
    """Find the cut points of fit and engagement: a quarter of the snapshots between each two.

    A cut point lies just above its quartile. Snapshots with the same partial sum as the quartile
    all get the lower grade. So leads that did nothing are a 4, however many they are, and cut
    points may coincide.

    Contributions (n, terms + caps) are those of the later period, or of all snapshots without
    order. An axis without terms is None.
    """
    sums = sum_axes(scorecard, contributions)
    fit, engagement = (
        tuple(np.nextafter(np.quantile(axis, _QUARTERS), np.inf).tolist()) if members else None
        for axis, members in zip(sums, scorecard.axis_members, strict=True)
    )
    return Axes(fit=fit, engagement=engagement)
