"""Draw charts without a network: the JavaScript for pages, and pictures as PNG or SVG.

Both are vl-convert's, which carries Vega and its libraries.
"""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"
_PNG_SCALE = 2.0
_PICTURE = {
    "background": "var(--paper)",
    "font": "Arial, Helvetica, Liberation Sans, sans-serif",
    "padding": {"left": 40, "top": 12, "right": 12, "bottom": 12},
}
"""A picture is laid out before the fonts of its reader are known. So it has a font for which every
system has one of the same width, and room for labels that come out wider."""
_COLOUR = re.compile(r"var\(--(\w+)\)")
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@lru_cache(maxsize=1)
def read_bundle(cache: Path) -> str:
    """Return the JavaScript that draws charts, from the cache folder if an intact copy is there.

    vl-convert has the libraries and takes some seconds to bundle them, without a network.
    """
    path = cache / f"vega-{version('vl-convert-python')}.js"
    try:
        digest, _, text = path.read_bytes().decode("utf-8").partition("\n")
        if digest == _digest(text):
            return text
    except (OSError, UnicodeDecodeError):
        pass
    text = _make_bundle()
    with suppress(OSError):  # without the cache the next report only takes longer
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


def write_picture(spec: dict[str, Any], path: Path) -> None:
    """Write a Vega-Lite specification, which has its data, as SVG or PNG by the file's ending."""
    import vl_convert  # of several megabytes, and needed once in a while only

    from leadscore.pipeline.report.charts import CONFIG, INK

    title = {"color": INK, "anchor": "start", "offset": 12}
    config = {**CONFIG, **_PICTURE, "title": title}
    filled = _fill_in_colours({**spec, "config": config})
    if path.suffix.lower() == ".svg":
        path.write_text(vl_convert.vegalite_to_svg(filled), encoding="utf-8", newline="\n")
    else:
        path.write_bytes(vl_convert.vegalite_to_png(filled, scale=_PNG_SCALE))


def _fill_in_colours(part: Any) -> Any:
    """Replace the CSS variables of a specification by the light colours of the pages."""
    if isinstance(part, dict):
        return {
            key: value if key == "data" else _fill_in_colours(value) for key, value in part.items()
        }
    if isinstance(part, list):
        return [_fill_in_colours(value) for value in part]
    found = _COLOUR.fullmatch(part) if isinstance(part, str) else None
    return _read_light_colours()[found[1]] if found else part


@cache
def _read_light_colours() -> dict[str, str]:
    light, _, _ = (TEMPLATES / "style.css").read_text(encoding="utf-8").partition("}")
    return dict(re.findall(r"--(\w+): (#\w{6})", light))
