"""uvicorn's HTTP protocol with what it lacks: limits on headers, and deadlines for slow clients.

The deadlines cost a request nothing: one task looks at all connections twice a second.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from leadscore.serve.service.problems import MEDIA_TYPE, Problem

LARGEST_HEADERS = 32_768
MOST_HEADERS = 200
HEADERS_S = 8.0
"""So long may a connection be without a whole head of a request, from its first byte or its start.
uvicorn itself closes one that is idle after an answer."""
BODY_S = 8.0
"""So long may a whole request take to come in; the application answers 408 before that."""
WRITE_S = 10.0
"""So long may an answer wait for a client that does not read."""
SWEEP_S = 0.5
MOST_CONNECTIONS = 1_024
"""Of one worker; whoever comes when so many are there is told to come again."""
LEAVING_S = 0.5
"""So long an idle connection is kept open when the service stops: what was sent before comes in."""
_TELL_EVERY_S = 10.0
_STATUS = {400: b"400 Bad Request", 408: b"408 Request Timeout", 431:
           b"431 Request Header Fields Too Large", 503: b"503 Service Unavailable"}  # fmt: skip


class GuardedProtocol(HttpToolsProtocol):
    """One connection.

    A request that comes in whole in one read, as most do, is offered to the application's
    ``answer_at_once``, if it has one; what that does not take, uvicorn makes a task of.
    """

    _told_s = float("-inf")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note when the connection began."""
        super().connection_made(transport)
        self._surplus = len(self.connections) > MOST_CONNECTIONS
        self._leaving = False
        self._head_bytes = 0
        self._in_head = True
        self._since = self.loop.time()
        self._waiting_since: float | None = self._since
        self._unread_since: float | None = None
        self._held: list[bytes] | None = None
        """The body so far of a request that may be answered at once."""
        self._answered = False
        """Whether one was, in this read: those behind it wait their turn."""
        self._at_once: Callable[..., tuple[int, bytes, bytes] | None]
        self._at_once = getattr(self.app, "answer_at_once", _take_nothing)

    def data_received(self, data: bytes) -> None:
        """Refuse a head that grows too long before it is parsed any further."""
        if self._in_head:
            self._head_bytes += len(data)
        self._answered = False
        super().data_received(data)
        if self._held is not None:  # the rest of it is still to come
            try:
                self._hand_on()
            except (AttributeError, httptools.HttpParserError):  # an address that is none
                self.send_400_response("")
        if self._in_head and self._head_bytes > LARGEST_HEADERS:
            self.refuse(431, f"headers of at most {LARGEST_HEADERS:,} bytes are taken")
        if self._waiting_since is None and self.timeout_keep_alive_task is None and self._is_idle():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _is_idle(self) -> bool:
        """Say whether nothing is being answered, on a connection that is open."""
        done = self.cycle is None or self.cycle.response_complete
        return done and not self.transport.is_closing()

    def on_message_begin(self) -> None:
        """Start the clock of a request; uvicorn begins with it in ``_hand_on``."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head = True
        self._waiting_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Refuse too many headers; else hand the request on."""
        self._in_head = False
        too_long = self._head_bytes > LARGEST_HEADERS and _measure(self.headers) > LARGEST_HEADERS
        if len(self.headers) > MOST_HEADERS or too_long or len(self.url) > 8_192:
            self.refuse(431, f"at most {MOST_HEADERS} headers of {LARGEST_HEADERS:,} bytes are "
                        "taken, and a path of 8,192")  # fmt: skip
            return
        if self._surplus:
            self._tell_overload()
            self.refuse(503, "too many connections are open already", b"retry-after: 1")
            return
        if self._may_be_at_once():
            self._held = []
        else:
            self._hand_on()

    def _may_be_at_once(self) -> bool:
        """Say whether a request is one that may be answered at once: nothing is before it."""
        parser = self.parser
        return (
            not (self._answered or self._leaving or self.expect_100_continue or self.pipeline)
            and self._is_idle()
            and not self.flow.write_paused
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def _hand_on(self) -> None:
        """Let uvicorn make a task of the request, with what there is of its body."""
        held, self._held = self._held, None
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()  # of an answer before it, in the same read
        # what stands behind a body is too late to ask whether the body is wanted
        read = self.url, self.headers, held is None and self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = read
        self.scope["headers"] = self.headers
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False
        for part in held or ():
            super().on_body(part)

    def _answer_at_once(self, body: bytes) -> bool:
        """Write the answer of a whole request, if the application has it."""
        found = self._at_once(self.url.decode("latin-1"), self.headers, self.client, body)
        if found is None:
            return False
        status, head, answer = found
        stamps = b"".join([b"%b: %b\r\n" % stamp for stamp in self.server_state.default_headers])
        self.transport.write(b"".join((STATUS_LINE[status], stamps, head, b"\r\n", answer)))
        self._answered = True
        self.on_response_complete()
        return True

    def on_message_complete(self) -> None:
        """Stop the clock of a request, and answer it if that can be done at once."""
        if self._held is not None and self._answer_at_once(b"".join(self._held)):
            self._held = None
        elif not self.transport.is_closing():
            if self._held is not None:
                self._hand_on()
            super().on_message_complete()
        self._waiting_since = None
        self._in_head, self._head_bytes = True, 0

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, unless the request was refused."""
        if self._held is not None:
            self._held.append(body)
        elif not self.transport.is_closing():
            super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says less
        """Answer what is no HTTP."""
        self.refuse(400, "this is no HTTP request that can be understood")

    def shutdown(self) -> None:
        """Answer what was sent by now or is about to come in, and close after that.

        uvicorn would close an idle connection at once, and cut off a client whose request is on
        its way.
        """
        self._leaving = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        self.loop.call_later(LEAVING_S, self._close_if_idle)

    def _tell_overload(self) -> None:
        """Log that clients are turned away, but not for every one of them."""
        now = self.loop.time()
        if now - GuardedProtocol._told_s > _TELL_EVERY_S:
            GuardedProtocol._told_s = now
            logging.getLogger(__name__).warning("too many connections are open: some turned away")

    def _close_if_idle(self) -> None:
        if self._is_idle() and self._in_head and not self._head_bytes:
            self.transport.close()

    def refuse(self, status: int, detail: str, *headers: bytes) -> None:
        """Answer with a problem and close."""
        if self.transport.is_closing():
            return
        body = Problem(status, detail).to_bytes()
        head = [b"HTTP/1.1 " + _STATUS[status], b"content-type: " + MEDIA_TYPE,
                b"content-length: %d" % len(body), b"connection: close", *headers]  # fmt: skip
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        self.transport.close()

    def check_deadlines(self, now: float) -> None:
        """Close the connection if its client is too slow."""
        waiting = self._waiting_since
        if waiting is not None and now - waiting > (HEADERS_S if self._in_head else BODY_S):
            if self.cycle is not None and self.cycle.response_started:
                self.transport.abort()
            else:
                self.refuse(408, "the request did not come in in time")
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > WRITE_S:
            self.transport.abort()


def _take_nothing(*_: object) -> None:
    """Stand for an application that answers nothing at once."""


def _measure(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum([len(name) + len(value) for name, value in headers])


async def sweep(connections: Iterable[Any]) -> None:
    """Look at all connections again and again, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_S)
        now = loop.time()
        for connection in list(connections):
            connection.check_deadlines(now)
