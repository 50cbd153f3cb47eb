"""What `leadscore explain` shows: a score as the sum it is, and the same as JSON."""

from typing import Any

from models.reasons import round_to_sum
from pipeline.registered import ExplainedLead
from pipeline.values import format_time
from serve.terminal import say, say_table

_BAR = 24
_ENDLESS = 10_000.0
"""Where more points than these double the odds, a sheet's points have told nothing in history."""


def show_explanation(explained: ExplainedLead, lead: str) -> None:
    """Show a waterfall: from the average lead, or a sheet's start, to this lead."""
    explanation, moment = explained.explanation, explained.as_of_us
    as_of = "" if moment is None else f" as of {format_time(moment)}"
    say(f"Lead {lead}, scored{as_of} by {explained.version.told}")
    say(f"probability {explanation.probability:.1%}, band {explanation.band}")
    say()
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
    say_table(("signal", "value", "points", "log-odds", ""), rows, align="llrrl")
    say()
    against = (
        "against the average lead of the training period"
        if explained.kind == "predictive"
        else "on the sheet; the log-odds are those points have come to in history"
    )
    double = explanation.points_to_double
    told = "they say nothing of the odds" if double > _ENDLESS else f"{double:.0f} double the odds"
    say(f"Each line says what the lead's value is worth {against}. Of points, {told}.")


def _value(value: object) -> str:
    if value is None:
        return "(missing)"
    return value if isinstance(value, str) else f"{value:g}"


def explanation_json(explained: ExplainedLead, lead: str) -> dict[str, Any]:
    """Return an explanation as plain data."""
    explanation, moment = explained.explanation, explained.as_of_us
    return {
        "lead_id": lead,
        "as_of": None if moment is None else format_time(moment),
        "model": explained.version.told,
        **explanation._asdict(),
        "reasons": [reason._asdict() for reason in explanation.reasons],
    }
