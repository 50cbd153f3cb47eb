"""Write one HTML text with its charts, styles and scripts inside, which loads nothing."""

import base64
import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadscore.pipeline.evaluation.groups import MIN_GROUP_LEADS
from leadscore.pipeline.report.chart_data import Chart
from leadscore.pipeline.report.vega import TEMPLATES, read_bundle

_STRICT_JSON = {"ensure_ascii": True, "allow_nan": False, "separators": (",", ":")}
"""What the filter ``tojson`` passes on: no text in a script element can end it or break a line."""


def render_page(
    template: str,
    charts: Collection[Chart],
    cache: Path,
    axes: Mapping[str, Any],
    **context: Any,
) -> str:
    """Return a page with its charts.

    Parameters
    ----------
    template : str
        A file of the folder ``templates``; it finds the charts as ``charts``, by their place.
    charts : collection of Chart
    cache : Path
        Folder where the bundle of JavaScript is kept between pages.
    axes : mapping of str to object
        The scales and titles of axes that ``make_specs`` takes.
    **context
        What else the template reads.
    """
    from leadscore.pipeline.report.charts import CONFIG, make_specs  # Altair takes half a second

    environment = Environment(
        loader=PackageLoader("leadscore.pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = _STRICT_JSON
    environment.filters.update(
        percent=lambda value: f"{value:.1%}",
        count=lambda value: f"{value:,.0f}",
        two=lambda value: f"{value:.2f}",
        three=lambda value: f"{value:.3f}",
        points=lambda value: f"{round(value, 1) + 0.0:+.1f}".replace("-", "−"),
        sentence=_begin_sentence,
    )
    script = "\n".join([read_bundle(cache), (TEMPLATES / "draw.js").read_text(encoding="utf-8")])
    return environment.get_template(template).render(
        charts={chart.place: chart for chart in charts},
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        chart_document={
            "config": CONFIG,
            "specs": make_specs((chart.kind for chart in charts), **axes),
            "charts": [
                {"place": c.place, "kind": c.kind, "rows": c.rows, "height": c.height}
                for c in charts
            ],
        },
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        few=MIN_GROUP_LEADS,
        **context,
    )


def _begin_sentence(text: str) -> str:
    """Begin with a capital letter, unless the first word is the name of a file or a column."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.rstrip(",").isalpha() else text
