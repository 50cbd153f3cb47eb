"""``leadscore replay``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from leadscore.serve.service.replay import ReplayReport


@with_options("as_json")
def replay(
    context: CommandContext,
    log: Annotated[Path, Option(help="The SQLite file that serve --log-scores wrote.")],
    request_id: Annotated[
        str | None, Option(help="Check only the answers to this request.")
    ] = None,
    lead: Annotated[str | None, Option(help="Check only the answers for this lead.")] = None,
    since: Annotated[
        str | None,
        Option(help="Check only answers from this moment on, for example 2026-01-31T00:00:00Z."),
    ] = None,
) -> CommandResult:
    """Check logged scores by recomputing them.

    Every answer is recomputed from its logged signals and compared to the last bit. The command
    exits with 4 if an answer differs or cannot be recomputed, and with 5 if there is no answer to
    recompute.
    """
    from leadscore.pipeline.errors import ConfigError, RefusalError
    from leadscore.pipeline.values.times import read_moment
    from leadscore.serve.service.replay import Wanted
    from leadscore.serve.service.replay import replay as replay_log

    try:
        since_us = None if since is None else read_moment(since)
    except ValueError as error:
        raise ConfigError(f"--since: {error}") from error
    report = replay_log(log, Wanted(request_id, lead, since_us), context.progress)
    return CommandResult(
        partial(show_replay, report),
        report.to_json(),
        0 if report.all_equal else RefusalError.exit_code,
    )


def show_replay(report: "ReplayReport") -> None:
    """Print the report for people."""
    print_line(f"{report.recomputed:,} answers recomputed; {report.differing:,} differ, "
        f"{report.failed:,} could not be recomputed.")  # fmt: skip
    print_table(
        (("model", ""), ("version", "d"), ("fingerprint", ""), ("recomputed", ",")),
        [(m, v, sha256[:12], n) for (m, v, sha256), n in report.versions],
    )
    print_table(
        (("request", ""), ("item", "d"), ("field", ""), ("logged", ">"), ("recomputed", ">")),
        [
            (d.request_id, d.item, d.field, str(d.logged), str(d.recomputed))
            for d in report.differences
        ],
    )
    print_table(
        (("reason for no recomputation", ""), ("answers", ","), ("first request", "")),
        [(f.reason, f.answers, f.first_request_id) for f in report.failures],
    )
