"""Long work on the event loop: it gives way to other requests, and ends in time."""

import asyncio
import time

from serve.service.problems import Problem

_TURN_S = 0.005
_DEADLINE_S = 10.0


class Turns:
    """The turns of one request with many leads: ask for the next one after each lead."""

    def __init__(self) -> None:
        self._began = self._turn = time.monotonic()

    async def give_way(self) -> None:
        """Let other requests go first if this turn was long.

        Raises
        ------
        Problem
            503 if the request as a whole takes too long.
        """
        if time.monotonic() - self._turn <= _TURN_S:
            return
        await asyncio.sleep(0)
        self._turn = time.monotonic()
        if self._turn - self._began > _DEADLINE_S:
            raise Problem(503, "the batch took too long; send fewer leads at once",
                          headers={"Retry-After": "5"})  # fmt: skip
