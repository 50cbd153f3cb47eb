"""One contender against another: the gain in wins, what would prove it, and who swaps."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from leadscore.models.bands import BANDS
from leadscore.pipeline.comparison.call_simulator import CallOutcome, find_as_of_us, sum_by_lead
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet, ScoredContender
from leadscore.pipeline.comparison.experiment import LEVEL, POWER
from leadscore.pipeline.comparison.measures import MEASURED, Measured
from leadscore.pipeline.comparison.records import Pair, SwapCounts, Swaps, SwapTrait
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.evaluation.close_rates import (
    MIN_GROUP_LEADS,
    Group,
    count_leads,
    make_group,
)
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.evaluation.resampling import Gain, estimate_gain, percentile
from leadscore.pipeline.scoring.score_file import escape_formula
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
    """Divide the leads by who calls them.

    `one` and `other` are how much of each of n snapshots each contender calls, (n,). The leads of
    `later` are numbered from 0.
    """
    sides = [(called, sum_by_lead(later, called)) for called in (one, other)]
    both = np.minimum(sides[0][1], sides[1][1])
    only, rows = [], []
    for called, by_lead in sides:
        part = by_lead - both
        share = np.divide(part, by_lead, out=np.zeros_like(part), where=by_lead > 0.0)
        only.append(part)
        rows.append(called * share[later.lead])
    return CallShares(both, *only, *rows)


def count_wins_apart(later: Dataset, one: Floats, other: Floats) -> tuple[float, float]:
    """Return the wins that only `one` reaches, lead by lead, and those that only `other` does."""
    apart = sum_by_lead(later, (one - other) * later.label)
    return float(np.maximum(apart, 0.0).sum()), float(np.maximum(-apart, 0.0).sum())


def find_swaps(
    evaluation_set: EvaluationSet, one: Floats, other: Floats, signals: Mapping[str, Signal]
) -> Swaps:
    """Return who swaps between two contenders.

    `one` and `other` are how much of each snapshot each of them calls, (n,). `signals` are by
    column, for their names.
    """
    later, shares = evaluation_set.later, share_calls(evaluation_set.later, one, other)
    label = later.label.astype(np.float64)
    neither = np.clip(1.0 - shares.both - shares.only_one - shares.only_other, 0.0, 1.0)

    def count(leads: Floats, called: Floats, won: Floats = label) -> SwapCounts:
        return SwapCounts(float(leads.sum()), float(called @ won))

    return Swaps(
        both=count(shares.both, one - shares.rows_one),
        both_other=count(shares.both, other - shares.rows_other),
        only_one=count(shares.only_one, shares.rows_one),
        only_other=count(shares.only_other, shares.rows_other),
        neither=count(neither, neither, evaluation_set.won.astype(np.float64)),
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
    sides = (shares.rows_one, shares.rows_other)
    for code, level in enumerate(levels):
        has = codes == code
        if len(np.unique(lead[has])) < MIN_GROUP_LEADS:
            continue
        share = float(has.mean())
        one, other = (float(rows @ has / rows.sum()) for rows in sides)
        effect = float(abs(one - other) / max(np.sqrt(share * (1.0 - share)), 1e-9))
        if best is None or effect > best.effect:
            best = SwapTrait(signal.column, signal.named("en"), str(level), one, other, effect)
    return best


def write_swaps(
    path: Path, evaluation_set: EvaluationSet, pairs: Iterable[tuple[str, str, Floats, Floats]]
) -> None:
    """Write the leads that swap to a CSV, for those who may see them.

    Columns out: called_by, not_by, lead_id, as_of, part (1, or less where a tie shares the call),
    won. Grain: one row per lead, pair and side. `pairs` has the names of two contenders and how
    much of each snapshot each of them calls. Raises DataError if the file cannot be written.
    """
    later = evaluation_set.later
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
    except OSError as error:
        raise DataError(f"--swaps-csv: {path}: cannot be written: {error}") from error


_LEAST_GAIN = 1e-9


class Rate(NamedTuple):
    """A figure, and the same in each draw (draws,)."""

    value: float
    drawn: Floats


class Side(NamedTuple):
    """All that is known of one contender; `rates` are precision and lift at capacity."""

    scored: ScoredContender
    reached: CallOutcome
    measured: Measured
    rates: Mapping[str, Rate]


def find_rates(reached: CallOutcome, chance: CallOutcome) -> dict[str, Rate]:
    """Return precision and lift at capacity of a contender, held against calling by chance."""
    precision, by_chance = (
        Rate(float(one.wins[0] / one.calls[0]), one.drawn_wins[0] / one.drawn_calls[0])
        for one in (reached, chance)
    )
    won = by_chance.drawn > 0.0
    lift = Rate(
        precision.value / by_chance.value if by_chance.value > 0.0 else 1.0,
        precision.drawn[won] / by_chance.drawn[won],
    )
    return {"precision_at_capacity": precision, "lift_at_capacity": lift}


def measure_gain(later: Dataset, one: CallOutcome, other: CallOutcome) -> Gain:
    """Return the gain in wins at capacity of one contender over another."""
    shares = share_calls(later, one.called, other.called)
    return estimate_gain(
        float(one.wins[0] - other.wins[0]),
        one.drawn_wins[0] - other.drawn_wins[0],
        *count_wins_apart(later, one.called, other.called),
        float(shares.only_one.sum() + shares.only_other.sum()),
    )


def count_needed(wins: float, gain: float, error: float, pairs: int) -> float | None:
    """Return how many wins would prove a gain in four comparisons out of five.

    A gain grows with the wins, its standard error with their root. `wins` are those of this
    comparison, `gain` is in wins, and `error` is its standard error. The level of 5 % is shared
    among all `pairs` (Bonferroni).
    """
    if abs(gain) < _LEAST_GAIN or error < _LEAST_GAIN:
        return None
    sure = float(norm.ppf(1.0 - LEVEL / pairs / 2.0) + norm.ppf(POWER))
    return wins * (sure * error / gain) ** 2


def compare_pair(
    evaluation_set: EvaluationSet,
    one: Side,
    other: Side,
    gain: Gain,
    p: float,
    pairs: int,
    smallest_gain: float,
    signals: Mapping[str, Signal],
) -> Pair:
    """Put together what is known of two contenders.

    `p` is corrected for all pairs, whose number is `pairs`. `smallest_gain` is the relative gain
    worth finding. `signals` are by column.
    """
    wins = float(evaluation_set.won.sum())
    least = smallest_gain * min(float(one.reached.wins[0]), float(other.reached.wins[0]))
    return Pair(
        one=one.scored.contender.key,
        other=other.scored.contender.key,
        gain=gain,
        p=p,
        proven=p <= LEVEL,
        metrics={"wins_at_capacity": gain.wins, **_subtract(one, other)},
        needed=count_needed(wins, gain.wins.value, gain.error, pairs),
        needed_for_gain=count_needed(wins, least, gain.error, pairs),
        swaps=find_swaps(evaluation_set, one.reached.called, other.reached.called, signals),
        bands=_cross_bands(evaluation_set, one.scored, other.scored),
    )


def _subtract(one: Side, other: Side) -> dict[str, Estimate]:
    """Return the differences of all measures, in the same draws for both."""
    rates = {
        name: percentile(rate.value - other.rates[name].value, rate.drawn - other.rates[name].drawn)
        for name, rate in one.rates.items()
    }
    measures = {
        name: percentile(
            float(one.measured.value[place] - other.measured.value[place]),
            one.measured.drawn[place] - other.measured.drawn[place],
        )
        for place, name in enumerate(MEASURED)
    }
    return {**rates, **measures}


def _cross_bands(
    evaluation_set: EvaluationSet, one: ScoredContender, other: ScoredContender
) -> tuple[tuple[Group, ...], ...]:
    """Count the snapshots by both bands; small cells are silent."""
    later, label = evaluation_set.later, evaluation_set.later.label
    rows = []
    for band in reversed(BANDS):
        cells = []
        for other_band in reversed(BANDS):
            mask = (one.scores.band == band) & (other.scores.band == other_band)
            mean = float(np.mean(one.scores.probability[mask])) if mask.any() else 0.0
            cells.append(
                make_group(
                    f"{band} / {other_band}", count_leads(later, mask), int(mask.sum()),
                    int(label[mask].sum()), mean,
                )
            )  # fmt: skip
        rows.append(tuple(cells))
    return tuple(rows)
