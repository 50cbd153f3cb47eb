"""Single values that nearly always win or never do: no fact known beforehand is that sure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.audit.columns.encoding import MISSING, Values
from leadscore.pipeline.audit.columns.predictive_power import Labels
from leadscore.pipeline.evaluation.close_rates import share_interval

ALWAYS = 0.90
"""The least share won, at the low end of its interval, of a value that always wins."""
NEVER = 0.10
"""A value never wins if it has at most this part of the wins that the overall rate gives it ..."""
EXPECTED = 15.0
"""... and that rate gives it at least this number."""
FEWEST, TOLD = 10, 30
BY_CHANCE = np.log(1e-4)
"""A value all of whose leads won by chance is rarer than that."""


@dataclass(frozen=True)
class CertainValues:
    """How much of the outcome single values settle.

    `wins` is the share of all wins that values hold which always win, `others` that of the leads
    not won that values hold which never win; `always` and `never` are the largest such values, in
    words with their counts. Of a value without any exception `spared` is how many of its leads
    should not have won, at the overall rate; `odds_ratio` is that of the surest value against all
    leads, at the low end of its interval; `never_expected` the wins that the largest value which
    never wins should have. `constant` is the share of winners that have one and the same value,
    `constant_others` that of the others which have it, `constant_rate` what the leads with any
    other value win, as a part of the overall rate.
    """

    wins: float
    others: float
    always: str
    never: str
    spared: float
    odds_ratio: float
    never_expected: float
    constant: float
    constant_others: float
    constant_rate: float
    constant_expected: float
    constant_value: str


def find_certain_values(values: Values, won: Labels) -> CertainValues:
    """Count what values, each by itself, settle of the outcome.

    A value is a level, a number that many have, being missing, or anything but the commonest value.
    Ranges of numbers are not looked at: the ends of an honest, strong number may be nearly sure.
    """
    base = float(won.mean())
    always = np.zeros(len(won), bool)
    never = np.zeros(len(won), bool)
    sure: list[tuple[int, str]] = []
    none: list[tuple[int, str]] = []
    odds, spared = 0.0, 0.0
    for name, rows in _groups(values):
        count, wins = int(rows.sum()), int(won[rows].sum())
        if count < FEWEST / 2:
            continue
        low, _ = share_interval(np.array([wins / count]), np.array([float(count)]))
        pure = wins == count and count * np.log(base) < BY_CHANCE
        if pure:
            spared = max(spared, (1.0 - base) * count)
        if pure or low[0] >= max(ALWAYS, 1.0 - (1.0 - base) / 4.0):
            always |= rows
            sure.append((count, f"{name}: {wins:,} of {count:,} won"))
            odds = max(odds, float(low[0] / max(1.0 - low[0], 1e-9)))
        elif base * count >= EXPECTED and wins <= NEVER * base * count:
            never |= rows
            none.append((count, f"{name}: {wins:,} of {count:,} won"))
    usual = _usual_among(values, won)
    other = values.exact != usual
    rate = float(won[other].mean()) if other.any() else base
    return CertainValues(
        wins=float(always[won].mean()),
        others=float(never[~won].mean()),
        always=max(sure, default=(0, ""))[1],
        never=max(none, default=(0, ""))[1],
        spared=spared,
        odds_ratio=odds * (1.0 - base) / base,
        never_expected=base * max(none, default=(0, ""))[0],
        constant=float((~other)[won].mean()),
        constant_others=float((~other)[~won].mean()),
        constant_rate=rate / base,
        constant_expected=float(base * other.sum()),
        constant_value=name_value(values, usual),
    )


def name_value(values: Values, code: int) -> str:
    """Return a value in words; one that fewer than 30 leads have might point at somebody."""
    if code == MISSING:
        return "blank"
    if (values.exact == code).sum() < TOLD:
        return "a value"
    name = values.names[code - 1]
    return f"{name:g}" if isinstance(name, float) else f"{str(name)[:40]!r}"


def _groups(values: Values) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    counts = np.bincount(values.exact)
    commonest = int(counts.argmax())
    for code in np.flatnonzero(counts >= FEWEST / 2):
        yield name_value(values, int(code)), values.exact == code
    if len(counts) > 2:
        yield f"anything but {name_value(values, commonest)}", values.exact != commonest
    if counts[MISSING] and commonest != MISSING:
        yield "filled", values.filled


def _usual_among(values: Values, won: Labels) -> int:
    return int(np.bincount(values.exact[won]).argmax())
