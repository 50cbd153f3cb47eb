"""Clients that post the same lead again and again, and what they were answered, and when."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from support.services import demo_lead

LEAD = demo_lead()


class Answer(NamedTuple):
    """What became of one request; times are monotonic seconds.

    `error` is None for an answer of HTTP, ``refused`` where no connection was to be had (or was
    closed before a byte of the request was sent), ``lost`` where the request was sent and no whole
    answer came.
    """

    sent_s: float
    done_s: float
    status: int
    content: bytes
    head: bytes = b""
    error: str | None = None

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def model(self) -> tuple[int, str]:
        """The version and the fingerprint that the answer names."""
        named = self.body["model"]
        return named["version"], named["fingerprint"]

    @property
    def is_score(self) -> bool:
        return self.status == 200


def make_request(body: Any, path: str = "/v1/score", **headers: str) -> bytes:
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: here", "content-type: application/json",
             f"content-length: {len(content)}"]  # fmt: skip
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Load:
    """So many connections, each posting as soon as it has its answer, until left or stopped.

    With `numbered` each request has an ``X-Request-ID`` of its own. A connection that the service
    closes is opened anew; with `reconnect` off its client then leaves.
    """

    def __init__(
        self,
        port: int,
        connections: int = 8,
        pause_s: float = 0.0,
        lead: Any = LEAD,
        numbered: bool = False,
        reconnect: bool = True,
    ) -> None:
        self.answers: list[Answer] = []
        self._port, self._connections, self._pause_s = port, connections, pause_s
        self._lead, self._numbered, self._reconnect = lead, numbered, reconnect
        self._stopping = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._post()))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join(60.0)
        assert not self._thread.is_alive()

    def mark(self) -> int:
        """Return a place from which ``answers`` may be looked at later."""
        return len(self.answers)

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in list(self.answers) if not answer.is_score]

    async def _post(self) -> None:
        await asyncio.gather(*(self._one(client) for client in range(self._connections)))

    async def _one(self, client: int) -> None:
        plain, number, stream = make_request(self._lead), 0, None
        while not self._stopping:
            number += 1
            request = (
                make_request(self._lead, x_request_id=f"c{client}-{number}")
                if self._numbered
                else plain
            )
            sent_s = time.monotonic()
            try:
                if stream is None:
                    stream = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.answers.append(Answer(sent_s, time.monotonic(), 0, b"", error="refused"))
                if not self._reconnect:
                    return
                await asyncio.sleep(0.02)
                continue
            reader, writer = stream
            if reader.at_eof():  # closed by the service while nothing was asked: nothing is lost
                writer.close()
                stream = None
                if not self._reconnect:
                    return
                continue
            answer = await _ask(reader, writer, request)
            self.answers.append(answer)
            if answer.error is not None or b"connection: close" in answer.head.lower():
                writer.close()
                stream = None
                if not self._reconnect:
                    return
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
        if stream is not None:
            stream[1].close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Answer:
    sent_s = time.monotonic()
    try:
        writer.write(request)
        async with asyncio.timeout(40.0):
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            content = await reader.readexactly(int(length))
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return Answer(sent_s, time.monotonic(), 0, b"", error="lost")
    return Answer(sent_s, time.monotonic(), int(head[9:12]), content, head)


def p99_ms(answers: Sequence[Answer]) -> float:
    return 1000.0 * float(np.quantile([a.done_s - a.sent_s for a in answers], 0.99))


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Show what was measured; no test fails by the clock of a machine that others use too."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")
