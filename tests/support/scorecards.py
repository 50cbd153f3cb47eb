"""Scorecards and leads for the tests: hand-made ones, and hypothesis strategies for any of them."""

import math
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands, SheetBands
from leadscore.models.calibration import Affine
from leadscore.models.rule_sheet import to_points
from leadscore.models.scorecard import Cap, Points, Scorecard, Term
from leadscore.models.shapes import LARGEST_KNOT, LARGEST_WEIGHT, Curve, Shape, Steps, Table

LAW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,  # the same cases on every machine
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

Lead = dict[str, str | float | None]

LEVELS = [
    "",
    " ",
    "a",
    "A",
    "b",
    "O'Brien",
    'say "so"',
    "España",
    "naïve",
    "a\\b",
    "--",
    "%",
    "日本",
]
NAMES = ["page_views", 'with "quotes"', "it's", "año", "select", "a b", "; drop table leads; --"]
CHANNEL = "web__channel"
FAMILIES = ["demographic", "firmographic", "web", "email", "social", "form"]


def make_scorecard(*terms: Term, **changes: Any) -> Scorecard:
    """A scorecard of these terms, base 0, one point per log-odds, MQL from 0.2, SQL from 0.5."""
    content: dict[str, Any] = {
        "project": "hand",
        "kind": "rules",
        "horizon_days": 90.0,
        "base": 0.0,
        "terms": terms,
        "points": Points(per_log_odds=1.0),
        "bands": Bands(mql=0.2, sql=0.5),
    }
    return Scorecard(**(content | changes))


def make_term(shape: Shape, signal: str = "web__visits", **changes: Any) -> Term:
    """A term whose family is what stands before the double underscore."""
    return Term(signal=signal, family=signal.split("__")[0], shape=shape, **changes)


def is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def columns_of(scorecard: Scorecard) -> dict[str, bool]:
    """Every column that the scorecard reads, and whether it holds text."""
    return scorecard.columns


def to_frame(scorecard: Scorecard, leads: list[Lead], text_dtype: str = "object") -> pd.DataFrame:
    """The leads as a frame of signals: numbers as float64 with NaN, text as asked."""
    return pd.DataFrame(
        {
            column: pd.Series(
                [lead.get(column) for lead in leads], dtype=text_dtype if is_text else np.float64
            )
            for column, is_text in columns_of(scorecard).items()
        },
        index=range(len(leads)),
    )


def magnitude(scorecard: Scorecard) -> float:
    """The largest number that a score is summed up from, and so how far off a sum may be."""
    shapes = [s for term in scorecard.terms for s in (term.shape, *term.variants.values())]
    largest = [1.0, abs(scorecard.base), *(abs(term.mean) for term in scorecard.terms)]
    for shape in shapes:
        values = [*shape.levels.values(), shape.other] if isinstance(shape, Table) else shape.values
        largest += [abs(shape.missing), *map(abs, values)]
        if isinstance(shape, Curve) and shape.beyond == "linear":
            largest.append(LARGEST_WEIGHT)
    return max(largest)


weights = st.one_of(
    st.floats(-4.0, 4.0), st.floats(-1e9, 1e9), st.sampled_from([0.0, -0.0, 1e-300, 0.1, -0.7])
)
_knots = st.one_of(
    st.integers(0, 50).map(float),
    st.floats(-1e3, 1e3),
    st.floats(-LARGEST_KNOT, LARGEST_KNOT),
    st.sampled_from([0.0, 1e-300, 5e-324, 1e-9, 1.0, math.nextafter(1.0, 2.0), 1e300, -1e300]),
)


def _increasing(least: int, most: int) -> st.SearchStrategy[tuple[float, ...]]:
    apart = st.lists(_knots, min_size=least, max_size=most, unique_by=lambda knot: knot + 0.0)
    start, gap = st.integers(-9, 9).map(float), st.sampled_from([1e-9, 1e-15, 0.1])
    close = st.builds(lambda first, gap: [first, first + gap], start, gap)
    close = close.filter(lambda knots: knots[0] < knots[1])
    return (apart | close if most > 1 else apart).map(lambda knots: tuple(sorted(knots)))


@st.composite
def tables(draw: st.DrawFn, extra_levels: tuple[str, ...] = ()) -> Table:
    levels = st.dictionaries(st.sampled_from([*LEVELS, *extra_levels]), weights, max_size=5)
    return Table(levels=draw(levels), missing=draw(weights), other=draw(weights))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    beyond = draw(st.sampled_from(["flat", "linear"]))
    knots = draw(_increasing(1 if beyond == "flat" else 2, 5))
    values = draw(st.lists(weights, min_size=len(knots), max_size=len(knots)))
    if draw(st.integers(0, 3)) == 0:
        values = [values[0]] * len(knots)
    return Curve(knots=knots, values=values, beyond=beyond, missing=draw(weights))


@st.composite
def steps(draw: st.DrawFn) -> Steps:
    edges = draw(_increasing(0, 4))
    values = draw(st.lists(weights, min_size=len(edges) + 1, max_size=len(edges) + 1))
    return Steps(edges=edges, values=values, missing=draw(weights))


numbers_to_worth: st.SearchStrategy[Shape] = st.one_of(curves(), steps())


