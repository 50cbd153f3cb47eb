"""uvicorn's HTTP protocol with what it lacks: limits on headers, and deadlines for slow clients.

The deadlines cost a request nothing: one task checks all connections twice a second.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadscore.serve.service.problems import MEDIA_TYPE, Problem

LARGEST_HEADERS = 32_768
MOST_HEADERS = 200
LONGEST_PATH = 8_192
HEADERS_S = 8.0
"""Seconds until the head of a request must be complete, from its first byte or from the start of
the connection. uvicorn itself closes a connection that is idle after an answer."""
BODY_S = 8.0
"""Seconds until a whole request must be there; the application answers 408 before that."""
WRITE_S = 10.0
"""Seconds that an answer waits for a client that does not read."""
SWEEP_S = 0.5
MOST_CONNECTIONS = 1_024
"""Open connections of one worker; a client that comes when all are taken gets 503."""
LEAVING_S = 0.5
"""Seconds that an idle connection stays open while the service stops: a request may still come."""
_LOG_EVERY_S = 10.0
_STATUS = {400: b"400 Bad Request", 408: b"408 Request Timeout", 431:
           b"431 Request Header Fields Too Large", 503: b"503 Service Unavailable"}  # fmt: skip


class GuardedProtocol(HttpToolsProtocol):
    """One connection: uvicorn's protocol, which makes a task of every request, with limits."""

    _overload_logged_s = float("-inf")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note when the connection began."""
        super().connection_made(transport)
        self._surplus = len(self.connections) > MOST_CONNECTIONS
        self._leaving = False
        self._head_bytes = 0
        self._in_head = True
        self._waiting_since: float | None = self.loop.time()
        self._unread_since: float | None = None

    def data_received(self, data: bytes) -> None:
        """Parse what came in, and refuse a head that grows too long."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LARGEST_HEADERS:
            self.refuse(431, f"headers of at most {LARGEST_HEADERS:,} bytes are taken")
        if self._waiting_since is None and self.timeout_keep_alive_task is None and self._is_idle():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _is_idle(self) -> bool:
        """Return whether the connection is open and no request is being answered on it."""
        done = self.cycle is None or self.cycle.response_complete
        return done and not self.transport.is_closing()

    def on_message_begin(self) -> None:
        """Start the clock of a request."""
        super().on_message_begin()
        self._in_head = True
        self._waiting_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Refuse too many headers or connections; else let uvicorn start the request."""
        self._in_head = False
        too_long = self._head_bytes > LARGEST_HEADERS and _measure(self.headers) > LARGEST_HEADERS
        if self.transport.is_closing():
            return
        if len(self.headers) > MOST_HEADERS or too_long or len(self.url) > LONGEST_PATH:
            self.refuse(
                431, f"at most {MOST_HEADERS} headers of {LARGEST_HEADERS:,} bytes are taken, and "
                f"a path of {LONGEST_PATH:,}",
            )  # fmt: skip
            return
        if self._surplus:
            self._log_overload()
            self.refuse(503, "too many connections are open already", b"retry-after: 1")
            return
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, unless the request was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock of a request."""
        if not self.transport.is_closing():
            super().on_message_complete()
        self._waiting_since = None
        self._in_head, self._head_bytes = True, 0

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says less
        """Answer what is no HTTP."""
        self.refuse(400, "this is no HTTP request that can be understood")

    def shutdown(self) -> None:
        """Answer what was sent by now or is about to arrive, then close.

        uvicorn would close an idle connection at once and cut off a client whose request is on its
        way.
        """
        self._leaving = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        self.loop.call_later(LEAVING_S, self._close_if_idle)

    def _log_overload(self) -> None:
        """Log that clients are turned away, once in ``_LOG_EVERY_S`` for all of them."""
        now = self.loop.time()
        if now - GuardedProtocol._overload_logged_s > _LOG_EVERY_S:
            GuardedProtocol._overload_logged_s = now
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


def _measure(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum([len(name) + len(value) for name, value in headers])


async def sweep(connections: Iterable[Any]) -> None:
    """Check the deadlines of all connections every ``SWEEP_S`` seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_S)
        now = loop.time()
        for connection in list(connections):
            connection.check_deadlines(now)
