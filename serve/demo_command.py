"""The command that writes a world of leads whose truth is known: demo."""

from pathlib import Path
from typing import Annotated

import typer

from serve.options import HOME, HomeOption, TracebackOption
from serve.terminal import errors_told, progress_shown, say


def write_demo(
    folder: Annotated[Path, typer.Argument(help="Where the leads are written.")] = HOME / "demo",
    leads: Annotated[int, typer.Option("--leads", min=1000, help="How many.")] = 6000,
    ending: Annotated[
        str, typer.Option("--format", help="csv or parquet; configs/demo/parquet reads the latter.")
    ] = "csv",
    seed: Annotated[int, typer.Option("--seed", help="Of the random numbers.")] = 0,
    tour: Annotated[bool, typer.Option("--tour", help="Then train, promote and score.")] = False,
    home: HomeOption = HOME,
    traceback: TracebackOption = False,
) -> None:
    """Write a synthetic world of leads whose truth is known; with --tour, use it."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.demo.files import read_format
        from pipeline.demo.world import write_world

        written_as = read_format(ending, with_tour=tour)
        progress("writing the leads")
        world = write_world(folder, leads, seed, written_as, progress)
        if tour:
            from pipeline.demo.tour import take_tour

            result = take_tour(world, home, progress)
    if tour:
        from serve.report import show_tour

        show_tour(result, world)
    else:
        say(f"{world.leads:,} leads, {world.wins:,} won so far, and {world.activities:,} "
            f"activities beside {world.leads_path}; the true probabilities in "
            f"{world.truth_path}")  # fmt: skip
