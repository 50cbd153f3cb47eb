"""The plan of a prospective randomised test: the only proof that a score brings more wins."""

from math import ceil, sqrt

from scipy.stats import norm

from leadscore.pipeline.comparison.records import ContenderResult, ExperimentPlan, ExperimentSize
from leadscore.pipeline.errors import ConfigError

LEVEL, POWER = 0.05, 0.8
BY_CHANCE = 0.05
"""The share of calls that go to leads drawn by chance, as a guard."""

_LARGER = (0.3, 0.5, 1.0)
_RAREST = 1e-3


def read_gain(written: str) -> float:
    """Read a relative gain, ``20%`` or ``0.2``.

    Raises ConfigError if it is no such number.

    Examples
    --------
    >>> read_gain("20%"), read_gain("0.5")
    (0.2, 0.5)
    """
    try:
        number = float(written.strip().removesuffix("%"))
    except ValueError:
        number = 0.0
    gain = number / 100.0 if written.strip().endswith("%") else number
    if not 0.0 < gain <= 10.0:
        raise ConfigError(f"--gain: a gain such as 20% is needed, found {written!r}")
    return gain


def size_experiment(base_rate: float, gain: float) -> int:
    """Return how many calls each arm needs, so that a relative gain is found in 80 % of tests.

    Two-sided at 5 %, by the shares of calls that win, with the correction for continuity.
    `base_rate` is the share of calls that win in the weaker arm. `gain` is relative: 0.2 finds 12 %
    against 10 %. Raises ConfigError if the gain is not above 0, or would lift the share to 1 or
    more.

    References
    ----------
    J. L. Fleiss, B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions" (2003),
    sections 4.1 and 4.2; J. T. Casagrande, M. C. Pike, P. G. Smith, "An improved approximate
    formula for calculating sample sizes for comparing two binomial distributions" (1978).

    Examples
    --------
    >>> size_experiment(0.1, 0.2)
    3941
    """
    better = base_rate * (1.0 + gain)
    if not gain > 0.0 or not 0.0 < base_rate < better < 1.0:
        raise ConfigError(
            f"--gain: a share won of {base_rate:.1%} cannot rise by {gain:.0%}; give a smaller gain"
        )
    middle, apart = (base_rate + better) / 2.0, better - base_rate
    spread = sqrt(2.0 * middle * (1.0 - middle))
    spread_apart = sqrt(base_rate * (1.0 - base_rate) + better * (1.0 - better))
    sure, found = float(norm.ppf(1.0 - LEVEL / 2.0)), float(norm.ppf(POWER))
    plain = (sure * spread + found * spread_apart) ** 2 / apart**2
    return ceil(plain / 4.0 * (1.0 + sqrt(1.0 + 4.0 / (plain * apart))) ** 2)


def plan_experiment(
    one: ContenderResult,
    other: ContenderResult,
    gain: float,
    calls_per_week: float | None,
    horizon_days: float | None,
) -> ExperimentPlan:
    """Plan a test between two contenders.

    `gain` is the smallest relative gain worth finding. `calls_per_week` of the whole team is None
    if leads have no dates. The base rate is that of the contender whose calls won less often here.
    """
    base_rate = min(s.metrics["precision_at_capacity"].value for s in (one, other))
    base_rate = min(max(base_rate, _RAREST), 1.0 - _RAREST)
    room = (1.0 - base_rate) / base_rate
    possible = gain if gain < room else room / 2.0
    size = _find_size(base_rate, possible, calls_per_week)
    larger = [wish for wish in _LARGER if possible < wish < room]
    too_high = f" (a gain of {gain:.0%} is more than there can be; this is half of what is left)"
    high = "" if possible == gain else too_high
    weeks = f": {size.weeks:,} weeks with {calls_per_week:g} calls a week" if size.weeks else ""
    wait = "" if horizon_days is None else f", then {horizon_days:g} days until the last outcome"
    return ExperimentPlan(
        one=one.key,
        other=other.key,
        base_rate=base_rate,
        gain=possible,
        calls_per_arm=size.calls_per_arm,
        wins_expected=round(size.calls_per_arm * base_rate * (2.0 + possible)),
        calls_per_week=calls_per_week,
        weeks=size.weeks,
        wait_days=horizon_days,
        shorter=tuple(_find_size(base_rate, wish, calls_per_week) for wish in larger),
        summary=(
            f"To find a gain of {possible:.0%} in wins per call{high} in four tests out of five, "
            f"where {base_rate:.1%} of the calls win now, takes {size.calls_per_arm:,} calls in "
            f"each arm{weeks}{wait}."
        ),
        steps=_list_steps(one, other, size.calls_per_arm, horizon_days),
    )


def _find_size(base_rate: float, gain: float, calls_per_week: float | None) -> ExperimentSize:
    calls, weeks = size_experiment(base_rate, gain), None
    if calls_per_week is not None:
        weeks = ceil(2.0 * calls / ((1.0 - BY_CHANCE) * calls_per_week))
    return ExperimentSize(gain, calls, weeks)


def _list_steps(
    one: ContenderResult, other: ContenderResult, calls: int, horizon_days: float | None
) -> tuple[str, ...]:
    ripe = (
        "until every outcome is known" if horizon_days is None
        else f"{horizon_days:g} days after the last call"
    )  # fmt: skip
    return (
        "Before the first call, write down the two versions, the salt, the number of calls and the "
        "day of the analysis, and change none of them.",
        "Give every lead an arm by chance and for good: SHA-256 of the salt and lead_id, an even "
        f"first byte is arm A, an odd one arm B. Arm A is ordered by {one.key}, arm B by "
        f"{other.key}, both by the same people.",
        "Every week call the best leads of each arm, half of the week's calls in each; whoever "
        "calls sees neither arm nor score.",
        f"Give {BY_CHANCE:.0%} of the calls to leads drawn by chance, whatever their score, and "
        "count those apart: without them nobody ever learns what a score discards.",
        f"Stop after {calls:,} calls in each arm, wait {ripe}, and count the calls whose lead won "
        "within the horizon. Do not look in between: looking ten times finds a difference in one "
        "test out of five where there is none.",
        "Compare the two shares with a two-sided test of two proportions at 5 %, by the arm a lead "
        "was given, whether or not it was reached.",
    )
