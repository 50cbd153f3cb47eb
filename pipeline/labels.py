"""Labels of three states: won, not won, immature; an immature snapshot is never counted as lost."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.snapshots import DAY_US

WON, NOT_WON = 1, 0


@dataclass(frozen=True)
class Labels:
    """The labels of n snapshots.

    `known` (bool, n) marks the snapshots that have one; `label` (int8, n) is 1 for won and 0 for
    not won, and means nothing where not known. `left_out` counts the others, by reason.
    """

    known: npt.NDArray[np.bool_]
    label: npt.NDArray[np.int8]
    left_out: dict[str, int]


def label_snapshots(
    snapshots: pa.Table, outcomes: pa.Table, horizon_days: float | None, extract_us: int | None
) -> Labels:
    """Label every snapshot by what happened within the horizon after it.

    With a horizon: won if the lead was won in ``(as_of, as_of + horizon]``; immature, and left out,
    if the horizon ends after the extract, early wins included, since keeping only those would raise
    the win rate; left out too if the lead closed at or before as_of. Without one (outcomes have no
    times): won or not as recorded at the extract, leads still open left out.

    Parameters
    ----------
    snapshots : Table
        lead_id and as_of_us, one row per snapshot.
    outcomes : Table
        lead_id, status and closed_us; at most one row per lead.
    horizon_days : float or None
    extract_us : int or None
        Until when outcomes are known; needed with a horizon.

    Returns
    -------
    Labels
        In the order of `snapshots`.
    """
    statuses = dict(
        zip(
            outcomes["lead_id"].to_pylist(),
            zip(outcomes["status"].to_pylist(), outcomes["closed_us"].to_pylist(), strict=True),
            strict=True,
        )
    )
    found = [statuses.get(lead_id, ("open", None)) for lead_id in snapshots["lead_id"].to_pylist()]
    won = np.array([status == "won" for status, _ in found], bool)
    if horizon_days is None:
        known = np.array([status != "open" for status, _ in found], bool)
        return Labels(known, won.astype(np.int8), {"still open": int((~known).sum())})
    if extract_us is None:
        raise ValueError("a horizon needs the moment of the extract")
    as_of = snapshots["as_of_us"].to_numpy()
    never = np.iinfo(np.int64).max
    closed = np.array([never if moment is None else moment for _, moment in found], np.int64)
    end = as_of + round(horizon_days * DAY_US)
    closed_before = closed <= as_of
    immature = ~closed_before & (end > extract_us)
    label = won & (closed <= end)
    left_out = {
        "closed at or before the snapshot": int(closed_before.sum()),
        "immature": int(immature.sum()),
    }
    return Labels(~closed_before & ~immature, label.astype(np.int8), left_out)
