"""The catalogue: all signals of a project, as declared in signals.yaml, and in words for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from leadscore.pipeline.errors import suggest_name
from leadscore.pipeline.signals.kinds import (
    TEXT_TYPE,
    ActiveDaysSignal,
    ActivityFilter,
    ActivitySignal,
    CompletenessSignal,
    Condition,
    CountSignal,
    DaysSinceSignal,
    DecayedSignal,
    Declaration,
    Language,
    LeadAgeSignal,
    ProfileSignal,
    PropertySignal,
    RateSignal,
    TextSignal,
    TouchSignal,
)
from leadscore.pipeline.values.fields import Closed, FieldSpec, FieldType

FIELD_TYPE: Mapping[str, FieldType] = {
    "category": "text", "number": "number", "flag": "flag", **TEXT_TYPE,
}  # fmt: skip
"""The type of the values of each kind that reads the profile."""


class Signal(Closed):
    """One signal with its name."""

    name: str
    declaration: Annotated[Declaration, Field(discriminator="kind")]

    @property
    def column(self) -> str:
        """The column ``family__name``, the signal's name in frames, scorecards and requests."""
        return f"{self.declaration.family}__{self.name}"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The profile fields that the signal reads."""
        if isinstance(self.declaration, ProfileSignal):
            return (self.declaration.field or self.name,)
        return self.declaration.inputs if isinstance(self.declaration, TextSignal) else ()

    @property
    def input_type(self) -> FieldType | None:
        """The type that its profile fields must have; None if any type is allowed."""
        if isinstance(self.declaration, ProfileSignal):
            return FIELD_TYPE[self.declaration.kind]
        return None if isinstance(self.declaration, CompletenessSignal) else "text"

    @property
    def stored(self) -> str | None:
        """The column of the table of leads that holds its value; None if there is none.

        A fact of the profile has its field's name. A signal made from texts is computed at
        ingestion and has its own column.
        """
        if isinstance(self.declaration, ProfileSignal):
            return self.declaration.field or self.name
        return self.column if isinstance(self.declaration, TextSignal) else None

    @property
    def is_category(self) -> bool:
        """Whether its values are levels (text) rather than numbers."""
        declared = self.declaration
        return isinstance(declared, TouchSignal) or FIELD_TYPE.get(declared.kind) == "text"

    @property
    def is_flag(self) -> bool:
        """Whether its values are yes and no."""
        return FIELD_TYPE.get(self.declaration.kind) == "flag"

    def named(self, language: Language) -> str:
        """Return its display name in a language, else the English one, else its name in words.

        >>> shown = {"en": "views of the pricing page"}
        >>> visits = {"family": "web", "kind": "count", "display_name": shown}
        >>> Signal(name="pricing_views", declaration=visits).named("es")
        'views of the pricing page'
        """
        return self.declaration.display_name.find(language) or self.name.replace("_", " ")


class UnknownSignalError(KeyError):
    """No signal has the name; `hint` has the most similar name, or says that there is none."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(name)
        self.hint = hint


def find_signal(name: str, signals: Iterable[Signal]) -> Signal:
    """Return the signal with a name, or with a column ``family__name``.

    Raises UnknownSignalError if there is no such signal.
    """
    signals = list(signals)
    known = {**{s.column: s for s in signals}, **{s.name: s for s in signals}}
    if name not in known:
        raise UnknownSignalError(name, suggest_name(name, known, "no signal has a similar name"))
    return known[name]


