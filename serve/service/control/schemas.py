"""The schemas of the OpenAPI document.

Requests are described by the signals of the served scorecard, answers by their types.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from leadscore.models.bands import Band
from leadscore.models.shapes import Curve, Steps, Table
from leadscore.pipeline.signals.catalog import describe_signal
from leadscore.pipeline.values.fields import LARGEST_NUMBER, LONGEST_TEXT, FieldSpec
from leadscore.serve.service.problems import ProblemDocument
from leadscore.serve.service.requests.decode import LONGEST_ID, MOST_ACTIVITIES
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.answer import Answer, BatchAnswer, ExplainedAnswer
from leadscore.serve.service.scoring.mlflow_protocol import MOST_ROWS, Predictions
from leadscore.serve.service.scoring.routes import MOST_LEADS

Schema = dict[str, Any]
_ANSWERS = (Answer, ExplainedAnswer, BatchAnswer, Predictions, ProblemDocument)
_REF = "#/components/schemas/{name}"
_MOST_LEVELS = 12
_NO_NUL = r"^[^\u0000]*$"
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_TEXT: Schema = {"type": ["string", "null"], "maxLength": LONGEST_TEXT, "pattern": _NO_NUL}
_NUMBER: Schema = {
    "type": ["number", "null"], "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER,
}  # fmt: skip
_FLAG: Schema = {"type": ["boolean", "null"]}
_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_READY_FLAG: Schema = {
    "anyOf": [
        {"type": "boolean"}, {"type": "integer", "minimum": 0, "maximum": 1}, {"type": "null"},
    ],
}  # fmt: skip
_ROW_FLAG: Schema = {**_NUMBER, "type": ["boolean", "number", "null"]}
_BY_CLASS: Mapping[type, Schema] = {str: _TEXT, float: _NUMBER, bool: _ROW_FLAG}
_BY_TYPE: Mapping[str, Schema] = {"text": _TEXT, "number": _NUMBER, "flag": _FLAG}


def make_schemas(model: ServedModel | None) -> dict[str, Schema]:
    """Return the components that describe requests and answers.

    Fields, kinds and signals are those of `model`; None while nothing is served.
    """
    return {
        "Profile": _make_profile(model),
        "Activity": _make_activity(model),
        "Signals": _make_signals(model),
        "LeadRequest": _LEAD_REQUEST,
        "BatchRequest": {
            "type": "object",
            "required": ["leads"],
            "additionalProperties": False,
            "properties": {
                "leads": {
                    "type": "array", "minItems": 1, "maxItems": MOST_LEADS,
                    "description": "One LeadRequest each; one that does not fit is answered with "
                                   "a problem of its own, the others are scored.",
                    "items": {"anyOf": [ref("LeadRequest"), {}]},
                },
            },
        },
        "InvocationsRequest": _make_invocations(model),
        **msgspec.json.schema_components(_ANSWERS, ref_template=_REF)[1],
    }  # fmt: skip


def ref(name: str) -> Schema:
    """Return the reference to a component."""
    return {"$ref": _REF.format(name=name)}


_LEAD_REQUEST: Schema = {
    "type": "object",
    "required": ["lead_id"],
    "additionalProperties": False,
    "properties": {
        "lead_id": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID,
                    "pattern": _NO_NUL},
        "profile": {"anyOf": [ref("Profile"), {"type": "null"}]},
        "activities": {
            "type": ["array", "null"], "maxItems": MOST_ACTIVITIES, "items": ref("Activity"),
            "description": "All that the lead is known to have done. Absent or null: not known, "
                           "and what is made from activities is then missing. [] is none.",
        },
        "signals": {"anyOf": [ref("Signals"), {"type": "null"}]},
        "created_at": {**_TIME, "description": "When the lead came; its age is made from it."},
        "as_of": {**_TIME, "description": "The moment whose knowledge is used; now, if absent. "
                                          "The profile is taken as it was then."},
        "previous_band": {"type": ["string", "null"], "enum": [*get_args(Band), None],
                          "description": "The band it was in: near a cutoff it then stays there, "
                                         "if the project's bands have a hysteresis."},
    },
}  # fmt: skip


def _make_profile(model: ServedModel | None) -> Schema:
    properties: dict[str, Schema] = {}
    if model is not None:
        for name, spec in model.catalog.fields.items():
            readers = [s for s in model.catalog.signals if name in s.inputs]
            lines = [f"{s.column}: {describe_signal(s)}." for s in readers]
            lines += [
                text
                for s in readers
                if s.stored == name
                for text in _describe_values(model, s.column)
            ]
            properties[name] = _with(_BY_TYPE[spec.type], lines, _blanks(spec))
    return {
        "type": "object",
        "description": "What is known of the lead as of as_of. null is not known, as an empty cell "
                       "of a file: a field of the form that was left blank. A field that no "
                       "signal reads is a warning (an error with Prefer: handling=strict).",
        "properties": properties,
        "additionalProperties": _SCALAR,
    }  # fmt: skip


def _blanks(spec: FieldSpec) -> list[str]:
    return [f"Counts as not known: {', '.join(spec.missing)}."] if spec.missing else []


def _with(schema: Schema, *lines: Iterable[str]) -> Schema:
    text = " ".join(line for part in lines for line in part)
    return {**schema, "description": text} if text else dict(schema)


def _describe_values(model: ServedModel, column: str) -> list[str]:
    """Return which values the term of a signal knows."""
    shape = next((t.shape for t in model.scorecard.terms if t.signal == column), None)
    if isinstance(shape, Table):
        levels = sorted(shape.levels, key=lambda level: (-abs(shape.levels[level]), level))
        more = f" and {len(levels) - _MOST_LEVELS} more" if len(levels) > _MOST_LEVELS else ""
        return [f"Levels known: {', '.join(levels[:_MOST_LEVELS])}{more}."]
    if isinstance(shape, Curve | Steps):
        marks = shape.knots if isinstance(shape, Curve) else shape.edges
        if len(marks) > 1:
            return [f"Learned from {marks[0]:g} to {marks[-1]:g}."]
    return []


def _make_activity(model: ServedModel | None) -> Schema:
    kinds = [] if model is None else sorted(model.catalog.activity_kinds)
    properties = {} if model is None else model.catalog.properties
    return {
        "type": "object",
        "required": ["kind", "occurred_at"],
        "additionalProperties": False,
        "properties": {
            "kind": {"type": "string", "maxLength": LONGEST_TEXT,
                     "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
                     "description": f"Signals read: {', '.join(kinds) or 'none'}."},
            "occurred_at": {"type": "string", "format": "date-time"},
            "recorded_at": {**_TIME, "description": "When it became known; when it occurred, if "
                                                    "absent. Not seen before that."},
            "activity_id": {**_TEXT, "description": "Of several with the same id one counts."},
            "properties": {
                "type": ["object", "null"],
                "properties": {name: dict(_BY_TYPE[s.type]) for name, s in properties.items()},
                "additionalProperties": _SCALAR,
            },
        },
    }  # fmt: skip


def _make_signals(model: ServedModel | None) -> Schema:
    columns = {} if model is None else {s.column: s for s in model.catalog.signals}
    types: Mapping[str, type] = {} if model is None else model.request_reader.signal_types
    by_type: dict[type, Schema] = {
        str: _TEXT, float: _NUMBER, bool: _READY_FLAG,
    }  # fmt: skip
    return {
        "type": "object",
        "description": "Values that you bring ready, under the signals' own names; they replace "
                       "what would be made from profile and activities. One that activities of the "
                       "same request feed is an error.",
        "properties": {
            name: _with(
                by_type[types[name]], [f"{describe_signal(s)}."],
                [] if model is None else _describe_values(model, name),
            )
            for name, s in columns.items()
        },
        "additionalProperties": False,
    }  # fmt: skip


def _make_invocations(model: ServedModel | None) -> Schema:
    """Describe one form of MLflow's JSON; that they exclude one another is beyond a schema."""
    types = {} if model is None else model.request_reader.signal_types
    row: Schema = {
        "type": "object",
        "properties": {name: dict(_BY_CLASS[kind]) for name, kind in types.items()},
    }
    return {
        "type": "object",
        "description": "MLflow's protocol: ready signals, a column that is absent is missing. "
                       "dataframe_split, instances and inputs are taken in place of "
                       "dataframe_records.",
        "required": ["dataframe_records"],
        "properties": {
            "dataframe_records": {"type": "array", "maxItems": MOST_ROWS, "items": row},
        },
    }  # fmt: skip
