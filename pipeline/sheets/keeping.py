"""Keep learned sheets in files, and never lose what somebody wrote into one by hand."""

import hashlib
from pathlib import Path

from pipeline.errors import ConfigError, RefusalError

_MARK = "# as learned: "
"""Begins the line with the digest of what follows it, by which a file edited by hand is known."""


def mark_learned(header: str, body: str) -> str:
    """Return the text of a file, with a mark between header and body that says it is unedited."""
    return f"{header}{_MARK}{_digest(body)}\n{body}"


def check_replaceable(path: Path, force: bool) -> None:
    """Check that nothing written by hand would be lost by writing a learned sheet to a path.

    Raises
    ------
    RefusalError
        If a file is there that was not learned, or was edited since; unless `force`.
    ConfigError
        If it cannot be read.
    """
    if force or not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the sheet cannot be written here: {error}") from error
    _, mark, rest = text.partition(_MARK)
    digest, _, body = rest.partition("\n")
    if not mark or _digest(body) != digest:
        raise RefusalError(
            f"{path}: this file was written or edited by hand and is left as it is; choose another "
            "with --write, or replace it with --force"
        )


def keep_sheet(text: str, path: Path) -> None:
    """Write a learned sheet, whole or not at all, making its folder.

    Raises
    ------
    ConfigError
        If it cannot be written there.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{path}: the sheet cannot be written here: {error}") from error


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
