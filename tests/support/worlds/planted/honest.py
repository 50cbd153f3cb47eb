"""Forty honest columns: some strong, most weak or worthless, as forms and enrichment make them.

Each gives its log-odds, so what a lead starts with makes the outcome, and never the other way.
"""

from dataclasses import dataclass

import numpy as np
from support.worlds.planted.columns import DAYS, Column, Dice, Floats, draw_levels, edit_blindly

SHAPES = (
    *("normal",) * 5, *("skewed",) * 5, *("count",) * 5, *("wide",) * 4,
    *("flag",) * 6, *("few",) * 9, *("many",) * 6,
)  # fmt: skip
STRONG_NUMBERS, STRONG_LEVELS = ("normal", "skewed", "wide"), ("flag", "few", "many")
MODERATE = 12
STRONG_SLOPE = (1.4, 2.4)  # beside the other columns; alone it is flatter: up to some 1.5
STRONG_RATIO = (7.0, 20.0)  # alone: up to some 8
_WORDS = "alder birch cedar elm fir hazel larch maple oak pine rowan spruce willow yew".split()


@dataclass(frozen=True)
class Made:
    """Values before some are blanked, and what each is worth."""

    values: list
    log_odds: Floats


def make_honest(dice: Dice, created: Floats) -> tuple[list[Column], Floats]:
    """Make the columns, and the sum of what they are worth."""
    columns, total = [], np.zeros(len(created))
    strengths = _deal_strengths(dice)
    odd = iter(dice.permutation([n for n, s in enumerate(SHAPES) if s == "few"]))
    drifting, late = next(odd), next(odd)
    for number, (shape, strength) in enumerate(zip(SHAPES, strengths, strict=True)):
        made = _SHAPES_MADE[shape](dice, len(created), strength)
        what = f"{strength} {shape}"
        if number == drifting and strength != "strong":
            made, what = _drift(dice, created), "drifting few"
        blank, effect, how = _draw_blanks(dice, len(created), strength)
        if number == late:
            blank = blank | (created < dice.uniform(0.3, 0.6) * DAYS)
            effect, how = 0.0, "asked for later only"
        values = [None if gone else v for v, gone in zip(made.values, blank, strict=True)]
        total += np.where(blank, effect, made.log_odds)
        kind = {"flag": "flag", "few": "text", "many": "text"}.get(shape, "number")
        columns.append(Column(f"{what}, {how}", kind, values))
    for column in columns:
        spread = dice.choice(["none", "early", "even", "run"], p=[0.4, 0.28, 0.28, 0.04])
        if spread != "none":
            edit_blindly(dice, column, created, dice.uniform(0.02, 0.25), spread)
            column.what += f", edited {spread}"
    return columns, total


def _deal_strengths(dice: Dice) -> list[str]:
    """Make one number and one category strong, and every other time a third; twelve moderate."""
    able = [[n for n, s in enumerate(SHAPES) if s in kinds]
            for kinds in (STRONG_NUMBERS, STRONG_LEVELS)]  # fmt: skip
    third = [*dice.choice(able[0] + able[1], dice.integers(0, 2))]
    strong = {*(int(dice.choice(places)) for places in able), *third}
    rest = dice.permutation([n for n in range(len(SHAPES)) if n not in strong])
    moderate = set(rest[:MODERATE])
    return [
        "strong" if n in strong else "moderate" if n in moderate else "worthless"
        for n in range(len(SHAPES))
    ]


def _draw_blanks(dice: Dice, count: int, strength: str) -> tuple[np.ndarray, float, str]:
    """Draw who left the field blank, and what that is worth (odds ratios up to 3)."""
    way = dice.choice(["full", "random", "telling"], p=[0.35, 0.45, 0.2])
    if way == "full":
        return np.zeros(count, bool), 0.0, "always filled"
    blank = dice.random(count) < dice.uniform(0.02, 0.1 if strength == "strong" else 0.45)
    if way == "random":
        return blank, 0.0, "blank at random"
    ratio = dice.uniform(1.5, 3.0) ** dice.choice([-1, 1])
    return blank, float(np.log(ratio)), f"blank with odds x {ratio:.2f}"


def _slope(dice: Dice, strength: str) -> float:
    low, high = {"strong": STRONG_SLOPE, "moderate": (0.15, 0.5), "worthless": (0, 0)}[strength]
    return float(dice.uniform(low, high) * dice.choice([-1, 1]))


