"""The measures besides wins at capacity: ranking and calibration, with paired intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.models.calibration import Affine, fit_affine
from leadscore.models.score_frame import to_probabilities
from leadscore.pipeline.evaluation.metrics import (
    ScoreGroups,
    auc,
    average_precision,
    expected_calibration_error,
)
from leadscore.pipeline.evaluation.resampling import draw_weights

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]
Rows = npt.NDArray[np.intp]
RANKING = ("auc", "auc_within", "average_precision")
CALIBRATION = ("log_loss", "ece", "log_loss_equal", "ece_equal")
MEASURED = (*RANKING, *CALIBRATION)
DESCRIBED = 300
"""Number of draws for intervals that only describe: of ranking, calibration and families."""


@dataclass(frozen=True)
class Measured:
    """One contender's measures in the order of ``MEASURED``: (m,), and in each draw (m, draws).

    `slope` is the calibration slope: raw, and after equal treatment.
    """

    value: Floats
    drawn: Floats
    slope: tuple[float, float | None]


class _Ranked:
    """n snapshots in an order, those of equal score together: sums of weights are taken there."""

    def __init__(self, order: Rows, starts: Rows, label: Labels, lead: Rows) -> None:
        self.first = order[starts]
        self._starts = None if len(starts) == len(order) else starts
        self._lead, self._label = lead[order], label[order].astype(np.float64)

    def sum(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return the size and the wins of each group, leads weighted by `weight` (leads,)."""
        there = weight[self._lead]
        won = there * self._label
        if self._starts is None:
            return there, won
        return np.add.reduceat(there, self._starts), np.add.reduceat(won, self._starts)


class _Measurer:
    """Measures one contender on weighted leads; everything that needs sorting is done once."""

    def __init__(
        self, log_odds: Floats, equal: Affine, label: Labels, lead: Rows, period: Rows
    ) -> None:
        order = np.argsort(-log_odds, kind="stable")
        self._pooled = _Ranked(order, _starts(log_odds[order]), label, lead)
        within = np.lexsort((-log_odds, period))
        starts = np.union1d(_starts(period[within]), _starts(log_odds[within]))
        self._within = _Ranked(within, starts, label, lead)
        self._period = period[self._within.first]
        raw = log_odds[self._pooled.first]
        self._scores = [(x, to_probabilities(x)) for x in (raw, equal.apply(raw))]
        # The loss of a win, and of a lead that is not won.
        self._losses = [(np.logaddexp(0.0, -x), np.logaddexp(0.0, x)) for x, _ in self._scores]

    def measure(self, weight: Floats) -> list[float]:
        """Return the measures of ``MEASURED``, leads weighted by `weight` (leads,)."""
        size, wins = self._pooled.sum(weight)
        raw, treated = (ScoreGroups(*score, size, wins) for score in self._scores)
        count = size.sum()
        log_loss, log_loss_equal = (
            float(wins @ won + (size - wins) @ lost) / count for won, lost in self._losses
        )
        return [
            auc(raw), self._auc_within(weight), average_precision(raw),
            log_loss, expected_calibration_error(raw),
            log_loss_equal, expected_calibration_error(treated),
        ]  # fmt: skip

    def _auc_within(self, weight: Floats) -> float:
        """Return how often a winner is ahead among the pairs of one period only."""
        size, wins = self._within.sum(weight)
        lost = size - wins
        total = np.bincount(self._period, lost)
        below = np.cumsum(total)[self._period] - np.cumsum(lost)
        pairs = float(wins @ total[self._period])
        return float(wins @ (below + lost / 2.0)) / pairs if pairs > 0.0 else 0.5


def _starts(values: npt.NDArray[np.generic]) -> Rows:
    return np.flatnonzero(np.r_[True, values[1:] != values[:-1]])


def measure_contender(
    log_odds: Floats,
    equal: Affine,
    label: Labels,
    lead: Rows,
    period: Rows,
    bootstrap_draws: int,
    seed: int,
) -> Measured:
    """Measure one contender, on the leads as they are and on each draw of them.

    Arrays are (n,). `equal` makes its log-odds comparable with those of the others, `label` has
    both 0 and 1, `lead` counts from 0. `period` numbers, from 0, the months or stretches within
    which leads are compared.
    """
    measurer = _Measurer(log_odds, equal, label, lead, period)
    leads = int(lead.max()) + 1
    value = np.array(measurer.measure(np.ones(leads)))
    drawn = [
        measurer.measure(column)
        for weight in draw_weights(leads, bootstrap_draws, seed)
        for column in weight.T
        if 0.0 < column[lead] @ label < column[lead].sum()
    ]
    slope = fit_affine(log_odds, label.astype(np.float64)).factor
    return Measured(
        value, np.array(drawn).T, (slope, slope / equal.factor if equal.factor else None)
    )
