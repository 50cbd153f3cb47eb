"""Describe a project's signals: what each says, how often it is known, and what it is worth."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from models.scorecard import Scorecard, Term
from models.shapes import Curve, Steps
from pipeline.check import check_signals
from pipeline.dataset import build_dataset
from pipeline.ingest import ingest
from pipeline.settings import Project
from pipeline.signals.catalog import Catalog
from pipeline.signals.words import describe_signal


@dataclass(frozen=True)
class Worth:
    """What one value of a signal is worth, in points against the average lead."""

    value: str
    points: float


@dataclass(frozen=True)
class SignalDescription:
    """One signal; `coverage` is the share of snapshots where it is known.

    `label` is its name in words, None where none is declared.
    `worth` has the knots, levels or steps of its term in order, missing last; empty where no model
    is given, or the signal never changed and so has no term.
    """

    column: str
    family: str
    label: str | None
    definition: str
    coverage: float
    distinct: int
    worth: list[Worth]

    def to_json(self) -> dict[str, Any]:
        """Return the description as plain data."""
        return asdict(self)


def describe_signals(project: Project, scorecard: Scorecard | None) -> list[SignalDescription]:
    """Describe every signal of a project, in the catalogue's order.

    Parameters
    ----------
    project : Project
    scorecard : Scorecard or None
        Whose terms say what the values are worth.

    Raises
    ------
    DataError
        If the data cannot be read.
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
            signal.declaration.label.find("en"),
            describe_signal(signal),
            checks[signal.column].coverage,
            checks[signal.column].distinct,
            _worth(terms[signal.column], scale) if signal.column in terms else [],
        )
        for signal in project.catalog.signals
    ]


def _worth(term: Term, scale: float) -> list[Worth]:
    def points(log_odds: float) -> float:
        return scale * (log_odds - term.mean)

    shape = term.shape
    if isinstance(shape, Curve):
        rows = [
            Worth(f"{knot:g}", points(value))
            for knot, value in zip(shape.knots, shape.values, strict=True)
        ]
    elif isinstance(shape, Steps):
        edges = ["below", *(f"from {edge:g}" for edge in shape.edges)]
        rows = [Worth(e, points(v)) for e, v in zip(edges, shape.values, strict=True)]
    else:
        ranked = sorted(shape.levels.items(), key=lambda level: -level[1])
        rows = [Worth(level, points(value)) for level, value in ranked]
        rows.append(Worth("(any other)", points(shape.other)))
    return [*rows, Worth("(missing)", points(shape.missing))]
