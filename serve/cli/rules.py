"""The commands for sheets of points: rules learn, audit, register."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    LeaksOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_table,
    show_progress,
)
from leadscore.serve.cli.versions import version_json

if TYPE_CHECKING:
    from leadscore.pipeline.evaluation.evaluate import Evaluation
    from leadscore.pipeline.evaluation.metrics import Estimate
    from leadscore.pipeline.sheets.audit_records import CriterionResult, FlagKind, SheetAudit
    from leadscore.pipeline.sheets.learn import Learned
    from leadscore.pipeline.tracking.records import Version

app = typer.Typer(
    help="The team's rule sheet: register it, learn one from history, audit it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SheetOption = Annotated[
    Path | None, typer.Option("--sheet", help="In place of rules.yaml in the project's folder.")
]


@app.command()
def register(
    config: ProjectOption = "demo",
    sheet: SheetOption = None,
    data: DataOption = None,
    home: HomeOption = HOME,
    allow_leak: LeaksOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Hold rules.yaml against history, and register it as challenger of the kind rules."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.sheets.calibrate import train_sheet
        from leadscore.pipeline.sheets.sheet import read_sheet
        from leadscore.pipeline.workflows.record_training import record_training
        from leadscore.pipeline.workflows.reports import report_path
        from leadscore.serve.cli.train import show_training, training_json

        project = read_project(find_project(config), data, Limits(memory_limit))
        written = read_sheet(project, sheet)
        training = train_sheet(written, "rules", progress, allow_leak or ())
        progress("tracking and registering")
        version = record_training(written.project, training, home)
        path = report_path(home, version)
    if as_json:
        print_json(training_json(training, version, path))
    else:
        show_training(training, version, path, f"-c {config} --home {home}")


@app.command()
def learn(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="The file; by default close_rate/PROJECT.yaml in the home."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that was written or edited by hand.")
    ] = False,
    allow_leak: LeaksOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Count a close-rate sheet from history, write it, register it as challenger of close_rate."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.sheets.calibrate import train_sheet
        from leadscore.pipeline.sheets.learn import learn_sheet
        from leadscore.pipeline.sheets.write import check_replaceable, save_sheet
        from leadscore.pipeline.workflows.record_training import record_training

        project = read_project(find_project(config), data, Limits(memory_limit))
        path = write or home / "close_rate" / f"{project.name}.yaml"
        check_replaceable(path, force)
        learned = learn_sheet(project, path, progress, allow_leak or ())
        save_sheet(learned.text, path)
        registered = None
        if learned.ordered:
            training = train_sheet(learned.sheet, "close_rate", progress, allow_leak or ())
            progress("tracking and registering")
            version = record_training(learned.sheet.project, training, home)
            registered = (training.evaluation, version)
    if as_json:
        print_json(learned_json(learned, path, registered))
    else:
        show_learned(learned, path, registered)


@app.command()
def audit(
    config: ProjectOption = "demo",
    sheet: SheetOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Hold each criterion of a rule sheet against history: what it gives, what it deserves."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.sheets.audit import audit_sheet
        from leadscore.pipeline.sheets.sheet import read_sheet

        project = read_project(find_project(config), data, Limits(memory_limit))
        found = audit_sheet(read_sheet(project, sheet), progress)
    print_json(found.to_json()) if as_json else show_sheet_audit(found)


_WIDEST = 48
_NAME = 26
_HEAVY: "tuple[FlagKind, ...]" = (
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

Registered: TypeAlias = "tuple[Evaluation, Version] | None"
"""How a learned sheet did on the later period, and as what it was registered, if it was."""


def learned_json(learned: "Learned", path: Path, registered: "Registered") -> dict[str, Any]:
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


def show_learned(learned: "Learned", path: Path, registered: "Registered") -> None:
    """Show the attributes that got points, most first, where the sheet lies and how it did."""
    period = learned.period
    print_line(f"{learned.sheet.project.name}: {period.words}")
    print_line(
        f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won"
    )
    print_line()
    given = sorted((row for row in learned.rows if row.points), key=lambda row: -row.points)
    print_table(
        ("attribute", "leads", "close rate", "difference", "points"),
        [
            (row.attribute.words[:_WIDEST], f"{row.lift.leads:,}", f"{row.lift.rate:.1%}",
             f"{row.lift.points:+.1f} ({row.lift.points_low:+.1f} to {row.lift.points_high:+.1f})",
             f"{row.points:+g}")
            for row in given
        ],
    )  # fmt: skip
    print_line()
    print_line(
        f"{len(learned.rows)} attributes looked at, {learned.given} differ from all leads beyond "
        "chance; at most one in twenty of them is chance, on average (Benjamini, Hochberg)."
    )
    if period.ages > 1:
        print_line("Differences are among leads of like age, not the one rate minus the other.")
    if learned.left_out:
        print_line(f"Held back by the audit: {', '.join(learned.left_out)}.")
    config = learned.sheet.config
    print_line(f"MQL from {config.mql:g} points, SQL from {config.sql:g}. "
        "Attributes that overlap count twice: edit the sheet by hand.")  # fmt: skip
    print_line(f"Written to {path}")
    if registered is None:
        print_line(
            "Not registered: these leads have no order, so none are left to judge the sheet on."
        )
        return
    evaluation, version = registered
    auc = evaluation.metrics["auc"]
    print_line(f"Registered as {version.name} version {version.version}, challenger; "
        f"on the later period AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})")  # fmt: skip


def show_sheet_audit(found: "SheetAudit") -> None:
    """Show every criterion with its parts, then what is to be said of each, heaviest first."""
    period = found.period
    print_line(f"{found.sheet} against {found.project}: {period.words}")
    print_line(
        f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won"
    )
    print_line()
    rows = []
    for criterion in found.criteria:
        rows.append(_show_row(criterion.name, criterion))
        rows += [_show_row(f"  {part.name}", part) for part in criterion.parts]
    header = ("criterion", "points", "leads", "with", "without", "lift", "deserves", "finding")
    print_table(header, rows, "lrrrrrrl")
    for kind in _HEAVY:
        told = [(name, f) for name, j in found.walk() for f in j.flags if f.kind == kind]
        if told:
            print_line()
            print_line(kind.upper() if kind == "sign conflict" else kind[0].upper() + kind[1:])
        for name, flag in told:
            print_line(f"  {name}: {flag.text}")
    print_line()
    print_line(
        f"{found.unsupported:.0%} of all points given are on criteria that no evidence supports."
    )
    for line in _LEGEND:
        print_line(line)
    for note in found.notes:
        print_line(note)


def _show_row(name: str, judged: "CriterionResult") -> tuple[str, ...]:
    from leadscore.pipeline.evaluation.groups import MIN_GROUP_LEADS

    return (
        name[:_NAME],
        f"{judged.points:+.3g}",
        f"<{MIN_GROUP_LEADS}" if judged.leads is None else f"{judged.leads:,}",
        _show_rate(judged.rate),
        _show_rate(judged.rate_without),
        _show_close_rates(judged.lift),
        _show_deserved(judged.deserves),
        next((kind for kind in _HEAVY if judged.flagged(kind)), ""),
    )  # fmt: skip


def _show_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _show_close_rates(lift: tuple[float, float, float | None] | None) -> str:
    if lift is None:
        return "-"
    value, low, high = lift
    return f"{value:.2f} ({low:.1f} to {'...' if high is None else f'{high:.1f}'})"


def _show_deserved(deserves: "Estimate | None") -> str:
    if deserves is None:
        return "-"
    value, low, high = (round(end) for end in deserves)
    return f"{value:+d} ({low:+d} to {high:+d})"
