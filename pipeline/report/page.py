"""The page of a training's report."""

from collections import defaultdict
from pathlib import Path

from models.axes import ENGAGEMENT, FIT
from pipeline.groups import FEWEST
from pipeline.report.drawings import MOST_BARS, find_reach, make_drawings
from pipeline.report.figures import Report
from pipeline.report.html import render_page
from pipeline.report.signals import SignalFigure


def write_page(report: Report, cache: Path) -> str:
    """Return the page of a report; the same report gives the same text.

    Parameters
    ----------
    report : Report
    cache : Path
        Folder where the bundle of JavaScript is kept between reports.
    """
    from pipeline.report.charts import make_specs  # Altair takes half a second

    return render_page(
        "page.html.j2",
        make_drawings(report).values(),
        make_specs(find_reach(report)),
        cache,
        report=report,
        hottest=_find_hottest(report),
        families=_by_family(report.signals),
        strongest=sorted(report.signals, key=lambda figure: (-figure.swing, figure.column)),
        few=FEWEST,
        most_bars=MOST_BARS,
        fit=" + ".join(sorted(FIT)),
        engagement=" + ".join(sorted(ENGAGEMENT)),
    )


def _find_hottest(report: Report) -> float:
    """Return the highest rate of the matrix, which has the strongest shade."""
    cells = [] if report.grid is None else [cell for row in report.grid.rows for cell in row]
    return max((cell.rate or 0.0 for cell in cells), default=0.0) or 1.0


def _by_family(figures: tuple[SignalFigure, ...]) -> dict[str, list[SignalFigure]]:
    families: dict[str, list[SignalFigure]] = defaultdict(list)
    for figure in figures:
        families[figure.family].append(figure)
    return dict(families)
