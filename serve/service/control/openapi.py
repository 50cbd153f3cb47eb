"""The OpenAPI document: FastAPI's part for the control routes, and ours for the scoring routes."""

from collections.abc import Mapping
from typing import Any

from leadscore.models.shapes import Curve, Table
from leadscore.pipeline.signals.catalog import Signal
from leadscore.pipeline.signals.kinds import MailCompanySignal
from leadscore.serve.service.control.schemas import Schema, make_schemas, ref
from leadscore.serve.service.scorecards.served import ServedModel

_MODEL = {
    "name": "model", "in": "query", "required": False, "schema": {"type": "string"},
    "description": "champion (by default), challenger or a version's number; another kind of "
                   "scorecard as rules or rules:3.",
}  # fmt: skip
_LANGUAGE = {
    "name": "Accept-Language", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "English or Spanish; of labels and the sentence.",
}  # fmt: skip
_PREFER = (
    "With `Prefer: handling=strict` (RFC 7240) a field, kind or property that no signal reads is "
    "an error instead of a warning."
)
_PROBLEMS = {
    "400": "No JSON.",
    "401": "No key, or none that is known.",
    "403": "The key's scopes lack this.",
    "404": "No such model or version.",
    "405": "Another method.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "No JSON by its Content-Type, or an unknown encoding.",
    "422": "It does not fit; errors have the places.",
    "429": "Too many failed attempts.",
    "500": "A fault of the service.",
    "503": "Nothing is served yet, or there is too much to do; see Retry-After.",
}


def complete_document(control: Schema, model: ServedModel | None, keys: bool) -> Schema:
    """Return FastAPI's document of the control routes with the scoring routes added.

    `control` is what ``FastAPI.openapi()`` returns; it is not changed. `keys` is whether keys are
    needed.
    """
    example = None if model is None else make_example(model)
    paths: dict[str, Schema] = {
        "/v1/score": _post(
            "score", "Score one lead", "LeadRequest", "Answer", example,
            "Probability, band and the largest reasons. " + _PREFER, [_MODEL, _LANGUAGE],
        ),
        "/v1/score/batch": _post(
            "scoreBatch", "Score up to 1,000 leads", "BatchRequest", "BatchAnswer",
            None if example is None else {"leads": [example]},
            "By one version. A lead that does not fit has a problem of its own in its place. "
            + _PREFER, [_MODEL, _LANGUAGE],
        ),
        "/v1/explain": _post(
            "explain", "Explain one lead's score", "LeadRequest", "ExplainedAnswer", example,
            "From the average lead to this one, signal by signal, and one sentence. " + _PREFER,
            [_MODEL, _LANGUAGE],
        ),
        "/invocations": _post(
            "invocations", "Score ready signals, as MLflow does", "InvocationsRequest",
            "Predictions", None, "What `mlflow models serve` answers for the same version. "
            "`text/csv` is taken too: a header of signals, then rows; an empty cell is missing.",
            [_MODEL],
        ),
    }  # fmt: skip
    components = dict(control.get("components", {}))
    theirs = components.get("schemas", {}).items()
    kept = {name: schema for name, schema in theirs if "ValidationError" not in name}
    components["schemas"] = {**kept, **make_schemas(model)}
    paths |= {path: _add_problems(item) for path, item in control["paths"].items()}
    _link_versions(paths["/v1/model"]["get"])
    document = {**control, "paths": paths, "components": components}
    if keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, item in paths.items():
            if path.startswith(("/v1/", "/invocations", "/metrics")):
                for operation in item.values():
                    operation["security"] = [{"key": []}]
    return document


def _link_versions(operation: Schema) -> None:
    """Link the version that one route returns to the routes that take it."""
    operation["responses"]["200"]["links"] = {
        name: {"operationId": name, "parameters": {"model": "$response.body#/version"}}
        for name in ("score", "scoreBatch", "explain", "invocations")
    }


def _problem(text: str) -> Schema:
    return {
        "description": text,
        "content": {"application/problem+json": {"schema": ref("ProblemDocument")}},
    }


