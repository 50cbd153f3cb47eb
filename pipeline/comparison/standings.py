"""All contenders on the same ground: their calls, their measures, each against each."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from leadscore.models.score_frame import to_probabilities
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.comparison.breakdowns import find_periods, group_snapshots, stack_masks
from leadscore.pipeline.comparison.calls import CallSimulator, Week
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet, ScoredContender
from leadscore.pipeline.comparison.measures import MEASURED, measure_contender
from leadscore.pipeline.comparison.pairs import Side, compare_pair, find_rates, measure_gain
from leadscore.pipeline.comparison.records import ContenderResult, FamilyCost, Pair
from leadscore.pipeline.comparison.wins_at_capacity import CallOutcome, draw_curve, simulate_calls
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.calibration import group_by_score
from leadscore.pipeline.evaluation.metrics import Estimate, auc
from leadscore.pipeline.evaluation.multiple_testing import holm
from leadscore.pipeline.evaluation.resampling import percentile
from leadscore.pipeline.signals.catalog import Catalog, Signal

Floats = npt.NDArray[np.float64]
_CURVE = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0)
"""The curve of wins against calls goes through these multiples of the capacity."""
FEWEST_RESAMPLES = 1000
"""With fewer draws no p-value would be small enough where many pairs are tested."""

DESCRIBED = 300
"""So many draws do for intervals that only describe, those of ranking, calibration and families."""


def count_resamples(project: Project) -> int:
    """Return how often leads are drawn anew."""
    return max(project.training.bootstrap_draws, FEWEST_RESAMPLES)


class Standings:
    """The contenders and the leads they call.

    Parameters
    ----------
    project : Project
    ground : EvaluationSet
    weeks : tuple of Week
    capacity : float
        Calls a week.

    Attributes
    ----------
    cuts : tuple of Cut
        How the leads are grouped.
    pairs : list of (str, str)
        The keys of all duels.
    reached : dict of str to CallOutcome
        By contender.
    calls, by_chance : tuple of float
        Calls a week of the curves, and what calling by chance reaches with them.
    """

    def __init__(
        self, project: Project, ground: EvaluationSet, weeks: tuple[Week, ...], capacity: float
    ) -> None:
        self._ground, self._weeks, self._capacity = ground, weeks, capacity
        self._resamples, self._seed = count_resamples(project), project.training.seed
        self.cuts = group_snapshots(project, ground)
        log_odds = {e.contender.key: e.scores.log_odds for e in ground.entrants}
        chance = np.zeros(len(ground.later))
        self._callers = {key: self._caller(said) for key, said in log_odds.items()}
        self._by_chance = self._caller(chance)
        found = self._reach(
            [*self._callers.values(), self._by_chance],
            stack_masks(self.cuts, len(ground.later)),
            self._resamples,
        )
        self.reached = dict(zip(log_odds, found, strict=False))
        self._rates = {key: find_rates(one, found[-1]) for key, one in self.reached.items()}
        self.pairs = list(combinations(log_odds, 2))
        self.calls = tuple(share * capacity for share in _CURVE)
        self.calls = self.calls[: self._find_end()]
        self.by_chance = self._curve(self._by_chance)
        period = find_periods(ground, weeks)
        self._measured = {
            e.contender.key: measure_contender(
                e.scores.log_odds, e.equal, ground.later.label, ground.later.lead, period,
                DESCRIBED, self._seed,
            )
            for e in ground.entrants
        }  # fmt: skip

    def _caller(self, log_odds: Floats) -> CallSimulator:
        return CallSimulator(self._weeks, log_odds, self._ground.later.lead)

    def _reach(
        self, callers: list[CallSimulator], groups: Floats, bootstrap_draws: int
    ) -> list[CallOutcome]:
        label, leads = self._ground.later.label, self._ground.leads
        return simulate_calls(
            callers, self._capacity, label, leads, groups, bootstrap_draws, self._seed
        )

    def _find_end(self) -> int:
        """Return how many of the calls are worth drawing: further ones reach no more leads."""
        reached = self._curve(self._by_chance)
        most = next(place for place, wins in enumerate(reached) if wins >= 0.98 * reached[-1])
        return max(most, _CURVE.index(1.0)) + 1

    def _curve(self, caller: CallSimulator) -> tuple[float, ...]:
        return tuple(draw_curve(caller, self._ground.later.label, list(self.calls)))

    def stand(self, entrant: ScoredContender) -> ContenderResult:
        """Return how one contender did."""
        contender = entrant.contender
        measured = self._measured[contender.key]
        metrics = {
            **self._count(contender.key),
            **{
                name: percentile(float(measured.value[place]), measured.drawn[place])
                for place, name in enumerate(MEASURED)
            },
        }
        return ContenderResult(
            key=contender.key,
            name=contender.name,
            said=contender.said,
            kind=contender.scorecard.kind,
            model=contender.version.name,
            version=contender.version.version,
            aliases=contender.version.aliases,
            fingerprint=contender.scorecard.fingerprint,
            metrics=metrics,
            slope=measured.slope,
            equal=(entrant.equal.factor, entrant.equal.shift),
            curve=self._curve(self._callers[contender.key]),
            families=tuple(self._list_costs(entrant)),
        )

    def _count(self, key: str) -> dict[str, Estimate]:
        reached = self.reached[key]
        return {
            "wins_at_capacity": percentile(float(reached.wins[0]), reached.drawn_wins[0]),
            "calls": percentile(float(reached.calls[0]), reached.drawn_calls[0]),
            **{name: percentile(*rate) for name, rate in self._rates[key].items()},
        }

    def _list_costs(self, entrant: ScoredContender) -> Iterator[FamilyCost]:
        """Yield what each family is worth to a contender."""
        scorecard, label = entrant.contender.scorecard, self._ground.later.label
        with_all = self.reached[entrant.contender.key]
        families = list_families(scorecard)
        without = [
            drop_family(scorecard, entrant.scores.contributions, family) for family in families
        ]
        everybody = np.ones((1, len(label)))
        callers = [self._caller(log_odds) for log_odds in without]
        found = self._reach(callers, everybody, DESCRIBED)
        whole = self._auc(entrant.scores.log_odds)
        for family, log_odds, reached in zip(families, without, found, strict=True):
            wins = percentile(
                float(reached.wins[0] - with_all.wins[0]),
                reached.drawn_wins[0] - with_all.drawn_wins[0, :DESCRIBED],
            )
            yield FamilyCost(family, wins, self._auc(log_odds) - whole)

    def _auc(self, log_odds: Floats) -> float:
        return auc(group_by_score(log_odds, to_probabilities(log_odds), self._ground.later.label))

    def hold_duels(self, smallest_gain: float) -> tuple[Pair, ...]:
        """Hold every contender against every other."""
        sides = {
            entrant.contender.key: Side(
                entrant,
                self.reached[entrant.contender.key],
                self._measured[entrant.contender.key],
                self._rates[entrant.contender.key],
            )
            for entrant in self._ground.entrants
        }
        later, signals = self._ground.later, self._find_signals()
        gains = [measure_gain(later, self.reached[a], self.reached[b]) for a, b in self.pairs]
        together = holm([gain.p for gain in gains])
        return tuple(
            compare_pair(
                self._ground, sides[one], sides[other], gain, p,
                len(self.pairs), smallest_gain, signals,
            )
            for (one, other), gain, p in zip(self.pairs, gains, together, strict=True)
        )  # fmt: skip

    def _find_signals(self) -> dict[str, Signal]:
        found: dict[str, Signal] = {}
        for entrant in self._ground.entrants:
            catalog = Catalog.model_validate(entrant.contender.scorecard.definitions)
            found |= {signal.column: signal for signal in catalog.signals}
        return found

    def list_called(self) -> Iterator[tuple[str, str, Floats, Floats]]:
        """Yield for every duel both names, and how much of each snapshot each calls."""
        for one, other in self.pairs:
            yield one, other, self.reached[one].called, self.reached[other].called


def list_families(scorecard: Scorecard) -> list[str]:
    """Return the families that a scorecard has terms of, in its order."""
    return list(dict.fromkeys(term.family for term in scorecard.terms))


def drop_family(scorecard: Scorecard, contributions: Floats, family: str) -> Floats:
    """Return the log-odds of n snapshots, each worth the average in what a family says.

    Parameters
    ----------
    scorecard : Scorecard
    contributions : float array of shape (n, terms + caps)
        Of ``FrameScores``.
    family : str

    Returns
    -------
    float array of shape (n,)
        Caps are applied anew.
    """
    terms = contributions[:, : len(scorecard.terms)].copy()
    for place, term in enumerate(scorecard.terms):
        if term.family == family:
            terms[:, place] = terms[:, place].mean()
    log_odds: Floats = scorecard.base + terms.sum(axis=1)
    for name, cap in scorecard.caps.items():
        members = [place for place, term in enumerate(scorecard.terms) if term.group == name]
        partial = terms[:, members].sum(axis=1)
        log_odds += np.clip(partial, cap.low, cap.high) - partial
    return log_odds
