"""Whether the history of outcomes is whole: missing or late wins, and the share won by month."""

from math import log, log1p

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from scipy.stats import chi2_contingency

from leadscore.pipeline.audit.records import Finding, Month
from leadscore.pipeline.audit.tables.notes import weigh_note
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, find_maturity
from leadscore.pipeline.evaluation.close_rates import share_interval
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import days_to_us, format_time

CLEARLY_LOG = 20.0
"""Two rates must be likelier than one by this much, in nats, to be noted."""
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
UNLIKELY_LOG = -13.8
"""Natural logarithm of one in a million: a rarer gap is not chance."""


def find_outcome_gaps(project: Project, tables: Ingested, dataset: Dataset) -> Note | None:
    """Note that wins are missing at the beginning or the end of the data.

    Looked at are the leads all of whose mature snapshots have their horizon before the first win
    (or begin after the last one). If the others win at the rate p, the probability that n such
    leads have no win is ``(1 - p) ** n``. A note is made where that probability is below one in a
    million.
    """
    maturity = find_maturity(project, tables)
    wins = tables.outcomes.filter(pc.equal(tables.outcomes["status"], "won"))["closed_us"]
    ends = pc.min_max(wins)
    if maturity is None or ends["min"].as_py() is None:
        return None
    first_us, last_us = ends["min"].as_py(), ends["max"].as_py()
    first, last = format_time(first_us), format_time(last_us)
    as_of = dataset.begin + dataset.age_days * days_to_us(1.0)
    end = as_of + days_to_us(maturity.horizon_days)
    before = _count_unlikely(dataset, end < first_us)
    if project.data.outcomes.since is None and before:
        text = f"no win is on record before {first}, though {before:,} leads could have won by then"
        todo = (
            f"were wins logged only from then on? Set outcomes.since: {first} in data.yaml; those "
            "leads would pass for lost"
        )
        return Note("no early wins", text, before, "leads", todo=todo)
    after = _count_unlikely(dataset, as_of > last_us)
    if after:
        text = f"no win is on record after {last}, though {after:,} leads could have won since"
        todo = (
            f"do the outcomes end there? Set extracted_at: {last} in data.yaml; those leads would "
            "pass for lost"
        )
        return Note("no late wins", text, after, "leads", todo=todo)
    return None


def _count_unlikely(dataset: Dataset, rows: Mask) -> int:
    """Count the leads with no row but `rows`, if it is unlikely that none won; otherwise 0."""
    silent = np.bincount(dataset.lead, weights=~rows) == 0
    won = np.bincount(dataset.lead, weights=dataset.label) > 0
    if not silent.any() or silent.all() or won[silent].any():
        return 0
    rate, count = won[~silent].mean(), int(silent.sum())
    return count if rate >= 1.0 or count * log1p(-rate) < UNLIKELY_LOG else 0


def note_few_early_wins(project: Project, dataset: Dataset) -> list[Note]:
    """Note a first stretch of leads that wins so rarely that wins may be missing there.

    The stretch is the one that splits the leads best, by the likelihood of two rates against one.
    It is noted where its rate is below a quarter of the others', far beyond chance.
    """
    if dataset.order != "time" or project.data.outcomes.since is not None:
        return []
    begin, won = _count_leads(dataset)
    wins, count = np.cumsum(won), len(won)
    best, found = CLEARLY_LOG, None
    for share in np.arange(0.05, 0.80, 0.05):
        size = int(share * count)
        if not size:
            continue
        early, later = wins[size - 1] / size, (wins[-1] - wins[size - 1]) / (count - size)
        gain = _likelihood(won[:size]) + _likelihood(won[size:]) - _likelihood(won)
        if early < later / 4.0 and gain > best:
            best, found = gain, (size, early, later)
    if found is None:
        return []
    size, early, later = found
    text = (
        f"the first {size:,} leads, created until {format_time(int(begin[size - 1]))[:10]}, won "
        f"{early:.1%}, the rest {later:.1%}"
    )
    todo = "were all wins on record then? If not, set outcomes.since in data.yaml"
    return [Note("few early wins", text, size, "leads", todo=todo)]


def note_late_records(project: Project, tables: Ingested) -> list[Note]:
    """Note how many wins came on record later than ``settle_days`` after they closed.

    A label that did not wait for them may have been "not won" when it was taken.
    """
    if project.data.outcomes.recorded is None:
        return []
    wins = tables.outcomes.filter(pc.equal(tables.outcomes["status"], "won"))
    delays = pc.subtract(wins["recorded_us"], wins["closed_us"]).drop_null()
    late = pc.sum(pc.greater(delays, days_to_us(project.training.settle_days))).as_py() or 0
    if not late:
        return []
    most = pc.quantile(delays, 0.99)[0].as_py() / days_to_us(1.0)
    text = (
        f"{late:,} of {len(delays):,} wins came on record later than settle_days "
        f"({project.training.settle_days:g}) after they closed; {most:.1f} days would do for 99 %"
    )
    return [Note("late records", text, late, "outcomes")]


def _likelihood(won: Floats) -> float:
    """Return the log-likelihood of some outcomes at their own rate, in nats."""
    rate = float(won.mean()) if len(won) else 0.0
    if rate in (0.0, 1.0):
        return 0.0
    return float(len(won) * (rate * log(rate) + (1.0 - rate) * log1p(-rate)))


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
    begin, won = _count_leads(dataset)
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


def _count_leads(dataset: Dataset) -> tuple[Floats, Floats]:
    """Return creation and outcome (1.0 for won) of each lead, by creation."""
    leads, first = np.unique(dataset.lead, return_index=True)
    won = np.bincount(dataset.lead, weights=dataset.label)[leads] > 0
    order = np.argsort(dataset.begin[first], kind="stable")
    return dataset.begin[first][order], won[order].astype(np.float64)


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
