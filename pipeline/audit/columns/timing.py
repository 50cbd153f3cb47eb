"""When values were written, by the history of changes: as leads live, or when they close."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import spearmanr

from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.values.times import days_to_us

BEFORE_DAYS, AFTER_DAYS = 1.0, 30.0
"""What is written from a day before a closing until thirty days after it goes with the closing."""
MIN_CHANGES, MIN_SHARE, MIN_TIMES_USUAL = 10, 0.1, 5.0
"""The least changes at closings, by count, by share of the closings, and against the usual."""


@dataclass(frozen=True)
class FieldTiming:
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


def measure_field_timing(tables: Ingested, field: str) -> tuple[FieldTiming, ...]:
    """Compare how often a field changes around closings with how often it does otherwise.

    The result has one entry for wins and one for losses, if there were any.
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
    timings = []
    for word, name in (("won", "wins"), ("lost", "losses")):
        mine = (whole["status"] == word).to_numpy()
        written = at & (status == word)
        rate = int(written.sum()) / max(float(near[mine].sum()), 1.0)
        counts = int(mine.sum()), int(written.sum()), int((written & blank).sum())
        timings.append(FieldTiming(name, *counts, float(rate / usual)))
    return tuple(timing for timing in timings if timing.closings)


def judge_field_timing(timing: FieldTiming) -> str | None:
    """Return that a field is written when leads close, or None if nothing speaks for it."""
    count, usual = timing.at_closing, timing.times_usual
    if count < MIN_CHANGES or count / timing.closings < MIN_SHARE or usual < MIN_TIMES_USUAL:
        return None
    how = "filled in" if 2 * timing.filling >= count else "overwritten"
    return (
        f"{how} at or after the closing: {count:,} changes around {timing.closings:,} {timing.of}, "
        f"{min(usual, 999.0):.0f} times as often as otherwise"
    )


FOLLOWS_CORRELATION = 0.9
"""A rank correlation from which on a number counts activities."""
_AHEAD = 0.05


def count_activities(tables: Ingested, dataset: Dataset) -> pd.DataFrame | None:
    """Count each lead's activities until its last snapshot, and after it.

    The result has ``before`` and ``after`` by lead_id. It is None without activities or times.
    """
    if tables.activities is None or dataset.order != "time":
        return None
    as_of = dataset.begin + dataset.age_days * days_to_us(1.0)
    snapshots = pd.DataFrame({"lead_id": dataset.lead_id.astype(str), "as_of": as_of})
    last = snapshots.groupby("lead_id", as_index=False)["as_of"].max()
    counts = run_sql(
        "SELECT l.lead_id AS lead_id, "
        "COUNT(CASE WHEN a.occurred_us <= l.as_of THEN 1 END) AS before, "
        "COUNT(CASE WHEN a.occurred_us > l.as_of THEN 1 END) AS after "
        "FROM leads AS l LEFT JOIN activities AS a ON a.lead_id = l.lead_id GROUP BY l.lead_id",
        {
            "activities": tables.activities.path,
            "leads": pa.table(
                {"lead_id": last["lead_id"].to_numpy(object),
                 "as_of": last["as_of"].to_numpy(np.int64)}
            ),
        },
    )  # fmt: skip
    frame: pd.DataFrame = counts.to_pandas()
    return frame.set_index("lead_id")


def judge_following(numbers: "pd.Series[float]", counts: pd.DataFrame) -> str | None:
    """Return how a number follows what leads did later, or None.

    `numbers` is indexed by lead_id. `counts` comes from `count_activities`.
    """
    both = counts.join(numbers.rename("number"), how="inner").dropna()
    if len(both) < 50 or both["number"].nunique() < 5:
        return None
    before = _correlate(both["number"], both["before"])
    later = {
        "after the snapshot": _correlate(both["number"], both["after"]),
        "in all": _correlate(both["number"], both["before"] + both["after"]),
    }
    what, most = max(later.items(), key=lambda item: item[1])
    if most >= FOLLOWS_CORRELATION and most > before + _AHEAD:
        return (
            f"it counts what leads did later: rank correlation {most:.2f} with their activities "
            f"{what}, {before:.2f} with those until then"
        )
    return None


def _correlate(one: "pd.Series[float]", other: "pd.Series[float]") -> float:
    if one.nunique() < 2 or other.nunique() < 2:
        return 0.0
    return abs(float(spearmanr(one, other).statistic))
