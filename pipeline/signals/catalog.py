"""The catalogue: every signal of a project, as declared in signals.yaml."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.signals.declarations import (
    ActivitySignal,
    Declaration,
    LeadAgeSignal,
    ProfileSignal,
    PropertySignal,
    TouchSignal,
)
from pipeline.values import FieldSpec, FieldType

FIELD_TYPE: Mapping[str, FieldType] = {"category": "text", "number": "number", "flag": "flag"}


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
    def field(self) -> str | None:
        """The profile field that the signal reads; None if it reads none."""
        if isinstance(self.declaration, ProfileSignal):
            return self.declaration.field or self.name
        return None

    @property
    def is_category(self) -> bool:
        """Whether its values are levels (text) rather than numbers."""
        return isinstance(self.declaration, TouchSignal) or self.declaration.kind == "category"


class Catalog(BaseModel):
    """All signals of a project and how what they read is read: what both readers are made from.

    `fields` are the profile fields, `changing` those whose changes are on record, `properties` what
    is known of an activity. `day_offset_hours` is added to a time before it is cut to its day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    signals: tuple[Signal, ...]
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
    changing: tuple[str, ...] = ()
    properties: dict[str, FieldSpec] = Field(default_factory=dict)
    day_offset_hours: Annotated[float, Field(ge=-24.0, le=24.0)] = 0.0

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

    def activity_signals(self) -> Iterator[tuple[Signal, ActivitySignal]]:
        """Yield the signals that are made from activities, each with its declaration."""
        for signal in self.signals:
            if isinstance(signal.declaration, ActivitySignal):
                yield signal, signal.declaration

    def to_definitions(self) -> dict[str, Any]:
        """Return the catalogue as plain data, for the scorecard."""
        return self.model_dump(mode="json")


def family_of(column: str) -> str:
    """Return the family of a signal column.

    Examples
    --------
    >>> family_of("web__pricing_views_30d")
    'web'
    """
    return column.split("__", 1)[0]
