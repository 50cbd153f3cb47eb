"""The command that writes a world of leads whose truth is known: demo."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.serve.cli.evaluate import list_figures
from leadscore.serve.cli.options import HOME, HomeOption, TracebackOption
from leadscore.serve.cli.terminal import handle_errors, print_line, print_table, show_progress

if TYPE_CHECKING:
    from leadscore.pipeline.demo.world import World
    from leadscore.pipeline.workflows.tour import Tour


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
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.demo.files import read_format
        from leadscore.pipeline.demo.world import write_world

        written_as = read_format(ending, with_tour=tour)
        progress("writing the leads")
        world = write_world(folder, leads, seed, written_as, progress)
        if tour:
            from leadscore.pipeline.workflows.tour import take_tour

            result = take_tour(world, home, progress)
    if tour:
        show_tour(result, world)
    else:
        print_line(f"{world.leads:,} leads, {world.wins:,} won so far, and {world.activities:,} "
            f"activities beside {world.leads_path}; the true probabilities in "
            f"{world.truth_path}")  # fmt: skip


def show_tour(tour: "Tour", world: "World") -> None:
    """Show what the tour came to, where everything lies, and what to type next."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    metrics = tour.evaluation.metrics
    print_line(f"A synthetic world: {world.leads:,} leads of two years, "
        f"{world.activities:,} activities, {world.wins:,} won.")  # fmt: skip
    print_line()
    print_table(
        ("result", "value", "95 % from", "to"),
        [
            (
                f"{MEASURE_WORDS[key].name}, {tour.evaluation.basis}",
                *list_figures(key, metrics[key]),
            )
            for key in ("auc", "log_loss", "ece", "lift_at_10", "base_rate", "mean_prob")
        ]
        + [("AUC of the true probabilities themselves", f"{tour.truth_auc:.3f}", "", "")],
    )
    print_line()
    for line in tour.evaluation.verdict:
        print_line(line)
    bands = ", ".join(f"{count:,} {band}" for band, count in tour.batch.bands.items())
    print_line()
    print_table(
        ("what", "where"),
        [
            ("the leads", str(world.leads_path)),
            ("their true probabilities", str(world.truth_path)),
            ("the open leads of the last 30 days", str(world.open_path)),
            (f"the same, scored ({bands})", str(tour.batch.scored_path)),
            ("the report, for a browser", str(tour.report)),
            ("champion in the MLflow registry",
             f"{tour.version.name} version {tour.version.version} ({tour.version.fingerprint})"),
        ],
        align="ll",
    )  # fmt: skip
    print_line()
    print_line("Next:")
    print_line(f"  leadscore explain --lead {tour.newest_lead} --data {world.leads_path.parent}")
    print_line("  leadscore models")
    print_line("  make ui                    # runs, figures and pictures in the browser")
    print_line("  leadscore check -c FOLDER  # a project of your own; see README.md")
