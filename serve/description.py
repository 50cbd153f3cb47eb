"""What `leadscore describe` shows: every signal, and what its values are worth."""

from pipeline.describe import SignalDescription
from serve.terminal import say, say_table

_BAR = 20
_MOST_ROWS = 16


def show_description(
    signals: list[SignalDescription], project: str, worth: str, model: str
) -> None:
    """Show every signal in words with its coverage, and the curve of its worth where there is one.

    The bars of all signals share one scale, so that a long bar is a strong value anywhere.
    """
    say(f"{project}: {len(signals)} signals; worth in points {worth}: {model}")
    widest = max((abs(w.points) for signal in signals for w in signal.worth), default=0.0) or 1.0
    family = ""
    for signal in signals:
        if signal.family != family:
            family = signal.family
            say()
            say(family.upper())
        say()
        words = "" if signal.label is None else f" ({signal.label})"
        say(f"{signal.column}{words}: {signal.definition}")
        say(f"  known for {signal.coverage:.1%} of the snapshots, {signal.distinct:,} values")
        rows = [
            (f"  {worth.value}", f"{worth.points:+.1f}", _bar(worth.points / widest))
            for worth in signal.worth
        ]
        if len(rows) > _MOST_ROWS:
            half = _MOST_ROWS // 2
            rows = [*rows[:half], ("  ...", "", ""), *rows[-half:]]
        if rows:
            say_table(("  value", "points", ""), rows, align="lrl")


def _bar(share: float) -> str:
    """Draw a bar from the middle: to the right what speaks for a lead, to the left against."""
    length = round(abs(share) * _BAR)
    if share < 0:
        return " " * (_BAR - length) + "-" * length + "|"
    return " " * _BAR + "|" + "+" * length
