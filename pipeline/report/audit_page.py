"""The page of an audit: its verdict, and the pictures that show why."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.audit.records import Audit, ColumnFinding
from pipeline.report.drawings import Drawing, Rows
from pipeline.report.html import render_page
from pipeline.report.privacy import hide_cells

MOST_ROWS = 40
_HEAVIEST = ("refuse", "quarantine", "not vouched for", "use")


def write_audit_page(audit: Audit, horizon_days: float | None, cache: Path) -> str:
    """Return the page of an audit; the same audit gives the same text.

    Parameters
    ----------
    audit : Audit
    horizon_days : float or None
        That of the project, drawn beside the arrival of wins.
    cache : Path
        Folder where the bundle of JavaScript is kept between pages.
    """
    from pipeline.report.charts import make_audit_specs  # Altair takes half a second

    audit = hide_cells(audit)
    return render_page(
        "audit.html.j2",
        list(_draw(audit, horizon_days)),
        make_audit_specs(),
        cache,
        audit=audit,
        horizon=horizon_days,
        columns=sorted(audit.columns, key=_weight),
        most_rows=MOST_ROWS,
    )


def _weight(column: ColumnFinding) -> tuple[int, float]:
    auc = 0.0 if column.auc is None else column.auc.value
    return _HEAVIEST.index(column.overridden or column.verdict), -auc


def _draw(audit: Audit, horizon_days: float | None) -> Iterator[Drawing]:
    filled = [
        (column.name, column.filled_won, column.filled_not_won)
        for column in audit.columns
        if column.filled_won is not None and column.filled_not_won is not None
        and min(column.filled_won, column.filled_not_won) < 1.0
    ]  # fmt: skip
    filled.sort(key=lambda row: -abs(row[1] - row[2]))
    if filled:
        yield Drawing(
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
        yield Drawing(
            "chart-arrival", "arrival", rows,
            "Share of all wins to come that have come, by days since the lead's creation",
        )  # fmt: skip
    if audit.months:
        rows = [
            {"name": m.name, "rate": m.rate, "low": m.low, "high": m.high, "leads": m.leads}
            for m in audit.months
        ]
        yield Drawing(
            "chart-months", "months", rows,
            "Share of leads won, with its 95 % interval, by when they were created",
        )  # fmt: skip
