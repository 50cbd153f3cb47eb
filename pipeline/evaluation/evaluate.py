"""Evaluate scores against outcomes, in figures with intervals and in words."""

from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from leadscore.models.score_frame import to_probabilities
from leadscore.pipeline.dataset.dataset import Dataset, Order
from leadscore.pipeline.evaluation.close_rates import share_interval
from leadscore.pipeline.evaluation.metrics import (
    CalibrationBin,
    Estimate,
    Scored,
    auc,
    calibration_table,
    group_by_score,
    log_loss,
    measure,
)
from leadscore.pipeline.values.times import format_time

BASIS: dict[Order, str] = {
    "time": "later period, time-ordered",
    "arrival": "later period, in order of arrival",
    "none": "cross-validated by lead, NOT time-ordered",
}
PERIODS = 6
SURE = 2.0
"""Above this number of standard errors between wins and expectation, scores are not calibrated."""

TOO_GOOD = 0.95
"""Above this AUC a leak is likelier than a good model."""
VerdictKind = Literal[
    "not calibrated", "calibrated", "too steep", "too flat", "too good", "no ranking",
    "wrong way round", "other data", "read back",
]  # fmt: skip
"""What a verdict is about. ``read back`` is any of a stored evaluation, which has only texts."""


class Verdict(NamedTuple):
    """One thing that the figures say of a model; `text` is for people."""

    kind: VerdictKind
    text: str


@dataclass(frozen=True)
class Period:
    """One stretch of the evaluated snapshots, in order."""

    begins: str
    snapshots: int
    wins: int
    base_rate: float
    mean_prob: float
    auc: float | None
    log_loss: float


@dataclass(frozen=True)
class AgeCount:
    """The snapshots of one age. Pooled over ages a model that only knows the age ranks too."""

    age_days: float
    snapshots: int
    wins: int
    base_rate: float
    mean_prob: float
    auc: float | None


@dataclass(frozen=True)
class BandCount:
    """How many snapshots fell into a band, how many of them won, how many were expected to."""

    band: str
    snapshots: int
    wins: int
    expected_wins: float


