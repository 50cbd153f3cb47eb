"""``leadscore score``, ``leadscore explain`` and ``leadscore describe``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from leadscore.models.score_lead import round_to_sum
from leadscore.pipeline.values.times import format_time
from leadscore.serve.cli.context import CommandContext, CommandResult, check_extra, with_options
from leadscore.serve.cli.terminal import print_line, print_list, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.scoring.score_file import BatchReport
    from leadscore.pipeline.workflows.check import SignalDescription
    from leadscore.pipeline.workflows.versions import ExplainedLead


@with_options("where", "data", "store", "model", "as_of", "memory_limit", "as_json")
def score(
    context: CommandContext,
    leads: Annotated[
        Path, Argument(metavar="LEADS", help="CSV or Parquet file with the columns of the project.")
    ],
    output: Annotated[Path, Argument(metavar="OUTPUT", help="CSV or Parquet file to write.")],
    activities: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE",
            help="File of activities to use instead of one in data.yaml. Repeat the option for "
            "several.",
        ),
    ] = None,
) -> CommandResult:
    """Score a CSV or Parquet file of leads.

    The output has one row per lead: probability, score, band and reasons.
    """
    from leadscore.pipeline.errors import DataError
    from leadscore.pipeline.workflows.versions import score_with_version

    report = score_with_version(
        context.store,
        context.project,
        context.model,
        leads,
        output,
        context.as_of,
        activities or (),
        context.progress,
    )
    return CommandResult(
        partial(show_batch, report),
        report.to_json(),
        DataError.exit_code if report.too_many_rejects else 0,
    )


def show_batch(report: "BatchReport") -> None:
    """Show the counts of a scored file, and what was not scored."""
    print_line(f"{report.scored:,} of {report.rows:,} leads scored by {report.model} "
        f"({report.fingerprint}) into {report.scored_path}")  # fmt: skip
    if report.as_of is not None:
        print_line(f"scored as of {report.as_of}: nothing recorded later was used")
    print_list("note", report.notes)
    bands = ", ".join(f"{count:,} {band}" for band, count in report.bands.items())
    mean = "" if report.mean_prob is None else f"; mean probability {report.mean_prob:.1%}"
    print_line(bands + mean)
    if report.not_yet:
        print_line(f"{report.not_yet:,} leads were created after that moment and are not scored")
    if report.rejected:
        print_line(f"{report.rejected:,} rows could not be read")
    if report.rejects_path is not None:
        print_line(f"rows that are not scored, with reasons: {report.rejects_path}")
    if report.too_many_rejects:
        print_line(
            "MORE REJECTED than max_reject_share allows (data.yaml): do not use this file as it is."
        )


_BAR = 24
_ENDLESS = 10_000.0
"""Points that double the odds. With more, a sheet's points had no effect in history."""


def show_explanation(explained: "ExplainedLead", lead: str) -> None:
    """Show the points of each signal, from the average lead or a sheet's start to this lead."""
    explanation, moment = explained.explanation, explained.as_of_us
    as_of = "" if moment is None else f" as of {format_time(moment)}"
    print_line(f"Lead {lead}, scored{as_of} by {explained.version.title}")
    print_line(f"probability {explanation.probability:.1%}, band {explanation.band}")
    reasons = [reason for reason in explanation.reasons if reason.points]
    points = round_to_sum(
        [explanation.average_points, *(r.points for r in reasons)], explanation.points, digits=1
    )
    log_odds = round_to_sum(
        [explanation.average, *(r.log_odds for r in reasons)], explanation.log_odds, digits=4
    )
    widest = max((abs(reason.points) for reason in reasons), default=0.0) or 1.0
    rows = [(explained.first, "", points[0], log_odds[0], "")]
    for reason, shown, exact in zip(reasons, points[1:], log_odds[1:], strict=True):
        bar = round(_BAR * abs(reason.points) / widest) * ("+" if reason.points > 0 else "-")
        rows.append((reason.signal, _value(reason.value), shown, exact, bar))
    rows.append(("this lead", "", explanation.points, explanation.log_odds, ""))
    print_table(
        (("signal", ""), ("value", ""), ("points", "+.1f"), ("log-odds", "+.4f"), ("", "")), rows
    )
    print_line()
    if explained.kind == "predictive":
        print_line("Points compare the lead's value with the average lead of the training period.")
    else:
        print_line("Points are those of the sheet. The log-odds are learned from history.")
    double = explanation.points_to_double
    print_line(
        "In history, points had no effect on the odds."
        if double > _ENDLESS
        else f"{double:.0f} points double the odds."
    )


