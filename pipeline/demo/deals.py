"""Deals: when each lead was called, won or lost, its amount, and when this was entered."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.demo.journeys import Journeys
from leadscore.pipeline.demo.leads import (
    DAY_S,
    EXTRACT_S,
    ZONE_HOURS,
    Facts,
    draw_time_of_day,
)
from leadscore.pipeline.demo.tables import Codes, blank, join, take, to_times

LATEST_DAYS = 5
_LATE_SHARE = 0.2
_REMARKS = ("contract signed", "signed by both", "no answer", "chose another")
"""Two for leads that were won, two for leads that were lost."""


@dataclass(frozen=True)
class Deals:
    """The closings of n leads, in seconds of UTC; `closed` is the largest integer for open leads.

    `called` is when sales first called, -1 for never or not yet. `table` is the file of deals,
    `remarks` a column of the leads' own table, which is filled in after the closing.
    """

    closed: Codes
    called: Codes
    table: pa.Table
    remarks: pa.Array


def draw_moment(random: np.random.Generator, facts: Facts, rows: Codes, day: Codes) -> Codes:
    """Draw a moment of a day of each lead's chain, at an hour at which people are awake.

    Day d is the time ``(created + d days, created + (d + 1) days]``.
    """
    begin = facts.created[rows] + day * DAY_S
    local = (begin + ZONE_HOURS[facts.country[rows]] * 3600) % DAY_S
    offset = (draw_time_of_day(random, len(rows)) - local) % DAY_S
    return begin + np.where(offset == 0, DAY_S, offset)


def write_deals(
    random: np.random.Generator, facts: Facts, journeys: Journeys, ids: pa.Array
) -> Deals:
    """Write the deals of leads, as they are known at the extract.

    Columns of the table: deal_id, lead_id, stage (won, lost, open), amount, closed_at, entered_at.
    A closing that is entered after the extract is still open there.
    """
    count = len(facts)
    is_closed = journeys.closed_day >= 0
    moment = draw_moment(random, facts, np.arange(count), journeys.closed_day)
    closed = np.where(is_closed, moment, np.iinfo(np.int64).max)
    late = random.random(count) < _LATE_SHARE
    hours = np.where(late, random.random(count) * LATEST_DAYS * 24.0, random.random(count) * 3.0)
    entered = np.where(is_closed, moment + (hours * 3600.0).astype(np.int64), 0)
    known = is_closed & (entered <= EXTRACT_S)
    called = _draw_calls(random, facts, journeys, closed)
    won = known & journeys.won
    stage = np.where(won, 0, np.where(known, 1, 2))
    amount = np.round(400.0 * facts.employees**0.6 * np.exp(random.normal(0.0, 0.4, count)), -1)
    written = np.flatnonzero(known | (called >= 0))
    table = pa.table(
        {
            "deal_id": join("D", pc.utf8_slice_codeunits(ids, 1)),
            "lead_id": ids,
            "stage": take(("won", "lost", "open"), stage),
            "amount": pa.array(amount, mask=~won),
            "closed_at": to_times(closed, ~known),
            "entered_at": to_times(entered, ~known),
        }
    ).take(pa.array(written))
    wording = random.integers(0, 2, count) + 2 * ~journeys.won
    return Deals(closed, called, table, remarks=blank(~known, take(_REMARKS, wording)))


def _draw_calls(
    random: np.random.Generator, facts: Facts, journeys: Journeys, closed: Codes
) -> Codes:
    """Draw when sales first called, before the closing; -1 if they did not by the extract."""
    count = len(facts)
    wait = (random.exponential(2.0 * DAY_S, count)).astype(np.int64) + 600
    left = np.where(journeys.closed_day >= 0, closed - facts.created, wait + 1)
    early = (random.random(count) * left).astype(np.int64)
    at = facts.created + np.where(wait < left, wait, early)
    return np.where(journeys.called & (at <= EXTRACT_S), at, -1)
