"""The evidence of history on each criterion: alone, and adjusted for all the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.close_rates import (
    MIN_GROUP_LEADS,
    CloseRates,
    compare_close_rates,
)
from leadscore.pipeline.evaluation.multiple_testing import benjamini_hochberg, holm_one_sided
from leadscore.pipeline.evaluation.regression import Coefficient, Coefficients, fit_clustered_logit
from leadscore.pipeline.sheets.attributes import NEARLY_ALL
from leadscore.pipeline.sheets.criteria import CriterionPart, ScoredCriterion
from leadscore.pipeline.signals.kinds import LeadAgeSignal

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What is known of a criterion, or of a part of one.

    `points` is what it gives where it fires, on average, and `zero` what that is counted from: 0,
    or the mean of all where the criterion gives hardly anybody nothing. `lift` compares where it
    fires with where the criterion gives nothing (with all others, where that is hardly anybody).
    `alone` and `adjusted` are the log-odds of each point beyond `zero`, without and with the other
    criteria: above 0 where history agrees with the sign. `can_tell` says whether there
    are leads enough to judge by, on both sides.
    """

    criterion: ScoredCriterion
    part: CriterionPart | None
    points: float
    zero: float
    lift: CloseRates
    alone: Coefficient
    adjusted: Coefficient
    can_tell: bool

    @property
    def has(self) -> Mask:
        """The snapshots that it fires for, (n,)."""
        return self.criterion.fires if self.part is None else self.part.has

    @property
    def against(self) -> tuple[float, float]:
        """The chances of so much against the points, were there nothing: alone, and adjusted."""
        exact = self._fisher(-1.0)
        return self.alone.p_less if exact is None else exact, self.adjusted.p_less

    @property
    def in_favour(self) -> float:
        """The chance of so much in favour of the points in one of the views, were there nothing."""
        exact = self._fisher(1.0)
        alone = self.alone.p_more if exact is None else exact
        return min(1.0, 2.0 * min(alone, self.adjusted.p_more))

    @property
    def varies(self) -> bool:
        """Whether it is a whole criterion that gives more points here than there."""
        return self.part is None and self.criterion.varies

    def _fisher(self, direction: float) -> float | None:
        """Return the exact chance where two rates say it all; None for points that vary."""
        if self.varies:
            return None
        more = direction * (self.points - self.zero) > 0.0
        return self.lift.p_more if more else self.lift.p_less


@dataclass(frozen=True)
class SheetEvidence:
    """The evidence on a sheet: each criterion, then each part of those that have several.

    `per_log_odds` is how many of the sheet's points one log-odds is: with it, deserved points
    spread leads as widely as the sheet's own. Of k pieces of evidence, `conflicts` marks those that
    go against their points beyond chance in both views, alone and beside the others, `disputed`
    those that do in one of them, `supported` those that go with their points in one; each (k,).
    """

    evidence: tuple[Evidence, ...]
    per_log_odds: float
    conflicts: Mask
    disputed: Mask
    supported: Mask


def measure_sheet(criteria: Sequence[ScoredCriterion], earlier: Dataset) -> SheetEvidence:
    """Measure the criteria of a sheet against history.

    Notes
    -----
    The adjusted coefficients come from one logistic regression on the points of all criteria. Those
    of a part come from one on a column for every part, against where its criterion gives nothing.
    Holm's method over all criteria and parts marks evidence against the points. The chance of a
    conflict is the larger one of the two views. The method of Benjamini and Hochberg marks evidence
    for them. The scale is the spread of the sheet's points over that of the second regression's
    log-odds. A division by the slope of a calibration would raise every deserved number of a worse
    sheet.
    """
    history = _History(earlier)
    points = np.column_stack([one.points for one in criteria])
    by_points = _JointFit(points, history)
    found = [
        _measure_criterion(one, by_points, place, history) for place, one in enumerate(criteria)
    ]
    columns, factors_by_part = _lay_out(criteria, [e.lift for e in found], len(earlier))
    by_part = _JointFit(columns, history)
    for (one, number), factors in factors_by_part.items():
        found.append(
            _measure_part(criteria[one], number, by_part, factors, history, found[one].lift)
        )
    spread = float((columns @ by_part.at_like_age.value[: by_part.width]).std())
    scale = float(points.sum(axis=1).std()) / spread if spread > 0.0 else 0.0
    conclusive = np.array([e.can_tell for e in found])
    conflicts, disputed, supported = (np.zeros(len(found), bool) for _ in range(3))
    if conclusive.any():
        against = np.array([e.against for e in found])[conclusive]
        conflicts[conclusive] = holm_one_sided(against.max(axis=1))
        disputed[conclusive] = holm_one_sided(np.minimum(1.0, 2.0 * against.min(axis=1)))
        supported[conclusive] = benjamini_hochberg(
            np.array([e.in_favour for e in found])[conclusive]
        )
    return SheetEvidence(tuple(found), scale, conflicts, disputed, supported)


