"""Describe a project's signals: definitions, coverage, and the points of their values."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from leadscore.models.scorecard import Scorecard, Term
from leadscore.models.shapes import Curve, Steps
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.descriptions import describe_signal
from leadscore.pipeline.workflows.check import check_signals


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

    Parameters
    ----------
    project : Project
    scorecard : Scorecard or None
        Its terms give the points of the values.

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
