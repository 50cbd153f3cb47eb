"""The verdict in words, for somebody who has never heard of an AUC."""

from collections.abc import Mapping, Sequence

from leadscore.pipeline.comparison.calls import Capacity, Week
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet
from leadscore.pipeline.comparison.records import ContenderResult, Pair
from leadscore.pipeline.evaluation.metrics import Estimate

FEW = 30
"""With fewer wins the verdict says that only a very large difference could show."""

_FAR = 100.0
NO_DIFFERENCE = "No difference proven"


def write_verdict(
    standings: Sequence[ContenderResult],
    duels: Sequence[Pair],
    wins: int,
    capacity: str,
    gain: float,
) -> tuple[str, ...]:
    """Return the verdict: one sentence, then one for each further duel.

    Parameters
    ----------
    standings : sequence of ContenderResult
    duels : sequence of Pair
        Of every pair.
    wins : int
        Leads that won in the later period.
    capacity : str
        In words: ``40 calls a week``.
    gain : float
        The smallest relative gain worth finding.
    """
    ranked = sorted(standings, key=lambda s: -s.metrics["wins_at_capacity"].value)
    first, *others = ranked
    against = {s.key: _find(duels, first, s) for s in others}
    of = {standing.key: standing for standing in standings}
    if len(others) == 1:
        return (_tell_two(first, others[0], against[others[0].key], wins, capacity, gain),)
    beaten = [s for s in others if against[s.key].proven]
    if len(beaten) == len(others):
        said = _say_reached("it", ranked, wins, capacity)
        head = f"{_begin(first.said)} is ahead of all the others: {said}."
    elif beaten:
        level = [s.said for s in others if s not in beaten]
        said = _say_reached("it", ranked, wins, capacity)
        head = (
            f"{_begin(first.said)} is ahead of {_join([s.said for s in beaten])}, but "
            f"{NO_DIFFERENCE.lower()} from {_join(level)}: {said}."
        )
    else:
        said = _say_reached(first.said, ranked, wins, capacity)
        head = f"{NO_DIFFERENCE} between the first and the others with these {wins:,} wins: {said}."
    return head, *(_tell_duel(duel, of, wins, gain) for duel in duels)


def _find(duels: Sequence[Pair], one: ContenderResult, other: ContenderResult) -> Pair:
    return next(duel for duel in duels if {duel.one, duel.other} == {one.key, other.key})


def _tell_two(
    first: ContenderResult,
    second: ContenderResult,
    duel: Pair,
    wins: int,
    capacity: str,
    gain: float,
) -> str:
    more = _say_more(first, second, duel)
    if duel.proven:
        said = _say_reached("it", (first, second), wins, capacity)
        return f"{_begin(first.said)} is ahead: {said}, which is {more}."
    said = _say_reached(first.said, (first, second), wins, capacity)
    if _calls_alike(duel):
        return f"{NO_DIFFERENCE}: both call the same leads, so {said}."
    return (
        f"{NO_DIFFERENCE} with these {wins:,} wins: {said}, and {more} may be chance; "
        f"{_say_needed(duel, wins, gain)}."
    )


def _tell_duel(duel: Pair, of: Mapping[str, ContenderResult], wins: int, gain: float) -> str:
    first, second = of[duel.one], of[duel.other]
    if duel.gain.wins.value < 0.0:
        first, second = second, first
    one, other = first.said, second.said
    more = _say_more(first, second, duel)
    if duel.proven:
        return f"{_begin(one)} is ahead of {other}: {more}."
    if _calls_alike(duel):
        return f"{_begin(one)} and {other} call the same leads."
    return (
        f"{NO_DIFFERENCE} between {one} and {other}: {more} may be chance; "
        f"{_say_needed(duel, wins, gain)}."
    )


def _oriented(gain: Estimate) -> Estimate:
    """Return the gain of whoever is ahead."""
    return gain if gain.value >= 0.0 else Estimate(-gain.value, -gain.high, -gain.low)


