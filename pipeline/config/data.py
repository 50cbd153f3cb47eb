"""What may stand in data.yaml: closed, typed, with every default in sight."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leadscore.pipeline.signals.kinds import NAME_PATTERN, Number, no_flag
from leadscore.pipeline.values.fields import FieldSpec, Word
from leadscore.pipeline.values.times import TimeSpec

ROW_NUMBER = "#row"
"""In place of a column's name: the number of the row in its file, from 1."""

SENSITIVE_NAMES = frozenset(
    "age sex gender marital marital_status civil_status birth_date date_of_birth birthday"
    " birth_year birth_country nationality ethnicity race religion disability"
    " edad sexo genero estado_civil fecha_nacimiento nacionalidad".split()
)
"""Fields of these names are sensitive without being declared so."""

Count = Annotated[int, BeforeValidator(no_flag)]
FieldName = Annotated[str, Field(pattern=NAME_PATTERN)]


class Closed(BaseModel):
    """A part of the configuration: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldConfig(FieldSpec):
    """One profile field: the column it comes from (by default of the same name), and its type."""

    column: str | None = None
    sensitive: bool = False

    @property
    def spec(self) -> FieldSpec:
        """How values are read, without where they come from."""
        return FieldSpec.model_validate(self.model_dump(exclude={"column", "sensitive"}))


class FileConfig(Closed):
    """A table in a file: ``.csv`` (also ``.gz``, ``.xz``) or ``.parquet``."""

    file: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"


class LeadsConfig(FileConfig):
    """The table of leads. `id` and `order` take a column's name or ``#row``.

    `created` is a column of times; without it, `order` is a column of numbers that grow with time;
    without either, nothing is time-ordered. `first_called` is when sales first called, for
    the audit.
    `missing` is left blank in all fields. Rows that share a lead's id are rejected, or with
    `duplicates: first` the first of them counts.
    """

    id: str
    created: TimeSpec | None = None
    order: str | None = None
    first_called: TimeSpec | None = None
    duplicates: Literal["reject", "first"] = "reject"
    missing: tuple[Word, ...] = ()
    fields: dict[FieldName, FieldConfig]

    @model_validator(mode="after")
    def _check_clock(self) -> Self:
        if self.created is not None and self.order is not None:
            raise ValueError("give either `created` (times) or `order` (arrival numbers), not both")
        return self


class OutcomesConfig(Closed):
    """The outcome of each lead: a column of the leads' own file, or of a file of deals.

    `won` and `lost` list the texts of the status column; every other text, and blank, is open
    unless `other_is` says lost. `closed` is when the deal was won or lost, `recorded` when that
    became known. With `file`, `lead` is the column with the lead's id; a lead may have several
    deals or none. `since` is from when on outcomes were logged at all.
    """

    file: str | None = None
    lead: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    column: str
    won: Annotated[tuple[Word, ...], Field(min_length=1)]
    lost: tuple[Word, ...] = ()
    other_is: Literal["open", "lost"] = "open"
    closed: TimeSpec | None = None
    recorded: TimeSpec | None = None
    since: str | None = None

    @model_validator(mode="after")
    def _check_file(self) -> Self:
        if (self.file is None) != (self.lead is None):
            raise ValueError("a file of deals needs both `file` and `lead`")
        if self.file is not None and self.closed is None:
            raise ValueError("a file of deals needs `closed`, the column of closing times")
        if self.file is not None and self.other_is == "lost":
            raise ValueError("`other_is: lost` is only for a column of the leads' own file")
        if self.closed is None and (self.recorded is not None or self.since is not None):
            raise ValueError("`recorded` and `since` need `closed`, the column of closing times")
        return self

    @model_validator(mode="after")
    def _check_statuses(self) -> Self:
        both = sorted(set(self.won) & set(self.lost))
        if both:
            raise ValueError(f"{', '.join(both)} stands under both won and lost")
        return self


class Constant(Closed):
    """In place of a column: the same text for every row."""

    constant: Word


def _read_kind(written: object) -> object:
    """Read a kind in one go, so that a mistake in it is one line."""
    if isinstance(written, str | Constant):
        return written
    try:
        return Constant.model_validate(written)
    except ValidationError as error:
        raise ValueError("a column's name, or {constant: a text}, is expected") from error


class ActivitiesConfig(FileConfig):
    """One file of activities.

    `lead` is the column with the lead's id, `kind` the column that says what the lead did, or
    ``{constant: ...}``. `recorded` is when it became known, by default when it occurred. Rows with
    the same `id` are one activity. `excluded` gives the reason for each kind that may teach
    nothing, from whichever file it comes.
    """

    lead: str
    kind: Annotated[str | Constant, BeforeValidator(_read_kind)]
    occurred: TimeSpec
    recorded: TimeSpec | None = None
    id: str | None = None
    properties: dict[FieldName, FieldConfig] = Field(default_factory=dict)
    excluded: dict[Word, str] = Field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns that are read, all properties included."""
        return self.columns_for(self.properties)

    def columns_for(self, properties: Iterable[str]) -> list[str]:
        """Return the columns that are read where these properties are wanted; each once."""
        times = [spec.column for spec in (self.occurred, self.recorded) if spec is not None]
        kind = [self.kind] if isinstance(self.kind, str) else []
        ids = [] if self.id is None else [self.id]
        named = [self.properties[name].column or name for name in properties]
        return list(dict.fromkeys([self.lead, *kind, *times, *ids, *named]))


class ChangesConfig(FileConfig):
    """The file of changes of profile fields: whose, which field, from what to what, when recorded.

    `fields` says which of our fields each text of the column `field` means. A field is then read as
    it was known at as_of; one without a history holds for ever as it is today.
    """

    lead: str
    field: str
    old: str
    new: str
    recorded: TimeSpec
    fields: Annotated[dict[Word, FieldName], Field(min_length=1)]


class DataConfig(Closed):
    """data.yaml: where the data lies and what its columns mean.

    `folder` is relative to data.yaml; ``--data`` replaces it. `extracted_at` is when the data was
    taken from the CRM; without it the earliest moment counts at which leads, outcomes or files of
    activities end. `excluded` gives the reason for every column known and not used, `trusted`
    why a signal, field or column that the audit suspects was known in time. More than
    `max_reject_share` of a file's rows rejected is an error, since the rest could not be trusted.
    `day_offset_hours` is added to a time before it is cut to its day, to count distinct days.
    """

    folder: str = "."
    leads: LeadsConfig
    outcomes: OutcomesConfig
    activities: tuple[ActivitiesConfig, ...] = ()
    changes: ChangesConfig | None = None
    day_offset_hours: Annotated[Number, Field(ge=-24.0, le=24.0)] = 0.0
    extracted_at: str | None = None
    excluded: dict[str, str] = Field(default_factory=dict)
    trusted: dict[Word, str] = Field(default_factory=dict)
    max_reject_share: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.05
