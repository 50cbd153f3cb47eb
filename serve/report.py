"""What the commands show on the terminal, and their JSON where it is not the report's own."""

from pathlib import Path
from typing import Any

from pipeline.batch import BatchReport
from pipeline.check import CheckReport
from pipeline.choice import tell_commands
from pipeline.demo.tour import Tour
from pipeline.demo.world import World
from pipeline.evaluate import Evaluation
from pipeline.metrics import Estimate
from pipeline.report.words import MEASURE_WORDS
from pipeline.tracking.records import Version
from pipeline.train import Training
from serve.terminal import say, say_table


def show_check(report: CheckReport) -> None:
    """Show what a project's data comes to."""
    say(f"{report.project}: {report.rows:,} rows read, {report.leads:,} leads in "
        f"{report.leads_path}"
        + (f", {report.activities:,} activities" if report.activities is not None else "")
        + (f", extract {report.extract}" if report.extract else ""))  # fmt: skip
    for count, file, column, reason, line in report.rejects[:10]:
        where = f"{column}: " if column else ""
        say(f"  rejected {count:,} of {file}: {where}{reason} (first at line {line})")
    if len(report.rejects) > 10:
        more = sum(count for count, *_ in report.rejects[10:])
        say(f"  rejected {more:,} rows more, for {len(report.rejects) - 10} other reasons")
    for reason, count in report.left_out.items():
        if count:
            say(f"  left out {count:,} snapshots: {reason}")
    if report.parts:
        say()
        say_table(
            ("part", "snapshots", "won", "share"),
            [
                (p.part, f"{p.snapshots:,}", f"{p.wins:,}",
                 "" if p.base_rate is None else f"{p.base_rate:.1%}")
                for p in report.parts
            ],
        )  # fmt: skip
    if report.signals:
        say()
        say_table(
            ("signal", "known", "values"),
            [(s.column, f"{s.coverage:.1%}", f"{s.distinct:,}") for s in report.signals],
        )
    if report.sheet is not None:
        say()
        say(report.sheet)
    _show_list("note", report.notes)
    _show_list("PROBLEM", report.problems)
    say()
    say("Not ready to train." if report.problems else "Ready to train.")


def show_training(training: Training, version: Version, report: Path, options: str) -> None:
    """Show what a training came to and what to do next."""
    show_evaluation(training.evaluation, f"{version.name} version {version.version}")
    say()
    for reason, count in training.earlier.left_out.items():
        if count:
            say(f"Left out {count:,} snapshots: {reason}.")
    say(f"Learned from {len(training.earlier):,} snapshots with {training.earlier.label.sum():,} "
        "wins; "
        + (f"the later part begins at {training.cut}; " if training.cut else "")
        + f"{training.neither:,} snapshots belong to neither part, their leads being earlier and "
        "their labels known only later; "
        f"{len(training.tables.rejects):,} of {training.tables.rows:,} rows rejected.")  # fmt: skip
    say(f"Scored by {training.method}.")
    _show_list("note", training.notes)
    _show_list("audit", training.audit.reasons)
    say()
    say(f"Registered as {version.name} version {version.version}, fingerprint "
        f"{version.fingerprint}, alias challenger.")  # fmt: skip
    say(f"Report: {report}")
    kind = training.scorecard.kind
    which = str(version.version) if kind == "predictive" else f"{kind}:{version.version}"
    say(f"Next: leadscore promote {which} {options}")


def training_json(training: Training, version: Version, report: Path) -> dict[str, Any]:
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


def show_evaluation(evaluation: Evaluation, name: str) -> None:
    """Show figures with their intervals, bands and stretches of time, and the verdict."""
    say(f"{name}, {evaluation.basis}")
    say(f"{evaluation.snapshots:,} snapshots of {evaluation.leads:,} leads, "
        f"{evaluation.wins:,} won; intervals 95 %, leads resampled")  # fmt: skip
    say()
    say_table(
        ("measure", "value", "from", "to"),
        [
            (word.name, *_figures(key, evaluation.metrics[key]))
            for key, word in MEASURE_WORDS.items()
        ],
    )
    say()
    say_table(
        ("band", "snapshots", "won", "expected", "share won"),
        [
            (b.band, f"{b.snapshots:,}", f"{b.wins:,}", f"{b.expected_wins:,.0f}",
             f"{b.wins / b.snapshots:.1%}" if b.snapshots else "-")
            for b in evaluation.bands
        ],
    )  # fmt: skip
    if evaluation.periods:
        say()
        say_table(
            ("from", "snapshots", "share won", "mean prediction", "AUC", "log loss"),
            [
                (p.begins, f"{p.snapshots:,}", f"{p.base_rate:.1%}", f"{p.mean_prob:.1%}",
                 "-" if p.auc is None else f"{p.auc:.3f}", f"{p.log_loss:.3f}")
                for p in evaluation.periods
            ],
        )  # fmt: skip
    if len(evaluation.ages) > 1:
        say()
        say_table(
            ("age in days", "snapshots", "share won", "mean prediction", "AUC within the age"),
            [
                (f"{a.age_days:g}", f"{a.snapshots:,}", f"{a.base_rate:.1%}", f"{a.mean_prob:.1%}",
                 "-" if a.auc is None else f"{a.auc:.3f}")
                for a in evaluation.ages
            ],
        )  # fmt: skip
    say()
    for line in evaluation.verdict:
        say(line)