def _calls_alike(duel: Pair) -> bool:
    return max(duel.swaps.only_one.leads, duel.swaps.only_other.leads) < 0.5


def _say_reached(subject: str, ranked: Sequence[ContenderResult], wins: int, capacity: str) -> str:
    others = ranked[1:]
    reached = [round(s.metrics["wins_at_capacity"].value) for s in ranked]
    others_said = [f"{s.said} {count:,}" for s, count in zip(others, reached[1:], strict=True)]
    return (
        f"with {capacity}, {subject} would have reached {reached[0]:,} of {wins:,} wins and "
        f"{_join(others_said)}"
    )


def _say_more(first: ContenderResult, second: ContenderResult, duel: Pair) -> str:
    """Say how many more, so that it is the difference of the two numbers shown."""
    reached = [round(s.metrics["wins_at_capacity"].value) for s in (first, second)]
    return write_gain(_oriented(duel.gain.wins)._replace(value=float(reached[0] - reached[1])))


def write_gain(gain: Estimate) -> str:
    """Say a gain in wins with its interval.

    Examples
    --------
    >>> write_gain(Estimate(44.2, 21.0, 66.4))
    '44 more (95 % interval: 21 to 66 more)'
    >>> write_gain(Estimate(5.0, -9.2, 19.0))
    '5 more (95 % interval: 9 fewer to 19 more)'
    >>> write_gain(Estimate(8.0, 0.3, 17.2))
    '8 more (95 % interval: 0.3 to 17 more)'
    """
    low, high = (_say_end(abs(end)) for end in (gain.low, gain.high))
    if gain.low < 0.0 <= gain.high:
        span = f"{low} fewer to {high} more"
    elif gain.low < 0.0:
        span = f"{low} to {high} fewer"
    else:
        span = f"{low} to {high} more"
    value = round(gain.value)
    word = "more" if value >= 0 else "fewer"
    return f"{abs(value):,} {word} (95 % interval: {span})"


def _say_end(end: float) -> str:
    """Say an end of an interval; one next to nothing is no 0, which would not be proven."""
    return f"{end:.1f}" if 0.05 <= end < 1.0 else f"{end:,.0f}"


def _say_needed(duel: Pair, wins: int, gain: float) -> str:
    worth = write_count(duel.needed_for_gain, wins)
    # Of few wins the test is an exact one, which asks for more than the count of wins needed knows.
    told = duel.needed is not None and duel.needed > wins
    if not told or abs(duel.gain.wins.value) < 0.5:
        return f"to find a gain of {gain:.0%}, {worth} wins would be needed"
    return (
        f"{write_count(duel.needed, wins)} wins would be needed to prove a gain of that size, "
        f"{worth} for one of {gain:.0%}"
    )


def write_count(needed: float | None, wins: int) -> str:
    """Say a number of wins with two digits, which is as much as is known of it.

    Examples
    --------
    >>> write_count(912.0, 312), write_count(90_000.0, 312)
    ('about 910', 'more than 31,000')
    """
    if needed is None:
        return "an unknown number of"
    far = needed > _FAR * wins
    count = _FAR * wins if far else needed
    size = 10 ** max(0, len(str(int(count))) - 2)
    return f"{'more than' if far else 'about'} {round(count / size) * size:,}"


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def list_remarks(
    standings: Sequence[ContenderResult], duels: Sequence[Pair], wins: int
) -> tuple[str, ...]:
    """Return what a reader should know beside the verdict: where measures contradict each other."""
    names = {standing.key: standing.said for standing in standings}
    lines = []
    if wins < FEW:
        lines.append(
            f"With only {wins} wins, nothing but a very large difference could be proven; read all "
            "figures as rough."
        )
    for duel in duels:
        lines += _tell_ranking(duel, names)
    return tuple(lines)


