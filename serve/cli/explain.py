"""``leadscore explain``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from leadscore.models.reasons import round_to_sum
from leadscore.pipeline.values.times import format_time
from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.workflows.versions import ExplainedLead

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
