"""Select hyperparameters by ordered validation in the earlier period; fit; recalibrate."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline

from leadscore.models.calibration import IDENTITY, Affine, fit_affine
from leadscore.models.errors import ScorecardError
from leadscore.models.predictive import Hyperparameters, build_pipeline, decide
from leadscore.pipeline.config.training import ModelConfig
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import earlier_than
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.signals.catalog import Catalog

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
BLOCKS = 6


@dataclass(frozen=True)
class Candidate:
    """Hyperparameters and their log loss on the validation blocks, in nats a snapshot."""

    hyperparameters: Hyperparameters
    log_loss: float


@dataclass(frozen=True)
class SelectedModel:
    """The selected hyperparameters, all candidates, and the recalibration (or the identity)."""

    hyperparameters: Hyperparameters
    candidates: list[Candidate]
    affine: Affine


def validation_folds(dataset: Dataset, blocks: int = BLOCKS) -> list[tuple[Mask, Mask]]:
    """Split the earlier period into folds that never look ahead.

    Leads are cut into blocks of equal count by creation. Each block but the first is a validation
    set; its training set is what was known before the block began. Without order, folds are grouped
    by lead.

    The folds are pairs of masks, training and validation. Folds whose rows are of one class are
    left out.
    """
    folds: list[tuple[Mask, Mask]] = []
    if dataset.order == "none":
        parts = GroupKFold(blocks, shuffle=True, random_state=0).split(
            dataset.label, groups=dataset.lead
        )
        folds = [(_mask(train, len(dataset)), _mask(test, len(dataset))) for train, test in parts]
    else:
        begins = np.sort(dataset.begin[np.unique(dataset.lead, return_index=True)[1]])
        edges = [*(begins[len(begins) * i // blocks] for i in range(1, blocks)), np.inf]
        for left, right in itertools.pairwise(edges):
            test = (dataset.begin >= left) & (dataset.begin < right)
            folds.append((earlier_than(dataset, left), test))
    return [(train, test) for train, test in folds if _mixed(dataset, train) and test.any()]


def _mask(rows: npt.NDArray[np.intp], length: int) -> Mask:
    mask = np.zeros(length, bool)
    mask[rows] = True
    return mask


def _mixed(dataset: Dataset, rows: Mask) -> bool:
    return bool(rows.any()) and 0 < dataset.label[rows].sum() < rows.sum()


def select_hyperparameters(
    dataset: Dataset, catalog: Catalog, config: ModelConfig, progress: Progress = silent
) -> SelectedModel:
    """Choose the penalty by log loss on later blocks, and decide on a recalibration.

    It selects the strongest penalty whose loss is within one standard error of the smallest. The
    error is that of the paired difference, by lead. The recalibration is fitted on the last but one
    validation block, which the model had not seen. It is kept only if it lowers the log loss of the
    last block. Without order there is no recalibration.
    """
    folds = validation_folds(dataset)
    grid = [
        Hyperparameters(config.knots, penalty, config.min_level_count)
        for penalty in sorted(config.penalties)
    ]
    found: list[list[Floats]] = []
    used: list[tuple[Mask, Mask]] = []
    for number, (train, test) in enumerate(folds):
        progress("choosing the penalty", number + 1, len(folds))
        try:
            found.append(_predict_path(dataset, catalog, grid, train, test))
        except ScorecardError:  # no signal varies in this training fold
            continue
        used.append((train, test))
    if not used:
        return SelectedModel(grid[0], [], IDENTITY)
    rows = np.concatenate([np.flatnonzero(test) for _, test in used])
    losses = np.column_stack(
        [
            _losses(np.concatenate([fold[i] for fold in found]), dataset.label[rows])
            for i in range(len(grid))
        ]
    )
    candidates = [
        Candidate(params, float(loss))
        for params, loss in zip(grid, losses.mean(axis=0), strict=True)
    ]
    best = one_standard_error_rule(losses, dataset.lead[rows])
    affine = IDENTITY
    if config.recalibrate and dataset.order != "none" and len(used) >= 2:
        affine = _recalibration(*[(found[i][best], dataset.label[used[i][1]]) for i in (-2, -1)])
    return SelectedModel(grid[best], candidates, affine)


def _predict_path(
    dataset: Dataset, catalog: Catalog, grid: list[Hyperparameters], train: Mask, test: Mask
) -> list[Floats]:
    """Fit from strong to weak penalty, each fit starting from the one before; return log-odds."""
    earlier, label = dataset.signals[train], dataset.label[train]
    pipeline = build_pipeline(earlier, catalog.number_columns, catalog.category_columns, grid[0])
    transformer, regression = pipeline[0], pipeline[-1].set_params(warm_start=True)
    columns = transformer.fit_transform(earlier)
    unseen = transformer.transform(dataset.signals[test])
    return [
        np.asarray(
            regression.set_params(C=params.penalty).fit(columns, label).decision_function(unseen),
            dtype=np.float64,
        )
        for params in grid
    ]


def one_standard_error_rule(losses: Floats, lead: npt.NDArray[np.intp]) -> int:
    """Return the first column of (n, candidates) losses within one error of the best column."""
    best = int(losses.mean(axis=0).argmin())
    for place in range(best):
        excess = losses[:, place] - losses[:, best]
        by_lead = np.bincount(lead, weights=excess - excess.mean())
        if excess.mean() <= np.sqrt((by_lead**2).sum()) / len(excess):
            return place
    return best


def _recalibration(
    fit_on: tuple[Floats, npt.NDArray[np.int8]], check_on: tuple[Floats, npt.NDArray[np.int8]]
) -> Affine:
    affine = fit_affine(fit_on[0], fit_on[1].astype(np.float64))
    log_odds, label = check_on
    before, after = _losses(log_odds, label), _losses(affine.apply(log_odds), label)
    return affine if affine.factor > 0.0 and after.mean() < before.mean() else IDENTITY


def _losses(log_odds: Floats, label: npt.NDArray[np.int8]) -> Floats:
    """Return each row's log loss, in nats."""
    return np.logaddexp(0.0, np.where(label == 1, -log_odds, log_odds))


def fit_pipeline(dataset: Dataset, catalog: Catalog, params: Hyperparameters) -> Pipeline:
    """Fit a pipeline on all rows of a dataset.

    Raises ScorecardError if every signal is constant or missing throughout.
    """
    pipeline = build_pipeline(
        dataset.signals, catalog.number_columns, catalog.category_columns, params
    )
    return pipeline.fit(dataset.signals, dataset.label)


def cross_validate(
    dataset: Dataset, catalog: Catalog, config: ModelConfig, progress: Progress = silent
) -> Floats:
    """Return out-of-fold log-odds, shape (n,), for leads without any order.

    Folds are grouped by lead. Each fold selects hyperparameters again from the other folds, so the
    figures cover the selection too. They are still not time-ordered.

    Raises RefusalError if some folds have no wins.
    """
    log_odds = np.full(len(dataset), np.nan)
    folds = validation_folds(dataset)
    for number, (train, test) in enumerate(folds):
        inside = dataset.rows(train)
        selected = select_hyperparameters(inside, catalog, config)
        pipeline = fit_pipeline(inside, catalog, selected.hyperparameters)
        log_odds[test] = decide(pipeline, dataset.signals[test])
        progress("cross-validating", number + 1, len(folds))
    if np.isnan(log_odds).any():
        raise RefusalError("too few wins to cross-validate: some folds have none; wait for more")
    return log_odds
