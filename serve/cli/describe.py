"""``leadscore describe``."""

from functools import partial
from typing import TYPE_CHECKING

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.workflows.describe import SignalDescription

_BAR = 20
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
    length = round(abs(share) * _BAR)
    if share < 0:
        return " " * (_BAR - length) + "-" * length + "|"
    return " " * _BAR + "|" + "+" * length


@with_options("where", "data", "store", "model", "memory_limit", "as_json")
def describe(context: CommandContext) -> CommandResult:
    """Describe every signal and its points.

    For each signal: its definition, the share of snapshots where it is known, and the points of
    its values.
    """
    from leadscore.pipeline.tracking.version_names import describe_reference
    from leadscore.pipeline.workflows.describe import describe_signals
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
