"""A request: decoded, typed strictly, and every fault told by its place."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

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


class UsualActivity(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One activity as most are written: without `recorded_at`, its time read when it is decoded."""

    kind: str
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    activity_id: str | None = None
    properties: dict[str, Scalar] | None = None


class LeadBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for one lead, as CONTRACTS has it; decoded as one of those below."""

    lead_id: str
    given_profile: dict[str, Scalar] | None = msgspec.field(default=None, name="profile")
    activities: list[ActivityBody] | list[UsualActivity] | None = None
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


class _UsualLead(LeadBody, forbid_unknown_fields=True):
    activities: list[UsualActivity] | None = None


class _LeadInTexts(LeadBody, forbid_unknown_fields=True):
    activities: list[ActivityBody] | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for many leads, each decoded on its own."""

    leads: list[msgspec.Raw]


_USUAL_LEAD = msgspec.json.Decoder(_UsualLead)
_LEAD = msgspec.json.Decoder(_LeadInTexts)
_BATCH = msgspec.json.Decoder(BatchBody)
_PLACE = re.compile(r" - at `\$(.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_QUOTED = "Invalid enum value"  # msgspec goes on with the value, which is not to be repeated
_FINER_THAN_US = re.compile(rb"\.[0-9]{7}")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def decode_lead(text: bytes | msgspec.Raw) -> LeadBody:
    """Decode the body of a request for one lead.

    Its activities are ``UsualActivity`` if all of them can be without any loss, else
    ``ActivityBody``. Of a key that stands twice in one object the last counts.

    Raises
    ------
    Problem
        400 if it is no JSON; 422 if it does not fit, with the place.
    """
    text = bytes(text)
    if _has_usual_times(text):
        try:
            return _USUAL_LEAD.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # what is wrong, if anything is, is told below
    try:
        return _LEAD.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _tell(text, error) from None


def _has_usual_times(text: bytes) -> bool:
    """Say whether there are times, and msgspec reads all of them as ``TimeReader`` does.

    It would round what is finer than microseconds, and times are cut off there; a dot written as an
    escape could hide that. Nothing behind the last dot need be looked at.
    """
    if b'"occurred_at"' not in text or b"\\" in text:
        return False
    return _FINER_THAN_US.search(text, 0, text.rfind(b".") + 8) is None


def decode_batch(text: bytes, most_leads: int) -> list[msgspec.Raw]:
    """Split the body of a request for many leads into the texts of each; see ``decode_lead``."""
    try:
        leads = _BATCH.decode(text).leads
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _tell(text, error) from None
    if not 1 <= len(leads) <= most_leads:
        raise Problem(
            422, f"{len(leads)} leads in one request",
            [Fault("/leads", f"1 to {most_leads:,} leads are expected, found {len(leads):,}")],
        )  # fmt: skip
    return leads


def _tell(text: bytes, error: Exception) -> Problem:
    if not isinstance(error, msgspec.ValidationError):
        reason = "nested too deep" if isinstance(error, RecursionError) else _first(error)
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


def _first(error: Exception) -> str:
    """Return what a decoder says, which never quotes more than the place."""
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


def find_type_faults(
    values: Mapping[str, Any], types: Mapping[str, type], where: str
) -> Iterator[Fault]:
    """Yield a fault for every value that is not of its field's JSON type; null is missing.

    Parameters
    ----------
    values : mapping of str to str, int, float, bool or None
        Names that `types` does not know are passed over.
    types : mapping of str to type
        str, float or bool; a whole number is a number, a boolean is none.
    where : str
        The part of the request, for the pointer.
    """
    for name, value in values.items():
        wanted = types.get(name)
        if wanted is None or value is None or type(value) is wanted:
            continue
        if wanted is float and type(value) is int:
            continue
        yield Fault(
            join_pointer(where, name),
            f"a {JSON_WORD[type(value)]} where a {JSON_WORD[wanted]} or null is expected",
        )
