"""Compare registered scorecards on the leads that are new to all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from leadscore.models.score_frame import to_probabilities
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.comparison.breakdowns import break_down, find_periods, group_snapshots
from leadscore.pipeline.comparison.call_simulator import (
    CallOutcome,
    CallSimulator,
    Week,
    find_capacity,
    list_weeks,
    simulate_calls,
)
from leadscore.pipeline.comparison.evaluation_set import (
    Contender,
    EvaluationSet,
    ScoredContender,
    prepare_evaluation_set,
)
from leadscore.pipeline.comparison.experiment import plan_experiment
from leadscore.pipeline.comparison.measures import DESCRIBED, MEASURED, measure_contender
from leadscore.pipeline.comparison.pairs import (
    Side,
    compare_pair,
    find_rates,
    measure_gain,
    write_swaps,
)
from leadscore.pipeline.comparison.records import Comparison, ContenderResult, FamilyCost, Pair
from leadscore.pipeline.comparison.verdict import list_caveats, list_remarks, write_verdict
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.evaluate import BASIS, name_moment
from leadscore.pipeline.evaluation.metrics import auc, group_by_score
from leadscore.pipeline.evaluation.multiple_testing import holm
from leadscore.pipeline.evaluation.resampling import percentile
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.signals.catalog import Catalog, Signal

Floats = npt.NDArray[np.float64]
_CURVE = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0)
"""The curve of wins against calls goes through these multiples of the capacity."""
FEWEST_DRAWS = 1000
"""With fewer draws no p-value would be small enough where many pairs are tested."""


@dataclass(frozen=True)
class Question:
    """What the user wants to know.

    `calls` a week, or `share` of the leads that arrive, is the capacity; `gain` the smallest
    relative gain worth finding; `swaps` a file for the leads that swap.
    """

    calls: float | None = None
    share: float | None = None
    gain: float = 0.2
    swaps: Path | None = None


def compare(
    project: Project,
    contenders: Sequence[Contender],
    question: Question,
    progress: Progress = silent,
) -> Comparison:
    """Compare scorecards, two or more, at the calls that the team can make.

    The measure is fixed in advance: the wins reached by the calls. The verdict uses only this
    measure, corrected for all pairs. Everything else explains it. Raises RefusalError if the
    contenders cannot be compared fairly: other horizons, no order in time, no wins. Raises
    DataError if the data do not match the configuration. Raises ConfigError if a number given makes
    no sense.
    """
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        return _compare(project, contenders, question, progress)


def _compare(
    project: Project, contenders: Sequence[Contender], question: Question, progress: Progress
) -> Comparison:
    evaluation_set = prepare_evaluation_set(project, contenders, progress)
    later, weeks = evaluation_set.later, list_weeks(evaluation_set.later)
    training, dated = project.training, later.order == "time"
    capacity = find_capacity(
        training.comparison.calls_per_week, later, weeks, question.calls, question.share
    )
    progress("calling")
    table = _Standings(project, evaluation_set, weeks, capacity.calls)
    standings = tuple(table.summarize(scored) for scored in evaluation_set.contenders)
    progress("testing the differences")
    pairs = table.compare_pairs(question.gain)
    if question.swaps is not None:
        called = [(a, b, table.reached[a].called, table.reached[b].called) for a, b in table.pairs]
        write_swaps(question.swaps, evaluation_set, called)
    wins = int(evaluation_set.won.sum())
    best, second = sorted(standings, key=lambda s: -s.metrics["wins_at_capacity"].value)[:2]
    return Comparison(
        project=project.name,
        basis=BASIS[later.order],
        begins=name_moment(evaluation_set.cut, later.order),
        snapshots=len(later),
        leads=evaluation_set.leads,
        wins=wins,
        horizon_days=training.horizon_days,
        capacity=capacity.calls,
        capacity_text=capacity.text,
        capacity_assumed=capacity.assumed,
        weeks=len(weeks),
        weeks_text=f"{len(weeks):,} {'weeks' if dated else 'stretches'}",
        earlier_snapshots=evaluation_set.earlier_snapshots,
        bootstrap_draws=table.draws,
        verdict=write_verdict(standings, pairs, wins, capacity.text, question.gain),
        remarks=list_remarks(standings, pairs, wins),
        caveats=list_caveats(evaluation_set, standings, weeks, capacity, training.horizon_days),
        standings=standings,
        pairs=pairs,
        calls=table.calls,
        by_chance=table.by_chance,
        breakdowns=break_down(table.groupings, evaluation_set, table.reached, table.pairs),
        plan=plan_experiment(
            best, second, question.gain, capacity.calls if dated else None, training.horizon_days
        ),
    )


class _Standings:
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
        later = evaluation_set.later
        self._evaluation_set, self._weeks, self._capacity = evaluation_set, weeks, capacity
        self.draws = max(project.training.bootstrap_draws, FEWEST_DRAWS)
        self._seed = project.training.seed
        self.groupings = group_snapshots(project, evaluation_set)
        log_odds = {e.contender.key: e.scores.log_odds for e in evaluation_set.contenders}
        self._callers = {key: self._caller(scores) for key, scores in log_odds.items()}
        by_chance = self._caller(np.zeros(len(later)))
        masks = [mask for grouping in self.groupings for _, mask in grouping.groups]
        groups = np.array([np.ones(len(later)), *masks], dtype=np.float64)
        found = self._reach([*self._callers.values(), by_chance], groups, self.draws)
        self.reached = dict(zip(log_odds, found, strict=False))
        self.pairs = list(combinations(log_odds, 2))
        self.calls = tuple(share * capacity for share in _CURVE)
        wins = self._curve(by_chance)
        most = next(place for place, reached in enumerate(wins) if reached >= 0.98 * wins[-1])
        end = max(most, _CURVE.index(1.0)) + 1  # further calls reach no more leads
        self.calls, self.by_chance = self.calls[:end], wins[:end]
        period = find_periods(evaluation_set, weeks)
        self._sides = {}
        for e in evaluation_set.contenders:
            measured = measure_contender(
                e.scores.log_odds, e.equal, later.label, later.lead, period, DESCRIBED, self._seed
            )
            reached = self.reached[e.contender.key]
            self._sides[e.contender.key] = Side(
                e, reached, measured, find_rates(reached, found[-1])
            )

    def _caller(self, log_odds: Floats) -> CallSimulator:
        return CallSimulator(self._weeks, log_odds, self._evaluation_set.later.lead)

    def _reach(
        self, callers: list[CallSimulator], groups: Floats, bootstrap_draws: int
    ) -> list[CallOutcome]:
        label, leads = self._evaluation_set.later.label, self._evaluation_set.leads
        return simulate_calls(
            callers, self._capacity, label, leads, groups, bootstrap_draws, self._seed
        )

    def _curve(self, caller: CallSimulator) -> tuple[float, ...]:
        label = self._evaluation_set.later.label
        return tuple(float(caller.call_once(calls) @ label) for calls in self.calls)

    def summarize(self, scored: ScoredContender) -> ContenderResult:
        """Return how one contender did."""
        contender = scored.contender
        _, reached, measured, rates = self._sides[contender.key]
        metrics = {
            "wins_at_capacity": percentile(float(reached.wins[0]), reached.drawn_wins[0]),
            "calls": percentile(float(reached.calls[0]), reached.drawn_calls[0]),
            **{name: percentile(*rate) for name, rate in rates.items()},
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

    def _list_costs(self, scored: ScoredContender) -> Iterator[FamilyCost]:
        """Yield what each family is worth to a contender."""
        scorecard, label = scored.contender.scorecard, self._evaluation_set.later.label
        with_all = self.reached[scored.contender.key]
        families = list_families(scorecard)
        contributions = scored.scores.contributions
        without = [drop_family(scorecard, contributions, family) for family in families]
        callers = [self._caller(log_odds) for log_odds in without]
        found = self._reach(callers, np.ones((1, len(label))), DESCRIBED)
        whole = self._auc(scored.scores.log_odds)
        for family, log_odds, reached in zip(families, without, found, strict=True):
            wins = percentile(
                float(reached.wins[0] - with_all.wins[0]),
                reached.drawn_wins[0] - with_all.drawn_wins[0, :DESCRIBED],
            )
            yield FamilyCost(family, wins, self._auc(log_odds) - whole)

    def _auc(self, log_odds: Floats) -> float:
        label = self._evaluation_set.later.label
        return auc(group_by_score(log_odds, to_probabilities(log_odds), label))

    def compare_pairs(self, smallest_gain: float) -> tuple[Pair, ...]:
        """Compare every contender with every other."""
        later = self._evaluation_set.later
        signals: dict[str, Signal] = {}
        for scored in self._evaluation_set.contenders:
            catalog = Catalog.model_validate(scored.contender.scorecard.definitions)
            signals |= {signal.column: signal for signal in catalog.signals}
        gains = [measure_gain(later, self.reached[a], self.reached[b]) for a, b in self.pairs]
        together = holm([gain.p for gain in gains])
        return tuple(
            compare_pair(
                self._evaluation_set, self._sides[one], self._sides[other], gain, p,
                len(self.pairs), smallest_gain, signals,
            )
            for (one, other), gain, p in zip(self.pairs, gains, together, strict=True)
        )  # fmt: skip


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
