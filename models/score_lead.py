"""The scorer of one lead, in plain Python, for requests; and the reasons of its score."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import log
from operator import add, sub
from typing import NamedTuple

from leadscore.models.axes import LeadAxes
from leadscore.models.bands import Band, CutoffLogOdds, apply_hysteresis, assign_band
from leadscore.models.log_odds import to_probability
from leadscore.models.scorecard import Points, Scorecard, Term
from leadscore.models.shapes import Reader


class LeadScore(NamedTuple):
    """The score of one lead.

    `contributions` has one entry per term, in the scorecard's order, then one per cap: what the cap
    added to its group, often a negative number. `log_odds` is the base plus the contributions,
    added from left to right.
    """

    log_odds: float
    probability: float
    band: Band
    contributions: tuple[float, ...]


class ContributionIndex(NamedTuple):
    """The names of the contributions of a score, in their order: terms, then caps.

    `names` are signals, or ``cap:group``. `families` are empty for caps. `means` are the average
    contributions, 0 for caps. `by_name` has the indices in the order of names.
    """

    names: tuple[str, ...]
    families: tuple[str, ...]
    means: tuple[float, ...]
    by_name: tuple[int, ...]
    points: Points


class Scorer:
    """A scorecard prepared for scoring: build it once, call it for every lead."""

    def __init__(self, scorecard: Scorecard) -> None:
        self.scorecard = scorecard
        self._base = scorecard.base
        simple = [term for term in scorecard.terms if not term.variants]
        self._signals = [term.signal for term in simple]
        self._readers = [term.shape.reader() for term in simple]
        self._variants = [
            (index, term.signal, _make_variant_reader(term))
            for index, term in enumerate(scorecard.terms)
            if term.variants
        ]
        self._caps = [
            (cap.low, cap.high, [i for i, t in enumerate(scorecard.terms) if t.group == name])
            for name, cap in scorecard.caps.items()
        ]
        bands = scorecard.bands
        self._cutoffs, self._by = bands.cutoff_log_odds, bands.by
        self._overrides = bands.cutoff_overrides
        self._minimums = bands.minimums
        self._axes = AxesReader(scorecard) if bands.minimums.axes else None
        self.contribution_index = _index_contributions(scorecard)

    def score(self, signals: Mapping[str, object], previous_band: Band | None = None) -> LeadScore:
        """Score one lead.

        A column that is absent, None or NaN is missing and takes the term's entry for missing
        values. A column that no term reads is ignored. The hysteresis of the bands applies if
        `previous_band` is given.
        """
        get = signals.get
        values = map(get, self._signals)
        contributions = [read(value) for read, value in zip(self._readers, values, strict=True)]
        for index, signal, choose in self._variants:
            contributions.insert(index, choose(signals)(get(signal)))
        log_odds = self._base
        for contribution in contributions:
            log_odds += contribution
        for low, high, members in self._caps:
            partial = 0.0
            for member in members:
                partial += contributions[member]
            adjustment = min(max(partial, low), high) - partial
            contributions.append(adjustment)
            log_odds += adjustment
        cutoffs = self._cutoffs if self._by is None else self._choose_cutoffs(signals)
        if previous_band is None:
            band = assign_band(log_odds, cutoffs)
        else:
            band = apply_hysteresis(log_odds, previous_band, cutoffs)
        if self._axes is not None:
            band = self._minimums.limit(band, self._axes.read(contributions))
        return LeadScore(log_odds, to_probability(log_odds), band, tuple(contributions))

    def _choose_cutoffs(self, signals: Mapping[str, object]) -> CutoffLogOdds:
        level = signals.get(self._by or "")
        return (
            self._overrides.get(level, self._cutoffs) if isinstance(level, str) else self._cutoffs
        )


class AxesReader:
    """The grades of fit and engagement: build it once per scorecard, call it for every lead."""

    def __init__(self, scorecard: Scorecard) -> None:
        self._axes = scorecard.axes
        self._fit, self._engagement = scorecard.axis_members

    def sum(self, contributions: Sequence[float]) -> tuple[float, float]:
        """Return the partial sums of fit and engagement of a ``LeadScore``, in log-odds."""
        get = contributions.__getitem__
        fit = reduce(add, map(get, self._fit), 0.0)  # in order; ``sum`` does not promise that
        return fit, reduce(add, map(get, self._engagement), 0.0)

    def read(self, contributions: Sequence[float]) -> LeadAxes:
        """Return the grades of a ``LeadScore`` on both axes."""
        return self._axes.read(*self.sum(contributions))


def _index_contributions(scorecard: Scorecard) -> ContributionIndex:
    names = (*(t.signal for t in scorecard.terms), *(f"cap:{name}" for name in scorecard.caps))
    return ContributionIndex(
        names,
        (*(term.family for term in scorecard.terms), *("" for _ in scorecard.caps)),
        (*(term.mean for term in scorecard.terms), *(0.0 for _ in scorecard.caps)),
        tuple(sorted(range(len(names)), key=names.__getitem__)),
        scorecard.points,
    )


def _make_variant_reader(term: Term) -> Callable[[Mapping[str, object]], Reader]:
    by, default = term.by, term.shape.reader()
    readers: dict[object, Reader] = {
        level: shape.reader() for level, shape in term.variants.items()
    }
    return lambda signals: readers.get(signals.get(by or ""), default)


def find_percentile(quantiles: Sequence[float], log_odds: float) -> float | None:
    """Return the per cent of the later period's leads with a lower score, 0 to 100.

    It is linear between the quantiles, 0 up to the first and 100 from the last on. Quantiles are
    equal if many leads share a score. None of these leads scores lower than another of them, so
    the percentile of that score is the percentile of the first of the equal quantiles.

    `quantiles` are those of the scorecard; without any the percentile is None.

    >>> find_percentile((-2.0, -1.0, 1.0), 0.0), find_percentile((-2.0, 0.0, 0.0, 1.0, 2.0), 0.0)
    (75.0, 25.0)
    """
    if not quantiles:
        return None
    if log_odds >= quantiles[-1]:
        return 100.0
    index = bisect_left(quantiles, log_odds)
    if index == 0:
        return 0.0
    left, right = quantiles[index - 1], quantiles[index]
    share = (log_odds - left) / (right - left)
    return 100.0 * (index - 1 + share) / (len(quantiles) - 1)


class Reason(NamedTuple):
    """One signal's part in a lead's score, against the average lead of the training period.

    `value` is the signal's value, None when missing. `log_odds` and `points` are its contribution
    minus the average lead's.
    """

    signal: str
    family: str
    value: object
    log_odds: float
    points: float


class Explanation(NamedTuple):
    """A waterfall: the average lead's log-odds, then reasons, then this lead's log-odds.

    ``average + sum of reasons = log_odds``, and the same in points, of which `points_to_double`
    double the odds.
    """

    average: float
    average_points: float
    reasons: tuple[Reason, ...]
    log_odds: float
    points: float
    probability: float
    band: str
    points_to_double: float


def explain_lead(
    scorer: Scorer, signals: Mapping[str, object], score: LeadScore | None = None
) -> Explanation:
    """Explain one lead's score, or the `score` that was computed already.

    Reasons are largest first, ties by signal name. A cap that changed the sum is a reason of its
    own, named ``cap:group``. The sum is exact to 1e-9 log-odds.
    """
    scorecard, score = scorer.scorecard, score or scorer.score(signals)
    names, families, _, _, points = scorer.contribution_index
    contributions, order = rank_parts(scorer, score)
    reasons = [
        Reason(
            names[place], families[place], read_value(signals, names[place]), contributions[place],
            points.part(contributions[place]),
        )
        for place in order
    ]  # fmt: skip
    average = average_log_odds(scorecard)
    return Explanation(
        average,
        points.total(average),
        tuple(reasons),
        score.log_odds,
        points.total(score.log_odds),
        score.probability,
        score.band,
        points.part(log(2.0)),
    )


def rank_parts(
    scorer: Scorer, score: LeadScore, most: int | None = None
) -> tuple[list[float], list[int]]:
    """Return each contribution minus the average lead's, and their order by size.

    The contributions are in log-odds, in the order of ``scorer.contribution_index``. The order has
    indices, largest first, ties by name, at most `most`. It lacks caps that changed nothing.
    """
    contributions = list(map(sub, score.contributions, scorer.contribution_index.means))
    sizes = list(map(abs, contributions))
    order = sorted(
        scorer.contribution_index.by_name, key=sizes.__getitem__, reverse=True
    )  # ties stay in order
    if scorer.scorecard.caps:
        terms = len(scorer.scorecard.terms)
        order = [place for place in order if place < terms or contributions[place] != 0.0]
    return contributions, order[:most]


def read_value(signals: Mapping[str, object], name: str) -> object:
    """Return what a signal was, None when missing."""
    value = signals.get(name)
    return None if value != value else value


def round_to_sum(values: Sequence[float], total: float, digits: int) -> list[float]:
    """Round values that add up to `total` so that they still add up to their rounded total.

    Each value is rounded to the nearest number with `digits` decimals. The smallest values that
    were rounded the other way make up what is then lacking, so that a large value is the same
    however many are shown with it. No value changes by a unit of the last digit or more.

    >>> round_to_sum([0.34, 0.33, 0.33], 1.0, digits=1)
    [0.3, 0.3, 0.4]
    """
    unit = 10.0**digits
    units = [round(value * unit) for value in values]
    lacking = round(round(total, digits) * unit) - sum(units)
    step = 1 if lacking > 0 else -1
    smallest = sorted(range(len(values)), key=lambda place: (abs(values[place]), -place))
    eligible = [place for place in smallest if step * (values[place] * unit - units[place]) > 0.0]
    for place in eligible[: abs(lacking)]:
        units[place] += step
    return [count / unit for count in units]


def average_log_odds(scorecard: Scorecard) -> float:
    """Return the base plus the average contribution of every signal, in log-odds."""
    total = scorecard.base
    for term in scorecard.terms:
        total += term.mean
    return total
