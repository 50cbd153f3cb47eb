"""Attributes of leads that points can be given for: a level, a span of numbers, yes, unknown.

What they are is decided without a look at who won, so that looking afterwards is fair.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, inf, log10

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadscore.pipeline.evaluation.close_rates import FEWEST_EXPECTED, MIN_GROUP_LEADS
from leadscore.pipeline.signals.catalog import Signal

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_MOST_SPANS = 4
_DIGITS = 2
_NEARLY_LEAST = 0.01
"""Share of the numbers above 0 that may count as nothing, for the sake of a round step."""
NEARLY_ALL = 0.95
"""What more snapshots have than this tells few of them apart."""


@dataclass(frozen=True)
class Attribute:
    """One thing that a lead is, has or did, by a signal; `has` marks the snapshots, (n,).

    One of: `level` of a category; the span from `begins` up to `ends` of a number (1 up to infinity
    for a flag that is set); unknown, where neither is given.
    """

    signal: Signal
    has: Mask
    level: str | None = None
    begins: float | None = None
    ends: float = inf

    @property
    def is_unknown(self) -> bool:
        """Whether it is that the signal has no value."""
        return self.level is None and self.begins is None

    @property
    def is_set(self) -> bool:
        """Whether it is that a flag says yes."""
        return self.signal.is_flag and not self.is_unknown

    @property
    def words(self) -> str:
        """What it is, for people: ``industry: software``, ``visits: 3 to 8``."""
        if self.is_unknown:
            return f"{self.signal.name}: not known"
        if self.level is not None:
            return f"{self.signal.name}: {self.level}"
        if self.is_set:
            return f"{self.signal.name}: yes"
        upper = "or more" if self.ends == inf else f"to below {self.ends:g}"
        return f"{self.signal.name}: {self.begins:g} {upper}"


def find_attributes(
    signal: Signal, values: pd.Series, lead: npt.NDArray[np.intp], overall: float
) -> list[Attribute]:
    """List what a signal says of leads, as far as enough of them have it.

    Attributes are every level of a category, a flag that is set, an unknown value, and for numbers
    0 and up to four spans of about equally many leads above it. Each has ``MIN_GROUP_LEADS`` leads
    or more. What nearly all leads have is left out. `values` is the column of the signal, `lead`
    the number of each snapshot's lead, (n,). `overall` is the share of all snapshots that won,
    which decides how many leads a span needs.
    """
    missing = values.isna().to_numpy(bool)
    if signal.is_category:
        texts = values.to_numpy(object)
        levels = sorted({str(text) for text in texts[~missing]})
        found = [Attribute(signal, texts == level, level=level) for level in levels]
    elif signal.is_flag:
        is_set = values.to_numpy(np.float64, na_value=np.nan) >= 0.5
        found = [Attribute(signal, is_set, begins=1.0)]
    else:
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        found = list(_find_spans(signal, numbers, lead, min(overall, 1.0 - overall)))
    found.append(Attribute(signal, missing))
    return [
        attribute
        for attribute in found
        if len(np.unique(lead[attribute.has])) >= MIN_GROUP_LEADS
        and attribute.has.mean() < NEARLY_ALL
    ]


def _find_spans(
    signal: Signal, numbers: Floats, lead: npt.NDArray[np.intp], likelier: float
) -> Iterator[Attribute]:
    known = ~np.isnan(numbers)
    if not known.any():
        return
    lowest = float(numbers[known].min())
    above = known & (numbers > 0.0) if lowest >= 0.0 else known
    edges = [0.0 if lowest >= 0.0 else _round(lowest, down=True)]
    if above.any():
        enough = 2.0 * FEWEST_EXPECTED / max(likelier, 1e-9)
        most = len(np.unique(lead[above])) // max(enough, MIN_GROUP_LEADS)
        spans = int(np.clip(most, 1, _MOST_SPANS))
        cuts = np.quantile(numbers[above], np.arange(1, spans) / spans, method="higher")
        if lowest == 0.0:
            least = float(np.quantile(numbers[above], _NEARLY_LEAST, method="lower"))
            edges.append(_round(least, down=True))
        edges += [_round(float(cut)) for cut in cuts]
    edges = sorted(set(edges))
    for begins, ends in zip(edges, [*edges[1:], inf], strict=True):
        has = known & (numbers >= begins) & (numbers < ends)
        yield Attribute(signal, has, begins=begins, ends=ends)


def _round(number: float, down: bool = False) -> float:
    """Round to two digits that count, so that people can read and change it."""
    if number == 0.0:
        return 0.0
    power = floor(log10(abs(number))) - _DIGITS + 1
    scaled = number / 10.0**power
    whole = floor(scaled) if down else ceil(scaled - 0.5)
    return float(f"{whole}e{power}")
