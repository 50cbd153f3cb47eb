"""The last steps to a scorecard, however its terms came about: quantiles, axes, bands, seal."""

import numpy as np

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands, Minimums, SheetBands
from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.score_frame import Floats, sum_axes
from leadscore.models.scorecard import Scorecard
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.signals.catalog import Catalog


def plain_bands(bands: Bands) -> Bands:
    """Return the cutoffs of every lead alone, for a scorecard whose axes have no cut points yet."""
    silent: dict[str, object] = {"by": None, "overrides": {}, "minimums": Minimums()}
    if isinstance(bands, SheetBands):
        silent["at_overrides"] = {}
    return bands.model_copy(update=silent)


def finish_scorecard(
    draft: Scorecard,
    bands: Bands,
    contributions: Floats,
    log_odds: Floats,
    axes: Axes | None = None,
) -> Scorecard:
    """Add what depends on the later leads: quantiles and axes. Then add golden leads and the hash.

    `draft` has `plain_bands`; `bands` are those of the finished scorecard. Contributions (n, terms
    + caps) and log-odds (n,) are those of the later period, without order out of fold. `axes` has
    the cut points that a sheet gives; the others are the quarters of the later period.

    Raises RefusalError if the bands ask for what the scorecard does not have: a signal, or an axis.
    """
    found, given = cut_axes(draft, contributions), axes or Axes()
    axes = Axes(fit=given.fit or found.fit, engagement=given.engagement or found.engagement)
    lacking = [name for name in sorted(bands.minimums.axes) if getattr(axes, name) is None]
    if lacking:
        raise RefusalError(
            f"the bands have a minimum of {', '.join(lacking)}, but no scored signal belongs to "
            "its families; remove the minimum, or score such a signal"
        )
    if bands.by is not None and bands.by not in Catalog.model_validate(draft.definitions).columns:
        raise RefusalError(
            f"the bands depend on {bands.by}, which is not a scored signal (see what the audit "
            "left out); remove `by`, or allow the signal"
        )
    quantiles = np.quantile(log_odds, np.linspace(0.0, 1.0, 101))
    done = {"quantiles": tuple(map(float, quantiles)), "axes": axes, "bands": bands}
    return add_golden_leads(draft.model_copy(update=done)).sealed()


_QUARTERS = (0.25, 0.5, 0.75)


def cut_axes(scorecard: Scorecard, contributions: Floats) -> Axes:
    """Find the cut points of fit and engagement: a quarter of the snapshots between each two.

    A cut point lies just above its quartile. Snapshots with the same partial sum as the quartile
    all get the lower grade. So leads that did nothing are a 4, however many they are, and cut
    points may coincide.

    Contributions (n, terms + caps) are those of the later period, or of all snapshots without
    order. An axis without terms is None.
    """
    sums = sum_axes(scorecard, contributions)
    fit, engagement = (
        tuple(np.nextafter(np.quantile(axis, _QUARTERS), np.inf).tolist()) if members else None
        for axis, members in zip(sums, scorecard.axis_members, strict=True)
    )
    return Axes(fit=fit, engagement=engagement)
