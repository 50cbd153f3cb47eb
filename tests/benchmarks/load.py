"""A load of requests: so many connections, each sending the next request when it is answered.

Run as a process of its own, so that it takes its own core: ``python load.py PORT CONNECTIONS
SECONDS PATH`` with the body on stdin; it prints requests, seconds, and the times of answers.
"""

import asyncio
import json
import sys
import time

import uvloop


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, stop_at: float, times: list[float]) -> None:
        self._request, self._stop_at, self._times = request, stop_at, times
        self._need, self._held = -1, b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._need < 0:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._held[:end].lower()
            assert head.startswith(b"http/1.1 200"), self._held[:600]
            begin = head.index(b"content-length:") + 15
            length = head[begin : head.find(b"\r\n", begin) if b"\r\n" in head[begin:] else None]
            self._need = end + 4 + int(length)
        if len(self._held) < self._need:
            return
        self._held, self._need = self._held[self._need :], -1
        now = time.perf_counter()
        self._times.append(now - self._began)
        if now < self._stop_at:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("closed by the server"))


async def load(port: int, connections: int, seconds: float, path: str, body: bytes) -> None:
    request = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body
    loop = asyncio.get_running_loop()
    times: list[float] = []
    began = time.perf_counter()
    made = [
        await loop.create_connection(
            lambda: Connection(request, began + seconds, times), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    took = time.perf_counter() - began
    times.sort()
    print(json.dumps({  # noqa: T201
        "requests": len(times), "seconds": took,
        "p50_ms": 1e3 * times[len(times) // 2], "p99_ms": 1e3 * times[int(0.99 * len(times))],
    }))  # fmt: skip


if __name__ == "__main__":
    port, connections, seconds, path = sys.argv[1:5]
    uvloop.run(load(int(port), int(connections), float(seconds), path, sys.stdin.buffer.read()))
