"""The last steps to a scorecard, however its terms came about: quantiles, axes, bands, seal."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands, Minimums, SheetBands
from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.score_frame import assign_bands, score_frame, sum_axes
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.signals.catalog import Catalog


def plain_bands(bands: Bands) -> Bands:
    """Return the cutoffs of every lead alone, for a scorecard whose axes have no cut points yet."""
    silent: dict[str, object] = {"by": None, "instead": {}, "minimums": Minimums()}
    if isinstance(bands, SheetBands):
        silent["at_instead"] = {}
    return bands.model_copy(update=silent)


def finish_scorecard(
    draft: Scorecard,
    bands: Bands,
    later: pd.DataFrame,
    later_log_odds: npt.NDArray[np.float64],
    axes: Axes | None = None,
) -> Scorecard:
    """Give a scorecard what depends on the leads it will meet, then golden leads and its hash.

    Columns in: one per signal. Grain: one row per snapshot of the later period.

    Parameters
    ----------
    draft : Scorecard
        With `plain_bands`.
    bands : Bands
        That it gets.
    later : DataFrame of n rows
    later_log_odds : float array of shape (n,)
    axes : Axes, optional
        In place of quarters of the later period, as far as given.

    Returns
    -------
    Scorecard
        Sealed.

    Raises
    ------
    RefusalError
        If the bands ask for what the scorecard does not have: a signal, or an axis.
    """
    found, given = cut_axes(draft, later), axes or Axes()
    axes = Axes(fit=given.fit or found.fit, engagement=given.engagement or found.engagement)
    lacking = [name for name in sorted(bands.minimums.axes) if getattr(axes, name) is None]
    if lacking:
        raise RefusalError(
            f"the bands have a minimum of {', '.join(lacking)}, but no signal that is scored is of "
            "its families; take the minimum out, or score such a signal"
        )
    if bands.by is not None and bands.by not in Catalog.model_validate(draft.definitions).columns:
        raise RefusalError(
            f"the bands go by {bands.by}, which is not among the signals that are scored (see what "
            "the audit left out); take `by` out, or allow the signal"
        )
    quantiles = np.quantile(later_log_odds, np.linspace(0.0, 1.0, 101))
    done = {"quantiles": tuple(map(float, quantiles)), "axes": axes, "bands": bands}
    return add_golden_leads(draft.model_copy(update=done)).sealed()


def band_snapshots(
    scorecard: Scorecard, signals: pd.DataFrame, log_odds: npt.NDArray[np.float64]
) -> npt.NDArray[np.object_]:
    """Return the bands of n snapshots by log-odds that may be another's (a fold's), shape (n,)."""
    return assign_bands(scorecard, signals, log_odds, score_frame(scorecard, signals).contributions)


_QUARTERS = (0.25, 0.5, 0.75)


def cut_axes(scorecard: Scorecard, signals: pd.DataFrame) -> Axes:
    """Find the cut points of fit and engagement: a quarter of the snapshots between each two.

    A cut point lies just above its quartile, so that where a quarter ends among snapshots of equal
    partial sum, the lower grade has them all: leads which did nothing are then a 4, however many
    they are, and cut points coincide.

    Columns in: one per term. Grain: one row per snapshot of the later period, or of all where there
    is no later one.

    Returns
    -------
    Axes
        None for an axis that no term lies on.
    """
    sums = sum_axes(scorecard, score_frame(scorecard, signals).contributions)
    fit, engagement = (
        tuple(np.nextafter(np.quantile(axis, _QUARTERS), np.inf).tolist()) if members else None
        for axis, members in zip(sums, scorecard.axis_members, strict=True)
    )
    return Axes(fit=fit, engagement=engagement)
