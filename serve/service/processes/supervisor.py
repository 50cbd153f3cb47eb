"""The process that holds the socket: it starts workers and the follower, and starts them again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from leadscore.pipeline.errors import ConfigError
from leadscore.serve.service.logs import Logger
from leadscore.serve.service.settings import SHUTDOWN_S, Settings

_BACKLOG = 2_048
_LOOK_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_WORKER = "leadscore.serve.service.processes.worker"
_FOLLOWER = "leadscore.serve.service.processes.follower"


@dataclass
class _Child:
    """A process that has to be there; `pause_s` is waited before it is started once more."""

    start: Callable[[], "subprocess.Popen[bytes]"]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause_s: float = 0.5
    due: float = 0.0

    def keep(self, now: float) -> int | None:
        """Start it if it is not there; return the exit code of one that has just ended."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return None
            steady = now - self.started > _STEADY_S
            self.pause_s = 0.5 if steady else min(2.0 * self.pause_s, _LONGEST_PAUSE_S)
            self.process, self.due = None, now + self.pause_s
            return code
        if now >= self.due:
            self.process, self.started = self.start(), now
        return None


@dataclass
class Supervisor:
    """The service as a whole.

    `listening` is a bound socket, see ``bind``; the registry is asked every `poll_s` seconds.
    """

    settings: Settings
    listening: socket.socket
    workers: int
    poll_s: float
    logger: Logger
    _children: list[_Child] = field(default_factory=list)
    _stopping: bool = False

    def run(self, each_look: Callable[[], None]) -> int:
        """Keep everything running until SIGTERM or SIGINT; return the exit code.

        `each_look` is called ten times a second.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        metrics = self._make_metrics_folder()
        self._children = [_Child(lambda: self._start_worker(metrics)) for _ in range(self.workers)]
        self._children.append(_Child(self._start_follower))
        code = 0
        try:
            while not self._stopping:
                code = self._look()
                each_look()
                if not self._stopping:
                    time.sleep(_LOOK_S)
        finally:
            self._end()
            shutil.rmtree(metrics, ignore_errors=True)
        return code

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _look(self) -> int:
        """Start what is missing; return the code of a worker that cannot start at all, else 0."""
        now = time.monotonic()
        for child in self._children:
            code = child.keep(now)
            if code is None or self._stopping:
                continue
            is_worker = child is not self._children[-1]
            if is_worker and 2 <= code <= 6:  # its own word for a mistake that stays one
                self._stopping = True
                return code
            self.logger.error(
                "process_ended", kind="worker" if is_worker else "follower", code=code,
                again_in_s=child.pause_s,
            )  # fmt: skip
        return 0

    def _start_worker(self, metrics: Path) -> "subprocess.Popen[bytes]":
        number = self.listening.fileno()
        return subprocess.Popen(
            [sys.executable, "-P", "-m", _WORKER, "--socket", str(number),
             "--parent", str(os.getpid()),
             "--settings", msgspec.json.encode(self.settings).decode()],
            pass_fds=[number], start_new_session=True,
            env={**os.environ, _METRICS_FOLDER: str(metrics)},
        )  # fmt: skip

    def _start_follower(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-P", "-m", _FOLLOWER, "--store", self.settings.store_folder,
             "--project", self.settings.project, "--poll", str(self.poll_s),
             "--parent", str(os.getpid())],
            start_new_session=True,
        )  # fmt: skip

    def _make_metrics_folder(self) -> Path:
        for left in self.settings.folder.glob("metrics-*"):
            owner = Path("/proc", left.name.removeprefix("metrics-"))
            if not owner.exists() and owner.parent.is_dir():  # one that was killed left it
                shutil.rmtree(left, ignore_errors=True)
        metrics = self.settings.folder / f"metrics-{os.getpid()}"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        return metrics

    def _end(self) -> None:
        """Take no more connections, let workers finish what is begun, and see everybody out."""
        self.listening.close()
        running = [c.process for c in self._children if c.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + SHUTDOWN_S + 1.5
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises ConfigError if the address is none, or is taken.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        return listening
    except OSError as error:
        raise ConfigError(
            f"{host}:{port}: {error.strerror or error}; see --host and --port"
        ) from error
