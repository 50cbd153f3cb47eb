"""Numbers of the leads' file that count what leads did after they were looked at."""

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import spearmanr

from pipeline.dataset import Dataset
from pipeline.engine import run_sql
from pipeline.ingest import Ingested
from pipeline.values import days_to_us

FOLLOWS = 0.9
"""A rank correlation from which on a number counts activities."""
_AHEAD = 0.05


def count_activities(tables: Ingested, dataset: Dataset) -> pd.DataFrame | None:
    """Count each lead's activities until its last snapshot, and after it.

    Returns
    -------
    DataFrame or None
        By lead_id: ``before`` and ``after``; None without activities or times.
    """
    if tables.activities is None or dataset.order != "time":
        return None
    as_of = dataset.begin + dataset.age_days * days_to_us(1.0)
    looked = pd.DataFrame({"lead_id": dataset.lead_id.astype(str), "as_of": as_of})
    last = looked.groupby("lead_id", as_index=False)["as_of"].max()
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


def tell_following(numbers: "pd.Series[float]", counts: pd.DataFrame) -> str | None:
    """Say that a number runs with what leads did later, or None.

    Parameters
    ----------
    numbers : Series
        By lead_id.
    counts : DataFrame
        Of `count_activities`.
    """
    both = counts.join(numbers.rename("number"), how="inner").dropna()
    if len(both) < 50 or both["number"].nunique() < 5:
        return None
    before = _along(both["number"], both["before"])
    later = {
        "after the snapshot": _along(both["number"], both["after"]),
        "in all": _along(both["number"], both["before"] + both["after"]),
    }
    what, most = max(later.items(), key=lambda item: item[1])
    if most >= FOLLOWS and most > before + _AHEAD:
        return (
            f"it counts what leads did later: rank correlation {most:.2f} with their activities "
            f"{what}, {before:.2f} with those until then"
        )
    return None


def _along(one: "pd.Series[float]", other: "pd.Series[float]") -> float:
    if one.nunique() < 2 or other.nunique() < 2:
        return 0.0
    return abs(float(spearmanr(one, other).statistic))
