"""What may stand in rules.yaml: closed, typed, with every default in sight."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from leadscore.models.bands import Minimums, expand_levels
from leadscore.pipeline.signals.kinds import (
    NAME_PATTERN,
    Condition,
    Days,
    DisplayName,
    Family,
    Names,
    Number,
)
from leadscore.pipeline.values.fields import Closed, Word

MOST_POINTS = 1e6
_FARTHEST = 1e12
Points = Annotated[Number, Field(ge=-MOST_POINTS, le=MOST_POINTS)]
Threshold = Annotated[Number, Field(ge=-_FARTHEST, le=_FARTHEST)]
CriterionName = Annotated[str, Field(pattern=NAME_PATTERN)]


def _listed(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else [value]


Values = Annotated[tuple[bool | float | str, ...], BeforeValidator(_listed), Field(min_length=1)]
WAYS = ("points", "each", "steps", "curve", "levels")
_CONDITIONS = ("is_", "is_not", "at_least", "below", "known")


class Effect(Closed):
    """How many points a signal's value is worth, in one of five ways.

    `points`, where a condition holds: `is`, `is_not` (a value or several), `at_least`, `below`,
    `known`. `each`: so many for every one, with `up_to` in all. `steps`: from each number on so
    many. `curve`: straight lines between numbers, flat beyond. `levels`: so many by level, `other`
    for the rest. An unknown value is worth `missing`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    points: Points | None = None
    is_: Values | None = Field(default=None, alias="is")
    is_not: Values | None = None
    at_least: Threshold | None = None
    below: Threshold | None = None
    known: bool | None = None
    each: Points | None = None
    up_to: Points | None = None
    steps: Annotated[dict[Threshold, Points], Field(min_length=1)] | None = None
    curve: Annotated[dict[Threshold, Points], Field(min_length=1)] | None = None
    levels: Annotated[dict[Word, Points], Field(min_length=1)] | None = None
    other: Points = 0.0
    missing: Points = 0.0

    @model_validator(mode="after")
    def _check_way(self) -> Self:
        ways = [name for name in WAYS if getattr(self, name) is not None]
        if len(ways) != 1:
            found = " and ".join(f"`{way}`" for way in ways) or "none of them"
            raise ValueError(f"give one of {', '.join(f'`{w}`' for w in WAYS)}; found {found}")
        conditions = [name for name in _CONDITIONS if getattr(self, name) is not None]
        if conditions and self.points is None:
            raise ValueError(f"`{conditions[0].rstrip('_')}` goes with `points`, not `{ways[0]}`")
        if len(conditions) > 1 and set(conditions) != {"at_least", "below"}:
            raise ValueError("give one condition, or `at_least` and `below` together")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise ValueError(f"at_least ({self.at_least:g}) must lie under below ({self.below:g})")
        if self.up_to is not None and (self.each is None or self.up_to * self.each <= 0.0):
            raise ValueError("`up_to` goes with `each`, and both are above 0 or both below")
        if self.other and self.levels is None:
            raise ValueError("`other` goes with `levels`")
        return self


class ActivityCriterion(Closed):
    """An activity to be counted, where the criterion makes a signal of its own."""

    activity: Names | None = None
    where: dict[str, Condition] = Field(default_factory=dict)
    family: Family | None = None
    window_days: Days | None = None
    half_life_days: Days | None = None
    linear_days: Days | None = None
    display_name: DisplayName = DisplayName()

    @property
    def declaration(self) -> dict[str, Any]:
        """What would stand in signals.yaml."""
        fields = self.model_dump(include=set(ActivityCriterion.model_fields), exclude_defaults=True)
        decays = self.half_life_days is not None or self.linear_days is not None
        return {**fields, "kind": "decayed" if decays else "count"}


