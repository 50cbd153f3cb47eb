"""How good the scores are on the judged leads: in general, by band, month, age and channel."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.models.axes import ENGAGEMENT, ENGAGEMENT_DIGITS, FIT, FIT_LETTERS
from leadscore.models.score_frame import read_axes, score_frame, to_probabilities
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.calibration import group_by_score
from leadscore.pipeline.evaluation.evaluate import PERIODS, part_by_period
from leadscore.pipeline.evaluation.groups import (
    MISSING,
    MOST_LEVELS,
    Group,
    choose_breakdowns,
    count_group,
    count_leads,
    leads_by_level,
    make_group,
)
from leadscore.pipeline.evaluation.metrics import gain_curve
from leadscore.pipeline.signals.descriptions import describe_signal
from leadscore.pipeline.training.train import Training

CALLED = (0.05, 0.1, 0.2, 0.3, 0.5)
_CURVE_POINTS = 101
_ENOUGH = 10
"""An AUC needs so many wins, and so many others."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationRow:
    """A tenth of the judged snapshots: what was said, what came, and its 95 % interval."""

    said: float
    came: float
    low: float
    high: float
    snapshots: float


@dataclass(frozen=True)
class GainRow:
    """Among the best-scored share `called`: the share of all wins, and that over chance."""

    called: float
    gained: float
    lift: float


@dataclass(frozen=True)
class BandRow:
    """A band: its leads, its share of all snapshots, and where it begins."""

    group: Group
    share: float
    from_prob: float


@dataclass(frozen=True)
class PeriodRow:
    """A month, or a stretch by arrival; `auc` is None where there are too few wins or others."""

    group: Group
    auc: float | None
    log_loss: float


@dataclass(frozen=True)
class Breakdown:
    """The judged leads by the levels of one signal; `hidden` levels are too rare to be named."""

    column: str
    says: str
    groups: tuple[Group, ...]
    hidden: int


def figure_calibration(training: Training) -> tuple[CalibrationRow, ...]:
    """Return the calibration table with its intervals, from the highest probability down."""
    evaluation = training.evaluation
    return tuple(
        CalibrationRow(row.mean_prob, row.win_rate, low, high, row.size)
        for row, (low, high) in zip(
            evaluation.calibration, evaluation.calibration_intervals(), strict=True
        )
    )


def figure_gain(training: Training, called: tuple[float, ...] = CALLED) -> tuple[GainRow, ...]:
    """Return gain and lift at some shares of the leads."""
    log_odds = training.later_log_odds
    leads = group_by_score(log_odds, to_probabilities(log_odds), training.later.label)
    reached, wins = gain_curve(leads)
    gained = np.interp(called, reached, wins)
    return tuple(
        GainRow(share, float(gain), float(gain) / share)
        for share, gain in zip(called, gained, strict=True)
    )


def figure_gain_curve(training: Training) -> tuple[GainRow, ...]:
    """Return gain and lift at every hundredth of the leads."""
    return figure_gain(training, tuple(np.linspace(0.0, 1.0, _CURVE_POINTS)[1:].tolist()))


def figure_bands(training: Training) -> tuple[BandRow, ...]:
    """Return the bands, the best first."""
    bands, assigned = training.scorecard.bands, training.later_bands
    begins = {"SQL": bands.sql, "MQL": bands.mql, "cold": 0.0}
    return tuple(
        BandRow(
            make_group(
                band.band,
                count_leads(training.later, assigned == band.band),
                band.snapshots,
                band.wins,
                band.expected_wins / max(band.snapshots, 1),
            ),
            band.snapshots / training.evaluation.snapshots,
            begins[band.band],
        )
        for band in training.evaluation.bands
    )


def figure_periods(training: Training) -> tuple[PeriodRow, ...]:
    """Return the months or stretches in order; none where leads have no order.

    A stretch has its number for a name, since arrival numbers may be the leads' ids.
    """
    later = training.later
    return tuple(
        PeriodRow(
            make_group(
                period.begins[:7] if later.order == "time" else f"{number} of {PERIODS}",
                count_leads(later, rows),
                period.snapshots,
                period.wins,
                period.mean_prob,
            ),
            _if_enough(period.auc, period.wins, period.snapshots),
            period.log_loss,
        )
        for number, (period, rows) in enumerate(
            zip(training.evaluation.periods, part_by_period(later), strict=True), start=1
        )
    )


