"""A dataset of leads with one snapshot each, for tests of sheets."""

import numpy as np
import pandas as pd

from leadscore.pipeline.dataset.dataset import Dataset


def history(label, age_days=None, **columns) -> Dataset:
    """Return a dataset of leads with one snapshot each."""
    count = len(label)
    lead = np.arange(count)
    frame = pd.DataFrame(
        {
            "demographic__country": np.full(count, None, object),
            "firmographic__employees": np.full(count, np.nan),
            "email__newsletter": np.full(count, np.nan),
            **columns,
        }
    )
    ids = np.array([f"L{number}" for number in lead], object)
    ages = np.zeros(count) if age_days is None else age_days
    return Dataset(frame, np.asarray(label, np.int8), lead, ids, ages,
                   lead * 1.0, lead * 1.0, "arrival", {})  # fmt: skip
