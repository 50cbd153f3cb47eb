"""The keys of training.yaml, with their types and defaults."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from leadscore.pipeline.config.data import Count
from leadscore.pipeline.signals.kinds import LONGEST_DAYS, Days, Number
from leadscore.pipeline.values.fields import Closed, Word

MOST_AGES = 1000


class SplitConfig(Closed):
    """The begin of the later period: a moment (`cut`), or the newest `later` leads.

    `later` is a share or a count. `gap` excludes that many leads before the later period, if leads
    have only arrival numbers. If they have times, the gap is always one horizon.
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
    """The ages, in days after creation, at which every lead has a snapshot.

    Either a list, `ages_days`, or every `every_days` days from creation up to `until_days`.
    """

    ages_days: Annotated[tuple[Age, ...], Field(min_length=1)] | None = None
    every_days: Days | None = None
    until_days: Days | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_to_creation(cls, written: object) -> object:
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
            raise ValueError("an age is listed twice")
        if len(self.ages) > MOST_AGES:
            raise ValueError(f"{len(self.ages)} ages; at most {MOST_AGES} are allowed")
        return self

    @property
    def ages(self) -> tuple[float, ...]:
        """The ages in days, increasing."""
        if self.every_days is None or self.until_days is None:
            return tuple(sorted(self.ages_days or (0.0,)))
        count = int(self.until_days / self.every_days + 1e-9)
        return tuple(number * self.every_days for number in range(count + 1))


class ModelConfig(Closed):
    """The options of the predictive model.

    `knots` is the number of knots at quantiles of each numeric signal. `penalties` are inverse
    strengths C of the L2 penalty, from which ordered validation chooses. Levels of a category with
    fewer rows than `min_level_count` are one group. With `recalibrate`, training keeps a scale and
    a shift if they improve a later block.
    """

    knots: Annotated[Count, Field(ge=2, le=64)] = 10
    penalties: Annotated[tuple[Annotated[Number, Field(gt=0.0)], ...], Field(min_length=1)] = (
        0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 5.0,
    )  # fmt: skip
    min_level_count: Annotated[Count, Field(ge=1)] = 5
    recalibrate: bool = True


class ReportConfig(Closed):
    """The category signals (columns) whose levels the report shows; by default it chooses them."""

    group_by: tuple[Word, ...] | None = None


class ComparisonConfig(Closed):
    """How many leads the team calls a week; by default a tenth of the leads."""

    calls_per_week: Annotated[Number, Field(gt=0.0)] | None = None


class TrainingConfig(Closed):
    """The content of training.yaml: snapshots, labels, model and evaluation.

    A win counts up to `horizon_days` after a snapshot; that needs closing times. Labels wait
    `settle_days` longer for late records. `allow_sensitive` permits sensitive fields. Training
    refuses with fewer than `min_wins` wins in the earlier period. `bootstrap_draws` is the number
    of bootstrap draws for each interval. `report` and `comparison` change reports, never the model.
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
