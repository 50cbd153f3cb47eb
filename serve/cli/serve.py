"""``leadscore serve``, and ``leadscore replay`` of the scores that it logged."""

import http.client
import json
import time
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from leadscore.pipeline.errors import ConfigError
from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from leadscore.serve.service.replay import ReplayReport
    from leadscore.serve.service.settings import Settings


@with_options("where", "store", extra="serve")
def serve(
    context: CommandContext,
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, Option(min=0, max=65535, help="Port to listen on. 0 takes a free port.")
    ] = 8000,
    workers: Annotated[int, Option(min=1, max=64, help="Number of worker processes.")] = 1,
    keys: Annotated[
        Path | None,
        Option(help="File of the API keys. Default: keys.json in the folder of the store."),
    ] = None,
    insecure: Annotated[bool, Option("--insecure", help="Do not require an API key.")] = False,
    log_scores: Annotated[
        Path | None, Option(help="Log every score in this SQLite file, for replay.")
    ] = None,
    log_requests: Annotated[
        bool, Option("--log-requests", help="Also log the requests, with personal fields.")
    ] = False,
    shadow: Annotated[
        bool,
        Option("--shadow", help="Let the challenger score every lead too; answers do not show it."),
    ] = False,
    cors_origin: Annotated[
        list[str] | None,
        Option(
            metavar="ORIGIN",
            help="Allow requests from pages of this origin. Repeat the option for several.",
        ),
    ] = None,
    access_log: Annotated[
        bool, Option("--access-log", help="Log every request, not only failures.")
    ] = False,
    poll: Annotated[
        float, Option(min=0.1, max=3600.0, help="Seconds between two checks of the registry.")
    ] = 1.0,
) -> CommandResult:
    """Serve scores over HTTP.

    The service answers with the champion of the registry and follows a promotion within seconds.
    """
    from leadscore.pipeline.config.folder import name_project
    from leadscore.serve.service.logs import make_logger
    from leadscore.serve.service.processes.supervisor import Supervisor, bind
    from leadscore.serve.service.settings import Settings

    if log_requests and log_scores is None:
        raise ConfigError("--log-requests needs --log-scores, which names the file")
    if log_scores is not None and not log_scores.resolve().parent.is_dir():
        raise ConfigError(f"--log-scores: {log_scores.resolve().parent}: no such folder")
    keys_path, later = _find_keys(keys, context.store, host, insecure)
    settings = Settings(
        str(context.store.resolve()), name_project(context.folder),
        None if keys_path is None else str(keys_path.resolve()), later,
        None if log_scores is None else str(log_scores.resolve()),
        log_requests, shadow, access_log, tuple(cors_origin or ()),
    )  # fmt: skip
    listening = bind(host, port)
    address = f"{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    message = StartupMessage(address, settings)
    supervisor = Supervisor(settings, listening, workers, poll, make_logger("supervisor"))
    return CommandResult(exit_code=supervisor.run(message.print_when_known))


def _find_keys(
    keys: Path | None, store: Path, host: str, insecure: bool
) -> tuple[Path | None, bool]:
    """Return the file of keys to require, None for none, and whether it may be created later."""
    if insecure:
        if keys is not None:
            raise ConfigError("--insecure and --keys contradict each other; give one of them")
        return None, False
    path = store / "keys.json" if keys is None else keys
    if keys is not None or path.is_file():
        return path, False
    if not _is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from other machines, and there are no API keys in "
            f"{path}; create one with leadscore keys create --name NAME --keys {path}, or give "
            "--insecure"
        )
    return path, True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_WAIT_S = 60.0
_NOT_ASKED = "registry_not_asked"
_ASK_EVERY_S = 0.3
_SURE_S = 3.0
"""Seconds without a model until the message says so: a worker may be a moment behind."""


