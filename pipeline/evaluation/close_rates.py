"""Close rates: of leads with an attribute against those without it, and of groups of leads.

An attribute's points are its close rate minus the overall one, in percentage points. All intervals
count each lead once, because the snapshots of a lead share its outcome.
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import hypergeom

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int8]
Codes = npt.NDArray[np.intp]

FALSE_SHARE = 0.05
"""The share of false ones that `benjamini_hochberg` allows among what it finds, on average."""
ANY_FALSE = 0.05
"""The chance that `holm_one_sided` finds anything at all where there is nothing."""
FEWEST_EXPECTED = 5.0
"""Wins, and others, that have to be expected on either side before a difference is judged."""
_Z = 1.96


def share_interval(share: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % interval of a share of `count` (E. B. Wilson, 1927)."""
    middle = (share + _Z**2 / (2.0 * count)) / (1.0 + _Z**2 / count)
    spread = np.sqrt(share * (1.0 - share) / count + _Z**2 / (4.0 * count**2))
    half = _Z / (1.0 + _Z**2 / count) * spread
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


@dataclass(frozen=True)
class CloseRates:
    """How snapshots with an attribute close, against those without.

    `leads` and `leads_without` count distinct leads (one that has the attribute in some snapshots
    is in both). `rate` is the share of snapshots with it that won, `rate_without` that of those
    without it and `expected` that of all, both at the same ages; None where there are none.
    `points` is ``100 * (rate - expected)`` and `ratio` is ``rate / rate_without``, each with its
    95 % interval; the ratio's ends may be infinite.

    `p_more` is the chance, were the attribute to tell nothing, of closing so often or more often
    with it; `p_less` of so seldom or more seldom. Both are 1 where too few leads `can_tell`.
    """

    leads: int
    leads_without: int
    rate: float | None
    rate_without: float | None
    expected: float
    points: float
    points_low: float
    points_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p_more: float
    p_less: float
    can_tell: bool

    @property
    def p(self) -> float:
        """The chance of a difference so large in either direction, were there none."""
        return min(1.0, 2.0 * min(self.p_more, self.p_less))


def compare_close_rates(
    has: Mask, label: Labels, lead: Codes, age: Codes | None = None
) -> CloseRates:
    """Measure what an attribute does to the close rate, among snapshots of like age.

    All arrays have the shape (n,): `has` marks the snapshots with the attribute, `lead` and `age`
    are numbers from 0. Activities gather with age while chances fade. So without `age` every
    activity would seem to do harm. Snapshots of an age at which all or none have the attribute do
    not count.

    Those without the attribute are weighted to have it at the ages of those with it. A group of
    snapshots counts as ``(sum w)^2 / sum w^2`` leads, where w is the weight of each lead's
    snapshots together [1]_. The interval of the difference is Newcombe's from the two Wilson
    intervals [2]_ and that of the ratio Donner and Zou's from the same [3]_, both of which hold at
    rates of 0; a lead in both groups makes them wider than they need be. That of the points is as
    much narrower as the part of all that is without the attribute. The chances are the mid-p ones
    of Fisher's exact test on the counts of leads, rounded [4]_.

    References
    ----------
    .. [1] L. Kish, "Survey Sampling" (1965), section 8.2.
    .. [2] R. G. Newcombe, "Interval estimation for the difference between independent proportions",
       Statistics in Medicine 17 (1998), 873-890, method 10.
    .. [3] A. Donner, G. Y. Zou, "Closed-form confidence intervals for functions of the normal mean
       and standard deviation", Statistical Methods in Medical Research 21 (2012), 347-359.
    .. [4] H. O. Lancaster, "Significance tests in discrete distributions", Journal of the American
       Statistical Association 56 (1961), 223-234.

    Examples
    --------
    40 % of those who asked for a demo close, and 15 % of all:

    >>> label = np.repeat([1, 0, 1, 0], [40, 60, 110, 790]).astype(np.int8)
    >>> asked = np.arange(1000) < 100
    >>> lift = compare_close_rates(asked, label, np.arange(1000))
    >>> round(lift.points, 9), round(lift.points_low), round(lift.points_high)
    (25.0, 17, 34)
    """
    age = np.zeros(len(label), np.intp) if age is None else age
    count = np.bincount(age).astype(np.float64)
    with_it = np.bincount(age[has], minlength=len(count)).astype(np.float64)
    both = (with_it > 0.0) & (with_it < count)
    leads, leads_without = len(np.unique(lead[has])), len(np.unique(lead[~has]))
    if not both.any():
        rate = float(label[has].mean()) if leads else None
        rate_without = float(label[~has].mean()) if leads_without else None
        return CloseRates(leads, leads_without, rate, rate_without, float(label.mean()),
                    0.0, -100.0, 100.0, 1.0, 0.0, inf, 1.0, 1.0, False)  # fmt: skip
    compared = both[age]
    one, other = has & compared, ~has & compared
    balance = np.divide(with_it, count - with_it, out=np.zeros_like(count), where=both)
    side = _count(label[one], lead[one], np.ones(int(one.sum())))
    side_without = _count(label[other], lead[other], balance[age[other]])
    shares = with_it * both / with_it[both].sum()
    rates = np.bincount(age, weights=label) / np.maximum(count, 1.0)
    expected = float(shares @ rates)
    points, gap = 100.0 * (side.rate - expected), side.rate - side_without.rate
    without = float(shares @ (1.0 - with_it / np.maximum(count, 1.0)))
    low, high = _newcombe(side, side_without)
    ratio_low, ratio_high = _donner_zou(side, side_without)
    likelier = min(expected, 1.0 - expected)
    can_tell = min(side.size, side_without.size) * likelier >= FEWEST_EXPECTED
    p_more, p_less = _fisher(side, side_without) if can_tell else (1.0, 1.0)
    return CloseRates(
        leads, leads_without, side.rate, side_without.rate, expected, points,
        points + 100.0 * without * (low - gap), points + 100.0 * without * (high - gap),
        _divide(side.rate, side_without.rate), ratio_low, ratio_high, p_more, p_less, can_tell,
    )  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """One group: as how many leads it counts, and its rate."""

    size: float
    rate: float

    @property
    def interval(self) -> tuple[float, float]:
        low, high = share_interval(np.array([self.rate]), np.array([self.size]))
        return float(low[0]), float(high[0])


