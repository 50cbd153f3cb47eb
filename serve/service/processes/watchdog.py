"""A process that must not outlive the one that started it, nor hang in a call that never ends."""

import os
import threading
import time
from collections.abc import Callable

_LOOK_S = 0.5


class Watchdog:
    """Looks at this process from a thread, and ends it where it cannot end by itself.

    Parameters
    ----------
    parent : int
        The process that started this one; when it is gone, so is this one.
    stop : threading.Event
        Set when this process was told to stop; it then has a second to do so.
    hung_after_s : float
        So long may pass between two calls of ``beat``.
    tell : callable
        Called before a process that hangs is ended.
    """

    def __init__(
        self, parent: int, stop: threading.Event, hung_after_s: float, tell: Callable[[], None]
    ) -> None:
        self._parent = parent
        self._stop = stop
        self._hung_after_s = hung_after_s
        self._tell = tell
        self._beaten_s = time.monotonic()

    def beat(self) -> None:
        """Say that this process gets on."""
        self._beaten_s = time.monotonic()

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        told_to_stop = False
        while os.getppid() == self._parent and not told_to_stop:
            if time.monotonic() - self._beaten_s > self._hung_after_s:
                self._tell()
                os._exit(1)
            told_to_stop = self._stop.wait(_LOOK_S)
        time.sleep(1.0)  # in which it may end by itself
        os._exit(0)
