"""The content of a training's report, as frozen records."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leadscore.pipeline.audit.records import Audit, suppress_cells
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.evaluation.metrics import MEASURE_WORDS, Estimate, MeasureText
from leadscore.pipeline.report.figures import (
    BandRow,
    BreakdownTable,
    CalibrationRow,
    GainRow,
    Grid,
    PeriodRow,
    SignalFigure,
    figure_ages,
    figure_bands,
    figure_breakdowns,
    figure_calibration,
    figure_gain_curve,
    figure_periods,
    figure_signals,
    make_grid,
)
from leadscore.pipeline.tracking.records import KIND_WORDS, describe_reference
from leadscore.pipeline.training.train import Training
from leadscore.pipeline.values.times import format_time


class FactRow(NamedTuple):
    """A fact about the training: its name, and the fact in words."""

    name: str
    text: str


class MeasureRow(NamedTuple):
    """A measure: its key, its text, its value and interval."""

    key: str
    text: MeasureText
    estimate: Estimate


class DataPart(NamedTuple):
    """A part of the data: the one to learn from, or the one to evaluate on."""

    name: str
    snapshots: int
    leads: int
    wins: int
    rate: float


@dataclass(frozen=True)
class Report:
    """The report of one training; a field per section, in the order of the page.

    `kind` is that of the scorecard in words; points are counted against the `reference`. `grid` is
    a sentence if there is no matrix: the reason.
    """

    project: str
    kind: str
    reference: str
    fingerprint: str
    basis: str
    verdict: tuple[str, ...]
    evaluated: DataPart
    measures: tuple[MeasureRow, ...]
    facts: tuple[FactRow, ...]
    parts: tuple[DataPart, ...]
    left_out: tuple[tuple[str, int], ...]
    calibration: tuple[CalibrationRow, ...]
    gain_curve: tuple[GainRow, ...]
    bands: tuple[BandRow, ...]
    signals: tuple[SignalFigure, ...]
    grid: Grid | str
    periods: tuple[PeriodRow, ...]
    period_word: str
    period_caption: str
    ages: tuple[PeriodRow, ...]
    breakdowns: tuple[BreakdownTable, ...]
    rejects: tuple[tuple[str, str, int], ...]
    rows: int
    columns_left_out: tuple[FactRow, ...]
    assumptions: tuple[str, ...]
    notes: tuple[str, ...]
    points: tuple[float, float]
    identity: tuple[FactRow, ...]
    audit: Audit


def make_report(project: Project, training: Training) -> Report:
    """Gather the content of a training's report; the same training gives the same report.

    It holds no ids, no values of single leads, and no figures of groups of fewer than
    ``MIN_GROUP_LEADS`` leads.
    """
    evaluation, scorecard = training.evaluation, training.scorecard
    rejects = Counter((reject.file, reject.column) for reject in training.tables.rejects)
    by_time = training.later.order == "time"
    return Report(
        project=project.name,
        kind=KIND_WORDS[scorecard.kind],
        reference=describe_reference(scorecard.kind),
        fingerprint=scorecard.fingerprint,
        basis=evaluation.basis,
        verdict=tuple(verdict.text for verdict in evaluation.verdicts),
        evaluated=DataPart("evaluated", evaluation.snapshots, evaluation.leads, evaluation.wins,
                    evaluation.metrics["base_rate"].value),
        measures=tuple(
            MeasureRow(key, word, evaluation.metrics[key]) for key, word in MEASURE_WORDS.items()
        ),
        facts=tuple(_facts(project, training)),
        parts=tuple(_parts(training)),
        left_out=tuple(
            (reason, count) for reason, count in training.earlier.left_out.items() if count
        ),
        calibration=figure_calibration(training),
        gain_curve=figure_gain_curve(training),
        bands=figure_bands(training),
        signals=figure_signals(project, training),
        grid=make_grid(training),
        periods=figure_periods(training),
        period_word="month" if by_time else "stretch",
        period_caption="By the month in which the lead was created" if by_time
        else "By order of arrival, the oldest first, in stretches of equal size",
        ages=figure_ages(training),
        breakdowns=figure_breakdowns(project, training),
        rejects=tuple((file, column, count) for (file, column), count in sorted(rejects.items())),
        rows=training.tables.rows,
        columns_left_out=tuple(_left_out(project)),
        assumptions=tuple(_assumptions(project, training)),
        notes=tuple(note.redacted for note in training.notes),
        points=(scorecard.points.offset, scorecard.points.per_log_odds),
        identity=tuple(_identity(training)),
        audit=suppress_cells(training.audit),
    )  # fmt: skip


def _facts(project: Project, training: Training) -> Iterator[FactRow]:
    data, config = project.data, project.training
    files = [data.leads.file]
    files += [data.outcomes.file] if data.outcomes.file else []
    files += [source.file for source in data.activities] if training.tables.activities else []
    files += [data.changes.file] if data.changes and training.tables.changes is not None else []
    yield FactRow("Files", ", ".join(dict.fromkeys(files)))
    tables = training.tables
    activities = (
        "" if tables.activities is None else f", {tables.activities.activities:,} activities"
    )
    yield FactRow("Read", f"{tables.rows:,} rows: {len(tables.leads):,} leads{activities}")
    yield FactRow("Digest of the data (SHA-256)", tables.digest)
    if tables.extract_us is not None:
        yield FactRow("Data taken (extract)", format_time(tables.extract_us))
    if config.horizon_days is not None:
        settle = f", and {config.settle_days:g} days to settle" if config.settle_days else ""
        yield FactRow(
            "A win counts", f"within {config.horizon_days:g} days after the snapshot{settle}"
        )
    ages = config.snapshots.ages
    at = ", ".join(f"{age:g}" for age in ages[:12]) + (", …" if len(ages) > 12 else "")
    if data.leads.created is not None:
        yield FactRow("Snapshots taken", f"at the age of {at} days")
    yield FactRow("Evaluated on", _describe_evaluated(training))
    yield FactRow("Model", training.method)


def _describe_evaluated(training: Training) -> str:
    """Name the leads of the figures; of the cut only its day, since it is the moment of a lead."""
    if training.later.order == "time":
        return f"leads created from {(training.cut or '')[:10]} on"
    if training.later.order == "arrival":
        return f"the {training.evaluation.leads:,} leads that arrived last"
    return "the same leads, each left out in turn (cross-validation)"


def _parts(training: Training) -> Iterator[DataPart]:
    named = [("learned from", training.earlier), ("evaluated on", training.later)]
    if training.later.order == "none":
        named = [("learned from and evaluated on", training.earlier)]
    for name, dataset in named:
        yield DataPart(name, len(dataset), len(np.unique(dataset.lead)), int(dataset.label.sum()),
                   float(dataset.label.mean()))  # fmt: skip


def _left_out(project: Project) -> Iterator[FactRow]:
    for column, reason in project.data.excluded.items():
        yield FactRow(column, reason)
    for source in project.data.activities:
        for kind, reason in source.excluded.items():
            yield FactRow(f"activity {kind}", reason)


def _assumptions(project: Project, training: Training) -> Iterator[str]:
    config, order = project.training, training.later.order
    if config.horizon_days is not None:  # else a note of the training says what counts
        yield ("A lead counts as not won only after its horizon has passed. Before that it is left "
               "out and never counted as lost.")  # fmt: skip
    if order == "time":
        yield ("Evaluated on leads created after the cut, learned only from what was known before "
               f"it. {training.neither:,} snapshots belong to neither part.")  # fmt: skip
    elif order == "arrival":
        yield "Leads have no dates: their order of arrival is taken as the order of time."
    else:
        yield ("Leads have neither dates nor order: the figures are cross-validated and cannot "
               "show how the model ages.")  # fmt: skip
    if project.data.outcomes.other_is == "lost":
        yield "Outcomes that are not on the list of wins count as lost (other_is: lost)."
    if config.allow_sensitive:
        yield "Sensitive fields are allowed (allow_sensitive)."
    if len(config.snapshots.ages) > 1:
        yield ("A lead has several snapshots. Intervals draw leads with all their snapshots, and "
               "intervals of groups count each lead once.")  # fmt: skip


def _identity(training: Training) -> Iterator[FactRow]:
    scorecard = training.scorecard
    yield FactRow("Scorecard (SHA-256)", scorecard.sha256)
    yield FactRow("Configuration (SHA-256)", scorecard.training["configuration"])
    yield FactRow("Data (SHA-256)", scorecard.training["data"])
    for name, version in scorecard.training["libraries"].items():
        yield FactRow(name, version)
