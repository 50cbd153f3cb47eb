"""The command that recomputes what a service answered: replay."""

from pathlib import Path
from typing import Annotated

import typer

from serve.options import JsonOption, TracebackOption
from serve.terminal import errors_told, progress_shown, say_json


def replay_scores(
    log: Annotated[Path, typer.Option("--log", help="What serve --log-scores wrote.")],
    request_id: Annotated[
        str | None, typer.Option("--request-id", help="Only the answers to this request.")
    ] = None,
    lead: Annotated[
        str | None, typer.Option("--lead", help="Only the answers on this lead.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only from this moment, 2026-01-31T00:00:00Z say.")
    ] = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Recompute logged answers from their signals and compare them to the last bit.

    Exits with 4 if one differs or cannot be recomputed, with 5 if there is none to recompute.
    """
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.errors import ConfigError, RefusalError
        from pipeline.values import read_moment
        from serve.replay import Wanted, replay
        from serve.replay_report import show_replay

        try:
            since_us = None if since is None else read_moment(since)
        except ValueError as error:
            raise ConfigError(f"--since: {error}") from error
        report = replay(log, Wanted(request_id, lead, since_us), progress)
    say_json(report.to_json()) if as_json else show_replay(report)
    if not report.all_equal:
        raise typer.Exit(RefusalError.exit_code)
