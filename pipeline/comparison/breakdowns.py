"""The later leads in groups: by month, by channel, by segment; silent on groups that are small."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.comparison.calls import Week
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet
from leadscore.pipeline.comparison.records import Breakdown, Slice
from leadscore.pipeline.comparison.wins_at_capacity import CallOutcome
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.evaluate import PERIODS, name_moment, part_by_period
from leadscore.pipeline.evaluation.groups import (
    MIN_GROUP_LEADS,
    MISSING,
    MOST_LEVELS,
    choose_breakdowns,
    leads_by_level,
)
from leadscore.pipeline.evaluation.resampling import percentile
from leadscore.pipeline.signals.descriptions import describe_signal

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Grouping:
    """One way to group n snapshots: the names of its groups, their masks, and how many it hides."""

    column: str
    says: str
    groups: tuple[tuple[str, Mask], ...]
    hidden: int


def find_periods(ground: EvaluationSet, weeks: tuple[Week, ...]) -> npt.NDArray[np.intp]:
    """Return the number of each later snapshot's month of creation, or of its stretch, (n,)."""
    by_month = ground.later.order == "time"
    parts = part_by_period(ground.later) if by_month else [week.rows for week in weeks]
    period = np.zeros(len(ground.later), np.intp)
    for number, rows in enumerate(parts):
        period[rows] = number
    return period


def group_snapshots(project: Project, ground: EvaluationSet) -> tuple[Grouping, ...]:
    """Return how the later snapshots are grouped: by time, and as the report does."""
    return (_cut_by_time(ground), *_cut_by_signals(project, ground))


def _cut_by_time(ground: EvaluationSet) -> Grouping:
    later, groups = ground.later, []
    for number, rows in enumerate(part_by_period(later), start=1):
        mask = np.zeros(len(later), np.bool_)
        mask[rows] = True
        dated = later.order == "time"
        begins = name_moment(later.begin[rows[0]], later.order)
        groups.append((begins[:7] if dated else f"{number} of {PERIODS}", mask))
    what = "month" if later.order == "time" else "stretch"
    says = (
        "the month in which the lead was created" if what == "month"
        else "stretches of equal count, in order of arrival"
    )  # fmt: skip
    return _keep_large(what, says, groups, ground)


def _cut_by_signals(project: Project, ground: EvaluationSet) -> list[Grouping]:
    declared = {signal.column: signal for signal in project.catalog.signals}
    cuts = []
    for column in choose_breakdowns(project):
        frame = next((e.signals for e in ground.entrants if column in e.signals), None)
        if frame is None:
            continue
        values = frame[column]
        leads = leads_by_level(values, ground.later.lead)
        ranked = sorted(leads, key=lambda level: (-leads[level], level))
        groups = [(level, (values == level).to_numpy(dtype=bool)) for level in ranked]
        groups.append((MISSING, values.isna().to_numpy()))
        cuts.append(_keep_large(column, describe_signal(declared[column]), groups, ground))
    return cuts


def _keep_large(
    column: str, says: str, groups: list[tuple[str, Mask]], ground: EvaluationSet
) -> Grouping:
    lead = ground.later.lead
    some = [(name, mask) for name, mask in groups if mask.any()]
    large = [(name, mask) for name, mask in some if len(np.unique(lead[mask])) >= MIN_GROUP_LEADS]
    shown = tuple(large[:MOST_LEVELS])
    return Grouping(column, says, shown, len(some) - len(shown))


def stack_masks(cuts: tuple[Grouping, ...], snapshots: int) -> npt.NDArray[np.float64]:
    """Return the groups of all cuts one below the other, (1 + g, n); the first row is everybody."""
    rows = [np.ones(snapshots), *(mask for cut in cuts for _, mask in cut.groups)]
    return np.array(rows, dtype=np.float64)


def break_down(
    cuts: tuple[Grouping, ...],
    ground: EvaluationSet,
    reached: dict[str, CallOutcome],
    pairs: list[tuple[str, str]],
) -> tuple[Breakdown, ...]:
    """Return what each contender reached in every group.

    Parameters
    ----------
    cuts : tuple of Grouping
    ground : EvaluationSet
    reached : dict of str to CallOutcome
        By contender, over the groups of ``stack_masks``.
    pairs : list of (str, str)
        The duels.
    """  # fmt: skip
    later, place, found = ground.later, 0, []
    for cut in cuts:
        slices = []
        for name, mask in cut.groups:
            place += 1
            gains = tuple(
                percentile(
                    float(reached[one].wins[place] - reached[other].wins[place]),
                    reached[one].drawn_wins[place] - reached[other].drawn_wins[place],
                )
                for one, other in pairs
            )
            slices.append(
                Slice(
                    name,
                    len(np.unique(later.lead[mask])),
                    len(np.unique(later.lead[mask & (later.label == 1)])),
                    {key: float(one.wins[place]) for key, one in reached.items()},
                    gains,
                )
            )
        found.append(Breakdown(cut.column, cut.says, tuple(slices), cut.hidden))
    return tuple(found)
