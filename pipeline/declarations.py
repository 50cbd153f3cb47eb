"""What may stand in data.yaml and training.yaml: closed, typed, with every default in sight."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.signals.catalog import NAME_PATTERN
from pipeline.values import FieldSpec, TimeSpec, Word

ROW_NUMBER = "#row"
"""In place of a column's name: the number of the row in its file, from 1."""

SENSITIVE_NAMES = frozenset(
    "age sex gender marital marital_status civil_status birth_date date_of_birth birthday"
    " birth_year birth_country nationality ethnicity race religion disability"
    " edad sexo genero estado_civil fecha_nacimiento nacionalidad".split()
)
"""Fields of these names are sensitive without being declared so."""


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected, found true or false")
    return value


Number = Annotated[float, BeforeValidator(_no_flag), Field(allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_no_flag)]
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


class LeadsConfig(Closed):
    """The table of leads.

    `id` and `order` take a column's name or ``#row``. `created` is a column of times; without it,
    `order` is a column of numbers that grow with time; without either, nothing is time-ordered and
    every figure says so. `missing` counts as left blank in all fields.
    """

    file: str
    id: str
    created: TimeSpec | None = None
    order: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    missing: tuple[Word, ...] = ()
    fields: dict[FieldName, FieldConfig]

    @model_validator(mode="after")
    def _check_clock(self) -> Self:
        if self.created is not None and self.order is not None:
            raise ValueError("give either `created` (times) or `order` (arrival numbers), not both")
        return self


class OutcomesConfig(Closed):
    """The outcome of each lead: a column of the leads' own file.

    `won` and `lost` list the texts of the status column; every other text, and blank, is open
    unless `rest_is` says lost. `closed` is when the deal was won or lost.
    """

    column: str
    won: Annotated[tuple[Word, ...], Field(min_length=1)]
    lost: tuple[Word, ...] = ()
    rest_is: Literal["open", "lost"] = "open"
    closed: TimeSpec | None = None

    @model_validator(mode="after")
    def _check_statuses(self) -> Self:
        both = sorted(set(self.won) & set(self.lost))
        if both:
            raise ValueError(f"{', '.join(both)} stands under both won and lost")
        return self


class DataConfig(Closed):
    """data.yaml: where the data lies and what its columns mean.

    `folder` is relative to data.yaml; ``--data`` replaces it. `extract` is when the data was taken
    from the CRM; without it the latest time in the data is taken. `left_out` gives the reason for
    every column that is known and not used. More than `most_rejects` of the rows rejected is an
    error, since the rest could not be trusted.
    """

    folder: str = "."
    leads: LeadsConfig
    outcomes: OutcomesConfig
    extract: str | None = None
    left_out: dict[str, str] = Field(default_factory=dict)
    most_rejects: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.05


class SplitConfig(Closed):
    """Where *later* begins: a moment (`cut`), or the newest `later` (a share, or a count) of leads.

    `gap` leaves out that many leads before the later period, where there are only arrival numbers;
    with times, the gap is one horizon by itself.
    """

    cut: str | None = None
    later: Annotated[Number, Field(gt=0.0)] | None = None
    gap: Annotated[Count, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        if (self.cut is None) == (self.later is None):
            raise ValueError("give either `cut` (a moment) or `later` (a share or a count)")
        if self.later is not None and self.later >= 1.0 and self.later != int(self.later):
            raise ValueError("`later` is a share below 1 or a whole number of leads")
        return self


class SnapshotsConfig(Closed):
    """At which ages, in days after creation, every lead is looked at, whatever became of it."""

    ages_days: Annotated[tuple[Annotated[Number, Field(ge=0.0)], ...], Field(min_length=1)] = (0.0,)


class ModelConfig(Closed):
    """How the predictive model is built, and the penalties ordered validation chooses among.

    `knots` is the number of knots at quantiles of each numeric signal; `penalties` are inverse
    strengths C of the L2 penalty; levels of a category with fewer rows than `rarest_level` are
    grouped. With `recalibrate` a scale and shift are kept if a later block bears them out.
    """

    knots: Annotated[Count, Field(ge=2, le=64)] = 10
    penalties: Annotated[tuple[Annotated[Number, Field(gt=0.0)], ...], Field(min_length=1)] = (
        0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 5.0,
    )  # fmt: skip
    rarest_level: Annotated[Count, Field(ge=1)] = 5
    recalibrate: bool = True


class TrainingConfig(Closed):
    """training.yaml: what is learned from which snapshots, and how it is judged.

    `horizon_days` is how long after a snapshot a win counts; it needs closing times. With
    `allow_sensitive`, sensitive fields may be used. Below `minimum_wins` in the earlier period
    training refuses. `resamples` is the number of bootstrap draws behind each interval.
    """

    horizon_days: Annotated[Number, Field(gt=0.0)] | None = None
    snapshots: SnapshotsConfig = SnapshotsConfig()
    split: SplitConfig = SplitConfig(later=0.3)
    model: ModelConfig = ModelConfig()
    minimum_wins: Annotated[Count, Field(ge=10)] = 50
    allow_sensitive: bool = False
    resamples: Annotated[Count, Field(ge=100, le=10_000)] = 1000
    seed: Annotated[Count, Field(ge=0)] = 0
