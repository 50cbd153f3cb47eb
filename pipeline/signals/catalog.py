"""The catalogue: every signal of a project, as declared in signals.yaml."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.values import FieldSpec, FieldType

Family = Literal["demographic", "firmographic", "email", "web", "social", "spam", "form"]
FAMILIES: tuple[Family, ...] = (
    "demographic", "firmographic", "email", "web", "social", "spam", "form",
)  # fmt: skip
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"


class _Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family


class ProfileSignal(_Declaration):
    """A fact of the lead's profile: a category, a number or a flag, read from one field.

    `field` is the profile field it reads, by default the one of the signal's own name.
    """

    kind: Literal["category", "number", "flag"]
    field: str | None = None


Declaration = Annotated[ProfileSignal, Field(description="one signal")]
FIELD_TYPE: Mapping[str, FieldType] = {"category": "text", "number": "number", "flag": "flag"}


class Signal(BaseModel):
    """One signal with its name.

    `column` is ``family__name``, the name under which every frame, scorecard and request has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    declaration: Declaration

    @property
    def column(self) -> str:
        """The column ``family__name``."""
        return f"{self.declaration.family}__{self.name}"

    @property
    def field(self) -> str:
        """The profile field that the signal reads."""
        return self.declaration.field or self.name

    @property
    def is_category(self) -> bool:
        """Whether its values are levels (text) rather than numbers."""
        return self.declaration.kind == "category"


class Catalog(BaseModel):
    """All signals of a project and the fields they read: what both readers are made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signals: tuple[Signal, ...]
    fields: dict[str, FieldSpec]

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
