"""The kinds of charts of all pages and pictures, as Vega-Lite specifications made with Altair.

Each kind is made once and drawn many times; its rows have the name ``rows``. Colours are CSS
variables of the page, so charts follow light, dark and print as the text does; a picture has the
light ones. If the rows of a chart stand below one another, then the chart gets its height where it
is drawn.
"""

from collections.abc import Callable, Iterable
from typing import Any

import altair as alt

SERIES, PREDICTED, AGAINST, THIRD, MUTED, GRID, INK = (
    f"var(--{name})" for name in ("series", "predicted", "against", "third", "muted", "grid", "ink")
)
COLOURS = (SERIES, PREDICTED, THIRD, INK)
"""The colours of the contenders, in their order; after the last one the first comes again."""

_DASH = [4, 3]
_NAME = "name:N"

CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "gridColor": GRID, "domainColor": GRID,
        "tickColor": GRID, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
        "labelLimit": 130, "titlePadding": 6,
    },
    "text": {"color": INK},
}  # fmt: skip
"""What all charts have in common; Vega-Embed gets it once."""

Specs = dict[str, dict[str, Any]]


def make_specs(
    kinds: Iterable[str],
    points_range: tuple[float, float] = (0.0, 0.0),
    calls: str = "calls",
    points: str = "points",
) -> Specs:
    """Return the specifications of some kinds of charts, by kind.

    `points_range` is the scale that all charts of signals share. `calls` titles the axis of calls
    in a comparison, `points` the axis of points in an explanation.
    """
    linear = alt.Scale(zero=False, nice=False)
    roots = alt.Scale(type="sqrt", zero=False, nice=False)
    makers: dict[str, Callable[[], Any]] = {
        "calibration": _calibration, "rates": _rates,
        "gain": lambda: _gain_or_lift("gain"), "lift": lambda: _gain_or_lift("lift"),
        "periods": _periods, "swing": _swing, "filling": _filling, "arrival": _arrival,
        "months": _months, "swaps": _swaps, "gains": _gains, "costs": _costs,
        "curve": lambda: _curve(points_range, linear, ticks=5),
        "bent": lambda: _curve(points_range, roots, ticks=8),
        "levels": lambda: _levels(points_range),
        "reach": lambda: _reach(calls),
        "explanation": lambda: _explanation(points),
    }  # fmt: skip
    specs = {kind: makers[kind]().to_dict() for kind in sorted(set(kinds))}
    for spec in specs.values():
        del spec["config"]  # Altair's own sizes
    return specs


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData("rows"))


def _finish(height: int, *layers: alt.Chart) -> Any:
    return alt.layer(*layers).properties(width="container", height=height)


def _share(field: str, title: str, **scale: Any) -> dict[str, Any]:
    return {
        "shorthand": f"{field}:Q",
        "title": title,
        "axis": alt.Axis(format="%", tickCount=5),
        "scale": alt.Scale(**scale) if scale else alt.Undefined,
    }


def _rows(**axis: Any) -> alt.Y:
    """Return the axis of rows below one another, in their order."""
    return alt.Y(_NAME, title=None, sort=None, axis=alt.Axis(**axis) if axis else alt.Undefined)


def _periods_axis() -> alt.X:
    axis = alt.Axis(labelAngle=-45, labelOverlap=True)
    return alt.X("name:O", title=None, sort=None, axis=axis)


def _tip(field: str, title: str, form: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=form)


def _name_tip(field: str = "name") -> alt.Tooltip:
    return alt.Tooltip(f"{field}:N", title=" ")


def _interval_tips(form: str) -> list[alt.Tooltip]:
    return [_tip("low", "95 % from", form), _tip("high", "to", form)]


def _rate_tips() -> list[alt.Tooltip]:
    return [
        _tip("rate", "won", ".1%"), *_interval_tips(".1%"), _tip("predicted", "predicted", ".1%"),
    ]  # fmt: skip


