"""``leadscore check``."""

from functools import partial
from typing import TYPE_CHECKING

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_list, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.workflows.check import CheckReport


@with_options("where", "data", "memory_limit", "as_json")
def check(context: CommandContext) -> CommandResult:
    """Check the project's files and data.

    The check lists every mistake in the files, the rejected rows with their reasons, and the
    snapshots and signals that a model would learn from. It exits with 4 if training cannot start.
    """
    from leadscore.pipeline.errors import RefusalError
    from leadscore.pipeline.workflows.check import check_project

    context.progress("reading and checking")
    report = check_project(context.project)
    return CommandResult(
        partial(show_check, report),
        report.to_json(),
        RefusalError.exit_code if report.problems else 0,
    )


def show_check(report: "CheckReport") -> None:
    """Show the counts of a project's data, its signals, and the problems."""
    print_line(f"{report.project}: {report.rows:,} rows read, {report.leads:,} leads in "
        f"{report.leads_path}"
        + (f", {report.activities:,} activities" if report.activities is not None else "")
        + (f", extract {report.extract}" if report.extract else ""))  # fmt: skip
    for count, file, column, reason, line in report.rejects[:10]:
        where = f"{column}: " if column else ""
        print_line(f"  rejected {count:,} of {file}: {where}{reason} (first at line {line})")
    if len(report.rejects) > 10:
        more = sum(count for count, *_ in report.rejects[10:])
        print_line(f"  rejected {more:,} more rows, for {len(report.rejects) - 10} other reasons")
    for reason, count in report.left_out.items():
        if count:
            print_line(f"  left out {count:,} snapshots: {reason}")
    print_table(
        (("part", ""), ("snapshots", ","), ("won", ","), ("share won", ".1%")),
        [(p.part, p.snapshots, p.wins, p.base_rate) for p in report.parts],
    )
    print_table(
        (("signal", ""), ("known", ".1%"), ("values", ",")),
        [(s.column, s.coverage, s.distinct) for s in report.signals],
    )
    if report.sheet is not None:
        print_paragraph(report.sheet)
    print_list("note", report.notes)
    print_list("PROBLEM", report.problems)
    print_paragraph("Not ready to train." if report.problems else "Ready to train.")
