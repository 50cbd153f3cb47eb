"""What a comparison finds, as plain records."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from leadscore.pipeline.evaluation.close_rates import Group
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.evaluation.resampling import Gain


@dataclass(frozen=True)
class FamilyCost:
    """What leaving out one family of signals does: wins at capacity and AUC, after minus before."""

    family: str
    wins: Estimate
    auc: float


@dataclass(frozen=True)
class ContenderResult:
    """One contender: who it is and how it did.

    `metrics` has wins_at_capacity, calls, precision_at_capacity, lift_at_capacity and the measures
    of ``measures.MEASURED``. `slope` is the calibration slope, raw and after equal treatment, whose
    scale and shift are `equal`; None where the latter leaves nothing of the score. `curve` is the
    wins reached with the calls of ``Comparison.calls``.
    """

    key: str
    name: str
    title: str
    kind: str
    model: str
    version: int
    aliases: tuple[str, ...]
    fingerprint: str
    metrics: dict[str, Estimate]
    slope: tuple[float, float | None]
    equal: tuple[float, float]
    curve: tuple[float, ...]
    families: tuple[FamilyCost, ...]


@dataclass(frozen=True)
class SwapCounts:
    """Leads by who would have called them; a lead in a tie counts in part.

    `wins` are those of the calls; of leads that nobody called, those that won all the same.
    """

    leads: float
    wins: float


@dataclass(frozen=True)
class SwapTrait:
    """What tells the leads that only one would call from those that only the other would.

    `one` and `other` are means of a number, or shares of leads with `level`.
    """

    column: str
    name: str
    level: str | None
    one: float
    other: float
    effect: float


@dataclass(frozen=True)
class Swaps:
    """Who would be called by one contender and not by the other, and what became of them.

    `both_other` holds the wins by the other's calls: it may call the same lead at another time.
    `traits` are empty where either side has fewer than ``FEWEST`` leads.
    """

    both: SwapCounts
    both_other: SwapCounts
    only_one: SwapCounts
    only_other: SwapCounts
    neither: SwapCounts
    traits: tuple[SwapTrait, ...]


@dataclass(frozen=True)
class Pair:
    """One contender against another; every difference is `one` minus `other`.

    `p` is the p-value held for all pairs of the comparison (Holm). `proven` says whether it is at
    most 5 %. `needed` is how many wins would prove a gain of the size seen, None where there is
    none; `needed_for_gain` the same for the smallest gain worth finding. `bands` are 3 x 3: rows
    are the bands of `one`, SQL first, columns those of `other`.
    """

    one: str
    other: str
    gain: Gain
    p: float
    proven: bool
    metrics: dict[str, Estimate]
    needed: float | None
    needed_for_gain: float | None
    swaps: Swaps
    bands: tuple[tuple[Group, ...], ...]


@dataclass(frozen=True)
class Slice:
    """A group of leads; `reached` is by contender, `gains` in the order of the pairs."""

    name: str
    leads: int
    wins: int
    reached: dict[str, float]
    gains: tuple[Estimate, ...]


@dataclass(frozen=True)
class Breakdown:
    """The later leads by month or by the levels of a signal; `hidden` groups are too small."""

    column: str
    description: str
    slices: tuple[Slice, ...]
    hidden: int


class ExperimentSize(NamedTuple):
    """How large a test has to be to find a relative gain; `weeks` is None without dates."""

    gain: float
    calls_per_arm: int
    weeks: int | None


@dataclass(frozen=True)
class ExperimentPlan:
    """A prospective randomised test: its size, how long it takes, and how it is done.

    `base_rate` is the share of calls that win now, `gain` the smallest relative gain to be found.
    `weeks` is None where nobody knows how many calls a week has. `shorter` are tests of larger
    gains.
    """

    one: str
    other: str
    base_rate: float
    gain: float
    calls_per_arm: int
    wins_expected: int
    calls_per_week: float | None
    weeks: int | None
    wait_days: float | None
    shorter: tuple[ExperimentSize, ...]
    summary: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All that one comparison finds.

    `calls` are the capacities of the curves, `by_chance` the wins reached with them by calling at
    random. The first sentence of `verdict` is enough for a quick reader.
    """

    project: str
    basis: str
    begins: str
    snapshots: int
    leads: int
    wins: int
    horizon_days: float | None
    capacity: float
    capacity_text: str
    capacity_assumed: bool
    weeks: int
    weeks_text: str
    earlier_snapshots: int
    bootstrap_draws: int
    verdict: tuple[str, ...]
    remarks: tuple[str, ...]
    caveats: tuple[str, ...]
    standings: tuple[ContenderResult, ...]
    pairs: tuple[Pair, ...]
    calls: tuple[float, ...]
    by_chance: tuple[float, ...]
    breakdowns: tuple[Breakdown, ...]
    plan: ExperimentPlan

    def find(self, key: str) -> ContenderResult:
        """Return the standing of a contender."""
        return next(standing for standing in self.standings if standing.key == key)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain data; figures are {value, low, high}."""
        document: dict[str, Any] = to_plain(self)
        return document


def to_plain(record: Any) -> Any:
    """Turn records within records into plain data, named tuples included."""
    if hasattr(record, "_asdict"):
        return {name: to_plain(value) for name, value in record._asdict().items()}
    if hasattr(record, "__dataclass_fields__"):
        return {name: to_plain(getattr(record, name)) for name in record.__dataclass_fields__}
    if isinstance(record, dict):
        return {name: to_plain(value) for name, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_plain(value) for value in record]
    return record