def _dots(base: alt.Chart, size: int) -> Any:
    return base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=size)


def _spans(base: alt.Chart, **mark: Any) -> Any:
    return base.mark_rule(color=SERIES, opacity=1, **mark)


def _ticks(base: alt.Chart) -> Any:
    return base.mark_tick(color=PREDICTED, opacity=1, thickness=3, size=14)


def _dashes(base: alt.Chart) -> Any:
    return base.mark_line(color=MUTED, strokeDash=_DASH)


def _dashed_rule(base: alt.Chart, colour: str = MUTED) -> Any:
    return base.mark_rule(color=colour, strokeDash=_DASH)


def _bars(base: alt.Chart, **mark: Any) -> Any:
    return base.mark_bar(height=alt.RelativeBandSize(0.6), **mark)


def _calibration() -> Any:
    base = _base()
    x = alt.X(**_share("predicted", "predicted, on average", zero=True))
    return _finish(
        280,
        _dashes(base).encode(x=x, y=alt.Y("predicted:Q", title="won")),
        _spans(base).encode(x=x, y=alt.Y(**_share("low", "won")), y2="high:Q"),
        _dots(base, 36).encode(x=x, y=alt.Y(**_share("rate", "won")), tooltip=_rate_tips()),
    )


def _gain_or_lift(kind: str) -> Any:
    base = _base()
    x = alt.X(**_share("called", "share of leads called, best first", domain=[0, 1]))
    if kind == "gain":
        chance = _dashes(base).encode(x=x, y=alt.Y("called:Q", title="share of wins found"))
        y = alt.Y(**_share("gained", "share of wins found", domain=[0, 1]))
        tip = _tip("gained", "wins found", ".1%")
    else:
        chance = _dashed_rule(base).encode(y=alt.datum(1))
        y = alt.Y("lift:Q", title="lift (1 is chance)", axis=alt.Axis(tickCount=5))
        tip = _tip("lift", "lift", ".2f")
    line = base.mark_line(color=SERIES, strokeWidth=2)
    tips = [_tip("called", "called", ".0%"), tip]
    return _finish(240, chance, line.encode(x=x, y=y, tooltip=tips))


def _rates() -> Any:
    """Draw groups below one another: the share won with its interval, and the prediction."""
    base, y = _base(), _rows()
    low = alt.X(**_share("low", "share of snapshots", zero=True))
    return _finish(
        240,
        _spans(base).encode(x=low, x2="high:Q", y=y),
        _ticks(base).encode(x="predicted:Q", y=y),
        _dots(base, 42).encode(x="rate:Q", y=y, tooltip=[_name_tip(), *_rate_tips()]),
    )


def _periods() -> Any:
    base, x = _base(), _periods_axis()
    predicted = alt.Y(**_share("predicted", "share of snapshots"))
    low = alt.Y(**_share("low", "share of snapshots", zero=True))
    line = base.mark_line(color=PREDICTED, strokeWidth=2, point=alt.OverlayMarkDef(color=PREDICTED))
    return _finish(
        240,
        _spans(base).encode(x=x, y=low, y2="high:Q"),
        line.encode(x=x, y=predicted),
        _dots(base, 42).encode(x=x, y="rate:Q", tooltip=[_name_tip(), *_rate_tips()]),
    )


def _swing() -> Any:
    x = alt.X("swing:Q", title="points, up or down, on average", axis=alt.Axis(tickCount=6))
    tips = [_name_tip(), _tip("swing", "points", ".1f")]
    bars = _bars(_base(), color=SERIES).encode(x=x, y=_rows(), tooltip=tips)
    return bars.properties(width="container", height=240)


