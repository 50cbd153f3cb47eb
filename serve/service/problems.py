"""What goes wrong, told as RFC 9457 has it: application/problem+json, never quoting the input."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec

MEDIA_TYPE = b"application/problem+json"


class Fault(NamedTuple):
    """One thing that is wrong in a request: where, as a JSON pointer (RFC 6901), and what."""

    pointer: str
    detail: str


class Problem(Exception):
    """An answer that is no success.

    Parameters
    ----------
    status : int
        Of HTTP.
    detail : str
        What was found, what is expected, what to do; without any value of the request.
    faults : sequence of Fault
    headers : mapping of str to str
        To be sent along, ``Retry-After`` say.
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

    def to_json(self, request_id: str | None = None) -> dict[str, object]:
        """Return the problem as plain data."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            document["errors"] = [fault._asdict() for fault in self.faults]
        if request_id is not None:
            document["request_id"] = request_id
        return document

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as they are sent."""
        return [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]

    def to_bytes(self, request_id: str | None = None) -> bytes:
        """Return the problem as the body of an answer."""
        return msgspec.json.encode(self.to_json(request_id))


def join_pointer(*parts: str | int) -> str:
    """Return a JSON pointer.

    Examples
    --------
    >>> join_pointer("activities", 3, "a/b")
    '/activities/3/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
