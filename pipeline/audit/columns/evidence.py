"""From what is seen of a column to a verdict: each sign of a leak, how heavy it is, and why.

The limits were set on X Education, the bank's calls and worlds of our own; the proofs hold them to
worlds that were not used for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.audit.columns.certain_values import (
    EXPECTED,
    NEVER,
    CertainValues,
    find_certain_values,
)
from leadscore.pipeline.audit.columns.encoding import Values
from leadscore.pipeline.audit.columns.predictive_power import Labels, measure_auc, predict_alone
from leadscore.pipeline.audit.records import ColumnVerdict
from leadscore.pipeline.evaluation.metrics import Estimate

TOO_GOOD, VERY_GOOD = 0.95, 0.88
"""AUC that no single fact known beforehand has, and that hardly any has."""
MATTERS = 0.65
"""From this AUC on, a column that was stronger at one time is worth a question."""
SURE, SUREST = 20.0, 55.0
"""Odds ratios, at the low ends of their intervals, that few honest values have, and hardly any."""
SPARED = 25.0
"""Number of leads that won although, at the overall rate, they should not have."""
UNEVEN = 0.5
"""A share filled that differs by this much between stretches of time."""
STRETCHES = 8
APART = 0.10
"""An AUC that differs by this much between the halves of the data."""

Suspicion = tuple[ColumnVerdict, str]


@dataclass(frozen=True)
class ColumnStatistics:
    """What one column shows: the shares filled among won and not, and what it carries alone.

    `auc_earlier` and `auc_later` are of the halves of the leads, None without order.
    """

    filled: float
    filled_won: float
    filled_not_won: float
    values: int
    auc: Estimate
    auc_earlier: float | None
    auc_later: float | None
    certainty: CertainValues
    uneven: float


def measure_column(
    values: Values, won: Labels, order: npt.NDArray[np.float64] | None
) -> ColumnStatistics:
    """Look at one column.

    Parameters
    ----------
    values : Values
        Of n leads whose outcome is known, both won and not.
    order : float array (n,) or None
        Time of creation or arrival number.
    """
    filled = values.filled
    scores = predict_alone(values.coarse, won)
    halves = [None, None] if order is None else list(_halves(scores, won, order))
    return ColumnStatistics(
        filled=float(filled.mean()),
        filled_won=float(filled[won].mean()),
        filled_not_won=float(filled[~won].mean()),
        values=len(np.unique(values.exact[filled])),
        auc=measure_auc(scores, won),
        auc_earlier=halves[0],
        auc_later=halves[1],
        certainty=find_certain_values(values, won),
        uneven=0.0 if order is None else _unevenness(filled, order),
    )


def _halves(
    scores: npt.NDArray[np.float64], won: Labels, order: npt.NDArray[np.float64]
) -> Iterator[float | None]:
    middle = np.median(order)
    for half in (order <= middle, order > middle):
        mixed = half.any() and 0 < won[half].sum() < half.sum()
        yield measure_auc(scores[half], won[half]).value if mixed else None


def _unevenness(filled: npt.NDArray[np.bool_], order: npt.NDArray[np.float64]) -> float:
    """Return by how much the share filled differs between stretches of the leads' order."""
    parts = np.array_split(filled[np.argsort(order, kind="stable")], STRETCHES)
    shares = [part.mean() for part in parts if len(part) >= 25]
    return float(max(shares) - min(shares)) if shares else 0.0


