"""The unit of decayed counts, 2 to the -40, with which sums do not depend on the order."""

from math import log

from leadscore.pipeline.values.times import DAY_US

UNITS = 2.0**40
"""The units of one activity of age 0; a weight is rounded to the nearest unit."""
LIFT = 2.0**52 / UNITS
"""A weight plus this number and minus it again is the weight rounded to the nearest unit.

A float has 52 bits after its first one. So the floats from 2 to the 12 to its double are the
multiples of one unit, and an addition rounds to the nearest of them. Sums of rounded weights are
exact in any order up to 8,192; beyond that to one part in 10 to the 15.
"""
HALF_LIVES = 42.0
"""After this number of half-lives a weight rounds to 0 units."""


def decay_rate(half_life_days: float) -> float:
    """Return the (negative) rate per microsecond at which a weight halves every `half_life_days`.

    >>> from math import exp
    >>> round(exp(decay_rate(7.0) * 7 * 86_400_000_000), 12)
    0.5
    """
    return -log(2.0) / (half_life_days * DAY_US)
