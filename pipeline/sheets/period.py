"""Which leads a sheet was learned from, or held against, in words and numbers."""

from dataclasses import dataclass

import numpy as np

from pipeline.dataset import Split
from pipeline.values import format_time


@dataclass(frozen=True)
class Period:
    """The earlier part of the history: which it is, at how many ages leads are seen, and counts."""

    words: str
    ages: int
    leads: int
    snapshots: int
    wins: int
    overall: float


def name_period(split: Split) -> Period:
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
    return Period(words, ages, leads, len(part), int(part.label.sum()), float(part.label.mean()))
