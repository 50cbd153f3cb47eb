"""An answer written in one go is the answer that uvicorn would have written."""

import asyncio

import pytest
import uvicorn
from services_inside import fill_shelf, service_inside
from uvicorn.server import ServerState

from serve.service import app as application
from serve.service.protocol import GuardedProtocol

BODY = b'{"lead_id": "L1", "as_of": "2026-01-31T00:00:00Z"}'
ORIGIN = "https://crm.example"


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data):
        self.writes.append(bytes(data))

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def pause_reading(self):
        pass

    resume_reading = pause_reading


def ask(service, *requests: bytes, paused: bool = False) -> Wire:
    """Send requests down one connection in one go, and return what came back."""

    async def send() -> Wire:
        config = uvicorn.Config(service.made.app, ws="none", log_config=None, lifespan="off")
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"Sat, 31 Jan 2026 00:00:00 GMT")]
        protocol, wire = GuardedProtocol(config, state, {}), Wire()
        protocol.connection_made(wire)
        if paused:
            protocol.pause_writing()
        protocol.data_received(b"".join(requests))
        for _ in range(20):
            await asyncio.sleep(0)
        if paused:
            assert not wire.writes, "a client that does not read was written to"
            protocol.resume_writing()
            for _ in range(20):
                await asyncio.sleep(0)
        return wire

    return service._runner.run(send())


def request(*headers: str, version: str = "1.1", request_id: str = "one") -> bytes:
    lines = [f"POST /v1/score HTTP/{version}", "Host: inside", f"Content-Length: {len(BODY)}",
             "Content-Type: application/json", f"X-Request-ID: {request_id}", *headers]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + BODY


@pytest.fixture(scope="module")
def home(registered, tmp_path_factory):
    home = tmp_path_factory.mktemp("whole")
    fill_shelf(home, {1: registered.training.scorecard}, champion=1)
    return home


@pytest.fixture(scope="module")
def service(home):
    with service_inside(home) as service:
        yield service


def in_parts(service, monkeypatch, *requests: bytes, **how: bool) -> Wire:
    monkeypatch.setattr(application, "write_whole", lambda *_: False)
    return ask(service, *requests, **how)


def test_one_write_says_what_several_would(service, monkeypatch):
    whole = ask(service, request())
    parts = in_parts(service, monkeypatch, request())
    assert len(whole.writes) == 1 < len(parts.writes)
    assert whole.writes[0] == b"".join(parts.writes)
    assert b"\r\ndate: Sat, 31 Jan 2026 00:00:00 GMT\r\n" in whole.writes[0]
    assert not whole.closed


def test_requests_sent_in_one_go_are_answered_in_order(service, monkeypatch):
    two = request(request_id="first"), request(request_id="second")
    whole = ask(service, *two)
    assert b"".join(whole.writes) == b"".join(in_parts(service, monkeypatch, *two).writes)
    assert [b"first" in whole.writes[0], b"second" in whole.writes[1]] == [True, True]


@pytest.mark.parametrize(
    ("headers", "version"), [(["Connection: close"], "1.1"), ([], "1.0"), (["Prefer: x"], "1.1")]
)
def test_what_the_client_asks_of_the_connection_is_kept(service, monkeypatch, headers, version):
    asked = request(*headers, version=version)
    whole = ask(service, asked)
    parts = in_parts(service, monkeypatch, asked)
    assert b"".join(whole.writes) == b"".join(parts.writes)
    closes = "Prefer: x" not in headers
    assert whole.closed is parts.closed is closes
    assert (b"connection: close" in b"".join(whole.writes)) is closes


def test_handling_strict_is_told_to_be_applied(service):
    answer = b"".join(ask(service, request("Prefer: handling=strict")).writes)
    assert b"\r\npreference-applied: handling=strict\r\n" in answer


def test_a_client_that_does_not_read_is_waited_for(service):
    assert ask(service, request(), paused=True).writes[0].startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_stands_between_adds_its_headers(home):
    with service_inside(home, origins=(ORIGIN,)) as shared:
        answer = b"".join(ask(shared, request(f"Origin: {ORIGIN}")).writes)
    assert f"access-control-allow-origin: {ORIGIN}\r\n".encode() in answer
