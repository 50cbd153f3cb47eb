"""The file of API keys as commands write it: a key is made once, and only its digest is kept."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from leadscore.pipeline.errors import ConfigError, NotFoundError
from leadscore.pipeline.values.times import days_to_us, format_time
from leadscore.serve.service.auth.keys import PREFIX, SCOPES, Document, KeyRecord, read_keys

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
