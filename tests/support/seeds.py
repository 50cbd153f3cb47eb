"""Which of the seeds of a long proof are drawn today, and how much chance may do."""

import os
import random
import time

from scipy.stats import binom

FULL = os.environ.get("LEADSCORE_FULL") == "1"
"""Whether every seed is drawn, as ``make proof-full`` does."""
DAY = int(os.environ.get("LEADSCORE_SEED") or time.time() // 86_400)
"""Chooses the seeds of the day; days since 1970 unless LEADSCORE_SEED is set."""


def seeds_of_the_day(count: int, few: int) -> list[int]:
    """Return `few` of the seeds 0 to ``count - 1``, others each day; all of them in a full run."""
    return list(range(count)) if FULL else sorted(random.Random(DAY).sample(range(count), few))


def most_by_chance(count: int, share: float = 0.05, chance: float = 1e-4) -> int:
    """Return the number of false alarms among `count` that chance exceeds once in ``1 / chance``.

    `share` is how often one of them may give a false alarm.
    """
    return int(binom.isf(chance, count, share))


def describe_seeds() -> str:
    """Return the line that the head of a test run shows."""
    if FULL:
        return "seeds of the proofs: all"
    return f"seeds of the proofs: day {DAY} (again with LEADSCORE_SEED={DAY})"
