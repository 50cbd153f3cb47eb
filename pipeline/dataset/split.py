"""The split by time: an earlier part to learn from, a later part to evaluate on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.config.training import SplitConfig
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.values.times import format_time, read_moment


@dataclass(frozen=True)
class Split:
    """The earlier and the later part, the cut between them, and how many belong to neither."""

    earlier: Dataset
    later: Dataset
    cut: float
    neither: int


def split_dataset(dataset: Dataset, config: SplitConfig) -> Split:
    """Split into leads known earlier and leads created later.

    Earlier are the snapshots of leads created before the cut whose label was known by then; later
    those of leads created from the cut on; the rest belongs to neither. With arrival numbers,
    `gap` leads before the cut belong to neither.

    Raises DataError if either part would be empty.
    """
    cut, first_of_gap = _find_cut(dataset, config)
    later = dataset.begin >= cut
    earlier = earlier_than(dataset, cut) & (dataset.begin < first_of_gap)
    if not later.any() or not earlier.any():
        raise DataError(
            f"the split leaves {earlier.sum()} snapshots earlier and {later.sum()} "
            "later; move split.cut or change split.later in training.yaml"
        )
    neither = int((~later & ~earlier).sum())
    return Split(dataset.rows(earlier), dataset.rows(later), cut, neither)


def describe_cut(split: Split) -> str | None:
    """Return where the later part begins: a moment, an arrival number, or None without order."""
    if split.earlier.order == "none":
        return None
    return format_time(int(split.cut)) if split.earlier.order == "time" else f"{split.cut:.15g}"


def earlier_than(dataset: Dataset, cut: float) -> npt.NDArray[np.bool_]:
    """Mark the snapshots whose lead was created before `cut` and whose label was known by it.

    Arrival numbers have no clock of outcomes, so there only the creation counts.
    """
    known = dataset.matured <= cut
    return (dataset.begin < cut) & known


def _find_cut(dataset: Dataset, config: SplitConfig) -> tuple[float, float]:
    if config.cut is not None:
        return float(read_moment(config.cut)), np.inf
    begins = np.sort(dataset.begin[np.unique(dataset.lead, return_index=True)[1]])
    later = config.later or 0.0
    count = round(later * len(begins)) if later < 1.0 else int(later)
    if not 0 < count < len(begins) - config.gap:
        raise DataError(
            f"split.later asks for {count} of {len(begins)} leads, and a gap of "
            f"{config.gap}; nothing would be left to learn from"
        )
    cut = begins[len(begins) - count]
    first_later = int(np.searchsorted(begins, cut))
    return float(cut), float(begins[max(0, first_later - config.gap)])


def split_history(config: SplitConfig, dataset: Dataset) -> Split:
    """Return the earlier and the later part; without any order both are all of it.

    Raises DataError if either part would be empty.
    """
    if dataset.order == "none":
        return Split(dataset, dataset, float("nan"), 0)
    return split_dataset(dataset, config)


@dataclass(frozen=True)
class EarlierPeriod:
    """The earlier part of the history: which it is, at how many ages leads are seen, and counts."""

    words: str
    ages: int
    leads: int
    snapshots: int
    wins: int
    overall: float


def describe_earlier(split: Split) -> EarlierPeriod:
    """Describe the earlier part of a split."""
    part = split.earlier
    if part.order == "time":
        first = format_time(int(part.begin.min()))[:10]
        words = f"leads created from {first} on and known before {format_time(int(split.cut))[:10]}"
    elif part.order == "arrival":
        words = f"leads {part.begin.min():.15g} to {part.begin.max():.15g} by order of arrival"
    else:
        words = "all leads, since they have no order in time"
    leads = len(np.unique(part.lead))
    ages = len(np.unique(part.age_days))
    return EarlierPeriod(
        words, ages, leads, len(part), int(part.label.sum()), float(part.label.mean())
    )
