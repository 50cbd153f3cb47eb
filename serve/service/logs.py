"""What the service's processes log: one JSON object a line, on stderr, without personal data.

Only names, numbers and words of this program are ever given to it: no body, no header, no address,
no key, no id of a lead.
"""

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

Logger = structlog.typing.FilteringBoundLogger


class _Stderr:
    """stderr without its errors: on a full disk a line is lost, and no answer with it."""

    def write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.buffer.write(line)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.buffer.flush()


def _render(_: object, __: str, event: MutableMapping[str, Any]) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


def make_logger(process: str) -> Logger:
    """Return the logger of a process, with its name in every line."""
    logger: Logger = structlog.wrap_logger(
        structlog.BytesLogger(_Stderr()),  # type: ignore[arg-type]
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        process=process,
    )
    return logger


class LogHandler(logging.Handler):
    """Pass on what libraries log, by its name and level; their texts may quote a request."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log where a record came from, and the constant part of its message."""
        kind = None if record.exc_info is None or record.exc_info[0] is None else (
            record.exc_info[0].__name__
        )  # fmt: skip
        self._logger.warning("library", logger=record.name, message=record.msg, exception=kind)
