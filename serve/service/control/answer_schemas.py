"""The answers' part of the OpenAPI document."""

from typing import Any

from leadscore.serve.service.problems import Fault

Schema = dict[str, Any]
BANDS = ["cold", "MQL", "SQL"]


def make_answer_schemas() -> dict[str, Schema]:
    """Return the components that answers are described by."""
    return {
        "Model": to_object(name="string", version="integer", fingerprint="string"),
        "Reason": _make_reason(),
        "Warning": {
            "type": "object", "required": ["code", "detail"],
            "properties": {"code": {"type": "string"}, "detail": {"type": "string"},
                           "pointer": {"type": "string"}},
        },
        "Problem": _make_problem(),
        "Answer": _make_answer({}),
        "Explanation": _make_answer(
            {
                "points_to_double": {"type": "number",
                                     "description": "So many points double the odds."},
                "language": {"type": "string", "enum": ["en", "es"]},
                "sentence": {"type": "string",
                             "description": "For those who call, in the language of "
                                            "Accept-Language: English or Spanish."},
            }
        ),
        "BatchAnswer": _make_batch_answer(),
        "Predictions": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "items": to_object(
                probability="number", score="number", band="string", log_odds="number")}},
        },
    }  # fmt: skip


def ref(name: str) -> Schema:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def to_object(**properties: str) -> Schema:
    """Return an object whose properties are all there, each of a plain type."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": {name: {"type": kind} for name, kind in properties.items()},
    }


def _make_reason() -> Schema:
    return {
        "type": "object",
        "required": ["signal", "family", "label", "value", "log_odds", "points"],
        "properties": {
            "signal": {"type": "string", "description": "family__name; others for the rest of a "
                                                        "score; cap:group for a cap that bit."},
            "family": {"type": ["string", "null"]},
            "label": {"type": "string"},
            "value": {"type": ["string", "number", "null"]},
            "log_odds": {"type": "number", "description": "Against the average lead."},
            "points": {"type": "number", "description": "The same on the scale people add up."},
        },
    }  # fmt: skip


def _make_problem() -> Schema:
    fault = {
        "type": "object",
        "required": list(Fault._fields),
        "properties": {
            "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the body."},
            "detail": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457. The input is never quoted.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": fault},
            "request_id": {"type": "string"},
        },
    }


def _make_answer(more: dict[str, Schema]) -> Schema:
    average = to_object(log_odds="number", points="number")
    average["description"] = (
        "The average lead, or what every lead has on a sheet; average + the sum of reasons is this "
        "lead."
    )
    properties: dict[str, Schema] = {
        "request_id": {"type": "string"},
        "lead_id": {"type": "string"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1,
                        "description": "To be won within horizon_days after as_of."},
        "score": {"type": "number", "minimum": 0, "maximum": 100,
                  "description": "The probability in per cent."},
        "percentile": {"type": ["number", "null"], "minimum": 0, "maximum": 100,
                       "description": "So many in a hundred leads score lower."},
        "band": {"type": "string", "enum": BANDS},
        "fit": {"type": ["string", "null"], "enum": ["A", "B", "C", "D", None],
                "description": "Who they are, A best."},
        "engagement": {"type": ["string", "null"], "enum": ["1", "2", "3", "4", None],
                       "description": "What they do, 1 best."},
        "log_odds": {"type": "number"},
        "points": {"type": "number"},
        "average": average,
        "reasons": {"type": "array", "items": ref("Reason")},
        "model": ref("Model"),
        "as_of": {"type": "string", "format": "date-time"},
        "horizon_days": {"type": ["number", "null"]},
        "warnings": {"type": "array", "items": ref("Warning")},
        **more,
    }  # fmt: skip
    return {"type": "object", "required": list(properties), "properties": properties}


def _make_batch_answer() -> Schema:
    one = _make_answer({})
    del one["properties"]["request_id"]
    one["required"].remove("request_id")
    result = {
        "type": "object",
        "required": ["index", "status"],
        "properties": {
            "index": {"type": "integer"},
            "status": {"type": "integer", "description": "200, or that of the problem."},
            "answer": one,
            "problem": ref("Problem"),
        },
    }
    return {
        "type": "object",
        "required": ["request_id", "model", "scored", "failed", "results"],
        "properties": {
            "request_id": {"type": "string"},
            "model": ref("Model"),
            "scored": {"type": "integer"},
            "failed": {"type": "integer"},
            "results": {"type": "array", "items": result},
        },
    }
