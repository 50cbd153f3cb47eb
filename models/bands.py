"""Cold, MQL, SQL: where each band begins, for whom elsewhere, and what it demands besides."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from leadscore.models.axes import ENGAGEMENT_DIGITS, FIT_LETTERS, Axes, Engagement, Fit, LeadAxes
from leadscore.models.log_odds import to_log_odds, to_probability
from leadscore.models.shapes import Frozen

Band = Literal["cold", "MQL", "SQL"]
BANDS: tuple[Band, ...] = ("cold", "MQL", "SQL")
_HEIGHT: Mapping[Band, int] = {band: height for height, band in enumerate(BANDS)}
Cutoff = Annotated[float, Field(gt=0.0, lt=1.0)]
_LogOdds = Annotated[float, Field(allow_inf_nan=False)]
_SHOWN = 1e-12
"""Cutoffs in points may lie beyond what a probability can show; so far from 0 and 1 it is held."""


class CutoffLogOdds(Frozen):
    """Where bands begin and are left, in log-odds, the scale on which every path compares them."""

    mql: _LogOdds
    sql: _LogOdds
    mql_exit: _LogOdds
    sql_exit: _LogOdds

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.mql >= self.sql:
            raise ValueError(f"mql ({self.mql}) must lie below sql ({self.sql})")
        if self.mql_exit > self.mql or self.sql_exit > self.sql:
            raise ValueError("a band is left at its cutoff, or below it")
        return self


class Cutoffs(Frozen):
    """Fixed cutoffs: the probability at which MQL and SQL begin; below both is cold.

    A lead whose last band is known leaves it downwards only when its probability falls below the
    band's cutoff minus `hysteresis`, so that a lead near a cutoff does not flicker.
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
                f"hysteresis ({self.hysteresis}) must be less than mql ({self.mql}), or no lead "
                "would ever turn cold"
            )
        return self

    @property
    def cutoff_log_odds(self) -> CutoffLogOdds:
        """The cutoffs in log-odds."""
        held = self.hysteresis
        return CutoffLogOdds(
            mql=to_log_odds(self.mql),
            sql=to_log_odds(self.sql),
            mql_exit=to_log_odds(self.mql - held),
            sql_exit=to_log_odds(self.sql - held),
        )


def show_cutoffs(cutoffs: CutoffLogOdds) -> dict[str, float]:
    """Return cutoffs as probabilities to read.

    Examples
    --------
    >>> show_cutoffs(CutoffLogOdds(mql=0.0, sql=800.0, mql_exit=0.0, sql_exit=800.0))
    {'mql': 0.5, 'sql': 0.999999999999}
    """
    found = {"mql": to_probability(cutoffs.mql), "sql": to_probability(cutoffs.sql)}
    mql, sql = (min(max(prob, _SHOWN), 1.0 - _SHOWN) for prob in found.values())
    return {"mql": mql, "sql": max(sql, mql + _SHOWN / 10.0)}


def _to_text(value: object) -> object:
    return str(value) if type(value) is int else value


class Minimum(Frozen):
    """The least fit (A is the best) and engagement (1 is the most) that a band demands."""

    fit: Fit | None = None
    engagement: Annotated[Engagement | None, BeforeValidator(_to_text)] = None

    def is_met(self, axes: LeadAxes) -> bool:
        """Say whether a lead that stands there may be in the band."""
        return _reaches(axes.fit, self.fit, FIT_LETTERS) and _reaches(
            axes.engagement, self.engagement, ENGAGEMENT_DIGITS
        )

    def cuts(self, axes: Axes) -> tuple[float, float]:
        """Return the partial sums of fit and engagement from which the minimum is met."""
        return (
            _find_cut(self.fit, axes.fit, FIT_LETTERS),
            _find_cut(self.engagement, axes.engagement, ENGAGEMENT_DIGITS),
        )


def _reaches(grade: str | None, least: str | None, grades: tuple[str, ...]) -> bool:
    return least is None or (grade is not None and grades.index(grade) >= grades.index(least))


def _find_cut(least: str | None, cuts: tuple[float, ...] | None, grades: tuple[str, ...]) -> float:
    height = 0 if least is None else grades.index(least)
    return float("-inf") if height == 0 or cuts is None else cuts[height - 1]


NOTHING = Minimum()


class Minimums(Frozen):
    """What MQL and SQL demand besides the score; SQL demands what MQL does, too."""

    mql: Minimum = NOTHING
    sql: Minimum = NOTHING

    @property
    def axes(self) -> set[str]:
        """The names of the axes that are demanded of."""
        both = (self.mql, self.sql)
        return {n for n in ("fit", "engagement") if any(getattr(m, n) is not None for m in both)}

    def hold(self, band: Band, axes: LeadAxes) -> Band:
        """Return the band that a lead may have: the highest up to `band` whose minimum is met."""
        if not self.mql.is_met(axes):
            return "cold"
        return "MQL" if band == "SQL" and not self.sql.is_met(axes) else band


