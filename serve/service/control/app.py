"""The control routes, by FastAPI: the model, health, metrics, documentation."""

from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from leadscore.serve.service.control.openapi import complete_document, to_openapi_30
from leadscore.serve.service.metrics import CONTENT_TYPE, Metrics
from leadscore.serve.service.problems import MEDIA_TYPE, Problem
from leadscore.serve.service.scorecards.cache import ScorecardCache
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scorecards.served import ServedModel, describe_model
from leadscore.serve.service.scoring.recorder import ScoreRecorder

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>leadscore: API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body></html>
"""
_START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#ui", deepLinking: true,
  tryItOutEnabled: true, defaultModelsExpandDepth: 1, validatorUrl: null});
"""
_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_STALE_S = 30.0
"""A registry that has not answered for so long makes the service degraded."""
_ABOUT = (
    "Conversion probability, band and reasons for leads, in real time. Errors are RFC 9457 "
    "problems; every answer has an `X-Request-ID`, yours if you send one. If a key stands "
    "twice in one JSON object, the last one counts."
)


class ModelVersions(BaseModel):
    """A registered model: its versions, and where its aliases point."""

    versions: list[int]
    aliases: dict[str, str]


class ProblemInfo(BaseModel):
    """What makes the service degraded: a code for everybody, and words for those with a key."""

    code: str
    detail: str


class Status(NamedTuple):
    """`ready` is whether leads can be scored; `trouble` what is wrong meanwhile."""

    ready: bool
    trouble: list[ProblemInfo]
    staleness_s: float | None
    refused: int


class ModelInfo(BaseModel, extra="allow"):
    """What is served: the version asked for in full, and what else there is."""

    name: str
    version: int
    fingerprint: str
    aliases: list[str]
    horizon_days: float | None
    metrics: dict[str, float]
    bands: dict[str, Any]
    allowed_leaks: list[str]
    signals: list[dict[str, Any]]
    models: dict[str, ModelVersions]
    trouble: list[ProblemInfo]


class Readiness(BaseModel):
    """Whether leads can be scored, and what gives trouble meanwhile."""

    status: str
    degraded: list[str]
    model: dict[str, Any] | None
    model_staleness_seconds: float | None


