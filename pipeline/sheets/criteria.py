"""A criterion of a sheet: the shape of what it says, and which snapshots it gives points."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, nextafter

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.score_frame import read_term
from leadscore.models.scorecard import Term
from leadscore.models.shapes import Curve, Shape, Steps, Table
from leadscore.pipeline.sheets.config import WAYS, Effect
from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.values.fields import FALSE_WORDS, TRUE_WORDS

_MOST_KNOTS = 100


def to_shape(effect: Effect, signal: Signal) -> Shape:
    """Return the shape of an effect of a signal, in points: a table for a category.

    Raises ValueError if the effect is not one that a signal of this kind can have; the message says
    what is.
    """
    if signal.is_category:
        return _to_table(effect, signal)
    if effect.levels is not None:
        raise ValueError(f"`levels` needs a category, and {signal.name} holds numbers or flags")
    if effect.steps is not None:
        edges = sorted(effect.steps)
        values = (0.0, *(effect.steps[edge] for edge in edges))
        return Steps(edges=tuple(edges), values=values, missing=effect.missing)
    if effect.curve is not None:
        knots = tuple(sorted(effect.curve))
        values = tuple(effect.curve[knot] for knot in knots)
        return Curve(knots=knots, values=values, missing=effect.missing)
    if effect.each is not None:
        return _count_up(effect.each, effect.up_to, effect.missing)
    return _where(effect, signal)


def _to_table(effect: Effect, signal: Signal) -> Table:
    if effect.levels is not None:
        return Table(levels=dict(effect.levels), missing=effect.missing, other=effect.other)
    if effect.points is None:
        way = next(name for name in WAYS if getattr(effect, name) is not None)
        if way == "steps" and not any((effect.steps or {}).values()):  # 0, in place of an effect
            return Table(levels={}, missing=effect.missing, other=0.0)
        raise ValueError(f"`{way}` needs numbers, and {signal.name} is a category; give `levels`")
    if effect.is_ is not None:
        levels = {_level(value, signal): effect.points for value in effect.is_}
        return Table(levels=levels, missing=effect.missing, other=0.0)
    if effect.is_not is not None:
        levels = {_level(value, signal): 0.0 for value in effect.is_not}
        return Table(levels=levels, missing=effect.missing, other=effect.points)
    if effect.known is not None:
        known, unknown = _by_known(effect)
        return Table(levels={}, missing=unknown, other=known)
    raise ValueError(f"{signal.name} is a category: say for which levels, with `is` or `levels`")


def _by_known(effect: Effect) -> tuple[float, float]:
    points = effect.points or 0.0
    if effect.missing:
        raise ValueError("`known` says what an unknown value is worth; drop `missing`")
    return (points, 0.0) if effect.known else (0.0, points)


def _level(value: bool | float | str, signal: Signal) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{signal.name} holds text: put {value!r} in quotes")


def _count_up(each: float, up_to: float | None, missing: float) -> Curve:
    """Return the line of so many points for each, which is exact at whole numbers."""
    if up_to is None:
        return Curve(knots=(0.0, 1.0), values=(0.0, each), beyond="linear", missing=missing)
    last = up_to / each
    whole = range(int(last) + 1) if last <= _MOST_KNOTS else range(1)
    points = {float(count): each * count for count in whole} | {last: up_to}
    return Curve(knots=tuple(points), values=tuple(points.values()), missing=missing)


def _where(effect: Effect, signal: Signal) -> Steps:
    points = effect.points or 0.0
    if effect.known is not None:
        known, unknown = _by_known(effect)
        return Steps(edges=(), values=(known,), missing=unknown)
    inside = True
    if effect.is_ is not None:
        spans = [_exactly(value, signal) for value in effect.is_]
    elif effect.is_not is not None:
        spans, inside = [_exactly(value, signal) for value in effect.is_not], False
    elif effect.at_least is not None or effect.below is not None:
        low = -inf if effect.at_least is None else effect.at_least
        spans = [(low, inf if effect.below is None else effect.below)]
    elif signal.is_flag:
        spans = [_exactly(True, signal)]
    else:
        raise ValueError(
            f"{signal.name} holds numbers: say `each: {points:g}` for {points:g} points every time,"
            f" or `points: {points:g}` with `at_least: 1`"
        )
    edges = sorted({edge for span in spans for edge in span if abs(edge) < inf})
    values = tuple(
        points if any(low <= begin < high for low, high in spans) is inside else 0.0
        for begin in (-inf, *edges)
    )
    return Steps(edges=tuple(edges), values=values, missing=effect.missing)


def _exactly(value: bool | float | str, signal: Signal) -> tuple[float, float]:
    if signal.is_flag:
        word = str(value).lower()
        if word not in (*TRUE_WORDS, *FALSE_WORDS):
            raise ValueError(f"{signal.name} is yes or no, found {value!r}")
        return (0.5, inf) if word in TRUE_WORDS else (-inf, 0.5)
    if isinstance(value, bool | str):
        raise ValueError(f"{signal.name} holds numbers, found {value!r}")
    return value, nextafter(value, inf)


Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CriterionPart:
    """What a criterion gives so many `points` for; `has` marks the snapshots, (n,).

    `level` is the category's, where it is one that the sheet names.
    """

    words: str
    points: float
    has: Mask
    level: str | None = None


@dataclass(frozen=True)
class ScoredCriterion:
    """A criterion of a sheet: `points` is what it gives n snapshots, (n,); 0 is nothing.

    `parts` are the levels or spans that it gives points for, none for a line through numbers.
    """

    name: str
    rule: Term
    signal: Signal
    points: Floats
    parts: tuple[CriterionPart, ...]

    @property
    def fires(self) -> Mask:
        """The snapshots that it gives points, more or less than 0."""
        return np.not_equal(self.points, 0.0)

    @property
    def varies(self) -> bool:
        """Whether it gives more points here than there, where it gives any."""
        return len(np.unique(self.points[self.fires])) > 1


def split_criterion(
    name: str, rule: Term, signal: Signal, signals: pd.DataFrame
) -> ScoredCriterion:
    """Split one criterion into its parts, over the n snapshots of `signals`."""
    values = signals[rule.signal]
    everyone = np.ones(len(signals), bool)
    if rule.by is None or not rule.variants:
        parts = list(_split(rule.shape, signal, values, everyone))
    else:
        group, parts = signals[rule.by].to_numpy(object), []
        for level, shape in rule.variants.items():
            where = f"where {rule.by.split('__', 1)[-1]} is {level}"
            everyone &= group != level
            parts += [
                replace(part, words=f"{part.words}, {where}")
                for part in _split(shape, signal, values, group == level)
            ]
        parts += _split(rule.shape, signal, values, everyone)
    return ScoredCriterion(name, rule, signal, read_term(rule, signals), tuple(parts))


def _split(shape: Shape, signal: Signal, values: pd.Series, here: Mask) -> Iterator[CriterionPart]:
    missing = values.isna().to_numpy(bool)
    if isinstance(shape, Table):
        yield from _split_table(shape, values, here & ~missing)
    elif isinstance(shape, Steps):
        yield from _split_steps(shape, signal, values, here & ~missing)
    if shape.missing and not isinstance(shape, Curve):
        yield CriterionPart("not known", shape.missing, here & missing)


def _split_table(shape: Table, values: pd.Series, known: Mask) -> Iterator[CriterionPart]:
    texts = values.to_numpy(object)
    named = np.isin(texts.astype(str), list(shape.levels))
    for level, points in shape.levels.items():
        if points:
            yield CriterionPart(level, points, known & (texts == level), level)
    if shape.other:
        yield CriterionPart("any other", shape.other, known & ~named)


def _split_steps(
    shape: Steps, signal: Signal, values: pd.Series, known: Mask
) -> Iterator[CriterionPart]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    bounds = pairwise((-inf, *shape.edges, inf))
    for (begins, ends), points in zip(bounds, shape.values, strict=True):
        if points:
            has = known & (numbers >= begins) & (numbers < ends)
            yield CriterionPart(_name_span(begins, ends, signal.is_flag), points, has)


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
