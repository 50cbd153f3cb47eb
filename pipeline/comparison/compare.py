"""Compare registered scorecards on the leads that are new to all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from leadscore.pipeline.comparison.breakdowns import break_down
from leadscore.pipeline.comparison.call_simulator import find_capacity, list_weeks
from leadscore.pipeline.comparison.evaluation_set import Contender, prepare_evaluation_set
from leadscore.pipeline.comparison.experiment import plan_experiment
from leadscore.pipeline.comparison.pairs import write_swaps
from leadscore.pipeline.comparison.records import Comparison
from leadscore.pipeline.comparison.standings import Standings, count_draws
from leadscore.pipeline.comparison.verdict import (
    describe_equal_treatment,
    list_caveats,
    list_remarks,
    write_verdict,
)
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.evaluate import BASIS, name_moment
from leadscore.pipeline.progress import Progress, silent

SMALLEST_GAIN = 0.2


@dataclass(frozen=True)
class Question:
    """What the user wants to know.

    `calls` a week, or `share` of the leads that arrive, is the capacity; `gain` the smallest
    relative gain worth finding; `swaps` a file for the leads that swap.
    """

    calls: float | None = None
    share: float | None = None
    gain: float = SMALLEST_GAIN
    swaps: Path | None = None


def compare(
    project: Project,
    contenders: Sequence[Contender],
    question: Question,
    progress: Progress = silent,
) -> Comparison:
    """Compare scorecards at the calls that the team can make.

    The measure is fixed in advance: the wins reached by the calls. The verdict uses only this
    measure, corrected for all pairs. Everything else explains it. There are two contenders or more.
    Raises RefusalError if the contenders cannot be compared fairly: other horizons, no order in
    time, no wins. Raises DataError if the data do not match the configuration. Raises ConfigError
    if a number given is none that makes sense.
    """
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        return _compare(project, contenders, question, progress)


def _compare(
    project: Project, contenders: Sequence[Contender], question: Question, progress: Progress
) -> Comparison:
    evaluation_set = prepare_evaluation_set(project, contenders, progress)
    later, weeks = evaluation_set.later, list_weeks(evaluation_set.later)
    capacity = find_capacity(
        project.training.comparison.calls_per_week, later, weeks, question.calls, question.share
    )
    progress("calling")
    table = Standings(project, evaluation_set, weeks, capacity.calls)
    standings = tuple(table.summarize(scored) for scored in evaluation_set.contenders)
    progress("testing the differences")
    pairs = table.compare_pairs(question.gain)
    if question.swaps is not None:
        write_swaps(question.swaps, evaluation_set, table.list_called())
    wins = int(evaluation_set.won.sum())
    dated = later.order == "time"
    best, second = sorted(standings, key=lambda s: -s.metrics["wins_at_capacity"].value)[:2]
    return Comparison(
        project=project.name,
        basis=BASIS[later.order],
        begins=name_moment(evaluation_set.cut, later.order),
        snapshots=len(later),
        leads=evaluation_set.leads,
        wins=wins,
        horizon_days=project.training.horizon_days,
        capacity=capacity.calls,
        capacity_text=capacity.text,
        capacity_assumed=capacity.assumed,
        weeks=len(weeks),
        weeks_text=f"{len(weeks):,} {'weeks' if dated else 'stretches'}",
        earlier_snapshots=evaluation_set.earlier_snapshots,
        bootstrap_draws=count_draws(project.training.bootstrap_draws),
        verdict=write_verdict(standings, pairs, wins, capacity.text, question.gain),
        remarks=list_remarks(standings, pairs, wins),
        caveats=(
            *list_caveats(evaluation_set, weeks, capacity, project.training.horizon_days),
            *evaluation_set.notes,
            describe_equal_treatment(standings, evaluation_set.earlier_snapshots),
        ),
        standings=standings,
        pairs=pairs,
        calls=table.calls,
        by_chance=table.by_chance,
        breakdowns=break_down(table.groupings, evaluation_set, table.reached, table.pairs),
        plan=plan_experiment(
            best, second, question.gain, capacity.calls if dated else None,
            project.training.horizon_days,
        ),
    )  # fmt: skip