def _curve(points_range: tuple[float, float], scale: alt.Scale, ticks: int) -> Any:
    base = _base()
    domain = alt.Scale(domain=points_range)
    y = alt.Y("points:Q", title="points", scale=domain, axis=alt.Axis(tickCount=4))
    axis = alt.Axis(tickCount=ticks, labelFlush=True, labelOverlap="greedy", labelSeparation=8)
    missing = alt.Y("missing:Q", aggregate="max", title="points")
    tips = [_tip("x", "value", ".4~g"), _tip("points", "points", "+.1f")]
    corners = _dots(base.transform_filter(alt.datum.corner), 20)
    return _finish(
        130,
        base.mark_rule(color=MUTED).encode(y=alt.datum(0)),
        _dashed_rule(base, AGAINST).encode(y=missing),
        base.mark_line(color=SERIES, strokeWidth=2).encode(
            x=alt.X("x:Q", title=None, scale=scale, axis=axis), y=y
        ),
        corners.encode(x="x:Q", y=y, tooltip=tips),
    )


def _levels(points_range: tuple[float, float]) -> Any:
    base = _base()
    domain = alt.Scale(domain=points_range)
    colour = alt.when(alt.datum.points < 0).then(alt.value(AGAINST)).otherwise(alt.value(SERIES))
    bars = _bars(base).encode(
        x=alt.X("points:Q", title="points", scale=domain, axis=alt.Axis(tickCount=5)),
        y=_rows(labelLimit=110),
        color=colour,
        tooltip=[_name_tip(), _tip("points", "points", "+.1f")],
    )
    return _finish(240, base.mark_rule(color=MUTED).encode(x=alt.datum(0)), bars)


def _filling() -> Any:
    """Draw columns below one another: the share filled among won leads, and among the others."""
    base, y = _base(), _rows(labelLimit=240)
    x = alt.X(**_share("others", "share filled", domain=[0, 1]))
    tips = [_name_tip(), _tip("won", "of won leads", ".1%"), _tip("others", "of the others", ".1%")]
    return _finish(
        240,
        base.mark_rule(color=MUTED).encode(x=x, x2="won:Q", y=y),
        _ticks(base).encode(x=x, y=y),
        _dots(base, 42).encode(x="won:Q", y=y, tooltip=tips),
    )


def _arrival() -> Any:
    base = _base()
    won = alt.Y(**_share("won", "share of the wins to come", domain=[0, 1]))
    horizon = alt.X("horizon:Q", aggregate="max", title="days after creation")
    tips = [_tip("days", "days", ".0f"), _tip("won", "of all wins", ".1%")]
    return _finish(
        260,
        base.mark_line(color=SERIES, strokeWidth=2, interpolate="step-after").encode(
            x=alt.X("days:Q", title="days after creation"), y=won, tooltip=tips
        ),
        _dashed_rule(base, PREDICTED).encode(x=horizon),
    )


def _months() -> Any:
    base, x = _base(), _periods_axis()
    low = alt.Y(**_share("low", "share of leads won", zero=True))
    tips = [_name_tip(), _tip("rate", "won", ".1%"), *_interval_tips(".1%"),
            _tip("leads", "leads", ",.0f")]  # fmt: skip
    return _finish(
        240,
        _spans(base).encode(x=x, y=low, y2="high:Q"),
        _dots(base, 42).encode(x=x, y="rate:Q", tooltip=tips),
    )


def _contender() -> alt.Color:
    scale = alt.Scale(domain=list(range(len(COLOURS))), range=list(COLOURS))
    return alt.Color("place:O", scale=scale, legend=None)


def _reach(calls: str) -> Any:
    """Draw the wins reached by the number of calls: a line per contender, and one for chance."""
    base = _base()
    x = alt.X("calls:Q", title=calls, axis=alt.Axis(tickCount=6))
    y = alt.Y("wins:Q", title="wins reached", axis=alt.Axis(tickCount=5))
    chance = base.transform_filter(alt.datum.place < 0)
    others = base.transform_filter(alt.datum.place >= 0)
    tips = [_name_tip(), _tip("calls", calls, ",.4~g"), _tip("wins", "wins reached", ",.0f")]
    capacity = alt.X("capacity:Q", aggregate="max", title=calls)
    return _finish(
        300,
        _dashes(chance).encode(x=x, y=y),
        base.mark_rule(color=MUTED).encode(x=capacity),
        others.mark_line(strokeWidth=2).encode(
            x=x, y=y, color=_contender(), detail=_NAME, tooltip=tips
        ),
        others.mark_point(size=26, opacity=1, filled=True).encode(
            x=x, y=y, color=_contender(), tooltip=tips
        ),
    )


