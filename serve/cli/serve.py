"""The command that starts the scoring service: serve."""

import http.client
import json
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer

from leadscore.pipeline.errors import ConfigError
from leadscore.serve.cli.options import HOME, HomeOption, ProjectOption, TracebackOption
from leadscore.serve.cli.terminal import handle_errors, print_line
from leadscore.serve.service.settings import Settings

_SAY_WITHIN_S = 60.0
_NOT_ASKED = "registry_not_asked"
_ASK_EVERY_S = 0.3
_SURE_S = 3.0
"""So long nothing must be served for that to be said: a worker is a moment behind its follower."""


def serve(
    config: ProjectOption = "demo",
    home: HomeOption = HOME,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")
    ] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that answer.")
    ] = 1,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="The file of API keys; by default keys.json in --home."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Ask for no key, wherever it listens.")
    ] = False,
    log_scores: Annotated[
        Path | None,
        typer.Option("--log-scores", help="Keep every score in this SQLite store, for replay."),
    ] = None,
    log_requests: Annotated[
        bool,
        typer.Option("--log-requests", help="Keep the requests too, with personal fields."),
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Let the challenger score every lead too, unseen.")
    ] = False,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", help="Let pages of this origin ask; repeat it for each."),
    ] = None,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Log every request, not only those that fail.")
    ] = False,
    poll: Annotated[
        float,
        typer.Option("--poll", min=0.1, max=3600.0, help="Seconds between questions to MLflow."),
    ] = 1.0,
    traceback: TracebackOption = False,
) -> None:
    """Answer requests for scores over HTTP, always by the registry's champion."""
    with handle_errors(traceback):
        from leadscore.pipeline.config.folder import find_project, name_project
        from leadscore.serve.service.logs import make_logger
        from leadscore.serve.service.processes.supervisor import Supervisor, bind

        if log_requests and log_scores is None:
            raise ConfigError("--log-requests: needs --log-scores, which says where to")
        if log_scores is not None and not log_scores.resolve().parent.is_dir():
            raise ConfigError(f"--log-scores: {log_scores.resolve().parent}: no such folder")
        keys_path, later = _find_keys(keys, home, host, insecure)
        settings = Settings(
            str(home.resolve()), name_project(find_project(config)),
            None if keys_path is None else str(keys_path.resolve()), later,
            None if log_scores is None else str(log_scores.resolve()),
            log_requests, shadow, access_log, tuple(cors_origin or ()),
        )  # fmt: skip
        listening = bind(host, port)
        address = f"{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        told = _make_greeting(address, settings)
        code = Supervisor(settings, listening, workers, poll, make_logger("supervisor")).run(told)
    if code:
        raise typer.Exit(code)


def _find_keys(
    keys: Path | None, home: Path, host: str, insecure: bool
) -> tuple[Path | None, bool]:
    """Return the file of keys to ask for, None for none, and whether it may be made later."""
    if insecure:
        if keys is not None:
            raise ConfigError("--insecure and --keys contradict each other; give one of them")
        return None, False
    path = home / "keys.json" if keys is None else keys
    if keys is not None or path.is_file():
        return path, False
    if not _is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from elsewhere, and there are no API keys in {path}; "
            "make one with leadscore keys create --name NAME, or say --insecure"
        )
    return path, True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _make_greeting(address: str, settings: Settings) -> Callable[[], None]:
    """Return what says once, as soon as it is known, what is served and where."""
    began, said, due, idle_since = time.monotonic(), [False], [0.0], [float("inf")]

    def look() -> None:
        if said[0] or time.monotonic() < due[0]:
            return
        due[0] = time.monotonic() + _ASK_EVERY_S
        found = _ask(address)
        if found is None:
            return
        now = time.monotonic()
        if _NOT_ASKED not in found["degraded"]:
            idle_since[0] = min(idle_since[0], now)
        late = now - idle_since[0] >= _SURE_S or now - began > _SAY_WITHIN_S
        if found["model"] is not None or late:
            said[0] = True
            _greet(address, settings, found)

    return look


def _greet(address: str, settings: Settings, found: dict[str, Any]) -> None:
    model = found["model"]
    if model is None:
        print_line(f"http://{address} answers, but nothing of {settings.project} can be served "
            "yet; it will be once leadscore promote VERSION has made a champion.")  # fmt: skip
    else:
        print_line(f"{model['name']} version {model['version']} ({model['fingerprint']}) is served "
            f"at http://{address}; documentation at http://{address}/docs")  # fmt: skip
    trouble = [code for code in found["degraded"] if code != _NOT_ASKED]
    if trouble:
        print_line(f"in trouble: {', '.join(trouble)}; see the log and GET /v1/model")
    if settings.keys is None:
        print_line("no key is asked for")
    elif settings.keys_from_when_made:
        print_line(f"no key is asked for until there are some in {settings.keys}")
    else:
        print_line(f"keys are asked for, those in {settings.keys}")


def _ask(address: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection(address, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found if "degraded" in found else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
