"""The commands that look after the store: models, promote, report, export, doctor."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    ModelOption,
    ProjectOption,
    TracebackOption,
)
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.pipeline.tracking.records import Version


def list_models(
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """List the registered versions of every kind, with their aliases and figures."""
    with handle_errors(traceback), show_progress() as progress:
        progress("opening the store")
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.tracking.version_names import KINDS

        project = read_project(find_project(config)).name
        store = open_store(home)
        listed = {f"{project}.{kind}": store.list_versions(f"{project}.{kind}") for kind in KINDS}
    if as_json:
        print_json([version_json(v) for versions in listed.values() for v in versions])
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
    with handle_errors(traceback), show_progress() as progress:
        progress("opening the store")
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.tracking.version_names import parse_version

        name, number = parse_version(version, read_project(find_project(config)).name)
        promoted = open_store(home).promote(name, number)
    if as_json:
        print_json(version_json(promoted))
    else:
        print_line(f"{name} version {promoted.version} ({promoted.fingerprint}) is now champion.")


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
    with handle_errors(traceback), show_progress() as progress:
        progress("opening the store")
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.workflows.reports import fetch_report

        path = fetch_report(open_store(home), read_project(find_project(config)), version, home)
    print_json({"report": str(path)}) if as_json else print_line(str(path))


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
    with handle_errors(traceback), show_progress() as progress:
        progress("opening the store")
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.workflows.export import export_text

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
    with handle_errors(traceback):
        from leadscore.pipeline.errors import NotFoundError
        from leadscore.pipeline.tracking.relocation import check_place
        from leadscore.pipeline.tracking.relocation import relocate as relocate_store

        if relocate:
            print_line(f"{relocate_store(home)} paths rewritten in {home}.")
        else:
            if not (home / "mlflow.db").is_file():
                raise NotFoundError(f"{home / 'mlflow.db'}: no such file; there is no store here")
            check_place(home)
            print_line(f"The store in {home} is where it says it is.")


def show_versions(versions: "list[Version]", name: str) -> None:
    """Show the registered versions of a model."""
    from leadscore.pipeline.tracking.version_names import next_commands

    if not versions:
        print_line(f"{name}: nothing is registered yet; run {next_commands(name)[0]} first.")
        return
    print_line(name)
    print_table(
        ("version", "alias", "fingerprint", "AUC", "log loss", "ECE", "judged on"),
        [
            (str(v.version), ", ".join(v.aliases), v.fingerprint,
             *(f"{v.metrics[key]:.3f}" if key in v.metrics else "-"
               for key in ("auc", "log_loss", "ece")), v.basis)
            for v in versions
        ],
        align="lllrrrl",
    )  # fmt: skip


def version_json(version: "Version") -> dict[str, Any]:
    """Return a version as plain data."""
    return {**vars(version), "aliases": list(version.aliases), "metrics": dict(version.metrics)}