def figure_ages(training: Training) -> tuple[PeriodRow, ...]:
    """Return the ages at which leads were looked at; none where there is but one."""
    later, ages = training.later, training.evaluation.ages
    if len(ages) < 2:
        return ()
    return tuple(
        PeriodRow(
            make_group(
                f"{age.age_days:g}",
                count_leads(later, later.age_days == age.age_days),
                age.snapshots,
                age.wins,
                age.mean_prob,
            ),
            _if_enough(age.auc, age.wins, age.snapshots),
            float("nan"),
        )
        for age in ages
    )


def _if_enough(auc: float | None, wins: int, snapshots: int) -> float | None:
    return auc if min(wins, snapshots - wins) >= _ENOUGH else None


def figure_breakdowns(project: Project, training: Training) -> tuple[Breakdown, ...]:
    """Break the judged leads down by the signals that ``choose_breakdowns`` names."""
    signals = {signal.column: signal for signal in project.catalog.signals}
    probability = to_probabilities(training.later_log_odds)
    return tuple(
        _break_down(column, describe_signal(signals[column]), training.later, probability)
        for column in choose_breakdowns(project)
    )


def _break_down(column: str, says: str, later: Dataset, probability: Floats) -> Breakdown:
    values = later.signals[column]
    leads = leads_by_level(values, later.lead)
    ranked = sorted(leads, key=lambda level: (-leads[level], level))
    groups = [
        count_group(level, later, probability, (values == level).to_numpy(dtype=bool))
        for level in ranked[:MOST_LEVELS]
    ]
    named = [group for group in groups if not group.is_few]
    rest = ~values.isin([group.name for group in named]).to_numpy() & values.notna().to_numpy()
    hidden = len(ranked) - len(named)
    if hidden:
        named.append(count_group(f"(the {hidden} others)", later, probability, rest))
    missing = values.isna().to_numpy()
    if missing.any():
        named.append(count_group(MISSING, later, probability, missing))
    return Breakdown(column, says, tuple(named), hidden)


@dataclass(frozen=True)
class Grid:
    """Sixteen cells, a row per grade of fit, A first; in it engagement 1 (the most) to 4.

    The cuts are where the grades begin, the worst one aside, in points against the average lead.
    """

    rows: tuple[tuple[Group, ...], ...]
    fit_cuts: tuple[float, ...]
    engagement_cuts: tuple[float, ...]


def make_grid(training: Training) -> Grid | str:
    """Count the judged leads by grade of fit and engagement, as the scorecard has them.

    Returns
    -------
    Grid or str
        Why there is none.
    """
    scorecard = training.scorecard
    cuts = (scorecard.axes.fit, scorecard.axes.engagement)
    for axis, families, found in zip(("fit", "engagement"), (FIT, ENGAGEMENT), cuts, strict=True):
        if found is None:
            return (
                f"This scorecard has no signal of {axis} ({', '.join(sorted(families))}), so there "
                "is only one axis, and no matrix."
            )
    stands = read_axes(scorecard, score_frame(scorecard, training.later.signals).contributions)
    probability = to_probabilities(training.later_log_odds)
    rows = tuple(
        tuple(
            count_group(
                f"{letter}{digit}",
                training.later,
                probability,
                (stands.fit == letter) & (stands.engagement == digit),
            )
            for digit in reversed(ENGAGEMENT_DIGITS)
        )
        for letter in reversed(FIT_LETTERS)
    )
    fit, engagement = (
        _to_points(scorecard, found or (), members)
        for found, members in zip(cuts, scorecard.axis_members, strict=True)
    )
    return Grid(rows, fit, engagement)


def _to_points(
    scorecard: Scorecard, cuts: tuple[float, ...], members: tuple[int, ...]
) -> tuple[float, ...]:
    terms = scorecard.terms
    average = sum(terms[place].mean for place in members if place < len(terms))
    return tuple(scorecard.points.per_log_odds * (cut - average) for cut in cuts)
