"""A process that must not outlive the one that started it, nor hang in a call that never ends."""

import os
import threading
import time
from collections.abc import Callable

_LOOK_S = 0.5


class Watchdog:
    """Watches this process from a thread, and ends it if it cannot end by itself.

    It ends when its `parent` is gone, a second after `stop` is set, and when `hung_after_s` seconds
    pass between two calls of ``beat``; `report` is called before that last end.
    """

    def __init__(
        self, parent: int, stop: threading.Event, hung_after_s: float, report: Callable[[], None]
    ) -> None:
        self._parent = parent
        self._stop = stop
        self._hung_after_s = hung_after_s
        self._report = report
        self._beaten_s = time.monotonic()

    def beat(self) -> None:
        """Note that this process makes progress."""
        self._beaten_s = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        stopping = False
        while os.getppid() == self._parent and not stopping:
            if time.monotonic() - self._beaten_s > self._hung_after_s:
                self._report()
                os._exit(1)
            stopping = self._stop.wait(_LOOK_S)
        time.sleep(1.0)  # in which it may end by itself
        os._exit(0)
