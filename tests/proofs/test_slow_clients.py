"""Clients that are slow, idle, greedy or rude, while others want their scores."""

import socket
import threading
import time
from contextlib import ExitStack

import pytest
from support.services import demo_lead, growing_less_than, raw_request, read_all, running_service

pytestmark = [pytest.mark.proof, pytest.mark.alone]
POST = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def service(promoted):
    with running_service(promoted) as service:
        for _ in range(20):
            service.post("/v1/score", demo_lead())
        yield service


def connect(service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def send_much(service, head: bytes, part: bytes, parts: int) -> bytes:
    """Send as much as the service takes, and return what it says."""
    with connect(service) as connection:
        try:
            connection.sendall(head)
            for _ in range(parts):
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_all(connection)


def test_large_requests_cost_no_memory(service):
    worker = service.find_child("leadscore.serve.service.processes.worker")
    megabyte = b" " * 1_000_000
    with growing_less_than(10.0, worker):
        for _ in range(3):
            told = send_much(service, POST + b"Content-Length: 60000000\r\n\r\n", megabyte, 60)
            assert told == b"" or told.startswith(b"HTTP/1.1 413 ")
            chunked = b"%x\r\n" % len(megabyte) + megabyte + b"\r\n"
            told = send_much(service, POST + b"Transfer-Encoding: chunked\r\n\r\n", chunked, 60)
            assert told == b"" or told.startswith(b"HTTP/1.1 413 ")
            told = send_much(service, GET + b"X: ", b"y" * 100_000, 10)
            assert told == b"" or told.startswith(b"HTTP/1.1 431 ")
            told = send_much(service, GET, b"X: y\r\n" * 1_000, 10)
            assert told == b"" or told.startswith(b"HTTP/1.1 431 ")
    assert raw_request(service.port, POST + b"Content-Length: 60000000\r\n\r\n").startswith(
        b"HTTP/1.1 413 "
    )
    assert service.post("/v1/score", demo_lead()).status_code == 200


def test_half_open_connections_are_closed_and_disturb_nobody(service):
    with ExitStack() as stack:
        began = time.monotonic()
        open_ones = [stack.enter_context(connect(service)) for _ in range(200)]
        for place, connection in enumerate(open_ones):
            if place % 2:
                connection.sendall(GET + b"X-Slow: ")
        slowest = 0.0
        while time.monotonic() - began < 6.0:
            at = time.monotonic()
            assert service.post("/v1/score", demo_lead()).status_code == 200
            slowest = max(slowest, time.monotonic() - at)
            time.sleep(0.05)
        answers = [read_all(connection) for connection in open_ones]
        assert time.monotonic() - began < 12.0
    assert all(a == b"" or a.startswith(b"HTTP/1.1 408 ") for a in answers)
    assert slowest < 5.0, "others are answered all the while"


def test_a_body_that_drips_is_given_up(service):
    with connect(service) as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        began = time.monotonic()
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(1.0):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            answer = connection.recv(65_536)
        finally:
            stop.set()
            thread.join()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 4.0 < time.monotonic() - began < 9.0


def test_a_client_that_does_not_read_is_dropped(service):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(1.0)
        connection.connect(("127.0.0.1", service.port))
        request = GET.replace(b"/livez", b"/openapi.json") + b"\r\n"
        began = time.monotonic()
        dropped = False
        while not dropped and time.monotonic() - began < 30.0:
            try:
                connection.sendall(request * 20)
                time.sleep(0.2)
            except TimeoutError:
                continue
            except OSError:
                dropped = True
        assert dropped
    assert service.post("/v1/score", demo_lead()).status_code == 200


def test_idle_connections_cost_others_nothing(service):
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(service)) for _ in range(200)]
        for connection in idle:
            connection.sendall(GET + b"\r\n")
        assert all(connection.recv(4_096).startswith(b"HTTP/1.1 200 ") for connection in idle)
        for _ in range(20):
            assert service.post("/v1/score", demo_lead()).status_code == 200
