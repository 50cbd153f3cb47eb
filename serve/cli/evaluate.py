"""``leadscore evaluate``."""

from functools import partial
from typing import TYPE_CHECKING

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.evaluation.evaluate import Evaluation
    from leadscore.pipeline.evaluation.metrics import Estimate


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
