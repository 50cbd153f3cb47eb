"""The body of a request: decoded, typed strictly, every fault with its place."""

import json
import re
from typing import Literal

import msgspec

from leadscore.serve.service.problems import Fault, Problem, join_pointer

MOST_ACTIVITIES = 5_000
LONGEST_ID = 256
LONGEST_NAME = 80
JSON_WORD = {str: "string", float: "number", int: "number", bool: "boolean"}
Scalar = str | int | float | bool | None


class ActivityBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One activity of a request."""

    kind: str
    occurred_at: str
    recorded_at: str | None = None
    activity_id: str | None = None
    properties: dict[str, Scalar] | None = None


class LeadBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for one lead."""

    lead_id: str
    given_profile: dict[str, Scalar] | None = msgspec.field(default=None, name="profile")
    activities: list[ActivityBody] | None = None
    given_signals: dict[str, Scalar] | None = msgspec.field(default=None, name="signals")
    created_at: str | None = None
    as_of: str | None = None
    previous_band: Literal["cold", "MQL", "SQL"] | None = None

    @property
    def profile(self) -> dict[str, Scalar]:
        """The fields; null is none."""
        return self.given_profile or {}

    @property
    def signals(self) -> dict[str, Scalar]:
        """The ready values; null is none."""
        return self.given_signals or {}


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for many leads, each decoded on its own."""

    leads: list[msgspec.Raw]


_LEAD = msgspec.json.Decoder(LeadBody)
_BATCH = msgspec.json.Decoder(BatchBody)
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_PLACE = re.compile(r" - at `\$(.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_QUOTED = "Invalid enum value"  # msgspec goes on with the value, which is not to be repeated
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def decode_lead(text: bytes | msgspec.Raw) -> LeadBody:
    """Decode the body of a request for one lead.

    If a key stands twice in one object, the last one counts. Raises Problem: 400 if it is no JSON;
    422 if it does not fit, with the place.
    """
    try:
        return _LEAD.decode(text)
    except _UNDECODABLE as error:
        raise _describe_failure(bytes(text), error) from None


def decode_batch(text: bytes, most_leads: int) -> list[msgspec.Raw]:
    """Split the body of a request for many leads into the texts of each; see ``decode_lead``."""
    try:
        leads = _BATCH.decode(text).leads
    except _UNDECODABLE as error:
        raise _describe_failure(text, error) from None
    if not 1 <= len(leads) <= most_leads:
        raise Problem(
            422, f"{len(leads)} leads in one request",
            [Fault("/leads", f"1 to {most_leads:,} leads are expected, found {len(leads):,}")],
        )  # fmt: skip
    return leads


def _describe_failure(text: bytes, error: Exception) -> Problem:
    if not isinstance(error, msgspec.ValidationError):
        reason = _describe_syntax_error(error)
        return Problem(400, f"the body is no JSON in UTF-8: {reason}")
    message = str(error)
    found = _PLACE.search(message)
    what = message if found is None else message[: found.start()]
    pointer = "" if found is None else _find_pointer(text, found[1])
    unknown = _UNKNOWN.fullmatch(what)
    if unknown is not None:
        pointer += join_pointer(unknown[1][:LONGEST_NAME])
        what = "an unknown field; is it misspelt?"
    elif what.startswith(_QUOTED):
        what = "cold, MQL, SQL or null is expected"
    return Problem(422, "the request does not fit", [Fault(pointer, what.replace("`", ""))])


def _describe_syntax_error(error: Exception) -> str:
    """Return what a decoder found, which quotes nothing but a position."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"a byte that is no UTF-8 at position {error.start}"
    return str(error)


def _find_pointer(text: bytes, path: str) -> str:
    """Turn msgspec's path into a JSON pointer; it does not name keys of maps, so look for them."""
    steps = [name or index for name, index in _STEP.findall(path)]
    if "..." not in steps:
        return join_pointer(*steps)
    place = steps.index("...")
    try:
        document = json.loads(text)
        for step in steps[:place]:
            document = document[int(step) if isinstance(document, list) else step]
        wrong = next(key for key, value in document.items() if not _is_scalar(value))
    except (ValueError, LookupError, TypeError, RecursionError, StopIteration, AttributeError):
        return join_pointer(*steps[:place])
    return join_pointer(*steps[:place], wrong)


def _is_scalar(value: object) -> bool:
    if isinstance(value, list | dict):
        return False
    return not (isinstance(value, float) and value in (float("inf"), float("-inf")))


def find_type_fault(name: str, value: Scalar, wanted: type, where: str) -> Fault | None:
    """Return a fault if a value is not of its field's JSON type; null is missing.

    A whole number is a number, a boolean is none. `where` is the part of the request, for the
    pointer.
    """
    given = type(value)
    if value is None or given is wanted or (wanted is float and given is int):
        return None
    return Fault(
        join_pointer(where, name),
        f"a {JSON_WORD[given]} where a {JSON_WORD[wanted]} or null is expected",
    )
