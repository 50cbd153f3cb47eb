"""Deals: when each lead was called, won or lost, for how much, and when that was written down."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.demo.journeys import Journeys
from leadscore.pipeline.demo.leads import (
    DAY_S,
    EXTRACT_S,
    ZONE_HOURS,
    Codes,
    Facts,
    draw_time_of_day,
)

LATEST_DAYS = 5
_LATE_SHARE = 0.2
_REMARKS = {True: ("contract signed", "signed by both"), False: ("no answer", "chose another")}


@dataclass(frozen=True)
class Deals:
    """The closings of n leads, in seconds of UTC; `closed` is the end of time where still open.

    `called` is when sales first called, -1 for never or not yet. `table` is what is written to the
    file of deals, `remarks` what the leads' own table says after the closing.
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
    """Write down the deals of leads, as they are known at the extract.

    Parameters
    ----------
    random : Generator
    facts : Facts
    journeys : Journeys
    ids : Array of n strings

    Returns
    -------
    Deals
        Columns of its table: deal_id, lead_id, stage (won, lost, open), amount, closed_at,
        entered_at. A closing that is not entered by the extract is still open there.
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
            "deal_id": pc.binary_join_element_wise("D", pc.utf8_slice_codeunits(ids, 1), ""),
            "lead_id": ids,
            "stage": pa.array(["won", "lost", "open"]).take(pa.array(stage)),
            "amount": pa.array(amount, mask=~won),
            "closed_at": _times(closed, known),
            "entered_at": _times(entered, known),
        }
    ).take(pa.array(written))
    wording = random.integers(0, 2, count) + 2 * ~journeys.won
    remarks = pa.array([*_REMARKS[True], *_REMARKS[False]]).take(pa.array(wording))
    remarks = pc.if_else(pa.array(known), remarks, pa.scalar(None, pa.string()))
    return Deals(closed, called, table, remarks)


def _times(seconds: Codes, known: npt.NDArray[np.bool_]) -> pa.Array:
    return pa.array(seconds, mask=~known).cast(pa.timestamp("s", "UTC"))


def _draw_calls(
    random: np.random.Generator, facts: Facts, journeys: Journeys, closed: Codes
) -> Codes:
    """Draw when sales first called, before the closing; -1 where they did not by the extract."""
    count = len(facts)
    wait = (random.exponential(2.0 * DAY_S, count)).astype(np.int64) + 600
    left = np.where(journeys.closed_day >= 0, closed - facts.created, wait + 1)
    early = (random.random(count) * left).astype(np.int64)
    at = facts.created + np.where(wait < left, wait, early)
    return np.where(journeys.called & (at <= EXTRACT_S), at, -1)
