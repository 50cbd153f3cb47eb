"""Check a project before training, and describe its signals."""

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import Curve, Steps
from leadscore.pipeline.audit.tables.missing_outcomes import (
    find_outcome_gaps,
    note_few_early_wins,
    note_late_records,
)
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import split_dataset
from leadscore.pipeline.errors import LeadscoreError
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.ingest.rejects import group_rejects
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.sheets.sheet import Sheet, find_sheet
from leadscore.pipeline.signals.catalog import Catalog, describe_signal
from leadscore.pipeline.values.times import format_time


class Rejected(NamedTuple):
    """How many `rows` of a file were rejected for one reason; reason and line of the first."""

    rows: int
    file: str
    column: str
    reason: str
    line: int


@dataclass(frozen=True)
class SignalCheck:
    """One signal: the share of snapshots where it is known, and how many values it takes."""

    column: str
    coverage: float
    distinct: int


@dataclass(frozen=True)
class PartCheck:
    """One part of the data: its snapshots, wins and their share."""

    part: str
    snapshots: int
    wins: int
    base_rate: float | None


@dataclass(frozen=True)
class CheckReport:
    """The counts of a project's data; with any of the `problems`, training cannot start.

    `sheet` describes the project's rule sheet, None if it has none.
    """

    project: str
    leads_path: str
    rows: int
    leads: int
    activities: int | None
    extract: str | None
    rejects: list[Rejected]
    left_out: dict[str, int]
    parts: list[PartCheck]
    signals: list[SignalCheck]
    sheet: str | None
    notes: list[str]
    problems: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data; a reject: count, file, column, reason, first line."""
        return asdict(self)


def check_project(project: Project) -> CheckReport:
    """Read a project's data and count what training would find.

    A DataError is raised if the data cannot be read at all, a ConfigError if the rule sheet has
    mistakes.
    """
    sheet = find_sheet(project)
    tables = ingest(project)
    parts: list[PartCheck] = []
    signals: list[SignalCheck] = []
    problems = [str(problem) for problem in tables.problems]
    left_out: dict[str, int] = {}
    notes = list(tables.notes)
    try:
        dataset = build_dataset(project, tables)
        left_out = dataset.left_out
        signals = check_signals(dataset, project.catalog.columns)
        parts = _check_parts(project, dataset)
        gap = find_outcome_gaps(project, tables, dataset)
        problems += [] if gap is None else [str(gap)]
        notes += note_few_early_wins(project, dataset)
    except LeadscoreError as error:
        problems.append(str(error))
    if parts and parts[0].wins < project.training.min_wins:
        problems.append(
            f"{parts[0].wins} wins to learn from, at least "
            f"{project.training.min_wins} are needed (min_wins)"
        )
    problems += [
        f"the {part.part} part needs both wins and others, found {part.wins} wins in "
        f"{part.snapshots} snapshots"
        for part in parts
        if part.part != "neither" and not 0 < part.wins < part.snapshots
    ]
    late = note_late_records(project, tables)
    return CheckReport(
        project=project.name,
        leads_path=str(project.leads_path),
        rows=tables.rows,
        leads=len(tables.leads),
        activities=None if tables.activities is None else tables.activities.activities,
        extract=None if tables.extract_us is None else format_time(tables.extract_us),
        rejects=[
            Rejected(rows, r.file, r.column, r.full_reason, r.line)
            for r, rows in group_rejects(tables.rejects)
        ],
        left_out=left_out,
        parts=parts,
        signals=signals,
        sheet=None if sheet is None else _describe_sheet(sheet),
        notes=[str(note) for note in (*notes, *_note_constant(signals), *late)],
        problems=problems,
    )


def _describe_sheet(sheet: Sheet) -> str:
    usual = sheet.bands.usual
    return (
        f"{sheet.path.name}: {len(sheet.rules)} criteria over {len(sheet.terms)} signals; MQL from "
        f"{usual.mql:g} points, SQL from {usual.sql:g}"
    )


def check_signals(dataset: Dataset, columns: list[str]) -> list[SignalCheck]:
    """Count how often each signal is known, and how many values it takes."""
    return [
        SignalCheck(column, float(values.notna().mean()), int(values.nunique()))
        for column, values in ((column, dataset.signals[column]) for column in columns)
    ]


def _note_constant(signals: list[SignalCheck]) -> list[Note]:
    constant = [signal.column for signal in signals if signal.distinct < 2]
    text = f"signals that never change: {', '.join(constant)}"
    return [Note("constant signals", text)] if constant else []


def _check_parts(project: Project, dataset: Dataset) -> list[PartCheck]:
    if dataset.order == "none":
        return [_count("all (no order in time)", dataset.label)]
    split = split_dataset(dataset, project.training.split)
    parts = [_count("earlier", split.earlier.label), _count("later", split.later.label)]
    if split.neither:
        wins = int(dataset.label.sum()) - parts[0].wins - parts[1].wins
        parts.append(PartCheck("neither", split.neither, wins, wins / split.neither))
    return parts


def _count(part: str, label: np.ndarray[Any, np.dtype[np.int8]]) -> PartCheck:
    return PartCheck(
        part, len(label), int(label.sum()), float(label.mean()) if len(label) else None
    )


@dataclass(frozen=True)
class ValuePoints:
    """The points of one value of a signal, against the average lead."""

    value: str
    points: float


@dataclass(frozen=True)
class SignalDescription:
    """One signal; `coverage` is the share of snapshots where it is known.

    `label` is its name in words, None where none is declared.
    `values` has the knots, levels or steps of its term in order, missing last. It is empty without
    a model, and for a signal that never changed and so has no term.
    """

    column: str
    family: str
    label: str | None
    definition: str
    coverage: float
    distinct: int
    values: list[ValuePoints]

    def to_json(self) -> dict[str, Any]:
        """Return the description as plain data."""
        return asdict(self)


def describe_signals(project: Project, scorecard: Scorecard | None) -> list[SignalDescription]:
    """Describe every signal of a project, in the catalogue's order.

    The terms of the scorecard, if there is one, give the points of the values.
    """
    if scorecard is not None and scorecard.kind != "predictive":  # a sheet has signals of its own
        project = replace(project, catalog=Catalog.model_validate(scorecard.definitions))
    dataset = build_dataset(project, ingest(project))
    terms = {} if scorecard is None else {term.signal: term for term in scorecard.terms}
    scale = 1.0 if scorecard is None else scorecard.points.per_log_odds
    checks = {check.column: check for check in check_signals(dataset, project.catalog.columns)}
    return [
        SignalDescription(
            signal.column,
            signal.declaration.family,
            signal.declaration.display_name.find("en"),
            describe_signal(signal),
            checks[signal.column].coverage,
            checks[signal.column].distinct,
            _list_points(terms[signal.column], scale) if signal.column in terms else [],
        )
        for signal in project.catalog.signals
    ]


def _list_points(term: Term, scale: float) -> list[ValuePoints]:
    def points(log_odds: float) -> float:
        return scale * (log_odds - term.mean)

    shape = term.shape
    if isinstance(shape, Curve):
        rows = [
            ValuePoints(f"{knot:g}", points(value))
            for knot, value in zip(shape.knots, shape.values, strict=True)
        ]
    elif isinstance(shape, Steps):
        edges = ["below", *(f"from {edge:g}" for edge in shape.edges)]
        rows = [ValuePoints(e, points(v)) for e, v in zip(edges, shape.values, strict=True)]
    else:
        ranked = sorted(shape.levels.items(), key=lambda level: -level[1])
        rows = [ValuePoints(level, points(value)) for level, value in ranked]
        rows.append(ValuePoints("(any other)", points(shape.other)))
    return [*rows, ValuePoints("(missing)", points(shape.missing))]
