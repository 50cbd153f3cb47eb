"""One HTML text with its charts, styles and scripts inside, that loads nothing."""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadscore.pipeline.report.chart_data import Chart

_TEMPLATES = Path(__file__).parent / "templates"
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def render_page(
    template: str,
    drawings: Collection[Chart],
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
    from leadscore.pipeline.report.charts import CONFIG  # Altair takes half a second

    environment = Environment(
        loader=PackageLoader("leadscore.pipeline.report", "templates"),
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
    script = "\n".join([read_bundle(cache), (_TEMPLATES / "draw.js").read_text(encoding="utf-8")])
    return environment.get_template(template).render(
        drawings={drawing.place: drawing for drawing in drawings},
        style=(_TEMPLATES / "style.css").read_text(encoding="utf-8"),
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


_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@lru_cache(maxsize=1)
def read_bundle(cache: Path) -> str:
    """Return the bundle, from the cache if it lies there unharmed.

    vl-convert carries the libraries and takes some seconds to bundle them, without a network.

    Parameters
    ----------
    cache : Path
        A folder, made if absent.
    """
    path = cache / f"vega-{version('vl-convert-python')}.js"
    try:
        digest, _, text = path.read_bytes().decode("utf-8").partition("\n")
        if digest == _digest(text):
            return text
    except (OSError, UnicodeDecodeError):
        pass
    text = _make_bundle()
    with suppress(OSError):  # without a cache the next report takes longer, and that is all
        _write_whole(path, f"{_digest(text)}\n{text}")
    return text


def _make_bundle() -> str:
    import vl_convert  # of several megabytes, and needed once in a while only

    return str(vl_convert.javascript_bundle(_SNIPPET)).replace("</script", "<\\/script")


def _digest(text: str) -> str:
    return f"// sha256 {hashlib.sha256(text.encode()).hexdigest()}"


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    os.replace(scratch, path)
