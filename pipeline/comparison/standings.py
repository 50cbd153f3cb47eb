"""All contenders on the same leads: their calls, their measures, and each pair."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from leadscore.models.score_frame import to_probabilities
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.comparison.breakdowns import find_periods, group_snapshots, stack_masks
from leadscore.pipeline.comparison.call_simulator import (
    CallOutcome,
    CallSimulator,
    Week,
    draw_curve,
    simulate_calls,
)
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet, ScoredContender
from leadscore.pipeline.comparison.measures import MEASURED, measure_contender
from leadscore.pipeline.comparison.pairs import Side, compare_pair, find_rates, measure_gain
from leadscore.pipeline.comparison.records import ContenderResult, FamilyCost, Pair
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.metrics import Estimate, auc, group_by_score
from leadscore.pipeline.evaluation.multiple_testing import holm
from leadscore.pipeline.evaluation.resampling import percentile
from leadscore.pipeline.signals.catalog import Catalog, Signal

Floats = npt.NDArray[np.float64]
_CURVE = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0)
"""The curve of wins against calls goes through these multiples of the capacity."""
FEWEST_DRAWS = 1000
"""With fewer draws no p-value would be small enough where many pairs are tested."""

DESCRIBED = 300
"""So many draws do for intervals that only describe, those of ranking, calibration and families."""


def count_draws(bootstrap_draws: int) -> int:
    """Return the number of draws of leads."""
    return max(bootstrap_draws, FEWEST_DRAWS)


class Standings:
    """The contenders and the leads they call.

    `capacity` is in calls a week. `groupings` says how the leads are grouped, `pairs` has the keys
    of all pairs, and `reached` the calls and wins by contender. `calls` are the capacities of the
    curves, and `by_chance` the wins that calls at random reach with them.
    """

    def __init__(
        self,
        project: Project,
        evaluation_set: EvaluationSet,
        weeks: tuple[Week, ...],
        capacity: float,
    ) -> None:
        self._evaluation_set, self._weeks, self._capacity = evaluation_set, weeks, capacity
        self._draws, self._seed = (
            count_draws(project.training.bootstrap_draws),
            project.training.seed,
        )
        self.groupings = group_snapshots(project, evaluation_set)
        log_odds = {e.contender.key: e.scores.log_odds for e in evaluation_set.contenders}
        chance = np.zeros(len(evaluation_set.later))
        self._callers = {key: self._caller(scores) for key, scores in log_odds.items()}
        self._by_chance = self._caller(chance)
        found = self._reach(
            [*self._callers.values(), self._by_chance],
            stack_masks(self.groupings, len(evaluation_set.later)),
            self._draws,
        )
        self.reached = dict(zip(log_odds, found, strict=False))
        self._rates = {key: find_rates(one, found[-1]) for key, one in self.reached.items()}
        self.pairs = list(combinations(log_odds, 2))
        self.calls = tuple(share * capacity for share in _CURVE)
        self.calls = self.calls[: self._find_end()]
        self.by_chance = self._curve(self._by_chance)
        later = evaluation_set.later
        period = find_periods(evaluation_set, weeks)
        self._measured = {
            e.contender.key: measure_contender(
                e.scores.log_odds, e.equal, later.label, later.lead, period, DESCRIBED, self._seed,
            )
            for e in evaluation_set.contenders
        }  # fmt: skip

    def _caller(self, log_odds: Floats) -> CallSimulator:
        return CallSimulator(self._weeks, log_odds, self._evaluation_set.later.lead)

    def _reach(
        self, callers: list[CallSimulator], groups: Floats, bootstrap_draws: int
    ) -> list[CallOutcome]:
        label, leads = self._evaluation_set.later.label, self._evaluation_set.leads
        return simulate_calls(
            callers, self._capacity, label, leads, groups, bootstrap_draws, self._seed
        )

    def _find_end(self) -> int:
        """Return how many of the calls are worth drawing: further ones reach no more leads."""
        reached = self._curve(self._by_chance)
        most = next(place for place, wins in enumerate(reached) if wins >= 0.98 * reached[-1])
        return max(most, _CURVE.index(1.0)) + 1

    def _curve(self, caller: CallSimulator) -> tuple[float, ...]:
        return tuple(draw_curve(caller, self._evaluation_set.later.label, list(self.calls)))

    def summarize(self, scored: ScoredContender) -> ContenderResult:
        """Return how one contender did."""
        contender = scored.contender
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
            title=contender.title,
            kind=contender.scorecard.kind,
            model=contender.version.name,
            version=contender.version.version,
            aliases=contender.version.aliases,
            fingerprint=contender.scorecard.fingerprint,
            metrics=metrics,
            slope=measured.slope,
            equal=(scored.equal.factor, scored.equal.shift),
            curve=self._curve(self._callers[contender.key]),
            families=tuple(self._list_costs(scored)),
        )

    def _count(self, key: str) -> dict[str, Estimate]:
        reached = self.reached[key]
        return {
            "wins_at_capacity": percentile(float(reached.wins[0]), reached.drawn_wins[0]),
            "calls": percentile(float(reached.calls[0]), reached.drawn_calls[0]),
            **{name: percentile(*rate) for name, rate in self._rates[key].items()},
        }

    def _list_costs(self, scored: ScoredContender) -> Iterator[FamilyCost]:
        """Yield what each family is worth to a contender."""
        scorecard, label = scored.contender.scorecard, self._evaluation_set.later.label
        with_all = self.reached[scored.contender.key]
        families = list_families(scorecard)
        without = [
            drop_family(scorecard, scored.scores.contributions, family) for family in families
        ]
        everybody = np.ones((1, len(label)))
        callers = [self._caller(log_odds) for log_odds in without]
        found = self._reach(callers, everybody, DESCRIBED)
        whole = self._auc(scored.scores.log_odds)
        for family, log_odds, reached in zip(families, without, found, strict=True):
            wins = percentile(
                float(reached.wins[0] - with_all.wins[0]),
                reached.drawn_wins[0] - with_all.drawn_wins[0, :DESCRIBED],
            )
            yield FamilyCost(family, wins, self._auc(log_odds) - whole)

    def _auc(self, log_odds: Floats) -> float:
        return auc(
            group_by_score(log_odds, to_probabilities(log_odds), self._evaluation_set.later.label)
        )

    def compare_pairs(self, smallest_gain: float) -> tuple[Pair, ...]:
        """Compare every contender with every other."""
        sides = {
            scored.contender.key: Side(
                scored,
                self.reached[scored.contender.key],
                self._measured[scored.contender.key],
                self._rates[scored.contender.key],
            )
            for scored in self._evaluation_set.contenders
        }
        later, signals = self._evaluation_set.later, self._find_signals()
        gains = [measure_gain(later, self.reached[a], self.reached[b]) for a, b in self.pairs]
        together = holm([gain.p for gain in gains])
        return tuple(
            compare_pair(
                self._evaluation_set, sides[one], sides[other], gain, p,
                len(self.pairs), smallest_gain, signals,
            )
            for (one, other), gain, p in zip(self.pairs, gains, together, strict=True)
        )  # fmt: skip

    def _find_signals(self) -> dict[str, Signal]:
        found: dict[str, Signal] = {}
        for scored in self._evaluation_set.contenders:
            catalog = Catalog.model_validate(scored.contender.scorecard.definitions)
            found |= {signal.column: signal for signal in catalog.signals}
        return found

    def list_called(self) -> Iterator[tuple[str, str, Floats, Floats]]:
        """Yield for every pair both names, and how much of each snapshot each calls."""
        for one, other in self.pairs:
            yield one, other, self.reached[one].called, self.reached[other].called


def list_families(scorecard: Scorecard) -> list[str]:
    """Return the families that a scorecard has terms of, in its order."""
    return list(dict.fromkeys(term.family for term in scorecard.terms))


def drop_family(scorecard: Scorecard, contributions: Floats, family: str) -> Floats:
    """Return the log-odds (n,) of n snapshots, with a family's terms at their averages.

    `contributions` are those of ``FrameScores``, (n, terms + caps). Caps are applied anew.
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
