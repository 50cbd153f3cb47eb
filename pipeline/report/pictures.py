"""Draw charts without a network: pictures as PNG or SVG, and the JavaScript for pages."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from leadscore.models.score_lead import Explanation, Reason, round_to_sum
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.report.chart_data import (
    Chart,
    Rows,
    find_points_range,
    make_charts,
    sort_by_swing,
)
from leadscore.pipeline.report.training_report import Report

_ENDINGS = (".svg", ".png")
_REASONS_SHOWN = 12
_SIGNALS_SHOWN = 12
_SIGNALS_A_ROW = 4


def draw_training(report: Report, folder: Path) -> list[Path]:
    """Write gain and lift, calibration, and the strongest signals as PNG; return the files.

    A picture without any chart is left out: that of the signals, if too few leads have them.
    """
    from leadscore.pipeline.report.charts import make_specs  # Altair takes half a second

    charts = make_charts(report)
    specs = make_specs((chart.kind for chart in charts.values()), find_points_range(report))
    basis = f"{report.basis}: {report.evaluated.leads:,} leads, {report.evaluated.wins:,} wins"
    strongest = [
        (figure.column, f"chart-{figure.column}")
        for figure in sort_by_swing(report.signals)
        if f"chart-{figure.column}" in charts
    ][:_SIGNALS_SHOWN]
    signals = f"What values are worth, in points {report.reference}"
    of_all = f"{len(strongest)} of {len(report.signals)} signals; dashed: missing"
    pictures = {
        "gain_and_lift.png": ([("Gain", "chart-gain"), ("Lift", "chart-lift")], [basis], 420),
        "calibration.png": ([("Calibration", "chart-calibration")], [basis], 460),
        "terms.png": (strongest, [signals, of_all], 260),
    }
    paths = []
    for name, (places, title, width) in pictures.items():
        views = [
            _make_view(specs[charts[place].kind], charts[place], heading, width)
            for heading, place in places
        ]
        if views:
            spec = {"concat": views, "columns": _SIGNALS_A_ROW, "title": title, "spacing": 24}
            paths.append(folder / name)
            write_picture(spec, paths[-1])
    return paths


def draw_explanation(explanation: Explanation, first: str, path: Path) -> None:
    """Draw an explanation as a waterfall, in points, and write it as SVG or PNG.

    The bar of the first row is named `first`. Reasons after the twelfth are drawn as one, reasons
    of zero points are not drawn. The numbers at the bars add up to the last digit. A ConfigError is
    raised if the name of the file has another ending.
    """
    from leadscore.pipeline.report.charts import make_specs

    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"{path}: a picture is written as {' or '.join(_ENDINGS)}; name it so")
    rows = _make_steps(explanation, first)
    chart = Chart("explanation", "explanation", rows, "")
    points = f"points ({explanation.points_to_double:.0f} double the odds)"
    spec = make_specs([chart.kind], points=points)[chart.kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    title = f"A score is a sum (band: {explanation.band})"
    write_picture(_make_view(spec, chart, title, width=520), path)


def _make_steps(explanation: Explanation, first: str) -> Rows:
    """Return the rows of a waterfall: each bar begins where the one above it ends."""
    reasons = [reason for reason in explanation.reasons if reason.points]
    shown, rest = reasons[:_REASONS_SHOWN], reasons[_REASONS_SHOWN:]
    names = [_name_reason(reason) for reason in shown]
    steps = [reason.points for reason in shown]
    if rest:
        names.append(f"{len(rest)} more signals")
        steps.append(sum(reason.points for reason in rest))
    written = round_to_sum([explanation.average_points, *steps], explanation.points, digits=0)
    ends = list(accumulate([explanation.average_points, *steps]))
    rows = [_make_step(first, 0.0, ends[0], "whole", f"{written[0]:.0f}")]
    for name, (begin, end), points in zip(names, pairwise(ends), written[1:], strict=True):
        kind = "up" if end >= begin else "down"
        rows.append(_make_step(name, begin, end, kind, f"{points:+.0f}"))
    last = f"this lead: {explanation.probability:.1%}"
    rows.append(_make_step(last, 0.0, explanation.points, "whole", f"{explanation.points:.0f}"))
    for row, below in zip(rows, [*rows[1:], rows[-1]], strict=True):
        row["next"] = below["name"]
    return rows


def _make_step(name: str, begin: float, end: float, kind: str, text: str) -> dict[str, Any]:
    return {
        "name": name, "begin": begin, "end": end, "width": end - begin, "kind": kind, "text": text,
    }  # fmt: skip


def _name_reason(reason: Reason) -> str:
    value = reason.value
    text = "missing" if value is None else value if isinstance(value, str) else f"{value:.3g}"
    return f"{reason.signal} = {text}"


def _make_view(spec: dict[str, Any], chart: Chart, title: str, width: int) -> dict[str, Any]:
    """Return one kind of chart with the rows, the sizes and the title that it has in a picture."""
    view = {**spec, "data": {"values": chart.rows}, "width": width}
    view["title"] = {"text": title, "anchor": "start", "fontSize": 12}
    return view if chart.height is None else {**view, "height": chart.height}


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