def _figures(key: str, estimate: Estimate) -> list[str]:
    form = "{:.1%}" if MEASURE_WORDS[key].share else "{:.3f}"
    return [form.format(figure) for figure in estimate]


def show_batch(report: BatchReport) -> None:
    """Show what scoring a file came to."""
    say(f"{report.scored:,} of {report.rows:,} leads scored by {report.model} "
        f"({report.fingerprint}) into {report.scored_path}")  # fmt: skip
    if report.as_of is not None:
        say(f"as of {report.as_of}: nothing recorded later was used")
    _show_list("note", report.notes)
    bands = ", ".join(f"{count:,} {band}" for band, count in report.bands.items())
    mean = "" if report.mean_prob is None else f"; mean probability {report.mean_prob:.1%}"
    say(bands + mean)
    if report.not_yet:
        say(f"{report.not_yet:,} leads were created after that and are not scored")
    if report.rejected:
        say(f"{report.rejected:,} rows could not be read")
    if report.rejects_path is not None:
        say(f"what is not scored, and why: {report.rejects_path}")
    if report.too_many_rejects:
        say("MORE REJECTED than most_rejects allows (data.yaml): do not use this file as it is.")


def show_versions(versions: list[Version], name: str) -> None:
    """Show the registered versions of a model."""
    if not versions:
        say(f"{name}: nothing is registered yet; run {tell_commands(name)[0]} first.")
        return
    say(name)
    say_table(
        ("version", "alias", "fingerprint", "AUC", "log loss", "ECE", "judged on"),
        [
            (str(v.version), ", ".join(v.aliases), v.fingerprint,
             *(f"{v.metrics[key]:.3f}" if key in v.metrics else "-"
               for key in ("auc", "log_loss", "ece")), v.basis)
            for v in versions
        ],
        align="lllrrrl",
    )  # fmt: skip


def version_json(version: Version) -> dict[str, Any]:
    """Return a version as plain data."""
    return {**vars(version), "aliases": list(version.aliases), "metrics": dict(version.metrics)}


def _show_list(word: str, lines: list[str] | tuple[str, ...]) -> None:
    for line in lines:
        say(f"{word}: {line}")


def show_tour(tour: Tour, world: World) -> None:
    """Show what the tour came to, where everything lies, and what to type next."""
    metrics = tour.evaluation.metrics
    say(f"A synthetic world: {world.leads:,} leads of two years, {world.activities:,} activities, "
        f"{world.wins:,} won.")  # fmt: skip
    say()
    say_table(
        ("result", "value", "95 % from", "to"),
        [
            (f"{MEASURE_WORDS[key].name}, {tour.evaluation.basis}", *_figures(key, metrics[key]))
            for key in ("auc", "log_loss", "ece", "lift_at_10", "base_rate", "mean_prob")
        ]
        + [("AUC of the true probabilities themselves", f"{tour.truth_auc:.3f}", "", "")],
    )
    say()
    for line in tour.evaluation.verdict:
        say(line)
    bands = ", ".join(f"{count:,} {band}" for band, count in tour.batch.bands.items())
    say()
    say_table(
        ("what", "where"),
        [
            ("the leads", str(world.leads_path)),
            ("their true probabilities", str(world.truth_path)),
            ("the open leads of the last 30 days", str(world.open_path)),
            (f"the same, scored ({bands})", str(tour.batch.scored_path)),
            ("the report, for a browser", str(tour.report)),
            ("champion in the MLflow registry",
             f"{tour.version.name} version {tour.version.version} ({tour.version.fingerprint})"),
        ],
        align="ll",
    )  # fmt: skip
    say()
    say("Next:")
    say(f"  leadscore explain --lead {tour.newest_lead} --data {world.leads_path.parent}")
    say("  leadscore models")
    say("  make ui                    # runs, figures and pictures in the browser")
    say("  leadscore check -c FOLDER  # a project of your own; see README.md")
