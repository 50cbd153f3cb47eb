"""One worker process: answers requests on a socket that it was given, until it is stopped."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import msgspec
import uvicorn

from leadscore.pipeline.errors import LeadscoreError
from leadscore.pipeline.score_log.log import ScoreLog
from leadscore.serve.service.auth.access import AccessControl
from leadscore.serve.service.auth.keys import LiveKeys
from leadscore.serve.service.http.app import App, ASGIApp
from leadscore.serve.service.http.protocol import GuardedProtocol, sweep
from leadscore.serve.service.logs import Logger, LogHandler, make_logger
from leadscore.serve.service.metrics import Metrics
from leadscore.serve.service.scorecards.cache import ScorecardCache
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scoring.mlflow_protocol import Invocations
from leadscore.serve.service.scoring.recorder import ScoreRecorder
from leadscore.serve.service.scoring.routes import ScoringRoutes
from leadscore.serve.service.settings import SHUTDOWN_S, Settings

LOOK_S = 0.02
_FLUSH_S = 1.5
_GARBAGE = 20_000
"""Objects made before the garbage collector runs; a request makes hundreds, and no cycles."""
_DRAIN_S = 0.05
_KEEP_ALIVE_S = 75
"""Seconds that an idle connection is kept. Usual proxies keep one for a minute: if it ended here
first, they might send a request on a connection that is just being closed."""
_MOST_FILES = 65_536


class Service(NamedTuple):
    """The parts of a worker."""

    app: Any
    models: LoadedModels
    log: ScoreLog | None


def now_us() -> int:
    """Return the time in UTC microseconds: the service's only clock."""
    return time.time_ns() // 1_000


def make_service(settings: Settings, logger: Logger) -> Service:
    """Put the parts of a worker together; the scorecards are read from the cache at once.

    Raises LeadscoreError if the keys or the score log cannot be used.
    """
    cache = ScorecardCache(settings.folder)
    metrics = Metrics()

    def report(event: str, **facts: Any) -> None:
        if event == "champion":
            metrics.swaps.inc()
            logger.info(event, **facts)
        else:
            metrics.not_served.inc()
            logger.error(event, **facts)

    models = LoadedModels(cache, f"{settings.project}.predictive", report)
    keys = None
    if settings.keys is not None:
        keys = LiveKeys(Path(settings.keys), lambda problem: logger.error("keys", problem=problem))
        if not settings.keys_from_when_made:
            keys.load()
    log = None
    if settings.log_scores is not None:
        log = ScoreLog(Path(settings.log_scores))
        log.start()
    models.refresh()
    recorder = ScoreRecorder(
        models, metrics, logger, log, now_us, settings.shadow, settings.log_requests
    )
    routes = (
        ScoringRoutes(models, recorder, now_us).by_path()
        | Invocations(models, recorder, now_us).by_path()
    )

    def make() -> ASGIApp:
        from leadscore.serve.service.control.app import make_control

        return make_control(
            models,
            cache,
            metrics,
            recorder,
            lambda: now_us() // 1_000,
            lambda: access.needs_keys(now_us()),
        )  # type: ignore[return-value]

    access = AccessControl(
        keys, settings.keys_from_when_made,
        lambda reason: metrics.key_failures.labels(reason).inc(), now_us,
    )  # fmt: skip
    app: Any = App(routes, _make_in_thread(make), access, metrics, logger, settings.access_log)
    if settings.origins:
        from starlette.middleware.cors import CORSMiddleware

        app = CORSMiddleware(
            app, settings.origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Prefer", "X-Request-ID"],
            expose_headers=["X-Request-ID"],
        )  # fmt: skip
    return Service(app, models, log)


def _make_in_thread(make: Callable[[], ASGIApp]) -> Callable[[], Awaitable[ASGIApp]]:
    """Return a function that awaits the control routes: a thread makes them when first needed.

    Importing FastAPI takes longer than all else at the start, and no score needs it.
    """
    made: dict[int, asyncio.Future[ASGIApp]] = {}

    async def control() -> ASGIApp:
        if 0 not in made:
            made[0] = asyncio.ensure_future(asyncio.to_thread(make))
        return await asyncio.shield(made[0])

    return control


class GracefulServer(uvicorn.Server):
    """uvicorn's server, but it cuts off nobody when it stops, and the score log is written.

    uvicorn itself raises the signal once more when it is done, which would end the process before
    the score log is written.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop soon."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections that are waiting already, then stop."""
        await asyncio.sleep(_DRAIN_S)
        waiting = [connection for sock in sockets or [] for connection in _accept_all(sock)]
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(
                lambda: GuardedProtocol(self.config, self.server_state, {}), connection
            )
        await super().shutdown(sockets)


def _accept_all(listening: socket.socket) -> list[socket.socket]:
    """Accept the connections that still wait; closing the socket would cut them off."""
    found = []
    listening.setblocking(False)
    with contextlib.suppress(OSError):
        while True:
            found.append(listening.accept()[0])
    return found


async def serve(settings: Settings, listening: socket.socket, logger: Logger, parent: int) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish the requests that have begun."""
    service = make_service(settings, logger)
    config = uvicorn.Config(
        service.app, http=GuardedProtocol, ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False, proxy_headers=False, loop="none",
        timeout_graceful_shutdown=SHUTDOWN_S - 1, timeout_keep_alive=_KEEP_ALIVE_S,
    )  # fmt: skip
    server = GracefulServer(config)
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not look at it again
    gc.set_threshold(_GARBAGE, 20, 50)
    tasks = [
        asyncio.create_task(service.models.follow(LOOK_S)),
        asyncio.create_task(sweep(server.server_state.connections)),
        asyncio.create_task(_leave_with_parent(server, parent)),
    ]
    if isinstance(service.app, App):
        tasks.append(asyncio.create_task(_warm(service.app)))
    try:
        await server.serve(sockets=[listening])
    finally:
        for task in tasks:
            task.cancel()
        if service.log is not None:
            await asyncio.to_thread(service.log.close, _FLUSH_S)
            if service.log.lost:
                logger.error("score_log_lost", entries=service.log.lost)


async def _warm(app: App) -> None:
    """Make the control routes once the first requests have had their chance."""
    await asyncio.sleep(0.2)
    await app.make_control()


async def _leave_with_parent(server: uvicorn.Server, parent: int) -> None:
    """Stop when the supervisor is gone, so that no worker is left behind with the socket."""
    while os.getppid() == parent:
        await asyncio.sleep(1.0)
    server.should_exit = True


def _allow_open_files() -> None:
    """Allow as many open files as there may be: by default it is fewer than connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """Run as a process of its own: settings as JSON, and the number of the listening socket."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", required=True)
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    asked = parser.parse_args()
    _allow_open_files()
    logger = make_logger("worker")
    logging.basicConfig(handlers=[LogHandler(logger)], level=logging.WARNING)
    settings = msgspec.json.decode(asked.settings, type=Settings)
    listening = socket.socket(fileno=asked.socket)
    try:
        import uvloop

        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(serve(settings, listening, logger, asked.parent))
    except LeadscoreError as error:
        logger.error("cannot_start", problem=str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
