"""The command line: leadscore COMMAND. Each command imports what it needs when it runs."""

import typer

from leadscore.serve.cli.audit import audit
from leadscore.serve.cli.check import check
from leadscore.serve.cli.compare import compare_versions
from leadscore.serve.cli.demo import write_demo
from leadscore.serve.cli.describe import describe
from leadscore.serve.cli.evaluate import evaluate
from leadscore.serve.cli.explain import explain
from leadscore.serve.cli.keys import app as keys
from leadscore.serve.cli.replay import replay_scores
from leadscore.serve.cli.rules import app as rules
from leadscore.serve.cli.score import score
from leadscore.serve.cli.serve import serve
from leadscore.serve.cli.train import train
from leadscore.serve.cli.versions import doctor, export, list_models, promote, write_report

app = typer.Typer(
    name="leadscore",
    help="Predictive lead scoring: train on closed-won history, score, explain, compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 internal error, 2 configuration or usage, 3 data, "
    "4 refused since the result could not be trusted, 5 not found, 6 the MLflow store.",
)

app.command()(check)
app.command()(audit)
app.command()(train)
app.command()(evaluate)
app.command()(score)
app.command()(explain)
app.command()(describe)
app.command("compare")(compare_versions)
app.command("demo")(write_demo)
app.command("models")(list_models)
app.command()(promote)
app.command("report")(write_report)
app.command()(export)
app.command()(doctor)
app.command()(serve)
app.command("replay")(replay_scores)
app.add_typer(keys, name="keys")
app.add_typer(rules, name="rules")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
