"""The picture of one score: from the average lead to this one, signal by signal."""

from itertools import accumulate
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadscore.models.reasons import Explanation, Reason, round_to_sum
from leadscore.pipeline.errors import ConfigError

_UP, _DOWN, _WHOLE = "#2563a8", "#b3402a", "#5c6470"
_SHOWN = 12
_ENDINGS = (".svg", ".png")


def draw_explanation(explanation: Explanation, first: str, path: Path) -> None:
    """Draw an explanation as a waterfall, in points, and save it as SVG or PNG.

    Reasons beyond the first twelve are drawn as one, and those worth nothing not at all. What is
    written at the bars adds up to the last digit. `first` names what the waterfall begins with.

    Raises
    ------
    ConfigError
        If the file's name ends otherwise.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"{path}: a picture is written as {' or '.join(_ENDINGS)}; name it so")
    reasons = [reason for reason in explanation.reasons if reason.points]
    shown, rest = reasons[:_SHOWN], reasons[_SHOWN:]
    names = [_name(reason) for reason in shown]
    steps = [reason.points for reason in shown]
    if rest:
        names.append(f"{len(rest)} signals more")
        steps.append(sum(reason.points for reason in rest))
    written = round_to_sum([explanation.average_points, *steps], explanation.points, digits=0)
    figure = Figure(figsize=(9.0, 0.9 + 0.33 * (len(names) + 2)), layout="constrained")
    axes = figure.subplots()
    _bar(axes, 0, 0.0, explanation.average_points, _WHOLE, f"{written[0]:.0f}")
    at = explanation.average_points
    for place, (step, points) in enumerate(zip(steps, written[1:], strict=True), start=1):
        axes.plot([at, at], [place - 1.4, place + 0.4], color=_WHOLE, linewidth=0.6)
        _bar(axes, place, at, step, _UP if step >= 0 else _DOWN, f"{points:+.0f}")
        at += step
    _bar(axes, len(names) + 1, 0.0, explanation.points, _WHOLE, f"{explanation.points:.0f}")
    labels = [first, *names, f"this lead: {explanation.probability:.1%}"]
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    ends = [0.0, *accumulate([explanation.average_points, *steps])]
    room = 0.09 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.axvline(0.0, color=_WHOLE, linewidth=0.6)
    axes.set_xlabel(f"points ({explanation.points_to_double:.0f} double the odds)")
    axes.set_title(f"A score is a sum (band: {explanation.band})", loc="left")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "leadscore", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)


def _bar(axes: Axes, place: int, begin: float, width: float, colour: str, text: str) -> None:
    axes.barh(place, width, left=begin, color=colour, height=0.7)
    end, positive = begin + width, width >= 0
    axes.annotate(
        text, (end, place), (4 if positive else -4, 0), textcoords="offset points",
        va="center", ha="left" if positive else "right", fontsize=9,
    )  # fmt: skip


def _name(reason: Reason) -> str:
    value = reason.value
    told = "missing" if value is None else value if isinstance(value, str) else f"{value:.3g}"
    text = f"{reason.signal} = {told}"
    return text if len(text) <= 48 else text[:47] + "…"