def _swaps() -> Any:
    """Draw groups of leads below one another: all leads, and in full colour those that won."""
    base, y = _base(), _rows(labelLimit=190)
    tips = [_name_tip(), alt.Tooltip("leads:Q", format=",.0f"),
            alt.Tooltip("wins:Q", format=",.0f")]  # fmt: skip
    leads = alt.X("leads:Q", title="leads called", axis=alt.Axis(tickCount=5))
    wins = alt.X("wins:Q", title="leads called")
    return _finish(
        120,
        _bars(base, opacity=0.28).encode(x=leads, y=y, color=_contender(), tooltip=tips),
        _bars(base, opacity=1).encode(x=wins, y=y, color=_contender(), tooltip=tips),
        base.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(
            x=alt.X("leads:Q"), y=y, text="text:N"
        ),
        base.mark_point(opacity=0).encode(x=alt.X("end:Q"), y=y),  # makes room for the text
    )


def _gains() -> Any:
    """Draw differences below one another, each with its interval, and a line for none."""
    base, y = _base(), _rows(labelLimit=190)
    low = alt.X("low:Q", title="wins more, or fewer", axis=alt.Axis(tickCount=6))
    tips = [_name_tip(), _tip("value", "wins more", "+,.1f"), *_interval_tips("+,.1f")]
    return _finish(
        120,
        _dashed_rule(base).encode(x=alt.datum(0)),
        _spans(base, strokeWidth=2).encode(x=low, x2="high:Q", y=y),
        _dots(base, 48).encode(x="value:Q", y=y, tooltip=tips),
    )


def _costs() -> Any:
    """Draw how the wins change without each family of signals, a dot per contender."""
    base, y = _base(), _rows()
    title = "wins more, or fewer, without it"
    tips = [_name_tip(), _name_tip("who"), _tip("value", "wins", "+,.1f")]
    return _finish(
        200,
        _dashed_rule(base).encode(x=alt.datum(0)),
        base.mark_rule(opacity=0.5).encode(
            x=alt.X("low:Q", title=title), x2="high:Q", y=y, color=_contender(), yOffset="place:O"
        ),
        base.mark_point(filled=True, opacity=1, size=48).encode(
            x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=6)), y=y, yOffset="place:O",
            color=_contender(), tooltip=tips,
        ),
    )  # fmt: skip


def _explanation(points: str) -> Any:
    """Draw a waterfall: bars that begin where the one above ends, their points at their ends."""
    base, y = _base(), _rows(labelLimit=330, labelColor=INK, ticks=False, domain=False)
    scale = alt.Scale(padding=34, nice=False)
    begin = alt.X("begin:Q", title=points, scale=scale, axis=alt.Axis(tickCount=8))
    colour = alt.Scale(domain=["whole", "up", "down"], range=[MUTED, SERIES, AGAINST])
    up = base.transform_filter(alt.datum.width >= 0)
    down = base.transform_filter(alt.datum.width < 0)
    return _finish(
        240,
        base.mark_rule(color=GRID).encode(x=alt.datum(0)),
        _bars(base).encode(
            x=begin, x2="end:Q", y=y, color=alt.Color("kind:N", scale=colour, legend=None)
        ),
        base.mark_rule(color=MUTED).encode(x="end:Q", y=y, y2="next:N"),
        up.mark_text(align="left", dx=4).encode(x="end:Q", y=y, text="text:N"),
        down.mark_text(align="right", dx=-4).encode(x="end:Q", y=y, text="text:N"),
    )
