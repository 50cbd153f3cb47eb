"""Write the demo world: two years of leads of a software company, with their true probabilities.

Leads come from Spain, Latin America, France and English-speaking countries. They fill in a form,
get letters, visit pages, talk on social networks, sit in webinars and try the product. They are won
or lost, or stay open. One mechanism draws everything (``leads``, ``journeys``). So ``truth``
computes exactly how likely it is at each snapshot that the lead will be won, and the product can be
compared with it.

The world has what real data has: blank fields, spam, names in small letters, job changes that
the CRM overwrote, closings that were entered late, webinars that were recorded late, duplicate
rows, letters that machines opened, leads that sales never called, sources whose share drifts, an
offer that changed. It also has two leaks that must be left out: `closing_remark`, and the
activities after a win.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.demo.activities import COLUMNS, write_activities
from leadscore.pipeline.demo.deals import Deals, draw_moment, write_deals
from leadscore.pipeline.demo.journeys import Journeys, simulate
from leadscore.pipeline.demo.leads import DAY_S, EXTRACT_S, Facts, draw_creations, draw_facts
from leadscore.pipeline.demo.people import People, write_people
from leadscore.pipeline.demo.tables import Codes, Format, Tables, number_rows, to_times
from leadscore.pipeline.demo.truth import true_probabilities
from leadscore.pipeline.progress import Progress, silent

LEADS_AT_ONCE = 50_000  # some 200 MB; the same bytes come out only with the same number
OPEN_DAYS = 30
_CHANGING = ("title", "company", "email")


@dataclass(frozen=True)
class World:
    """The size of a world, and where its files are."""

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
    """Write the tables of a world into a folder; the same seed writes the same bytes.

    The tables: leads, email, web, social, webinars, product (activities, one file per tool),
    changes, deals, truth, and open_leads: the open leads of the last 30 days, which need a score.
    Columns of truth: lead_id, as_of, true_prob. It has one row for each lead and age of
    ``truth.AGES_DAYS`` at which the lead is open, up to the extract. The folder is made if absent.
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
    """Write the leads that were created at these seconds, and return how many were won."""
    facts = draw_facts(random, created)
    journeys = simulate(random, facts)
    ids = number_rows("L", np.arange(begin + 1, begin + len(created) + 1), 7)
    deals = write_deals(random, facts, journeys, ids)
    changed_at = _date_changes(random, facts, deals)
    known = replace(facts, change_day=np.where(changed_at >= 0, facts.change_day, -1))
    people = write_people(random, known, ids)
    called_at = to_times(deals.called, deals.called < 0)
    later_known = {"called_at": called_at, "closing_remark": deals.remarks}  # no signals
    leads = pa.table({**people.columns, **later_known})
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
    """Return when each change of jobs was recorded, -1 if the lead or the data ended before it.

    It is recorded on the day before the new job counts.
    """
    rows = np.flatnonzero(facts.change_day >= 0)
    at = draw_moment(random, facts, rows, facts.change_day[rows] - 1)
    changed_at = np.full(len(facts), -1)
    changed_at[rows] = np.where((at < deals.closed[rows]) & (at <= EXTRACT_S), at, -1)
    return changed_at


def _write_changes(people: People, ids: pa.Array, changed_at: Codes) -> pa.Table:
    """Write old and new values that the CRM overwrote, by time; blank values are left out."""
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
                    "field": pa.repeat(name, len(rows)),
                    "old_value": old.take(at),
                    "new_value": new.take(at),
                    "changed_at": to_times(changed_at[rows]),
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
                "as_of": to_times(as_of[rows]),
                "true_prob": probability[rows],
            }
        )
