"""``leadscore score``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_list

if TYPE_CHECKING:
    from leadscore.pipeline.scoring.score_file import BatchReport


@with_options("where", "data", "store", "model", "as_of", "memory_limit", "as_json")
def score(
    context: CommandContext,
    leads: Annotated[
        Path, Argument(metavar="LEADS", help="CSV or Parquet file with the columns of the project.")
    ],
    output: Annotated[Path, Argument(metavar="OUTPUT", help="CSV or Parquet file to write.")],
    activities: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE",
            help="File of activities to use instead of one in data.yaml. Repeat the option for "
            "several.",
        ),
    ] = None,
) -> CommandResult:
    """Score a CSV or Parquet file of leads.

    The output has one row per lead: probability, score, band and reasons.
    """
    from leadscore.pipeline.errors import DataError
    from leadscore.pipeline.workflows.versions import score_with_version

    report = score_with_version(
        context.store,
        context.project,
        context.model,
        leads,
        output,
        context.as_of,
        activities or (),
        context.progress,
    )
    return CommandResult(
        partial(show_batch, report),
        report.to_json(),
        DataError.exit_code if report.too_many_rejects else 0,
    )


def show_batch(report: "BatchReport") -> None:
    """Show the counts of a scored file, and what was not scored."""
    print_line(f"{report.scored:,} of {report.rows:,} leads scored by {report.model} "
        f"({report.fingerprint}) into {report.scored_path}")  # fmt: skip
    if report.as_of is not None:
        print_line(f"scored as of {report.as_of}: nothing recorded later was used")
    print_list("note", report.notes)
    bands = ", ".join(f"{count:,} {band}" for band, count in report.bands.items())
    mean = "" if report.mean_prob is None else f"; mean probability {report.mean_prob:.1%}"
    print_line(bands + mean)
    if report.not_yet:
        print_line(f"{report.not_yet:,} leads were created after that moment and are not scored")
    if report.rejected:
        print_line(f"{report.rejected:,} rows could not be read")
    if report.rejects_path is not None:
        print_line(f"rows that are not scored, with reasons: {report.rejects_path}")
    if report.too_many_rejects:
        print_line(
            "MORE REJECTED than max_reject_share allows (data.yaml): do not use this file as it is."
        )
