"""Outcomes that were logged only for a part of the time would pass for losses: find that."""

from math import log1p

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from pipeline.dataset import Dataset, find_maturity
from pipeline.ingest import Ingested
from pipeline.settings import Project
from pipeline.values import days_to_us, format_time

Mask = npt.NDArray[np.bool_]
UNLIKELY_LOG = -13.8
"""Natural logarithm of one in a million: rarer than that, silence is no chance."""


def find_silence(project: Project, tables: Ingested, dataset: Dataset) -> str | None:
    """Say whether wins are missing at the beginning or the end of the data, or None.

    Looked at are the leads all of whose mature snapshots have their horizon before the first win
    (or begin after the last one). If the others win at the rate p, that n such leads have no win
    has the probability ``(1 - p) ** n``.

    Parameters
    ----------
    project : Project
    tables : Ingested
    dataset : Dataset

    Returns
    -------
    str or None
        What was found and what to do, where that probability is below one in a million.
    """
    maturity = find_maturity(project, tables)
    wins = tables.outcomes.filter(pc.equal(tables.outcomes["status"], "won"))["closed_us"]
    ends = pc.min_max(wins)
    if maturity is None or ends["min"].as_py() is None:
        return None
    as_of = dataset.begin + dataset.age_days * days_to_us(1.0)
    end = as_of + days_to_us(maturity.horizon_days)
    before = _only(dataset, end < ends["min"].as_py())
    if project.data.outcomes.since is None and _unlikely(dataset, before):
        first = format_time(ends["min"].as_py())
        return (
            f"no win is on record before {first}, though {before.sum():,} leads could have won "
            f"until then: were wins logged only from then on? Set outcomes.since: {first} in "
            "data.yaml; those leads would pass for lost"
        )
    after = _only(dataset, as_of > ends["max"].as_py())
    if _unlikely(dataset, after):
        last = format_time(ends["max"].as_py())
        return (
            f"no win is on record after {last}, though {after.sum():,} leads could have won since: "
            f"do the outcomes end there? Set extract: {last} in data.yaml; those leads would pass "
            "for lost"
        )
    return None


def _only(dataset: Dataset, rows: Mask) -> Mask:
    """Return, by lead, whether all its rows are among `rows`."""
    return np.asarray(np.bincount(dataset.lead, weights=~rows) == 0)


def _unlikely(dataset: Dataset, silent: Mask) -> bool:
    won = np.bincount(dataset.lead, weights=dataset.label) > 0
    if not silent.any() or silent.all() or won[silent].any():
        return False
    rate = won[~silent].mean()
    return bool(rate >= 1.0 or silent.sum() * log1p(-rate) < UNLIKELY_LOG)
