"""API keys: their digests in a file, which commands write and the service checks."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from leadscore.pipeline.errors import ConfigError, LeadscoreError, NotFoundError
from leadscore.pipeline.values.times import days_to_us, format_time, read_moment

Scope = Literal["score", "metrics"]
SCOPES: Final[tuple[Scope, ...]] = ("score", "metrics")
PREFIX = "lsk_"
KEY_LENGTH = len(PREFIX) + 43
"""The prefix and 256 random bits in base64url."""

_CHECK_EVERY_US = 1_000_000
_LARGEST_FILE = 10_000_000

_Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Signature = tuple[int, int, int]


class KeyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of one key. Moments are ISO 8601 with a zone; the key itself is not here."""

    id: _Id
    name: str
    sha256: _Sha256
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1)]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None

    def state(self, now_us: int) -> Literal["valid", "expired", "revoked"]:
        """Return whether the key opens anything at this moment."""
        if self.revoked_at is not None:
            return "revoked"
        is_over = self.expires_at is not None and read_moment(self.expires_at) <= now_us
        return "expired" if is_over else "valid"

    def to_json(self) -> dict[str, object]:
        """Return what people may see of the key: everything but its digest."""
        shown = msgspec.structs.asdict(self)
        del shown["sha256"]
        return {**shown, "scopes": list(self.scopes)}


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of keys."""

    schema_version: Literal[1]
    keys: tuple[KeyRecord, ...]


Verdict = Literal["ok", "missing", "unknown", "forbidden"]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one reading of the file. An empty ring lets nobody in."""

    keys: tuple[KeyRecord, ...] = ()

    def check(self, authorization: str | None, scope: str, now_us: int) -> Verdict:
        """Return whether a request may do what `scope` names.

        A key that is garbled, unknown, expired or revoked gets the same verdict, and the digest is
        compared with every key to the end: neither the answer nor its time shows which it was.
        `authorization` is the header's value, ``Bearer lsk_...``; None or empty if there is none.
        """
        if not authorization:
            return "missing"
        scheme, _, token = authorization.partition(" ")
        token = token.strip(" ")
        if len(token) != KEY_LENGTH or scheme.lower() != "bearer":
            return "unknown"
        given = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        for key in self.keys:
            if compare_digest(key.sha256, given):
                found = key
        if found is None or found.state(now_us) != "valid":
            return "unknown"
        return "ok" if scope in found.scopes else "forbidden"


class LiveKeys:
    """The keys of a file that may change while the service runs.

    If the file vanishes or has a mistake, the keys stay as they were: it lets nobody in, and it
    shuts nobody out who has a key. `report` is called with one line when the file can no longer be
    read, and with None when it can again.
    """

    def __init__(self, path: Path, report: Callable[[str | None], None]) -> None:
        self.path = path
        self._report = report
        self._ring = KeyRing()
        self._signature: _Signature | None = None
        self._checked_us: int | None = None
        self._problem: str | None = None

    def load(self) -> None:
        """Read the file as a service that starts must.

        Raises NotFoundError if there is no such file, and ConfigError if it has a mistake.
        """
        keys, self._signature = _read(self.path)
        self._ring = KeyRing(keys)

    def current(self, now_us: int) -> KeyRing:
        """Return the keys, read anew if the file has changed; that is checked once a second."""
        if self._checked_us is not None and 0 <= now_us - self._checked_us < _CHECK_EVERY_US:
            return self._ring
        self._checked_us = now_us
        try:
            if self._signature is None or _sign(os.stat(self.path)) != self._signature:
                self.load()
            self._set_problem(None)
        except OSError as error:
            self._set_problem(f"{self.path}: {error.strerror}")
        except LeadscoreError as error:
            self._signature = None  # so that it is tried again whatever the clock of the disk says
            self._set_problem(str(error))
        return self._ring

    def _set_problem(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            self._report(problem)


def read_keys(path: Path) -> tuple[KeyRecord, ...]:
    """Read what is kept of the keys.

    Raises NotFoundError if there is no such file, and ConfigError if it cannot be read or has a
    mistake.
    """
    return _read(path)[0]


def _sign(status: os.stat_result) -> _Signature:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> tuple[tuple[KeyRecord, ...], _Signature]:
    try:
        with path.open("rb") as stream:
            signature = _sign(os.fstat(stream.fileno()))
            text = stream.read(_LARGEST_FILE)
        keys = msgspec.json.decode(text, type=Document).keys
        _check(keys)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"{path}: no such file; create a key with leadscore keys create --name NAME "
            f"--keys {path}"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return keys, signature


def _check(keys: Sequence[KeyRecord]) -> None:
    for field in ("id", "sha256"):
        values = [getattr(key, field) for key in keys]
        if len(set(values)) < len(values):
            raise ValueError(f"two keys have the same {field}")
    for key in keys:
        for moment in (key.created_at, key.expires_at, key.revoked_at):
            if moment is not None:
                read_moment(moment)


LONGEST_NAME = 100


class NewKey(NamedTuple):
    """A key on the only occasion that it can be read."""

    key: str
    record: KeyRecord


def create_key(
    path: Path, name: str, scopes: Sequence[str], now_us: int, days: float | None = None
) -> NewKey:
    """Make a key and keep its digest.

    The file is made if there is none. `scopes` are any of `SCOPES`; without `days` the key does not
    expire. Raises ConfigError if the name cannot be shown, a scope is unknown, or the file has a
    mistake.
    """
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        raise ConfigError(f"--name: 1 to {LONGEST_NAME} characters that can be shown are needed")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ConfigError(f"--scope: found {unknown or 'none'}, expected any of {list(SCOPES)}")
    key = PREFIX + secrets.token_urlsafe(32)
    with _locked(path):
        try:
            keys = read_keys(path)
        except NotFoundError:
            keys = ()
        taken = {other.id for other in keys}
        record = KeyRecord(
            id=next(made for made in iter(lambda: secrets.token_hex(4), "") if made not in taken),
            name=name,
            sha256=sha256(key.encode()).hexdigest(),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created_at=format_time(now_us),
            expires_at=None if days is None else format_time(now_us + days_to_us(days)),
        )
        _write(path, (*keys, record))
    return NewKey(key, record)


def revoke_key(path: Path, key_id: str, now_us: int) -> KeyRecord:
    """Make a key open nothing from now on; one that was revoked before keeps that moment.

    Raises NotFoundError if there is no such file or no such key in it, and ConfigError if the file
    has a mistake.
    """
    with _locked(path):
        keys = read_keys(path)
        found = next((key for key in keys if key.id == key_id), None)
        if found is None:
            raise NotFoundError(f"{path}: no key {key_id!r}; leadscore keys list names them all")
        if found.revoked_at is not None:
            return found
        revoked = msgspec.structs.replace(found, revoked_at=format_time(now_us))
        _write(path, tuple(revoked if key is found else key for key in keys))
    return revoked


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one command at a time change the file: a revocation must not be overwritten."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def _write(path: Path, keys: tuple[KeyRecord, ...]) -> None:
    target = path.resolve()  # a link stays a link
    document = msgspec.json.encode(Document(schema_version=1, keys=keys))
    text = msgspec.json.format(document, indent=1) + b"\n"
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.unfinished")
    file = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a crash could bring a revoked key back
    finally:
        os.close(folder)
