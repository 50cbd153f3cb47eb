"""The commands for sheets of points: rules learn, audit, register."""

from pathlib import Path
from typing import Annotated

import typer

from serve.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    LeaksOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from serve.terminal import errors_told, progress_shown, say_json

app = typer.Typer(
    help="The team's rule sheet: register it, learn one from history, audit it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SheetOption = Annotated[
    Path | None, typer.Option("--sheet", help="In place of rules.yaml in the project's folder.")
]


@app.command()
def register(
    config: ProjectOption = "demo",
    sheet: SheetOption = None,
    data: DataOption = None,
    home: HomeOption = HOME,
    allow_leak: LeaksOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Hold rules.yaml against history, and register it as challenger of the kind rules."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.recording import record_training
        from pipeline.report.kept import report_path
        from pipeline.settings import read_project
        from pipeline.sheets.reading import read_sheet
        from pipeline.sheets.registering import train_sheet
        from serve.report import show_training, training_json

        project = read_project(find_project(config), data, Limits(memory_limit))
        written = read_sheet(project, sheet)
        training = train_sheet(written, "rules", progress, allow_leak or ())
        progress("tracking and registering")
        version = record_training(written.project, training, home)
        path = report_path(home, version)
    if as_json:
        say_json(training_json(training, version, path))
    else:
        show_training(training, version, path, f"-c {config} --home {home}")


@app.command()
def learn(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="The file; by default close_rate/PROJECT.yaml in the home."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that was written or edited by hand.")
    ] = False,
    allow_leak: LeaksOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Count a close-rate sheet from history, write it, register it as challenger of close_rate."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.recording import record_training
        from pipeline.settings import read_project
        from pipeline.sheets.keeping import check_replaceable, keep_sheet
        from pipeline.sheets.learning import learn_sheet
        from pipeline.sheets.registering import train_sheet
        from serve.rules_report import learned_json, show_learned

        project = read_project(find_project(config), data, Limits(memory_limit))
        path = write or home / "close_rate" / f"{project.name}.yaml"
        check_replaceable(path, force)
        learned = learn_sheet(project, path, progress, allow_leak or ())
        keep_sheet(learned.text, path)
        registered = None
        if learned.ordered:
            training = train_sheet(learned.sheet, "close_rate", progress, allow_leak or ())
            progress("tracking and registering")
            version = record_training(learned.sheet.project, training, home)
            registered = (training.evaluation, version)
    if as_json:
        say_json(learned_json(learned, path, registered))
    else:
        show_learned(learned, path, registered)


@app.command()
def audit(
    config: ProjectOption = "demo",
    sheet: SheetOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Hold each criterion of a rule sheet against history: what it gives, what it deserves."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project
        from pipeline.sheets.auditing import audit_sheet
        from pipeline.sheets.reading import read_sheet
        from serve.rules_report import show_sheet_audit

        project = read_project(find_project(config), data, Limits(memory_limit))
        found = audit_sheet(read_sheet(project, sheet), progress)
    say_json(found.to_json()) if as_json else show_sheet_audit(found)
