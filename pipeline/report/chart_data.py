"""Which charts the page has, and their rows."""

from itertools import pairwise
from typing import Any, NamedTuple

from leadscore.pipeline.evaluation.groups import Group
from leadscore.pipeline.report.evaluation_figures import GainRow
from leadscore.pipeline.report.signal_figures import Contribution, SignalFigure
from leadscore.pipeline.report.training_report import Report

MOST_BARS = 15
_LONGEST = 40
_ROW_PX = {"rates": 24, "swing": 24, "levels": 18, "filling": 22, "gains": 24,
           "swaps": 34, "costs": 17}  # fmt: skip
_SKEWED = 10.0
_BETWEEN = 8
Rows = list[dict[str, Any]]


class Chart(NamedTuple):
    """One chart: the id of its place on the page, its kind, its rows, and what it shows in words.

    The words are for readers who hear the page.
    """

    place: str
    kind: str
    rows: Rows
    says: str

    @property
    def height(self) -> int | None:
        """The height in pixels where rows stand below one another, else None."""
        return _ROW_PX[self.kind] * len(self.rows) if self.kind in _ROW_PX else None


def make_charts(report: Report) -> dict[str, Chart]:
    """Return the charts of a report by the id of their place."""
    drawings = [
        Chart(
            "chart-calibration", "calibration",
            [{"said": r.said, "rate": r.came, "low": r.low, "high": r.high}
             for r in report.calibration],
            "Share won against mean prediction, in ten groups of equal size, with 95 % intervals",
        ),
        Chart("chart-gain", "gain", [{"called": 0, "gained": 0}, *_gain_rows(report.gain_curve)],
                "Share of all wins found against the share of leads called, best first"),
        Chart("chart-lift", "lift", _gain_rows(report.gain_curve[1:]),
                "Lift over chance against the share of leads called, best first"),
        Chart("chart-bands", "rates", _rate_rows([row.group for row in report.bands]),
                "Share won with its interval, and mean prediction, by band"),
        Chart("chart-periods", "periods", _rate_rows([row.group for row in report.periods]),
                "Share won with its interval, and mean prediction, in order of time"),
        Chart("chart-ages", "rates", _rate_rows([row.group for row in report.ages]),
                "Share won with its interval, and mean prediction, by age in days"),
        Chart(
            "chart-swing", "swing",
            [{"name": _short(figure.name), "swing": round(figure.swing, 3)}
             for figure in sorted(report.signals, key=lambda f: (-f.swing, f.column))],
            "How many points each signal moves a score on average, the strongest first",
        ),
    ]  # fmt: skip
    for number, breakdown in enumerate(report.breakdowns):
        drawings.append(
            Chart(f"chart-by-{number}", "rates", _rate_rows(breakdown.groups),
                    f"Share won with its interval, and mean prediction, by {breakdown.column}")
        )  # fmt: skip
    told = [_draw_signal(figure, report.worth) for figure in report.signals]
    drawings += [drawing for drawing in told if len(drawing.rows) > 1]
    return {drawing.place: drawing for drawing in drawings if drawing.rows}


def find_points_range(report: Report) -> tuple[float, float]:
    """Return the least and most points of all that is drawn of the signals, 0 included."""
    points = [0.0]
    for figure in report.signals:
        points += [row["points"] for row in _draw_signal(figure, report.worth).rows]
    return min(points), max(points)


def _gain_rows(rows: tuple[GainRow, ...]) -> Rows:
    return [
        {"called": round(r.called, 4), "gained": round(r.gained, 5), "lift": round(r.lift, 4)}
        for r in rows
    ]


def _rate_rows(groups: list[Group] | tuple[Group, ...]) -> Rows:
    return [
        {"name": _short(g.name), "rate": g.rate, "low": g.low, "high": g.high, "said": g.mean_prob}
        for g in groups if not g.is_few
    ]  # fmt: skip


def _draw_signal(figure: SignalFigure, worth: str) -> Chart:
    place = f"chart-{figure.column}"
    says = f"What values of {figure.name} are worth, in points {worth}"
    told = figure.missing.leads is not None
    if figure.curve:
        bent = _is_skewed(figure.curve)
        rows = _curve_rows(figure.curve, _BETWEEN if bent else 1)
        missing = round(figure.missing.points, 3) if told else None
        rows = [{**row, "missing": missing} for row in rows]
        return Chart(place, "bent" if bent else "curve", rows, says)
    bars = [worth for worth in figure.bars if worth.leads is not None]
    bars += [figure.missing] if told else []
    return Chart(place, "levels", _bar_rows(bars), says)


def _is_skewed(curve: tuple[Contribution, ...]) -> bool:
    """Say whether most corners lie so close to zero that a scale of roots shows them better."""
    x = [worth.x or 0.0 for worth in curve]
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
    strongest = sorted(bars, key=lambda worth: -abs(worth.points))[:MOST_BARS]
    kept = sorted(strongest, key=lambda worth: -worth.points)
    return [{"name": _short(worth.value), "points": round(worth.points, 3)} for worth in kept]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
