"""One contender against another: the gain in wins, what would prove it, and who swaps."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from leadscore.models.bands import BANDS
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet, ScoredContender
from leadscore.pipeline.comparison.experiment import LEVEL, POWER
from leadscore.pipeline.comparison.measures import MEASURED, Measured
from leadscore.pipeline.comparison.records import Pair
from leadscore.pipeline.comparison.swaps import count_wins_apart, find_swaps, share_calls
from leadscore.pipeline.comparison.wins_at_capacity import CallOutcome
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.groups import Group, count_leads, make_group
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.evaluation.resampling import Gain, estimate_gain, percentile
from leadscore.pipeline.signals.catalog import Signal

_LEAST_GAIN = 1e-9
Floats = npt.NDArray[np.float64]


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
    precision = Rate(
        float(reached.wins[0] / reached.calls[0]), reached.drawn_wins[0] / reached.drawn_calls[0]
    )
    by_chance = float(chance.wins[0] / chance.calls[0])
    drawn_by_chance = chance.drawn_wins[0] / chance.drawn_calls[0]
    won = drawn_by_chance > 0.0
    lift = Rate(
        precision.value / by_chance if by_chance > 0.0 else 1.0,
        precision.drawn[won] / drawn_by_chance[won],
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

    A gain grows with the wins, its standard error with their root.

    Parameters
    ----------
    wins : float
        Of this comparison.
    gain, error : float
        Wins gained, and the standard error of that.
    pairs : int
        Of the comparison: the level of 5 % is shared among them (Bonferroni).
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

    Parameters
    ----------
    p : float
        Held for all pairs.
    pairs : int
        Their number.
    smallest_gain : float
        The relative gain worth finding.
    signals : mapping of str to Signal
        By column.
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
