"""The keys of data.yaml, with their types and defaults."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from leadscore.pipeline.signals.kinds import NAME_PATTERN, Number, no_flag
from leadscore.pipeline.values.fields import Closed, FieldSpec, Word
from leadscore.pipeline.values.times import TimeSpec

ROW_NUMBER = "#row"
"""This word, instead of a column's name, means the number of the row in its file, from 1."""

SENSITIVE_NAMES = frozenset(
    "age sex gender marital marital_status civil_status birth_date date_of_birth birthday"
    " birth_year birth_country nationality ethnicity race religion disability"
    " edad sexo genero estado_civil fecha_nacimiento nacionalidad".split()
)
"""A field with one of these names is sensitive even if data.yaml does not declare it."""

Count = Annotated[int, BeforeValidator(no_flag)]
FieldName = Annotated[str, Field(pattern=NAME_PATTERN)]


class FieldConfig(FieldSpec):
    """One profile field: its type, and its column, by default of the same name."""

    column: str | None = None
    sensitive: bool = False

    @property
    def spec(self) -> FieldSpec:
        """How values are read, without their column."""
        return FieldSpec.model_validate(self.model_dump(exclude={"column", "sensitive"}))


class FileConfig(Closed):
    """A table in a file: ``.csv`` (also ``.gz``, ``.xz``) or ``.parquet``."""

    file: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"


class LeadsConfig(FileConfig):
    """The table of leads. `id` and `order` are a column's name or ``#row``.

    `created` is a column of times. Without it, `order` is a column of numbers that grow with time.
    Without both, leads have no order. `first_called` is the time of the first call by sales, for
    the audit. The texts in `missing` mean a blank in all fields. Rows with the same id are
    rejected; with `duplicates: first`, the first of them counts.
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

    `won` and `lost` list the texts of the status column. Every other text, and a blank, means open,
    or lost with `other_is: lost`. `closed` is the time at which the deal was won or lost,
    `recorded` the time at which that became known. With `file`, `lead` is the column with the
    lead's id; a lead may have several deals or none. `since` is the first moment with outcomes.
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
            raise ValueError(f"{', '.join(both)} is listed under both won and lost")
        return self


class Constant(Closed):
    """The same text for every row, instead of a column."""

    constant: Word


def _read_kind(written: object) -> object:
    """Read a kind as one value, so that a mistake in it makes only one line."""
    if isinstance(written, str | Constant):
        return written
    try:
        return Constant.model_validate(written)
    except ValidationError as error:
        raise ValueError("a column's name, or {constant: a text}, is expected") from error


class ActivitiesConfig(FileConfig):
    """One file of activities.

    `lead` is the column with the lead's id. `kind` is the column with the kind of activity, or
    ``{constant: ...}``. `recorded` is the time at which the activity became known, by default the
    time at which it occurred. Rows with the same `id` are one activity. `excluded` has a reason for
    each kind that no signal may read, in any file.
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
        """All columns that are read, those of properties included."""
        return self.columns_for(self.properties)

    def columns_for(self, properties: Iterable[str]) -> list[str]:
        """Return the columns that are read for these properties, each once."""
        times = [spec.column for spec in (self.occurred, self.recorded) if spec is not None]
        kind = [self.kind] if isinstance(self.kind, str) else []
        ids = [] if self.id is None else [self.id]
        named = [self.properties[name].column or name for name in properties]
        return list(dict.fromkeys([self.lead, *kind, *times, *ids, *named]))


class ChangesConfig(FileConfig):
    """The file of changes of profile fields: lead, field, old value, new value, time of record.

    `fields` maps the texts of the column `field` to our fields. Such a field has the value that was
    known at as_of. A field without a history always has today's value.
    """

    lead: str
    field: str
    old: str
    new: str
    recorded: TimeSpec
    fields: Annotated[dict[Word, FieldName], Field(min_length=1)]


class DataConfig(Closed):
    """The content of data.yaml: the files of data, and the meaning of their columns.

    `folder` is relative to data.yaml; ``--data`` replaces it. `extracted_at` is the time at which
    the data was taken from the CRM; by default the earliest end of leads, outcomes and files of
    activities. `excluded` has a reason for each known column that is not used. `trusted` has a
    reason for each signal, field or column that was known in time although the audit suspects it.
    If more than `max_reject_share` of a file's rows are rejected, that is an error, because the
    other rows are then not reliable. To count distinct days, `day_offset_hours` is added to a time
    before its day is taken.
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