def _post(
    name: str, summary: str, takes: str, gives: str, example: Any, text: str,
    parameters: list[Schema],
) -> Schema:  # fmt: skip
    content: Schema = {"schema": ref(takes)}
    if example is not None:
        content["example"] = example
    return {
        "post": {
            "operationId": name,
            "tags": ["scores"],
            "summary": summary,
            "description": text,
            "parameters": [dict(parameter) for parameter in parameters],
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {
                "200": {
                    "description": "Scored.",
                    "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": ref(gives)}},
                },
                **{status: _problem(text) for status, text in _PROBLEMS.items()},
            },
        }
    }


def _add_problems(item: Mapping[str, Schema]) -> Schema:
    documented = {}
    for method, operation in item.items():
        responses = {k: v for k, v in operation["responses"].items() if k != "422"}
        for status in ("401", "403", "404", "405", "429", "500", "503"):
            responses.setdefault(status, _problem(_PROBLEMS[status]))
        documented[method] = {**operation, "tags": ["the service itself"], "responses": responses}
    return documented


def to_openapi_30(document: Schema) -> Schema:
    """Return an OpenAPI 3.1 document as one of 3.0, for tools that read no other.

    What 3.0 lacks is written in its own way: ``type: [x, null]`` becomes ``nullable``, several
    types become ``anyOf``, ``const`` becomes an ``enum`` of one, the first of ``examples`` becomes
    ``example``, and an exclusive bound becomes a bound and a flag.

    References
    ----------
    OpenAPI Specification 3.0.3, Schema Object; and its guide to migrating from 3.0 to 3.1, read
    backwards.
    """
    converted: Schema = _convert(document)
    converted["openapi"] = "3.0.3"
    converted.pop("jsonSchemaDialect", None)
    converted.get("info", {}).pop("summary", None)
    return converted


def _convert(node: Any, is_map: bool = False) -> Any:
    """Convert every schema of a document; a map of names to schemas is none itself."""
    if isinstance(node, list):
        return [_convert(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_map:
        return {key: _convert(value) for key, value in node.items()}
    return _convert_schema(
        {k: v if k in _VALUES else _convert(v, k in _MAPS) for k, v in node.items()}
    )


_VALUES = ("example", "examples", "enum", "const", "default")
_MAPS = ("properties", "schemas", "responses", "paths", "headers", "content", "patternProperties")


def _convert_schema(schema: Schema) -> Schema:
    converted = dict(schema)
    if "const" in converted:
        converted["enum"] = [converted.pop("const")]
    if isinstance(converted.get("examples"), list):
        converted["example"] = converted.pop("examples")[0]
    for bound, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(converted.get(flag), int | float) and not isinstance(converted[flag], bool):
            converted[bound], converted[flag] = converted[flag], True
    kinds = converted.get("type")
    if isinstance(kinds, list):
        nullable = {"nullable": True} if "null" in kinds else {}
        plain = [kind for kind in kinds if kind != "null"]
        if len(plain) == 1:
            converted |= {"type": plain[0], **nullable}
        else:
            del converted["type"]
            converted["anyOf"] = [{"type": kind, **nullable} for kind in plain]
    options = converted.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        options = [option for option in options if option != {"type": "null"}]
        converted |= {"anyOf": options, "nullable": True}
        if len(options) == 1 and "$ref" not in options[0]:
            del converted["anyOf"]
            converted |= options[0]
            if "enum" in converted:
                converted["enum"] = [*converted["enum"], None]
    if None in converted.get("enum", ()) and "type" not in converted:
        converted["nullable"] = True
    return converted


_MOST_ACTIVITIES = 3
_TEXTS = {
    "mail_kind": "ana@acme-tools.example",
    "title_seniority": "Head of Marketing",
    "title_function": "Head of Marketing",
    "message_language": "We would like to see a demo next week.",
    "message_length": "We would like to see a demo next week.",
    "pattern_mismatch": "+34 600 000 000",
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
