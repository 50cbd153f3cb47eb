"""``leadscore check``."""

from typing import TYPE_CHECKING

import typer

from leadscore.serve.cli.options import (
    DataOption,
    JsonOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_list,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.pipeline.workflows.check import CheckReport


def check(
    config: ProjectOption = "demo",
    data: DataOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Check configuration and data: what would be learned from, and what is rejected and why."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.errors import RefusalError
        from leadscore.pipeline.workflows.check import check_project

        progress("reading and checking")
        report = check_project(read_project(find_project(config), data, Limits(memory_limit)))
    print_json(report.to_json()) if as_json else show_check(report)
    if report.problems:
        raise typer.Exit(RefusalError.exit_code)


def show_check(report: "CheckReport") -> None:
    """Show what a project's data comes to."""
    print_line(f"{report.project}: {report.rows:,} rows read, {report.leads:,} leads in "
        f"{report.leads_path}"
        + (f", {report.activities:,} activities" if report.activities is not None else "")
        + (f", extract {report.extract}" if report.extract else ""))  # fmt: skip
    for count, file, column, reason, line in report.rejects[:10]:
        where = f"{column}: " if column else ""
        print_line(f"  rejected {count:,} of {file}: {where}{reason} (first at line {line})")
    if len(report.rejects) > 10:
        more = sum(count for count, *_ in report.rejects[10:])
        print_line(f"  rejected {more:,} rows more, for {len(report.rejects) - 10} other reasons")
    for reason, count in report.left_out.items():
        if count:
            print_line(f"  left out {count:,} snapshots: {reason}")
    if report.parts:
        print_line()
        print_table(
            ("part", "snapshots", "won", "share"),
            [
                (p.part, f"{p.snapshots:,}", f"{p.wins:,}",
                 "" if p.base_rate is None else f"{p.base_rate:.1%}")
                for p in report.parts
            ],
        )  # fmt: skip
    if report.signals:
        print_line()
        print_table(
            ("signal", "known", "values"),
            [(s.column, f"{s.coverage:.1%}", f"{s.distinct:,}") for s in report.signals],
        )
    if report.sheet is not None:
        print_line()
        print_line(report.sheet)
    print_list("note", report.notes)
    print_list("PROBLEM", report.problems)
    print_line()
    print_line("Not ready to train." if report.problems else "Ready to train.")
