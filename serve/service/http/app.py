"""The service as an ASGI application: own routes for scores, FastAPI for everything else.

A body is read whole, within limits that count what it inflates to.
"""

import asyncio
import contextlib
import os
import re
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from leadscore.serve.service.auth.access import AccessControl
from leadscore.serve.service.logs import Logger
from leadscore.serve.service.metrics import Metrics
from leadscore.serve.service.problems import MEDIA_TYPE, Problem

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
_MOST_DROPPED = 100_000_000
SLOWEST_S = 5.0
"""Seconds until a body must be there; a slower one is answered with 408."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


async def read_body(receive: Receive, headers: dict[bytes, bytes], most: int) -> bytes:
    """Read the body of a request, inflated if it comes as gzip.

    `headers` are by name in lower case; `most` counts inflated bytes. Raises ClientGone, and
    Problem: 408 if the body is too slow, 413 if it is too large, 415 if its encoding is unknown,
    400 if it is broken.
    """
    length = headers.get(b"content-length")
    if length is not None and int(length) > most:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        try:
            async with asyncio.timeout(SLOWEST_S):
                body = await _read_rest(receive, body, most)
        except TimeoutError:
            raise Problem(
                408, f"the body did not come in within {SLOWEST_S:g} seconds",
                headers={"Connection": "close"},
            ) from None  # fmt: skip
    if len(body) > most:
        raise _too_large(most)
    encoding = headers.get(b"content-encoding", b"identity").lower()
    return body if encoding == b"identity" else _inflate(body, encoding, most)


async def _read_rest(receive: Receive, first: bytes, most: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(most)
        more = message.get("more_body", False)
    return b"".join(parts)


async def drop_rest(receive: Receive) -> None:
    """Read what a client goes on sending, and drop it.

    A client that is cut off before it has sent everything mostly does not see its answer.
    """
    size, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SLOWEST_S):
            while more and size < _MOST_DROPPED:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


def _inflate(body: bytes, encoding: bytes, most: int) -> bytes:
    if encoding != b"gzip":
        raise Problem(415, "bodies are taken as they are, or with Content-Encoding: gzip",
                      headers={"Accept-Encoding": "gzip"})  # fmt: skip
    inflater = zlib.decompressobj(wbits=31)
    try:
        inflated = inflater.decompress(body, most + 1)
    except zlib.error:
        raise Problem(400, "the body is no gzip") from None
    if len(inflated) > most:
        raise _too_large(most)
    if not inflater.eof or inflater.unused_data:
        raise Problem(400, "the body is cut off, or more than one gzip")
    return inflated


def _too_large(most: int) -> Problem:
    return Problem(
        413, f"a body of at most {most:,} bytes is taken, inflated if it comes as gzip",
        headers={"Connection": "close"},
    )  # fmt: skip


Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
PROBES = frozenset({"/livez", "/readyz", "/ping", "/health"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~-]{1,128}")
_JSON = re.compile(rb"application/([a-z0-9.+-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_PLAIN_JSON = b"application/json"


class RequestContext(NamedTuple):
    """What a route knows of a request besides its body."""

    request_id: str
    headers: dict[bytes, bytes]
    model: str | None
    strict: bool


class Route(NamedTuple):
    """A scoring route: the function that answers, and the largest body that it takes."""

    answer: Callable[[bytes, RequestContext], Awaitable[bytes]]
    most_bytes: int
    leniently_typed: bool = False


@dataclass
class App:
    """The service.

    `routes` are by path, and each takes POST. `make_control` returns the ASGI application for every
    other path once it is made. With `access_log` every request gets a line, not only those that
    fail.
    """

    routes: dict[str, Route]
    make_control: Callable[[], Awaitable[ASGIApp]]
    access: AccessControl
    metrics: Metrics
    logger: Logger
    access_log: bool = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} connections are not supported")
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _name_request(headers.get(b"x-request-id"))
        path: str = scope["path"]
        route = self.routes.get(path)
        name, status = path, 500
        try:
            self.access.authorize(path, headers, scope.get("client"))
            if route is None:
                name, status = await self._pass_on(scope, receive, send, request_id)
            else:
                context = _make_context(scope, headers, request_id, route)
                body = await read_body(receive, headers, route.most_bytes)
                answer = await route.answer(body, context)
                status = 200
                await _send(send, 200, _PLAIN_JSON, answer, request_id, _list_preferences(context))
        except ClientGone:
            status = 499
        except Exception as error:
            problem = self._as_problem(error, request_id)
            status = problem.status
            name = name if route is not None else "other"
            await _send(
                send, status, MEDIA_TYPE, problem.to_bytes(request_id), request_id,
                problem.raw_headers(), more=status == _TOO_LARGE,
            )  # fmt: skip
            if status == _TOO_LARGE:
                await drop_rest(receive)
                await send({"type": "http.response.body", "body": b""})
        self._record_request(name, status, started, request_id)

    def _as_problem(self, error: Exception, request_id: str) -> Problem:
        if isinstance(error, Problem):
            return error
        self.logger.error("internal_error", request_id=request_id, **_locate(error))
        return Problem(500, "an error of this service; its log has it by the request_id")

    def _record_request(self, name: str, status: int, started: float, request_id: str) -> None:
        """Count an answer, and log it if it failed or if every request is logged."""
        seconds = time.perf_counter() - started
        self.metrics.count_request(name, status, seconds)
        if self.access_log or (status >= 400 and name not in PROBES):
            self.logger.info(
                "request", request_id=request_id, route=name, status=status,
                ms=round(1000.0 * seconds, 3),
            )  # fmt: skip

    async def _pass_on(
        self, scope: dict[str, Any], receive: Receive, send: Send, request_id: str
    ) -> tuple[str, int]:
        """Let FastAPI answer; its answer gets the request's id."""
        control = await self.make_control()
        scope["request_id"] = request_id  # for the body of a problem
        status = 500

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"], (b"x-request-id", request_id.encode()), *_ALWAYS,
                ]  # fmt: skip
            await send(message)

        try:
            await control(scope, receive, send_named)
        except Exception as error:  # FastAPI has answered by then, and raises it once more
            self.logger.error("internal_error", request_id=request_id, **_locate(error))
        return getattr(scope.get("route"), "path", "other"), status


