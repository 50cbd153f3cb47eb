"""How many wins each contender reaches with its calls, in the same draws of leads for all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadscore.pipeline.comparison.call_simulator import CallSimulator
from leadscore.pipeline.evaluation.resampling import draw_weights

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CallOutcome:
    """Calls and wins of one contender in g groups of snapshots: as it was, and in each draw.

    `wins` and `calls` are (g,); `drawn_wins` and `drawn_calls` (g, draws). `called` is how much of
    each snapshot is called, (n,).
    """

    called: Floats
    wins: Floats
    calls: Floats
    drawn_wins: Floats
    drawn_calls: Floats


def simulate_calls(
    callers: list[CallSimulator],
    capacity: float,
    label: npt.NDArray[np.int8],
    leads: int,
    groups: Floats,
    bootstrap_draws: int,
    seed: int,
) -> list[CallOutcome]:
    """Call with each contender, on the leads as they are and on each draw of them.

    Parameters
    ----------
    capacity : float
        Calls a week.
    label : array of shape (n,) of 0 and 1
    leads : int
        Their number.
    groups : float array of shape (g, n)
        1 where a snapshot belongs to a group, else 0.

    Returns
    -------
    list of CallOutcome
        One per caller.
    """
    found = [_DrawCounts(caller, capacity, label, groups) for caller in callers]
    ones = np.ones((leads, 1))
    whole = [tally.count(ones) for tally in found]
    parts: list[list[tuple[Floats, Floats]]] = [[] for _ in found]
    for weight in draw_weights(leads, bootstrap_draws, seed):
        for tally, part in zip(found, parts, strict=True):
            part.append(tally.count(weight))
    return [
        CallOutcome(
            caller.call_once(capacity),
            wins[:, 0],
            calls[:, 0],
            np.hstack([drawn for drawn, _ in part]),
            np.hstack([drawn for _, drawn in part]),
        )
        for caller, (wins, calls), part in zip(callers, whole, parts, strict=True)
    ]


class _DrawCounts:
    """Counts calls and wins of one contender by group."""

    def __init__(
        self, caller: CallSimulator, capacity: float, label: npt.NDArray[np.int8], groups: Floats
    ) -> None:
        self._caller, self._capacity, self._label, self._groups = caller, capacity, label, groups

    def count(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return wins and calls, each (g, draws), of leads that are there so often."""
        wins = np.zeros((len(self._groups), weight.shape[1]))
        calls = np.zeros_like(wins)
        for rows, called in self._caller.run(self._capacity, weight):
            members = self._groups[:, rows]
            calls += members @ called
            wins += (members * self._label[rows]) @ called
        return wins, calls


def draw_curve(
    caller: CallSimulator, label: npt.NDArray[np.int8], capacities: list[float]
) -> list[float]:
    """Return the wins that are reached with so many calls a week."""
    return [float(caller.call_once(calls) @ label) for calls in capacities]
