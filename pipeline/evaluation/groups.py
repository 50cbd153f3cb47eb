"""Counts of groups of leads: their close rate with its interval, and silence on small groups."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.close_rates import share_interval

MIN_GROUP_LEADS = 30
"""Of groups with fewer leads nothing is told: a rate would be noise, and might be a person's."""

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Some leads of the judged part.

    `rate` is the share of snapshots that won, `low` and `high` its 95 % interval, which counts each
    lead once, however many snapshots it has. In a group of fewer than
    ``MIN_GROUP_LEADS`` leads all of that and the counts are None.
    """

    name: str
    leads: int | None
    snapshots: int | None
    wins: int | None
    rate: float | None
    low: float | None
    high: float | None
    mean_prob: float | None

    @property
    def is_few(self) -> bool:
        """Whether the group is too small to be told of."""
        return self.leads is None


def make_group(name: str, leads: int, snapshots: int, wins: int, mean_prob: float) -> Group:
    """Return a group of known counts, silent if it is small."""
    if leads < MIN_GROUP_LEADS:
        return Group(name, None, None, None, None, None, None, None)
    rate = wins / snapshots
    low, high = share_interval(np.array([rate]), np.array([float(leads)]))
    return Group(name, leads, snapshots, wins, rate, float(low[0]), float(high[0]), mean_prob)


def count_group(name: str, dataset: Dataset, probability: Floats, rows: Mask) -> Group:
    """Count the marked rows of a dataset of n snapshots; `probability` and `rows` are (n,)."""
    if not rows.any():
        return make_group(name, 0, 0, 0, 0.0)
    return make_group(
        name,
        count_leads(dataset, rows),
        int(rows.sum()),
        int(dataset.label[rows].sum()),
        float(probability[rows].mean()),
    )


def count_leads(dataset: Dataset, rows: Mask | npt.NDArray[np.intp]) -> int:
    """Return how many leads some rows of a dataset belong to."""
    return len(np.unique(dataset.lead[rows]))


MISSING = "(missing)"
MOST_LEVELS = 15


def choose_breakdowns(project: Project) -> tuple[str, ...]:
    """Return the columns to group by: those that training.yaml names under ``report.group_by``.

    Without that, the first two category signals of the families web and firmographic. What is in
    quarantine was not learned from and is left out.
    """
    signals = {signal.column: signal for signal in project.catalog.signals if signal.is_category}
    chosen = project.training.report.group_by
    if chosen is None:
        ranked = sorted(signals, key=lambda column: signals[column].declaration.family != "web")
        chosen = tuple(
            column for column in ranked
            if signals[column].declaration.family in ("web", "firmographic")
        )[:2]  # fmt: skip
    return tuple(column for column in chosen if column in signals)


def leads_by_level(values: "pd.Series[str]", lead: npt.NDArray[np.intp]) -> dict[str, int]:
    """Count the distinct leads that have each level; n values, the lead's number of each (n,)."""
    pairs = pd.DataFrame({"level": values.to_numpy(dtype=object), "lead": lead}).dropna()
    counted = pairs.groupby("level", sort=True)["lead"].nunique()
    return {str(level): int(count) for level, count in counted.items()}
