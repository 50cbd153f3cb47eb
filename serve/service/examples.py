"""A made-up lead that a scorecard can read: the example of the documentation."""

from typing import Any

from models.shapes import Curve, Table
from pipeline.signals.catalog import Signal
from pipeline.signals.declarations import MailCompanySignal
from serve.service.served import ServedModel

_MOST_ACTIVITIES = 3
_TEXTS = {
    "mail_kind": "ana@acme-tools.example",
    "title_seniority": "Head of Marketing",
    "title_function": "Head of Marketing",
    "message_language": "We would like to see a demo next week.",
    "message_length": "We would like to see a demo next week.",
    "off_form": "+34 600 000 000",
}
_NAMES = {"first": "Ana", "last": "Ruiz", "name": "Ana Ruiz"}


def make_example(model: ServedModel) -> dict[str, Any]:
    """Return a body for ``POST /v1/score``, every word of it read by some signal."""
    catalog = model.catalog
    profile = {name: _pick(model, name, spec.type) for name, spec in catalog.fields.items()}
    kinds = sorted(catalog.activity_kinds)[:_MOST_ACTIVITIES]
    body: dict[str, Any] = {"lead_id": "L-1", "profile": profile}
    if catalog.reads_activities:
        body["activities"] = [
            {"kind": kind, "occurred_at": f"2026-01-{20 + place:02}T09:30:00Z"}
            for place, kind in enumerate(kinds)
        ]
    if model.age_columns:
        body["created_at"] = "2026-01-15T08:00:00Z"
    body["as_of"] = "2026-01-31T00:00:00Z"
    return body


def _pick(model: ServedModel, name: str, kind: str) -> str | float | bool:
    readers = [signal for signal in model.catalog.signals if name in signal.inputs]
    if kind == "flag":
        return True
    shapes = [t.shape for t in model.scorecard.terms if t.signal in {s.column for s in readers}]
    if kind == "number":
        knots = [shape.knots for shape in shapes if isinstance(shape, Curve)]
        return round(knots[0][len(knots[0]) // 2], 2) if knots else 10.0
    return _pick_text(model, name, readers)


def _pick_text(model: ServedModel, name: str, readers: list[Signal]) -> str:
    for signal in readers:
        if signal.declaration.kind == "category":
            found = [t.shape for t in model.scorecard.terms if t.signal == signal.column]
            if found and isinstance(found[0], Table) and found[0].levels:
                return max(found[0].levels.items(), key=lambda level: level[1])[0]
    for signal in readers:
        declared = signal.declaration
        if isinstance(declared, MailCompanySignal) and name == declared.company:
            return "Acme Tools"
        if declared.kind in _TEXTS:
            return _TEXTS[declared.kind]
    return next((text for part, text in _NAMES.items() if part in name), "Acme Tools")
