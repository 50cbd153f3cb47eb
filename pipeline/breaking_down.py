"""Breaking leads down by a category: by which, and how many leads each of its levels has."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.settings import Project

MISSING = "(missing)"
MOST_LEVELS = 15


def choose_breakdowns(project: Project) -> tuple[str, ...]:
    """Return the columns to break down by: those that training.yaml names under ``report.by``.

    Without that, the first two category signals of the families web and firmographic. What is in
    quarantine was not learned from and is left out.
    """
    signals = {signal.column: signal for signal in project.catalog.signals if signal.is_category}
    chosen = project.training.report.by
    if chosen is None:
        ranked = sorted(signals, key=lambda column: signals[column].declaration.family != "web")
        chosen = tuple(
            column for column in ranked
            if signals[column].declaration.family in ("web", "firmographic")
        )[:2]  # fmt: skip
    return tuple(column for column in chosen if column in signals)


def leads_by_level(values: "pd.Series[str]", lead: npt.NDArray[np.intp]) -> dict[str, int]:
    """Count the distinct leads that have each level; n values, the lead's number of each (n,)."""
    pairs = pd.DataFrame({"level": values.to_numpy(dtype=object), "lead": lead}).dropna()
    counted = pairs.groupby("level", sort=True)["lead"].nunique()
    return {str(level): int(count) for level, count in counted.items()}
