"""What the values of each signal are worth, as the report shows it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.models.scorecard import Term
from leadscore.models.shapes import Steps, Table
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.evaluation.groups import (
    MIN_GROUP_LEADS,
    MISSING,
    count_leads,
    leads_by_level,
)
from leadscore.pipeline.signals.catalog import FIELD_TYPE, Signal
from leadscore.pipeline.signals.descriptions import describe_signal
from leadscore.pipeline.signals.kinds import FAMILIES
from leadscore.pipeline.training.train import Training

OTHER = "(any other)"
_FLAG = (("no", 0.0), ("yes", 1.0))
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contribution:
    """What one value is worth, in points against the average lead, and how many leads have it.

    `x` is the value if the signal is a number. `leads` is None if there are fewer than
    ``MIN_GROUP_LEADS``, and for the points of a curve, which have no leads of their own.
    """

    value: str
    points: float
    x: float | None = None
    leads: int | None = None


@dataclass(frozen=True)
class SignalFigure:
    """One signal of the scorecard.

    `known` and `snapshots` count the snapshots of the training; `swing` is how many points the
    signal moves a score on average, up or down. `curve` holds the points of a line, `bars` single
    values; one of the two is empty. `hidden` levels have fewer than ``MIN_GROUP_LEADS`` leads.
    """

    column: str
    name: str
    family: str
    description: str
    known: int
    snapshots: int
    swing: float
    curve: tuple[Contribution, ...]
    bars: tuple[Contribution, ...]
    missing: Contribution
    hidden: int


def figure_signals(project: Project, training: Training) -> tuple[SignalFigure, ...]:
    """Return the signals that have a term, by family; those first that move scores most."""
    scorecard, earlier = training.scorecard, training.earlier
    declared = {signal.column: signal for signal in project.catalog.signals}
    moved = training.earlier_contributions
    scale = scorecard.points.per_log_odds
    figures = [
        _figure(declared[term.signal], term, scale, earlier,
                scale * float(np.abs(moved[:, place] - term.mean).mean()))
        for place, term in enumerate(scorecard.terms)
    ]  # fmt: skip
    return tuple(sorted(figures, key=lambda f: (FAMILIES.index(f.family), -f.swing, f.column)))


def _figure(
    signal: Signal, term: Term, scale: float, dataset: Dataset, swing: float
) -> SignalFigure:
    values = dataset.signals[term.signal]
    missing = Contribution(
        MISSING,
        scale * (term.shape.missing - term.mean),
        leads=_show_leads(count_leads(dataset, values.isna().to_numpy())),
    )
    curve: tuple[Contribution, ...] = ()
    bars: tuple[Contribution, ...] = ()
    hidden = 0
    if isinstance(term.shape, Table):
        bars, hidden = _levels(term, term.shape, scale, dataset)
    elif FIELD_TYPE.get(signal.declaration.kind) == "flag":
        bars = _flag(term, scale, dataset)
    else:
        curve = _curve(term, scale, values, dataset.lead)
    return SignalFigure(
        column=term.signal,
        name=signal.name.replace("_", " "),
        family=term.family,
        description=describe_signal(signal),
        known=int(values.notna().sum()),
        snapshots=len(values),
        swing=swing,
        curve=curve,
        bars=bars,
        missing=missing,
        hidden=hidden,
    )


def _show_leads(leads: int) -> int | None:
    return leads if leads >= MIN_GROUP_LEADS else None


def _levels(
    term: Term, shape: Table, scale: float, dataset: Dataset
) -> tuple[tuple[Contribution, ...], int]:
    """Return the levels that enough leads have, by their worth, and how many are hidden."""
    values = dataset.signals[term.signal]
    leads = leads_by_level(values, dataset.lead)
    shown = [level for level in shape.levels if leads.get(level, 0) >= MIN_GROUP_LEADS]
    shown.sort(key=lambda level: (-shape.levels[level], level))
    rows = [
        Contribution(level, scale * (shape.levels[level] - term.mean), leads=leads[level])
        for level in shown
    ]
    rare = ~values.isin(list(shape.levels)).to_numpy() & values.notna().to_numpy()
    other = _show_leads(count_leads(dataset, rare))
    rows.append(Contribution(OTHER, scale * (shape.other - term.mean), leads=other))
    return tuple(rows), len(shape.levels) - len(shown)


def _flag(term: Term, scale: float, dataset: Dataset) -> tuple[Contribution, ...]:
    read = term.shape.reader()
    values = dataset.signals[term.signal].to_numpy(dtype=np.float64, na_value=np.nan)
    return tuple(
        Contribution(
            word,
            scale * (read(value) - term.mean),
            leads=_show_leads(count_leads(dataset, values == value)),
        )
        for word, value in _FLAG
    )


def _curve(
    term: Term, scale: float, values: "pd.Series[float]", lead: npt.NDArray[np.intp]
) -> tuple[Contribution, ...]:
    """Return the corners of the line; ``MIN_GROUP_LEADS`` leads are at or beyond each end.

    So neither end is the value of a single lead, and a far outlier does not squeeze the rest.
    """
    ends = _ends(np.asarray(values, dtype=np.float64), lead)
    if ends is None:
        return ()
    low, high = ends
    shape, read = term.shape, term.shape.reader()
    if isinstance(shape, Table):
        return ()
    corners = shape.edges if isinstance(shape, Steps) else shape.knots
    inside = sorted({low, high, *(corner for corner in corners if low < corner < high)})
    return tuple(Contribution(f"{x:.4g}", scale * (read(x) - term.mean), x=x) for x in inside)


def _ends(values: Floats, lead: npt.NDArray[np.intp]) -> tuple[float, float] | None:
    known = ~np.isnan(values)
    by_lead = pd.Series(values[known]).groupby(lead[known])
    lowest, highest = np.sort(by_lead.min().to_numpy()), np.sort(by_lead.max().to_numpy())
    if len(lowest) < 2 * MIN_GROUP_LEADS:
        return None
    return float(lowest[MIN_GROUP_LEADS - 1]), float(highest[-MIN_GROUP_LEADS])
