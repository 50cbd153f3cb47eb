"""One lead over HTTP: requests a second against FastAPI that validates and answers a constant.

Servers are held to one core and the load to the other, where the machine has two; CPU seconds per
request of the server are told beside, since they need no quiet machine.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import joblib
import msgspec
import pytest
from peers import make_lead
from support.services import read_rss_mb

from leadscore.models.scorecard import read_scorecard
from leadscore.serve.service.scorecards.cache import Index, ModelEntry, ScorecardCache, VersionEntry
from leadscore.serve.service.settings import Settings

# ruff: noqa: T201
pytestmark = pytest.mark.bench
HERE = Path(__file__).parent
CONNECTIONS, SECONDS, ROUNDS = 16, 1.0, 9
CORES = sorted(os.sched_getaffinity(0))
CLOCK = os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(words: list[str], listening: socket.socket) -> Iterator[subprocess.Popen]:
    number = listening.fileno()
    process = subprocess.Popen(
        [sys.executable, *(word.replace("SOCKET", str(number)) for word in words)],
        pass_fds=[number], stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, CORES[:1]),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def listen() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    return listening


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def press(port: int, pid: int, body: bytes, seconds: float, path: str, connections: int) -> dict:
    before = cpu_seconds(pid)
    done = subprocess.run(
        [sys.executable, HERE / "load.py", str(port), str(connections), str(seconds), path],
        input=body, capture_output=True, check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, CORES[-1:]),
    )  # fmt: skip
    found = json.loads(done.stdout)
    found["cpu_us"] = 1e6 * (cpu_seconds(pid) - before) / found["requests"]
    found["rate"] = found["requests"] / found["seconds"]
    return found


def wait_until_answered(port: int, body: bytes, path: str) -> float:
    """Return how long it takes until the first answer."""
    import http.client

    began = time.perf_counter()
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            if connection.getresponse().status == 200:
                return time.perf_counter() - began
        except OSError:
            pass
        finally:
            connection.close()
        assert time.perf_counter() - began < 120
        time.sleep(0.005)


@pytest.fixture(scope="module")
def cache(registered, tmp_path_factory) -> Settings:
    settings = Settings(str(tmp_path_factory.mktemp("bench")), "demo")
    card = registered.training.scorecard
    cache = ScorecardCache(settings.folder)
    cache.write_scorecard(card.sha256, card.to_json())
    versions = {"1": VersionEntry(card.sha256)}
    cache.write_index(Index("demo", {"demo.predictive": ModelEntry(versions, {"champion": "1"})}))
    return settings


def commands(cache, registered, folder) -> dict[str, list[str]]:
    joblib.dump(registered.training.pipeline, folder / "pipeline.joblib")
    row = registered.training.later.signals.iloc[0].to_dict()
    row = {k: None if v != v else v for k, v in row.items()}
    (folder / "signals.json").write_text(json.dumps(row))
    return {
        "floor": [str(HERE / "peers.py"), "floor", "SOCKET"],
        "service": ["-m", "leadscore.serve.service.processes.worker", "--socket", "SOCKET",
                    "--parent", str(os.getpid()),
                    "--settings", msgspec.json.encode(cache).decode()],
        "sklearn": [str(HERE / "peers.py"), "sklearn", "SOCKET", str(folder)],
    }  # fmt: skip


def test_one_lead_over_http(cache, registered, tmp_path):
    """Requests a second with 16 connections, as ratios to the floor of the same round."""
    words = commands(cache, registered, tmp_path)
    for activities in (0, 20, 200):
        body = json.dumps(make_lead(activities)).encode()
        found: dict[str, list[dict]] = {name: [] for name in words}
        with ExitStack() as stack:
            running = {}
            for name, command in words.items():
                listening = stack.enter_context(listen())
                process = stack.enter_context(serving(command, listening))
                running[name] = (listening.getsockname()[1], process.pid)
                wait_until_answered(running[name][0], body, "/v1/score")
                press(*running[name], body, 0.5, "/v1/score", CONNECTIONS)
            for _ in range(ROUNDS):
                for name, (port, pid) in running.items():
                    one = press(port, pid, body, SECONDS, "/v1/score", CONNECTIONS)
                    found[name].append({**one, "rss": read_rss_mb(pid)})
        for name in words:
            wall = [a["rate"] / b["rate"] for a, b in zip(found[name], found["floor"], strict=True)]
            cpu = [
                b["cpu_us"] / a["cpu_us"] for a, b in zip(found[name], found["floor"], strict=True)
            ]
            print(f"\n{activities:>3} activities, {name:8} {_range(wall)} x the floor's rate, "
                  f"{_range(cpu)} by CPU; p99 over p50 "
                  f"{_range([o['p99_ms'] / o['p50_ms'] for o in found[name]])}; "
                  f"{max(o['rss'] for o in found[name]):.0f} MB", end="")  # fmt: skip


def test_against_mlflow_models_serve(cache, registered, tmp_path):
    """The service with 20 activities against MLflow's server, which takes ready signals."""
    words = commands(cache, registered, tmp_path)
    body = json.dumps(make_lead(20)).encode()
    row = json.loads((tmp_path / "signals.json").read_text())
    ready = json.dumps({"dataframe_records": [row]}).encode()
    with listen() as taken:
        port = taken.getsockname()[1]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{registered.store_folder}/mlflow.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    server = subprocess.Popen(
        ["mlflow", "models", "serve", "-m", f"models:/demo.predictive/{registered.version.version}",
         "--env-manager", "local", "--port", str(port)],
        env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, CORES[:1]),
    )  # fmt: skip
    try:
        wait_until_answered(port, ready, "/invocations")
        ratios = []
        with listen() as listening, serving(words["service"], listening) as process:
            ours = listening.getsockname()[1], process.pid, body
            wait_until_answered(ours[0], body, "/v1/score")
            for _ in range(ROUNDS):
                rate = press(*ours, SECONDS, "/v1/score", CONNECTIONS)["rate"]
                other = press(port, server.pid, ready, SECONDS, "/invocations", CONNECTIONS)
                ratios.append(rate / other["rate"])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
    print(f"\n{_range(ratios)} x the rate of mlflow models serve", end="")


