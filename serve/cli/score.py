"""``leadscore score``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.serve.cli.options import (
    HOME,
    AsOfOption,
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
    print_list,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.pipeline.scoring.score_file import BatchReport


def score(
    leads: Annotated[Path, typer.Argument(help="CSV or Parquet with the project's columns.")],
    scored: Annotated[Path, typer.Argument(help="Where the result goes: CSV or Parquet.")],
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    activities: Annotated[
        list[Path] | None,
        typer.Option(
            "--activities",
            help="In place of a file of activities in data.yaml; repeat it for each.",
        ),
    ] = None,
    data: DataOption = None,
    as_of: AsOfOption = None,
    memory_limit: MemoryOption = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Score a file of leads: probability, score, band and reasons, one row per lead."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.errors import DataError
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.workflows.versions import score_with_version

        project = read_project(find_project(config), data, Limits(memory_limit))
        store = open_store(home)
        report = score_with_version(
            store, project, model, leads, scored, as_of, activities or (), progress
        )
    print_json(report.to_json()) if as_json else show_batch(report)
    if report.too_many_rejects:
        raise typer.Exit(DataError.exit_code)


def show_batch(report: "BatchReport") -> None:
    """Show what scoring a file came to."""
    print_line(f"{report.scored:,} of {report.rows:,} leads scored by {report.model} "
        f"({report.fingerprint}) into {report.scored_path}")  # fmt: skip
    if report.as_of is not None:
        print_line(f"as of {report.as_of}: nothing recorded later was used")
    print_list("note", report.notes)
    bands = ", ".join(f"{count:,} {band}" for band, count in report.bands.items())
    mean = "" if report.mean_prob is None else f"; mean probability {report.mean_prob:.1%}"
    print_line(bands + mean)
    if report.not_yet:
        print_line(f"{report.not_yet:,} leads were created after that and are not scored")
    if report.rejected:
        print_line(f"{report.rejected:,} rows could not be read")
    if report.rejects_path is not None:
        print_line(f"what is not scored, and why: {report.rejects_path}")
    if report.too_many_rejects:
        print_line(
            "MORE REJECTED than max_reject_share allows (data.yaml): do not use this file as it is."
        )
