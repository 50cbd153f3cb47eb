"""How a decayed count is counted: in units of 2 to the -40, so that its sum has no order."""

from math import log

from leadscore.pipeline.values.times import DAY_US

UNITS = 2.0**40
"""The units of one activity of age 0; a weight is rounded to the nearest unit."""
LIFT = 2.0**52 / UNITS
"""A weight plus this and minus this again is the weight rounded to the nearest unit.

A float has 52 bits behind its first one, so those from 2 to the 12 up to its double are the
multiples of one unit, and an addition of floats rounds to the nearest. The weights so rounded add
up exactly, in whatever order, to a sum of 8,192; beyond that to a part in 10 to the 15.
"""
HALF_LIVES = 42.0
"""A weight this many half-lives old rounds to no unit."""


def decay_rate(half_life_days: float) -> float:
    """Return the (negative) rate per microsecond at which a weight halves every `half_life_days`.

    Examples
    --------
    >>> from math import exp
    >>> round(exp(decay_rate(7.0) * 7 * 86_400_000_000), 12)
    0.5
    """
    return -log(2.0) / (half_life_days * DAY_US)
