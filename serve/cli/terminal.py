"""The only place that prints: results to stdout, progress and errors to stderr."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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
    """Print a line to stdout, without markup."""
    _out.print(text, markup=False)


def print_paragraph(*lines: str) -> None:
    """Print an empty line, then the lines."""
    for line in ("", *lines):
        print_line(line)


def print_json(document: Any) -> None:
    """Print one JSON document to stdout, and nothing else."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_table(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[object]],
    title: str = "",
    apart: bool = True,
) -> None:
    """Print a table to stdout, with a title and `apart` from the text above; nothing without rows.

    A column has a header and a format; without a format it is aligned left. Texts are printed
    without a change, None as ``-``, an interval as ``value (low to high)``.
    """
    if not rows:
        return
    if apart:
        print_line()
    if title:
        print_line(title)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, form in columns:
        table.add_column(name, justify="right" if form else "left", no_wrap=True)
    for row in rows:
        cells = zip(row, columns, strict=True)
        table.add_row(*(Text(format_value(value, form)) for value, (_, form) in cells))
    _out.print(table)


def format_value(value: object, form: str) -> str:
    """Return a value as text.

    Examples
    --------
    >>> format_value(0.125, ".1%"), format_value((1.5, 1.0, 2.0), "+.1f"), format_value(None, ",")
    ('12.5%', '+1.5 (+1.0 to +2.0)', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, tuple):
        middle, low, high = (format_value(end, form) for end in value)
        return f"{middle} ({low} to {high})"
    return value if isinstance(value, str) else format(value, form)


@contextmanager
def handle_errors(traceback: bool) -> Iterator[None]:
    """Turn an error into one line on stderr and an exit code; `traceback` shows all of it."""
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


class _ShownProgress:
    """Show progress on stderr, as pipeline.progress.Progress; nothing before the first call."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        self._bar.start()
        what = stage if total or not done else f"{stage}: {done:,}"
        self._bar.update(self._task, description=what, completed=done, total=total or None)


@contextmanager
def show_progress() -> Iterator[Any]:
    """Yield a Progress that is shown until the block ends, if stderr is a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal)
    try:
        yield _ShownProgress(bar)
    finally:
        bar.stop()


def print_list(word: str, lines: Sequence[str]) -> None:
    """Print lines that all begin with the same word."""
    for line in lines:
        print_line(f"{word}: {line}")


def write_command(*words: str) -> str:
    """Return a command that can be pasted: it starts the program as this call was started."""
    called = sys.argv[0]
    if Path(called).name != "leadscore" or called == shutil.which("leadscore"):
        called = "leadscore"
    return shlex.join([called, *words])
