"""What may stand in signals.yaml: the kinds of signals, each closed and typed."""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leadscore.pipeline.signals.display_names import DisplayName
from leadscore.pipeline.values.fields import FieldType, Word

Family = Literal["demographic", "firmographic", "email", "web", "social", "spam", "form"]
FAMILIES: tuple[Family, ...] = get_args(Family)
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
SHORTEST_DAYS, LONGEST_DAYS = 1e-6, 36_525.0
"""A blink and a century: windows, half-lives and horizons lie between them."""


def no_flag(value: object) -> object:
    """Refuse true and false where a number is expected, which Python would take for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is expected, found true or false")
    return value


def _listed(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else [value]


Number = Annotated[float, BeforeValidator(no_flag), Field(allow_inf_nan=False)]
Days = Annotated[Number, Field(ge=SHORTEST_DAYS, le=LONGEST_DAYS)]
Names = Annotated[tuple[Word, ...], BeforeValidator(_listed), Field(min_length=1)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Closed):
    """What a property's value must be: one of `values`, or within `min` and `max`, both included.

    In YAML a value, a list of values, or ``{min, max}``. A missing property meets no condition.
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
            raise ValueError("a value is needed here; a missing property meets no condition")
        return {"values": written if isinstance(written, list | tuple) else [written]}

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        bounded = self.min is not None or self.max is not None
        if bounded == (self.values is not None):
            raise ValueError("give a value, a list of values, or min and max")
        if self.values is not None and not self.values:
            raise ValueError("an empty list of values would match nothing")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} lies above max {self.max:g}")
        return self


class ActivityFilter(_Closed):
    """Which activities are meant: of one of these kinds (any, if absent), with these properties."""

    activity: Names | None = None
    where: dict[str, Condition] = Field(default_factory=dict)


class _Declared(_Closed):
    family: Family
    display_name: DisplayName = DisplayName()


class ProfileSignal(_Declared):
    """A fact of the lead's profile: a category, a number or a flag, read from one field.

    `field` is the profile field it reads, by default the one of the signal's own name.
    """

    kind: Literal["category", "number", "flag"]
    field: str | None = None


class LeadAgeSignal(_Declared):
    """Days from the lead's creation to as_of."""

    kind: Literal["lead_age"]


class TextSignal(_Declared):
    """What the kinds that are made from texts of the profile have in common."""

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
    """How a mail address fits the company's name: same, initials, private or different."""

    kind: Literal["mail_company"]
    field: str
    company: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The address and the company."""
        return (self.field, self.company)


class MarksSignal(TextSignal):
    """Whether any of some texts, names mostly, bears a mark; missing where all of them are."""

    kind: Literal["no_capitals", "keyboard_walk", "gibberish", "digits"]
    fields: Names

    @property
    def inputs(self) -> tuple[str, ...]:
        """The texts."""
        return self.fields


class CompletenessSignal(TextSignal):
    """The share of some fields, of any type, that are filled in."""

    kind: Literal["completeness"]
    fields: Names

    @property
    def inputs(self) -> tuple[str, ...]:
        """The fields."""
        return self.fields


def _compile(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


class PatternMismatchSignal(TextSignal):
    """How many of some answers do not look as the form asks; a blank one is not counted.

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
"""What a kind that reads text makes of it."""


class ActivitySignal(_Declared):
    """What the kinds that are made from activities have in common.

    Only activities that occurred and were recorded by as_of are seen.
    """

    kind: str

    @property
    def filters(self) -> tuple[ActivityFilter, ...]:
        """The filters it counts by."""
        raise NotImplementedError


class _Filtered(ActivitySignal, ActivityFilter):
    @property
    def filters(self) -> tuple[ActivityFilter, ...]:
        return (self,)


class CountSignal(_Filtered):
    """How many activities; with a window those in ``(as_of - window_days, as_of]``."""

    kind: Literal["count"]
    window_days: Days | None = None


class ActiveDaysSignal(_Filtered):
    """On how many distinct days there were activities; windows as in a count."""

    kind: Literal["active_days"]
    window_days: Days | None = None


class DecayedSignal(_Filtered):
    """How many activities, older ones counting less.

    With ``half_life_days`` one counts ``2 ** (-age / half_life)``, with ``linear_days``
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
    """Activities of `part` for each one of `whole`, for example clicks per delivery.

    Missing where there is none of `whole`; windows as in a count.
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

    The sum of nothing is 0; largest and last are then missing. Windows as in a count.
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
    for record in (
        ProfileSignal, LeadAgeSignal, CountSignal, ActiveDaysSignal, DecayedSignal,
        DaysSinceSignal, RateSignal, PropertySignal, TouchSignal, OneTextSignal,
        MailCompanySignal, MarksSignal, CompletenessSignal, PatternMismatchSignal,
    )
    for kind in record.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
}  # fmt: skip
"""The record of each kind, by the word that stands in signals.yaml."""
