"""``leadscore rules``: register, learn and audit sheets of points."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from typer import Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_paragraph, print_table
from leadscore.serve.cli.train import report_training
from leadscore.serve.cli.versions import version_json

if TYPE_CHECKING:
    from leadscore.pipeline.evaluation.evaluate import Evaluation
    from leadscore.pipeline.sheets.audit import CriterionResult, FlagKind, SheetAudit
    from leadscore.pipeline.sheets.learn import Learned
    from leadscore.pipeline.tracking.records import Version

SheetOption = Annotated[
    Path | None,
    Option("--sheet", help="File of the rule sheet. Default: rules.yaml of the project."),
]


@with_options("where", "data", "store", "allow_leak", "memory_limit", "as_json", extra="report")
def register(context: CommandContext, sheet: SheetOption = None) -> CommandResult:
    """Measure the rule sheet and register it as challenger.

    History gives the probability for each number of points. The sheet becomes a version of the
    kind rules.
    """
    from leadscore.pipeline.sheets.calibrate import train_sheet
    from leadscore.pipeline.sheets.sheet import read_sheet
    from leadscore.pipeline.workflows.record_training import record_training

    written = read_sheet(context.project, sheet)
    training = train_sheet(written, "rules", context.progress, context.allow_leak or ())
    context.progress("tracking and registering")
    recorded = record_training(training, context.store)
    return report_training(context, training, recorded)


@with_options("where", "data", "store", "allow_leak", "memory_limit", "as_json", extra="report")
def learn(
    context: CommandContext,
    write: Annotated[
        Path | None,
        Option(help="File to write. Default: close_rate/PROJECT.yaml in the store's folder."),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="Replace a file that was edited by hand.")
    ] = False,
) -> CommandResult:
    """Count a close-rate sheet from history.

    The sheet is written to a file and registered as challenger of the kind close_rate.
    """
    from leadscore.pipeline.sheets.calibrate import train_sheet
    from leadscore.pipeline.sheets.learn import check_replaceable, learn_sheet, save_sheet
    from leadscore.pipeline.workflows.record_training import record_training

    allowed = context.allow_leak or ()
    path = write or context.store / "close_rate" / f"{context.project.name}.yaml"
    check_replaceable(path, force)
    learned = learn_sheet(context.project, path, context.progress, allowed)
    save_sheet(learned.text, path)
    registered = None
    if learned.ordered:
        training = train_sheet(learned.sheet, "close_rate", context.progress, allowed)
        context.progress("tracking and registering")
        version, _ = record_training(training, context.store)
        registered = (training.evaluation, version)
    return CommandResult(
        partial(show_learned, learned, path, registered), learned_json(learned, path, registered)
    )


@with_options("where", "data", "memory_limit", "as_json")
def audit_sheet(context: CommandContext, sheet: SheetOption = None) -> CommandResult:
    """Check each criterion of a rule sheet on history.

    For each criterion: the points that it has, the points that it deserves, and a finding.
    """
    from leadscore.pipeline.sheets.audit import audit_sheet as audit_criteria
    from leadscore.pipeline.sheets.sheet import read_sheet

    found = audit_criteria(read_sheet(context.project, sheet), context.progress)
    return CommandResult(partial(show_sheet_audit, found), found.to_json())


_WIDEST = 48
_NAME = 26
_HEAVY: "tuple[FlagKind, ...]" = (
    "sign conflict", "leak", "sign doubtful", "depends on others", "never fires", "overlap",
    "too many points", "too few points", "always fires", "no effect proven", "few leads",
)  # fmt: skip
"""The findings by weight. The heaviest is shown first, and alone in the table."""

_LEGEND = (
    "with, without: share of snapshots that won, with and without these points, at the same ages "
    "of leads.",
    "lift: the first share divided by the second.",
    "deserves: points on this sheet's scale, given all other criteria. Deserved points spread "
    "leads as widely as the sheet does.",
    "Intervals are 95 % and count each lead once.",
    "Sign conflict: history contradicts the sign of the points, alone and given the other "
    "criteria.",
    "A sheet without any is accused of one in at most 5 % of cases (Holm).",
    "On average 5 % of the supported criteria are chance (Benjamini, Hochberg).",
    "Leads after this period are kept for the comparison.",
)

Registered: TypeAlias = "tuple[Evaluation, Version] | None"
"""A learned sheet's figures on later leads and its version, if it was registered."""


