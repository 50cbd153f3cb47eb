"""From a rule sheet to a scorecard: points held against history, cutoffs, evaluation."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands
from leadscore.models.calibration import Affine, fit_affine
from leadscore.models.errors import ScorecardError
from leadscore.models.rule_sheet import make_sheet, round_to_binary, to_bands
from leadscore.models.score_frame import score_frame
from leadscore.models.scorecard import Kind, Points, Scorecard
from leadscore.pipeline.audit.audit import check_allowed
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.evaluate import Verdict
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.sheets.sheet import Sheet
from leadscore.pipeline.training.model_selection import validation_folds
from leadscore.pipeline.training.prepare import Prepared, fingerprint_training, prepare
from leadscore.pipeline.training.train import (
    Training,
    evaluate_training,
    finish_scorecard,
    plain_bands,
)

Floats = npt.NDArray[np.float64]
FLATTEST = 2.0**-20
"""Log-odds a point is worth at least, so that points can be read back from them. A sheet with less
ranks no better than chance, or the wrong way round, and has everybody at the base rate."""


def train_sheet(
    sheet: Sheet,
    kind: Kind = "rules",
    progress: Progress = silent,
    allowed_leaks: Collection[str] = (),
) -> Training:
    """Calibrate a sheet's points by history, and evaluate it on the later period.

    Nothing of the sheet is changed. Its points get the scale and shift to log-odds that fit the
    earlier period best (Platt's calibration), and every lead a probability with its points. `kind`
    is ``rules`` or ``close_rate``. `allowed_leaks` names signals, fields or columns to score by
    although they leak by the audit. The training has no pipeline and no `selected`. Raises
    RefusalError as ``prepare``; if a criterion reads a signal that leaks; if no criterion ever
    fires; or if a counted sheet has no later period to be judged on.
    """
    check_allowed(sheet.project, allowed_leaks)
    prepared = prepare(sheet.project, progress, allowed_leaks)
    _check_leaks(sheet, prepared)
    if kind == "close_rate" and not prepared.ordered:
        raise RefusalError(
            "these leads have no order in time, so none are later than those the sheet was counted "
            "from, and nothing says what it is worth; give leads.created or leads.order"
        )
    progress("calibrating the points")
    in_points = _in_points(sheet, kind, prepared)
    split = prepared.split
    points = score_frame(in_points, split.earlier.signals).log_odds
    if not np.ptp(points):
        raise RefusalError(
            f"{sheet.path}: every lead of the earlier period has {points[0]:g} points, so the "
            "sheet tells nobody apart; see leadscore rules audit for the criteria that never fire"
        )
    affine = calibrate_points(points, split.earlier.label)
    bands = to_bands(sheet.bands, affine)
    used = fingerprint_training(prepared, affine, sheet.config.model_dump(mode="json"))
    draft = make_sheet(sheet.terms, sheet.caps, affine, in_points).model_copy(
        update={"bands": plain_bands(bands), "training": used}
    )
    earlier = score_frame(draft, split.earlier.signals).contributions
    if prepared.ordered:
        later = score_frame(draft, split.later.signals)
        contributions, log_odds = later.contributions, later.log_odds
    else:
        contributions, log_odds = earlier, _cross_calibrate(split.later, points)
    scorecard = finish_scorecard(draft, bands, contributions, log_odds, _to_axes(sheet, affine))
    progress("evaluating")
    training = evaluate_training(prepared, scorecard, earlier, contributions, log_odds)
    return _drop_slope_remark(training) if affine.factor <= FLATTEST else training


def _drop_slope_remark(training: Training) -> Training:
    """Put the warning first for a sheet that ranks leads by chance or the wrong way round."""
    rate = training.evaluation.earlier_base_rate
    text = (
        "RANKS THE WRONG WAY ROUND, or not at all: in the earlier period more points went with no "
        f"more wins. Every lead gets the share that won there ({rate:.1%}), whatever its points; "
        "leadscore rules audit says which criteria go the wrong way."
    )
    kept = [v for v in training.evaluation.verdicts if v.kind not in ("too steep", "too flat")]
    verdicts = (Verdict("wrong way round", text), *kept)
    return replace(training, evaluation=replace(training.evaluation, verdicts=verdicts))


def calibrate_points(points: Floats, label: npt.NDArray[np.int8]) -> Affine:
    """Return the scale and shift from points to log-odds, held exactly.

    `points` (n,) are not all the same, and `label` (n,) has both 0 and 1. The factor is
    ``FLATTEST`` if more points go with fewer wins; the shift then gives everybody the base rate,
    which is all that such points say.
    """
    affine = fit_affine(points, label.astype(np.float64))
    if affine.factor < FLATTEST:
        rate = float(label.mean())
        centre = float(np.log(rate / (1.0 - rate)))
        affine = Affine(FLATTEST, centre - FLATTEST * float(points.mean()))
    return round_to_binary(affine)


def _check_leaks(sheet: Sheet, prepared: Prepared) -> None:
    left = set(prepared.project.catalog.columns)
    bad = [name for name, rule in sheet.rules.items() if rule.signal not in left]
    by = {name: rule.by for name, rule in sheet.rules.items() if rule.by is not None}
    bad += [f"{name} (by {column})" for name, column in by.items() if column not in left]
    if bad:
        raise RefusalError(
            f"{sheet.path}: the audit says that what these criteria look at leaks the outcome: "
            f"{', '.join(bad)}. Take them out, or say --allow-leak if you know better; see "
            "leadscore audit"
        )


def _in_points(sheet: Sheet, kind: Kind, prepared: Prepared) -> Scorecard:
    """Return the scorecard whose log-odds are the points."""
    training = prepared.project.training
    try:
        return make_sheet(
            sheet.terms,
            sheet.caps,
            Affine(1.0, 0.0),
            Scorecard(
                project=prepared.project.name,
                kind=kind,
                horizon_days=training.horizon_days,
                base=sheet.config.start,
                terms=(),
                points=Points(per_log_odds=1.0),
                bands=Bands(mql=0.25, sql=0.5),  # in place of those that points will have
                definitions=prepared.project.catalog.to_definitions(),
            ),
        )
    except ScorecardError as error:
        raise RefusalError(f"{sheet.path}: {error}") from error


def _cross_calibrate(dataset: Dataset, points: Floats) -> Floats:
    """Return log-odds of n snapshots without any order, each calibrated on other leads' folds."""
    log_odds = np.full(len(points), np.nan)
    for train, test in validation_folds(dataset):
        log_odds[test] = calibrate_points(points[train], dataset.label[train]).apply(points[test])
    if np.isnan(log_odds).any():
        raise RefusalError("too few wins to cross-validate: some folds have none; wait for more")
    return log_odds


def _to_axes(sheet: Sheet, affine: Affine) -> Axes:
    cuts = sheet.config.axes.model_dump(exclude_none=True)
    return Axes(**{name: tuple(affine.factor * cut for cut in cuts[name]) for name in cuts})
