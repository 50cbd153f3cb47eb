"""The functions that normalise one value of a field.

Files and requests use the same functions, so a value means the same in training and in service.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from leadscore.pipeline.errors import GAP, fill_gaps

FieldType = Literal["text", "number", "flag"]
Normalised = str | float | None
Normaliser = Callable[[object], Normalised]
LONGEST_TEXT = 10_000
LARGEST_NUMBER = 1e300
TRUE_WORDS = ("true", "yes", "y", "t", "1", "si", "sí")
FALSE_WORDS = ("false", "no", "n", "f", "0")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_MARKED = re.compile(r"[+-]?\d{1,3}([.,'\s]\d{3})*([.,]\d+)?")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_EXACT = 2.0**53
_SWAPPED = str.maketrans(",.", ".,")


class Misfit(NamedTuple):
    """Why a value does not fit. `text` has a gap for each of the `values` found in the data."""

    text: str
    values: tuple[str, ...] = ()


class MisfitError(ValueError):
    """A value does not fit its type. The message shows the value; the `misfit` keeps it apart."""

    def __init__(self, text: str, *values: str) -> None:
        super().__init__(fill_gaps(text, values))
        self.misfit = Misfit(text, values)


def _word(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("text is expected; put it in quotes")
    return _clean(str(value)) if isinstance(value, str | int) else value


Word = Annotated[str, BeforeValidator(_word)]
"""Text in a configuration, cleaned as the texts of a file are.

A whole number becomes the text of its digits; true and false are rejected.
"""


class Closed(BaseModel):
    """A record that cannot be changed; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(Closed):
    """How the values of one field are read.

    `missing` lists texts that mean a blank, besides the empty text. `true` and `false` are the
    words of a flag, in any case. `decimal` is the decimal mark of numbers in text, `thousands` the
    mark between groups of three digits; a blank means any kind of space.
    """

    type: FieldType = "text"
    missing: tuple[Word, ...] = ()
    true: tuple[Word, ...] = TRUE_WORDS
    false: tuple[Word, ...] = FALSE_WORDS
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None

    @model_validator(mode="after")
    def _check_marks(self) -> Self:
        if self.thousands == self.decimal:
            raise ValueError(f"`thousands` and `decimal` must differ, both are {self.decimal!r}")
        return self


def make_normaliser(spec: FieldSpec) -> Normaliser:
    """Return the function that normalises one value of a field.

    None, the empty text, white space, NaN and the texts in ``spec.missing`` are missing. Text is
    stripped and converted to Unicode's NFC. Numbers and flags become floats (a flag 0.0 or 1.0).

    The function raises MisfitError, with what was found and what was expected, if a value does not
    fit the type.
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
            raise MisfitError(f"a {type(value).__name__} where a {spec.type} is expected")
        found = convert(value, spec)
        blank = found in missing if isinstance(found, str) else found in missing_numbers
        return None if spec.type != "flag" and blank else found

    def normalise_text(value: object) -> Normalised:
        if type(value) is str and len(value) <= LONGEST_TEXT:
            if value.isascii() and "\0" not in value:  # as most are: equal to the way above
                text = value.strip()
                return None if text in missing else text
        return normalise(value)

    return normalise_text if spec.type == "text" else normalise


def _clean(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def _to_text(value: object, _: FieldSpec) -> str:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise MisfitError(
                f"text of {GAP} characters, at most {LONGEST_TEXT} are allowed", str(len(value))
            )
        if "\0" in value or (not value.isascii() and _HALF_PAIR.search(value)):
            raise MisfitError("text with a NUL character or half a surrogate pair")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))  # blanks in its column made it a float
    raise MisfitError(f"{type(value).__name__} {GAP} where text is expected", repr(value))


def _to_number(value: object, spec: FieldSpec) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise MisfitError(f"{type(value).__name__} {GAP} where a number is expected", repr(value))
    if isinstance(value, str):
        text = value if spec.thousands is None else _join_groups(value, spec)
        text = text.translate(_SWAPPED) if spec.decimal == "," else text
        if not _NUMBER.fullmatch(text):
            unclear = spec.thousands is None and _MARKED.fullmatch(value)
            hint = " (see `decimal` and `thousands` of the field in data.yaml)" if unclear else ""
            raise MisfitError(f"{GAP} where a number is expected{hint}", repr(value[:40]))
        value = text
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise MisfitError(f"a number beyond {LARGEST_NUMBER:g}")
    return number + 0.0  # turns -0 into 0


def _join_groups(text: str, spec: FieldSpec) -> str:
    """Remove the marks between groups of three digits; a text with other groups stays as it is."""
    mark = r"\s" if spec.thousands == " " else re.escape(spec.thousands or "")
    grouped = rf"([+-]?\d{{1,3}}(?:{mark}\d{{3}})+)((?:{re.escape(spec.decimal)}\d*)?)"
    found = re.fullmatch(grouped, text)
    return text if found is None else re.sub(mark, "", found[1]) + found[2]


def _to_flag(value: object, spec: FieldSpec) -> float:
    if isinstance(value, bool):
        return float(value)
    word = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value)
    word = word.casefold()
    if word in {_clean(text).casefold() for text in spec.true}:
        return 1.0
    if word in {_clean(text).casefold() for text in spec.false}:
        return 0.0
    known = ", ".join([*spec.true, *spec.false])
    raise MisfitError(f"{GAP} where a flag is expected (one of {known})", repr(str(value)[:40]))


_CONVERT: dict[FieldType, Callable[[object, FieldSpec], Normalised]] = {
    "text": _to_text,
    "number": _to_number,
    "flag": _to_flag,
}
