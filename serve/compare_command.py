"""The command that compares: leadscore compare."""

from pathlib import Path
from typing import Annotated

import typer

from serve.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from serve.terminal import errors_told, progress_shown, say_json


def compare_versions(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Two or more: predictive, rules, close_rate, champion, challenger, 3, rules:2. "
            "By default every kind that is registered.",
        ),
    ] = None,
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", help="Leads that sales can call a week; else training.yaml's."),
    ] = None,
    capacity_share: Annotated[
        float | None,
        typer.Option("--capacity-share", help="In its place: the share of leads that arrive."),
    ] = None,
    gain: Annotated[
        str, typer.Option("--gain", help="The smallest gain in wins worth finding.")
    ] = "20%",
    plan_test: Annotated[
        bool, typer.Option("--plan-test", help="Show how a randomised test would be set up.")
    ] = False,
    swaps: Annotated[
        Path | None,
        typer.Option("--swaps", help="Write the leads that swap into this CSV: it holds lead ids."),
    ] = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Compare versions on later leads: which wins more with your calls, and is it proven."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.comparison.compare import Question, compare
        from pipeline.comparison.contenders import find_contenders
        from pipeline.comparison.plan import read_gain
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.recording_comparison import keep_comparison
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.comparison_report import show_comparison, show_plan

        project = read_project(find_project(config), data, Limits(memory_limit))
        question = Question(capacity, capacity_share, read_gain(gain), swaps)
        progress("opening the store")
        store = open_store(home)
        contenders = find_contenders(store, project, names or ())
        comparison = compare(project, contenders, question, progress)
        progress("tracking")
        kept = keep_comparison(store, comparison, home)
    if as_json:
        say_json({**comparison.to_json(), "page": str(kept.page), "run_id": kept.run_id})
        return
    show_comparison(comparison, kept.page)
    if plan_test:
        show_plan(comparison)
