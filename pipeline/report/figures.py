"""The figures of a report: how good the scores are, and what each signal's values are worth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.axes import ENGAGEMENT, ENGAGEMENT_DIGITS, FIT, FIT_LETTERS
from leadscore.models.score_frame import read_axes, to_probabilities
from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import Steps, Table
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.close_rates import (
    MIN_GROUP_LEADS,
    MISSING,
    MOST_LEVELS,
    Group,
    choose_breakdowns,
    count_group,
    count_leads,
    leads_by_level,
)
from leadscore.pipeline.evaluation.evaluate import PERIODS, part_by_period
from leadscore.pipeline.evaluation.metrics import gain_curve, group_by_score
from leadscore.pipeline.signals.catalog import FIELD_TYPE, Signal, describe_signal
from leadscore.pipeline.signals.kinds import FAMILIES
from leadscore.pipeline.training.train import Training

CALLED_PERCENT = (5, 10, 20, 30, 50)
"""The shares of leads called for which the report has gain and lift in numbers."""

_CURVE_POINTS = 100
_MIN_OUTCOMES = 10
"""An AUC is shown from ten wins and ten other snapshots on."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CalibrationRow:
    """A tenth of the snapshots: mean prediction, share that won, and its 95 % interval."""

    predicted: float
    observed: float
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
    """A month, a stretch by arrival or an age; `auc` is None if too few won, or too few did not."""

    group: Group
    auc: float | None


@dataclass(frozen=True)
class BreakdownTable:
    """The leads by the levels of one signal; `hidden` levels are too rare to be named."""

    column: str
    description: str
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


def figure_gain_curve(training: Training) -> tuple[GainRow, ...]:
    """Return gain and lift at every hundredth of the leads."""
    log_odds = training.later_log_odds
    leads = group_by_score(log_odds, to_probabilities(log_odds), training.later.label)
    called = np.linspace(0.0, 1.0, _CURVE_POINTS + 1)[1:]
    gained = np.interp(called, *gain_curve(leads))
    return tuple(
        GainRow(share, gain, gain / share)
        for share, gain in zip(called.tolist(), gained.tolist(), strict=True)
    )


def figure_bands(training: Training) -> tuple[BandRow, ...]:
    """Return the bands, the best first."""
    bands, assigned = training.scorecard.bands, training.later_bands
    begins = {"SQL": bands.sql, "MQL": bands.mql, "cold": 0.0}
    return tuple(
        BandRow(
            _count(training, band.band, assigned == band.band),
            band.snapshots / training.evaluation.snapshots,
            begins[band.band],
        )
        for band in training.evaluation.bands
    )


def figure_periods(training: Training) -> tuple[PeriodRow, ...]:
    """Return the months or stretches in order; none if leads have no order.

    A stretch is named by its number, since the numbers of arrival may be the leads' ids.
    """
    later = training.later
    return tuple(
        PeriodRow(
            _count(
                training,
                period.begins[:7] if later.order == "time" else f"{number} of {PERIODS}",
                np.isin(np.arange(len(later)), rows),
            ),
            _show_auc(period.auc, period.wins, period.snapshots),
        )
        for number, (period, rows) in enumerate(
            zip(training.evaluation.periods, part_by_period(later), strict=True), start=1
        )
    )


def figure_ages(training: Training) -> tuple[PeriodRow, ...]:
    """Return the ages of the snapshots; none if there is only one."""
    ages = training.evaluation.ages
    if len(ages) < 2:
        return ()
    return tuple(
        PeriodRow(
            _count(training, f"{age.age_days:g}", training.later.age_days == age.age_days),
            _show_auc(age.auc, age.wins, age.snapshots),
        )
        for age in ages
    )


def _count(training: Training, name: str, rows: Mask) -> Group:
    return count_group(name, training.later, to_probabilities(training.later_log_odds), rows)


def _show_auc(auc: float | None, wins: int, snapshots: int) -> float | None:
    return auc if min(wins, snapshots - wins) >= _MIN_OUTCOMES else None


