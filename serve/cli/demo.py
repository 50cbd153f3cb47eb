"""``leadscore demo``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from leadscore.serve.cli.context import (
    STORE,
    CommandContext,
    CommandResult,
    check_extra,
    with_options,
)
from leadscore.serve.cli.terminal import print_line, print_paragraph, print_table
from leadscore.serve.cli.train import list_figures

if TYPE_CHECKING:
    from leadscore.pipeline.demo.world import World
    from leadscore.pipeline.workflows.tour import Tour


@with_options("store")
def demo(
    context: CommandContext,
    folder: Annotated[
        Path, Argument(metavar="FOLDER", help="Folder to write the leads to.")
    ] = STORE / "demo",
    leads: Annotated[int, Option(min=1000, help="Number of leads.")] = 6000,
    ending: Annotated[
        str, Option("--format", help="Format of the files: csv or parquet (project demo/parquet).")
    ] = "csv",
    seed: Annotated[int, Option(help="Seed of the random numbers.")] = 0,
    tour: Annotated[
        bool, Option("--tour", help="Also train, promote, evaluate and score.")
    ] = False,
) -> CommandResult:
    """Create demo leads (and take the tour).

    The leads are made up, so their true probabilities are known. The same seed gives the same
    leads.
    """
    from leadscore.pipeline.demo.tables import read_format
    from leadscore.pipeline.demo.world import write_world

    if tour:
        check_extra("report")
    written_as = read_format(ending, with_tour=tour)
    context.progress("writing the leads")
    world = write_world(folder, leads, seed, written_as, context.progress)
    project = "demo" if written_as == "csv" else "demo/parquet"
    if not tour:
        return CommandResult(partial(show_world, world, _list_next(context, project, folder)))
    from leadscore.pipeline.workflows.tour import take_tour

    result = take_tour(world, context.store, context.progress)
    commands = _list_next(context, project, folder, result.newest_lead)
    return CommandResult(partial(show_tour, result, world, commands))


def _list_next(
    context: CommandContext, name: str, written: Path, lead: str | None = None
) -> list[str]:
    """Return the next commands on a demo project, those on a trained one if a lead is given."""
    from leadscore.pipeline.config.folder import find_project
    from leadscore.pipeline.config.project import read_project

    folder, here = find_project(name), Path.cwd()
    near = folder.is_relative_to(here)
    context = replace(context, where=str(folder.relative_to(here)) if near else name)
    fits = read_project(folder).data_folder == written.resolve()
    data = () if fits else ("--data", str(written))
    commands = [context.write_next("check", *data)]
    if lead is not None:
        commands += [
            context.write_next("explain", "--lead", lead, *data),
            context.write_next("versions"),
        ]
        commands += ["make ui    # runs, figures and pictures in the browser"] if near else []
    return commands


def show_world(world: "World", commands: list[str]) -> None:
    """Show the number of leads, their folder, and the next commands."""
    print_line(f"{world.leads:,} leads, {world.wins:,} won so far, and {world.activities:,} "
        f"activities in {world.leads_path.parent}; the true probabilities in "
        f"{world.truth_path}")  # fmt: skip
    _show_next(commands)


def show_tour(tour: "Tour", world: "World", commands: list[str]) -> None:
    """Show the figures of the tour, the files that it wrote, and the next commands."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    metrics = tour.evaluation.metrics
    print_line(f"A made-up CRM: {world.leads:,} leads of two years, "
        f"{world.activities:,} activities, {world.wins:,} won.")  # fmt: skip
    print_table(
        (("result", ""), ("value", ">"), ("95 % from", ">"), ("to", ">")),
        [
            (
                f"{MEASURE_WORDS[key].name}, {tour.evaluation.basis}",
                *list_figures(key, metrics[key]),
            )
            for key in ("auc", "log_loss", "ece", "lift_at_10", "base_rate", "mean_prob")
        ]
        + [("AUC of the true probabilities themselves", f"{tour.truth_auc:.3f}", "", "")],
    )
    print_paragraph(*(verdict.text for verdict in tour.evaluation.verdicts))
    bands = ", ".join(f"{count:,} {band}" for band, count in tour.batch.bands.items())
    print_table(
        (("what", ""), ("where", "")),
        [
            ("leads", str(world.leads_path)),
            ("their true probabilities", str(world.truth_path)),
            ("open leads of the last 30 days", str(world.open_path)),
            (f"the same, scored ({bands})", str(tour.batch.scored_path)),
            ("report, for a browser", str(tour.report)),
            ("champion in the MLflow registry",
             f"{tour.version.name} version {tour.version.version} ({tour.version.fingerprint})"),
        ],
    )  # fmt: skip
    _show_next(commands)


def _show_next(commands: list[str]) -> None:
    print_paragraph("Next:")
    for command in commands:
        print_line(f"  {command}")
    print_line("For a project of your own, see README.md.")