_TOO_LARGE = 413
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


async def _send(
    send: Send, status: int, media_type: bytes, body: bytes, request_id: str,
    extra: list[tuple[bytes, bytes]],
    more: bool = False,
) -> None:  # fmt: skip
    headers = [
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *_ALWAYS,
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _name_request(given: bytes | None) -> str:
    """Return the caller's own id of a request if it is a valid one, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    return os.urandom(16).hex()


def _make_context(
    scope: dict[str, Any], headers: dict[bytes, bytes], request_id: str, route: Route
) -> RequestContext:
    if scope["method"] != "POST":
        raise Problem(405, "this path takes POST", headers={"Allow": "POST"})
    media_type = headers.get(b"content-type", b"")
    if media_type != _PLAIN_JSON and not _JSON.fullmatch(media_type):
        if not route.leniently_typed:
            raise Problem(
                415, "send the body as JSON, with Content-Type: application/json",
                headers={"Accept": "application/json"},
            )  # fmt: skip
    model = None
    if scope["query_string"]:
        found = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if found.keys() - {"model"}:
            raise Problem(422, "an unknown query parameter; there is one, model")
        model = found.get("model", [None])[-1]
    prefer = headers.get(b"prefer")
    strict = prefer is not None and b"handling=strict" in prefer.replace(b" ", b"").lower()
    return RequestContext(request_id, headers, model, strict)


def _list_preferences(context: RequestContext) -> list[tuple[bytes, bytes]]:
    return [(b"preference-applied", b"handling=strict")] if context.strict else []


def _locate(error: BaseException) -> dict[str, Any]:
    """Return the type and place of an error, without its text, which may quote a request."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    where = None if step is None else f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}"
    return {"error": type(error).__name__, "where": where}
