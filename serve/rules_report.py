"""What the commands around rule sheets show on the terminal, and their JSON."""

from pathlib import Path
from typing import Any

from pipeline.evaluate import Evaluation
from pipeline.groups import FEWEST
from pipeline.metrics import Estimate
from pipeline.sheets.audit_records import FlagKind, Judged, SheetAudit
from pipeline.sheets.learning import Learned
from pipeline.tracking.records import Version
from serve.report import version_json
from serve.terminal import say, say_table

_WIDEST = 48
_NAME = 26
_HEAVY: tuple[FlagKind, ...] = (
    "sign conflict", "leak", "sign doubtful", "depends on others", "never fires", "overlap",
    "too many points", "too few points", "always fires", "no effect proven", "few leads",
)  # fmt: skip
"""What is told first, and what stands in the table where there are several."""


_LEGEND = (
    "with, without: shares of snapshots that won where the criterion gives these points, and where "
    "it gives none, at the",
    "same ages of leads; lift: the one over the other. deserves: points on this sheet's own scale, "
    "beside all the other",
    "criteria; deserved points spread leads as widely as the sheet's do. Intervals are 95 % and "
    "count each lead once.",
    "Sign conflict: against its points alone and beside the others; a sheet without one is told of "
    "one in at most",
    "one of twenty cases (Holm). Of criteria taken for supported one in twenty is chance, on "
    "average (Benjamini,",
    "Hochberg). The leads after this period are left for the comparison.",
)


Registered = tuple[Evaluation, Version] | None
"""How a learned sheet did on the later period, and as what it was registered, if it was."""


def learned_json(learned: Learned, path: Path, registered: Registered) -> dict[str, Any]:
    """Return a learned sheet as plain data, with every attribute that was looked at."""
    period = learned.period
    return {
        "sheet": str(path),
        "period": period.words,
        "leads": period.leads,
        "snapshots": period.snapshots,
        "wins": period.wins,
        "overall": period.overall,
        "mql": learned.sheet.config.mql,
        "sql": learned.sheet.config.sql,
        "left_out": list(learned.left_out),
        "attributes": [row.to_json() for row in learned.rows],
        "registered": None if registered is None else {
            **version_json(registered[1]), **registered[0].to_json(),
        },
    }  # fmt: skip


def show_learned(learned: Learned, path: Path, registered: Registered) -> None:
    """Show the attributes that got points, most first, where the sheet lies and how it did."""
    period = learned.period
    say(f"{learned.sheet.project.name}: {period.words}")
    say(f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won")
    say()
    given = sorted((row for row in learned.rows if row.points), key=lambda row: -row.points)
    say_table(
        ("attribute", "leads", "close rate", "difference", "points"),
        [
            (row.attribute.words[:_WIDEST], f"{row.lift.leads:,}", f"{row.lift.rate:.1%}",
             f"{row.lift.points:+.1f} ({row.lift.points_low:+.1f} to {row.lift.points_high:+.1f})",
             f"{row.points:+g}")
            for row in given
        ],
    )  # fmt: skip
    say()
    say(
        f"{len(learned.rows)} attributes looked at, {learned.given} differ from all leads beyond "
        "chance; at most one in twenty of them is chance, on average (Benjamini, Hochberg)."
    )
    if period.ages > 1:
        say("Differences are among leads of like age, not the one rate minus the other.")
    if learned.left_out:
        say(f"Held back by the audit: {', '.join(learned.left_out)}.")
    config = learned.sheet.config
    say(f"MQL from {config.mql:g} points, SQL from {config.sql:g}. Attributes that overlap count "
        "twice: edit the sheet by hand.")  # fmt: skip
    say(f"Written to {path}")
    if registered is None:
        say("Not registered: these leads have no order, so none are left to judge the sheet on.")
        return
    evaluation, version = registered
    auc = evaluation.metrics["auc"]
    say(f"Registered as {version.name} version {version.version}, challenger; on the later period "
        f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})")  # fmt: skip


def show_sheet_audit(found: SheetAudit) -> None:
    """Show every criterion with its parts, then what is to be said of each, heaviest first."""
    period = found.period
    say(f"{found.sheet} against {found.project}: {period.words}")
    say(f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won")
    say()
    rows = []
    for criterion in found.criteria:
        rows.append(_show_row(criterion.name, criterion))
        rows += [_show_row(f"  {part.name}", part) for part in criterion.parts]
    header = ("criterion", "points", "leads", "with", "without", "lift", "deserves", "finding")
    say_table(header, rows, "lrrrrrrl")
    for kind in _HEAVY:
        told = [(name, f) for name, j in found.walk() for f in j.flags if f.kind == kind]
        if told:
            say()
            say(kind.upper() if kind == "sign conflict" else kind[0].upper() + kind[1:])
        for name, flag in told:
            say(f"  {name}: {flag.text}")
    say()
    say(f"{found.unsupported:.0%} of all points given are on criteria that no evidence supports.")
    for line in _LEGEND:
        say(line)
    for note in found.notes:
        say(note)


def _show_row(name: str, judged: Judged) -> tuple[str, ...]:
    return (
        name[:_NAME],
        f"{judged.points:+.3g}",
        f"<{FEWEST}" if judged.leads is None else f"{judged.leads:,}",
        _show_rate(judged.rate),
        _show_rate(judged.rate_without),
        _show_lift(judged.lift),
        _show_deserved(judged.deserves),
        next((kind for kind in _HEAVY if judged.flagged(kind)), ""),
    )  # fmt: skip


def _show_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _show_lift(lift: tuple[float, float, float | None] | None) -> str:
    if lift is None:
        return "-"
    value, low, high = lift
    return f"{value:.2f} ({low:.1f} to {'...' if high is None else f'{high:.1f}'})"


def _show_deserved(deserves: Estimate | None) -> str:
    if deserves is None:
        return "-"
    value, low, high = (round(end) for end in deserves)
    return f"{value:+d} ({low:+d} to {high:+d})"