def _normal(dice: Dice, count: int, strength: str) -> Made:
    latent = dice.normal(size=count)
    scale = dice.choice([1.0, 15.0, 300.0])
    values = np.round(scale * (latent + dice.uniform(-1, 4)), dice.integers(1, 4))
    return Made([float(v) for v in values], _slope(dice, strength) * latent)


def _skewed(dice: Dice, count: int, strength: str) -> Made:
    latent = dice.normal(size=count)
    values = np.round(np.exp(dice.uniform(1, 5) + dice.uniform(0.5, 1.5) * latent), 2)
    return Made([float(v) for v in values], _slope(dice, strength) * latent)


def _wide(dice: Dice, count: int, strength: str) -> Made:
    """Whole numbers over many powers of ten, as turnover has; often rounded by those who type."""
    latent = dice.normal(size=count)
    exact = 10 ** (dice.uniform(3, 6) + dice.uniform(0.5, 1.2) * latent)
    digits = np.where(dice.random(count) < 0.5, 1, 9)
    values = [int(float(f"{v:.{d}g}")) for v, d in zip(exact, digits, strict=True)]
    return Made(values, _slope(dice, strength) * latent)


def _count(dice: Dice, count: int, strength: str) -> Made:
    rate = dice.gamma(0.8, dice.uniform(1, 6), count)
    values = np.where(dice.random(count) < dice.uniform(0.2, 0.7), 0, dice.poisson(rate))
    logs = np.log1p(values)
    return Made(
        [int(v) for v in values], _slope(dice, strength) * (logs - logs.mean()) / logs.std()
    )


def _flag(dice: Dice, count: int, strength: str) -> Made:
    yes = dice.random(count) < dice.uniform(0.05, 0.6)
    ratio = {"strong": dice.uniform(*STRONG_RATIO), "moderate": dice.uniform(1.2, 2)}.get(
        strength, 1.0
    )
    worth = np.log(ratio) * dice.choice([-1, 1])
    return Made(["yes" if said else "no" for said in yes], np.where(yes, worth, 0.0))


def _few(dice: Dice, count: int, strength: str) -> Made:
    shares = dice.dirichlet(np.full(dice.integers(3, 9), 2.0))
    spread = {"strong": 0.3, "moderate": 0.4}.get(strength, 0.0)
    effects = np.clip(dice.normal(0, 1, len(shares)) * spread, -0.7, 0.7)
    if strength == "strong":
        fitting = np.flatnonzero((shares > 0.05) & (shares < 0.4))
        best = int(fitting[0]) if len(fitting) else int(np.argmin(shares))
        effects[best] = np.log(dice.uniform(*STRONG_RATIO)) + np.delete(effects, best).mean()
    return _level(dice, count, shares, effects)


def _many(dice: Dice, count: int, strength: str) -> Made:
    shares = 1.0 / (np.arange(dice.integers(30, 301)) + dice.uniform(2, 15))
    spread = {"strong": 0.8, "moderate": 0.3}.get(strength, 0.0)
    effects = np.clip(dice.normal(0, 1, len(shares)) * spread, -1.04, 1.04)
    if strength == "strong":
        effects[dice.integers(0, 3)] = np.log(dice.uniform(*STRONG_RATIO))
    return _level(dice, count, shares, effects)


def _level(dice: Dice, count: int, shares: Floats, effects: Floats) -> Made:
    names = [f"{_WORDS[i % len(_WORDS)]} {i // len(_WORDS) + 1}" for i in range(len(shares))]
    worth = dict(zip(names, effects, strict=True))
    values = draw_levels(dice, names, shares, count)
    return Made(values, np.array([worth[value] for value in values]))


def _drift(dice: Dice, created: Floats) -> Made:
    """Make levels whose shares change with time, one of them new in the second year."""
    late = created / DAYS
    shares = np.stack([0.5 - 0.3 * late, 0.3 + 0 * late, 0.2 + 0.1 * late, 0.2 * (late > 0.5)])
    steps = np.cumsum(shares / shares.sum(axis=0), axis=0)
    drawn = (dice.random(len(created)) > steps).sum(axis=0).clip(0, 3)
    return Made([_WORDS[i] for i in drawn], np.zeros(len(created)))


_SHAPES_MADE = {
    "normal": _normal, "skewed": _skewed, "count": _count, "wide": _wide,
    "flag": _flag, "few": _few, "many": _many,
}  # fmt: skip
