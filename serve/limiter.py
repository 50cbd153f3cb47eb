"""How often an address may come with a key that is none."""

import math
import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

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