def test_from_start_to_first_answer(cache, registered, tmp_path):
    """Time from starting the process to the first answer, as a ratio to the floor's."""
    words = commands(cache, registered, tmp_path)
    body = json.dumps(make_lead(20)).encode()
    took: dict[str, list[float]] = {name: [] for name in words}
    for _ in range(5):
        for name, command in words.items():
            with listen() as listening, serving(command, listening):
                took[name].append(
                    wait_until_answered(listening.getsockname()[1], body, "/v1/score")
                )
    for name in words:
        ratios = [a / b for a, b in zip(took[name], took["floor"], strict=True)]
        print(f"\nfirst answer, {name:8} {_range(ratios)} x the floor's time", end="")


def test_ready_signals_in_process(cache):
    """From ready signals to all contributions, in plain Python, against adding up as many."""
    index = ScorecardCache(cache.folder).read_index()
    entry = index.models["demo.predictive"].versions["1"]
    card = read_scorecard((cache.folder / "scorecards" / f"{entry.sha256}.json").read_text())
    from leadscore.models.score_lead import Scorer

    scorer, signals = Scorer(card), dict(card.golden[1].signals)
    table = {name: float(i) for i, name in enumerate(signals)}

    def floor() -> float:
        total = 0.0
        for name in signals:
            total += table[name]
        return total

    ratio = _best(lambda: scorer.score(signals)) / _best(floor)
    print(f"\n{len(card.terms)} terms: {ratio:.1f} x a loop of as many lookups", end="")


def _best(work, times: int = 2000) -> float:
    best = float("inf")
    for _ in range(15):
        began = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, time.perf_counter() - began)
    return best


def _range(figures: list[float]) -> str:
    ordered = sorted(figures)
    return f"{ordered[len(ordered) // 2]:.3g} ({ordered[0]:.3g} to {ordered[-1]:.3g})"
