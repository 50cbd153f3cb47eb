"""Who may ask for what: API keys, and a limit to failed attempts."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from cachetools import TTLCache

from leadscore.serve.service.auth.keys import LiveKeys
from leadscore.serve.service.problems import Problem

OPEN_PATHS = frozenset(
    {"/livez", "/readyz", "/ping", "/health", "/version", "/openapi.json", "/openapi-3.0.json"}
)
METRICS_PATH = "/metrics"
_DOCS = "/docs"
_CHECK_EVERY_US = 1_000_000
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leadscore"'}


@dataclass
class AccessControl:
    """Let a request in, or refuse it. Every path needs a key unless it is one of ``OPEN_PATHS``.

    `keys` is None if no keys are needed. With `from_when_made` none is needed before their file
    exists. `count_failure` gets the reason of every refusal; `clock` returns UTC microseconds.
    """

    keys: LiveKeys | None
    from_when_made: bool
    count_failure: Callable[[str], None]
    clock: Callable[[], int]
    _checked_us: int = 0
    _limiter: "FailureLimiter" = field(default_factory=lambda: FailureLimiter())

    def needs_keys(self, now_us: int) -> bool:
        """Return whether keys are needed, which is checked once a second while they are not."""
        if self.keys is None:
            return False
        if self.from_when_made and now_us - self._checked_us > _CHECK_EVERY_US:
            self._checked_us = now_us
            self.from_when_made = not self.keys.path.is_file()
        return not self.from_when_made

    def authorize(
        self, path: str, headers: dict[bytes, bytes], client: tuple[str, int] | None
    ) -> None:
        """Return if the request may go on.

        Raises Problem: 401 without a good key, 403 if the key lacks the scope, 429 after too many
        failures from one address.
        """
        if self.keys is None or path in OPEN_PATHS or path.startswith(_DOCS):
            return
        now_us = self.clock()
        if not self.needs_keys(now_us):
            return
        wanted = "metrics" if path == METRICS_PATH else "score"
        given = headers.get(b"authorization")
        verdict = self.keys.current(now_us).check(
            None if given is None else given.decode("latin-1"), wanted, now_us
        )
        if verdict == "ok":
            return
        self.count_failure(verdict)
        wait_s = self._limiter.note_failure(client[0] if client else "")
        if wait_s is not None:
            raise Problem(429, "too many failed attempts from this address",
                          headers={"Retry-After": str(wait_s)})  # fmt: skip
        if verdict == "forbidden":
            raise Problem(403, f"this key has no scope {wanted!r}")
        if verdict == "missing":
            raise Problem(401, "a key is needed: Authorization: Bearer lsk_...", headers=_CHALLENGE)
        raise Problem(401, "this key is not known here", headers=_CHALLENGE)


FAILURES_A_MINUTE = 20
MOST_ADDRESSES = 1_000
_MINUTE_S = 60.0
_NETWORK_BITS = 64


class FailureLimiter:
    """Counts the failed attempts of each address over the last minute, in this process.

    A valid key never passes through here: 256 random bits cannot be guessed, and behind a proxy all
    callers share one address. The limit keeps noise away. Beyond `most_addresses`, the addresses
    that have had no failure for the longest time are forgotten, so memory stays bounded. `clock`
    returns seconds that never go back.
    """

    def __init__(
        self,
        failures_a_minute: int = FAILURES_A_MINUTE,
        most_addresses: int = MOST_ADDRESSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures_a_minute
        self._clock = clock
        self._failures: TTLCache[str, deque[float]] = TTLCache(most_addresses, _MINUTE_S, clock)

    def note_failure(self, address: str) -> int | None:
        """Count a failed attempt and return how long its address has to wait.

        The wait is in seconds, at least 1; it is None while the address is within the limit. Of an
        IPv6 address the first 64 bits count, since one caller has them all.
        """
        caller, now_s = _to_caller(address), self._clock()
        failures = self._failures.pop(caller, None) or deque(maxlen=self._most)
        is_over = len(failures) == self._most and now_s - failures[0] < _MINUTE_S
        if not is_over:
            failures.append(now_s)
        self._failures[caller] = failures  # anew, so that it is kept for another minute
        return max(1, math.ceil(failures[0] + _MINUTE_S - now_s)) if is_over else None


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
