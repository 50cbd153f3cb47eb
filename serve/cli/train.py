"""``leadscore train``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadscore.serve.cli.evaluate import show_evaluation
from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    LeaksOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_list,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.pipeline.tracking.records import Version
    from leadscore.pipeline.training.train import Training


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
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.training.train import train as train_project

        project = read_project(find_project(config), data, Limits(memory_limit))
        training = train_project(project, progress, allow_leak or ())
        progress("opening the store")
        from leadscore.pipeline.workflows.record_training import record_training
        from leadscore.pipeline.workflows.reports import report_path

        progress("tracking and registering")
        version = record_training(project, training, home)
        path = report_path(home, version)
    if as_json:
        print_json(training_json(training, version, path))
    else:
        show_training(training, version, path, f"-c {config} --home {home}")


def show_training(training: "Training", version: "Version", report: Path, options: str) -> None:
    """Show what a training came to and what to do next."""
    show_evaluation(training.evaluation, f"{version.name} version {version.version}")
    print_line()
    for reason, count in training.earlier.left_out.items():
        if count:
            print_line(f"Left out {count:,} snapshots: {reason}.")
    print_line(f"Learned from {len(training.earlier):,} snapshots "
        f"with {training.earlier.label.sum():,} wins; "
        + (f"the later part begins at {training.cut}; " if training.cut else "")
        + f"{training.neither:,} snapshots belong to neither part, their leads being earlier and "
        "their labels known only later; "
        f"{len(training.tables.rejects):,} of {training.tables.rows:,} rows rejected.")  # fmt: skip
    print_line(f"Scored by {training.method}.")
    print_list("note", training.notes)
    print_list("audit", training.audit.reasons)
    print_line()
    print_line(f"Registered as {version.name} version {version.version}, fingerprint "
        f"{version.fingerprint}, alias challenger.")  # fmt: skip
    print_line(f"Report: {report}")
    kind = training.scorecard.kind
    which = str(version.version) if kind == "predictive" else f"{kind}:{version.version}"
    print_line(f"Next: leadscore promote {which} {options}")


def training_json(training: "Training", version: "Version", report: Path) -> dict[str, Any]:
    """Return a training as plain data."""
    return {
        "model": version.name,
        "version": version.version,
        "fingerprint": version.fingerprint,
        "run_id": version.run_id,
        "report": str(report),
        "recipe": None if training.choice is None else vars(training.choice.recipe),
        "recalibration": training.scorecard.training["recalibration"],
        "earlier_snapshots": len(training.earlier),
        "earlier_wins": int(training.earlier.label.sum()),
        "snapshots_in_neither_part": training.neither,
        "snapshots_left_out": training.earlier.left_out,
        "rows": training.tables.rows,
        "rejected_rows": len(training.tables.rejects),
        "notes": list(training.notes),
        "audit": {
            "verdict": training.audit.verdict,
            "reasons": list(training.audit.reasons),
            "allowed_leaks": list(training.audit.allowed_leaks),
        },
        **training.evaluation.to_json(),
    }
