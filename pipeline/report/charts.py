"""The kinds of charts of the report, as Vega-Lite specifications made with Altair.

Each kind is made once and drawn many times, its rows being named ``rows``. Colours are CSS
variables of the page, so charts follow light, dark and print as the text does. Charts of rows below
one another are given their height where they are drawn.
"""

from collections.abc import Callable
from typing import Any

import altair as alt

SERIES, SAID, AGAINST, THIRD, MUTED, GRID, INK = (
    f"var(--{name})" for name in ("series", "said", "against", "third", "muted", "grid", "ink")
)
_FONT = "system-ui, sans-serif"
_DASH = [4, 3]

CONFIG: dict[str, Any] = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "gridColor": GRID, "domainColor": GRID,
        "tickColor": GRID, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
        "labelLimit": 130, "titlePadding": 6,
    },
    "text": {"color": INK},
}  # fmt: skip
"""What all charts have in common; given to Vega-Embed once."""


def make_specs(reach: tuple[float, float]) -> dict[str, dict[str, Any]]:
    """Return the specification of every kind of chart, by name.

    Parameters
    ----------
    reach : tuple of two floats
        The least and most points of any value, the scale that all signals share.
    """
    makers: dict[str, Callable[[], Any]] = {
        "calibration": _calibration,
        "gain": _gain,
        "lift": _lift,
        "rates": _rates,
        "periods": _periods,
        "swing": _swing,
        "curve": lambda: _curve(reach, alt.Scale(zero=False, nice=False), ticks=5),
        "bent": lambda: _curve(reach, alt.Scale(type="sqrt", zero=False, nice=False), ticks=8),
        "levels": lambda: _levels(reach),
    }
    return {name: to_spec(make()) for name, make in makers.items()}


def make_audit_specs() -> dict[str, dict[str, Any]]:
    """Return the specifications of the audit's kinds of charts, by name."""
    makers = {"filling": _filling, "arrival": _arrival, "months": _months}
    return {name: to_spec(make()) for name, make in makers.items()}


def to_spec(chart: Any) -> dict[str, Any]:
    """Return a chart as a Vega-Lite specification."""
    spec: dict[str, Any] = chart.to_dict()
    del spec["config"]  # Altair's own sizes
    return spec


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData("rows"))


def _share(field: str, title: str, **scale: Any) -> dict[str, Any]:
    return {
        "shorthand": f"{field}:Q",
        "title": title,
        "axis": alt.Axis(format="%", tickCount=5),
        "scale": alt.Scale(**scale) if scale else alt.Undefined,
    }


def _tip(field: str, title: str, form: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", title=title, format=form)


_NAME_TIP = alt.Tooltip("name:N", title=" ")
_RATE_TIPS = [
    _tip("rate", "won", ".1%"), _tip("low", "95 % from", ".1%"), _tip("high", "to", ".1%"),
    _tip("said", "predicted", ".1%"),
]  # fmt: skip


def _calibration() -> Any:
    base = _base()
    x = alt.X(**_share("said", "predicted, on average", zero=True))
    line = base.mark_line(color=MUTED, strokeDash=_DASH).encode(x=x, y=alt.Y("said:Q", title="won"))
    spans = base.mark_rule(color=SERIES, opacity=1).encode(
        x=x, y=alt.Y(**_share("low", "won")), y2="high:Q"
    )
    dots = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=36).encode(
        x=x, y=alt.Y(**_share("rate", "won")), tooltip=_RATE_TIPS
    )
    return (line + spans + dots).properties(width="container", height=280)


def _gain() -> Any:
    base = _base()
    x = alt.X(**_share("called", "share of leads called, best first", domain=[0, 1]))
    chance = base.mark_line(color=MUTED, strokeDash=_DASH).encode(
        x=x, y=alt.Y("called:Q", title="share of wins found")
    )
    tips = [_tip("called", "called", ".0%"), _tip("gained", "wins found", ".1%")]
    gained = base.mark_line(color=SERIES, strokeWidth=2).encode(
        x=x, y=alt.Y(**_share("gained", "share of wins found", domain=[0, 1])), tooltip=tips
    )
    return (chance + gained).properties(width="container", height=240)


def _lift() -> Any:
    base = _base()
    x = alt.X(**_share("called", "share of leads called, best first", domain=[0, 1]))
    chance = base.mark_rule(color=MUTED, strokeDash=_DASH).encode(y=alt.datum(1))
    tips = [_tip("called", "called", ".0%"), _tip("lift", "lift", ".2f")]
    lift = base.mark_line(color=SERIES, strokeWidth=2).encode(
        x=x, y=alt.Y("lift:Q", title="lift (1 is chance)", axis=alt.Axis(tickCount=5)), tooltip=tips
    )
    return (chance + lift).properties(width="container", height=240)


def _rates() -> Any:
    """Draw groups below one another: what won, with its interval, and what was predicted."""
    base = _base()
    y = alt.Y("name:N", title=None, sort=None)
    spans = base.mark_rule(color=SERIES, opacity=1).encode(
        x=alt.X(**_share("low", "share of snapshots", zero=True)), x2="high:Q", y=y
    )
    said = base.mark_tick(color=SAID, opacity=1, thickness=3, size=14).encode(x="said:Q", y=y)
    won = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=42).encode(
        x="rate:Q", y=y, tooltip=[_NAME_TIP, *_RATE_TIPS]
    )
    return (spans + said + won).properties(width="container", height=240)


