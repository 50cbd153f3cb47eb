"""The command line: leadscore COMMAND. Each command imports what it needs when it runs."""

from importlib.metadata import version
from typing import Annotated

import typer
from typer import Exit, Option

from leadscore.serve.cli.audit import audit
from leadscore.serve.cli.check import check
from leadscore.serve.cli.compare import compare_versions
from leadscore.serve.cli.demo import create_demo
from leadscore.serve.cli.describe import describe
from leadscore.serve.cli.evaluate import evaluate
from leadscore.serve.cli.explain import explain
from leadscore.serve.cli.keys import create_key, list_keys, revoke_key
from leadscore.serve.cli.replay import replay_scores
from leadscore.serve.cli.rules import audit_rules, learn_rules, register_rules
from leadscore.serve.cli.score import score
from leadscore.serve.cli.serve import serve
from leadscore.serve.cli.terminal import print_line
from leadscore.serve.cli.train import train
from leadscore.serve.cli.versions import doctor, export, list_versions, promote, write_report

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

app.command()(check)
app.command()(audit)
app.command()(train)
app.command()(evaluate)
app.command()(score)
app.command()(explain)
app.command()(describe)
app.command("compare")(compare_versions)
app.command("demo")(create_demo)
app.command("versions")(list_versions)
app.command()(promote)
app.command("report")(write_report)
app.command()(export)
app.command()(doctor)
app.command()(serve)
app.command("replay")(replay_scores)
app.add_typer(keys, name="keys")
keys.command("create")(create_key)
keys.command("list")(list_keys)
keys.command("revoke")(revoke_key)
app.add_typer(rules, name="rules")
rules.command("register")(register_rules)
rules.command("learn")(learn_rules)
rules.command("audit")(audit_rules)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"leadscore {version('leadscore')}")
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
