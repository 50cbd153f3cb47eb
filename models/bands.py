"""Cold, MQL, SQL: where on the scale of probability each band begins."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.log_odds import to_log_odds
from models.shapes import Frozen

Band = Literal["cold", "MQL", "SQL"]
BANDS: tuple[Band, ...] = ("cold", "MQL", "SQL")
Cutoff = Annotated[float, Field(gt=0.0, lt=1.0)]


class Bands(Frozen):
    """Fixed cutoffs: the probability at which MQL and SQL begin; below both is cold."""

    mql: Cutoff
    sql: Cutoff

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.mql >= self.sql:
            raise ValueError(f"mql ({self.mql}) must lie below sql ({self.sql})")
        return self

    @property
    def log_odds(self) -> tuple[float, float]:
        """The two cutoffs in log-odds, the scale on which every path compares them."""
        return to_log_odds(self.mql), to_log_odds(self.sql)


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
