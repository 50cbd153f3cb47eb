"""The only place that prints: results to stdout, progress and errors to stderr."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from leadscore.pipeline.errors import LeadscoreError

_WIDEST = 120
_out = Console(soft_wrap=True, highlight=False, width=_WIDEST)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_line(text: str = "") -> None:
    """Print a line to stdout, as it stands."""
    _out.print(text, markup=False)


def print_json(document: Any) -> None:
    """Print one JSON document to stdout, and nothing else."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str = "l") -> None:
    """Print a table to stdout; `align` has an l or r per column, r for those it does not reach."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, side in zip(header, align.ljust(len(header), "r"), strict=True):
        table.add_column(name, justify="left" if side == "l" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    _out.print(table)


@contextmanager
def handle_errors(traceback: bool) -> Iterator[None]:
    """Turn an error into one line on stderr and an exit code; with `traceback`, into all of it."""
    try:
        yield
    except LeadscoreError as error:
        if traceback:
            raise
        _err.print(f"leadscore: {error}", markup=False, style="red")
        raise typer.Exit(error.exit_code) from error
    except Exception as error:
        if traceback:
            raise
        first = (str(error).splitlines() or [""])[0]
        _err.print(
            f"leadscore: internal error, {type(error).__name__}: {first} "
            "(run again with --traceback and report it)",
            markup=False, style="red",
        )  # fmt: skip
        raise typer.Exit(1) from error


class _Shown:
    """Show progress on stderr, as pipeline.progress.Progress."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        what = stage if total or not done else f"{stage}: {done:,}"
        self._bar.update(self._task, description=what, completed=done, total=total or None)


@contextmanager
def show_progress() -> Iterator[Any]:
    """Yield a Progress that is shown while the block runs, where stderr is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        yield _Shown(bar)


def print_list(word: str, lines: list[str] | tuple[str, ...]) -> None:
    """Print lines that all begin with the same word."""
    for line in lines:
        print_line(f"{word}: {line}")
