"""``leadscore train`` and ``leadscore evaluate``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_list, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.evaluation.evaluate import Evaluation
    from leadscore.pipeline.evaluation.metrics import Estimate
    from leadscore.pipeline.tracking.records import Version
    from leadscore.pipeline.training.train import Training
    from leadscore.pipeline.workflows.record_training import RecordedTraining


def show_evaluation(evaluation: "Evaluation", name: str) -> None:
    """Show the figures with their intervals, the bands, periods and ages, and the verdict."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    print_line(f"{name}, {evaluation.basis}")
    print_line(f"{evaluation.snapshots:,} snapshots of {evaluation.leads:,} leads, "
        f"{evaluation.wins:,} won; 95 % intervals, leads resampled")  # fmt: skip
    print_table(
        (("measure", ""), ("value", ">"), ("from", ">"), ("to", ">")),
        [
            (word.name, *list_figures(key, evaluation.metrics[key]))
            for key, word in MEASURE_WORDS.items()
        ],
    )
    print_table(
        (("band", ""), ("snapshots", ","), ("won", ","), ("expected", ",.0f"),
         ("share won", ".1%")),
        [
            (b.band, b.snapshots, b.wins, b.expected_wins,
             b.wins / b.snapshots if b.snapshots else None)
            for b in evaluation.bands
        ],
    )  # fmt: skip
    print_table(
        (("from", ""), ("snapshots", ","), ("share won", ".1%"), ("mean prediction", ".1%"),
         ("AUC", ".3f"), ("log loss", ".3f")),
        [
            (p.begins, p.snapshots, p.base_rate, p.mean_prob, p.auc, p.log_loss)
            for p in evaluation.periods
        ],
    )  # fmt: skip
    if len(evaluation.ages) > 1:
        print_table(
            (("age in days", "g"), ("snapshots", ","), ("share won", ".1%"),
             ("mean prediction", ".1%"), ("AUC within the age", ".3f")),
            [
                (a.age_days, a.snapshots, a.base_rate, a.mean_prob, a.auc)
                for a in evaluation.ages
            ],
        )  # fmt: skip
    print_paragraph(*(verdict.text for verdict in evaluation.verdicts))


def list_figures(key: str, estimate: "Estimate") -> list[str]:
    """Return a measure's value and interval as the cells of a table."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    form = "{:.1%}" if MEASURE_WORDS[key].share else "{:.3f}"
    return [form.format(figure) for figure in estimate]


@with_options("where", "data", "store", "model", "memory_limit", "as_json")
def evaluate(context: CommandContext) -> CommandResult:
    """Measure a model on later leads.

    Later leads were created after the leads that the model learned from.
    """
    from leadscore.pipeline.workflows.versions import evaluate_version

    context.progress("evaluating")
    evaluation, version = evaluate_version(context.store, context.project, context.model)
    return CommandResult(
        partial(show_evaluation, evaluation, version.title),
        {"model": version.name, "version": int(version.version), **evaluation.to_json()},
    )


@with_options("where", "data", "store", "allow_leak", "memory_limit", "as_json", extra="report")
def train(context: CommandContext) -> CommandResult:
    """Train a model and register it as challenger.

    MLflow keeps the run with its figures. The command writes a report as an HTML page.
    """
    from leadscore.pipeline.training.train import train as train_project
    from leadscore.pipeline.workflows.record_training import record_training

    training = train_project(context.project, context.progress, context.allow_leak or ())
    context.progress("tracking and registering")
    recorded = record_training(training, context.store)
    return report_training(context, training, recorded)


def report_training(
    context: CommandContext, training: "Training", recorded: "RecordedTraining"
) -> CommandResult:
    """Return what a command shows of a training: figures, counts, report, the next command."""
    version, path = recorded
    kind = training.scorecard.kind
    which = str(version.version) if kind == "predictive" else f"{kind}:{version.version}"
    promote = context.write_next("promote", which)
    return CommandResult(
        partial(show_training, training, version, path, promote),
        training_json(training, version, path),
    )


def show_training(training: "Training", version: "Version", report: Path, promote: str) -> None:
    """Show the figures and counts of a training, and the command that promotes the version."""
    show_evaluation(training.evaluation, f"{version.name} version {version.version}")
    print_line()
    for reason, count in training.earlier.left_out.items():
        if count:
            print_line(f"Left out {count:,} snapshots: {reason}.")
    print_line(f"Learned from {len(training.earlier):,} snapshots "
        f"with {training.earlier.label.sum():,} wins; "
        + (f"the later part begins at {training.cut}; " if training.cut else "")
        + f"{training.neither:,} snapshots belong to neither part: their leads are earlier, "
        "their labels are known only later; "
        f"{len(training.tables.rejects):,} of {training.tables.rows:,} rows rejected.")  # fmt: skip
    print_line(f"Method: {training.method}.")
    print_list("note", [str(note) for note in training.notes])
    print_list("audit", training.audit.reasons)
    print_paragraph(f"Registered as {version.name} version {version.version}, fingerprint "
        f"{version.fingerprint}, alias challenger.")  # fmt: skip
    print_line(f"Report: {report}")
    print_line(f"Next: {promote}")


def training_json(training: "Training", version: "Version", report: Path) -> dict[str, Any]:
    """Return a training as plain data."""
    return {
        "model": version.name,
        "version": version.version,
        "fingerprint": version.fingerprint,
        "run_id": version.run_id,
        "report": str(report),
        "hyperparameters": (
            None if training.selected is None else vars(training.selected.hyperparameters)
        ),
        "recalibration": training.scorecard.training["recalibration"],
        "earlier_snapshots": len(training.earlier),
        "earlier_wins": int(training.earlier.label.sum()),
        "snapshots_in_neither_part": training.neither,
        "snapshots_left_out": training.earlier.left_out,
        "rows": training.tables.rows,
        "rejected_rows": len(training.tables.rejects),
        "notes": [str(note) for note in training.notes],
        "audit": {
            "verdict": training.audit.verdict,
            "reasons": list(training.audit.reasons),
            "allowed_leaks": list(training.audit.allowed_leaks),
        },
        **training.evaluation.to_json(),
    }