@st.composite
def scorecards(draw: st.DrawFn, extra_levels: tuple[str, ...] = ()) -> Scorecard:
    """Any scorecard: all three shapes, variants, group caps, bands; up to five terms."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    signals = [f"{draw(st.sampled_from(FAMILIES))}__{name}" for name in names]
    of_text = {signal: draw(st.booleans()) for signal in signals}
    choosers = [CHANNEL, *(signal for signal in signals if of_text[signal])]
    terms = []
    for signal in signals:
        shapes = tables(extra_levels) if of_text[signal] else numbers_to_worth
        by = draw(st.none() | st.sampled_from(choosers))
        levels = st.sampled_from([*LEVELS, *extra_levels])
        variants = draw(st.dictionaries(levels, shapes, max_size=2)) if by else {}
        group = draw(st.sampled_from([None, "clicks", "it's"]))
        terms.append(
            make_term(
                draw(shapes), signal, by=by, variants=variants, group=group, mean=draw(weights)
            )
        )
    caps = {}
    for name in draw(st.permutations(sorted({t.group for t in terms if t.group}))):
        low, high = sorted([draw(weights), draw(weights)])
        caps[name] = Cap(low=low, high=high)
    axes = Axes(fit=draw(st.none() | _cuts), engagement=draw(st.none() | _cuts))
    return make_scorecard(
        *terms,
        base=draw(weights),
        caps=caps,
        axes=axes,
        bands=draw(_bands(choosers, axes, extra_levels)),
        points=draw(_points),
        horizon_days=draw(st.none() | st.floats(0.5, 1e4)),
        quantiles=tuple(sorted(draw(st.lists(weights, max_size=5)))),
        definitions={"note": draw(st.text(max_size=5)), "half_life_days": draw(st.floats(0, 1e9))},
    )


_cuts = st.lists(weights, min_size=3, max_size=3).map(lambda cuts: tuple(sorted(cuts)))
_points = st.builds(
    Points, per_log_odds=st.floats(0.01, 100.0), offset=st.floats(-1e3, 1e3)
) | st.builds(
    lambda worth, zero: to_points(Affine(worth, zero)), st.floats(0.01, 9.0), st.floats(-1e3, 1e3)
)


@st.composite
def _cutoffs(draw: st.DrawFn) -> dict[str, float]:
    mql = draw(st.floats(1e-6, 0.6))
    return {"mql": mql, "sql": mql + draw(st.floats(1e-3, 0.39)),
            "hysteresis": draw(st.sampled_from([0.0, 0.5 * mql]))}  # fmt: skip


@st.composite
def _bands(
    draw: st.DrawFn, choosers: list[str], axes: Axes, extra_levels: tuple[str, ...]
) -> Bands:
    """Any bands: plain ones, cutoffs by level, minimums of the axes there are; or in points."""
    by = draw(st.none() | st.sampled_from(choosers))
    levels = st.sampled_from([*LEVELS, *extra_levels])
    minimum = st.fixed_dictionaries(
        {
            "fit": st.none() if axes.fit is None else st.sampled_from([None, *"ABCD"]),
            "engagement": st.none()
            if axes.engagement is None
            else st.sampled_from([None, *"1234"]),
        }
    )
    bands = Bands(
        **draw(_cutoffs()),
        by=by,
        overrides=draw(st.dictionaries(levels, _cutoffs(), min_size=1, max_size=2)) if by else {},
        minimums=draw(st.just({}) | st.fixed_dictionaries({"mql": minimum, "sql": minimum})),
    )
    if draw(st.booleans()):
        return bands
    return SheetBands(
        **{name: getattr(bands, name) for name in Bands.model_fields},
        at=bands.cutoff_log_odds, at_overrides=bands.cutoff_overrides,
    )  # fmt: skip


def _marks(shape: Shape) -> list[float]:
    if isinstance(shape, Table):
        return []
    return list(shape.knots if isinstance(shape, Curve) else shape.edges)


def make_lead(
    random: Random, scorecard: Scorecard, largest: float = 1e300, levels: tuple[str, ...] = ()
) -> Lead:
    """Any lead for a scorecard: missing, unseen, extreme, on a knot and one bit beside it."""
    lead: Lead = {}
    for term in scorecard.terms:
        shapes = [term.shape, *term.variants.values()]
        if isinstance(term.shape, Table):
            known = [level for shape in shapes for level in shape.levels]
            text = [None, math.nan, "never seen", *LEVELS, *levels, *3 * known]
            lead[term.signal] = random.choice(text)
            continue
        marks = [mark for shape in shapes for mark in _marks(shape)] or [0.0]
        mark, other = random.choice(marks), random.choice(marks)
        lead[term.signal] = random.choice(
            [
                None,
                math.nan,
                mark,
                math.nextafter(mark, math.inf),
                math.nextafter(mark, -math.inf),
                mark + (other - mark) * random.random(),
                mark + random.uniform(-3.0, 3.0),
                random.choice([-1.0, 1.0]) * 10.0 ** random.uniform(-300.0, 300.0),
                random.choice([largest, -largest, 0.0, -0.0, 5e-324]),
            ]
        )
    for column in sorted({t.by for t in scorecard.terms if t.by} | {scorecard.bands.by or CHANNEL}):
        known = [level for term in scorecard.terms if term.by == column for level in term.variants]
        known += scorecard.bands.overrides if scorecard.bands.by == column else []
        if column not in lead or random.random() < 0.5:
            lead[column] = random.choice([None, math.nan, "never seen", *LEVELS, *9 * known])
    return {c: value for c, value in lead.items() if value is not None or random.random() < 0.5}


@st.composite
def scored_leads(
    draw: st.DrawFn, largest: float = 1e300, levels: tuple[str, ...] = ()
) -> tuple[Scorecard, list[Lead]]:
    """A scorecard and leads to score with it.

    The leads come from a seed, drawn first: hypothesis lets what it draws last go plain.
    """
    random = Random(draw(st.integers(0, 2**64 - 1)))
    scorecard = draw(scorecards(levels))
    return scorecard, [make_lead(random, scorecard, largest, levels) for _ in range(10)]
