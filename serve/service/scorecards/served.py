"""A scorecard made ready to serve: checked, with its readers and its description."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec
from pydantic import ValidationError

from leadscore.models.bands import SheetBands
from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.score_lead import AxesReader, Scorer, average_log_odds
from leadscore.models.scorecard import Scorecard, read_scorecard
from leadscore.models.shapes import Table
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.kinds import Language
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import days_to_us, format_time
from leadscore.serve.service.requests.reader import RequestReader

LARGEST_SCORECARD = 16_000_000
"""Bytes; a scorecard of 500 signals with 100 levels each has a tenth of them."""
LANGUAGES: tuple[Language, ...] = get_args(Language)
DIGITS, SHEET_DIGITS = 1, 6
"""Of points, after the decimal point: to be read, and of a sheet to be what is written there."""


@dataclass(frozen=True)
class VersionNote:
    """What the registry knows of a version besides its scorecard.

    `trained_ms` is when it was registered, in milliseconds since 1970; `metrics` are those of its
    run.
    """

    name: str
    version: int
    trained_ms: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    basis: str = ""


class ModelVersion(msgspec.Struct, frozen=True):
    """Which version answers."""

    name: str
    version: int
    fingerprint: str


class Average(msgspec.Struct, frozen=True):
    """The average lead, or what every lead has on a sheet; adding the reasons gives this lead."""

    log_odds: float
    points: float


class ServedModel:
    """One version, ready to answer. It never changes: another version is another object.

    `document` is its JSON. Raises ScorecardError if its signals cannot be read here, or it reads
    signals that its catalogue lacks.
    """

    def __init__(self, scorecard: Scorecard, document: str, note: VersionNote) -> None:
        self.scorecard = scorecard
        self.document = document
        self.note = note
        try:
            self.catalog = Catalog.model_validate(scorecard.definitions)
            self.reader = LiveReader(self.catalog)
        except ValidationError as error:
            raise ScorecardError(
                f"its definitions cannot be read: {error.error_count()} faults"
            ) from error
        except ValueError as error:
            raise ScorecardError(str(error)) from error
        known = set(self.catalog.columns)
        strange = set(scorecard.columns)
        if strange - known:
            raise ScorecardError(
                f"it reads {', '.join(sorted(strange - known)[:5])}, which its definitions lack"
            )
        self.request_reader = RequestReader(self.catalog)
        self.scorer = Scorer(scorecard)
        self.read_axes = AxesReader(scorecard).read
        self.digits = DIGITS if scorecard.points.log_odds_per_point is None else SHEET_DIGITS
        average = average_log_odds(scorecard)
        self.average = Average(average, self.to_points(average))
        self.quantiles, self.horizon_days = scorecard.quantiles, scorecard.horizon_days
        self.labels: dict[str, dict[str, str]] = {
            language: {s.column: s.named(language) for s in self.catalog.signals}
            for language in LANGUAGES
        }
        self.kinds = {s.column: s.declaration.kind for s in self.catalog.signals}
        self.version = ModelVersion(note.name, note.version, scorecard.fingerprint)
        self.activity_columns = frozenset(s.column for s, _ in self.catalog.activity_signals())
        self.inputs = {s.column: s.inputs for s in self.catalog.signals if s.inputs}
        self.forms = [
            (s.column, frozenset(s.inputs))
            for s in self.catalog.signals
            if s.declaration.kind == "completeness"
        ]
        """Signals that count what was left blank, and the fields that must be sent for that."""
        self.levels = [
            (term.signal, self.inputs[term.signal][0], frozenset((*term.shape.levels, None)))
            for term in scorecard.terms
            if isinstance(term.shape, Table) and self.kinds.get(term.signal) == "category"
            and scorecard.kind == "predictive"
        ]  # fmt: skip
        """Categories: column, field, and the levels that the model has met, missing among them; a
        sheet names those it has points for, and has met none."""
        self.age_columns = frozenset(
            s.column for s in self.catalog.signals if s.declaration.kind == "lead_age"
        )
        oldest_days = scorecard.training.get("oldest_days")
        self.oldest_us = None if oldest_days is None else days_to_us(oldest_days + 1.0)
        self.leaks: list[str] = scorecard.training.get("allowed_leaks") or []

    def to_points(self, log_odds: float) -> float:
        """Return log-odds in points, rounded as they are shown."""
        return self.round_points(self.scorecard.points.total(log_odds))

    def round_points(self, points: float) -> float:
        """Round points as they are shown."""
        return round(points, self.digits)


def build_served_model(text: str, note: VersionNote) -> ServedModel:
    """Make a scorecard's JSON ready to serve, having checked it as far as it can be.

    Raises ScorecardError if hash, schema version, weights, golden leads, definitions or size are
    not as they must be.
    """
    try:
        if len(text) > LARGEST_SCORECARD:
            raise ScorecardError(f"{len(text):,} bytes, at most {LARGEST_SCORECARD:,} are served")
        scorecard = read_scorecard(text)
        check_golden_leads(scorecard)
        return ServedModel(scorecard, text, note)
    except ScorecardError:
        raise
    except Exception as error:  # whatever a text does to the program that reads it refuses it
        raise ScorecardError(f"it cannot be read: {type(error).__name__}") from error


def _describe_bands(scorecard: Scorecard) -> dict[str, Any]:
    """Return where bands begin, and for a sheet the same in its points."""
    bands, document = scorecard.bands, scorecard.bands.model_dump(mode="json")
    if not isinstance(bands, SheetBands):
        return document
    del document["at"], document["at_overrides"]
    to_points = scorecard.points.total
    others = [(document["overrides"][level], at) for level, at in bands.at_overrides.items()]
    for entry, cutoffs in [(document, bands.at), *others]:
        entry["points"] = {"mql": to_points(cutoffs.mql), "sql": to_points(cutoffs.sql)}
    return document


def describe_model(model: ServedModel, aliases: list[str]) -> dict[str, Any]:
    """Return the description of a version for ``GET /v1/model``."""
    scorecard, note = model.scorecard, model.note
    return {
        **msgspec.structs.asdict(model.version),
        "aliases": aliases,
        "project": scorecard.project,
        "kind": scorecard.kind,
        "trained_at": None if note.trained_ms is None else format_time(1_000 * note.trained_ms),
        "trained_on": {
            key: scorecard.training.get(key)
            for key in ("data", "configuration", "libraries", "order", "cut", "earlier", "later")
        },
        "horizon_days": scorecard.horizon_days,
        "metrics": dict(note.metrics),
        "judged_on": note.basis,
        "bands": _describe_bands(scorecard),
        "axes": scorecard.axes.model_dump(),
        "points_per_log_odds": scorecard.points.per_log_odds,
        "allowed_leaks": model.leaks,
        "signals": [
            {
                "signal": signal.column,
                "family": signal.declaration.family,
                "kind": signal.declaration.kind,
                "label": signal.named("en"),
                "label_es": signal.named("es"),
            }
            for signal in model.catalog.signals
        ],
    }
