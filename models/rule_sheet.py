"""A rule sheet: what values are worth in points, and the scorecard that says the same.

A rule is a term in points over one signal. Several rules may read one signal; a scorecard has one
term for it, which is their sum. Points become log-odds by a scale and a shift (see
``models.calibration``), so that a sheet is scored, explained and exported as any scorecard.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from leadscore.models.bands import CutoffLogOdds, Cutoffs, Minimums, SheetBands, show_cutoffs
from leadscore.models.calibration import Affine
from leadscore.models.errors import ScorecardError
from leadscore.models.scorecard import Cap, Points, Scorecard, Term
from leadscore.models.shapes import LARGEST_WEIGHT, Curve, Shape, Steps, Table

_EXACT_BITS = 20
_MOST_WHOLE = 100


@dataclass(frozen=True)
class PointCutoffs:
    """Where MQL and SQL begin, in points; a band is left `hysteresis` points below its cutoff."""

    mql: float
    sql: float
    hysteresis: float = 0.0


@dataclass(frozen=True)
class PointBands:
    """The cutoffs of every lead, those for levels of the signal `by`, and minimums."""

    usual: PointCutoffs
    by: str | None = None
    overrides: Mapping[str, PointCutoffs] = field(default_factory=dict)
    minimums: Minimums = field(default_factory=Minimums)


def round_to_binary(affine: Affine) -> Affine:
    """Round a scale and shift so that whole points keep every bit as log-odds and back.

    The factor gets 20 binary digits, which moves it by less than one part in a million, and the
    shift becomes a multiple of its last one. Points that are whole (or halves, or quarters) then
    add up without rounding in any order, in Python, numpy and SQL alike.

    Raises ScorecardError if the factor is not above 0.

    >>> factor, shift = round_to_binary(Affine(0.0517, -3.21))
    >>> (100 * factor + shift - shift) / factor
    100.0
    """
    if not affine.factor > 0.0:
        raise ScorecardError(f"points need a factor above 0, found {affine.factor}")
    mantissa, exponent = math.frexp(affine.factor)
    unit = math.ldexp(1.0, exponent - _EXACT_BITS)
    return Affine(round(mantissa * 2**_EXACT_BITS) * unit, round(affine.shift / unit) * unit)


def to_points(affine: Affine) -> Points:
    """Return the scale on which the log-odds of ``factor * points + shift`` are the points."""
    factor, shift = affine
    return Points(per_log_odds=1.0 / factor, offset=-shift / factor,
                  log_odds_per_point=factor, log_odds_at_zero=shift)  # fmt: skip


def to_bands(bands: PointBands, affine: Affine) -> SheetBands:
    """Return the bands that begin at so many points."""
    at = _to_cutoffs(bands.usual, affine)
    at_overrides = {
        level: _to_cutoffs(cutoffs, affine) for level, cutoffs in bands.overrides.items()
    }
    return SheetBands(
        **show_cutoffs(at),
        by=bands.by,
        overrides={level: Cutoffs(**show_cutoffs(at)) for level, at in at_overrides.items()},
        minimums=bands.minimums,
        at=at,
        at_overrides=at_overrides,
    )


def _to_cutoffs(cutoffs: PointCutoffs, affine: Affine) -> CutoffLogOdds:
    mql, sql, mql_exit, sql_exit = (
        affine.factor * points + affine.shift
        for points in (cutoffs.mql, cutoffs.sql, cutoffs.mql - cutoffs.hysteresis,
                       cutoffs.sql - cutoffs.hysteresis)
    )  # fmt: skip
    return CutoffLogOdds(mql=mql, sql=sql, mql_exit=mql_exit, sql_exit=sql_exit)


def to_terms(rules: Iterable[Term]) -> tuple[Term, ...]:
    """Return one term per signal, in points, in the order in which signals first come up.

    Raises ScorecardError if rules over one signal cannot be added up: different groups, or
    different signals that they go by. The message names the signal.
    """
    by_signal: dict[str, Term] = {}
    for rule in rules:
        known = by_signal.get(rule.signal)
        by_signal[rule.signal] = rule if known is None else _add_rules(known, rule)
    return tuple(by_signal.values())


def make_sheet(
    terms: Sequence[Term], caps: Mapping[str, Cap], affine: Affine, plain: Scorecard
) -> Scorecard:
    """Return `plain` with the terms and caps of a sheet, turned from points into log-odds.

    Terms, caps and the base of `plain` are in points; `affine` is of ``round_to_binary``. The means
    of the terms stay 0: a sheet is read from no points on, not from the average lead. A limit of
    ``LARGEST_WEIGHT`` is none. The result is not sealed.
    """
    factor, shift = affine
    named = {term.group for term in terms}
    return plain.model_copy(
        update={
            "base": factor * plain.base + shift,
            "terms": tuple(term.rescaled(factor) for term in terms),
            "caps": {
                name: Cap(low=_scale_limit(cap.low, factor), high=_scale_limit(cap.high, factor))
                for name, cap in sorted(caps.items())
                if name in named
            },
            "points": to_points(affine),
        }
    )


def _scale_limit(limit: float, factor: float) -> float:
    return limit if abs(limit) >= LARGEST_WEIGHT else factor * limit


def _add_rules(one: Term, other: Term) -> Term:
    for what in ("by", "group"):
        if getattr(one, what) != getattr(other, what):
            raise ScorecardError(
                f"rules over {one.signal} differ in `{what}` ({getattr(one, what)} and "
                f"{getattr(other, what)}); they add up to one term, so give all of them the same"
            )
    levels = [*one.variants, *(level for level in other.variants if level not in one.variants)]
    variants = {
        level: add_shapes(
            one.variants.get(level, one.shape), other.variants.get(level, other.shape), one.signal
        )
        for level in levels
    }
    shape = add_shapes(one.shape, other.shape, one.signal)
    return one.model_copy(update={"shape": shape, "variants": variants})


def add_shapes(one: Shape, other: Shape, signal: str) -> Shape:
    """Return the shape that is worth, at every value, what both are worth together.

    Raises ScorecardError if one is a table and the other none; `signal` is for the message.
    """
    missing = one.missing + other.missing
    if isinstance(one, Table) and isinstance(other, Table):
        names = [*one.levels, *(level for level in other.levels if level not in one.levels)]
        read, add = one.reader(), other.reader()
        levels = {level: read(level) + add(level) for level in names}
        return Table(levels=levels, missing=missing, other=one.other + other.other)
    if isinstance(one, Steps) and isinstance(other, Steps):
        edges = tuple(sorted({*one.edges, *other.edges}))
        read, add = one.reader(), other.reader()
        first = one.values[0] + other.values[0]
        values = (first, *(read(edge) + add(edge) for edge in edges))
        return Steps(edges=edges, values=values, missing=missing)
    if isinstance(one, Table) or isinstance(other, Table):
        raise ScorecardError(f"rules over {signal} read levels here and numbers there")
    return _add_curves(_to_curve(one), _to_curve(other), missing)


def _to_curve(shape: Curve | Steps) -> Curve:
    """Return steps as the curve that says the same: it rises between two neighbouring numbers."""
    if isinstance(shape, Curve):
        return shape
    points = {0.0: shape.values[0]} if not shape.edges else {}
    for edge, before, after in zip(shape.edges, shape.values, shape.values[1:], strict=False):
        points |= {math.nextafter(edge, -math.inf): before, edge: after}
    return Curve(knots=tuple(points), values=tuple(points.values()), missing=shape.missing)


def _add_curves(one: Curve, other: Curve, missing: float) -> Curve:
    read, add = one.reader(), other.reader()
    knots = sorted({*one.knots, *other.knots})
    if knots[-1] - knots[0] <= _MOST_WHOLE:  # whole numbers stay exact, as each by itself is
        knots = sorted({*knots, *map(float, range(math.ceil(knots[0]), math.floor(knots[-1])))})
    if "linear" not in (one.beyond, other.beyond):
        ends = {}
    else:  # one more knot on either side shows how it goes on
        knots = [knots[0] - 1.0, *knots, knots[-1] + 1.0]
        ends = {"beyond": "linear"}
    values = tuple(read(knot) + add(knot) for knot in knots)
    return Curve(knots=tuple(knots), values=values, missing=missing, **ends)  # type: ignore[arg-type]
