"""Score many leads in numpy: the same numbers as one lead at a time, to the last bit."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.axes import ENGAGEMENT_DIGITS, FIT_LETTERS
from leadscore.models.bands import BANDS
from leadscore.models.errors import ScorecardError
from leadscore.models.log_odds import to_probability
from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import LARGEST_KNOT, LARGEST_WEIGHT, Curve, Shape, Steps, Table

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]] | pd.DataFrame
"""Signals of n leads by column name: arrays of shape (n,), or a DataFrame."""


class FrameScores(NamedTuple):
    """The scores of n leads, in their order.

    `log_odds` and `probability` are float64 of shape (n,), `band` is an object array of shape (n,),
    `contributions` is float64 of shape (n, terms + caps), in the scorecard's order.
    """

    log_odds: Floats
    probability: Floats
    band: npt.NDArray[np.object_]
    contributions: Floats


def score_frame(scorecard: Scorecard, signals: Columns) -> FrameScores:
    """Score many leads by their signals.

    Columns in: one per term, named ``family__name``: text for tables, numbers for curves and steps;
    None and NaN are missing and take the term's own entry. Further columns are ignored.

    Raises ScorecardError if a column that a term reads is absent, or holds values of the wrong
    type.
    """
    absent = sorted(set(scorecard.columns) - set(signals))
    if absent:
        raise ScorecardError(
            f"the signals lack {', '.join(absent)}; add the column, with nulls where unknown"
        )
    first = signals if isinstance(signals, pd.DataFrame) else next(iter(signals.values()), ())
    rows = len(first)
    width = len(scorecard.terms) + len(scorecard.caps)
    contributions = np.empty((rows, width), dtype=np.float64, order="F")
    log_odds = np.full(rows, scorecard.base, dtype=np.float64)
    for place, term in enumerate(scorecard.terms):
        contributions[:, place] = read_term(term, signals)
        log_odds += contributions[:, place]
    for place, (name, cap) in enumerate(scorecard.caps.items(), start=len(scorecard.terms)):
        partial = np.zeros(rows)
        for member, term in enumerate(scorecard.terms):
            if term.group == name:
                partial += contributions[:, member]
        contributions[:, place] = np.clip(partial, cap.low, cap.high) - partial
        log_odds += contributions[:, place]
    band = assign_bands(scorecard, signals, log_odds, contributions)
    return FrameScores(log_odds, to_probabilities(log_odds), band, contributions)


def assign_bands(
    scorecard: Scorecard, signals: Columns, log_odds: Floats, contributions: Floats
) -> npt.NDArray[np.object_]:
    """Assign the bands of n leads, as ``Scorer.score`` does for one; shape (n,).

    `signals` has the column of `by`, if the bands have one.
    """
    bands = scorecard.bands
    cutoffs = bands.cutoff_log_odds
    mql, sql = (np.full(len(log_odds), cutoff) for cutoff in (cutoffs.mql, cutoffs.sql))
    if bands.by is not None:
        codes, levels = _read_levels(signals, bands.by)
        overrides = bands.cutoff_overrides
        for code, level in enumerate(levels):
            if level in overrides:
                rows = codes == code
                mql[rows], sql[rows] = overrides[level].mql, overrides[level].sql
    height = (log_odds >= mql).astype(np.intp) + (log_odds >= sql)
    if bands.minimums.axes:
        sums = np.column_stack(sum_axes(scorecard, contributions))
        for least, minimum in enumerate((bands.minimums.mql, bands.minimums.sql)):
            unmet = (sums < minimum.cuts(scorecard.axes)).any(axis=1)
            height = np.where(unmet, np.minimum(height, least), height)
    return np.array(BANDS, dtype=object)[height]


def sum_axes(scorecard: Scorecard, contributions: Floats) -> tuple[Floats, Floats]:
    """Return the partial sums of fit and engagement, each of shape (n,), in log-odds."""
    fit, engagement = np.zeros(len(contributions)), np.zeros(len(contributions))
    for total, members in zip((fit, engagement), scorecard.axis_members, strict=True):
        for place in members:
            total += contributions[:, place]
    return fit, engagement


def read_axes(
    scorecard: Scorecard, contributions: Floats
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Return the grades of fit and engagement, as ``AxesReader.read`` does for one lead.

    Both are object arrays of shape (n,), of None without cut points.
    """
    axes, (fit, engagement) = scorecard.axes, sum_axes(scorecard, contributions)
    return (
        _place(fit, axes.fit, FIT_LETTERS),
        _place(engagement, axes.engagement, ENGAGEMENT_DIGITS),
    )


