"""Pictures of one training: gain and lift, calibration, the terms."""

from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import Steps, Table
from leadscore.pipeline.evaluation.calibration import ScoreGroups
from leadscore.pipeline.evaluation.evaluate import Evaluation
from leadscore.pipeline.evaluation.metrics import gain_curve
from leadscore.pipeline.tracking.version_names import describe_reference

_BLUE, _GREY, _RED = "#2563a8", "#8a8f98", "#b3402a"
_DPI = 100
_LEVELS_SHOWN = 12
_TERMS_SHOWN = 12


def draw_gain(leads: ScoreGroups, evaluation: Evaluation, path: Path) -> None:
    """Draw the gain curve, with the lift beside it, and save it as PNG.

    Gain: the share of all wins among the best-scored share of leads. Lift: that over chance.
    """
    called, gained = gain_curve(leads)
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(called, gained, color=_BLUE, label="by score")
    left.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="by chance")
    left.set(xlabel="share of leads called, best first", ylabel="share of wins found",
             title="Gain", xlim=(0, 1), ylim=(0, 1.01))  # fmt: skip
    left.legend(frameon=False)
    shown = called >= 0.01
    right.plot(called[shown], gained[shown] / called[shown], color=_BLUE)
    right.axhline(1.0, color=_GREY, linestyle="--")
    right.set(xlabel="share of leads called, best first", ylabel="lift (1 = chance)",
              title="Lift", xlim=(0, 1), ylim=(0, None))  # fmt: skip
    _save(figure, path, evaluation)


def draw_calibration(evaluation: Evaluation, path: Path) -> None:
    """Draw what was said against what came, in ten bins of equal count, and save it as PNG."""
    said = np.array([row.mean_prob for row in evaluation.calibration])
    came = np.array([row.win_rate for row in evaluation.calibration])
    low, high = np.array(evaluation.calibration_intervals()).T
    top = max(said.max(), high.max()) * 1.05
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, top], [0, top], color=_GREY, linestyle="--", label="said = came")
    reach = np.maximum([came - low, high - came], 0.0)
    axes.errorbar(said, came, yerr=reach, fmt="o", color=_BLUE, capsize=2,
                  label="a tenth of the leads, 95 %")  # fmt: skip
    axes.set(xlabel="mean probability said", ylabel="share won", title="Calibration",
             xlim=(0, top), ylim=(0, top))  # fmt: skip
    axes.legend(frameon=False, loc="upper left")
    _save(figure, path, evaluation)


def draw_terms(scorecard: Scorecard, path: Path) -> None:
    """Draw the terms that move scores most, in points, and save them as PNG."""
    terms = sorted(scorecard.terms, key=lambda term: (-_spread(term), term.signal))[:_TERMS_SHOWN]
    columns = 4 if len(terms) > 4 else max(len(terms), 1)
    rows = max(ceil(len(terms) / columns), 1)
    size = (4.2 * columns, 2.7 * rows + 0.6)
    figure = Figure(figsize=size)
    figure.subplots_adjust(
        left=1.35 / size[0],
        right=1.0 - 0.1 / size[0],
        bottom=0.3 / size[1],
        top=1.0 - 0.8 / size[1],
        wspace=0.55,
        hspace=0.35,
    )
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(terms) :]:
        axes.set_axis_off()
    for axes, term in zip(grid, terms, strict=False):
        _draw_term(axes, term, scorecard.points.per_log_odds)
    figure.suptitle(
        f"What values are worth, in points {describe_reference(scorecard.kind)}\n"
        f"({len(terms)} of {len(scorecard.terms)} signals; dotted: missing)",
        fontsize=10,
    )
    figure.savefig(path, dpi=_DPI, pil_kwargs={"compress_level": 1})


def _draw_term(axes: Axes, term: Term, scale: float) -> None:
    axes.set_title(term.signal, fontsize=9)
    axes.tick_params(labelsize=7)
    shape = term.shape
    if isinstance(shape, Table):
        bars = {**shape.levels, "(other)": shape.other, "(missing)": shape.missing}
        chosen = sorted(bars, key=lambda level: -abs(bars[level] - term.mean))[:_LEVELS_SHOWN]
        chosen.sort(key=lambda level: bars[level])
        if len(chosen) < len(bars):
            axes.set_title(f"{term.signal} ({len(chosen)} of {len(bars)} levels)", fontsize=9)
        worth = [scale * (bars[level] - term.mean) for level in chosen]
        axes.barh([_short(level) for level in chosen], worth,
                  color=[_BLUE if value >= 0 else _RED for value in worth])  # fmt: skip
        axes.axvline(0.0, color=_GREY, linewidth=0.8)
        return
    if isinstance(shape, Steps):
        ends = shape.edges or (0.0,)
        x = np.array([ends[0] - 1.0, *shape.edges, ends[-1] + 1.0])
        y = np.array([*shape.values, shape.values[-1]])
        axes.step(x, scale * (y - term.mean), where="post", color=_BLUE)
    else:
        axes.plot(shape.knots, [scale * (v - term.mean) for v in shape.values], color=_BLUE,
                  marker=".", markersize=4)  # fmt: skip
    axes.axhline(scale * (shape.missing - term.mean), color=_RED, linewidth=0.8, linestyle=":")
    axes.axhline(0.0, color=_GREY, linewidth=0.8)


def _spread(term: Term) -> float:
    shape = term.shape
    values = list(shape.levels.values()) if isinstance(shape, Table) else list(shape.values)
    return max([*values, shape.missing]) - min([*values, shape.missing])


def _short(level: str) -> str:
    return level if len(level) <= 20 else level[:19] + "…"


def _save(figure: Figure, path: Path, evaluation: Evaluation) -> None:
    figure.suptitle(
        f"{evaluation.basis}: {evaluation.leads} leads, {evaluation.wins} wins", fontsize=9
    )
    figure.savefig(path, dpi=_DPI, pil_kwargs={"compress_level": 1})
