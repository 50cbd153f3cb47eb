"""The catalogue: every signal of a project, as declared in signals.yaml."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from leadscore.pipeline.signals.display_names import Language
from leadscore.pipeline.signals.kinds import (
    TEXT_TYPE,
    ActivitySignal,
    Declaration,
    LeadAgeSignal,
    ProfileSignal,
    PropertySignal,
    TextSignal,
    TouchSignal,
)
from leadscore.pipeline.values.fields import FieldSpec, FieldType

FIELD_TYPE: Mapping[str, FieldType] = {
    "category": "text", "number": "number", "flag": "flag", **TEXT_TYPE,
}  # fmt: skip
"""What kinds that read the profile yield."""


class Signal(BaseModel):
    """One signal with its name.

    `column` is ``family__name``, the name under which every frame, scorecard and request has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    declaration: Annotated[Declaration, Field(discriminator="kind")]

    @property
    def column(self) -> str:
        """The column ``family__name``."""
        return f"{self.declaration.family}__{self.name}"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The profile fields that the signal reads."""
        if isinstance(self.declaration, ProfileSignal):
            return (self.declaration.field or self.name,)
        return self.declaration.inputs if isinstance(self.declaration, TextSignal) else ()

    @property
    def stored(self) -> str | None:
        """The column of the table of leads that holds its value; None if none does.

        A fact of the profile is under its field's name. A fact read from a text is worked out at
        ingestion and is under the signal's own column.
        """
        if isinstance(self.declaration, ProfileSignal):
            return self.declaration.field or self.name
        return self.column if isinstance(self.declaration, TextSignal) else None

    @property
    def is_category(self) -> bool:
        """Whether its values are levels (text) rather than numbers."""
        declared = self.declaration
        return isinstance(declared, TouchSignal) or FIELD_TYPE.get(declared.kind) == "text"

    def named(self, language: Language) -> str:
        """Return its display name in a language, else the English one, else its name in words.

        Examples
        --------
        >>> shown = {"en": "views of the pricing page"}
        >>> visits = {"family": "web", "kind": "count", "display_name": shown}
        >>> Signal(name="pricing_views", declaration=visits).named("es")
        'views of the pricing page'
        """
        return self.declaration.display_name.find(language) or self.name.replace("_", " ")


def find_signal(name: str, signals: Iterable[Signal]) -> Signal:
    """Return the signal of a name, or of a column ``family__name``.

    Raises
    ------
    KeyError
        If there is none; its message has the name that is nearest, if one is near.
    """
    listed = list(signals)
    known = {**{s.column: s for s in listed}, **{s.name: s for s in listed}}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise KeyError(f"; did you mean {near[0]!r}?" if near else "")
    return known[name]


class Catalog(BaseModel):
    """All signals of a project and how what they read is read: what both readers are made from.

    `fields` are the profile fields, `changing` those whose changes are on record, `properties` what
    is known of an activity. `day_offset_hours` is added to a time before it is cut to its day.
    `word_lists` are the digests of the lists that texts are read by, by name. `excluded_kinds` are
    the kinds of activities that nothing is made from, not even where any kind counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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
        """The columns of the table of leads that signals are read from, each with its type."""
        return {
            signal.stored: FIELD_TYPE[signal.declaration.kind]
            for signal in self.signals
            if signal.stored is not None
        }

    @property
    def stored_changing(self) -> list[str]:
        """Those of them whose changes are known."""
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
        kinds: set[str] = set()
        for _, declared in self.activity_signals():
            for filter_ in declared.filters:
                kinds |= set(filter_.activity or ())
        return kinds

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
