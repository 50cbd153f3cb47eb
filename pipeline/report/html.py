"""One HTML text with its charts, styles and scripts inside, that loads nothing."""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.report.bundle import read_bundle
from pipeline.report.drawings import Drawing

_HERE = Path(__file__).parent
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def render_page(
    template: str,
    drawings: Collection[Drawing],
    specs: Mapping[str, dict[str, Any]],
    cache: Path,
    **context: Any,
) -> str:
    """Return a page with its charts.

    Parameters
    ----------
    template : str
        The file's name in this package.
    drawings : collection of Drawing
        The charts; the template finds them as ``drawings``, by the id of their place.
    specs : mapping of str to dict
        The specification of every kind of chart among them.
    cache : Path
        Folder where the bundle of JavaScript is kept between pages.
    **context
        What else the template reads.
    """
    from pipeline.report.charts import CONFIG  # Altair takes half a second

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
        two=lambda value: f"{value:.2f}",
        three=lambda value: f"{value:.3f}",
        points=lambda value: f"{round(value, 1) + 0.0:+.1f}".replace("-", "−"),
        sentence=_begin_sentence,
    )
    charts = {
        "config": CONFIG,
        "specs": specs,
        "charts": [
            {"place": d.place, "kind": d.kind, "rows": d.rows, "height": d.height} for d in drawings
        ],
    }
    script = "\n".join([read_bundle(cache), (_HERE / "draw.js").read_text(encoding="utf-8")])
    return environment.get_template(template).render(
        drawings={drawing.place: drawing for drawing in drawings},
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        charts=to_safe_json(charts),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **context,
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
