"""A scoring service as its users have it: a process of its own, on a free port of 127.0.0.1."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from leadscore.serve.service.auth.keys import create_key

JSON = {"Content-Type": "application/json"}


@dataclass
class Running:
    """A running service."""

    process: "subprocess.Popen[bytes]"
    port: int
    store_folder: Path
    log_path: Path
    client: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, Any]]:
        """Return what it has logged so far."""
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Post JSON; bytes are sent as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=content, headers={**JSON, **named})

    def wait_for(self, what: Any, within_s: float = 20.0) -> Any:
        """Return what `what` returns as soon as that is true."""
        deadline = time.monotonic() + within_s
        while True:
            found = what()
            if found:
                return found
            assert time.monotonic() < deadline, self.log_path.read_text()[-3000:]
            time.sleep(0.02)

    def version(self) -> int:
        """Return the version that answers."""
        return int(self.client.get("/v1/model").json()["version"])

    def children(self) -> list[int]:
        """Return the processes that the supervisor has started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def find_child(self, module: str) -> int:
        """Return the process that runs a module."""
        for pid in self.children():
            if module in Path(f"/proc/{pid}/cmdline").read_text():
                return pid
        raise AssertionError(f"{module} does not run")


def make_key(folder: Path, *scopes: str, days: float | None = None) -> tuple[Path, str]:
    """Return a file of keys, and a key that was put into it."""
    path = folder / "keys.json"
    now_us = time.time_ns() // 1_000
    return path, create_key(path, "a test", scopes or ("score",), now_us, days).key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_service(
    store_folder: Path,
    *options: str,
    config: str = "demo",
    ready: bool = True,
    environment: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Start ``leadscore serve``, wait until it is ready (or only answers), and stop it."""
    port = free_port()
    log_path = store_folder / f"service-{port}.log"
    command = [
        sys.executable, "-m", "leadscore.serve.cli.main", "serve", "-p", config,
        "--store", str(store_folder), "--port", str(port), *options,
    ]  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_URI")}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**kept, **(environment or {})}
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0, headers=headers)
    service = Running(process, port, store_folder, log_path, client)
    try:
        service.wait_for(lambda: _answers(service, ready), 60.0)
        yield service
    finally:
        client.close()
        stop(process)


def _answers(service: Running, ready: bool) -> bool:
    assert service.process.poll() is None, service.log_path.read_text()[-3000:]
    try:
        status = service.client.get("/readyz").status_code
    except httpx.TransportError:
        return False
    return status == 200 or not ready


def stop(process: "subprocess.Popen[bytes]") -> int:
    """Stop a process as an init system does, and return its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def read_rss_mb(pid: int, line: str = "VmRSS") -> float:
    """Return the resident memory of a process in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = next(text for text in status.splitlines() if text.startswith(line))
    return int(found.split()[1]) / 1024.0


@contextmanager
def growing_less_than(mb: float, pid: int) -> Iterator[None]:
    """Assert that the most memory a process holds meanwhile is little more than it held before."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    before = read_rss_mb(pid)
    yield
    assert read_rss_mb(pid, "VmHWM") - before < mb


def raw_request(port: int, *parts: bytes, pause_s: float = 0.0, wait_s: float = 20.0) -> bytes:
    """Send bytes as they are and return all that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(pause_s)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes, or nothing comes any more."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except (TimeoutError, ConnectionResetError):
        pass
    return found


def demo_lead(**changes: Any) -> dict[str, Any]:
    """Return a body that the demo's model reads every word of."""
    lead: dict[str, Any] = {
        "lead_id": "L-1",
        "created_at": "2026-01-10T08:00:00Z",
        "as_of": "2026-01-31T00:00:00Z",
        "profile": {
            "first_name": "Ana", "last_name": "Ruiz", "email": "ana.ruiz@acme.example",
            "company": "Acme", "title": "Head of Marketing", "country": "ES",
            "industry": "software", "employees": 250, "opt_in": True, "source": "webinar",
            "phone": None, "message": None,
        },
        "activities": [
            {"kind": "page_view", "occurred_at": "2026-01-20T10:00:00Z",
             "properties": {"page": "pricing"}},
            {"kind": "download", "occurred_at": "2026-01-22T10:00:00Z"},
        ],
    }  # fmt: skip
    return {**lead, **changes}


def names(rows: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """Return one key of every row."""
    return [row[key] for row in rows]
