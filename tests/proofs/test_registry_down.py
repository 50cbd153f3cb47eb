"""The registry fails in every way a server can, at run time and at the start."""

import os
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from support.load import LEAD, Load, p99_ms, report
from support.programs import running
from support.services import free_port, running_service
from support.versions import Registry, change, expect_probability

pytestmark = [pytest.mark.proof, pytest.mark.alone]
SLOW_S = 30.0


class Answering(socketserver.ThreadingTCPServer):
    """A server in the registry's place; what it does with a connection is given to it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, answer) -> None:
        self.asked, self.ended = 0, threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(handler) -> None:
                self.asked += 1
                handler.request.recv(65536)
                try:
                    answer(handler.request, self.ended)
                except OSError:
                    return

        super().__init__(("127.0.0.1", port), Handler)


def answer_500(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")


def answer_slowly(connection: socket.socket, ended: threading.Event) -> None:
    ended.wait(SLOW_S)
    answer_500(connection, ended)


def answer_garbage(connection: socket.socket, _: threading.Event) -> None:
    answer_json(connection, b'{"registered_model": {"name": ["\xff\x00' * 50)


def answer_other_json(connection: socket.socket, _: threading.Event) -> None:
    answer_json(connection, b'{"registered_model": [1, 2], "experiments": 7}')


def answer_no_http(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(os.urandom(4096))


def answer_json(connection: socket.socket, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
    connection.sendall(head + b"content-length: %d\r\n\r\n%s" % (len(body), body))


@contextmanager
def answering(port: int, answer) -> Iterator[Answering]:
    server = Answering(port, answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Connections are made by the system, and nobody ever takes them up."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        yield


@contextmanager
def nobody(_: int) -> Iterator[None]:
    yield


FAILURES = {  # each with the seconds it is watched for, in which the registry is asked
    "refused": (nobody, 3.0),
    "black hole": (black_hole, 6.0),
    "500": (lambda port: answering(port, answer_500), 3.0),
    "slow": (lambda port: answering(port, answer_slowly), 6.0),
    "garbage": (lambda port: answering(port, answer_garbage), 3.0),
    "no HTTP": (lambda port: answering(port, answer_no_http), 3.0),
    "other JSON": (lambda port: answering(port, answer_other_json), 3.0),
}


def address(port: int) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}


@contextmanager
def mlflow_server(registry: Registry, port: int, log) -> Iterator[Registry]:
    """MLflow's own server on the registry's store."""
    at = f"http://127.0.0.1:{port}"
    words = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{registry.store_folder / 'mlflow.db'}"]
    words += ["--artifacts-destination", str(registry.store_folder / "artifacts")]
    with running(words, log, f"{at}/health"):
        yield Registry(registry.store_folder, registry.scorecard, at)


def gauge(service, name: str) -> float:
    lines = service.client.get("/metrics").text.splitlines()
    (line,) = (x for x in lines if x.startswith(f"{name} "))
    return float(line.split()[1])


def readiness(service) -> tuple[int, list[str], float | None]:
    answer = service.client.get("/readyz")
    found = answer.json()
    return answer.status_code, found["degraded"], found["model_staleness_seconds"]


def test_the_registry_fails_at_run_time_and_comes_back(registry, tmp_path, capsys):
    port = free_port()
    second = change(registry.scorecard, 0.8, 0.2)
    number = registry.add(second)
    store_folder = tmp_path / "service"
    store_folder.mkdir()
    ratios = []
    with ExitStack() as stack:
        with mlflow_server(registry, port, tmp_path / "first"):
            service = stack.enter_context(running_service(store_folder, environment=address(port)))
            with Load(service.port, 4, pause_s=0.01) as load:
                time.sleep(4.0)
            before_ms = p99_ms(load.answers)
            assert service.version() == 1
            assert readiness(service)[:2] == (200, [])
        load = stack.enter_context(Load(service.port, 4, pause_s=0.01))
        for name, (failure, watched_s) in FAILURES.items():
            begin, logged = load.mark(), len(service.log())
            with failure(port):
                time.sleep(watched_s)
                status, degraded, stale_s = readiness(service)
                assert (status, degraded) == (200, ["registry_unreachable"]), name
                time.sleep(1.0)
                assert gauge(service, "leadscore_model_staleness_seconds") > stale_s + 0.9, name
                assert gauge(service, "leadscore_degraded") == 1.0
            lines = [line for line in service.log()[logged:] if line["process"] == "follower"]
            assert len(lines) <= 3, lines  # not one for every poll
            ratios.append(f"{name} {p99_ms(load.answers[begin:]) / before_ms:.2f}")
        with mlflow_server(registry, port, tmp_path / "second") as server:
            service.wait_for(lambda: readiness(service)[1] == [], 40.0)
            server.point(number)
            service.wait_for(lambda: service.version() == number)
            assert readiness(service)[2] < 5.0
        assert "registry_back" in [line["event"] for line in service.log()]
    assert not load.failed
    right = {1: expect_probability(registry.scorecard), number: expect_probability(second)}
    assert all(a.body["probability"] == right[a.model[0]] for a in load.answers)
    report(capsys, f"p99 as a ratio to {before_ms:.1f} ms with the registry: {', '.join(ratios)}")


def test_without_a_registry_at_the_start_the_last_good_copy_is_served(registry, capsys):
    with running_service(registry.store_folder):
        pass  # which leaves the copy
    port = free_port()
    with black_hole(port):
        began_s = time.monotonic()
        with running_service(registry.store_folder, environment=address(port)) as service:
            ready_s = time.monotonic() - began_s
            answer = service.post("/v1/score", LEAD).json()
            assert answer["probability"] == expect_probability(registry.scorecard)
            service.wait_for(lambda: readiness(service)[1] == ["registry_unreachable"])
            assert readiness(service)[0] == 200
    report(capsys, f"ready {ready_s:.1f} s after the start, without a registry")


def test_without_a_registry_and_a_copy_it_says_so_and_waits(registry, tmp_path):
    port = free_port()
    store_folder = tmp_path / "service"
    store_folder.mkdir()
    with running_service(store_folder, ready=False, environment=address(port)) as service:
        service.wait_for(lambda: readiness(service)[1] == ["registry_unreachable"])
        assert readiness(service)[0] == 503
        assert service.client.get("/livez").status_code == 200
        refused = service.post("/v1/score", LEAD)
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) >= 1
        told = [line for line in service.log() if line["event"] == "registry_unreachable"]
        assert len(told) == 1
        assert "does not answer" in told[0]["problem"]
        children = service.children()
        with mlflow_server(registry, port, tmp_path / "server"):
            service.wait_for(lambda: readiness(service)[:2] == (200, []), 60.0)
            answer = service.post("/v1/score", LEAD).json()
            assert answer["probability"] == expect_probability(registry.scorecard)
        assert service.children() == children