def _count(label: Labels, lead: Codes, weight: Floats) -> _Side:
    by_lead = np.bincount(lead, weights=weight)
    total = float(by_lead.sum())
    return _Side(total**2 / float(by_lead @ by_lead), float(weight @ label) / total)


def _newcombe(one: _Side, other: _Side) -> tuple[float, float]:
    (low, high), (low_other, high_other) = one.interval, other.interval
    gap = one.rate - other.rate
    return (
        gap - sqrt((one.rate - low) ** 2 + (high_other - other.rate) ** 2),
        gap + sqrt((high - one.rate) ** 2 + (other.rate - low_other) ** 2),
    )


def _donner_zou(one: _Side, other: _Side) -> tuple[float, float]:
    (low, high), (low_other, high_other) = one.interval, other.interval
    product = one.rate * other.rate
    below = high_other * (2.0 * other.rate - high_other)
    above = low_other * (2.0 * other.rate - low_other)
    bottom = product - _root(product**2 - low * (2.0 * one.rate - low) * below)
    top = product + _root(product**2 - high * (2.0 * one.rate - high) * above)
    if below > 0.0:
        ratio_low = max(0.0, bottom / below)
    else:  # the other rate is too unsure for the formula: the ratio of the ends
        ratio_low = low / high_other if one.rate > 0.0 else 0.0
    return ratio_low, top / above if above > 0.0 else inf


def _root(square: float) -> float:
    return sqrt(max(square, 0.0))


def _divide(rate: float, rate_without: float) -> float:
    if rate_without > 0.0:
        return rate / rate_without
    return inf if rate > 0.0 else 1.0


def _fisher(one: _Side, other: _Side) -> tuple[float, float]:
    """Return the chances of so many wins or more, and so few or less; half of the very number."""
    size, size_other = max(1, round(one.size)), max(1, round(other.size))
    wins, wins_other = round(one.rate * one.size), round(other.rate * other.size)
    counts = (size + size_other, wins + wins_other, size)
    half = float(hypergeom.pmf(wins, *counts)) / 2.0
    more, less = float(hypergeom.sf(wins, *counts)), float(hypergeom.cdf(wins - 1, *counts))
    return min(1.0, more + half), min(1.0, less + half)


MIN_GROUP_LEADS = 30
"""Smaller groups are not shown: a rate would be noise, and might be a person's."""


@dataclass(frozen=True)
class Group:
    """Some of the evaluated leads: the share of snapshots that won, and its 95 % interval.

    The interval counts each lead once. All but the name is None for fewer than ``MIN_GROUP_LEADS``.
    """

    name: str
    leads: int | None
    snapshots: int | None
    wins: int | None
    rate: float | None
    low: float | None
    high: float | None
    mean_prob: float | None

    @property
    def is_few(self) -> bool:
        """Whether the group is too small to be shown."""
        return self.leads is None


def make_group(name: str, leads: int, snapshots: int, wins: int, mean_prob: float) -> Group:
    """Return a group of known counts, silent if it is small."""
    if leads < MIN_GROUP_LEADS:
        return Group(name, None, None, None, None, None, None, None)
    rate = wins / snapshots
    low, high = share_interval(np.array([rate]), np.array([float(leads)]))
    return Group(name, leads, snapshots, wins, rate, float(low[0]), float(high[0]), mean_prob)


def count_group(name: str, dataset: Dataset, probability: Floats, rows: Mask) -> Group:
    """Count the marked rows of a dataset of n snapshots; `probability` and `rows` are (n,)."""
    if not rows.any():
        return make_group(name, 0, 0, 0, 0.0)
    return make_group(
        name,
        count_leads(dataset, rows),
        int(rows.sum()),
        int(dataset.label[rows].sum()),
        float(probability[rows].mean()),
    )


def count_leads(dataset: Dataset, rows: Mask | npt.NDArray[np.intp]) -> int:
    """Return how many leads some rows of a dataset belong to."""
    return len(np.unique(dataset.lead[rows]))


MISSING = "(missing)"
MOST_LEVELS = 15


def choose_breakdowns(project: Project) -> tuple[str, ...]:
    """Return the columns to group by: those that training.yaml names under ``report.group_by``.

    Without that, the first two category signals of the families web and firmographic. What is in
    quarantine was not learned from and is left out.
    """
    signals = {signal.column: signal for signal in project.catalog.signals if signal.is_category}
    chosen = project.training.report.group_by
    if chosen is None:
        ranked = sorted(signals, key=lambda column: signals[column].declaration.family != "web")
        chosen = tuple(
            column for column in ranked
            if signals[column].declaration.family in ("web", "firmographic")
        )[:2]  # fmt: skip
    return tuple(column for column in chosen if column in signals)


def leads_by_level(values: "pd.Series[str]", lead: npt.NDArray[np.intp]) -> dict[str, int]:
    """Count the distinct leads that have each level; n values, the lead's number of each (n,)."""
    pairs = pd.DataFrame({"level": values.to_numpy(dtype=object), "lead": lead}).dropna()
    counted = pairs.groupby("level", sort=True)["lead"].nunique()
    return {str(level): int(count) for level, count in counted.items()}
