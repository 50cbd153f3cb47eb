"""The command line: leadscore COMMAND. Each command imports what it needs when it runs."""

from importlib import metadata
from typing import Annotated

import typer
from typer import Exit, Option

from leadscore.serve.cli.check import audit, check
from leadscore.serve.cli.compare import compare
from leadscore.serve.cli.demo import demo
from leadscore.serve.cli.keys import create_key, list_keys, revoke_key
from leadscore.serve.cli.rules import audit_sheet, learn, register
from leadscore.serve.cli.score import describe, explain, score
from leadscore.serve.cli.serve import replay, serve
from leadscore.serve.cli.terminal import print_line
from leadscore.serve.cli.train import evaluate, train
from leadscore.serve.cli.versions import doctor, export, promote, report, versions

app = typer.Typer(
    name="leadscore",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 internal error, 2 configuration or usage, 3 data, "
    "4 refused because the result cannot be trusted, 5 not found, 6 MLflow store.",
)
keys = typer.Typer(
    help="Create, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None
)
rules = typer.Typer(
    help="Work with the team's rule sheet.", no_args_is_help=True, rich_markup_mode=None
)

for command in (check, audit, train, evaluate, score, explain, describe, compare, demo):
    app.command()(command)
for command in (versions, promote, report, export, doctor, serve, replay):
    app.command()(command)
app.add_typer(keys, name="keys")
app.add_typer(rules, name="rules")
for name, command in {"create": create_key, "list": list_keys, "revoke": revoke_key}.items():
    keys.command(name)(command)
for name, command in {"register": register, "learn": learn, "audit": audit_sheet}.items():
    rules.command(name)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"leadscore {metadata.version('leadscore')}")
        raise Exit


@app.callback()
def describe_program(
    _version: Annotated[
        bool,
        Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Predictive lead scoring: learn from won and lost deals, score, explain, compare."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