class Catalog(Closed):
    """All signals of a project, and how their values are read.

    `fields` are the profile fields, `changing` those with a history of changes, `properties` those
    of activities. `day_offset_hours` is added to a time before its day is taken. `word_lists` are
    the digests of the word lists for texts, by name. No signal reads activities of
    `excluded_kinds`, not even a signal that counts any kind.
    """

    signals: tuple[Signal, ...]
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
    changing: tuple[str, ...] = ()
    properties: dict[str, FieldSpec] = Field(default_factory=dict)
    day_offset_hours: Annotated[float, Field(ge=-24.0, le=24.0)] = 0.0
    word_lists: dict[str, str] = Field(default_factory=dict)
    excluded_kinds: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The signals' columns, in the catalogue's order."""
        return [signal.column for signal in self.signals]

    @property
    def category_columns(self) -> list[str]:
        """The columns that hold levels."""
        return [signal.column for signal in self.signals if signal.is_category]

    @property
    def number_columns(self) -> list[str]:
        """The columns that hold numbers and flags."""
        return [signal.column for signal in self.signals if not signal.is_category]

    @property
    def stored(self) -> dict[str, FieldType]:
        """The columns of the table of leads that hold signals, each with its type."""
        return {
            signal.stored: FIELD_TYPE[signal.declaration.kind]
            for signal in self.signals
            if signal.stored is not None
        }

    @property
    def stored_changing(self) -> list[str]:
        """The columns in `stored` that depend on a field with a history of changes."""
        return [
            signal.stored
            for signal in self.signals
            if signal.stored is not None and set(signal.inputs) & set(self.changing)
        ]

    @property
    def reads_activities(self) -> bool:
        """Whether any signal is made from activities."""
        return any(isinstance(signal.declaration, ActivitySignal) for signal in self.signals)

    @property
    def reads_age(self) -> bool:
        """Whether any signal is the age of the lead."""
        return any(isinstance(signal.declaration, LeadAgeSignal) for signal in self.signals)

    @property
    def activity_kinds(self) -> set[str]:
        """The kinds of activities that signals name."""
        return {
            kind
            for _, declared in self.activity_signals()
            for filter_ in declared.filters
            for kind in filter_.activity or ()
        }

    @property
    def properties_read(self) -> set[str]:
        """The properties of activities that signals read or filter by."""
        names: set[str] = set()
        for _, declared in self.activity_signals():
            names |= {name for filter_ in declared.filters for name in filter_.where}
            if isinstance(declared, PropertySignal | TouchSignal) and declared.property is not None:
                names.add(declared.property)
        return names

    def text_signals(self) -> Iterator[tuple[Signal, TextSignal]]:
        """Yield the signals that are made from texts, each with its declaration."""
        for signal in self.signals:
            if isinstance(signal.declaration, TextSignal):
                yield signal, signal.declaration

    def activity_signals(self) -> Iterator[tuple[Signal, ActivitySignal]]:
        """Yield the signals that are made from activities, each with its declaration."""
        for signal in self.signals:
            if isinstance(signal.declaration, ActivitySignal):
                yield signal, signal.declaration

    def to_definitions(self) -> dict[str, Any]:
        """Return the catalogue as plain data, for the scorecard."""
        return self.model_dump(mode="json")


_TEXTS = {
    "title_seniority": "the seniority of the job title in {0}",
    "title_function": "the function that the job title in {0} names",
    "mail_kind": "whether the address in {0} is a business, free, disposable or role address",
    "mail_company": "how the address in {0} fits the company in {1}",
    "message_length": "the number of characters in {0}",
    "message_language": "the language of {0}",
    "no_capitals": "whether {any} was typed without capitals",
    "keyboard_walk": "whether {any} has five neighbouring keys in a row",
    "gibberish": "whether {any} has a word that cannot be pronounced",
    "digits": "whether {any} has a digit",
    "completeness": "the share filled in of {all}",
    "pattern_mismatch": "how many answers in {all} do not have the expected form",
}


def describe_signal(signal: Signal) -> str:
    """Return the definition of a signal in words.

    >>> from leadscore.pipeline.signals.kinds import CountSignal
    >>> visits = CountSignal(family="web", kind="count", activity="visit", window_days=7)
    >>> describe_signal(Signal(name="visits_7d", declaration=visits))
    'how many visit in the last 7 days'
    """
    declared = signal.declaration
    match declared:
        case ProfileSignal():
            return f"the {declared.kind} in the profile's {signal.stored}"
        case TextSignal():
            one, *others = declared.inputs
            return _TEXTS[declared.kind].format(
                one, *others, any=" or ".join(declared.inputs), all=", ".join(declared.inputs)
            )
        case LeadAgeSignal():
            return "days since the lead was created"
        case CountSignal():
            return f"how many {_activities(declared)}{_window(declared.window_days)}"
        case ActiveDaysSignal():
            return f"on how many days {_activities(declared)}{_window(declared.window_days)}"
        case DecayedSignal(half_life_days=None):
            what, days = _activities(declared), _days(declared.linear_days or 0.0)
            return f"how many {what}, each counting less until nothing after {days}"
        case DecayedSignal():
            what, days = _activities(declared), _days(declared.half_life_days or 0.0)
            return f"how many {what}, each counting half as much after every {days}"
        case DaysSinceSignal():
            return f"days since the last {_activities(declared)}"
        case RateSignal():
            window = _window(declared.window_days)
            part, whole = _activities(declared.part), _activities(declared.whole)
            return f"share of {part} per {whole}{window}"
        case PropertySignal():
            word = {"sum": "sum of", "max": "largest", "last": "last known"}[declared.kind]
            activities = f"{_activities(declared)}{_window(declared.window_days)}"
            return f"{word} {declared.property} of {activities}"
        case TouchSignal():
            word = "first" if declared.kind == "first_touch" else "last"
            what = "kind" if declared.property is None else f"known {declared.property}"
            return f"{word} {what} of {_activities(declared)}{_window(declared.window_days)}"


def _activities(filter_: ActivityFilter) -> str:
    kinds = "activities" if filter_.activity is None else " or ".join(filter_.activity)
    tests = [f"{name} {_describe_condition(test)}" for name, test in filter_.where.items()]
    return f"{kinds} with {' and '.join(tests)}" if tests else kinds


def _describe_condition(condition: Condition) -> str:
    if condition.values is not None:
        return " or ".join(map(_write_value, condition.values))
    low = [] if condition.min is None else [f"from {_write_value(condition.min)}"]
    high = [] if condition.max is None else [f"up to {_write_value(condition.max)}"]
    return " ".join([*low, *high])


def _write_value(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _window(window_days: float | None) -> str:
    return "" if window_days is None else f" in the last {_days(window_days)}"


def _days(days: float) -> str:
    return "day" if days == 1.0 else f"{days:g} days"