def _tell_ranking(duel: Pair, names: Mapping[str, str]) -> list[str]:
    pooled, within = duel.metrics["auc"], duel.metrics["auc_within"]
    ahead, behind = names[duel.one], names[duel.other]
    if pooled.value < 0.0:
        ahead, behind = behind, ahead
    if pooled.value * within.value < 0.0 and (_is_sure(pooled) or _is_sure(within)):
        return [
            f"Taken over the whole period {ahead} puts winners higher than {behind} does, but "
            f"among leads of the same time {behind} does: the former follows how the share of wins "
            "moves, and whom to call this week is decided among leads of the same time."
        ]
    gain = duel.gain.wins
    if duel.proven and _is_sure(within) and gain.value * within.value < 0.0:
        return [
            f"At your capacity {behind} reaches more wins, but over all leads {ahead} orders them "
            "better: the difference lies among leads that would not be called."
            if pooled.value * gain.value < 0.0
            else f"At your capacity {ahead} reaches more wins, but over all leads {behind} orders "
            "them better: the difference lies among leads that would not be called."
        ]
    return []


def _is_sure(estimate: Estimate) -> bool:
    return estimate.low > 0.0 or estimate.high < 0.0


def list_caveats(
    ground: EvaluationSet, weeks: Sequence[Week], capacity: Capacity, horizon_days: float | None
) -> tuple[str, ...]:
    """Return what holds of this comparison and is no part of its figures."""
    lines = [
        "History was routed by what sales used then, usually rules: leads that nobody called could "
        "hardly win, so whoever orders leads as sales did looks better than it is. Only a "
        "randomised test settles it (--plan-experiment)."
    ]
    if any(entrant.contender.scorecard.kind == "rules" for entrant in ground.entrants):
        lines.append(
            "A rule sheet is written by people, who may have known how these later leads ended; "
            "the learned contenders did not."
        )
    won = (
        "A win counts whenever it came before the data were taken."
        if horizon_days is None
        else f"A win counts if it came within {horizon_days:g} days after the snapshot."
    )
    lines.append(
        f"{won} That a call would have come in time to matter is assumed for all contenders alike."
    )
    if len(ground.later) > ground.leads:
        lines.append(
            "A call reaches a win only if it came in time after the snapshot at which the lead "
            "was called; of a lead called early that won late, it counts for nobody. So those who "
            f"swap, and calling everybody, come to fewer than all {int(ground.won.sum()):,} wins."
        )
    if capacity.assumed:
        lines.append(
            f"Nobody said how many leads sales can call: {capacity.said}, a tenth of those that "
            "arrive, is an assumption (--capacity, or comparison: {calls_per_week: N} in "
            "training.yaml)."
            if ground.later.order == "time"
            else f"Nobody said how many leads sales can call: {capacity.said} is an assumption "
            "(--capacity-share)."
        )
    if ground.later.order == "arrival":
        lines.append(
            f"These leads have no dates: {len(weeks)} stretches of equal count in order of arrival "
            "stand for weeks."
        )
    spare = sum(len(week.rows) <= capacity.calls for week in weeks)
    if spare:
        lines.append(
            f"In {spare} of {len(weeks)} weeks there were no more leads than calls, so everybody "
            "was called."
        )
    return tuple(lines)


def describe_equal_treatment(standings: Sequence[ContenderResult], earlier: int) -> str:
    """Say how probabilities were made comparable, and whose score failed at it."""
    text = (
        "Equal treatment: each contender's log-odds are scaled and shifted to fit the same "
        f"{earlier:,} earlier snapshots. A model that learned from those fits them too well "
        "already, so it gains less by this than others."
    )
    flat = [standing.said for standing in standings if standing.equal[0] == 0.0]
    if flat:
        text += (
            f" Before the later period the score of {' and '.join(flat)} ranked the wrong way "
            "round, so it is given the share that won and nothing else."
        )
    return text