def expand_levels(written: Any) -> Any:
    """Return bands as they are written, each level with the cutoffs that it does not say itself.

    Examples
    --------
    >>> expand_levels({"mql": 40, "sql": 100, "overrides": {"fair": {"sql": 80}}})["overrides"]
    {'fair': {'mql': 40, 'sql': 80}}
    """
    if not isinstance(written, dict) or not isinstance(written.get("overrides"), dict):
        return written
    usual = {key: written[key] for key in ("mql", "sql", "hysteresis") if key in written}
    overrides = {
        level: {**usual, **cutoffs} if isinstance(cutoffs, dict) else cutoffs
        for level, cutoffs in written["overrides"].items()
    }
    return {**written, "overrides": overrides}


class Bands(Cutoffs):
    """The cutoffs of every lead, those of some levels of a category, and minimums.

    `by` names a category (for example the channel): where its value is a key of `overrides`, those
    cutoffs are used. A lead below a band's minimum of fit or engagement is held below the band,
    whatever its score, so that clicks alone hand nobody to sales.
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
    def plain(self) -> bool:
        """Whether the score alone decides, by the same cutoffs for all."""
        return self.by is None and self.minimums == Minimums()

    @property
    def log_odds(self) -> tuple[float, float]:
        """The two cutoffs of every lead in log-odds."""
        return self.cutoff_log_odds.mql, self.cutoff_log_odds.sql

    @property
    def exit_cutoffs(self) -> tuple[float, float]:
        """The log-odds below which a lead that was in MQL, or in SQL, leaves it downwards."""
        return self.cutoff_log_odds.mql_exit, self.cutoff_log_odds.sql_exit

    @property
    def cutoff_overrides(self) -> dict[str, CutoffLogOdds]:
        """The cutoffs of some levels in log-odds."""
        return {level: cutoffs.cutoff_log_odds for level, cutoffs in self.overrides.items()}


class SheetBands(Bands):
    """Bands of a sheet: its cutoffs are in points, and exact in log-odds.

    A probability in between would cost the last bit, and with it a lead that stands on a cutoff;
    the probabilities are for people to read.
    """

    at: CutoffLogOdds
    at_overrides: dict[str, CutoffLogOdds] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if set(self.at_overrides) != set(self.overrides):
            raise ValueError("`at_overrides` and `overrides` are of the same levels")
        return self

    @property
    def cutoff_log_odds(self) -> CutoffLogOdds:
        """The cutoffs in log-odds."""
        return self.at

    @property
    def cutoff_overrides(self) -> dict[str, CutoffLogOdds]:
        """The cutoffs of some levels in log-odds."""
        return self.at_overrides


def assign_band(log_odds: float, cutoffs: tuple[float, float]) -> Band:
    """Give a lead its band.

    The comparison is made in log-odds, which one lead, a frame and SQL compute to the same bit;
    a lead exactly on a cutoff belongs to the band that begins there.

    Parameters
    ----------
    log_odds : float
        The lead's log-odds.
    cutoffs : tuple of two floats
        ``Bands.log_odds``.

    Returns
    -------
    str
        ``"cold"``, ``"MQL"`` or ``"SQL"``.

    Examples
    --------
    >>> cutoffs = Bands(mql=0.2, sql=0.5).log_odds
    >>> assign_band(0.0, cutoffs), assign_band(-0.1, cutoffs), assign_band(-3.0, cutoffs)
    ('SQL', 'MQL', 'cold')
    """
    mql, sql = cutoffs
    if log_odds >= sql:
        return "SQL"
    return "MQL" if log_odds >= mql else "cold"


def apply_hysteresis(
    log_odds: float, previous: Band, cutoffs: tuple[float, float], exits: tuple[float, float]
) -> Band:
    """Give a lead its band where the one it was in is known.

    It rises at the cutoffs, as any lead does. Downwards the lower cutoffs count, for every band up
    to the one it was in. A lead that falls out of SQL is held in MQL as one that was in MQL.

    Parameters
    ----------
    log_odds : float
        The lead's log-odds.
    previous : str
        ``"cold"``, ``"MQL"`` or ``"SQL"``.
    cutoffs, exits : tuple of two floats
        ``Bands.log_odds`` and ``Bands.exit_cutoffs``.

    Returns
    -------
    str
        Never lower than ``assign_band`` says, and higher only up to `previous`.

    Examples
    --------
    >>> bands = Bands(mql=0.2, sql=0.5, hysteresis=0.05)
    >>> cutoffs, exits = bands.log_odds, bands.exit_cutoffs
    >>> [apply_hysteresis(to_log_odds(p), "SQL", cutoffs, exits) for p in (0.46, 0.44)]
    ['SQL', 'MQL']
    >>> apply_hysteresis(to_log_odds(0.46), "MQL", bands.log_odds, bands.exit_cutoffs)
    'MQL'
    """
    assigned = assign_band(log_odds, cutoffs)
    if _HEIGHT[previous] <= _HEIGHT[assigned]:
        return assigned
    held = assign_band(log_odds, exits)
    return held if _HEIGHT[held] <= _HEIGHT[previous] else previous
