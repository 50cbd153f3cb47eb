"""``leadscore audit``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from leadscore.pipeline.audit.records import Audit, ColumnFinding

_SAID = {
    "train": "Train.",
    "train with warnings": "Train, with these warnings:",
    "do not train": "DO NOT TRAIN ON THIS YET, because:",
}


def show_audit(found: "Audit", page: Path) -> None:
    """Show the verdict, why, and the columns that are not simply used."""
    print_line(
        f"{found.project}: {found.rows:,} rows read, {found.leads:,} leads, {found.wins:,} won"
    )
    print_line()
    print_line(_SAID[found.verdict])
    for reason in found.reasons:
        print_line(f"  {reason}")
    told = [column for column in found.columns if _is_told(column)]
    if told:
        print_line()
        print_table(
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
            print_line()
            print_line(f"{column.name}: {'; '.join(column.reasons)}")
            if column.override is not None:
                print_line(f"  to use it all the same: {column.override}")
    used = sum(column.used and column.verdict == "use" for column in found.columns)
    print_line()
    print_line(f"{used} signals show no sign of a leak. All of it, with pictures: {page}")


def _is_told(column: "ColumnFinding") -> bool:
    return column.verdict != "use" or column.overridden is not None


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
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.audit.audit import audit_project
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.errors import RefusalError
        from leadscore.pipeline.report.pages import write_audit_page
        from leadscore.pipeline.workflows.reports import save_report

        project = read_project(find_project(config), data, Limits(memory_limit))
        found = audit_project(project, progress, allow_leak or ())
        path = home / "reports" / f"{project.name}-audit.html"
        page = write_audit_page(found, project.training.horizon_days, home / "cache")
        save_report(page, path)
    if as_json:
        print_json({**found.to_json(), "page": str(path)})
    else:
        show_audit(found, path)
    if found.verdict == "do not train" or (strict and found.verdict != "train"):
        raise typer.Exit(RefusalError.exit_code)
