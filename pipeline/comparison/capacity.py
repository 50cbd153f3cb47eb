"""How many calls a week has: as the team says, else a share of the leads that arrive."""

from math import inf
from typing import NamedTuple

from pipeline.comparison.calls import Week
from pipeline.dataset import Dataset
from pipeline.errors import ConfigError
from pipeline.settings import Project

ASSUMED_SHARE = 0.1
"""Where nobody says how many leads sales can call, a tenth of those that arrive."""


class Capacity(NamedTuple):
    """Calls a week (or a stretch), how that is said, and whether it is but an assumption."""

    calls: float
    said: str
    assumed: bool


def find_capacity(
    project: Project,
    later: Dataset,
    weeks: tuple[Week, ...],
    calls: float | None,
    share: float | None,
) -> Capacity:
    """Return the capacity: the one given, else training.yaml's, else a tenth of the arrivals.

    Parameters
    ----------
    project : Project
    later : Dataset
        Its leads are numbered from 0.
    weeks : tuple of Week
    calls : float or None
        A week, from the command line.
    share : float or None
        Of the leads that arrive in a week, from the command line.

    Raises
    ------
    ConfigError
        If both are given, one is not above 0, or calls a week where there are no weeks.
    """
    if calls is not None and share is not None:
        raise ConfigError("give either --capacity or --capacity-share, not both")
    if calls is not None and not 0.0 < calls < inf:
        raise ConfigError(f"--capacity: a number above 0 is needed, found {calls:g}")
    if share is not None and not 0.0 < share <= 1.0:
        raise ConfigError(
            f"--capacity-share: a share above 0 and up to 1 is needed, found {share:g}"
        )
    leads, stretches = int(later.lead.max()) + 1, len(weeks)
    if later.order == "arrival":
        if calls is not None:
            raise ConfigError(
                "--capacity: these leads have no dates, so there are no weeks to have calls in; "
                "give --capacity-share, the share of leads that can be called"
            )
        part = share or ASSUMED_SHARE
        said = f"calls to {part:.0%} of each {leads / stretches:.0f} leads in a row"
        return Capacity(part * leads / stretches, said, share is None)
    configured = project.training.comparison.calls_per_week
    calls = calls if calls is not None else configured if share is None else None
    if calls is not None:
        return Capacity(calls, _say_calls(calls), False)
    part = share or ASSUMED_SHARE
    calls = float(max(1, round(part * leads / stretches)))
    return Capacity(calls, _say_calls(calls), share is None)


def _say_calls(calls: float) -> str:
    return "1 call a week" if calls == 1.0 else f"{calls:g} calls a week"
