"""One value of one field, from what a file or a request holds to what a signal reads.

Files and requests go through the same functions, so a value means the same in training and in
service.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FieldType = Literal["text", "number", "flag"]
Normalised = str | float | None
Normaliser = Callable[[object], Normalised]

DAY_US = 86_400_000_000
LONGEST_TEXT = 10_000
LARGEST_NUMBER = 1e300
TRUE_WORDS = ("true", "yes", "y", "t", "1", "si", "sí")
FALSE_WORDS = ("false", "no", "n", "f", "0")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_MARKED = re.compile(r"[+-]?\d{1,3}([.,'\s]\d{3})*([.,]\d+)?")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_EXACT = 2.0**53
_SWAPPED = str.maketrans(",.", ".,")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
LAST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_EPOCH_FORMATS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


def _word(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("text is expected; put it in quotes")
    return _clean(str(value)) if isinstance(value, str | int) else value


Word = Annotated[str, BeforeValidator(_word)]
"""Text in a configuration, cleaned as the texts of a file are.

A whole number is taken for its digits; true and false are refused.
"""


class FieldSpec(BaseModel):
    """How the values of one field are read.

    `missing` lists texts that mean "left blank", beside the empty text. `true` and `false` are the
    words of a flag, in any case. `decimal` is the decimal mark of numbers in text, `thousands` the
    mark between groups of three digits; a blank stands for any kind of space.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: FieldType = "text"
    missing: tuple[Word, ...] = ()
    true: tuple[Word, ...] = TRUE_WORDS
    false: tuple[Word, ...] = FALSE_WORDS
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None

    @model_validator(mode="after")
    def _check_marks(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"thousands and decimal are both {self.decimal!r}")
        return self


