"""Shapes: what one signal's value is worth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.scorecards import LAW, curves, make_scorecard, make_term, steps, tables, to_frame

from leadscore.models.score_frame import score_frame
from leadscore.models.shapes import LARGEST_WEIGHT, Curve, Shape, Steps, Table


def test_a_table_has_entries_for_missing_and_for_never_seen():
    read = Table(levels={"ads": 1.5, "": 0.25}, missing=-0.5, other=-2.0).reader()
    assert [read(v) for v in ("ads", "", None, math.nan, "fair", "ADS")] == [
        1.5, 0.25, -0.5, -0.5, -2.0, -2.0,
    ]  # fmt: skip


def test_a_curve_is_straight_between_its_knots():
    read = Curve(knots=(0.0, 10.0, 20.0), values=(1.0, 3.0, -1.0), missing=7.0).reader()
    assert [read(x) for x in (0.0, 2.5, 10.0, 15.0, 20.0)] == [1.0, 1.5, 3.0, 1.0, -1.0]
    assert [read(x) for x in (None, math.nan)] == [7.0, 7.0]


def test_beyond_its_ends_a_curve_is_flat_or_goes_on():
    knots, values = (0.0, 10.0), (1.0, 3.0)
    flat = Curve(knots=knots, values=values, missing=0.0).reader()
    linear = Curve(knots=knots, values=values, missing=0.0, beyond="linear").reader()
    assert [flat(x) for x in (-5.0, 15.0, 1e300, -math.inf)] == [1.0, 3.0, 3.0, 1.0]
    assert [linear(x) for x in (-5.0, 15.0)] == [0.0, 4.0]
    assert [linear(x) for x in (1e300, math.inf)] == [LARGEST_WEIGHT] * 2
    assert [linear(x) for x in (-1e300, -math.inf)] == [-LARGEST_WEIGHT] * 2


def test_a_curve_with_one_knot_is_one_number():
    read = Curve(knots=(3.0,), values=(0.5,), missing=-1.0).reader()
    assert [read(x) for x in (-1e300, 3.0, 4.0, None)] == [0.5, 0.5, 0.5, -1.0]


def test_a_value_on_an_edge_belongs_to_the_step_that_begins_there():
    read = Steps(edges=(1.0, 7.0), values=(10.0, 5.0, 0.0), missing=-3.0).reader()
    below = math.nextafter(1.0, 0.0)
    assert [read(x) for x in (below, 1.0, 6.9, 7.0, 1e300, None, math.nan)] == [
        10.0, 5.0, 5.0, 0.0, 0.0, -3.0, -3.0,
    ]  # fmt: skip


def test_steps_without_edges_are_one_number():
    read = Steps(edges=(), values=(2.0,), missing=0.0).reader()
    assert [read(x) for x in (-1e300, 0.0, None)] == [2.0, 2.0, 0.0]


def test_a_level_end_between_near_knots_stays_level_far_out():
    # (1e300 - 0) / 1e-9 overflows; a rise of nothing times that is no number
    curve = Curve(knots=(0.0, 1e-9), values=(1.0, 1.0), beyond="linear", missing=0.0)
    assert curve.reader()(1e300) == 1.0
    assert curve.reader()(-1e300) == 1.0


def test_a_frame_reads_far_values_beyond_near_knots_without_a_warning():
    curve = Curve(knots=(0.0, 1e-9), values=(1.0, 2.0), missing=0.0)
    scorecard = make_scorecard(make_term(curve))
    frame = to_frame(scorecard, [{"web__visits": 1e300}, {"web__visits": -1e300}])
    assert score_frame(scorecard, frame).log_odds.tolist() == [2.0, 1.0]


@LAW
@given(st.one_of(curves(), steps()), st.floats(allow_nan=False) | st.none())
def test_any_number_is_worth_something_finite(shape: Shape, value: float | None):
    worth = shape.reader()(value)
    assert isinstance(worth, float)
    assert abs(worth) <= LARGEST_WEIGHT


@LAW
@given(curves(), st.data())
def test_a_curve_stays_between_the_values_beside_a_point(curve: Curve, data: st.DataObject):
    x = data.draw(st.floats(curve.knots[0], curve.knots[-1]))
    left = max(place for place, knot in enumerate(curve.knots) if knot <= x)
    beside = curve.values[left : left + 2]
    low, high = min(beside), max(beside)
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    assert low - slack <= curve.reader()(x) <= high + slack


@LAW
@given(st.one_of(tables(), curves(), steps()))
def test_a_curve_meets_its_values_at_its_knots_and_a_table_at_its_levels(shape: Shape):
    read = shape.reader()
    if isinstance(shape, Table):
        assert {level: read(level) for level in shape.levels} == shape.levels
    elif isinstance(shape, Curve) and shape.beyond == "flat":
        assert tuple(map(read, shape.knots)) == shape.values
    elif isinstance(shape, Steps):
        assert tuple(map(read, shape.edges)) == shape.values[1:]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Curve(knots=(1.0, 1.0), values=(0.0, 1.0), missing=0.0), "knots must increase"),
        (lambda: Curve(knots=(2.0, 1.0), values=(0.0, 1.0), missing=0.0), "knots must increase"),
        (lambda: Curve(knots=(1.0,), values=(0.0, 1.0), missing=0.0), "1 knots but 2 values"),
        (
            lambda: Curve(knots=(1.0,), values=(0.0,), beyond="linear", missing=0.0),
            "needs at least two knots",
        ),
        (lambda: Curve(knots=(), values=(), missing=0.0), "at least 1"),
        (lambda: Curve(knots=(2e300,), values=(0.0,), missing=0.0), "less than or equal to"),
        (lambda: Curve(knots=(math.nan,), values=(0.0,), missing=0.0), "finite"),
        (lambda: Curve(knots=(0.0,), values=(math.nan,), missing=0.0), "finite"),
        (lambda: Steps(edges=(1.0, 1.0), values=(0.0, 1.0, 2.0), missing=0.0), "must increase"),
        (lambda: Steps(edges=(1.0,), values=(0.0,), missing=0.0), "1 edges make 2 steps"),
        (lambda: Table(levels={"a": math.inf}, missing=0.0, other=0.0), "finite"),
        (lambda: Table(levels={"a": 2e9}, missing=0.0, other=0.0), "less than or equal to"),
        (lambda: Table(levels={"a": "1"}, missing=0.0, other=0.0), "valid number"),
        (lambda: Table(levels={}, missing=0.0, other=0.0, weight=1.0), "Extra inputs"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValidationError, match=message):
        make()
