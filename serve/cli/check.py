"""``leadscore check`` and ``leadscore audit``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_list, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.audit.records import Audit, ColumnFinding
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


_VERDICTS = {
    "train": "Train.",
    "train with warnings": "Train, with these warnings:",
    "do not train": "DO NOT TRAIN ON THIS YET, because:",
}


@with_options("where", "data", "store", "allow_leak", "memory_limit", "as_json", extra="report")
def audit(
    context: CommandContext,
    strict: Annotated[bool, Option("--strict", help="Exit with 4 on warnings too.")] = False,
) -> CommandResult:
    """Look for leaks and other traps in the data.

    The audit decides whether a model may learn from the data, and writes a page with pictures. It
    exits with 4 if the verdict is: do not train.
    """
    from leadscore.pipeline.errors import RefusalError
    from leadscore.pipeline.workflows.reports import write_audit

    found, page = write_audit(
        context.store, context.project, context.progress, context.allow_leak or ()
    )
    refused = found.verdict == "do not train" or (strict and found.verdict != "train")
    return CommandResult(
        partial(show_audit, found, page),
        {**found.to_json(), "page": str(page)},
        RefusalError.exit_code if refused else 0,
    )


def show_audit(found: "Audit", page: Path) -> None:
    """Show the verdict, its reasons, and the columns with a finding."""
    print_line(
        f"{found.project}: {found.rows:,} rows read, {found.leads:,} leads, {found.wins:,} won"
    )
    print_paragraph(_VERDICTS[found.verdict])
    for reason in found.reasons:
        print_line(f"  {reason}")
    shown = [column for column in found.columns if _has_finding(column)]
    print_table(
        (("column or signal", ""), ("verdict", ""), ("AUC", ".3f"), ("filled", ".0%"),
         ("used", ">")),
        [
            (column.name[:44], column.verdict, column.auc and column.auc.value, column.filled,
             "yes" if column.used else "no")
            for column in shown
        ],
    )  # fmt: skip
    for column in shown:
        print_paragraph(f"{column.name}: {'; '.join(column.reasons)}")
        if column.override is not None:
            print_line(f"  to use it anyway: {column.override}")
    used = sum(column.used and column.verdict == "use" for column in found.columns)
    print_paragraph(f"{used} signals show no sign of a leak. The full audit, with pictures: {page}")


def _has_finding(column: "ColumnFinding") -> bool:
    return column.verdict != "use" or column.overridden is not None
