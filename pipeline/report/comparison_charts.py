"""The kinds of charts of a comparison's page, as Vega-Lite specifications made with Altair."""

from typing import Any

import altair as alt

from leadscore.pipeline.report.charts import INK, MUTED, SAID, SERIES, THIRD, to_spec

COLOURS = (SERIES, SAID, THIRD, INK)
"""Of the contenders, in their order; further ones begin anew."""

_DASH = [4, 3]
_NAME = alt.Tooltip("name:N", title=" ")


def make_comparison_specs(calls: str) -> dict[str, dict[str, Any]]:
    """Return the specifications of the kinds of charts, by name.

    Parameters
    ----------
    calls : str
        What the axis of calls is called.
    """
    makers = {"reach": lambda: _reach(calls), "swaps": _swaps, "gains": _gains, "costs": _costs}
    return {name: to_spec(make()) for name, make in makers.items()}


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData("rows"))


def _colour(field: str = "place") -> alt.Color:
    scale = alt.Scale(domain=list(range(len(COLOURS))), range=list(COLOURS))
    return alt.Color(f"{field}:O", scale=scale, legend=None)


def _reach(calls: str) -> Any:
    """Draw the wins reached against the calls, a line per contender, one for chance."""
    base = _base()
    x = alt.X("calls:Q", title=calls, axis=alt.Axis(tickCount=6))
    y = alt.Y("wins:Q", title="wins reached", axis=alt.Axis(tickCount=5))
    chance = base.transform_filter(alt.datum.place < 0)
    others = base.transform_filter(alt.datum.place >= 0)
    tips = [_NAME, alt.Tooltip("calls:Q", title=calls, format=",.4~g"),
            alt.Tooltip("wins:Q", title="wins reached", format=",.0f")]  # fmt: skip
    by_chance = chance.mark_line(color=MUTED, strokeDash=_DASH).encode(x=x, y=y)
    lines = others.mark_line(strokeWidth=2).encode(
        x=x, y=y, color=_colour(), detail="name:N", tooltip=tips
    )
    dots = others.mark_point(size=26, opacity=1, filled=True).encode(
        x=x, y=y, color=_colour(), tooltip=tips
    )
    capacity = base.mark_rule(color=MUTED).encode(
        x=alt.X("capacity:Q", aggregate="max", title=calls)
    )
    return (by_chance + capacity + lines + dots).properties(width="container", height=300)


def _swaps() -> Any:
    """Draw groups of leads below one another: how many, and in full colour how many won."""
    base = _base()
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=190))
    tips = [_NAME, alt.Tooltip("leads:Q", format=",.0f"), alt.Tooltip("wins:Q", format=",.0f")]
    leads = base.mark_bar(opacity=0.28, height=alt.RelativeBandSize(0.6)).encode(
        x=alt.X("leads:Q", title="leads called", axis=alt.Axis(tickCount=5)),
        y=y, color=_colour(), tooltip=tips,
    )  # fmt: skip
    wins = base.mark_bar(opacity=1, height=alt.RelativeBandSize(0.6)).encode(
        x=alt.X("wins:Q", title="leads called"), y=y, color=_colour(), tooltip=tips
    )
    text = base.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(
        x=alt.X("leads:Q"), y=y, text="told:N"
    )
    room = base.mark_point(opacity=0).encode(x=alt.X("end:Q"), y=y)  # for the text
    return (leads + wins + text + room).properties(width="container", height=120)


def _gains() -> Any:
    """Draw differences below one another with their intervals, and where there is none."""
    base = _base()
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=190))
    x = alt.X("low:Q", title="wins more, or fewer", axis=alt.Axis(tickCount=6))
    tips = [_NAME, alt.Tooltip("value:Q", title="wins more", format="+,.1f"),
            alt.Tooltip("low:Q", title="95 % from", format="+,.1f"),
            alt.Tooltip("high:Q", title="to", format="+,.1f")]  # fmt: skip
    none = base.mark_rule(color=MUTED, strokeDash=_DASH).encode(x=alt.datum(0))
    spans = base.mark_rule(color=SERIES, opacity=1, strokeWidth=2).encode(x=x, x2="high:Q", y=y)
    dots = base.mark_point(color=SERIES, fill=SERIES, opacity=1, size=48).encode(
        x="value:Q", y=y, tooltip=tips
    )
    return (none + spans + dots).properties(width="container", height=120)


def _costs() -> Any:
    """Draw what leaving out each family does to the wins, a dot per contender."""
    base = _base()
    y = alt.Y("name:N", title=None, sort=None)
    x = alt.X("value:Q", title="wins more, or fewer, without it", axis=alt.Axis(tickCount=6))
    tips = [_NAME, alt.Tooltip("who:N", title=" "),
            alt.Tooltip("value:Q", title="wins", format="+,.1f")]  # fmt: skip
    none = base.mark_rule(color=MUTED, strokeDash=_DASH).encode(x=alt.datum(0))
    spans = base.mark_rule(opacity=0.5).encode(
        x=alt.X("low:Q", title="wins more, or fewer, without it"), x2="high:Q", y=y,
        color=_colour(), yOffset="place:O",
    )  # fmt: skip
    dots = base.mark_point(filled=True, opacity=1, size=48).encode(
        x=x, y=y, yOffset="place:O", color=_colour(), tooltip=tips
    )
    return (none + spans + dots).properties(width="container", height=200)
