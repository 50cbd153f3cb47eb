"""An answer written in one go is the answer that uvicorn would have written."""

import asyncio
import sys

import pytest
import uvicorn
from support.services_in_process import fill_shelf, service_inside
from uvicorn.server import ServerState

from leadscore.serve.service.http.app import App
from leadscore.serve.service.http.protocol import GuardedProtocol
from leadscore.serve.service.logs import make_logger
from leadscore.serve.service.scoring import routes

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


def ask(service, *requests: bytes, paused: bool = False, cut: int | None = None) -> Wire:
    """Send requests down one connection in one go, or cut in two, and return what came back."""

    async def send() -> Wire:
        config = uvicorn.Config(
            service.made.app, ws="none", log_config=None, lifespan="off", proxy_headers=False
        )
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"Sat, 31 Jan 2026 00:00:00 GMT")]
        protocol, wire = GuardedProtocol(config, state, {}), Wire()
        protocol.connection_made(wire)
        wire.protocol = protocol
        if paused:
            protocol.pause_writing()
        sent = b"".join(requests)
        for part in [sent] if cut is None else [sent[:cut], sent[cut:]]:
            protocol.data_received(part)
            for _ in range(20):
                await asyncio.sleep(0)
        if paused:
            assert not wire.writes, "a client that does not read was written to"
            protocol.resume_writing()
            for _ in range(20):
                await asyncio.sleep(0)
        return wire

    return service._runner.run(send())


def request(
    *headers: str, version: str = "1.1", request_id: str = "one", body: bytes = BODY,
    path: str = "/v1/score", media_type: str = "application/json", length: bool = True,
) -> bytes:  # fmt: skip
    lines = [f"POST {path} HTTP/{version}", "Host: inside", f"Content-Type: {media_type}",
             f"X-Request-ID: {request_id}", *headers]  # fmt: skip
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def home(registered, tmp_path_factory):
    home = tmp_path_factory.mktemp("whole")
    fill_shelf(home, {1: registered.training.scorecard}, champion=1)
    return home


@pytest.fixture(scope="module")
def service(home):
    with service_inside(home) as service:
        service.get("/docs")  # so that what answers it need not be made first
        yield service


def in_parts(service, monkeypatch, *requests: bytes, **how: bool) -> Wire:
    monkeypatch.setattr(App, "answer_at_once", lambda *_: None)
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


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(path="/v1/explain"), 200),
        (request(path="/v1/score?model=champion"), 200),
        (request(path="/v1/score?modle=champion"), 422),
        (request(path="/v1/%73core"), 200),
        (request(path="/v1/nothing"), 404),
        (request(body=b"{"), 400),
        (request(body=b""), 400),
        (request(body=b'{"lead_id": 1}'), 422),
        (request(body=b'{"lead_id": "L1", "pad": "' + b"x" * 1_100_000 + b'"}'), 413),
        (request(media_type="text/csv"), 415),
        (request(media_type="application/json; charset=utf-8"), 200),
        (request("Content-Encoding: gzip"), 400),
        (request("Transfer-Encoding: chunked", length=False, body=CHUNKED), 200),
        (request("Expect: 100-continue"), 100),
        (request("Upgrade: websocket", "Connection: Upgrade"), 400),
        (request().replace(b"POST", b"PUT"), 405),
        (request("X-Long: " + "x" * 40_000), 431),
    ],
)
def test_what_is_answered_at_once_is_what_a_task_would_answer(service, monkeypatch, asked, status):
    once = ask(service, asked)
    parts = in_parts(service, monkeypatch, asked)
    assert b"".join(once.writes) == b"".join(parts.writes)
    assert once.writes[0].startswith(b"HTTP/1.1 %d " % status)
    assert once.closed is parts.closed


def test_an_error_of_our_own_is_told_alike(service, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(routes, "score_lead", fail)
    once = ask(service, request())
    assert b"".join(once.writes) == b"".join(in_parts(service, monkeypatch, request()).writes)
    assert once.writes[0].startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in once.writes[0]


@pytest.mark.parametrize("from_the_end", [1, len(BODY), len(BODY) + 30])
def test_a_request_that_comes_in_two_reads_is_answered_alike(service, from_the_end):
    asked = request()
    cut = ask(service, asked, cut=len(asked) - from_the_end)
    assert b"".join(cut.writes) == b"".join(ask(service, asked).writes)


def test_one_that_waits_for_a_file_keeps_those_behind_it_waiting(service):
    """The first goes to a task, since a model is to be picked; the second could be answered."""
    first = request(path="/v1/score?model=demo.predictive/1", request_id="first")
    answers = b"".join(ask(service, first, request(request_id="second")).writes)
    assert 0 < answers.index(b"x-request-id: first") < answers.index(b"x-request-id: second")


def test_an_address_that_is_none_is_refused_however_it_comes_in(service):
    asked = request(path="http://inside")
    for cut in (None, len(asked) - 10):
        wire = ask(service, asked, cut=cut)
        assert b"".join(wire.writes).startswith(b"HTTP/1.1 400 ")
        assert wire.closed


def test_what_stands_behind_a_refused_request_is_not_worked_on(service):
    refused = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 250 + b"\r\n"
    wire = ask(service, refused + request())
    assert wire.protocol.server_state.total_requests == 0
    assert [write[:12] for write in wire.writes] == [b"HTTP/1.1 431"]


def test_nobody_is_asked_to_go_on_who_has_sent_everything(service):
    chunked = CHUNKED.removesuffix(b"\r\n") + b"Expect: 100-continue\r\n\r\n"
    wire = ask(service, request("Transfer-Encoding: chunked", length=False, body=chunked))
    assert b"".join(wire.writes).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("more", [b"", b"\r\n"])
def test_an_idle_connection_is_closed_in_time_whatever_was_sent_last(service, more):
    asked = request()
    wire = ask(service, asked + more, cut=len(asked))
    assert wire.protocol.timeout_keep_alive_task is not None


def test_an_answer_is_not_lost_with_a_line_of_the_log(service, monkeypatch):
    class Full:
        def write(self, *_):
            raise OSError(28, "No space left on device")

        flush = close = write

    monkeypatch.setattr(sys, "stderr", type("", (), {"buffer": Full()}))
    make_logger("test").info("said")
    assert ask(service, request(body=b"{")).writes[0].startswith(b"HTTP/1.1 400 ")


def test_every_answer_is_counted_once(service):
    def count() -> float:
        text = service.get("/metrics").text
        found = [line for line in text.splitlines() if line.startswith(COUNTED)]
        return float(found[0].split()[-1]) if found else 0.0

    before = count()
    ask(service, request(), request())
    assert count() == before + 2.0


COUNTED = 'leadscore_requests_total{route="/v1/score",status="200"}'
