"""The command that audits data, and what it shows."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.audit.records import Audit, ColumnFinding
from serve.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    LeaksOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from serve.terminal import errors_told, progress_shown, say, say_json, say_table

_SAID = {
    "train": "Train.",
    "train with warnings": "Train, with these warnings:",
    "do not train": "DO NOT TRAIN ON THIS YET, because:",
}


def audit(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    allow_leak: LeaksOption = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 4 on warnings too, not only on do not train."),
    ] = False,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Audit the data before anything is learned: leaks, duplicates, outcomes, how much there is."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.audit.audit import audit_project
        from pipeline.engine import Limits
        from pipeline.errors import RefusalError
        from pipeline.report.audit_page import write_audit_page
        from pipeline.report.kept import keep_report
        from pipeline.settings import find_project, read_project

        project = read_project(find_project(config), data, Limits(memory_limit))
        found = audit_project(project, progress, allow_leak or ())
        path = home / "reports" / f"{project.name}-audit.html"
        page = write_audit_page(found, project.training.horizon_days, home / "cache")
        keep_report(page, path)
    if as_json:
        say_json({**found.to_json(), "page": str(path)})
    else:
        show_audit(found, path)
    if found.verdict == "do not train" or (strict and found.verdict != "train"):
        raise typer.Exit(RefusalError.exit_code)


def show_audit(found: Audit, page: Path) -> None:
    """Show the verdict, why, and the columns that are not simply used."""
    say(f"{found.project}: {found.rows:,} rows read, {found.leads:,} leads, {found.wins:,} won")
    say()
    say(_SAID[found.verdict])
    for reason in found.reasons:
        say(f"  {reason}")
    told = [column for column in found.columns if _is_told(column)]
    if told:
        say()
        say_table(
            ("column or signal", "verdict", "AUC", "filled", "used"),
            [
                (column.name[:44], column.verdict,
                 "-" if column.auc is None else f"{column.auc.value:.3f}",
                 f"{column.filled:.0%}", "yes" if column.used else "no")
                for column in told
            ],
            align="ll",
        )  # fmt: skip
        for column in told:
            say()
            say(f"{column.name}: {'; '.join(column.reasons)}")
            if column.override is not None:
                say(f"  to use it all the same: {column.override}")
    used = sum(column.used and column.verdict == "use" for column in found.columns)
    say()
    say(f"{used} signals show no sign of a leak. All of it, with pictures: {page}")


def _is_told(column: ColumnFinding) -> bool:
    return column.verdict != "use" or column.overridden is not None
