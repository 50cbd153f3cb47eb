"""Who may ask for what: API keys, and a limit to failed attempts."""

from collections.abc import Callable

from serve.keys import LiveKeys
from serve.limiter import FailureLimiter
from serve.service.problems import Problem

OPEN_PATHS = frozenset(
    {"/livez", "/readyz", "/ping", "/health", "/version", "/openapi.json", "/openapi-3.0.json"}
)
METRICS_PATH = "/metrics"
_DOCS = "/docs"
_LOOK_EVERY_US = 1_000_000
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leadscore"'}


class Gate:
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