def learned_json(learned: "Learned", path: Path, registered: "Registered") -> dict[str, Any]:
    """Return a learned sheet as plain data, with every attribute that was tested."""
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
    """Show the attributes with points, the highest first, the sheet's file and its figures."""
    period = learned.period
    print_line(f"{learned.sheet.project.name}: {period.words}")
    print_line(
        f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won"
    )
    given = sorted((row for row in learned.rows if row.points), key=lambda row: -row.points)
    print_table(
        (("attribute", ""), ("leads", ","), ("close rate", ".1%"), ("difference", "+.1f"),
         ("points", "+g")),
        [
            (row.attribute.words[:_WIDEST], row.lift.leads, row.lift.rate,
             (row.lift.points, row.lift.points_low, row.lift.points_high), row.points)
            for row in given
        ],
    )  # fmt: skip
    print_paragraph(
        f"{len(learned.rows)} attributes tested, {learned.given} differ from all leads beyond "
        "chance. On average at most 5 % of these are chance (Benjamini, Hochberg)."
    )
    if period.ages > 1:
        print_line("A difference compares leads of the same age, so it is not the close rate minus "
            "the overall rate.")  # fmt: skip
    if learned.left_out:
        print_line(f"Left out because of the audit: {', '.join(learned.left_out)}.")
    config = learned.sheet.config
    print_line(f"MQL from {config.mql:g} points, SQL from {config.sql:g}. "
        "Attributes that overlap count twice: edit the sheet by hand.")  # fmt: skip
    print_line(f"Written to {path}")
    if registered is None:
        print_line(
            "Not registered: these leads have no order in time, so none are left to measure the "
            "sheet on."
        )
        return
    evaluation, version = registered
    auc = evaluation.metrics["auc"]
    print_line(f"Registered as {version.name} version {version.version}, challenger; "
        f"on the later period AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})")  # fmt: skip


def show_sheet_audit(found: "SheetAudit") -> None:
    """Show every criterion with its parts, then the findings, the heaviest first."""
    period = found.period
    print_line(f"{found.sheet} against {found.project}: {period.words}")
    print_line(
        f"{period.snapshots:,} snapshots of {period.leads:,} leads, {period.overall:.1%} won"
    )
    rows = []
    for criterion in found.criteria:
        rows.append(_show_row(criterion.name, criterion))
        rows += [_show_row(f"  {part.name}", part) for part in criterion.parts]
    print_table(
        (("criterion", ""), ("points", "+.3g"), ("leads", ","), ("with", ".1%"),
         ("without", ".1%"), ("lift", ".2f"), ("deserves", "+z,.0f"), ("finding", "")),
        rows,
    )  # fmt: skip
    for kind in _HEAVY:
        flagged = [(name, f) for name, c in found.walk() for f in c.flags if f.kind == kind]
        if flagged:
            print_paragraph(kind.upper() if kind == "sign conflict" else kind.capitalize())
        for name, flag in flagged:
            print_line(f"  {name}: {flag.text}")
    print_paragraph(
        f"{found.unsupported:.0%} of all points belong to criteria that history does not support."
    )
    for line in _LEGEND:
        print_line(line)
    for note in found.notes:
        print_line(note)


def _show_row(name: str, criterion: "CriterionResult") -> tuple[object, ...]:
    from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS

    few = f"<{MIN_GROUP_LEADS}"
    return (
        name[:_NAME],
        criterion.points,
        few if criterion.leads is None else criterion.leads,
        criterion.rate,
        criterion.rate_without,
        criterion.lift,
        criterion.deserves,
        next((kind for kind in _HEAVY if criterion.flagged(kind)), ""),
    )
