"""The body of a request: read whole, within limits that count what it inflates to."""

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from leadscore.serve.service.problems import Problem

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
