"""Score a frame of leads in numpy: the same numbers as one lead at a time, to the last bit."""

from typing import NamedTuple

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


class FrameScores(NamedTuple):
    """What a scorecard says of n leads, each array in the frame's order.

    `log_odds` and `probability` are float64 of shape (n,), `band` is an object array of shape (n,),
    `contributions` is float64 of shape (n, terms + caps), in the scorecard's order.
    """

    log_odds: Floats
    probability: Floats
    band: npt.NDArray[np.object_]
    contributions: Floats


def score_frame(scorecard: Scorecard, frame: pd.DataFrame) -> FrameScores:
    """Score every row of a frame of signals.

    Columns in: one per term, named ``family__name``: text for tables, numbers for curves and steps;
    None and NaN are missing and take the term's own entry. Further columns are ignored.

    Parameters
    ----------
    scorecard : Scorecard
    frame : DataFrame of n rows
        One row per lead or snapshot; it is not changed.

    Returns
    -------
    FrameScores

    Raises
    ------
    ScorecardError
        If a column that a term reads is absent, or holds values of the wrong type.
    """
    absent = sorted(set(scorecard.columns) - set(frame.columns))
    if absent:
        raise ScorecardError(
            f"the frame lacks {', '.join(absent)}; add the column, with nulls where unknown"
        )
    columns = _Columns(frame)
    width = len(scorecard.terms) + len(scorecard.caps)
    contributions = np.empty((len(frame), width), dtype=np.float64, order="F")
    log_odds = np.full(len(frame), scorecard.base, dtype=np.float64)
    for place, term in enumerate(scorecard.terms):
        contributions[:, place] = _read_term(term, columns)
        log_odds += contributions[:, place]
    for place, (name, cap) in enumerate(scorecard.caps.items(), start=len(scorecard.terms)):
        partial = np.zeros(len(frame))
        for member, term in enumerate(scorecard.terms):
            if term.group == name:
                partial += contributions[:, member]
        contributions[:, place] = np.clip(partial, cap.low, cap.high) - partial
        log_odds += contributions[:, place]
    band = assign_bands(scorecard, frame, log_odds, contributions)
    return FrameScores(log_odds, to_probabilities(log_odds), band, contributions)


def read_term(term: Term, frame: pd.DataFrame) -> Floats:
    """Return what a term is worth to each row of a frame, of shape (n,).

    Columns in: those that the term reads, as for ``score_frame``.

    Raises
    ------
    ScorecardError
        If a column holds values of the wrong type.
    """
    return _read_term(term, _Columns(frame))


def assign_bands(
    scorecard: Scorecard, frame: pd.DataFrame, log_odds: Floats, contributions: Floats
) -> npt.NDArray[np.object_]:
    """Give n leads their bands: what ``Scorer.score`` does for one, shape (n,).

    Parameters
    ----------
    scorecard : Scorecard
    frame : DataFrame of n rows
        With the column that the bands go by, if they go by one.
    log_odds : float array of shape (n,)
    contributions : float array of shape (n, terms + caps)
    """
    bands = scorecard.bands
    mql, sql = (np.full(len(frame), cutoff) for cutoff in bands.log_odds)
    if bands.by is not None:
        codes, levels = _Columns(frame).levels(bands.by)
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


class FrameAxes(NamedTuple):
    """Where n leads stand on both axes: object arrays of shape (n,), None where nothing is said."""

    fit: npt.NDArray[np.object_]
    engagement: npt.NDArray[np.object_]


def sum_axes(scorecard: Scorecard, contributions: Floats) -> tuple[Floats, Floats]:
    """Return the partial sums of fit and engagement, each of shape (n,), in log-odds.

    Parameters
    ----------
    scorecard : Scorecard
    contributions : float array of shape (n, terms + caps)
        Of ``FrameScores``.
    """
    fit, engagement = np.zeros(len(contributions)), np.zeros(len(contributions))
    for total, members in zip((fit, engagement), scorecard.axis_members, strict=True):
        for place in members:
            total += contributions[:, place]
    return fit, engagement


def read_axes(scorecard: Scorecard, contributions: Floats) -> FrameAxes:
    """Place n leads on both axes: ``AxesReader.read`` for an array.

    Parameters
    ----------
    scorecard : Scorecard
    contributions : float array of shape (n, terms + caps)
        Of ``FrameScores``.
    """
    fit, engagement = sum_axes(scorecard, contributions)
    return FrameAxes(
        _place(fit, scorecard.axes.fit, FIT_LETTERS),
        _place(engagement, scorecard.axes.engagement, ENGAGEMENT_DIGITS),
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


class _Columns:
    """The frame's columns, converted once for the shape that reads them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def numbers(self, signal: str) -> Floats:
        column = self._frame[signal]
        kind_is_right = pd.api.types.is_numeric_dtype(column) or column.isna().all()
        if not kind_is_right:
            raise ScorecardError(f"column {signal} has to hold numbers, found {column.dtype}")
        return column.to_numpy(dtype=np.float64, na_value=np.nan)

    def levels(self, signal: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        codes, levels = pd.factorize(self._frame[signal])
        wrong = [level for level in levels if not isinstance(level, str)]
        if wrong:
            raise ScorecardError(
                f"column {signal} has to hold text, found {type(wrong[0]).__name__}"
            )
        return codes, list(levels)


def _read_term(term: Term, columns: _Columns) -> Floats:
    worth = _read_shape(term.shape, term.signal, columns)
    if term.by is None or not term.variants:
        return worth
    codes, levels = columns.levels(term.by)
    for code, level in enumerate(levels):
        if level in term.variants:
            chosen = codes == code
            worth[chosen] = _read_shape(term.variants[level], term.signal, columns)[chosen]
    return worth


def _read_shape(shape: Shape, signal: str, columns: _Columns) -> Floats:
    if isinstance(shape, Table):
        codes, levels = columns.levels(signal)
        read = shape.reader()
        return np.array([*map(read, levels), shape.missing])[codes]
    x = columns.numbers(signal)
    worth = _read_curve(shape, x) if isinstance(shape, Curve) else _read_steps(shape, x)
    worth[np.isnan(x)] = shape.missing
    return worth


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
        worth = values[segment] + rises[segment] * ((inside - knots[segment]) / widths[segment])
        return np.asarray(np.where(x >= knots[-1], values[-1], worth), np.float64)
    x = np.clip(x, -LARGEST_KNOT, LARGEST_KNOT)
    with np.errstate(over="ignore", invalid="ignore"):  # far beyond knots that lie close
        worth = values[segment] + rises[segment] * ((x - knots[segment]) / widths[segment])
    worth = np.where(rises[segment] == 0.0, values[segment], worth)
    outside = (x < knots[0]) | (x >= knots[-1])
    held = np.clip(worth, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    return np.asarray(np.where(outside, held, worth), np.float64)
