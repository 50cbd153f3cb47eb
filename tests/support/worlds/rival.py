"""Worlds in which two contenders' worth is known: leads over weeks, snapshots, wins, two scores."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from leadscore.pipeline.comparison.call_simulator import (
    WEEK_US,
    CallOutcome,
    CallSimulator,
    list_weeks,
    simulate_calls,
)
from leadscore.pipeline.comparison.pairs import measure_gain
from leadscore.pipeline.dataset.dataset import Dataset, Order
from leadscore.pipeline.evaluation.resampling import Gain

Floats = npt.NDArray[np.float64]
MONDAY_US = 1_735_516_800_000_000  # 2024-12-30


def make_dataset(
    lead: list[int] | npt.NDArray[np.intp],
    week: list[float] | Floats,
    label: list[int] | npt.NDArray[np.int8],
    order: Order = "time",
    signals: pd.DataFrame | None = None,
) -> Dataset:
    """Snapshots of numbered leads, each taken so many weeks after a Monday."""
    number, moment = np.asarray(lead, np.intp), np.asarray(week, np.float64)
    first = np.full(int(number.max()) + 1, np.inf)
    np.minimum.at(first, number, moment)
    begin = MONDAY_US + np.round(first[number] * WEEK_US)
    return Dataset(
        signals=pd.DataFrame(index=range(len(number))) if signals is None else signals,
        label=np.asarray(label, np.int8),
        lead=number,
        lead_id=np.array([f"lead-{n:06}" for n in number], object),
        age_days=7.0 * (moment - first[number]),
        begin=begin if order == "time" else number.astype(np.float64),
        matured=begin,
        order=order,
        left_out={},
    )


@dataclass(frozen=True)
class Recipe:
    """How a world is made: `noise` and `noise_other` spoil what the contenders see of a lead.

    `steps` rounds the other's score, as a sheet of points has it, so that many leads tie.
    """

    leads: int = 800
    weeks: int = 20
    base: float = -2.5
    noise: float = 0.8
    noise_other: float = 0.8
    capacity: float = 8.0
    steps: float | None = None


class World(NamedTuple):
    """One draw of a recipe."""

    later: Dataset
    one: Floats
    other: Floats


def draw_world(recipe: Recipe, seed: int) -> World:
    """Leads looked at in up to three weeks, until they are won; two scores of each."""
    random = np.random.default_rng([seed, recipe.leads])
    worth = random.normal(size=recipe.leads)
    arrived = random.integers(recipe.weeks, size=recipe.leads)
    won = random.random(recipe.leads) < 1.0 / (1.0 + np.exp(-(recipe.base + 1.3 * worth)))
    won_week = arrived + random.integers(0, 6, size=recipe.leads)
    lead = np.repeat(np.arange(recipe.leads), 3)
    later_by = np.tile(np.arange(3), recipe.leads)
    seen = (later_by == 0) | (random.random(len(lead)) < 0.7)
    lead, week = lead[seen], (arrived[lead] + later_by)[seen]
    label = won[lead] & (won_week[lead] >= week)
    one = worth + recipe.noise * random.normal(size=recipe.leads)
    other = worth + recipe.noise_other * random.normal(size=recipe.leads)
    if recipe.steps is not None:
        other = np.round(other * recipe.steps)
    later = make_dataset(lead, week.astype(np.float64), label.astype(np.int8))
    return World(later, one[lead], other[lead])


def reach_both(world: World, capacity: float, bootstrap_draws: int, seed: int) -> list[CallOutcome]:
    """Let both contenders call."""
    later, weeks = world.later, list_weeks(world.later)
    callers = [CallSimulator(weeks, log_odds, later.lead) for log_odds in (world.one, world.other)]
    everybody = np.ones((1, len(later)))
    leads = int(later.lead.max()) + 1
    return simulate_calls(callers, capacity, later.label, leads, everybody, bootstrap_draws, seed)


def gain_in(
    recipe: Recipe, seed: int, bootstrap_draws: int = 500
) -> tuple[Gain, list[CallOutcome]]:
    """The gain of the one over the other in one world."""
    world = draw_world(recipe, seed)
    reached = reach_both(world, recipe.capacity, bootstrap_draws, seed)
    return measure_gain(world.later, *reached), reached


def with_gain(recipe: Recipe, gain: float, draws: int = 40) -> Recipe:
    """The recipe whose other contender is so much noisier that the one gains this, on average."""
    from dataclasses import replace

    def miss(noise: float) -> float:
        tried = replace(recipe, noise_other=noise)
        wins = np.zeros(2)
        for seed in range(draws):
            world = draw_world(tried, 10_000 + seed)
            weeks = list_weeks(world.later)
            for place, log_odds in enumerate((world.one, world.other)):
                called = CallSimulator(weeks, log_odds, world.later.lead).call_once(recipe.capacity)
                wins[place] += called @ world.later.label
        return float(wins[0] / wins[1] - 1.0 - gain)

    noise = brentq(miss, recipe.noise, recipe.noise + 4.0, xtol=0.005)
    return replace(recipe, noise_other=float(noise))
