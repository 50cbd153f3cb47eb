"""Write the demo world: two years of leads of a company that sells software, truth beside them.

Leads come from Spain, Latin America, France and English-speaking countries, fill in a form, get
letters, visit pages, talk on social networks, sit in webinars, try the product, and are won, lost
or left open. Everything is drawn from one mechanism (``facts``, ``chain``, ``journeys``), so that
each snapshot's probability of being won can be computed exactly (``truth``) and the product can be
held against it.

The world has what real data has: fields left blank, spam, names in small letters, job changes that
the CRM overwrote, closings entered late, webinars recorded late, rows that stand there twice,
letters opened by machines, leads that sales never called, sources whose share drifts, an offer that
changed; and two leaks, `closing_remark` and the activities after a win, to be left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.demo.activities import COLUMNS, write_activities
from leadscore.pipeline.demo.deals import Deals, draw_moment, write_deals
from leadscore.pipeline.demo.files import Format, Tables
from leadscore.pipeline.demo.journeys import Journeys, simulate
from leadscore.pipeline.demo.leads import DAY_S, EXTRACT_S, Codes, Facts, draw_creations, draw_facts
from leadscore.pipeline.demo.people import People, write_people
from leadscore.pipeline.demo.truth import true_probabilities
from leadscore.pipeline.progress import Progress, silent

LEADS_AT_ONCE = 50_000  # some 200 MB; the same bytes come out only with the same number
OPEN_DAYS = 30
_CHANGING = ("title", "company", "email")


@dataclass(frozen=True)
class World:
    """What was written."""

    leads: int
    wins: int
    activities: int
    leads_path: Path
    open_path: Path
    truth_path: Path


def write_world(
    folder: Path,
    leads: int,
    seed: int,
    ending: Format = "csv",
    progress: Progress = silent,
) -> World:
    """Write the tables of a world into a folder, which is made if absent.

    The tables: leads, email, web, social, webinars, product (activities, one file per tool),
    changes, deals, truth, and open_leads, the leads of the last 30 days that are open: those whom
    a score is for. Columns of truth: lead_id, as_of, true_prob, one row for each lead and
    age of ``truth.AGES_DAYS`` at which the lead is open and the data not yet taken.

    Parameters
    ----------
    folder : Path
    leads : int
    seed : int
        The same seed writes the same bytes.
    ending : {"csv", "parquet"}
    progress : Progress

    Returns
    -------
    World
    """
    created = draw_creations(np.random.default_rng([seed, 0]), leads)
    numbers = dict.fromkeys(COLUMNS, 1)
    wins = 0
    with Tables(folder, ending) as tables:
        for place, begin in enumerate(range(0, leads, LEADS_AT_ONCE)):
            part = created[begin : begin + LEADS_AT_ONCE]
            random = np.random.default_rng([seed, 1 + place])
            wins += _write_part(tables, random, part, begin, numbers)
            progress("writing the leads", begin + len(part), leads)
    activities = sum(numbers.values()) - len(numbers)
    return World(leads, wins, activities, *map(tables.path, ("leads", "open_leads", "truth")))


def _write_part(
    tables: Tables, random: np.random.Generator, created: Codes, begin: int, numbers: dict[str, int]
) -> int:
    """Write the leads created at these seconds, and return how many of them were won."""
    facts = draw_facts(random, created)
    journeys = simulate(random, facts)
    ids = pa.array(np.arange(begin + 1, begin + len(created) + 1)).cast(pa.string())
    ids = pc.binary_join_element_wise("L", pc.utf8_lpad(ids, 7, "0"), "")
    deals = write_deals(random, facts, journeys, ids)
    changed_at = _date_changes(random, facts, deals)
    known = replace(facts, change_day=np.where(changed_at >= 0, facts.change_day, -1))
    people = write_people(random, known, ids)
    leads = pa.table({**people.columns, **_after_the_fact(deals)})
    tables.write("leads", leads)
    is_open = (created > EXTRACT_S - OPEN_DAYS * DAY_S) & (deals.closed > EXTRACT_S)
    tables.write("open_leads", leads.filter(pa.array(is_open)))
    tables.write("changes", _write_changes(people, ids, changed_at))
    tables.write("deals", deals.table)
    for name, table in write_activities(random, facts, journeys, deals, ids, numbers):
        tables.write(name, table)
    for table in _write_truth(facts, journeys, deals, ids):
        tables.write("truth", table)
    return int(pc.sum(pc.equal(deals.table["stage"], "won")).as_py() or 0)


def _date_changes(random: np.random.Generator, facts: Facts, deals: Deals) -> Codes:
    """Return when each change of jobs was recorded, -1 for those that no open lead lived to see.

    It is recorded on the day before the one from which the new job counts.
    """
    rows = np.flatnonzero(facts.change_day >= 0)
    at = draw_moment(random, facts, rows, facts.change_day[rows] - 1)
    changed_at = np.full(len(facts), -1)
    changed_at[rows] = np.where((at < deals.closed[rows]) & (at <= EXTRACT_S), at, -1)
    return changed_at


def _after_the_fact(deals: Deals) -> dict[str, pa.Array]:
    """Return the columns that tell what only the future knew: data.yaml leaves them out."""
    called = pa.array(deals.called, mask=deals.called < 0).cast(pa.timestamp("s", "UTC"))
    return {"called_at": called, "closing_remark": deals.remarks}


def _write_changes(people: People, ids: pa.Array, changed_at: Codes) -> pa.Table:
    """Write what the CRM overwrote, by the moment it did: old and new values, blanks left out."""
    parts = []
    for name in _CHANGING:
        old, new = people.before[name], people.columns[name]
        differs = pc.fill_null(pc.not_equal(old, new), False)
        rows = np.flatnonzero((changed_at >= 0) & differs.to_numpy(zero_copy_only=False))
        at = pa.array(rows)
        parts.append(
            pa.table(
                {
                    "lead_id": ids.take(at),
                    "field": pa.array([name]).take(pa.array(np.zeros(len(rows), np.int64))),
                    "old_value": old.take(at),
                    "new_value": new.take(at),
                    "changed_at": pa.array(changed_at[rows]).cast(pa.timestamp("s", "UTC")),
                }
            )
        )
    return pa.concat_tables(parts).sort_by([("changed_at", "ascending"), ("lead_id", "ascending")])


def _write_truth(
    facts: Facts, journeys: Journeys, deals: Deals, ids: pa.Array
) -> Iterator[pa.Table]:
    for age, probability in true_probabilities(facts, journeys):
        as_of = facts.created + age * DAY_S
        rows = np.flatnonzero((deals.closed > as_of) & (as_of <= EXTRACT_S))
        yield pa.table(
            {
                "lead_id": ids.take(pa.array(rows)),
                "as_of": pa.array(as_of[rows]).cast(pa.timestamp("s", "UTC")),
                "true_prob": probability[rows],
            }
        )
