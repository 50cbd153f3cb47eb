"""How many wins there are, and how exact figures from that number of wins can be."""

from math import ceil, sqrt

import numpy as np

from leadscore.pipeline.audit.columns.statistics import half_width
from leadscore.pipeline.audit.records import Finding, SampleSize
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import Split, split_dataset
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.evaluation.close_rates import count_leads
from leadscore.pipeline.values.times import DAY_US, format_time

_Z = 1.96
_AUC, _LIFT, _TENTH = 0.75, 2.0, 0.1
WIDE = 0.05
"""An interval of the AUC that is wider than this to either side tells few models apart."""
_MONTH_DAYS = 365.25 / 12.0
_FARTHEST_DAYS = 3650.0


def measure_sample_size(project: Project, dataset: Dataset) -> SampleSize:
    """Measure how exact figures are, by the wins of the later part, or by all without one.

    Leads count, not snapshots; a lead is won if any of its snapshots is. Without a win the half
    width of the AUC is .5 and that of the lift 10, which are the largest.

    Notes
    -----
    The AUC is taken to be .75; see `half_width`. With a lift of 2 the best tenth has a binomial
    share of two tenths of the m wins, and the lift is ten times that share: ``sqrt(0.2 * 0.8 / m) /
    0.1``. Half widths are 1.96 times the standard error.
    """
    try:
        split = _split(project, dataset)
    except DataError:
        split = None
    part = dataset if split is None else split.later
    wins = count_leads(part, part.label == 1)
    others = len(np.unique(part.lead)) - wins
    auc, lift = 0.5, 1.0 / _TENTH
    if wins and others:
        auc = min(auc, half_width(_AUC, wins, others))
    if wins:
        share = _LIFT * _TENTH
        lift = min(lift, _Z * sqrt(share * (1.0 - share) / wins) / _TENTH)
    return SampleSize(wins, auc, lift)


def judge_sample_size(project: Project, dataset: Dataset, strength: SampleSize) -> list[Finding]:
    """Find whether there are enough wins to learn from and to judge by.

    It is a problem if fewer leads than ``min_wins`` won in the earlier part (in all, without
    order), if the data cannot be split, or if a part has only wins or none. It is a warning if the
    AUC would be known to more than .05 only.
    """
    try:
        split = _split(project, dataset)
    except DataError as error:
        return [Finding("problem", "wins", str(error), "change split in training.yaml")]
    parts, where = {"all data": dataset}, ""
    if split is not None:
        parts = {"the earlier part": split.earlier, "the later part": split.later}
        where = " in the earlier part"
    todo = "look at split in training.yaml, and at won and lost of outcomes in data.yaml"
    found = [
        Finding("problem", "wins", f"of {len(part):,} snapshots in {name}, {won:,} are won; both "
                "won and not won are needed", todo)
        for name, part in parts.items()
        if not 0 < (won := int(part.label.sum())) < len(part)
    ]  # fmt: skip
    earlier, needed = next(iter(parts.values())), project.training.min_wins
    wins = count_leads(earlier, earlier.label == 1)
    if wins < needed:
        text = (
            f"{wins:,} leads won{where}, and at least {needed:,} are needed to learn from "
            "(min_wins in training.yaml)"
        )
        found.append(Finding("problem", "wins", text, _wait(project, dataset, needed - wins)))
    if found:
        return found
    text = (
        f"{strength.wins:,} won leads to judge by: an AUC of 0.75 would be known to "
        f"±{strength.auc:.3f}, a lift of 2 at the best tenth to ±{strength.lift:.2f}"
    )
    if strength.auc <= WIDE:
        return [Finding("note", "wins", text)]
    todo = "take differences between models that are smaller than this for chance; judge anew later"
    return [Finding("warning", "wins", text, todo)]


def _split(project: Project, dataset: Dataset) -> Split | None:
    return None if dataset.order == "none" else split_dataset(dataset, project.training.split)


def _wait(project: Project, dataset: Dataset, missing: int) -> str:
    """Say when the missing wins of the earlier part will be there, if they come as they did."""
    todo = "gather more wins, or lengthen the history"
    wins, begin = count_leads(dataset, dataset.label == 1), dataset.begin
    days = float(begin.max() - begin.min()) / DAY_US if dataset.order == "time" else 0.0
    later, cut = project.training.split.later, project.training.split.cut
    if not wins or days <= 0.0:
        return todo
    pace = wins / days
    share = 1.0 - later if later is not None and later < 1.0 else 1.0
    wait_days = missing / pace / share
    if wait_days > _FARTHEST_DAYS:
        return f"{todo}; at the present pace that takes more than ten years"
    last = int(float(dataset.matured.max()))
    when = format_time(last + ceil(wait_days) * DAY_US)[:7]
    moved = ", with split.cut moved on" if cut is not None else ""
    return (
        f"{todo}; at the present pace, {pace * _MONTH_DAYS:,.1f} won leads a month, they will be "
        f"there around {when}{moved}"
    )
