"""A criterion taken apart: which snapshots it gives points, how many, and for what."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.rules import Rule
from models.shapes import Curve, Shape, Steps, Table
from pipeline.sheets.points import count_rule
from pipeline.signals.catalog import FIELD_TYPE, Signal

Marks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What a criterion gives so many `points` for; `has` marks the snapshots, (n,).

    `level` is the category's, where it is one that the sheet names.
    """

    words: str
    points: float
    has: Marks
    level: str | None = None


@dataclass(frozen=True)
class Taken:
    """A criterion of a sheet: `worth` is what it gives n snapshots, (n,); 0 is nothing.

    `parts` are the levels or spans that it gives points for, none for a line through numbers.
    """

    name: str
    rule: Rule
    signal: Signal
    worth: Floats
    parts: tuple[Part, ...]

    @property
    def fires(self) -> Marks:
        """The snapshots that it gives points, more or less than 0."""
        return np.not_equal(self.worth, 0.0)

    @property
    def varies(self) -> bool:
        """Whether it gives more points here than there, where it gives any."""
        return len(np.unique(self.worth[self.fires])) > 1


def take_apart(name: str, rule: Rule, signal: Signal, signals: pd.DataFrame) -> Taken:
    """Take one criterion apart.

    Parameters
    ----------
    name : str
    rule : Rule
    signal : Signal
        That the rule reads.
    signals : DataFrame of n rows
    """
    values = signals[rule.signal]
    everyone = np.ones(len(signals), bool)
    if rule.by is None or not rule.variants:
        parts = list(_split(rule.shape, signal, values, everyone))
    else:
        group = signals[rule.by].to_numpy(object)
        where = rule.by.split("__", 1)[-1]
        usual = everyone.copy()
        parts = []
        for level, shape in rule.variants.items():
            here = group == level
            usual &= ~here
            parts += [
                Part(f"{part.words}, where {where} is {level}", part.points, part.has, part.level)
                for part in _split(shape, signal, values, here)
            ]
        parts += _split(rule.shape, signal, values, usual)
    return Taken(name, rule, signal, count_rule(rule, signals), tuple(parts))


def _split(shape: Shape, signal: Signal, values: pd.Series, here: Marks) -> Iterator[Part]:
    missing = values.isna().to_numpy(bool)
    if isinstance(shape, Table):
        yield from _split_table(shape, values, here & ~missing)
    elif isinstance(shape, Steps):
        yield from _split_steps(shape, signal, values, here & ~missing)
    if shape.missing and not isinstance(shape, Curve):
        yield Part("not known", shape.missing, here & missing)


def _split_table(shape: Table, values: pd.Series, known: Marks) -> Iterator[Part]:
    texts = values.to_numpy(object)
    named = np.isin(texts.astype(str), list(shape.levels))
    for level, points in shape.levels.items():
        if points:
            yield Part(level, points, known & (texts == level), level)
    if shape.other:
        yield Part("any other", shape.other, known & ~named)


def _split_steps(shape: Steps, signal: Signal, values: pd.Series, known: Marks) -> Iterator[Part]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    is_flag = FIELD_TYPE.get(signal.declaration.kind) == "flag"
    bounds = pairwise((-inf, *shape.edges, inf))
    for (begins, ends), points in zip(bounds, shape.values, strict=True):
        if points:
            has = known & (numbers >= begins) & (numbers < ends)
            yield Part(_name_span(begins, ends, is_flag), points, has)


def _name_span(begins: float, ends: float, is_flag: bool) -> str:
    if is_flag:
        return "yes" if begins > 0.0 else "no"
    if begins == -inf:
        return "any number" if ends == inf else f"below {ends:g}"
    if ends == inf:
        return f"{begins:g} or more"
    if ends == np.nextafter(begins, inf):
        return f"{begins:g}"
    return f"{begins:g} to below {ends:g}"
