"""Compare registered scorecards on the leads that are new to all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from leadscore.pipeline.comparison.breakdowns import break_down
from leadscore.pipeline.comparison.calls import find_capacity, list_weeks
from leadscore.pipeline.comparison.contenders import Contender
from leadscore.pipeline.comparison.evaluation_set import prepare_evaluation_set
from leadscore.pipeline.comparison.experiment import plan_experiment
from leadscore.pipeline.comparison.records import Comparison
from leadscore.pipeline.comparison.standings import Standings, count_resamples
from leadscore.pipeline.comparison.swaps import write_swaps
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

    The measure is fixed beforehand: wins reached by the calls. The verdict rests on it alone, with
    all pairs held against each other; everything else is there to be understood by.

    Parameters
    ----------
    project : Project
    contenders : sequence of Contender
        Two or more.
    question : Question
    progress : Progress

    Returns
    -------
    Comparison

    Raises
    ------
    RefusalError
        If the contenders cannot be compared fairly: other horizons, no order in time, no wins.
    DataError
        If the data is not what the configuration says.
    ConfigError
        If a number given is none that makes sense.
    """
    with threadpool_limits(limits=1):  # sums of floats then come out alike on any number of cores
        return _compare(project, contenders, question, progress)


def _compare(
    project: Project, contenders: Sequence[Contender], question: Question, progress: Progress
) -> Comparison:
    ground = prepare_evaluation_set(project, contenders, progress)
    later, weeks = ground.later, list_weeks(ground.later)
    capacity = find_capacity(project, later, weeks, question.calls, question.share)
    progress("calling")
    trial = Standings(project, ground, weeks, capacity.calls)
    standings = tuple(trial.stand(entrant) for entrant in ground.entrants)
    progress("weighing the differences")
    duels = trial.hold_duels(question.gain)
    if question.swaps is not None:
        write_swaps(question.swaps, ground, trial.list_called())
    wins = int(ground.won.sum())
    dated = later.order == "time"
    best, second = sorted(standings, key=lambda s: -s.metrics["wins_at_capacity"].value)[:2]
    return Comparison(
        project=project.name,
        basis=BASIS[later.order],
        begins=name_moment(ground.cut, later.order),
        snapshots=len(later),
        leads=ground.leads,
        wins=wins,
        horizon_days=project.training.horizon_days,
        capacity=capacity.calls,
        capacity_said=capacity.said,
        capacity_assumed=capacity.assumed,
        weeks=len(weeks),
        weeks_said=f"{len(weeks):,} {'weeks' if dated else 'stretches'}",
        earlier_snapshots=ground.earlier_snapshots,
        bootstrap_draws=count_resamples(project),
        told=write_verdict(standings, duels, wins, capacity.said, question.gain),
        beside=list_remarks(standings, duels, wins),
        caveats=(
            *list_caveats(ground, weeks, capacity, project.training.horizon_days),
            *ground.notes,
            describe_equal_treatment(standings, ground.earlier_snapshots),
        ),
        standings=standings,
        duels=duels,
        calls=trial.calls,
        by_chance=trial.by_chance,
        breakdowns=break_down(trial.cuts, ground, trial.reached, trial.pairs),
        plan=plan_experiment(
            best, second, question.gain, capacity.calls if dated else None,
            project.training.horizon_days,
        ),
    )  # fmt: skip
