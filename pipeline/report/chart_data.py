"""Which charts the report of a training has, and their rows."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from leadscore.pipeline.evaluation.close_rates import Group
from leadscore.pipeline.report.figures import Contribution, SignalFigure
from leadscore.pipeline.report.training_report import Report

MOST_BARS = 15
_MAX_CHARACTERS = 40
_ROW_PX = {"rates": 24, "swing": 24, "levels": 18, "filling": 22, "gains": 24,
           "swaps": 34, "costs": 17, "explanation": 26}  # fmt: skip
_SKEWED = 10.0
_BETWEEN = 8
Rows = list[dict[str, Any]]


class Chart(NamedTuple):
    """One chart: the id of its place on the page, its kind, its rows, and a description.

    People who hear the page and do not see it get the description.
    """

    place: str
    kind: str
    rows: Rows
    description: str

    @property
    def height(self) -> int | None:
        """The height in pixels if rows stand below one another, else None."""
        return _ROW_PX[self.kind] * len(self.rows) if self.kind in _ROW_PX else None


def make_charts(report: Report) -> dict[str, Chart]:
    """Return the charts of a report by the id of their place; charts without rows are left out."""
    groups = "Share won with its interval, and mean prediction,"
    signals = [_chart_signal(figure, report.reference) for figure in report.signals]
    charts = [
        Chart(
            "chart-calibration", "calibration",
            [{"predicted": r.predicted, "rate": r.observed, "low": r.low, "high": r.high}
             for r in report.calibration],
            "Share won by mean prediction, in ten groups of equal size, with 95 % intervals",
        ),
        Chart("chart-gain", "gain", [{"called": 0, "gained": 0}, *_gain_rows(report)],
              "Share of all wins found by the share of leads called, best first"),
        Chart("chart-lift", "lift", _gain_rows(report)[1:],
              "Lift over chance by the share of leads called, best first"),
        Chart("chart-bands", "rates", _rate_rows(row.group for row in report.bands),
              f"{groups} by band"),
        Chart("chart-periods", "periods", _rate_rows(row.group for row in report.periods),
              f"{groups} in order of time"),
        Chart("chart-ages", "rates", _rate_rows(row.group for row in report.ages),
              f"{groups} by age in days"),
        Chart(
            "chart-swing", "swing",
            [{"name": _shorten(figure.name), "swing": round(figure.swing, 3)}
             for figure in sort_by_swing(report.signals)],
            "How many points each signal moves a score on average, the strongest first",
        ),
        *(Chart(f"chart-by-{number}", "rates", _rate_rows(breakdown.groups),
                f"{groups} by {breakdown.column}")
          for number, breakdown in enumerate(report.breakdowns)),
        *(chart for chart in signals if len(chart.rows) > 1),
    ]  # fmt: skip
    return {chart.place: chart for chart in charts if chart.rows}


def sort_by_swing(figures: Iterable[SignalFigure]) -> list[SignalFigure]:
    """Return the signals, those first that move scores most."""
    return sorted(figures, key=lambda figure: (-figure.swing, figure.column))


def find_points_range(report: Report) -> tuple[float, float]:
    """Return the least and the most points in all charts of signals, 0 included."""
    charts = [_chart_signal(figure, report.reference) for figure in report.signals]
    points = [0.0, *(row["points"] for chart in charts for row in chart.rows)]
    return min(points), max(points)


def _gain_rows(report: Report) -> Rows:
    return [
        {"called": round(r.called, 4), "gained": round(r.gained, 5), "lift": round(r.lift, 4)}
        for r in report.gain_curve
    ]


def _rate_rows(groups: Iterable[Group]) -> Rows:
    return [
        {"name": _shorten(g.name), "rate": g.rate, "low": g.low, "high": g.high,
         "predicted": g.mean_prob}
        for g in groups if not g.is_few
    ]  # fmt: skip


def _chart_signal(figure: SignalFigure, reference: str) -> Chart:
    place = f"chart-{figure.column}"
    description = f"What values of {figure.name} are worth, in points {reference}"
    missing = [] if figure.missing.leads is None else [figure.missing]
    if figure.curve:
        is_skewed = _is_skewed(figure.curve)
        rows = _curve_rows(figure.curve, _BETWEEN if is_skewed else 1)
        points = round(missing[0].points, 3) if missing else None
        rows = [{**row, "missing": points} for row in rows]
        return Chart(place, "bent" if is_skewed else "curve", rows, description)
    bars = [bar for bar in figure.bars if bar.leads is not None]
    return Chart(place, "levels", _bar_rows([*bars, *missing]), description)


def _is_skewed(curve: tuple[Contribution, ...]) -> bool:
    """Return whether most corners are so close to zero that an axis of roots shows them better."""
    x = [corner.x or 0.0 for corner in curve]
    return x[0] >= 0.0 and x[-1] > _SKEWED * x[len(x) // 2]


def _curve_rows(curve: tuple[Contribution, ...], steps: int) -> Rows:
    """Return the corners, and `steps` - 1 points between each two, straight on a linear scale."""
    rows: Rows = []
    for left, right in pairwise(curve):
        for step in range(steps):
            part = step / steps
            x = (left.x or 0.0) + part * ((right.x or 0.0) - (left.x or 0.0))
            points = left.points + part * (right.points - left.points)
            rows.append({"x": x, "points": round(points, 3), "corner": step == 0})
    last = curve[-1]
    return [*rows, {"x": last.x, "points": round(last.points, 3), "corner": True}]


def _bar_rows(bars: list[Contribution]) -> Rows:
    strongest = sorted(bars, key=lambda bar: -abs(bar.points))[:MOST_BARS]
    shown = sorted(strongest, key=lambda bar: -bar.points)
    return [{"name": _shorten(bar.value), "points": round(bar.points, 3)} for bar in shown]


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 1] + "…"
