"""One connection: the order of answers, what closes it, and what is refused before it is read."""

import asyncio
import sys

import pytest
import uvicorn
from support.services_in_process import fill_cache, service_inside
from uvicorn.server import ServerState

from leadscore.serve.service.http.protocol import GuardedProtocol
from leadscore.serve.service.logs import make_logger
from leadscore.serve.service.scoring import routes

BODY = b'{"lead_id": "L1", "as_of": "2026-01-31T00:00:00Z"}'
ORIGIN = "https://crm.example"


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.closed = False

    @property
    def text(self) -> bytes:
        """All that was written so far."""
        return b"".join(self.writes)

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
    """Send requests over one connection in one read, or cut in two, and return what came back."""

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
def store_folder(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("whole")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    return store_folder


@pytest.fixture(scope="module")
def service(store_folder):
    with service_inside(store_folder) as service:
        service.get("/docs")  # so that what answers it need not be made first
        yield service


def test_an_answer_has_the_headers_of_the_server(service):
    wire = ask(service, request())
    assert wire.text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\ndate: Sat, 31 Jan 2026 00:00:00 GMT\r\n" in wire.text
    assert not wire.closed


def test_requests_sent_in_one_read_are_answered_in_order(service):
    text = ask(service, request(request_id="first"), request(request_id="second")).text
    assert 0 < text.index(b"x-request-id: first") < text.index(b"x-request-id: second")


@pytest.mark.parametrize(
    ("headers", "version", "closes"),
    [(["Connection: close"], "1.1", True), ([], "1.0", True), (["Prefer: x"], "1.1", False)],
)
def test_the_connection_closes_if_the_client_wants_it(service, headers, version, closes):
    wire = ask(service, request(*headers, version=version))
    assert wire.text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.closed is closes
    assert (b"connection: close" in wire.text) is closes


def test_handling_strict_is_confirmed(service):
    wire = ask(service, request("Prefer: handling=strict"))
    assert b"\r\npreference-applied: handling=strict\r\n" in wire.text


def test_a_client_that_does_not_read_is_waited_for(service):
    assert ask(service, request(), paused=True).text.startswith(b"HTTP/1.1 200 OK\r\n")


def test_other_origins_get_their_headers(store_folder):
    with service_inside(store_folder, origins=(ORIGIN,)) as shared:
        wire = ask(shared, request(f"Origin: {ORIGIN}"))
    assert f"access-control-allow-origin: {ORIGIN}\r\n".encode() in wire.text


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
def test_every_request_is_answered_with_its_status(service, asked, status):
    wire = ask(service, asked)
    assert wire.text.startswith(b"HTTP/1.1 %d " % status)
    assert wire.closed is (status in (413, 431))


def test_an_error_of_the_service_is_answered_without_its_text(service, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(routes, "score_lead", fail)
    wire = ask(service, request())
    assert wire.text.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in wire.text


@pytest.mark.parametrize("from_the_end", [1, len(BODY), len(BODY) + 30])
def test_a_request_that_comes_in_two_reads_is_answered_alike(service, from_the_end):
    asked = request()
    cut = ask(service, asked, cut=len(asked) - from_the_end)
    assert cut.text == ask(service, asked).text


def test_a_request_that_waits_for_a_file_is_answered_before_those_after_it(service):
    """The first waits while a version is loaded; the second could be answered."""
    first = request(path="/v1/score?model=demo.predictive/1", request_id="first")
    text = ask(service, first, request(request_id="second")).text
    assert 0 < text.index(b"x-request-id: first") < text.index(b"x-request-id: second")


def test_a_malformed_address_is_refused_however_it_comes_in(service):
    asked = request(path="http://inside")
    for cut in (None, len(asked) - 10):
        wire = ask(service, asked, cut=cut)
        assert wire.text.startswith(b"HTTP/1.1 400 ")
        assert wire.closed


def test_a_request_after_a_refused_one_is_not_answered(service):
    refused = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 250 + b"\r\n"
    wire = ask(service, refused + request())
    assert wire.protocol.server_state.total_requests == 0
    assert [write[:12] for write in wire.writes] == [b"HTTP/1.1 431"]


def test_a_client_that_has_sent_everything_gets_no_100_continue(service):
    chunked = CHUNKED.removesuffix(b"\r\n") + b"Expect: 100-continue\r\n\r\n"
    wire = ask(service, request("Transfer-Encoding: chunked", length=False, body=chunked))
    assert wire.text.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("more", [b"", b"\r\n"])
def test_an_idle_connection_is_closed_in_time_even_after_a_blank_line(service, more):
    asked = request()
    wire = ask(service, asked + more, cut=len(asked))
    assert wire.protocol.timeout_keep_alive_task is not None


def test_an_answer_is_written_even_if_the_log_cannot_be(service, monkeypatch):
    class Full:
        def write(self, *_):
            raise OSError(28, "No space left on device")

        flush = close = write

    monkeypatch.setattr(sys, "stderr", type("", (), {"buffer": Full()}))
    make_logger("test").info("event")
    assert ask(service, request(body=b"{")).text.startswith(b"HTTP/1.1 400 ")


def test_every_answer_is_counted_once(service):
    def count() -> float:
        text = service.get("/metrics").text
        found = [line for line in text.splitlines() if line.startswith(COUNTED)]
        return float(found[0].split()[-1]) if found else 0.0

    before = count()
    ask(service, request(), request())
    assert count() == before + 2.0


COUNTED = 'leadscore_requests_total{route="/v1/score",status="200"}'
