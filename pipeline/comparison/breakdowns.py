"""The later leads in groups: by month, by channel, by segment; silent on groups that are small."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.comparison.call_simulator import CallOutcome, Week
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet
from leadscore.pipeline.comparison.records import Breakdown, Slice
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.close_rates import (
    MIN_GROUP_LEADS,
    MISSING,
    MOST_LEVELS,
    choose_breakdowns,
    count_leads,
    leads_by_level,
)
from leadscore.pipeline.evaluation.evaluate import PERIODS, name_moment, part_by_period
from leadscore.pipeline.evaluation.resampling import percentile
from leadscore.pipeline.signals.catalog import describe_signal

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LeadGrouping:
    """One way to group n snapshots: the names of its groups, their masks, and how many it hides."""

    column: str
    description: str
    groups: tuple[tuple[str, Mask], ...]
    hidden: int


def find_periods(evaluation_set: EvaluationSet, weeks: tuple[Week, ...]) -> npt.NDArray[np.intp]:
    """Return the number of each later snapshot's month of creation, or of its stretch, (n,)."""
    by_month = evaluation_set.later.order == "time"
    parts = part_by_period(evaluation_set.later) if by_month else [week.rows for week in weeks]
    period = np.zeros(len(evaluation_set.later), np.intp)
    for number, rows in enumerate(parts):
        period[rows] = number
    return period


def group_snapshots(project: Project, evaluation_set: EvaluationSet) -> list[LeadGrouping]:
    """Return how the later snapshots are grouped: by time, and by signals as the report does."""
    later, groups = evaluation_set.later, []
    for number, rows in enumerate(part_by_period(later), start=1):
        mask = np.zeros(len(later), np.bool_)
        mask[rows] = True
        begins = name_moment(later.begin[rows[0]], later.order)
        groups.append((begins[:7] if later.order == "time" else f"{number} of {PERIODS}", mask))
    column, description = (
        ("month", "the month in which the lead was created")
        if later.order == "time"
        else ("stretch", "stretches of equal count, in order of arrival")
    )
    groupings = [_keep_large(column, description, groups, later)]
    declared = {signal.column: signal for signal in project.catalog.signals}
    for column in choose_breakdowns(project):
        frame = next((e.signals for e in evaluation_set.contenders if column in e.signals), None)
        if frame is None:
            continue
        values = frame[column]
        leads = leads_by_level(values, later.lead)
        ranked = sorted(leads, key=lambda level: (-leads[level], level))
        groups = [(level, (values == level).to_numpy(dtype=bool)) for level in ranked]
        groups.append((MISSING, values.isna().to_numpy()))
        groupings.append(_keep_large(column, describe_signal(declared[column]), groups, later))
    return groupings


def _keep_large(
    column: str, description: str, groups: list[tuple[str, Mask]], later: Dataset
) -> LeadGrouping:
    some = [(name, mask) for name, mask in groups if mask.any()]
    large = [group for group in some if count_leads(later, group[1]) >= MIN_GROUP_LEADS]
    shown = tuple(large[:MOST_LEVELS])
    return LeadGrouping(column, description, shown, len(some) - len(shown))


def break_down(
    groupings: list[LeadGrouping],
    evaluation_set: EvaluationSet,
    reached: dict[str, CallOutcome],
    pairs: list[tuple[str, str]],
) -> tuple[Breakdown, ...]:
    """Return what each contender reached in every group.

    `reached` has the outcome of each contender over everybody, and then over these groups.
    """
    later, place, found = evaluation_set.later, 0, []
    for grouping in groupings:
        slices = []
        for name, mask in grouping.groups:
            place += 1
            gains = tuple(
                percentile(
                    float(reached[one].wins[place] - reached[other].wins[place]),
                    reached[one].drawn_wins[place] - reached[other].drawn_wins[place],
                )
                for one, other in pairs
            )
            leads, wins = (count_leads(later, rows) for rows in (mask, mask & (later.label == 1)))
            wins_by_contender = {key: float(one.wins[place]) for key, one in reached.items()}
            slices.append(Slice(name, leads, wins, wins_by_contender, gains))
        column, description = grouping.column, grouping.description
        found.append(Breakdown(column, description, tuple(slices), grouping.hidden))
    return tuple(found)
