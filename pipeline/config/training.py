"""What may stand in training.yaml: closed, typed, with every default in sight."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from leadscore.pipeline.config.data import Closed, Count
from leadscore.pipeline.signals.kinds import LONGEST_DAYS, Days, Number
from leadscore.pipeline.values.fields import Word

MOST_AGES = 1000


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


Age = Annotated[Number, Field(ge=0.0, le=LONGEST_DAYS)]


class SnapshotsConfig(Closed):
    """At which ages, in days after creation, every lead is looked at, whatever became of it.

    Either a list, `ages_days`, or every `every_days` days from creation on, `until_days` included.
    """

    ages_days: Annotated[tuple[Age, ...], Field(min_length=1)] | None = None
    every_days: Days | None = None
    until_days: Days | None = None

    @model_validator(mode="before")
    @classmethod
    def _look_once(cls, written: object) -> object:
        if isinstance(written, dict) and not {"ages_days", "every_days", "until_days"} & {*written}:
            return {**written, "ages_days": [0.0]}
        return written

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        if (self.every_days is None) != (self.until_days is None):
            raise ValueError("`every_days` and `until_days` go together")
        if self.every_days is not None and self.ages_days is not None:
            raise ValueError("give either `ages_days` or `every_days`, not both")
        if self.ages_days is not None and len(set(self.ages_days)) < len(self.ages_days):
            raise ValueError("an age stands twice")
        if len(self.ages) > MOST_AGES:
            raise ValueError(f"{len(self.ages)} ages; at most {MOST_AGES} are taken")
        return self

    @property
    def ages(self) -> tuple[float, ...]:
        """The ages in days, increasing."""
        if self.every_days is None or self.until_days is None:
            return tuple(sorted(self.ages_days or (0.0,)))
        count = int(self.until_days / self.every_days + 1e-9)
        return tuple(number * self.every_days for number in range(count + 1))


class ModelConfig(Closed):
    """How the predictive model is built, and the penalties ordered validation chooses among.

    `knots` is the number of knots at quantiles of each numeric signal; `penalties` are inverse
    strengths C of the L2 penalty; levels of a category with fewer rows than `min_level_count` are
    grouped. With `recalibrate` a scale and shift are kept if a later block bears them out.
    """

    knots: Annotated[Count, Field(ge=2, le=64)] = 10
    penalties: Annotated[tuple[Annotated[Number, Field(gt=0.0)], ...], Field(min_length=1)] = (
        0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 5.0,
    )  # fmt: skip
    min_level_count: Annotated[Count, Field(ge=1)] = 5
    recalibrate: bool = True


class ReportConfig(Closed):
    """The category signals (columns) that the report breaks down by; default: ``judged.py``."""

    group_by: tuple[Word, ...] | None = None


class ComparisonConfig(Closed):
    """What a comparison asks of the team: how many leads it calls a week; default: a tenth."""

    calls_per_week: Annotated[Number, Field(gt=0.0)] | None = None


class TrainingConfig(Closed):
    """training.yaml: what is learned from which snapshots, and how it is judged.

    `horizon_days` is how long after a snapshot a win counts; it needs closing times. Labels wait
    `settle_days` longer for late records. `allow_sensitive` lets sensitive fields be used. Below
    `min_wins` in the earlier period training refuses. `bootstrap_draws` is the number of bootstrap
    draws behind each interval. `report` and `comparison` change what is shown, never the model.
    """

    horizon_days: Days | None = None
    settle_days: Age = 0.0
    snapshots: SnapshotsConfig = SnapshotsConfig()
    split: SplitConfig = SplitConfig(later=0.3)
    model: ModelConfig = ModelConfig()
    min_wins: Annotated[Count, Field(ge=10)] = 50
    allow_sensitive: bool = False
    bootstrap_draws: Annotated[Count, Field(ge=100, le=10_000)] = 1000
    seed: Annotated[Count, Field(ge=0)] = 0
    report: ReportConfig = ReportConfig()
    comparison: ComparisonConfig = ComparisonConfig()
