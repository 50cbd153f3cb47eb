"""The dataset: signals and labels of all mature snapshots; and its split by time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.labels import Maturity, label_snapshots
from leadscore.pipeline.dataset.snapshots import take_snapshots
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.signals.history.reader import read_history
from leadscore.pipeline.values.times import read_moment

Order = Literal["time", "arrival", "none"]


@dataclass(frozen=True)
class Dataset:
    """n mature snapshots, ordered by their lead's creation.

    `signals` is a frame of n rows with one column per signal; `label` is int8 (n,); `lead_id` is
    object (n,) and `lead` numbers the leads from 0 (n,); `age_days` (n,) is how old the lead was;
    `begin` is the lead's creation and `matured` when the label was known, both (n,), in
    microseconds or arrival numbers as `order` says. `left_out` counts the snapshots that are not
    here, by reason.
    """

    signals: pd.DataFrame
    label: npt.NDArray[np.int8]
    lead: npt.NDArray[np.intp]
    lead_id: npt.NDArray[np.object_]
    age_days: npt.NDArray[np.float64]
    begin: npt.NDArray[np.float64]
    matured: npt.NDArray[np.float64]
    order: Order
    left_out: dict[str, int]

    def rows(self, mask: npt.NDArray[np.bool_]) -> "Dataset":
        """Return the dataset of the rows marked in `mask` (bool, n)."""
        return Dataset(
            self.signals[mask].reset_index(drop=True),
            self.label[mask],
            self.lead[mask],
            self.lead_id[mask],
            self.age_days[mask],
            self.begin[mask],
            self.matured[mask],
            self.order,
            self.left_out,
        )

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.label)


def build_dataset(project: Project, tables: Ingested) -> Dataset:
    """Compute signals and labels of every snapshot of a project.

    It is sorted by creation or arrival, then lead_id; unordered leads by lead_id.

    Raises DataError if no snapshot has a label yet.
    """
    training = project.training
    snapshots = take_snapshots(tables.leads, training.snapshots.ages)
    maturity = find_maturity(project, tables)
    labels = label_snapshots(snapshots, tables.outcomes, maturity)
    if not labels.known.any():
        reasons = ", ".join(f"{count} {reason}" for reason, count in labels.left_out.items())
        raise DataError(f"no snapshot has a known outcome: {reasons}; wait, or shorten the horizon")
    kept = snapshots.filter(pa.array(labels.known))
    signals = read_history(project.catalog, kept, tables.history, project.limits)
    order: Order = (
        "time" if project.data.leads.created else "arrival" if project.data.leads.order else "none"
    )
    begin, matured = _clocks(kept, order, maturity)
    lead_id = np.array(kept["lead_id"].to_pylist(), object)
    lead = pd.factorize(lead_id)[0]
    label = labels.label[labels.known]
    age_days = kept["age_days"].to_numpy()
    return Dataset(signals, label, lead, lead_id, age_days, begin, matured, order, labels.left_out)


def find_maturity(project: Project, tables: Ingested) -> Maturity | None:
    """Return what the labels of a project wait for; None where outcomes have no times.

    Raises DataError if there is a horizon, and no time in the data says when it was taken.
    """
    training, since = project.training, project.data.outcomes.since
    if training.horizon_days is None:
        return None
    if tables.extract_us is None:
        raise DataError("a horizon needs the moment of the extract; give extracted_at in data.yaml")
    return Maturity(
        training.horizon_days,
        tables.extract_us,
        training.settle_days,
        None if since is None else read_moment(since),
    )


def _clocks(
    snapshots: pa.Table, order: Order, maturity: Maturity | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if order == "none":
        nothing = np.zeros(len(snapshots))
        return nothing, nothing
    if order == "arrival":
        arrival = snapshots["arrival"].to_numpy()
        return arrival, arrival
    begin = snapshots["created_us"].to_numpy().astype(np.float64)
    wait = 0 if maturity is None else maturity.wait_us
    return begin, snapshots["as_of_us"].to_numpy() + wait