def _place(
    sums: Floats, cuts: tuple[float, ...] | None, grades: tuple[str, ...]
) -> npt.NDArray[np.object_]:
    if cuts is None:
        return np.full(len(sums), None, dtype=object)
    return np.array(grades, dtype=object)[np.searchsorted(np.array(cuts), sums, side="right")]


def to_probabilities(log_odds: Floats) -> Floats:
    """Turn log-odds of shape (n,) into probabilities of shape (n,).

    ``math.exp`` and ``numpy.exp`` differ in the last bit, so this calls the function that one lead
    uses: a batch and the service then print the same digits, for 0.1 microseconds a lead.
    """
    return np.fromiter(map(to_probability, log_odds.tolist()), np.float64, count=len(log_odds))


def _read_numbers(signals: Columns, signal: str) -> Floats:
    column = pd.Series(signals[signal], copy=False)
    if not (pd.api.types.is_numeric_dtype(column) or column.isna().all()):
        raise ScorecardError(f"column {signal} has to hold numbers, found {column.dtype}")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _read_levels(signals: Columns, signal: str) -> tuple[npt.NDArray[np.intp], list[str]]:
    codes, levels = pd.factorize(signals[signal])
    wrong = [level for level in levels if not isinstance(level, str)]
    if wrong:
        raise ScorecardError(f"column {signal} has to hold text, found {type(wrong[0]).__name__}")
    return codes, list(levels)


def read_term(term: Term, signals: Columns) -> Floats:
    """Return the contribution of a term to each lead, of shape (n,).

    Columns in: those that the term reads, as for ``score_frame``.

    Raises ScorecardError if a column holds values of the wrong type.
    """
    log_odds = _read_shape(term.shape, term.signal, signals)
    if term.by is None or not term.variants:
        return log_odds
    codes, levels = _read_levels(signals, term.by)
    for code, level in enumerate(levels):
        if level in term.variants:
            chosen = codes == code
            log_odds[chosen] = _read_shape(term.variants[level], term.signal, signals)[chosen]
    return log_odds


def _read_shape(shape: Shape, signal: str, signals: Columns) -> Floats:
    if isinstance(shape, Table):
        codes, levels = _read_levels(signals, signal)
        read = shape.reader()
        return np.array([*map(read, levels), shape.missing])[codes]
    x = _read_numbers(signals, signal)
    log_odds = _read_curve(shape, x) if isinstance(shape, Curve) else _read_steps(shape, x)
    log_odds[np.isnan(x)] = shape.missing
    return log_odds


def _read_steps(shape: Steps, x: Floats) -> Floats:
    places = np.searchsorted(np.array(shape.edges), x, side="right")
    return np.asarray(np.array(shape.values)[places], np.float64)


def _read_curve(shape: Curve, x: Floats) -> Floats:
    knots, values = np.array(shape.knots), np.array(shape.values)
    if len(knots) == 1:
        return np.full(len(x), values[0])
    widths, rises = np.diff(knots), np.diff(values)
    segment = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    if shape.beyond == "flat":
        inside = np.clip(x, knots[0], knots[-1])
        log_odds = values[segment] + rises[segment] * ((inside - knots[segment]) / widths[segment])
        return np.asarray(np.where(x >= knots[-1], values[-1], log_odds), np.float64)
    x = np.clip(x, -LARGEST_KNOT, LARGEST_KNOT)
    with np.errstate(over="ignore", invalid="ignore"):  # far beyond knots that lie close
        log_odds = values[segment] + rises[segment] * ((x - knots[segment]) / widths[segment])
    log_odds = np.where(rises[segment] == 0.0, values[segment], log_odds)
    outside = (x < knots[0]) | (x >= knots[-1])
    held = np.clip(log_odds, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    return np.asarray(np.where(outside, held, log_odds), np.float64)
