"""The page: one HTML text with its charts, styles and scripts inside, that loads nothing."""

import base64
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.report.bundle import read_bundle
from pipeline.report.counts import FEWEST
from pipeline.report.drawings import MOST_BARS, find_reach, make_drawings
from pipeline.report.figures import Report
from pipeline.report.grid import ENGAGEMENT, FIT
from pipeline.report.signals import SignalFigure

_HERE = Path(__file__).parent
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def write_page(report: Report, cache: Path) -> str:
    """Return the page of a report; the same report gives the same text.

    Parameters
    ----------
    report : Report
    cache : Path
        Folder where the bundle of JavaScript is kept between reports.
    """
    from pipeline.report.charts import CONFIG, make_specs  # Altair takes half a second

    environment = Environment(
        loader=PackageLoader("pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=lambda value: f"{value:.1%}",
        count=lambda value: f"{value:,.0f}",
        three=lambda value: f"{value:.3f}",
        points=lambda value: f"{round(value, 1) + 0.0:+.1f}".replace("-", "−"),
        sentence=_begin_sentence,
    )
    drawings = make_drawings(report)
    charts = {
        "config": CONFIG,
        "specs": make_specs(find_reach(report)),
        "charts": [
            {"place": d.place, "kind": d.kind, "rows": d.rows, "height": d.height}
            for d in drawings.values()
        ],
    }
    script = "\n".join([read_bundle(cache), (_HERE / "draw.js").read_text(encoding="utf-8")])
    return environment.get_template("page.html.j2").render(
        report=report,
        drawings=drawings,
        hottest=_find_hottest(report),
        families=_by_family(report.signals),
        strongest=sorted(report.signals, key=lambda figure: (-figure.swing, figure.column)),
        few=FEWEST,
        most_bars=MOST_BARS,
        fit=" + ".join(sorted(FIT)),
        engagement=" + ".join(sorted(ENGAGEMENT)),
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        charts=to_safe_json(charts),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def to_safe_json(document: Any) -> str:
    r"""Return JSON that may stand within a script element: no text in it can end the element.

    Examples
    --------
    >>> to_safe_json({"level": "</script>"})
    '{"level":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign, escape in _UNSAFE.items():
        text = text.replace(sign, escape)
    return text


def _begin_sentence(text: str) -> str:
    """Write the first word with a capital, unless it is a file's or a column's name."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.rstrip(",").isalpha() else text


def _find_hottest(report: Report) -> float:
    """Return the highest rate of the matrix, which has the strongest shade."""
    cells = [] if report.grid is None else [cell for row in report.grid.rows for cell in row]
    return max((cell.rate or 0.0 for cell in cells), default=0.0) or 1.0


def _by_family(figures: tuple[SignalFigure, ...]) -> dict[str, list[SignalFigure]]:
    families: dict[str, list[SignalFigure]] = defaultdict(list)
    for figure in figures:
        families[figure.family].append(figure)
    return dict(families)
