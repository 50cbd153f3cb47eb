"""``leadscore evaluate``."""

from typing import TYPE_CHECKING

from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    MemoryOption,
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
    from leadscore.pipeline.evaluation.evaluate import Evaluation
    from leadscore.pipeline.evaluation.metrics import Estimate


def show_evaluation(evaluation: "Evaluation", name: str) -> None:
    """Show figures with their intervals, bands and stretches of time, and the verdict."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    print_line(f"{name}, {evaluation.basis}")
    print_line(f"{evaluation.snapshots:,} snapshots of {evaluation.leads:,} leads, "
        f"{evaluation.wins:,} won; intervals 95 %, leads resampled")  # fmt: skip
    print_line()
    print_table(
        ("measure", "value", "from", "to"),
        [
            (word.name, *list_figures(key, evaluation.metrics[key]))
            for key, word in MEASURE_WORDS.items()
        ],
    )
    print_line()
    print_table(
        ("band", "snapshots", "won", "expected", "share won"),
        [
            (b.band, f"{b.snapshots:,}", f"{b.wins:,}", f"{b.expected_wins:,.0f}",
             f"{b.wins / b.snapshots:.1%}" if b.snapshots else "-")
            for b in evaluation.bands
        ],
    )  # fmt: skip
    if evaluation.periods:
        print_line()
        print_table(
            ("from", "snapshots", "share won", "mean prediction", "AUC", "log loss"),
            [
                (p.begins, f"{p.snapshots:,}", f"{p.base_rate:.1%}", f"{p.mean_prob:.1%}",
                 "-" if p.auc is None else f"{p.auc:.3f}", f"{p.log_loss:.3f}")
                for p in evaluation.periods
            ],
        )  # fmt: skip
    if len(evaluation.ages) > 1:
        print_line()
        print_table(
            ("age in days", "snapshots", "share won", "mean prediction", "AUC within the age"),
            [
                (f"{a.age_days:g}", f"{a.snapshots:,}", f"{a.base_rate:.1%}", f"{a.mean_prob:.1%}",
                 "-" if a.auc is None else f"{a.auc:.3f}")
                for a in evaluation.ages
            ],
        )  # fmt: skip
    print_line()
    for line in evaluation.verdict:
        print_line(line)


def list_figures(key: str, estimate: "Estimate") -> list[str]:
    """Return a measure's value and interval as the cells of a table."""
    from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS

    form = "{:.1%}" if MEASURE_WORDS[key].share else "{:.3f}"
    return [form.format(figure) for figure in estimate]


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
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.workflows.versions import evaluate_version

        progress("judging")
        project = read_project(find_project(config), data, Limits(memory_limit))
        evaluation, version = evaluate_version(open_store(home), project, model)
    if as_json:
        print_json({"model": version.name, "version": int(version.version), **evaluation.to_json()})
    else:
        show_evaluation(evaluation, version.told)