@dataclass(frozen=True)
class Evaluation:
    """The figures of one scorecard on one set of leads.

    `basis`, one of ``BASIS``, names the leads of the figures; quote no figure without it.
    """

    basis: str
    snapshots: int
    leads: int
    wins: int
    earlier_base_rate: float
    metrics: dict[str, Estimate]
    calibration: list[CalibrationBin]
    periods: list[Period]
    bands: list[BandCount]
    verdicts: tuple[Verdict, ...]
    ages: list[AgeCount] = field(default_factory=list)

    def calibration_intervals(self) -> list[tuple[float, float]]:
        """Return the 95 % interval of the win rate of each row of the calibration table.

        Several snapshots of one lead are not independent: each bin counts as many leads as it would
        have if all had equally many.
        """
        share = np.array([row.win_rate for row in self.calibration])
        count = np.array([row.size for row in self.calibration]) * self.leads / self.snapshots
        low, high = share_interval(share, count)
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as plain data."""
        return {
            "basis": self.basis,
            "snapshots": self.snapshots,
            "leads": self.leads,
            "wins": self.wins,
            "earlier_base_rate": self.earlier_base_rate,
            "metrics": {name: estimate._asdict() for name, estimate in self.metrics.items()},
            "calibration": [row._asdict() for row in self.calibration],
            "periods": [vars(period) for period in self.periods],
            "bands": [vars(band) for band in self.bands],
            "verdict": [verdict.text for verdict in self.verdicts],
            "ages": [vars(age) for age in self.ages],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Evaluation":
        """Return the evaluation that ``to_json`` wrote."""
        known = {name: value for name, value in document.items() if name != "verdict"}
        return cls(
            **{
                **known,
                "verdicts": tuple(Verdict("read back", text) for text in document["verdict"]),
                "metrics": {k: Estimate(**v) for k, v in document["metrics"].items()},
                "calibration": [CalibrationBin(**row) for row in document["calibration"]],
                "periods": [Period(**period) for period in document["periods"]],
                "bands": [BandCount(**band) for band in document["bands"]],
                "ages": [AgeCount(**age) for age in document.get("ages", [])],
            }
        )


def evaluate_scores(
    dataset: Dataset,
    log_odds: npt.NDArray[np.float64],
    bands: npt.NDArray[np.object_],
    earlier_base_rate: float,
    bootstrap_draws: int,
    seed: int,
) -> Evaluation:
    """Evaluate the scores and bands, of shape (n,), of a dataset of n snapshots.

    `earlier_base_rate` is the share that won where the model learned. A ValueError is raised if the
    labels are all one class.
    """
    scored = Scored(log_odds, dataset.label, dataset.lead)
    metrics = measure(scored, bootstrap_draws, seed)
    probability = to_probabilities(log_odds)
    periods, ages = _measure_parts(dataset, log_odds, probability)
    return Evaluation(
        basis=BASIS[dataset.order],
        snapshots=len(dataset),
        leads=len(np.unique(dataset.lead)),
        wins=int(dataset.label.sum()),
        earlier_base_rate=earlier_base_rate,
        metrics=metrics,
        calibration=calibration_table(group_by_score(log_odds, probability, dataset.label)),
        periods=periods,
        bands=_by_band(dataset, probability, bands),
        verdicts=_write_verdicts(metrics, dataset, probability, earlier_base_rate),
        ages=ages,
    )


def _measure_parts(
    dataset: Dataset, log_odds: Any, probability: Any
) -> tuple[list[Period], list[AgeCount]]:
    """Return the figures of each period, and of each age."""

    def measure_rows(rows: Any) -> dict[str, Any]:
        label = dataset.label[rows]
        leads = group_by_score(log_odds[rows], probability[rows], label)
        return {
            "snapshots": len(label),
            "wins": int(label.sum()),
            "base_rate": float(label.mean()),
            "mean_prob": float(probability[rows].mean()),
            "auc": auc(leads) if 0 < label.sum() < len(label) else None,
            "log_loss": log_loss(leads),
        }

    periods = [
        Period(name_moment(dataset.begin[rows[0]], dataset.order), **measure_rows(rows))
        for rows in part_by_period(dataset)
    ]
    ages = []
    for age in np.unique(dataset.age_days):
        figures = measure_rows(dataset.age_days == age)
        del figures["log_loss"]
        ages.append(AgeCount(float(age), **figures))
    return periods, ages


def part_by_period(dataset: Dataset) -> list[Any]:
    """Part the rows by calendar month (UTC), or by arrival into stretches of equal count.

    Without any order there are no periods.
    """
    if dataset.order == "none":
        return []
    order = np.argsort(dataset.begin, kind="stable")
    if dataset.order == "arrival":
        return [rows for rows in np.array_split(order, PERIODS) if len(rows)]
    months = np.array([name_moment(begin, "time")[:7] for begin in dataset.begin[order]])
    return np.split(order, np.flatnonzero(months[1:] != months[:-1]) + 1)


def name_moment(begin: float, order: Order) -> str:
    """Return the day of a moment, or an arrival number."""
    return format_time(int(begin))[:10] if order == "time" else f"{begin:.15g}"


def _by_band(dataset: Dataset, probability: Any, bands: Any) -> list[BandCount]:
    return [
        BandCount(
            band,
            int((bands == band).sum()),
            int(dataset.label[bands == band].sum()),
            float(probability[bands == band].sum()),
        )
        for band in ("SQL", "MQL", "cold")
    ]


def _write_verdicts(
    metrics: dict[str, Estimate], dataset: Dataset, probability: Any, earlier_base_rate: float
) -> tuple[Verdict, ...]:
    slope, rank = metrics["calibration_slope"], metrics["auc"]
    verdicts = [_check_calibration(metrics, dataset, probability, earlier_base_rate)]
    found = f"calibration slope {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}, 1 is right)"
    if slope.high < 1.0:
        verdicts.append(Verdict("too steep", f"Too sure of itself: {found}."))
    elif slope.low > 1.0:
        verdicts.append(Verdict("too flat", f"Too timid: {found}."))
    if rank.low > TOO_GOOD:
        text = (
            f"TOO GOOD TO BE TRUE: AUC {rank.value:.3f}. Look for a leak, a column written during "
            "or after the contact that decides the lead, and leave it out."
        )
        verdicts.append(Verdict("too good", text))
    if rank.low <= 0.5:
        text = (
            f"NO RANKING PROVEN: AUC {rank.value:.3f} ({rank.low:.3f} to {rank.high:.3f}) "
            "does not exclude 0.5, which is chance."
        )
        verdicts.append(Verdict("no ranking", text))
    return tuple(verdicts)


def _check_calibration(
    metrics: dict[str, Estimate], dataset: Dataset, probability: Any, earlier_base_rate: float
) -> Verdict:
    won, predicted = metrics["base_rate"].value, metrics["mean_prob"].value
    wins, expected = dataset.label.sum(), probability.sum()
    error = sqrt(float((probability * (1.0 - probability)).sum()))
    if abs(wins - expected) > SURE * error:
        text = (
            f"NOT CALIBRATED here: the model predicts {predicted:.1%} on average where {won:.1%} "
            f"won ({wins} wins, {expected:.0f} expected). Do not read its figures as "
            f"probabilities for this period; where it learned, {earlier_base_rate:.1%} won."
        )
        return Verdict("not calibrated", text)
    text = (
        f"Calibrated in the large: {wins} wins, {expected:.0f} expected "
        f"({predicted:.1%} predicted, {won:.1%} won), within two standard errors."
    )
    return Verdict("calibrated", text)
