"""``leadscore describe``."""

from typing import TYPE_CHECKING

from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    MemoryOption,
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
    from leadscore.pipeline.workflows.describe import SignalDescription

_BAR = 20
_MOST_ROWS = 16


def show_description(
    signals: "list[SignalDescription]", project: str, worth: str, model: str
) -> None:
    """Show every signal in words with its coverage, and the curve of its worth where there is one.

    The bars of all signals share one scale, so that a long bar is a strong value anywhere.
    """
    print_line(f"{project}: {len(signals)} signals; worth in points {worth}: {model}")
    widest = max((abs(w.points) for signal in signals for w in signal.worth), default=0.0) or 1.0
    family = ""
    for signal in signals:
        if signal.family != family:
            family = signal.family
            print_line()
            print_line(family.upper())
        print_line()
        words = "" if signal.label is None else f" ({signal.label})"
        print_line(f"{signal.column}{words}: {signal.definition}")
        print_line(
            f"  known for {signal.coverage:.1%} of the snapshots, {signal.distinct:,} values"
        )
        rows = [
            (f"  {worth.value}", f"{worth.points:+.1f}", _bar(worth.points / widest))
            for worth in signal.worth
        ]
        if len(rows) > _MOST_ROWS:
            half = _MOST_ROWS // 2
            rows = [*rows[:half], ("  ...", "", ""), *rows[-half:]]
        if rows:
            print_table(("  value", "points", ""), rows, align="lrl")


def _bar(share: float) -> str:
    """Draw a bar from the middle: to the right what speaks for a lead, to the left against."""
    length = round(abs(share) * _BAR)
    if share < 0:
        return " " * (_BAR - length) + "-" * length + "|"
    return " " * _BAR + "|" + "+" * length


def describe(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    memory_limit: MemoryOption = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Describe every signal: what it says, how often it is known, and what its values are worth."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.tracking.version_names import describe_reference
        from leadscore.pipeline.workflows.describe import describe_signals
        from leadscore.pipeline.workflows.versions import find_scorecard

        progress("reading and describing")
        project = read_project(find_project(config), data, Limits(memory_limit))
        scorecard, told = find_scorecard(home, project, model)
        signals = describe_signals(project, scorecard)
    if as_json:
        print_json({"model": told, "signals": [signal.to_json() for signal in signals]})
    else:
        kind = "predictive" if scorecard is None else scorecard.kind
        show_description(signals, project.name, describe_reference(kind), told)
