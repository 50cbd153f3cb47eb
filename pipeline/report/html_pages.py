"""Write the pages of a training, an audit and a comparison, which load nothing."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadscore.models.axes import ENGAGEMENT, FIT
from leadscore.pipeline.audit.records import Audit, ColumnFinding, suppress_cells
from leadscore.pipeline.comparison.measures import DESCRIBED
from leadscore.pipeline.comparison.records import Comparison, Pair
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS
from leadscore.pipeline.evaluation.metrics import COMPARISON_WORDS
from leadscore.pipeline.report.chart_data import (
    MOST_BARS,
    Chart,
    Rows,
    find_points_range,
    make_charts,
    sort_by_swing,
)
from leadscore.pipeline.report.figures import CALLED_PERCENT, SignalFigure
from leadscore.pipeline.report.pictures import TEMPLATES, read_bundle
from leadscore.pipeline.report.training_report import Report

MOST_ROWS = 40
HUES = 4
"""The charts of a comparison have four colours; the fifth contender gets the first one again."""

_HEAVIEST = ("refuse", "quarantine", "not vouched for", "use")
_RANKING = ("auc", "auc_within", "average_precision")
_CALIBRATION = ("log_loss", "log_loss_equal", "ece", "ece_equal")


def write_training_page(report: Report, cache: Path) -> str:
    """Return the page of a training's report; the same report gives the same text.

    The bundle of JavaScript is kept between pages in the folder `cache`.
    """
    return render_page(
        "training.html.j2",
        make_charts(report).values(),
        cache,
        {"points_range": find_points_range(report)},
        report=report,
        gain=[report.gain_curve[percent - 1] for percent in CALLED_PERCENT],
        hottest=_find_hottest(report),
        families=_group_by_family(report.signals),
        strongest=sort_by_swing(report.signals),
        most_bars=MOST_BARS,
        fit=" + ".join(sorted(FIT)),
        engagement=" + ".join(sorted(ENGAGEMENT)),
    )


def _find_hottest(report: Report) -> float:
    """Return the highest rate of the matrix, which gets the strongest shade."""
    cells = [] if isinstance(report.grid, str) else [c for row in report.grid.rows for c in row]
    return max((cell.rate or 0.0 for cell in cells), default=0.0) or 1.0


def _group_by_family(figures: tuple[SignalFigure, ...]) -> dict[str, list[SignalFigure]]:
    families: dict[str, list[SignalFigure]] = defaultdict(list)
    for figure in figures:
        families[figure.family].append(figure)
    return dict(families)


def write_audit_page(audit: Audit, horizon_days: float | None, cache: Path) -> str:
    """Return the page of an audit; the same audit gives the same text.

    The horizon of the project is drawn into the arrival of wins. The bundle of JavaScript is kept
    between pages in the folder `cache`.
    """
    audit = suppress_cells(audit)
    return render_page(
        "audit.html.j2",
        list(_chart_audit(audit, horizon_days)),
        cache,
        {},
        audit=audit,
        horizon=horizon_days,
        columns=sorted(audit.columns, key=_weight),
        most_rows=MOST_ROWS,
    )


def _weight(column: ColumnFinding) -> tuple[int, float]:
    auc = 0.0 if column.auc is None else column.auc.value
    return _HEAVIEST.index(column.overridden or column.verdict), -auc


def _chart_audit(audit: Audit, horizon_days: float | None) -> Iterator[Chart]:
    filled = [
        (column.name, column.filled_won, column.filled_not_won)
        for column in audit.columns
        if column.filled_won is not None and column.filled_not_won is not None
        and min(column.filled_won, column.filled_not_won) < 1.0
    ]  # fmt: skip
    filled.sort(key=lambda row: -abs(row[1] - row[2]))
    if filled:
        yield Chart(
            "chart-filling", "filling",
            [{"name": name, "won": won, "others": others}
             for name, won, others in filled[:MOST_ROWS]],
            "Share of leads for which each column is filled, among won leads and among the others",
        )  # fmt: skip
    if audit.arrival is not None:
        rows: Rows = [
            {"days": days, "won": won, "horizon": horizon_days}
            for days, won in zip(audit.arrival.days, audit.arrival.won, strict=True)
        ]
        yield Chart(
            "chart-arrival", "arrival", rows,
            "Share of all wins to come that are won already, by days since the lead's creation",
        )  # fmt: skip
    if audit.months:
        rows = [
            {"name": m.name, "rate": m.rate, "low": m.low, "high": m.high, "leads": m.leads}
            for m in audit.months
        ]
        yield Chart(
            "chart-months", "months", rows,
            "Share of leads won, with its 95 % interval, by when they were created",
        )  # fmt: skip


def write_comparison_page(found: Comparison, cache: Path) -> str:
    """Return the page of a comparison; the same comparison gives the same text.

    It names no lead, and has no figures of groups of fewer than ``MIN_GROUP_LEADS`` leads. The
    bundle of JavaScript is kept between pages in the folder `cache`.
    """
    by_week = found.plan.weeks is not None
    return render_page(
        "comparison.html.j2",
        [chart for chart in _chart_comparison(found, HUES) if chart.rows],
        cache,
        {"calls": "calls a week" if by_week else "calls a stretch"},
        found=found,
        names={standing.key: standing.name for standing in found.standings},
        hues=HUES,
        words=COMPARISON_WORDS,
        ranking=_RANKING,
        calibration=_CALIBRATION,
        families=list(dict.fromkeys(c.family for s in found.standings for c in s.families)),
        described=DESCRIBED,
    )


def _chart_comparison(found: Comparison, hues: int) -> Iterator[Chart]:
    names = {standing.key: standing.name for standing in found.standings}
    hue = {standing.key: place % hues for place, standing in enumerate(found.standings)}
    yield Chart("chart-reach", "reach", list(_reach_rows(found, hues)),
                  "Wins reached by calls a week (or stretch), for each contender")  # fmt: skip
    yield Chart(
        "chart-gains", "gains",
        [{"name": _name_pair(pair, names), **pair.gain.wins._asdict()} for pair in found.pairs],
        "Wins gained by each contender over each other, with the 95 % interval",
    )  # fmt: skip
    for number, pair in enumerate(found.pairs):
        yield Chart(f"chart-swaps-{number}", "swaps", _swap_rows(pair, names, hue),
                      "Leads called by both and by one only, and how many of them won")  # fmt: skip
    pair = found.pairs[0]
    for number, breakdown in enumerate(found.breakdowns):
        rows: Rows = [
            {"name": group.name[:40], **group.gains[0]._asdict()} for group in breakdown.slices
        ]
        yield Chart(f"chart-by-{number}", "gains", rows,
                      f"{_name_pair(pair, names)}: wins gained, by {breakdown.column}")  # fmt: skip
    costs: Rows = [
        {"name": cost.family, "who": standing.name, "place": hue[standing.key],
         **cost.wins._asdict()}
        for standing in found.standings for cost in standing.families
    ]  # fmt: skip
    yield Chart("chart-costs", "costs", costs,
                  "Wins lost or gained when a family of signals is left out")  # fmt: skip


def _reach_rows(found: Comparison, hues: int) -> Iterator[dict[str, object]]:
    curves = [
        ("by chance", -1, found.by_chance),
        *((s.name, place % hues, s.curve) for place, s in enumerate(found.standings)),
    ]
    for name, place, curve in curves:
        for calls, wins in zip(found.calls, curve, strict=True):
            yield {"name": name, "place": place, "calls": round(calls, 3), "wins": round(wins, 2),
                   "capacity": found.capacity}  # fmt: skip


def _swap_rows(pair: Pair, names: dict[str, str], hue: dict[str, int]) -> Rows:
    one, other, swaps = names[pair.one], names[pair.other], pair.swaps
    groups = (("both", 3, swaps.both), (f"only {one}", hue[pair.one], swaps.only_one),
              (f"only {other}", hue[pair.other], swaps.only_other))  # fmt: skip
    end = 1.3 * max(group.leads for _, _, group in groups)
    return [
        {"name": name, "place": place, "leads": round(group.leads, 2), "wins": round(group.wins, 2),
         "end": round(end, 2),
         "text": f"{group.wins:,.0f} of {group.leads:,.0f} won"}
        for name, place, group in groups
    ]  # fmt: skip


def _name_pair(pair: Pair, names: dict[str, str]) -> str:
    return f"{names[pair.one]} − {names[pair.other]}"


_STRICT_JSON = {"ensure_ascii": True, "allow_nan": False, "separators": (",", ":")}
"""What the filter ``tojson`` passes on: no text in a script element can end it or break a line."""


def render_page(
    template: str,
    charts: Collection[Chart],
    cache: Path,
    axes: Mapping[str, Any],
    **context: Any,
) -> str:
    """Return the page of a template with its charts; the template finds them by their place.

    `cache` is the folder where the JavaScript is kept between pages. `axes` are the scales and
    titles of axes that ``make_specs`` takes, `context` is what else the template reads.
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