class _History:
    """Labels, leads and ages of n snapshots, and what is measured with them."""

    def __init__(self, earlier: Dataset) -> None:
        self._label, self._lead = earlier.label, earlier.lead
        ages, self._age = np.unique(earlier.age_days, return_inverse=True)
        self._marks = (self._age[:, None] == np.arange(1, len(ages))).astype(np.float64)
        self.everything: Mask = np.ones(len(self._label), bool)

    def lift(self, has: Mask, rows: Mask, over_ages: bool) -> CloseRates:
        """Measure the lift among some rows; over all ages for what tells the age itself."""
        age = None if over_ages else self._age[rows]
        return compare_close_rates(has[rows], self._label[rows], self._lead[rows], age)

    def fit(self, columns: Floats, rows: Mask, over_ages: bool) -> Coefficients:
        """Fit columns among some rows, together with the ages unless `over_ages`."""
        if not over_ages:
            columns = np.column_stack([columns, self._marks])
        return fit_clustered_logit(columns[rows], self._label[rows], self._lead[rows])

    def fit_alone(self, column: Floats, rows: Mask, factor: float, over_ages: bool) -> Coefficient:
        """Return what one column, times a factor, is worth among some rows."""
        points = self.fit(column[:, None], rows, over_ages)
        return points.combine(np.r_[factor, np.zeros(len(points.value) - 1)])


class _JointFit:
    """The coefficients of columns fitted together, at equal age and over all ages."""

    def __init__(self, columns: Floats, history: _History) -> None:
        self._columns, self._history, self.width = columns, history, len(columns.T)

    @cached_property
    def at_like_age(self) -> Coefficients:
        """With columns for the ages after the others."""
        return self._history.fit(self._columns, self._history.everything, over_ages=False)

    @cached_property
    def _over_ages(self) -> Coefficients:
        return self._history.fit(self._columns, self._history.everything, over_ages=True)

    def combine(self, factors: Floats, over_ages: bool) -> Coefficient:
        """Return what the columns are worth together, each times its factor."""
        fitted = self._over_ages if over_ages else self.at_like_age
        ages = np.zeros(len(fitted.value) - len(factors))
        return fitted.combine(np.r_[factors, ages])


def _is_age(one: ScoredCriterion) -> bool:
    return isinstance(one.signal.declaration, LeadAgeSignal)


def _measure_criterion(
    one: ScoredCriterion, fit: _JointFit, place: int, history: _History
) -> Evidence:
    fires, over_ages, rows = one.fires, _is_age(one), history.everything
    points = float(one.points[fires].mean()) if fires.any() else 0.0
    if not points and one.parts:
        points = one.parts[0].points
    lift = history.lift(fires, rows, over_ages)
    adjusted = fit.combine((np.arange(fit.width) == place).astype(np.float64), over_ages)
    alone = history.fit_alone(one.points, rows, 1.0, over_ages)
    values, counts = np.unique(one.points, return_counts=True)
    differs = one.points != values[np.argmax(counts)]  # from what most snapshots get
    can_tell = _can_tell(history.lift(differs, rows, over_ages))
    return Evidence(one, None, points, 0.0, lift, alone, adjusted, can_tell)


def _can_tell(lift: CloseRates) -> bool:
    return lift.can_tell and min(lift.leads, lift.leads_without) >= MIN_GROUP_LEADS


def _lay_out(
    criteria: Sequence[ScoredCriterion], lifts: Sequence[CloseRates], rows: int
) -> tuple[Floats, dict[tuple[int, int], Floats]]:
    """Return the columns of all parts, (n, c), and of each part (criterion, number) its factors.

    The factors, (c,), subtract what the criterion's zero is worth from what the part is worth.
    """
    columns: list[Floats] = []
    weights: dict[tuple[int, int], dict[int, float]] = {}
    for place, (one, lift) in enumerate(zip(criteria, lifts, strict=True)):
        if len(one.parts) < 2:
            columns.append(one.points)
            continue
        shares = [float(part.has.mean()) for part in one.parts]
        covers = _covers(one, lift)
        largest = int(np.argmax(shares)) if covers else None
        numbers = [n for n in range(len(shares)) if n != largest]
        where = {n: len(columns) + i for i, n in enumerate(numbers)}
        columns += [one.parts[n].has.astype(np.float64) for n in numbers]
        for number in range(len(shares)):
            weights[place, number] = {
                where[n]: float(n == number) - (shares[n] if covers else 0.0) for n in numbers
            }
    factors = {
        key: np.array([by_column.get(n, 0.0) for n in range(len(columns))])
        for key, by_column in weights.items()
    }
    return np.column_stack(columns) if columns else np.zeros((rows, 0)), factors


def _covers(one: ScoredCriterion, lift: CloseRates) -> bool:
    """Say whether the criterion gives hardly anybody nothing, so that its mean is its zero."""
    most = lift.leads_without < lift.leads
    return most and (not _can_tell(lift) or float(one.fires.mean()) >= NEARLY_ALL)


def _measure_part(
    one: ScoredCriterion,
    number: int,
    fit: _JointFit,
    factors: Floats,
    history: _History,
    whole: CloseRates,
) -> Evidence:
    part, over_ages = one.parts[number], _is_age(one)
    covers = _covers(one, whole)
    zero = float(one.points.mean()) if covers else 0.0
    rows = history.everything if covers else part.has | ~one.fires
    per_point = 1.0 / (part.points - zero) if part.points != zero else 0.0
    share = 1.0 - float(part.has.mean()) if covers else 1.0
    column, lift = part.has.astype(np.float64), history.lift(part.has, rows, over_ages)
    return Evidence(
        one, part, part.points, zero, lift,
        history.fit_alone(column, rows, share * per_point, over_ages),
        fit.combine(factors * per_point, over_ages),
        _can_tell(lift) and part.points != zero,
    )  # fmt: skip
