"""When values were written, by the history of changes: as leads live, or when they close."""

from dataclasses import dataclass

import pandas as pd
import pyarrow.compute as pc

from pipeline.ingest import Ingested
from pipeline.values import days_to_us

BEFORE_DAYS, AFTER_DAYS = 1.0, 30.0
"""What is written from a day before a closing until thirty days after it goes with the closing."""
FEWEST, SHARE, OFTEN = 10, 0.1, 5.0
"""The least changes at closings, by count, by share of the closings, and against the usual."""


@dataclass(frozen=True)
class Writing:
    """When a field was written, against when its lead closed.

    Of `closings` closings that the records saw (of wins, or of losses, as `of` says), `at_closing`
    is how many changes of the field were written at one, `filling` how many of those filled a
    blank, and `times_usual` how many times as often as otherwise that is.
    """

    of: str
    closings: int
    at_closing: int
    filling: int
    times_usual: float


def find_writing(tables: Ingested, field: str) -> tuple[Writing, ...]:
    """Compare how often a field changes around closings with how often it does otherwise.

    Parameters
    ----------
    tables : Ingested
        With changes, and the time of the extract.
    field : str
        One whose changes are on record.

    Returns
    -------
    tuple of Writing
        One for wins and one for losses, if there were any.
    """
    changes, extract = tables.changes, tables.extract_us
    if changes is None or extract is None:
        return ()
    found = changes.filter(pc.equal(changes["field"], field)).to_pandas()
    leads = tables.leads.select(["lead_id", "created_us"]).to_pandas()
    outcomes = tables.outcomes.to_pandas()
    closed = outcomes[(outcomes["status"] != "open") & outcomes["closed_us"].notna()]
    closed = closed[closed["closed_us"] <= extract].sort_values(["closed_us", "status"])
    first = closed.drop_duplicates("lead_id").set_index("lead_id")
    whole = pd.DataFrame(
        {
            "lead_id": leads["lead_id"],
            "created": leads["created_us"],
            "closed": leads["lead_id"].map(first["closed_us"]),
            "status": leads["lead_id"].map(first["status"]),
        }
    ).set_index("lead_id")
    found = found[found["lead_id"].isin(whole.index)].sort_values("place")
    of = whole.loc[found["lead_id"]]
    since = found["recorded_us"].to_numpy() - of["closed"].to_numpy(float)
    status = of["status"].to_numpy(object)
    at = (since >= -days_to_us(BEFORE_DAYS)) & (since <= days_to_us(AFTER_DAYS))
    blank = (found["old_text"].isna() & found["old_number"].isna()).to_numpy()
    begin = (whole["closed"] - days_to_us(BEFORE_DAYS)).clip(lower=whole["created"])
    end = (whole["closed"] + days_to_us(AFTER_DAYS)).clip(upper=extract)
    near = (end - begin).clip(lower=0).fillna(0.0)
    lived = (extract - whole["created"]).clip(lower=0)
    usual = float((~at).sum()) / max(float((lived - near).sum()), 1.0)
    usual = max(usual, 1.0 / max(float(lived.sum()), 1.0))  # never a change: one would be usual
    writings = []
    for word, name in (("won", "wins"), ("lost", "losses")):
        mine = (whole["status"] == word).to_numpy()
        if not mine.any():
            continue
        these = status == word
        count = int((at & these).sum())
        rate = count / max(float(near[mine].sum()), 1.0)
        filling = int((at & these & blank).sum())
        writings.append(Writing(name, int(mine.sum()), count, filling, float(rate / usual)))
    return tuple(writings)


def tell_writing(writing: Writing) -> str | None:
    """Say that a field is written when leads close, or None if nothing speaks for it."""
    share = writing.at_closing / max(writing.closings, 1)
    if writing.at_closing < FEWEST or share < SHARE or writing.times_usual < OFTEN:
        return None
    how = "filled in" if 2 * writing.filling >= writing.at_closing else "overwritten"
    return (
        f"{how} at or after the closing: {writing.at_closing:,} changes around "
        f"{writing.closings:,} {writing.of}, {min(writing.times_usual, 999.0):.0f} times as often "
        "as otherwise"
    )
