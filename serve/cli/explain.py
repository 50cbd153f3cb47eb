"""``leadscore explain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.models.reasons import round_to_sum
from leadscore.pipeline.values.times import format_time
from leadscore.serve.cli.options import (
    HOME,
    AsOfOption,
    DataOption,
    HomeOption,
    JsonOption,
    ModelOption,
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
    from leadscore.pipeline.workflows.versions import ExplainedLead

_BAR = 24
_ENDLESS = 10_000.0
"""Where more points than these double the odds, a sheet's points have told nothing in history."""


def show_explanation(explained: "ExplainedLead", lead: str) -> None:
    """Show a waterfall: from the average lead, or a sheet's start, to this lead."""
    explanation, moment = explained.explanation, explained.as_of_us
    as_of = "" if moment is None else f" as of {format_time(moment)}"
    print_line(f"Lead {lead}, scored{as_of} by {explained.version.told}")
    print_line(f"probability {explanation.probability:.1%}, band {explanation.band}")
    print_line()
    reasons = [reason for reason in explanation.reasons if reason.points]
    points = round_to_sum(
        [explanation.average_points, *(r.points for r in reasons)], explanation.points, digits=1
    )
    log_odds = round_to_sum(
        [explanation.average, *(r.log_odds for r in reasons)], explanation.log_odds, digits=4
    )
    widest = max((abs(reason.points) for reason in reasons), default=0.0) or 1.0
    rows = [(explained.first, "", f"{points[0]:+.1f}", f"{log_odds[0]:+.4f}", "")]
    for reason, shown, exact in zip(reasons, points[1:], log_odds[1:], strict=True):
        bar = round(_BAR * abs(reason.points) / widest) * ("+" if reason.points > 0 else "-")
        rows.append((reason.signal, _value(reason.value), f"{shown:+.1f}", f"{exact:+.4f}", bar))
    rows.append(("this lead", "", f"{explanation.points:+.1f}", f"{explanation.log_odds:+.4f}", ""))
    print_table(("signal", "value", "points", "log-odds", ""), rows, align="llrrl")
    print_line()
    against = (
        "against the average lead of the training period"
        if explained.kind == "predictive"
        else "on the sheet; the log-odds are those points have come to in history"
    )
    double = explanation.points_to_double
    told = "they say nothing of the odds" if double > _ENDLESS else f"{double:.0f} double the odds"
    print_line(f"Each line says what the lead's value is worth {against}. Of points, {told}.")


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
        "model": explained.version.told,
        **explanation._asdict(),
        "reasons": [reason._asdict() for reason in explanation.reasons],
    }


def explain(
    lead: Annotated[str, typer.Option("--lead", help="The lead_id.")],
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    as_of: AsOfOption = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it, too, into this .svg or .png.")
    ] = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Explain one lead's score: from the average lead to this one, signal by signal."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.workflows.versions import explain_with_version

        progress("looking the lead up")
        project = read_project(find_project(config), data)
        explained = explain_with_version(open_store(home), project, model, lead, as_of)
        if picture is not None:
            from leadscore.pipeline.report.waterfall import draw_explanation

            draw_explanation(explained.explanation, explained.first, picture)
    if as_json:
        print_json(explanation_json(explained, lead))
    else:
        show_explanation(explained, lead)
