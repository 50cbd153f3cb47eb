"""The share of won leads by month of creation, and an outcome history that is not whole."""

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency

from leadscore.pipeline.audit.records import Finding, Month
from leadscore.pipeline.audit.tables.missing_outcomes import (
    count_leads,
    find_outcome_gaps,
    note_few_early_wins,
    note_late_records,
)
from leadscore.pipeline.audit.tables.notes import weigh_note
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, find_maturity
from leadscore.pipeline.evaluation.close_rates import share_interval
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import days_to_us

Floats = npt.NDArray[np.float64]


STRETCHES = 10
"""Number of stretches of equal count, where there are arrival numbers instead of times."""
FACTOR = 3.0
BY_CHANCE = 0.001
"""Months that differ at least as much by chance in fewer than one world of a thousand differ."""
_EXPECTED = 5.0


def find_months(dataset: Dataset | None) -> tuple[Month, ...]:
    """Count leads and wins by month of creation in UTC, or by stretch of arrival numbers.

    A lead counts once, as won if any of its mature snapshots is won; leads without a mature
    snapshot do not count. Months are in order of time; months without a lead are left out. A
    dataset ordered by arrival gives ten stretches of equal count (or as many as there are leads),
    one without order gives nothing. The intervals are Wilson's, of 95 %.
    """
    if dataset is None or dataset.order == "none":
        return ()
    begin, won = count_leads(dataset)
    if dataset.order == "time":
        month = begin.astype("int64").astype("datetime64[us]").astype("datetime64[M]")
        names, group = np.unique(month, return_inverse=True)
        texts = [str(name) for name in names]
    else:
        parts = np.array_split(np.arange(len(begin)), min(STRETCHES, len(begin)))
        group = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        texts = [f"{begin[part[0]]:.15g} to {begin[part[-1]]:.15g}" for part in parts]
    leads = np.bincount(group).astype(np.float64)
    wins = np.bincount(group, weights=won)
    rates = wins / leads
    low, high = share_interval(rates, leads)
    return tuple(
        Month(name, int(leads[i]), int(wins[i]), float(rates[i]), float(low[i]), float(high[i]))
        for i, name in enumerate(texts)
    )


def judge_months(project: Project, tables: Ingested, dataset: Dataset | None) -> list[Finding]:
    """Find where wins are missing or late, and where months differ far beyond chance.

    Months are compared over the leads for whom a snapshot of the oldest age could be mature, so
    that all of them had as long to win; by Pearson's chi-square test over the months that would
    have five wins and five others at the common rate. It is a problem if no win is on record for a
    part of the time. It is a warning if few are, if wins come on record late, or if months differ
    by a factor of 3 or more. Without a mature snapshot (`dataset` is None) only late records are
    found.
    """
    notes: list[Note] = []
    found: list[Finding] = []
    if dataset is not None:
        gap = find_outcome_gaps(project, tables, dataset)
        notes += note_few_early_wins(project, dataset) if gap is None else [gap]
        if not notes:
            found = _compare_months(find_months(_watched_alike(project, tables, dataset)))
    notes += note_late_records(project, tables)
    return [weigh_note(note, tables) for note in notes] + found


def _watched_alike(project: Project, tables: Ingested, dataset: Dataset) -> Dataset:
    """Return the snapshots of leads whose oldest age has its horizon behind it, if there are."""
    maturity = find_maturity(project, tables)
    if maturity is None or dataset.order != "time":
        return dataset
    wait = days_to_us(max(project.training.snapshots.ages)) + maturity.wait_us
    alike = dataset.begin + wait <= maturity.extract_us
    return dataset.rows(alike) if alike.any() else dataset


def _compare_months(months: tuple[Month, ...]) -> list[Finding]:
    leads = np.array([month.leads for month in months], np.float64)
    wins = np.array([month.wins for month in months], np.float64)
    if not 0 < wins.sum() < leads.sum():
        return []
    rate = wins.sum() / leads.sum()
    enough = leads * min(rate, 1.0 - rate) >= _EXPECTED
    table = np.array([wins[enough], (leads - wins)[enough]])
    if enough.sum() < 2 or (table.sum(axis=1) == 0).any():
        return []
    chance = float(chi2_contingency(table, correction=False).pvalue)
    kept = [month for month, counts in zip(months, enough, strict=True) if counts]
    least, most = (pick(kept, key=lambda month: month.rate) for pick in (min, max))
    if chance >= BY_CHANCE or most.rate < FACTOR * least.rate:
        return []
    text = (
        f"the share that won goes from {least.rate:.1%} ({least.name}: {least.wins:,} of "
        f"{least.leads:,} leads) to {most.rate:.1%} ({most.name}: {most.wins:,} of "
        f"{most.leads:,}), far beyond chance; expected was about {rate:.1%} throughout"
    )
    todo = (
        "find out what changed (who comes in, what counts as a win, when losses are entered); a "
        "score learned over all months is too high for some and too low for others"
    )
    return [Finding("warning", "base rate", text, todo)]
