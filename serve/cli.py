"""The command line: leadscore COMMAND. Each command imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from serve.compare_command import compare_versions
from serve.demo_command import write_demo
from serve.key_commands import app as keys
from serve.options import (
    HOME,
    AsOfOption,
    DataOption,
    HomeOption,
    JsonOption,
    LeaksOption,
    MemoryOption,
    ModelOption,
    ProjectOption,
    TracebackOption,
)
from serve.replay_command import replay_scores
from serve.rules_commands import app as rules
from serve.serve_command import serve
from serve.store_commands import doctor, export, list_models, promote, write_report
from serve.terminal import errors_told, progress_shown, say_json

app = typer.Typer(
    name="leadscore",
    help="Predictive lead scoring: train on closed-won history, score, explain, compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 internal error, 2 configuration or usage, 3 data, "
    "4 refused since the result could not be trusted, 5 not found, 6 the MLflow store.",
)


@app.command()
def check(
    config: ProjectOption = "demo",
    data: DataOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Check configuration and data: what would be learned from, and what is rejected and why."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.check import check_project
        from pipeline.engine import Limits
        from pipeline.errors import RefusalError
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project
        from serve.report import show_check

        progress("reading and checking")
        report = check_project(read_project(find_project(config), data, Limits(memory_limit)))
    say_json(report.to_json()) if as_json else show_check(report)
    if report.problems:
        raise typer.Exit(RefusalError.exit_code)


@app.command()
def audit(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    allow_leak: LeaksOption = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 4 on warnings too, not only on do not train."),
    ] = False,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Audit the data before anything is learned: leaks, duplicates, outcomes, how much there is."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.audit.audit import audit_project
        from pipeline.engine import Limits
        from pipeline.errors import RefusalError
        from pipeline.project_folder import find_project
        from pipeline.report.audit_page import write_audit_page
        from pipeline.report.kept import keep_report
        from pipeline.settings import read_project
        from serve.audit_report import show_audit

        project = read_project(find_project(config), data, Limits(memory_limit))
        found = audit_project(project, progress, allow_leak or ())
        path = home / "reports" / f"{project.name}-audit.html"
        page = write_audit_page(found, project.training.horizon_days, home / "cache")
        keep_report(page, path)
    if as_json:
        say_json({**found.to_json(), "page": str(path)})
    else:
        show_audit(found, path)
    if found.verdict == "do not train" or (strict and found.verdict != "train"):
        raise typer.Exit(RefusalError.exit_code)


@app.command()
def train(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    allow_leak: LeaksOption = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Train the predictive model, track the run in MLflow, register it as challenger."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.settings import read_project
        from pipeline.train import train as train_project
        from serve.report import show_training, training_json

        project = read_project(find_project(config), data, Limits(memory_limit))
        training = train_project(project, progress, allow_leak or ())
        progress("opening the store")
        from pipeline.recording import record_training
        from pipeline.report.kept import report_path

        progress("tracking and registering")
        version = record_training(project, training, home)
        path = report_path(home, version)
    if as_json:
        say_json(training_json(training, version, path))
    else:
        show_training(training, version, path, f"-c {config} --home {home}")


@app.command()
def evaluate(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Judge a registered model on the leads that came after those it learned from."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.registered import evaluate_version
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.report import show_evaluation

        progress("judging")
        project = read_project(find_project(config), data, Limits(memory_limit))
        evaluation, version = evaluate_version(open_store(home), project, model)
    if as_json:
        say_json({"model": version.name, "version": int(version.version), **evaluation.to_json()})
    else:
        show_evaluation(evaluation, version.told)


@app.command()
def score(
    leads: Annotated[Path, typer.Argument(help="CSV or Parquet with the project's columns.")],
    scored: Annotated[Path, typer.Argument(help="Where the result goes: CSV or Parquet.")],
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    activities: Annotated[
        list[Path] | None,
        typer.Option(
            "--activities",
            help="In place of a file of activities in data.yaml; repeat it for each.",
        ),
    ] = None,
    data: DataOption = None,
    as_of: AsOfOption = None,
    memory_limit: MemoryOption = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Score a file of leads: probability, score, band and reasons, one row per lead."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.engine import Limits
        from pipeline.errors import DataError
        from pipeline.project_folder import find_project
        from pipeline.registered import score_with_version
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.report import show_batch

        project = read_project(find_project(config), data, Limits(memory_limit))
        store = open_store(home)
        report = score_with_version(
            store, project, model, leads, scored, as_of, activities or (), progress
        )
    say_json(report.to_json()) if as_json else show_batch(report)
    if report.too_many_rejects:
        raise typer.Exit(DataError.exit_code)


@app.command()
def explain(
    lead: Annotated[str, typer.Option("--lead", help="The lead_id.")],
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    as_of: AsOfOption = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it, too, into this .svg or .png.")
    ] = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Explain one lead's score: from the average lead to this one, signal by signal."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.project_folder import find_project
        from pipeline.registered import explain_with_version
        from pipeline.settings import read_project
        from pipeline.tracking.store import open_store
        from serve.explanation_report import explanation_json, show_explanation

        progress("looking the lead up")
        project = read_project(find_project(config), data)
        explained = explain_with_version(open_store(home), project, model, lead, as_of)
        if picture is not None:
            from pipeline.waterfall import draw_explanation

            draw_explanation(explained.explanation, explained.first, picture)
    if as_json:
        say_json(explanation_json(explained, lead))
    else:
        show_explanation(explained, lead)


@app.command()
def describe(
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    model: ModelOption = "champion",
    memory_limit: MemoryOption = None,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Describe every signal: what it says, how often it is known, and what its values are worth."""
    with errors_told(traceback), progress_shown() as progress:
        from pipeline.choice import tell_worth
        from pipeline.describe import describe_signals
        from pipeline.engine import Limits
        from pipeline.project_folder import find_project
        from pipeline.registered import find_scorecard
        from pipeline.settings import read_project
        from serve.description import show_description

        progress("reading and describing")
        project = read_project(find_project(config), data, Limits(memory_limit))
        scorecard, told = find_scorecard(home, project, model)
        signals = describe_signals(project, scorecard)
    if as_json:
        say_json({"model": told, "signals": [signal.to_json() for signal in signals]})
    else:
        kind = "predictive" if scorecard is None else scorecard.kind
        show_description(signals, project.name, tell_worth(kind), told)


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