def figure_breakdowns(project: Project, training: Training) -> tuple[BreakdownTable, ...]:
    """Count the leads by the levels of the signals that ``choose_breakdowns`` names."""
    signals = {signal.column: signal for signal in project.catalog.signals}
    return tuple(
        _break_down(column, describe_signal(signals[column]), training)
        for column in choose_breakdowns(project)
    )


def _break_down(column: str, description: str, training: Training) -> BreakdownTable:
    values = training.later.signals[column]
    leads = leads_by_level(values, training.later.lead)
    ranked = sorted(leads, key=lambda level: (-leads[level], level))
    groups = [
        _count(training, level, (values == level).to_numpy(dtype=bool))
        for level in ranked[:MOST_LEVELS]
    ]
    named = [group for group in groups if not group.is_few]
    rest = ~values.isin([group.name for group in named]).to_numpy() & values.notna().to_numpy()
    hidden = len(ranked) - len(named)
    if hidden:
        named.append(_count(training, f"(the {hidden} others)", rest))
    missing = values.isna().to_numpy()
    if missing.any():
        named.append(_count(training, MISSING, missing))
    return BreakdownTable(column, description, tuple(named), hidden)


@dataclass(frozen=True)
class Grid:
    """Sixteen cells: a row per grade of fit, A first, with a cell per engagement, 1 (best) first.

    The cuts are where the grades begin, in points against the average lead; the worst grade has no
    cut.
    """

    rows: tuple[tuple[Group, ...], ...]
    fit_cuts: tuple[float, ...]
    engagement_cuts: tuple[float, ...]