class Criterion(Effect, ActivityCriterion):
    """One row of the sheet: what is looked at, and what it is worth.

    Looked at is a `signal` by its name; or an `activity`, all of them or those `where` properties
    have values, within `window_days`, or counting less with age by `half_life_days` or
    `linear_days`; then `family` says what it tells of. `by` names a category, for some levels of
    which (channels, say) something else counts `overrides`: another effect, or 0 for none. All of a
    `group` together stay within its cap.
    """

    signal: str | None = None
    by: str | None = None
    overrides: dict[Word, Effect] = Field(default_factory=dict)
    group: str | None = None

    @field_validator("overrides", mode="before")
    @classmethod
    def _read_nothing(cls, written: object) -> object:
        if not isinstance(written, dict):
            return written
        return {
            level: {"steps": {0: 0}} if type(effect) is int and effect == 0 else effect
            for level, effect in written.items()
        }

    @model_validator(mode="after")
    def _check_subject(self) -> Self:
        own = [
            name for name in ActivityCriterion.model_fields if getattr(self, name) not in (None, {})
        ]
        own = [name for name in own if name != "display_name" or self.display_name != DisplayName()]
        if (self.signal is None) == (self.activity is None):
            raise ValueError("give either `signal`, a name of signals.yaml, or an `activity`")
        if self.signal is not None and own:
            raise ValueError(f"`{own[0]}` goes with `activity`; a signal says it in its own file")
        if self.activity is not None and self.family is None:
            raise ValueError("an activity needs its `family`: email, web, social ...")
        counted = ("window_days", "half_life_days", "linear_days")
        if sum(getattr(self, name) is not None for name in counted) > 1:
            raise ValueError(f"give one of {', '.join(f'`{name}`' for name in counted)}")
        if bool(self.overrides) != (self.by is not None):
            raise ValueError("`by` and `overrides` go together: a category, and what its levels do")
        return self


class CutoffsConfig(Closed):
    """Points at which MQL and SQL begin; a band is left `hysteresis` points below."""

    mql: Points
    sql: Points
    hysteresis: Annotated[Points, Field(ge=0.0)] = 0.0

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.mql >= self.sql:
            raise ValueError(f"mql ({self.mql:g}) must lie below sql ({self.sql:g})")
        return self


class CapConfig(Closed):
    """The least and the most that a group of criteria is worth together; a number is the most."""

    low: Points | None = None
    high: Points | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_number(cls, written: object) -> object:
        return {"high": written} if type(written) in (int, float) else written

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("give `high`, `low` or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) lies above high ({self.high:g})")
        return self


class AxesConfig(Closed):
    """Where C, B and A begin (fit), and 3, 2 and 1 (engagement), in points.

    By default a quarter of the later period's leads lies between each two.
    """

    fit: tuple[Points, Points, Points] | None = None
    engagement: tuple[Points, Points, Points] | None = None

    @field_validator("fit", "engagement")
    @classmethod
    def _check_order(cls, points: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if points is not None and list(points) != sorted(points):
            raise ValueError("the three cut points must not decrease")
        return points


class SheetConfig(CutoffsConfig):
    """rules.yaml: criteria and their points, where bands begin, caps, axes, signals of its own.

    Every lead begins with `start` points. `by` names a category, for whose levels in `overrides`
    the bands begin elsewhere. `minimums` are what MQL and SQL demand of fit and engagement.
    `signals` are declared as in signals.yaml, and known to this sheet only.
    """

    start: Points = 0.0
    by: str | None = None
    overrides: dict[Word, CutoffsConfig] = Field(default_factory=dict)
    minimums: Minimums = Minimums()
    axes: AxesConfig = AxesConfig()
    caps: dict[str, CapConfig] = Field(default_factory=dict)
    signals: dict[str, Any] = Field(default_factory=dict)
    criteria: Annotated[dict[CriterionName, Criterion], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, written: object) -> object:
        return expand_levels(written)

    @model_validator(mode="after")
    def _check_by(self) -> Self:
        if bool(self.overrides) != (self.by is not None):
            raise ValueError("`by` and `overrides` go together: a category, and cutoffs for levels")
        return self
