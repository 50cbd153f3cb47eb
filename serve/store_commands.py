"""The commands that look after the store: models, promote, report, export, doctor."""

from typing import Annotated

import typer

from serve.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    ModelOption,
    ProjectOption,
    TracebackOption,
)
from serve.terminal import errors_told, progress_shown, say, say_json


def list_models(
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """List the registered versions of every kind, with their aliases and figures."""
    with errors_told(traceback), progress_shown() as progress:
        progress("opening the store")
        from pipeline.choice import KINDS
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.report import show_versions, version_json

        project = read_project(find_project(config)).name
        store = open_store(home)
        listed = {f"{project}.{kind}": store.list_versions(f"{project}.{kind}") for kind in KINDS}
    if as_json:
        say_json([version_json(v) for versions in listed.values() for v in versions])
        return
    for name, versions in listed.items():
        if versions or name.endswith(".predictive"):
            show_versions(versions, name)


def promote(
    version: Annotated[
        str, typer.Argument(help="A version's number, or challenger; rules:3 of a sheet.")
    ],
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Make a version the champion, the one that scores by default."""
    with errors_told(traceback), progress_shown() as progress:
        progress("opening the store")
        from pipeline.choice import read_choice
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.report import version_json

        name, number = read_choice(version, read_project(find_project(config)).name)
        promoted = open_store(home).promote(name, number)
    if as_json:
        say_json(version_json(promoted))
    else:
        say(f"{name} version {promoted.version} ({promoted.fingerprint}) is now champion.")


def write_report(
    version: Annotated[
        str, typer.Argument(help="champion, challenger or a version's number; rules:3 of a sheet.")
    ] = "challenger",
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Write the HTML report of a version, as its training made it, and say where it lies."""
    with errors_told(traceback), progress_shown() as progress:
        progress("opening the store")
        from pipeline.project_folder import find_project
        from pipeline.report.kept import fetch_report
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store

        path = fetch_report(open_store(home), read_project(find_project(config)), version, home)
    say_json({"report": str(path)}) if as_json else say(str(path))


def export(
    form: Annotated[
        str, typer.Argument(metavar="json|sql|signals|signals-sql", help="What to write to stdout.")
    ],
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    table: Annotated[str, typer.Option("--table", help="sql: the table of signals.")] = "signals",
    traceback: TracebackOption = False,
) -> None:
    """Write to stdout: a scorecard as json or sql; or the signals, or the SQL that makes them.

    The sql reads a table of signals. signals is a CSV of the snapshots that would be learned from,
    with their labels; signals-sql the one statement that computes them from the normalised tables.
    """
    with errors_told(traceback), progress_shown() as progress:
        progress("opening the store")
        from pipeline.export import export_text
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project

        project = read_project(find_project(config), data)
        text = export_text(project, form, home, model, table)
    typer.echo(text, nl=False)


def doctor(
    relocate: Annotated[
        bool, typer.Option("--relocate", help="Rewrite the paths of a store that was moved.")
    ] = False,
    home: HomeOption = HOME,
    traceback: TracebackOption = False,
) -> None:
    """Look after the store: say whether it is where it says it is, and mend that."""
    with errors_told(traceback):
        from pipeline.errors import NotFoundError
        from pipeline.tracking.relocation import check_place
        from pipeline.tracking.relocation import relocate as relocate_store

        if relocate:
            say(f"{relocate_store(home)} paths rewritten in {home}.")
        else:
            if not (home / "mlflow.db").is_file():
                raise NotFoundError(f"{home / 'mlflow.db'}: no such file; there is no store here")
            check_place(home)
            say(f"The store in {home} is where it says it is.")
