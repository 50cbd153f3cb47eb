"""Times at the edge: text, numbers and datetimes become integer UTC microseconds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from leadscore.pipeline.errors import GAP
from leadscore.pipeline.values.fields import Closed, MisfitError

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
LAST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_BEYOND = f"{GAP} is beyond the years 1 to 9999"
_EPOCH_FORMATS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


class NoZoneError(MisfitError):
    """A time names no zone, and nothing else says which one is meant."""


class TimeSpec(Closed):
    """How a column of times is read.

    `format` is ``iso``, ``epoch_s``, ``epoch_ms``, ``epoch_us`` or a strptime pattern. `zone` is
    the zone of times that name none; without it such a time is an error.
    """

    column: str
    format: str = "iso"
    zone: Annotated[str, Field(min_length=1)] | None = None


def make_time_reader(spec: TimeSpec) -> Callable[[object], int | None]:
    """Return the function from one value of a time column to integer UTC microseconds.

    The function takes text, whole numbers (for the epoch formats), datetimes or None; the empty
    text is None. It raises MisfitError for what is no time, and NoZoneError for a time without a
    zone if the column declares none. In the hour that a clock change repeats, the first pass is
    meant.
    """
    zone = ZoneInfo(spec.zone) if spec.zone else None
    unit = _EPOCH_FORMATS.get(spec.format)

    def read(value: object) -> int | None:
        if value is None or value != value:
            return None
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
        if unit is not None:
            moment_us = _whole_number(value) * unit
            if not FIRST_US <= moment_us <= LAST_US:
                raise MisfitError(_BEYOND, repr(str(value)[:40]))
            return moment_us
        moment = _parse(value, spec.format)
        if moment.tzinfo is None:
            if zone is None:
                raise NoZoneError(
                    f"{GAP} names no time zone; give the column `zone:` in data.yaml",
                    repr(str(value)),
                )
            moment = moment.replace(tzinfo=zone)
        try:
            moment_us = (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        except OverflowError as error:
            raise MisfitError(_BEYOND, repr(str(value)[:40])) from error
        return moment_us

    return read


def read_moment(text: str) -> int:
    """Read a moment of the configuration or the command line as integer UTC microseconds.

    Raises ValueError if it is no ISO 8601 time; `NoZoneError` if it names no zone.
    """
    if _is_date(text):
        raise NoZoneError(
            f"{GAP} names no time and no zone; write for example {text}T00:00:00Z", repr(text)
        )
    try:
        moment = make_time_reader(TimeSpec(column="moment"))(text)
    except NoZoneError as error:
        raise NoZoneError(
            f"{GAP} names no zone; end it for example with Z or +01:00", repr(text)
        ) from error
    if moment is None:
        raise ValueError("empty where a time is expected")
    return moment


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(datetime.strptime(text, "%Y-%m-%d"))  # noqa: DTZ007
    except ValueError:
        return False


def _whole_number(value: object) -> int:
    try:
        if "_" in str(value):  # which Python would read over
            raise ValueError(value)
        return int(str(value))
    except ValueError as error:
        raise MisfitError(
            f"{GAP} where a whole number since 1970 is expected", repr(value)
        ) from error


def _parse(value: object, pattern: str) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        text = str(value)
        if pattern == "iso":
            return datetime.fromisoformat(text)
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the caller adds the zone
    except ValueError as error:
        raise MisfitError(
            f"{GAP} where a time is expected ({pattern})", repr(str(value)[:40])
        ) from error


def days_to_us(days: float) -> int:
    """Return a number of days as whole microseconds.

    >>> days_to_us(0.5)
    43200000000
    """
    return round(days * DAY_US)


def format_time(moment_us: int) -> str:
    """Write integer UTC microseconds as ISO 8601 with a Z.

    >>> format_time(0)
    '1970-01-01T00:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat().replace("+00:00", "Z")