def list_suspicions(
    seen: ColumnStatistics, as_of: bool, from_text: bool = False
) -> Iterator[Suspicion]:
    """Yield what speaks against a column, each with its weight.

    Parameters
    ----------
    as_of : bool
        Whether its values are known to be those of the moment: read from activities, or from
        changes. Then only what no honest signal can be speaks against it.
    from_text : bool
        Whether a function of ours made them from a text, as marks of spam, which may well never
        win.
    """
    auc, sure = seen.auc, seen.certainty
    alone = f"AUC {auc.value:.3f} alone ({auc.low:.3f} to {auc.high:.3f})"
    if auc.low >= TOO_GOOD:
        yield "refuse", f"it predicts the outcome by itself: {alone}"
    elif auc.low >= VERY_GOOD:
        yield "quarantine", f"it predicts nearly all by itself: {alone}"
    if sure.wins >= 0.5 and sure.odds_ratio >= SURE:
        yield (
            "refuse",
            f"single values always win, and hold {sure.wins:.0%} of all wins: " + (sure.always),
        )
    if sure.spared >= SPARED:
        yield "quarantine", f"a value always wins, without one exception: {sure.always}"
    elif sure.spared >= SPARED / 2.5 or (sure.wins >= 0.1 and not as_of):
        yield "not vouched for", f"single values nearly always win: {sure.always}"
    if as_of:
        return
    yield from _weigh_certainty(seen, from_text)
    yield from _weigh_filling(seen)
    if _disagrees(seen):
        yield (
            "not vouched for" if auc.value >= MATTERS else "use",
            f"it predicts better in one half of the time than in the other: "
            f"AUC {seen.auc_earlier:.2f} in the earlier, {seen.auc_later:.2f} in the later half",
        )


def _weigh_certainty(seen: ColumnStatistics, from_text: bool) -> Iterator[Suspicion]:
    sure = seen.certainty
    if (0.3 <= sure.wins < 0.5 and sure.odds_ratio >= SURE) or (
        sure.wins >= 0.03 and sure.odds_ratio >= SUREST
    ):
        yield (
            "quarantine",
            f"single values always win, and hold {sure.wins:.0%} of all wins: {sure.always}",
        )
    if from_text:  # signals of a text cannot change after a win, and spam may well never win
        return
    both = f"some values always win ({sure.always}), others never ({sure.never})"
    if sure.wins >= 0.10 and sure.others >= 0.05:
        yield "refuse", both
    elif sure.wins >= 0.01 and sure.others >= 0.02:
        yield "quarantine", both
    elif sure.others >= 0.02 and sure.never_expected >= 50.0:
        yield "not vouched for", f"a value never wins: {sure.never}"
    others = 1.0 - sure.constant_others
    if (
        sure.constant >= 0.95
        and others >= 0.25
        and sure.constant_rate <= NEVER
        and sure.constant_expected >= EXPECTED
    ):
        far = others >= 0.4 and sure.constant_rate <= NEVER / 2.0
        heavy: ColumnVerdict = "refuse" if far else "quarantine"
        yield (
            heavy if sure.constant >= 0.99 else "not vouched for",
            f"constant after a win: {sure.constant:.1%} of the won leads have {sure.constant_value}"
            f", and {sure.constant_others:.1%} of the others",
        )


def _weigh_filling(seen: ColumnStatistics) -> Iterator[Suspicion]:
    shares = f"filled for {seen.filled_won:.0%} of the won leads and {seen.filled_not_won:.0%} of "
    gap = abs(seen.filled_won - seen.filled_not_won)
    if gap >= 0.5:
        yield "quarantine", f"{shares}the others: was it filled after the outcome?"
    elif gap >= 0.4:
        yield "not vouched for", f"{shares}the others: when was it filled?"
    if seen.uneven >= UNEVEN:
        yield (
            "not vouched for",
            f"the share filled differs by {seen.uneven:.0%} between stretches of time: what it "
            "says does not mean the same throughout",
        )


def _disagrees(seen: ColumnStatistics) -> bool:
    earlier, later = seen.auc_earlier, seen.auc_later
    if earlier is None or later is None:
        return False
    error = (seen.auc.high - seen.auc.low) / (2.0 * 1.96) * np.sqrt(2.0)  # of each half
    return bool(abs(earlier - later) >= max(APART, 4.0 * np.sqrt(2.0) * error))