def _value(value: object) -> str:
    if value is None:
        return "(missing)"
    return value if isinstance(value, str) else f"{value:g}"


def explanation_json(explained: "ExplainedLead", lead: str) -> dict[str, Any]:
    """Return an explanation as plain data."""
    explanation, moment = explained.explanation, explained.as_of_us
    return {
        "lead_id": lead,
        "as_of": None if moment is None else format_time(moment),
        "model": explained.version.title,
        **explanation._asdict(),
        "reasons": [reason._asdict() for reason in explanation.reasons],
    }


@with_options("where", "data", "store", "model", "as_of", "memory_limit", "as_json")
def explain(
    context: CommandContext,
    lead: Annotated[str, Option(help="Id of the lead.")],
    picture: Annotated[
        Path | None, Option(help="Also draw the explanation into this .svg or .png file.")
    ] = None,
) -> CommandResult:
    """Explain one lead's score, signal by signal.

    The explanation starts with the average lead and adds the points of each signal of this lead.
    """
    from leadscore.pipeline.workflows.versions import explain_with_version

    if picture is not None:
        check_extra("report")
    context.progress("reading the lead")
    explained = explain_with_version(
        context.store, context.project, context.model, lead, context.as_of
    )
    if picture is not None:
        from leadscore.pipeline.report.pictures import draw_explanation

        draw_explanation(explained.explanation, explained.first, picture)
    return CommandResult(
        partial(show_explanation, explained, lead), explanation_json(explained, lead)
    )


_HALF_BAR = 20
_MOST_ROWS = 16


def show_description(
    signals: "list[SignalDescription]", project: str, reference: str, model: str
) -> None:
    """Show every signal with its definition, its coverage and the points of its values.

    The bars of all signals share one scale, so a long bar is a strong value everywhere.
    """
    print_line(f"{project}: {len(signals)} signals; points {reference}: {model}")
    widest = max((abs(v.points) for signal in signals for v in signal.values), default=0.0) or 1.0
    family = ""
    for signal in signals:
        if signal.family != family:
            family = signal.family
            print_paragraph(family.upper())
        print_line()
        words = "" if signal.label is None else f" ({signal.label})"
        print_line(f"{signal.column}{words}: {signal.definition}")
        print_line(
            f"  known for {signal.coverage:.1%} of the snapshots, {signal.distinct:,} values"
        )
        rows: list[tuple[object, ...]] = [
            (f"  {value.value}", value.points, _bar(value.points / widest))
            for value in signal.values
        ]
        if len(rows) > _MOST_ROWS:
            half = _MOST_ROWS // 2
            rows = [*rows[:half], ("  ...", "", ""), *rows[-half:]]
        print_table((("  value", ""), ("points", "+.1f"), ("", "")), rows, apart=False)


def _bar(share: float) -> str:
    """Draw a bar from the middle: positive points to the right, negative ones to the left."""
    length = round(abs(share) * _HALF_BAR)
    if share < 0:
        return " " * (_HALF_BAR - length) + "-" * length + "|"
    return " " * _HALF_BAR + "|" + "+" * length


@with_options("where", "data", "store", "model", "memory_limit", "as_json")
def describe(context: CommandContext) -> CommandResult:
    """Describe every signal and its points.

    For each signal: its definition, the share of snapshots where it is known, and the points of
    its values.
    """
    from leadscore.pipeline.tracking.records import describe_reference
    from leadscore.pipeline.workflows.check import describe_signals
    from leadscore.pipeline.workflows.versions import find_scorecard

    context.progress("reading and describing")
    project = context.project
    scorecard, name = find_scorecard(context.store, project, context.model)
    signals = describe_signals(project, scorecard)
    reference = describe_reference("predictive" if scorecard is None else scorecard.kind)
    return CommandResult(
        partial(show_description, signals, project.name, reference, name),
        {"model": name, "signals": [signal.to_json() for signal in signals]},
    )
