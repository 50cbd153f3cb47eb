"""The kinds of signals in signals.yaml, with their keys and types."""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from leadscore.pipeline.values.fields import Closed, FieldType, Word

Family = Literal["demographic", "firmographic", "email", "web", "social", "spam", "form"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Language = Literal["en", "es"]
LONGEST_DISPLAY_NAME = 80
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
SHORTEST_DAYS, LONGEST_DAYS = 1e-6, 36_525.0
"""The limits, in days, of windows, half-lives and horizons: 0.1 seconds and a century."""


def no_flag(value: object) -> object:
    """Reject true and false instead of a number, since Python would read them as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is expected, found true or false")
    return value


def _listed(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else [value]


Number = Annotated[float, BeforeValidator(no_flag), Field(allow_inf_nan=False)]
Days = Annotated[Number, Field(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]
Names = Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1)]


class Condition(Closed):
    """The allowed values of a property: one of `values`, or from `min` to `max`, both included.

    In YAML it is a value, a list of values, or ``{min, max}``. A missing property meets no
    condition.
    """

    values: tuple[str | bool | float, ...] | None = None
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, written: object) -> object:
        if isinstance(written, dict):
            return written
        if written is None:
            raise ValueError("a value is expected; a missing property meets no condition")
        return {"values": written if isinstance(written, list | tuple) else [written]}

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        bounded = self.min is not None or self.max is not None
        if bounded == (self.values is not None):
            raise ValueError("give a value, a list of values, or min and max")
        if self.values is not None and not self.values:
            raise ValueError("an empty list of values would match nothing")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} must not be above max {self.max:g}")
        return self


class ActivityFilter(Closed):
    """The activities of one of these kinds (any, if absent) whose properties meet `where`."""

    activity: Names | None = None
    where: dict[str, Condition] = Field(default_factory=dict)


def _check_length(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_DISPLAY_NAME:
        raise ValueError(f"1 to {LONGEST_DISPLAY_NAME} characters are expected")
    return text


Phrase = Annotated[Word, AfterValidator(_check_length)]


class DisplayName(Closed):
    """A signal's name in words, by language; it must fit after "because of"."""

    en: Phrase | None = None
    es: Phrase | None = None

    def find(self, language: Language) -> str | None:
        """Return the name in a language, else in English, else None."""
        return (self.es if language == "es" else None) or self.en


class _Declared(Closed):
    family: Family
    display_name: DisplayName = DisplayName()


class ProfileSignal(_Declared):
    """A fact of the lead's profile: a category, a number or a flag, read from one field.

    `field` is the profile field that it reads, by default the one with the signal's name.
    """

    kind: Literal["category", "number", "flag"]
    field: str | None = None


class LeadAgeSignal(_Declared):
    """Days from the lead's creation to as_of."""

    kind: Literal["lead_age"]


class TextSignal(_Declared):
    """The common part of the kinds that are made from texts of the profile."""

    kind: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The profile fields it reads."""
        raise NotImplementedError


class OneTextSignal(TextSignal):
    """A fact read from one text: a title, a mail address or a message; missing if the text is."""

    kind: Literal[
        "title_seniority", "title_function", "mail_kind", "message_length", "message_language"
    ]
    field: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The one field."""
        return (self.field,)


class MailCompanySignal(TextSignal):
    """How a mail address matches the company's name: same, initials, private or different."""

    kind: Literal["mail_company"]
    field: str
    company: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The address and the company."""
        return (self.field, self.company)


class _FieldsSignal(TextSignal):
    fields: Names

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.fields


class MarksSignal(_FieldsSignal):
    """Whether any of some texts, mostly names, has a mark; missing if all texts are missing."""

    kind: Literal["no_capitals", "keyboard_walk", "gibberish", "digits"]


class CompletenessSignal(_FieldsSignal):
    """The share of some fields, of any type, that are filled in."""

    kind: Literal["completeness"]


def _compile(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


class PatternMismatchSignal(TextSignal):
    """The number of answers that do not match the form; a blank answer is not counted.

    `expected` has for each field the regular expression that the whole answer should match.
    """

    kind: Literal["pattern_mismatch"]
    expected: dict[str, Annotated[str, AfterValidator(_compile)]] = Field(min_length=1)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The answers."""
        return tuple(self.expected)


TEXT_TYPE: dict[str, FieldType] = {
    **dict.fromkeys(("title_seniority", "title_function", "mail_kind"), "text"),
    **dict.fromkeys(("mail_company", "message_language"), "text"),
    **dict.fromkeys(("no_capitals", "keyboard_walk", "gibberish", "digits"), "flag"),
    **dict.fromkeys(("completeness", "pattern_mismatch", "message_length"), "number"),
}
"""The type of the values of each kind that reads texts."""


class ActivitySignal(_Declared):
    """The common part of the kinds that are made from activities.

    Only activities count that occurred and were recorded by as_of.
    """

    kind: str

    @property
    def filters(self) -> tuple[ActivityFilter, ...]:
        """The filters of the activities that it reads."""
        raise NotImplementedError


class _Filtered(ActivitySignal, ActivityFilter):
    @property
    def filters(self) -> tuple[ActivityFilter, ...]:
        return (self,)


class CountSignal(_Filtered):
    """The number of activities; with a window of those in ``(as_of - window_days, as_of]``."""

    kind: Literal["count"]
    window_days: Days | None = None


class ActiveDaysSignal(_Filtered):
    """The number of distinct days with activities; windows as in a count."""

    kind: Literal["active_days"]
    window_days: Days | None = None


class DecayedSignal(_Filtered):
    """The sum of the weights of activities, in which older ones count less.

    With ``half_life_days`` a weight is ``2 ** (-age / half_life)``, with ``linear_days``
    ``max(0, 1 - age / linear_days)``.
    """

    kind: Literal["decayed"]
    half_life_days: Days | None = None
    linear_days: Days | None = None

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        if (self.half_life_days is None) == (self.linear_days is None):
            raise ValueError("give either `half_life_days` or `linear_days`")
        return self


class DaysSinceSignal(_Filtered):
    """Days since the last activity; missing if there was none."""

    kind: Literal["days_since"]


class RateSignal(ActivitySignal):
    """The activities of `part` per activity of `whole`, for example clicks per delivery.

    It is missing if there is no activity of `whole`. Windows as in a count.
    """

    kind: Literal["rate"]
    part: ActivityFilter
    whole: ActivityFilter
    window_days: Days | None = None

    @property
    def filters(self) -> tuple[ActivityFilter, ...]:
        """Part and whole."""
        return (self.part, self.whole)


class PropertySignal(_Filtered):
    """The sum, largest or last known value of a numeric property.

    Without any known value the sum is 0, and the others are missing. Windows as in a count.
    """

    kind: Literal["sum", "max", "last"]
    property: str
    window_days: Days | None = None


class TouchSignal(_Filtered):
    """The first or last activity's kind, or the first or last known value of a text property."""

    kind: Literal["first_touch", "last_touch"]
    property: str | None = None
    window_days: Days | None = None


Declaration = (
    ProfileSignal | LeadAgeSignal | CountSignal | ActiveDaysSignal | DecayedSignal
    | DaysSinceSignal | RateSignal | PropertySignal | TouchSignal
    | OneTextSignal | MailCompanySignal | MarksSignal | CompletenessSignal | PatternMismatchSignal
)  # fmt: skip
DECLARATIONS: dict[str, type[Declaration]] = {
    kind: record
    for record in get_args(Declaration)
    for kind in get_args(record.model_fields["kind"].annotation)
}
"""The record of each kind, by its name in signals.yaml."""
