"""Cold, MQL, SQL: where on the scale of probability each band begins."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.log_odds import to_log_odds
from models.shapes import Frozen

Band = Literal["cold", "MQL", "SQL"]
BANDS: tuple[Band, ...] = ("cold", "MQL", "SQL")
_HEIGHT: Mapping[Band, int] = {band: height for height, band in enumerate(BANDS)}
Cutoff = Annotated[float, Field(gt=0.0, lt=1.0)]


class Bands(Frozen):
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
    def log_odds(self) -> tuple[float, float]:
        """The two cutoffs in log-odds, the scale on which every path compares them."""
        return to_log_odds(self.mql), to_log_odds(self.sql)

    @property
    def released(self) -> tuple[float, float]:
        """The log-odds below which a lead that was in MQL, or in SQL, leaves it downwards."""
        return to_log_odds(self.mql - self.hysteresis), to_log_odds(self.sql - self.hysteresis)


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


def hold_band(
    log_odds: float, previous: Band, cutoffs: tuple[float, float], released: tuple[float, float]
) -> Band:
    """Give a lead its band where the one it was in is known.

    It rises at the cutoffs, as any lead does. Downwards the lower marks count, for every band up to
    the one it was in: a lead that falls out of SQL is held in MQL as one that was in MQL would be.

    Parameters
    ----------
    log_odds : float
        The lead's log-odds.
    previous : str
        ``"cold"``, ``"MQL"`` or ``"SQL"``.
    cutoffs, released : tuple of two floats
        ``Bands.log_odds`` and ``Bands.released``.

    Returns
    -------
    str
        Never lower than ``assign_band`` says, and higher only up to `previous`.

    Examples
    --------
    >>> bands = Bands(mql=0.2, sql=0.5, hysteresis=0.05)
    >>> [hold_band(to_log_odds(p), "SQL", bands.log_odds, bands.released) for p in (0.46, 0.44)]
    ['SQL', 'MQL']
    >>> hold_band(to_log_odds(0.46), "MQL", bands.log_odds, bands.released)
    'MQL'
    """
    assigned = assign_band(log_odds, cutoffs)
    if _HEIGHT[previous] <= _HEIGHT[assigned]:
        return assigned
    held = assign_band(log_odds, released)
    return held if _HEIGHT[held] <= _HEIGHT[previous] else previous