class StartupMessage:
    """Print once what is served and where; `address` is host and port of the service."""

    def __init__(self, address: str, settings: "Settings") -> None:
        self._address = address
        self._settings = settings
        self._began = time.monotonic()
        self._next_ask = 0.0
        self._without_model_since: float | None = None
        self._printed = False

    def print_when_known(self) -> None:
        """Ask the service what it serves, and print the message if that is certain."""
        now = time.monotonic()
        if self._printed or now < self._next_ask:
            return
        self._next_ask = now + _ASK_EVERY_S
        found = _ask(self._address)
        if found is None:
            return
        if self._without_model_since is None and _NOT_ASKED not in found["degraded"]:
            self._without_model_since = now
        since = self._without_model_since
        is_sure = (since is not None and now - since >= _SURE_S) or now - self._began > _WAIT_S
        if found["model"] is not None or is_sure:
            self._printed = True
            self._print(found)

    def _print(self, found: dict[str, Any]) -> None:
        model, settings = found["model"], self._settings
        url = f"http://{self._address}"
        if model is None:
            print_line(f"{url} answers, but there is no version of {settings.project} to serve "
                "yet. Make a champion with leadscore promote VERSION.")  # fmt: skip
        else:
            print_line(f"{model['name']} version {model['version']} ({model['fingerprint']}) is "
                f"served at {url}; documentation at {url}/docs")  # fmt: skip
        trouble = [code for code in found["degraded"] if code != _NOT_ASKED]
        if trouble:
            print_line(f"Problems: {', '.join(trouble)}; see the log and GET /v1/model.")
        if settings.keys is None:
            print_line("No API key is required.")
        elif settings.keys_from_when_made:
            print_line(f"No API key is required until there is one in {settings.keys}.")
        else:
            print_line(f"An API key from {settings.keys} is required.")


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


@with_options("as_json")
def replay(
    context: CommandContext,
    log: Annotated[Path, Option(help="The SQLite file that serve --log-scores wrote.")],
    request_id: Annotated[
        str | None, Option(help="Check only the answers to this request.")
    ] = None,
    lead: Annotated[str | None, Option(help="Check only the answers for this lead.")] = None,
    since: Annotated[
        str | None,
        Option(help="Check only answers from this moment on, for example 2026-01-31T00:00:00Z."),
    ] = None,
) -> CommandResult:
    """Check logged scores by recomputing them.

    Every answer is recomputed from its logged signals and compared to the last bit. The command
    exits with 4 if an answer differs or cannot be recomputed, and with 5 if there is no answer to
    recompute.
    """
    from leadscore.pipeline.errors import ConfigError, RefusalError
    from leadscore.pipeline.values.times import read_moment
    from leadscore.serve.service.replay import Wanted
    from leadscore.serve.service.replay import replay as replay_log

    try:
        since_us = None if since is None else read_moment(since)
    except ValueError as error:
        raise ConfigError(f"--since: {error}") from error
    report = replay_log(log, Wanted(request_id, lead, since_us), context.progress)
    return CommandResult(
        partial(show_replay, report),
        report.to_json(),
        0 if report.all_equal else RefusalError.exit_code,
    )


def show_replay(report: "ReplayReport") -> None:
    """Print the report for people."""
    print_line(f"{report.recomputed:,} answers recomputed; {report.differing:,} differ, "
        f"{report.failed:,} could not be recomputed.")  # fmt: skip
    print_table(
        (("model", ""), ("version", "d"), ("fingerprint", ""), ("recomputed", ",")),
        [(m, v, sha256[:12], n) for (m, v, sha256), n in report.versions],
    )
    print_table(
        (("request", ""), ("item", "d"), ("field", ""), ("logged", ">"), ("recomputed", ">")),
        [
            (d.request_id, d.item, d.field, str(d.logged), str(d.recomputed))
            for d in report.differences
        ],
    )
    print_table(
        (("reason for no recomputation", ""), ("answers", ","), ("first request", "")),
        [(f.reason, f.answers, f.first_request_id) for f in report.failures],
    )
