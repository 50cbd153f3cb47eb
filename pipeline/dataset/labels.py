"""The label of a snapshot: won, not won, or immature, which is never counted as lost."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.values.times import days_to_us

_NEVER = np.iinfo(np.int64).max
_UNDATED = _NEVER - 1


@dataclass(frozen=True)
class Labels:
    """The labels of n snapshots.

    `known` (bool, n) marks the snapshots that have one; `label` (int8, n) is 1 for won and 0 for
    not won, and means nothing where not known. `left_out` counts the others, by reason.
    """

    known: npt.NDArray[np.bool_]
    label: npt.NDArray[np.int8]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Maturity:
    """What a label waits for.

    A win counts within `horizon_days` after the snapshot, is on record `settle_days` later at the
    latest, and the records go until `extract_us`. Before `since_us` outcomes were not logged.
    """

    horizon_days: float
    extract_us: int
    settle_days: float = 0.0
    since_us: int | None = None

    @property
    def wait_us(self) -> int:
        """How long after a snapshot its label is known, in microseconds."""
        return days_to_us(self.horizon_days) + days_to_us(self.settle_days)


def label_snapshots(snapshots: pa.Table, outcomes: pa.Table, maturity: Maturity | None) -> Labels:
    """Label every snapshot by what happened within the horizon after it.

    With a horizon: won if the lead was won in ``(as_of, as_of + horizon]``; immature, and left out,
    if that and the time to settle end after the extract, early wins included, since keeping only
    those would raise the win rate. Left out too are snapshots at or after the lead's first closing,
    won or lost, those before outcomes were logged, and those of leads won at an unknown time.
    Without a horizon (outcomes have no times): won or not as recorded at the extract, leads still
    open left out.

    Columns in: of snapshots lead_id and as_of_us; of outcomes lead_id, status and closed_us, any
    number of rows per lead. `maturity` is None if outcomes have no times. The labels are in the
    order of `snapshots`.
    """
    lead_id = pd.Index(snapshots["lead_id"].to_pandas())
    closed_us = pc.fill_null(outcomes["closed_us"], _UNDATED)  # which keeps it integer
    deals = pd.DataFrame(
        {
            "lead_id": outcomes["lead_id"].to_pandas(),
            "status": outcomes["status"].to_pandas(),
            "closed_us": closed_us.to_numpy(),
        }
    )
    won_deals = deals[deals["status"] == "won"]
    if maturity is None:
        won = lead_id.isin(won_deals["lead_id"])
        known = lead_id.isin(deals.loc[deals["status"] != "open", "lead_id"])
        return Labels(known, won.astype(np.int8), {"still open": int((~known).sum())})
    undated = lead_id.isin(won_deals.loc[won_deals["closed_us"] == _UNDATED, "lead_id"])
    as_of = snapshots["as_of_us"].to_numpy()
    closed = _first(lead_id, deals[deals["status"] != "open"])
    won_us = _first(lead_id, won_deals)  # the first win after as_of, since none is before
    closed_before = ~undated & (closed <= as_of)
    is_open = ~undated & ~closed_before
    since = -_NEVER if maturity.since_us is None else maturity.since_us
    unlogged = is_open & (as_of < since)
    immature = is_open & ~unlogged & (as_of + maturity.wait_us > maturity.extract_us)
    label = won_us <= as_of + days_to_us(maturity.horizon_days)
    left_out = {
        "closed at or before the snapshot": int(closed_before.sum()),
        "immature": int(immature.sum()),
    }
    if maturity.since_us is not None:
        left_out["before outcomes were logged"] = int(unlogged.sum())
    if undated.any():
        left_out["won at an unknown time"] = int(undated.sum())
    known = is_open & ~unlogged & ~immature
    return Labels(known, label.astype(np.int8), left_out)


def _first(lead_id: "pd.Index[str]", deals: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return each snapshot's lead's first closing among `deals`, the end of time if none."""
    first = deals.groupby("lead_id")["closed_us"].min()
    return first.reindex(lead_id, fill_value=_NEVER).to_numpy(dtype=np.int64)
