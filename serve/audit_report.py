"""What an audit shows on the terminal."""

from pathlib import Path

from pipeline.audit.records import Audit, ColumnFinding
from serve.terminal import say, say_table

_SAID = {
    "train": "Train.",
    "train with warnings": "Train, with these warnings:",
    "do not train": "DO NOT TRAIN ON THIS YET, because:",
}


def show_audit(found: Audit, page: Path) -> None:
    """Show the verdict, why, and the columns that are not simply used."""
    say(f"{found.project}: {found.rows:,} rows read, {found.leads:,} leads, {found.wins:,} won")
    say()
    say(_SAID[found.verdict])
    for reason in found.reasons:
        say(f"  {reason}")
    told = [column for column in found.columns if _is_told(column)]
    if told:
        say()
        say_table(
            ("column or signal", "verdict", "AUC", "filled", "used"),
            [
                (column.name[:44], column.verdict,
                 "-" if column.auc is None else f"{column.auc.value:.3f}",
                 f"{column.filled:.0%}", "yes" if column.used else "no")
                for column in told
            ],
            align="ll",
        )  # fmt: skip
        for column in told:
            say()
            say(f"{column.name}: {'; '.join(column.reasons)}")
            if column.override is not None:
                say(f"  to use it all the same: {column.override}")
    used = sum(column.used and column.verdict == "use" for column in found.columns)
    say()
    say(f"{used} signals show no sign of a leak. All of it, with pictures: {page}")


def _is_told(column: ColumnFinding) -> bool:
    return column.verdict != "use" or column.overridden is not None