def make_control(
    models: LoadedModels,
    cache: ScorecardCache,
    metrics: Metrics,
    recorder: ScoreRecorder,
    now_ms: Callable[[], int],
    keys: Callable[[], bool],
) -> FastAPI:
    """Return the application of the control routes.

    `now_ms` returns milliseconds since 1970; `keys` returns whether keys are needed, for the
    documentation.
    """
    app = FastAPI(
        title="leadscore", version=version("leadscore"), description=_ABOUT,
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    _add_errors(app)
    began_ms = now_ms()

    def status() -> Status:
        log = recorder.log
        return find_status(models, cache, None if log is None else log.error, began_ms, now_ms())

    @app.get("/v1/model", response_model=ModelInfo, operation_id="model")
    async def show_model(
        model: Annotated[str | None, Query(description="As for scoring; the champion.")] = None,
    ) -> JSONResponse:
        """Return what is served: trained when and on what, how good, which signals."""
        served = await models.pick(model)
        return JSONResponse(_describe_model(served, models, status()))

    @app.get("/livez", operation_id="live")
    async def live() -> dict[str, str]:
        """Return 200 as long as the process answers."""
        return {"status": "live"}

    @app.get("/readyz", response_model=Readiness, operation_id="ready",
             responses={503: {"model": Readiness}})  # fmt: skip
    async def ready() -> JSONResponse:
        """Return 200 while leads can be scored, however old the model is."""
        found = status()
        return JSONResponse(_show_status(found, models), 200 if found.ready else 503)

    @app.get("/metrics", response_class=PlainTextResponse, operation_id="metrics")
    async def show_metrics() -> Response:
        """Return what is counted, for Prometheus."""
        found = status()
        lost = 0 if recorder.log is None else recorder.log.lost
        text = metrics.render(found.staleness_s, bool(found.trouble), found.refused, lost)
        return Response(text, media_type=CONTENT_TYPE)

    @app.get("/ping", response_class=PlainTextResponse, operation_id="ping")
    @app.get("/health", response_class=PlainTextResponse, operation_id="health")
    async def ping() -> Response:
        """Return 200 while leads can be scored, at both paths that MLflow's clients use."""
        return PlainTextResponse("\n", 200 if models.current is not None else 503)

    @app.get("/version", response_class=PlainTextResponse, operation_id="version")
    async def show_version() -> Response:
        """Return the release of this service."""
        return PlainTextResponse(version("leadscore"))

    _add_documentation(app, models, keys)
    return app


def find_status(
    models: LoadedModels, cache: ScorecardCache, log_problem: str | None, began_ms: int, now_ms: int
) -> Status:
    """Find whether the service is ready, and what is wrong.

    `began_ms` is when this process began; both times are in milliseconds since 1970.
    """
    state = cache.read_state()
    found: list[tuple[str, str | None]] = []
    asked_ms = began_ms if state is None else max(state.asked_ms, began_ms)
    if now_ms - asked_ms > 1000.0 * _STALE_S:
        found.append(("follower_gone", "the registry was not asked for too long"))
    elif state is None or state.asked_ms < began_ms:
        found.append(("registry_not_asked", "the registry was not asked yet"))
    refused: dict[str, str] = {} if state is None else state.refused
    answered_ms = None if state is None else state.answered_ms
    found += [
        ("registry_unreachable", None if state is None else state.problem),
        *[("version_refused", f"{version}: {reason}") for version, reason in refused.items()],
        ("model_not_served", models.problem),
        ("score_log", log_problem),
    ]
    return Status(
        models.current is not None,
        [ProblemInfo(code=code, detail=detail) for code, detail in found if detail is not None],
        None if answered_ms is None else max(0.0, (now_ms - answered_ms) / 1000.0),
        len(refused),
    )


def _show_status(status: Status, models: LoadedModels) -> dict[str, Any]:
    """Return the answer of ``GET /readyz``: codes, no details, since it needs no key."""
    current = models.current
    return {
        "status": "not ready" if not status.ready else "degraded" if status.trouble else "ready",
        "degraded": list(dict.fromkeys(trouble.code for trouble in status.trouble)),
        "model": None if current is None else msgspec.structs.asdict(current.champion.version),
        "model_staleness_seconds": status.staleness_s,
    }


def _describe_model(served: ServedModel, models: LoadedModels, status: Status) -> dict[str, Any]:
    index = None if models.current is None else models.current.registered
    registered = {} if index is None else index.models
    mine = registered.get(served.note.name)
    aliases = {} if mine is None else mine.aliases
    return {
        **describe_model(
            served, sorted(a for a, n in aliases.items() if n == str(served.note.version))
        ),
        "models": {
            name: {"versions": sorted(map(int, model.versions)), "aliases": dict(model.aliases)}
            for name, model in registered.items()
        },
        "trouble": [trouble.model_dump() for trouble in status.trouble],
    }


def _add_errors(app: FastAPI) -> None:
    def answer(request: Request, problem: Problem) -> Response:
        body = problem.to_bytes(request.scope.get("request_id"))
        return Response(body, problem.status, problem.headers, MEDIA_TYPE.decode("ascii"))

    @app.exception_handler(Problem)
    async def answer_problem(request: Request, problem: Problem) -> Response:
        return answer(request, problem)

    @app.exception_handler(Exception)
    async def answer_error(_: Request, __: Exception) -> Response:  # who calls this logs it
        problem = Problem(500, "an error of this service; its log has it by the request_id")
        return Response(problem.to_bytes(), 500, media_type=MEDIA_TYPE.decode("ascii"))

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> Response:
        known = {404: "there is nothing at this path; /docs lists what there is"}
        detail = known.get(error.status_code, "this path does not take this method")
        return answer(request, Problem(error.status_code, detail, headers=error.headers))


def _add_documentation(app: FastAPI, models: LoadedModels, keys: Callable[[], bool]) -> None:
    control = app.openapi()
    made: dict[tuple[object, bool], dict[str, Any]] = {}

    def document() -> dict[str, Any]:
        champion = None if models.current is None else models.current.champion
        key = (champion, keys())
        if key not in made:
            made.clear()
            made[key] = complete_document(control, *key)
        return made[key]

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document())

    @app.get("/openapi-3.0.json", include_in_schema=False)
    async def openapi_30() -> JSONResponse:
        return JSONResponse(to_openapi_30(document()))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _CSP})

    @app.get("/docs/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    @app.get("/docs/{file}", include_in_schema=False)
    async def static(file: str) -> Response:
        spec = find_spec("fastapi_offline")
        if file not in _FILES or spec is None or spec.origin is None:
            raise HTTPException(404)
        path = Path(spec.origin).parent / "static" / file
        return FileResponse(path, media_type=_FILES[file])