class TimeSpec(BaseModel):
    """How a column of times is read.

    `format` is ``iso``, ``epoch_s``, ``epoch_ms``, ``epoch_us`` or a strptime pattern. `zone` is
    the zone of times that name none; without it such a time is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    format: str = "iso"
    zone: Annotated[str, Field(min_length=1)] | None = None


def make_normaliser(spec: FieldSpec) -> Normaliser:
    """Return the function that normalises one value of a field.

    Missing are None, the empty text, white space, NaN and the texts in ``spec.missing``. Text is
    stripped and brought to Unicode's NFC; numbers and flags become floats (a flag 0.0 or 1.0).

    Parameters
    ----------
    spec : FieldSpec

    Returns
    -------
    callable
        Takes str, int, float, bool or None; returns str, float or None. It raises ValueError with
        what was found and what was expected where the value does not fit the type.
    """
    missing = {"", *(_clean(text) for text in spec.missing)}
    missing_numbers = {float(text) for text in missing if _NUMBER.fullmatch(text)}
    convert = _CONVERT[spec.type]

    def normalise(value: object) -> Normalised:
        if value is None or value != value:
            return None
        if isinstance(value, str):
            value = _clean(value)
            if value in missing:
                return None
        elif isinstance(value, list | tuple | dict):
            raise ValueError(f"a {type(value).__name__} where a {spec.type} is expected")
        found = convert(value, spec)
        blank = found in missing if isinstance(found, str) else found in missing_numbers
        return None if spec.type != "flag" and blank else found

    return normalise


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _to_text(value: object, _: FieldSpec) -> str:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"text of {len(value)} characters, at most {LONGEST_TEXT} are taken")
        if _UNWRITABLE.search(value):
            raise ValueError("text with a NUL character or half a surrogate pair")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))  # a whole number that shared its column with blanks
    raise ValueError(f"{type(value).__name__} {value!r} where text is expected")


def _to_number(value: object, spec: FieldSpec) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{type(value).__name__} {value!r} where a number is expected")
    if isinstance(value, str):
        text = value if spec.thousands is None else _join_groups(value, spec)
        text = text.translate(_SWAPPED) if spec.decimal == "," else text
        if not _NUMBER.fullmatch(text):
            unclear = spec.thousands is None and _MARKED.fullmatch(value)
            hint = " (see `decimal` and `thousands` of the field in data.yaml)" if unclear else ""
            raise ValueError(f"{value[:40]!r} where a number is expected{hint}")
        value = text
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise ValueError(f"a number beyond {LARGEST_NUMBER:g}")
    return number + 0.0  # which makes -0 a plain 0


def _join_groups(text: str, spec: FieldSpec) -> str:
    """Drop the marks between groups of three digits; a text grouped otherwise stays as it is."""
    mark = r"\s" if spec.thousands == " " else re.escape(spec.thousands or "")
    grouped = rf"([+-]?\d{{1,3}}(?:{mark}\d{{3}})+)((?:{re.escape(spec.decimal)}\d*)?)"
    found = re.fullmatch(grouped, text)
    return text if found is None else re.sub(mark, "", found[1]) + found[2]


def _to_flag(value: object, spec: FieldSpec) -> float:
    if isinstance(value, bool):  # the truth itself, whatever the words for it
        return float(value)
    word = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value)
    word = word.casefold()
    if word in {_clean(text).casefold() for text in spec.true}:
        return 1.0
    if word in {_clean(text).casefold() for text in spec.false}:
        return 0.0
    known = ", ".join([*spec.true, *spec.false])
    raise ValueError(f"{str(value)[:40]!r} where a flag is expected (one of {known})")


_CONVERT: dict[FieldType, Callable[[object, FieldSpec], Normalised]] = {
    "text": _to_text,
    "number": _to_number,
    "flag": _to_flag,
}


def make_time_reader(spec: TimeSpec) -> Callable[[object], int | None]:
    """Return the function from one value of a time column to integer UTC microseconds.

    Returns
    -------
    callable
        Takes text, whole numbers (for the epoch formats), datetimes or None; the empty text is
        None. It raises ValueError for what is no time, and for a time without a zone where the
        column declares none. In the hour that a clock change repeats, the first pass is meant.
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
                raise ValueError(f"{str(value)[:40]!r} is beyond the years 1 to 9999")
            return moment_us
        moment = _parse(value, spec.format)
        if moment.tzinfo is None:
            if zone is None:
                raise ValueError(
                    f"{str(value)!r} names no time zone; give the column `zone:` in data.yaml"
                )
            moment = moment.replace(tzinfo=zone)
        try:
            moment_us = (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
        except OverflowError as error:
            raise ValueError(f"{str(value)[:40]!r} is beyond the years 1 to 9999") from error
        return moment_us

    return read


def read_moment(text: str) -> int:
    """Read a moment of the configuration or the command line as integer UTC microseconds.

    Raises
    ------
    ValueError
        If it is no ISO 8601 time, or names no zone.
    """
    if _is_date(text):
        raise ValueError(f"{text!r} names no time and zone; write {text}T00:00:00Z, say")
    try:
        moment = make_time_reader(TimeSpec(column="moment"))(text)
    except ValueError as error:
        if "names no time zone" in str(error):
            raise ValueError(f"{text!r} names no zone; end it with Z or +01:00, say") from error
        raise
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
        raise ValueError(f"{value!r} where a whole number since 1970 is expected") from error


def _parse(value: object, pattern: str) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        text = str(value)
        return datetime.fromisoformat(text) if pattern == "iso" else _strptime(text, pattern)
    except ValueError as error:
        raise ValueError(f"{str(value)[:40]!r} where a time is expected ({pattern})") from error


def _strptime(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is seen to by the caller


def days_to_us(days: float) -> int:
    """Return a number of days as whole microseconds.

    Examples
    --------
    >>> days_to_us(0.5)
    43200000000
    """
    return round(days * DAY_US)


def format_time(moment_us: int) -> str:
    """Write integer UTC microseconds as ISO 8601 with a Z.

    Examples
    --------
    >>> format_time(0)
    '1970-01-01T00:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat().replace("+00:00", "Z")
