"""Who swaps: leads that one contender would have called and another not, and their fate."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.comparison.call_simulator import find_as_of_us, sum_by_lead
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet
from leadscore.pipeline.comparison.records import SwapCounts, Swaps, SwapTrait
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.evaluation.groups import MIN_GROUP_LEADS
from leadscore.pipeline.scoring.output import escape_formula
from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.values.times import format_time

Floats = npt.NDArray[np.float64]
MOST_TRAITS = 8


class CallShares(NamedTuple):
    """How much of each lead is called by whom, each (leads,), and by which snapshot (n,)."""

    both: Floats
    only_one: Floats
    only_other: Floats
    rows_one: Floats
    rows_other: Floats


def share_calls(later: Dataset, one: Floats, other: Floats) -> CallShares:
    """Part the leads by who calls them.

    Parameters
    ----------
    later : Dataset
        Its leads are numbered from 0.
    one, other : float array of shape (n,)
        How much of each snapshot each contender calls.
    """
    of_one, of_other = sum_by_lead(later, one), sum_by_lead(later, other)
    both = np.minimum(of_one, of_other)
    only_one, only_other = of_one - both, of_other - both
    return CallShares(
        both,
        only_one,
        only_other,
        one * _share(only_one, of_one)[later.lead],
        other * _share(only_other, of_other)[later.lead],
    )


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0)


def count_wins_apart(later: Dataset, one: Floats, other: Floats) -> tuple[float, float]:
    """Return the wins that only `one` reaches, lead by lead, and those that only `other` does."""
    apart = sum_by_lead(later, (one - other) * later.label)
    return float(np.maximum(apart, 0.0).sum()), float(np.maximum(-apart, 0.0).sum())


def find_swaps(
    evaluation_set: EvaluationSet, one: Floats, other: Floats, signals: Mapping[str, Signal]
) -> Swaps:
    """Return who swaps between two contenders.

    Parameters
    ----------
    one, other : float array of shape (n,)
        How much of each snapshot each of them calls.
    signals : mapping of str to Signal
        By column, for their names.
    """
    later, shares = evaluation_set.later, share_calls(evaluation_set.later, one, other)
    label = later.label.astype(np.float64)
    neither = np.clip(1.0 - shares.both - shares.only_one - shares.only_other, 0.0, 1.0)
    return Swaps(
        both=SwapCounts(float(shares.both.sum()), float((one - shares.rows_one) @ label)),
        both_other=SwapCounts(float(shares.both.sum()), float((other - shares.rows_other) @ label)),
        only_one=SwapCounts(float(shares.only_one.sum()), float(shares.rows_one @ label)),
        only_other=SwapCounts(float(shares.only_other.sum()), float(shares.rows_other @ label)),
        neither=SwapCounts(float(neither.sum()), float(neither @ evaluation_set.won)),
        traits=_find_traits(evaluation_set, shares, signals),
    )


def _find_traits(
    evaluation_set: EvaluationSet, shares: CallShares, signals: Mapping[str, Signal]
) -> tuple[SwapTrait, ...]:
    if min(shares.only_one.sum(), shares.only_other.sum()) < MIN_GROUP_LEADS:
        return ()
    frame = pd.concat([scored.signals for scored in evaluation_set.contenders], axis=1)
    frame = frame.loc[:, ~frame.columns.duplicated()]
    traits = []
    for column, signal in signals.items():
        if column in frame:
            traits.append(
                _level_trait(signal, frame[column], shares, evaluation_set.later.lead)
                if signal.is_category
                else _number_trait(signal, frame[column], shares)
            )
    found = [trait for trait in traits if trait is not None and trait.effect >= 0.2]
    return tuple(sorted(found, key=lambda trait: (-trait.effect, trait.column))[:MOST_TRAITS])


def _number_trait(
    signal: Signal, column: "pd.Series[float]", shares: CallShares
) -> SwapTrait | None:
    values = column.to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    weights = [np.where(known, rows, 0.0) for rows in (shares.rows_one, shares.rows_other)]
    spread = values[known].std() if known.any() else 0.0
    if min(weight.sum() for weight in weights) < MIN_GROUP_LEADS or not spread > 0.0:
        return None
    one, other = (float(weight @ np.nan_to_num(values) / weight.sum()) for weight in weights)
    return SwapTrait(signal.column, signal.named("en"), None, one, other, abs(one - other) / spread)


def _level_trait(
    signal: Signal, column: "pd.Series[str]", shares: CallShares, lead: npt.NDArray[np.intp]
) -> SwapTrait | None:
    codes, levels = pd.factorize(column)
    best: SwapTrait | None = None
    sums = shares.rows_one.sum(), shares.rows_other.sum()
    for code, level in enumerate(levels):
        has = codes == code
        if len(np.unique(lead[has])) < MIN_GROUP_LEADS:
            continue
        share = float(has.mean())
        one, other = (
            float(shares.rows_one @ has / sums[0]),
            float(shares.rows_other @ has / sums[1]),
        )
        effect = abs(one - other) / max(np.sqrt(share * (1.0 - share)), 1e-9)
        if best is None or effect > best.effect:
            best = SwapTrait(
                signal.column, signal.named("en"), str(level), one, other, float(effect)
            )
    return best


def write_swaps(
    path: Path, evaluation_set: EvaluationSet, pairs: Iterable[tuple[str, str, Floats, Floats]]
) -> int:
    """Write the leads that swap to a CSV, for those who may see them, and return how many.

    Columns out: called_by, not_by, lead_id, as_of, part (1, or less where a tie shares the call),
    won. Grain: one row per lead, pair and side.

    Parameters
    ----------
    pairs : iterable of (str, str, array, array)
        The names of two contenders and how much of each snapshot each of them calls.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    later, count = evaluation_set.later, 0
    dated = later.order == "time"
    as_of = find_as_of_us(later) if dated else np.zeros(len(later), np.int64)
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["called_by", "not_by", "lead_id", "as_of", "part", "won"])
            for one, other, called_one, called_other in pairs:
                shares = share_calls(later, called_one, called_other)
                for by, not_by, part in (
                    (one, other, shares.rows_one), (other, one, shares.rows_other),
                ):  # fmt: skip
                    for row in np.flatnonzero(part > 0.0):
                        moment = format_time(int(as_of[row])) if dated else ""
                        lead_id = escape_formula(str(later.lead_id[row]))
                        writer.writerow(
                            [by, not_by, lead_id, moment, f"{part[row]:.4g}", later.label[row]]
                        )
                        count += 1
    except OSError as error:
        raise DataError(f"--swaps-csv: {path}: cannot be written: {error}") from error
    return count
