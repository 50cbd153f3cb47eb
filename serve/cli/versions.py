"""The commands on registered versions: versions, promote, report, export, doctor."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.tracking.records import Version


@with_options("where", "store", "as_json")
def versions(context: CommandContext) -> CommandResult:
    """List registered versions.

    The list has the versions of every kind, with their aliases and figures.
    """
    from leadscore.pipeline.workflows import store

    context.progress("opening the store")
    listed = store.list_versions(context.store, context.project.name)
    document = [version_json(version) for found in listed.values() for version in found]
    return CommandResult(partial(show_versions, listed), document)


@with_options("where", "store", "as_json")
def promote(
    context: CommandContext,
    version: Annotated[
        str,
        Argument(
            metavar="VERSION",
            help="Number of the version, or challenger. For a rule sheet: rules:3.",
        ),
    ],
) -> CommandResult:
    """Make a version the champion.

    The champion is the version that scores by default, in files and in the service.
    """
    from leadscore.pipeline.workflows.store import promote_version

    context.progress("opening the store")
    promoted = promote_version(context.store, context.project.name, version)
    text = f"{promoted.name} version {promoted.version} ({promoted.fingerprint}) is now champion."
    return CommandResult(partial(print_line, text), version_json(promoted))


@with_options("where", "store", "as_json", extra="report")
def report(
    context: CommandContext,
    version: Annotated[
        str,
        Argument(
            metavar="VERSION",
            help="Version: champion, challenger or a number. For a rule sheet: rules:3.",
        ),
    ] = "challenger",
) -> CommandResult:
    """Write a version's HTML report.

    The report is the one that its training wrote. The command prints the path.
    """
    from leadscore.pipeline.workflows.reports import fetch_report

    context.progress("opening the store")
    path = str(fetch_report(context.store, context.project, version))
    return CommandResult(partial(print_line, path), {"report": path})


@with_options("where", "data", "store", "model", "memory_limit")
def export(
    context: CommandContext,
    form: Annotated[
        str, Argument(metavar="json|sql|signals|signals-sql", help="Form of the export, as above.")
    ],
    table: Annotated[str, Option(help="Table of signals that the exported SQL reads.")] = "signals",
) -> CommandResult:
    """Print a scorecard or signals as JSON, SQL or CSV.

    json and sql print a scorecard; the SQL scores a table of signals. signals prints a CSV of the
    labelled snapshots that a model would learn from. signals-sql prints the SQL statement that
    computes the signals from the normalised tables.
    """
    from leadscore.pipeline.workflows.versions import export_text

    context.progress("exporting")
    text = export_text(context.project, form, context.store, context.model, table)
    return CommandResult(partial(typer.echo, text, nl=False))


@with_options("store")
def doctor(
    context: CommandContext,
    relocate: Annotated[
        bool, Option("--relocate", help="Rewrite the paths of a store that was moved.")
    ] = False,
) -> CommandResult:
    """Check or repair the MLflow store.

    MLflow keeps absolute paths, so a store that was moved does not work until they are rewritten.
    """
    from leadscore.pipeline.workflows.store import check_store, repair_store

    if relocate:
        text = f"{repair_store(context.store)} paths rewritten in {context.store}."
    else:
        check_store(context.store)
        text = f"The store in {context.store} is in order: its paths are those of this folder."
    return CommandResult(partial(print_line, text))


def show_versions(listed: Mapping[str, "Sequence[Version]"]) -> None:
    """Show the registered versions of each model that has any."""
    from leadscore.pipeline.tracking.records import next_commands

    for name, versions in listed.items():
        if versions:
            _show_versions(name, versions)
        elif name.endswith(".predictive"):
            print_line(f"{name}: nothing is registered yet; run {next_commands(name)[0]} first.")


def _show_versions(name: str, versions: "Sequence[Version]") -> None:
    print_table(
        (("version", ""), ("alias", ""), ("fingerprint", ""), ("AUC", ".3f"), ("log loss", ".3f"),
         ("ECE", ".3f"), ("measured on", "")),
        [
            (str(v.version), ", ".join(v.aliases), v.fingerprint,
             *map(v.metrics.get, ("auc", "log_loss", "ece")), v.basis)
            for v in versions
        ],
        title=name,
        apart=False,
    )  # fmt: skip


def version_json(version: "Version") -> dict[str, Any]:
    """Return a version as plain data."""
    return {**vars(version), "aliases": list(version.aliases), "metrics": dict(version.metrics)}
