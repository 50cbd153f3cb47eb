"""The command that recomputes what a service answered: replay."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.serve.cli.options import JsonOption, TracebackOption
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.serve.service.replay import ReplayReport


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
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.errors import ConfigError, RefusalError
        from leadscore.pipeline.values.times import read_moment
        from leadscore.serve.service.replay import Wanted, replay

        try:
            since_us = None if since is None else read_moment(since)
        except ValueError as error:
            raise ConfigError(f"--since: {error}") from error
        report = replay(log, Wanted(request_id, lead, since_us), progress)
    print_json(report.to_json()) if as_json else show_replay(report)
    if not report.all_equal:
        raise typer.Exit(RefusalError.exit_code)


def show_replay(report: "ReplayReport") -> None:
    """Print the report for people."""
    print_line(f"{report.recomputed:,} answers recomputed; {report.differing:,} differ, "
        f"{report.failed:,} could not be recomputed.")  # fmt: skip
    if report.versions:
        print_table(
            ("model", "version", "fingerprint", "recomputed"),
            [(m, str(v), sha256[:12], f"{n:,}") for (m, v, sha256), n in report.versions],
            "lrlr",
        )
    if report.differences:
        print_line()
        print_table(
            ("request", "item", "field", "logged", "recomputed"),
            [
                (d.request_id, "" if d.item is None else str(d.item), d.field, str(d.logged),
                 str(d.recomputed))
                for d in report.differences
            ],
            "lrlrr",
        )  # fmt: skip
    if report.failures:
        print_line()
        print_table(
            ("could not be recomputed since", "answers", "first request"),
            [(f.reason, f"{f.answers:,}", f.first_request_id) for f in report.failures],
            "lrl",
        )