def _periods() -> Any:
    base = _base()
    x = alt.X("name:O", title=None, sort=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True))
    said = base.mark_line(color=SAID, strokeWidth=2, point=alt.OverlayMarkDef(color=SAID)).encode(
        x=x, y=alt.Y(**_share("said", "share of snapshots"))
    )
    spans = base.mark_rule(color=SERIES, opacity=1).encode(
        x=x, y=alt.Y(**_share("low", "share of snapshots", zero=True)), y2="high:Q"
    )
    won = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=42).encode(
        x=x, y="rate:Q", tooltip=[_NAME_TIP, *_RATE_TIPS]
    )
    return (spans + said + won).properties(width="container", height=240)


def _swing() -> Any:
    return (
        _base()
        .mark_bar(color=SERIES, height=alt.RelativeBandSize(0.6))
        .encode(
            x=alt.X("swing:Q", title="points, up or down, on average", axis=alt.Axis(tickCount=6)),
            y=alt.Y("name:N", title=None, sort=None),
            tooltip=[_NAME_TIP, _tip("swing", "points", ".1f")],
        )
        .properties(width="container", height=240)
    )


def _curve(reach: tuple[float, float], scale: alt.Scale, ticks: int) -> Any:
    base = _base()
    y = alt.Y("points:Q", title="points", scale=alt.Scale(domain=reach), axis=alt.Axis(tickCount=4))
    zero = base.mark_rule(color=MUTED).encode(y=alt.datum(0))
    missing = base.mark_rule(color=AGAINST, strokeDash=_DASH).encode(
        y=alt.Y("missing:Q", aggregate="max", title="points")
    )
    tips = [_tip("x", "value", ".4~g"), _tip("points", "points", "+.1f")]
    axis = alt.Axis(tickCount=ticks, labelFlush=True, labelOverlap="greedy", labelSeparation=8)
    line = base.mark_line(color=SERIES, strokeWidth=2).encode(
        x=alt.X("x:Q", title=None, scale=scale, axis=axis), y=y
    )
    corners = base.transform_filter(alt.datum.corner)
    dots = corners.mark_point(color=SERIES, fill=SERIES, opacity=1, size=20).encode(
        x="x:Q", y=y, tooltip=tips
    )
    return (zero + missing + line + dots).properties(width="container", height=130)


def _levels(reach: tuple[float, float]) -> Any:
    base = _base()
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=110))
    x = alt.X("points:Q", title="points", scale=alt.Scale(domain=reach), axis=alt.Axis(tickCount=5))
    zero = base.mark_rule(color=MUTED).encode(x=alt.datum(0))
    bars = base.mark_bar(height=alt.RelativeBandSize(0.6)).encode(
        x=x,
        y=y,
        color=alt.when(alt.datum.points < 0).then(alt.value(AGAINST)).otherwise(alt.value(SERIES)),
        tooltip=[_NAME_TIP, _tip("points", "points", "+.1f")],
    )
    return (zero + bars).properties(width="container", height=240)


def _filling() -> Any:
    """Draw columns below one another: the share filled among won leads, and among the others."""
    base = _base()
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=240))
    x = alt.X(**_share("others", "share filled", domain=[0, 1]))
    tips = [_NAME_TIP, _tip("won", "of won leads", ".1%"), _tip("others", "of the others", ".1%")]
    gap = base.mark_rule(color=MUTED).encode(x=x, x2="won:Q", y=y)
    others = base.mark_tick(color=SAID, opacity=1, thickness=3, size=14).encode(x=x, y=y)
    won = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=42).encode(
        x="won:Q", y=y, tooltip=tips
    )
    return (gap + others + won).properties(width="container", height=240)


def _arrival() -> Any:
    base = _base()
    x = alt.X("days:Q", title="days after creation")
    tips = [_tip("days", "days", ".0f"), _tip("won", "of all wins", ".1%")]
    came = base.mark_line(color=SERIES, strokeWidth=2, interpolate="step-after").encode(
        x=x, y=alt.Y(**_share("won", "share of the wins to come", domain=[0, 1])), tooltip=tips
    )
    horizon = base.mark_rule(color=SAID, strokeDash=_DASH).encode(
        x=alt.X("horizon:Q", aggregate="max", title="days after creation")
    )
    return (came + horizon).properties(width="container", height=260)


def _months() -> Any:
    base = _base()
    x = alt.X("name:O", title=None, sort=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True))
    tips = [_NAME_TIP, _tip("rate", "won", ".1%"), _tip("low", "95 % from", ".1%"),
            _tip("high", "to", ".1%"), _tip("leads", "leads", ",.0f")]  # fmt: skip
    spans = base.mark_rule(color=SERIES, opacity=1).encode(
        x=x, y=alt.Y(**_share("low", "share of leads won", zero=True)), y2="high:Q"
    )
    won = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=42).encode(
        x=x, y="rate:Q", tooltip=tips
    )
    return (spans + won).properties(width="container", height=240)
