"""Who may ask for what: API keys, and a limit to failed attempts."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from leadscore.serve.service.auth.keys import LiveKeys
from leadscore.serve.service.problems import Problem

OPEN_PATHS = frozenset(
    {"/livez", "/readyz", "/ping", "/health", "/version", "/openapi.json", "/openapi-3.0.json"}
)
METRICS_PATH = "/metrics"
_DOCS = "/docs"
_LOOK_EVERY_US = 1_000_000
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leadscore"'}


class AccessControl:
    """Let a request in, or refuse it. Every path needs a key that is not named as open.

    Parameters
    ----------
    keys : LiveKeys or None
        None if no keys are asked for.
    from_when_made : bool
        Whether none are asked for before their file is there: on the loopback.
    count_failure : callable
        Told the reason of every refusal.
    clock : callable
        Returns the time in UTC microseconds.
    """

    def __init__(
        self,
        keys: LiveKeys | None,
        from_when_made: bool,
        count_failure: Callable[[str], None],
        clock: Callable[[], int],
    ) -> None:
        self._keys = keys
        self._waiting = from_when_made
        self._looked_us = 0
        self._count_failure = count_failure
        self._clock = clock
        self._limiter = FailureLimiter()

    def asks(self, now_us: int) -> bool:
        """Say whether keys are asked for; whether their file is there now, once a second."""
        if self._keys is None:
            return False
        if self._waiting and now_us - self._looked_us > _LOOK_EVERY_US:
            self._looked_us = now_us
            self._waiting = not self._keys.path.is_file()
        return not self._waiting

    def admit(self, path: str, headers: dict[bytes, bytes], client: tuple[str, int] | None) -> None:
        """Return if the request may go on.

        Raises
        ------
        Problem
            401 without a good key, 403 if the key's scopes lack what is asked for, 429 after too
            many failures from one address.
        """
        if self._keys is None or path in OPEN_PATHS or path.startswith(_DOCS):
            return
        now_us = self._clock()
        if not self.asks(now_us):
            return
        wanted = "metrics" if path == METRICS_PATH else "score"
        given = headers.get(b"authorization")
        outcome = self._keys.current(now_us).check(
            None if given is None else given.decode("latin-1"), wanted, now_us
        )
        if outcome.verdict == "ok":
            return
        self._count_failure(outcome.verdict)
        wait_s = self._limiter.note_failure(client[0] if client else "")
        if wait_s is not None:
            raise Problem(429, "too many failed attempts from this address",
                          headers={"Retry-After": str(wait_s)})  # fmt: skip
        if outcome.verdict == "forbidden":
            raise Problem(403, f"this key has no scope {wanted!r}")
        if outcome.verdict == "missing":
            raise Problem(401, "a key is needed: Authorization: Bearer lsk_...", headers=_CHALLENGE)
        raise Problem(401, "this key is not known here", headers=_CHALLENGE)


FAILURES_A_MINUTE = 20
MOST_ADDRESSES = 1_000  # the store looks all of them over after a failure, 2 ms for a thousand
_NETWORK_BITS = 64


class FailureLimiter:
    """Counts failed attempts by address, in this process and for a minute.

    A valid key is never asked about: 256 random bits cannot be guessed, and behind a proxy all
    callers share one address. What is held off is the noise. The addresses longest without a
    failure are forgotten beyond `most_addresses`, so that memory stays bounded.

    Parameters
    ----------
    failures_a_minute, most_addresses : int
    """

    def __init__(
        self, failures_a_minute: int = FAILURES_A_MINUTE, most_addresses: int = MOST_ADDRESSES
    ) -> None:
        self._limit = RateLimitItemPerMinute(failures_a_minute)
        self._storage = MemoryStorage()
        self._window = MovingWindowRateLimiter(self._storage)
        self._most_addresses = most_addresses
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def note_failure(self, address: str) -> int | None:
        """Count a failed attempt and say how long its address has to wait.

        Parameters
        ----------
        address : str
            IPv4, IPv6 (of which the first 64 bits count, as one caller has them all) or any text.

        Returns
        -------
        int or None
            Seconds, at least 1; None while the address is within the limit.
        """
        caller = _to_caller(address)
        self._addresses[caller] = None
        self._addresses.move_to_end(caller)
        if len(self._addresses) > self._most_addresses:
            self._forget(self._addresses.popitem(last=False)[0])
        if self._window.hit(self._limit, caller):
            return None
        reset = self._window.get_window_stats(self._limit, caller).reset_time
        return max(1, math.ceil(reset - time.time()))

    def _forget(self, caller: str) -> None:
        # The store never drops an address by itself, and sweeps in a thread: hence its own lock.
        key = self._limit.key_for(caller)
        with self._storage.locks[key]:
            self._storage.clear(key)


def _to_caller(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return f"{int(known) >> _NETWORK_BITS:x}::/{_NETWORK_BITS}"
