"""Score one lead in plain Python: the path that a request takes."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from models.bands import Band, assign_band
from models.log_odds import to_probability
from models.scorecard import Scorecard, Term
from models.shapes import Reader


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


class Scorer:
    """A scorecard made ready to score: build it once, call it for every lead.

    Parameters
    ----------
    scorecard : Scorecard
    """

    def __init__(self, scorecard: Scorecard) -> None:
        self.scorecard = scorecard
        self._base = scorecard.base
        self._plain = [
            (term.signal, term.shape.reader()) for term in scorecard.terms if not term.variants
        ]
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
        self._cutoffs = scorecard.bands.log_odds

    def score(self, signals: Mapping[str, object]) -> LeadScore:
        """Score one lead.

        Parameters
        ----------
        signals : mapping of str to str, float or None
            By column ``family__name``. A column that is absent, None or NaN is missing and takes
            the term's own entry for that; a column that no term reads is ignored.

        Returns
        -------
        LeadScore
        """
        get = signals.get
        contributions = [read(get(signal)) for signal, read in self._plain]
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
        band = assign_band(log_odds, self._cutoffs)
        return LeadScore(log_odds, to_probability(log_odds), band, tuple(contributions))


def _choose_reader(term: Term) -> Callable[[Mapping[str, object]], Reader]:
    by, default = term.by, term.shape.reader()
    readers: dict[object, Reader] = {
        level: shape.reader() for level, shape in term.variants.items()
    }
    return lambda signals: readers.get(signals.get(by or ""), default)
