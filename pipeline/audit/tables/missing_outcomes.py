"""Missing outcomes: wins that are on record only for a part of the time, or on record late."""

from math import log, log1p

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, find_maturity
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
    begin, won = count_leads(dataset)
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


def count_leads(dataset: Dataset) -> tuple[Floats, Floats]:
    """Return creation and outcome (1.0 for won) of each lead, by creation."""
    leads, first = np.unique(dataset.lead, return_index=True)
    won = np.bincount(dataset.lead, weights=dataset.label)[leads] > 0
    order = np.argsort(dataset.begin[first], kind="stable")
    return dataset.begin[first][order], won[order].astype(np.float64)
