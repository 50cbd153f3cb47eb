"""A criterion taken apart: which snapshots it gives points, how many, and for what."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.score_frame import read_term
from leadscore.models.scorecard import Term
from leadscore.models.shapes import Curve, Shape, Steps, Table
from leadscore.pipeline.sheets.sheet import Sheet
from leadscore.pipeline.signals.catalog import FIELD_TYPE, Signal

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
        group = signals[rule.by].to_numpy(object)
        where = rule.by.split("__", 1)[-1]
        usual = everyone.copy()
        parts = []
        for level, shape in rule.variants.items():
            here = group == level
            usual &= ~here
            parts += [
                CriterionPart(
                    f"{part.words}, where {where} is {level}", part.points, part.has, part.level
                )
                for part in _split(shape, signal, values, here)
            ]
        parts += _split(rule.shape, signal, values, usual)
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
    is_flag = FIELD_TYPE.get(signal.declaration.kind) == "flag"
    bounds = pairwise((-inf, *shape.edges, inf))
    for (begins, ends), points in zip(bounds, shape.values, strict=True):
        if points:
            has = known & (numbers >= begins) & (numbers < ends)
            yield CriterionPart(_name_span(begins, ends, is_flag), points, has)


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


def count_points(sheet: Sheet, signals: pd.DataFrame) -> Floats:
    """Return the points that a sheet gives each snapshot in all, of shape (n,).

    Columns in: one per signal of the sheet. Grain: one row per snapshot.
    """
    points = {term.signal: read_term(term, signals) for term in sheet.terms}
    total = np.full(len(signals), sheet.config.start)
    for term in sheet.terms:
        if term.group is None:
            total += points[term.signal]
    for name, cap in sheet.caps.items():
        members = [points[term.signal] for term in sheet.terms if term.group == name]
        total += np.clip(np.sum(members, axis=0), cap.low, cap.high)
    return total
