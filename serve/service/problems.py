"""Errors as RFC 9457 has them: application/problem+json, never quoting the input."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

MEDIA_TYPE = b"application/problem+json"


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong in a request."""

    pointer: Annotated[str, Meta(description="JSON pointer (RFC 6901) into the body.")]
    detail: str


class ProblemDocument(msgspec.Struct, kw_only=True):
    """A problem as RFC 9457 has it. The input is never quoted."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


class Problem(Exception):
    """An answer that is no success.

    `detail` says what was found, what is expected and what to do, without any value of the request.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def to_document(self, request_id: str | None = None) -> ProblemDocument:
        """Return the problem as it is sent."""
        return ProblemDocument(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=self.faults or UNSET,
            request_id=request_id or UNSET,
        )

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as they are sent."""
        return [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]

    def to_bytes(self, request_id: str | None = None) -> bytes:
        """Return the problem as the body of an answer."""
        return msgspec.json.encode(self.to_document(request_id))


def join_pointer(*parts: str | int) -> str:
    """Return a JSON pointer.

    Examples
    --------
    >>> join_pointer("activities", 3, "a/b")
    '/activities/3/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