def make_grid(training: Training) -> Grid | str:
    """Count the leads by their grades of fit and engagement, or return why there are none."""
    scorecard = training.scorecard
    cuts = (scorecard.axes.fit, scorecard.axes.engagement)
    for axis, families, found in zip(("fit", "engagement"), (FIT, ENGAGEMENT), cuts, strict=True):
        if found is None:
            return (
                f"This scorecard has no signal of {axis} ({', '.join(sorted(families))}), so there "
                "is only one axis, and no matrix."
            )
    letters, digits = read_axes(scorecard, training.later_contributions)
    rows = tuple(
        tuple(
            _count(
                training,
                f"{letter}{digit}",
                (letters == letter) & (digits == digit),
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


OTHER = "(any other)"
_FLAG = (("no", 0.0), ("yes", 1.0))


@dataclass(frozen=True)
class Contribution:
    """What one value is worth, in points against the average lead, and how many leads have it.

    `x` is the value if the signal is a number. `leads` is None if there are fewer than
    ``MIN_GROUP_LEADS``, and for the points of a curve, which have no leads of their own.
    """

    value: str
    points: float
    x: float | None = None
    leads: int | None = None


@dataclass(frozen=True)
class SignalFigure:
    """One signal of the scorecard.

    `known` and `snapshots` count the snapshots of the training; `swing` is how many points the
    signal moves a score on average, up or down. `curve` holds the points of a line, `bars` single
    values; one of the two is empty. `hidden` levels have fewer than ``MIN_GROUP_LEADS`` leads.
    """

    column: str
    name: str
    family: str
    description: str
    known: int
    snapshots: int
    swing: float
    curve: tuple[Contribution, ...]
    bars: tuple[Contribution, ...]
    missing: Contribution
    hidden: int


def figure_signals(project: Project, training: Training) -> tuple[SignalFigure, ...]:
    """Return the signals that have a term, by family; those first that move scores most."""
    scorecard, earlier = training.scorecard, training.earlier
    declared = {signal.column: signal for signal in project.catalog.signals}
    moved = training.earlier_contributions
    scale = scorecard.points.per_log_odds
    figures = [
        _figure(declared[term.signal], term, scale, earlier,
                scale * float(np.abs(moved[:, place] - term.mean).mean()))
        for place, term in enumerate(scorecard.terms)
    ]  # fmt: skip
    return tuple(sorted(figures, key=lambda f: (FAMILIES.index(f.family), -f.swing, f.column)))


def _figure(
    signal: Signal, term: Term, scale: float, dataset: Dataset, swing: float
) -> SignalFigure:
    values = dataset.signals[term.signal]
    missing = Contribution(
        MISSING,
        scale * (term.shape.missing - term.mean),
        leads=_show_leads(count_leads(dataset, values.isna().to_numpy())),
    )
    curve: tuple[Contribution, ...] = ()
    bars: tuple[Contribution, ...] = ()
    hidden = 0
    if isinstance(term.shape, Table):
        bars, hidden = _levels(term, term.shape, scale, dataset)
    elif FIELD_TYPE.get(signal.declaration.kind) == "flag":
        bars = _flag(term, scale, dataset)
    else:
        curve = _curve(term, scale, values, dataset.lead)
    return SignalFigure(
        column=term.signal,
        name=signal.name.replace("_", " "),
        family=term.family,
        description=describe_signal(signal),
        known=int(values.notna().sum()),
        snapshots=len(values),
        swing=swing,
        curve=curve,
        bars=bars,
        missing=missing,
        hidden=hidden,
    )


def _show_leads(leads: int) -> int | None:
    return leads if leads >= MIN_GROUP_LEADS else None


def _levels(
    term: Term, shape: Table, scale: float, dataset: Dataset
) -> tuple[tuple[Contribution, ...], int]:
    """Return the levels that enough leads have, by their worth, and how many are hidden."""
    values = dataset.signals[term.signal]
    leads = leads_by_level(values, dataset.lead)
    shown = [level for level in shape.levels if leads.get(level, 0) >= MIN_GROUP_LEADS]
    shown.sort(key=lambda level: (-shape.levels[level], level))
    rows = [
        Contribution(level, scale * (shape.levels[level] - term.mean), leads=leads[level])
        for level in shown
    ]
    rare = ~values.isin(list(shape.levels)).to_numpy() & values.notna().to_numpy()
    other = _show_leads(count_leads(dataset, rare))
    rows.append(Contribution(OTHER, scale * (shape.other - term.mean), leads=other))
    return tuple(rows), len(shape.levels) - len(shown)


def _flag(term: Term, scale: float, dataset: Dataset) -> tuple[Contribution, ...]:
    read = term.shape.reader()
    values = dataset.signals[term.signal].to_numpy(dtype=np.float64, na_value=np.nan)
    return tuple(
        Contribution(
            word,
            scale * (read(value) - term.mean),
            leads=_show_leads(count_leads(dataset, values == value)),
        )
        for word, value in _FLAG
    )


def _curve(
    term: Term, scale: float, values: "pd.Series[float]", lead: npt.NDArray[np.intp]
) -> tuple[Contribution, ...]:
    """Return the corners of the line; ``MIN_GROUP_LEADS`` leads are at or beyond each end.

    So neither end is the value of a single lead, and a far outlier does not squeeze the rest.
    """
    ends = _ends(np.asarray(values, dtype=np.float64), lead)
    if ends is None:
        return ()
    low, high = ends
    shape, read = term.shape, term.shape.reader()
    if isinstance(shape, Table):
        return ()
    corners = shape.edges if isinstance(shape, Steps) else shape.knots
    inside = sorted({low, high, *(corner for corner in corners if low < corner < high)})
    return tuple(Contribution(f"{x:.4g}", scale * (read(x) - term.mean), x=x) for x in inside)


def _ends(values: Floats, lead: npt.NDArray[np.intp]) -> tuple[float, float] | None:
    known = ~np.isnan(values)
    by_lead = pd.Series(values[known]).groupby(lead[known])
    lowest, highest = np.sort(by_lead.min().to_numpy()), np.sort(by_lead.max().to_numpy())
    if len(lowest) < 2 * MIN_GROUP_LEADS:
        return None
    return float(lowest[MIN_GROUP_LEADS - 1]), float(highest[-MIN_GROUP_LEADS])
