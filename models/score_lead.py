"""Score one lead in plain Python: the path that a request takes."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple

from leadscore.models.axes import LeadAxes
from leadscore.models.bands import Band, apply_hysteresis, assign_band
from leadscore.models.log_odds import to_probability
from leadscore.models.scorecard import Points, Scorecard, Term
from leadscore.models.shapes import Reader


class LeadScore(NamedTuple):
    """What a scorecard says of one lead.

    `contributions` has one entry per term, in the scorecard's order, then one per cap: what the cap
    took from (or added to) its group. ``base + contributions``, added from left to right, is
    `log_odds`.
    """

    log_odds: float
    probability: float
    band: Band
    contributions: tuple[float, ...]


class ContributionIndex(NamedTuple):
    """What the contributions of a score are of, in their order: terms, then caps.

    `names` are signals, and ``cap:group``; `families` are empty and `means`, the average worths, 0
    for caps; `by_name` are the places in the order of names.
    """

    names: tuple[str, ...]
    families: tuple[str, ...]
    means: tuple[float, ...]
    by_name: tuple[int, ...]
    points: Points


class Scorer:
    """A scorecard made ready to score: build it once, call it for every lead."""

    def __init__(self, scorecard: Scorecard) -> None:
        self.scorecard = scorecard
        self._base = scorecard.base
        plain = [term for term in scorecard.terms if not term.variants]
        self._signals = [term.signal for term in plain]
        self._readers = [term.shape.reader() for term in plain]
        self._varied = [
            (place, term.signal, _choose_reader(term))
            for place, term in enumerate(scorecard.terms)
            if term.variants
        ]
        groups = [(name, cap.low, cap.high) for name, cap in scorecard.caps.items()]
        self._caps = [
            (low, high, [i for i, term in enumerate(scorecard.terms) if term.group == name])
            for name, low, high in groups
        ]
        self._cutoffs, self._exit_cutoffs = scorecard.bands.log_odds, scorecard.bands.exit_cutoffs
        self._assign = None if scorecard.bands.plain else _BandAssigner(scorecard)
        self.parts = _index_contributions(scorecard)

    def score(self, signals: Mapping[str, object], previous_band: Band | None = None) -> LeadScore:
        """Score one lead.

        Parameters
        ----------
        signals : mapping of str to str, float or None
            By column ``family__name``. A column that is absent, None or NaN is missing and takes
            the term's own entry for that; a column that no term reads is ignored.
        previous_band : str, optional
            The band that the lead was in; the hysteresis of the bands then counts.
        """
        get = signals.get
        values = map(get, self._signals)
        contributions = [read(value) for read, value in zip(self._readers, values, strict=True)]
        for place, signal, choose in self._varied:
            contributions.insert(place, choose(signals)(get(signal)))
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
        if self._assign is not None:
            band = self._assign(log_odds, contributions, signals, previous_band)
        elif previous_band is None:
            band = assign_band(log_odds, self._cutoffs)
        else:
            band = apply_hysteresis(log_odds, previous_band, self._cutoffs, self._exit_cutoffs)
        return LeadScore(log_odds, to_probability(log_odds), band, tuple(contributions))


class AxesReader:
    """A scorecard's two axes made ready to read: build it once, call it for every lead."""

    def __init__(self, scorecard: Scorecard) -> None:
        self._axes = scorecard.axes
        self._fit, self._engagement = scorecard.axis_members

    def sum(self, contributions: Sequence[float]) -> tuple[float, float]:
        """Return the partial sums of fit and engagement, in log-odds.

        Parameters
        ----------
        contributions : sequence of float
            Of a ``LeadScore``.
        """
        worth = contributions.__getitem__
        fit = reduce(add, map(worth, self._fit), 0.0)  # from left to right, as no ``sum`` promises
        return fit, reduce(add, map(worth, self._engagement), 0.0)

    def read(self, contributions: Sequence[float]) -> LeadAxes:
        """Place a lead on both axes.

        Parameters
        ----------
        contributions : sequence of float
            Of a ``LeadScore``.
        """
        return self._axes.read(*self.sum(contributions))


class _BandAssigner:
    """Bands that depend on more than the score: on a level, or on minimums of the axes."""

    def __init__(self, scorecard: Scorecard) -> None:
        bands = scorecard.bands
        self._by = bands.by or ""
        self._usual = bands.log_odds, bands.exit_cutoffs
        self._overrides = {
            level: ((cutoffs.mql, cutoffs.sql), (cutoffs.mql_exit, cutoffs.sql_exit))
            for level, cutoffs in bands.cutoff_overrides.items()
        }
        self._minimums, self._axes = bands.minimums, AxesReader(scorecard)

    def __call__(
        self,
        log_odds: float,
        contributions: Sequence[float],
        signals: Mapping[str, object],
        previous_band: Band | None,
    ) -> Band:
        level = signals.get(self._by)
        chosen = self._overrides.get(level) if isinstance(level, str) else None
        cutoffs, exits = chosen or self._usual
        if previous_band is None:
            band = assign_band(log_odds, cutoffs)
        else:
            band = apply_hysteresis(log_odds, previous_band, cutoffs, exits)
        return self._minimums.hold(band, self._axes.read(contributions))


def _index_contributions(scorecard: Scorecard) -> ContributionIndex:
    names = (*(t.signal for t in scorecard.terms), *(f"cap:{name}" for name in scorecard.caps))
    return ContributionIndex(
        names,
        (*(term.family for term in scorecard.terms), *("" for _ in scorecard.caps)),
        (*(term.mean for term in scorecard.terms), *(0.0 for _ in scorecard.caps)),
        tuple(sorted(range(len(names)), key=names.__getitem__)),
        scorecard.points,
    )


def _choose_reader(term: Term) -> Callable[[Mapping[str, object]], Reader]:
    by, default = term.by, term.shape.reader()
    readers: dict[object, Reader] = {
        level: shape.reader() for level, shape in term.variants.items()
    }
    return lambda signals: readers.get(signals.get(by or ""), default)


def find_percentile(quantiles: Sequence[float], log_odds: float) -> float | None:
    """Return the per cent of the later period's leads that score lower, 0 to 100.

    Linear between the quantiles; 0 up to the first, 100 from the last on. Where quantiles are
    equal, as many leads share a score: those do not score lower than each other, so the percentile
    of that score is that of the first of the equal ones, and right above it that of the last.

    Parameters
    ----------
    quantiles : sequence of float
        ``Scorecard.quantiles``: log-odds at evenly spaced shares of the leads, not decreasing.
    log_odds : float

    Returns
    -------
    float or None
        None without quantiles.

    Examples
    --------
    >>> find_percentile((-2.0, -1.0, 1.0), 0.0), find_percentile((-2.0, 0.0, 0.0, 1.0, 2.0), 0.0)
    (75.0, 25.0)
    """
    if not quantiles:
        return None
    if log_odds >= quantiles[-1]:
        return 100.0
    place = bisect_left(quantiles, log_odds)
    if place == 0:
        return 0.0
    left, right = quantiles[place - 1], quantiles[place]
    share = (log_odds - left) / (right - left)
    return 100.0 * (place - 1 + share) / (len(quantiles) - 1)
