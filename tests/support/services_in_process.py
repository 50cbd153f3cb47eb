"""A scoring service inside the test's own process: its application over a cache without MLflow."""

import asyncio
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.scorecard import Scorecard
from leadscore.serve.service.processes.worker import Service, make_service
from leadscore.serve.service.scorecards.cache import Index, ModelEntry, ScorecardCache, VersionEntry
from leadscore.serve.service.settings import Settings

PROBLEM = "application/problem+json"
JSON = {"Content-Type": "application/json"}


class Recorder:
    """A logger that keeps its events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.events.append({"event": event, **facts})

    warning = error = info


class ServiceInside:
    """The application of a worker, asked without a socket."""

    def __init__(self, made: Service, logger: Recorder, runner: asyncio.Runner) -> None:
        self.made = made
        self.logger = logger
        self._runner = runner
        transport = httpx.ASGITransport(made.app, client=("203.0.113.9", 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://inside")

    def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """Ask for anything; an exception of the application is one here."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._runner.run(self._client.request(method, path, content=content, headers=named))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Post JSON; bytes are sent as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, content, **{**JSON, **headers})

    def score(self, body: Any, **headers: str) -> dict[str, Any]:
        """Return the answer for a lead that must have one."""
        answer = self.post("/v1/score", body, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, body: Any, **headers: str) -> dict[str, str]:
        """Return what is wrong with a lead that must not have a score, by pointer."""
        answer = self.post("/v1/score", body, **headers)
        assert answer.status_code == 422, answer.text
        return {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        if self.made.log is not None:
            self.made.log.close(5.0)


@contextmanager
def service_inside(
    store_folder: Path, project: str = "demo", **settings: Any
) -> Iterator[ServiceInside]:
    """Serve what stands in the cache of a store_folder."""
    logger = Recorder()
    with asyncio.Runner() as runner:
        made = make_service(Settings(str(store_folder), project, **settings), logger)  # type: ignore[arg-type]
        service = ServiceInside(made, logger, runner)
        try:
            yield service
        finally:
            service.close()


def fill_cache(
    store_folder: Path,
    versions: Mapping[int, Scorecard],
    project: str = "demo",
    sheets: Mapping[str, Scorecard] = MappingProxyType({}),
    **aliases: int,
) -> None:
    """Put versions of a project's predictive model where workers look for them.

    `sheets` are champions of other kinds, by kind, each version 1.
    """
    cache = ScorecardCache(Settings(str(store_folder), project).folder)
    entries = {}
    for number, scorecard in versions.items():
        cache.write_scorecard(scorecard.sha256, scorecard.to_json())
        entries[str(number)] = VersionEntry(scorecard.sha256)
    named = {alias: str(number) for alias, number in aliases.items()}
    models = {f"{project}.predictive": ModelEntry(entries, named)}
    for kind, scorecard in sheets.items():
        cache.write_scorecard(scorecard.sha256, scorecard.to_json())
        models[f"{project}.{kind}"] = ModelEntry(
            {"1": VersionEntry(scorecard.sha256)}, {"champion": "1"}
        )
    cache.write_index(Index(project, models))


def vary(scorecard: Scorecard, **changes: Any) -> Scorecard:
    """Return another scorecard that is as whole as the one it was made from."""
    return add_golden_leads(scorecard.model_copy(update=changes)).sealed()


def check_problem(answer: httpx.Response, status: int | None = None) -> dict[str, Any]:
    """Return the problem of an answer that is one, as RFC 9457 has it."""
    assert answer.headers["content-type"].split(";")[0] == PROBLEM, answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert status is None or answer.status_code == status, answer.text
    assert {"type", "title", "detail", "request_id"} <= told.keys()
    assert answer.headers["x-request-id"] == told["request_id"]
    return dict(told)


def check_score(answer: Mapping[str, Any]) -> None:
    """Hold an answer against what every answer promises."""
    assert 0.0 <= answer["probability"] <= 1.0
    assert answer["score"] == 100.0 * answer["probability"]
    assert answer["band"] in ("cold", "MQL", "SQL")
    assert math.isfinite(answer["log_odds"])
    assert math.isfinite(answer["points"])


def find(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer points to; the last step may lead to a key that is not there."""
    assert pointer == "" or pointer.startswith("/"), pointer
    steps = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
    for place, step in enumerate(steps):
        if isinstance(document, list):
            document = document[int(step)]
        else:
            assert isinstance(document, dict), pointer
            assert step in document or place == len(steps) - 1, pointer
            document = document.get(step)
    return document
