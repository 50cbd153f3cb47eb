"""Bands: their cutoffs, exceptions by level, and minimums."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from leadscore.models.axes import (
    ENGAGEMENT_DIGITS,
    FIT_LETTERS,
    Axes,
    Engagement,
    Fit,
    LeadAxes,
    LogOdds,
)
from leadscore.models.log_odds import to_log_odds, to_probability
from leadscore.models.shapes import Frozen

Band = Literal["cold", "MQL", "SQL"]
BANDS: tuple[Band, ...] = ("cold", "MQL", "SQL")
_RANK: Mapping[Band, int] = {band: rank for rank, band in enumerate(BANDS)}
Cutoff = Annotated[float, Field(gt=0.0, lt=1.0)]
_LEAST_SHOWN = 1e-12
"""The least distance of a shown cutoff from 0 and 1: a probability must lie between them."""


class CutoffLogOdds(Frozen):
    """Where bands begin, and where a lead leaves them, in log-odds."""

    mql: LogOdds
    sql: LogOdds
    mql_exit: LogOdds
    sql_exit: LogOdds

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.mql >= self.sql:
            raise ValueError(f"mql ({self.mql}) must lie below sql ({self.sql})")
        if self.mql_exit > self.mql or self.sql_exit > self.sql:
            raise ValueError("mql_exit and sql_exit must not lie above mql and sql")
        return self


class Cutoffs(Frozen):
    """Fixed cutoffs: the probabilities at which MQL and SQL begin; a lead below both is cold.

    A lead whose previous band is known falls out of it only below the band's cutoff minus
    `hysteresis`. So a lead near a cutoff does not change its band at every small change.
    """

    mql: Cutoff
    sql: Cutoff
    hysteresis: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.mql >= self.sql:
            raise ValueError(f"mql ({self.mql}) must lie below sql ({self.sql})")
        if self.hysteresis >= self.mql:
            raise ValueError(
                f"hysteresis ({self.hysteresis}) must be less than mql ({self.mql}); otherwise no "
                "lead would ever become cold"
            )
        return self

    @property
    def cutoff_log_odds(self) -> CutoffLogOdds:
        """The cutoffs in log-odds."""
        return CutoffLogOdds(
            mql=to_log_odds(self.mql),
            sql=to_log_odds(self.sql),
            mql_exit=to_log_odds(self.mql - self.hysteresis),
            sql_exit=to_log_odds(self.sql - self.hysteresis),
        )


def show_cutoffs(cutoffs: CutoffLogOdds) -> dict[str, float]:
    """Return cutoffs as probabilities that people read.

    >>> show_cutoffs(CutoffLogOdds(mql=0.0, sql=800.0, mql_exit=0.0, sql_exit=800.0))
    {'mql': 0.5, 'sql': 0.999999999999}
    """
    found = {"mql": to_probability(cutoffs.mql), "sql": to_probability(cutoffs.sql)}
    mql, sql = (min(max(prob, _LEAST_SHOWN), 1.0 - _LEAST_SHOWN) for prob in found.values())
    return {"mql": mql, "sql": max(sql, mql + _LEAST_SHOWN / 10.0)}


def _to_text(value: object) -> object:
    return str(value) if type(value) is int else value


class Minimum(Frozen):
    """The lowest fit (A is the best) and engagement (1 is the best) that a band requires."""

    fit: Fit | None = None
    engagement: Annotated[Engagement | None, BeforeValidator(_to_text)] = None

    def is_met(self, axes: LeadAxes) -> bool:
        """Return whether a lead with these grades may be in the band."""
        return _reaches(axes.fit, self.fit, FIT_LETTERS) and _reaches(
            axes.engagement, self.engagement, ENGAGEMENT_DIGITS
        )

    def cuts(self, axes: Axes) -> tuple[float, float]:
        """Return the least partial sums of fit and engagement that meet the minimum."""
        return (
            _find_cut(self.fit, axes.fit, FIT_LETTERS),
            _find_cut(self.engagement, axes.engagement, ENGAGEMENT_DIGITS),
        )


def _reaches(grade: str | None, least: str | None, grades: tuple[str, ...]) -> bool:
    return least is None or (grade is not None and grades.index(grade) >= grades.index(least))


def _find_cut(least: str | None, cuts: tuple[float, ...] | None, grades: tuple[str, ...]) -> float:
    rank = 0 if least is None else grades.index(least)
    return float("-inf") if rank == 0 or cuts is None else cuts[rank - 1]


class Minimums(Frozen):
    """What MQL and SQL require besides the score; SQL also requires what MQL does."""

    mql: Minimum = Minimum()
    sql: Minimum = Minimum()

    @property
    def axes(self) -> set[str]:
        """The names of the axes that have a minimum."""
        both = (self.mql, self.sql)
        return {n for n in ("fit", "engagement") if any(getattr(m, n) is not None for m in both)}

    def limit(self, band: Band, axes: LeadAxes) -> Band:
        """Return the highest band, at most `band`, whose minimum the lead meets."""
        if not self.mql.is_met(axes):
            return "cold"
        return "MQL" if band == "SQL" and not self.sql.is_met(axes) else band


def expand_levels(written: Any) -> Any:
    """Return written bands in which each level has all cutoffs: its own, else the common ones.

    >>> expand_levels({"mql": 40, "sql": 100, "overrides": {"fair": {"sql": 80}}})["overrides"]
    {'fair': {'mql': 40, 'sql': 80}}
    """
    if not isinstance(written, dict) or not isinstance(written.get("overrides"), dict):
        return written
    common = {key: written[key] for key in ("mql", "sql", "hysteresis") if key in written}
    overrides = {
        level: {**common, **cutoffs} if isinstance(cutoffs, dict) else cutoffs
        for level, cutoffs in written["overrides"].items()
    }
    return {**written, "overrides": overrides}


class Bands(Cutoffs):
    """The cutoffs of all leads, exceptions for some levels of a category, and minimums.

    `by` names a category (for example the channel). A lead whose value is a key of `overrides`
    gets those cutoffs. A lead below a band's minimum of fit or engagement stays below the band,
    whatever its score, so that clicks alone hand no lead to sales.
    """

    by: str | None = None
    overrides: dict[str, Cutoffs] = Field(default_factory=dict)
    minimums: Minimums = Minimums()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, written: object) -> object:
        return expand_levels(written)

    @model_validator(mode="after")
    def _check_by(self) -> Self:
        if bool(self.overrides) != (self.by is not None):
            raise ValueError(
                "`by` and `overrides` go together: a signal, and cutoffs for its levels"
            )
        return self

    @property
    def cutoff_overrides(self) -> dict[str, CutoffLogOdds]:
        """The cutoffs of the levels in `overrides`, in log-odds."""
        return {level: cutoffs.cutoff_log_odds for level, cutoffs in self.overrides.items()}


class SheetBands(Bands):
    """Bands of a rule sheet: cutoffs written in points, and kept exactly in log-odds (`at`).

    `mql` and `sql` are probabilities for people to read. A way through them would change the last
    bit, and with it the band of a lead exactly on a cutoff.
    """

    at: CutoffLogOdds
    at_overrides: dict[str, CutoffLogOdds] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if set(self.at_overrides) != set(self.overrides):
            raise ValueError("`at_overrides` and `overrides` must have the same levels")
        return self

    @property
    def cutoff_log_odds(self) -> CutoffLogOdds:
        """The cutoffs in log-odds."""
        return self.at

    @property
    def cutoff_overrides(self) -> dict[str, CutoffLogOdds]:
        """The cutoffs of the levels in `overrides`, in log-odds."""
        return self.at_overrides


def assign_band(log_odds: float, cutoffs: CutoffLogOdds) -> Band:
    """Return the band of a lead by its log-odds.

    The comparison is in log-odds, which one lead, a frame and SQL compute to the same bit. A lead
    exactly on a cutoff belongs to the band that begins there.

    >>> cutoffs = Bands(mql=0.2, sql=0.5).cutoff_log_odds
    >>> assign_band(0.0, cutoffs), assign_band(-0.1, cutoffs), assign_band(-3.0, cutoffs)
    ('SQL', 'MQL', 'cold')
    """
    if log_odds >= cutoffs.sql:
        return "SQL"
    return "MQL" if log_odds >= cutoffs.mql else "cold"


def apply_hysteresis(log_odds: float, previous: Band, cutoffs: CutoffLogOdds) -> Band:
    """Return the band of a lead whose previous band is known.

    A lead rises at the same cutoffs as any other lead. It falls at the lower exit cutoffs, which
    count for every band up to the previous one. So the band is never lower than that of
    ``assign_band``, and it is higher only up to `previous`.

    >>> cutoffs = Bands(mql=0.2, sql=0.5, hysteresis=0.05).cutoff_log_odds
    >>> [apply_hysteresis(to_log_odds(prob), "SQL", cutoffs) for prob in (0.46, 0.44)]
    ['SQL', 'MQL']
    >>> apply_hysteresis(to_log_odds(0.46), "MQL", cutoffs)
    'MQL'
    """
    assigned = assign_band(log_odds, cutoffs)
    if _RANK[previous] <= _RANK[assigned]:
        return assigned
    if log_odds >= cutoffs.sql_exit:
        return previous
    return "MQL" if log_odds >= cutoffs.mql_exit else "cold"
