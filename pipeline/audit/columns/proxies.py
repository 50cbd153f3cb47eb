"""Signals that are proxies of a sensitive column that they do not read."""

import numpy as np
import pandas as pd
from scipy.stats.contingency import association

from leadscore.pipeline.audit.columns.subjects import WON, Codes, read_values
from leadscore.pipeline.audit.records import Finding
from leadscore.pipeline.config.checks import is_sensitive
from leadscore.pipeline.config.data import FieldConfig
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.ingest.leads import LEAD_ID

PROXY = 0.5
"""From this Cramér's V on, one column is a proxy of another."""
MIN_KNOWN = 200
_RAREST = 10


def judge_proxies(project: Project, snapshots: Dataset, raw: pd.DataFrame) -> list[Finding]:
    """Find signals that are proxies of a sensitive column that they do not read.

    `snapshots` has one snapshot per lead. `raw` comes from `make_source_frame`. Each pair of a
    signal and a column with a Cramér's V of .5 or more gets a warning.

    References
    ----------
    H. Cramér, "Mathematical Methods of Statistics" (1946), chapter 21.
    """
    columns = find_sensitive(project, raw)
    once = raw.drop_duplicates(LEAD_ID).set_index(LEAD_ID).reindex(snapshots.lead_id.astype(str))
    sensitive = {column: read_values(once[column]).coarse for column in columns}
    fields = project.data.leads.fields
    found = []
    for signal in project.catalog.signals:
        reads = {fields[name].column or name for name in signal.inputs}
        values = read_values(snapshots.signals[signal.column]).coarse
        for column in columns:
            strength = 0.0 if column in reads else measure_association(values, sensitive[column])
            if strength >= PROXY:
                found.append(
                    Finding(
                        "warning", signal.column,
                        f"it is a proxy of {column!r}, which is sensitive: Cramér's V "
                        f"{strength:.2f}",
                        "leave it out of signals.yaml, unless you may use that column",
                    )
                )  # fmt: skip
    return found


def find_sensitive(project: Project, raw: pd.DataFrame) -> list[str]:
    """Return the sensitive columns of the leads' file, by declaration or by name."""
    declared = {
        config.column or name
        for name, config in project.data.leads.fields.items()
        if is_sensitive(name, config)
    }
    named = {column for column in raw.columns if is_sensitive(column, FieldConfig())}
    return sorted((declared | named) & set(raw.columns) - {LEAD_ID, WON})


def measure_association(one: Codes, other: Codes) -> float:
    """Return Cramér's V of two columns where both are filled, rare values aside; 0 if too few."""
    both = (one > 0) & (other > 0) & _common(one) & _common(other)
    if both.sum() < MIN_KNOWN:
        return 0.0
    table = pd.crosstab(one[both], other[both]).to_numpy()
    if min(table.shape) < 2:
        return 0.0
    return float(association(table, method="cramer"))


def _common(codes: Codes) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray((np.bincount(codes) >= _RAREST)[codes])
