"""The verdict in words, for somebody who has never heard of an AUC."""

from collections.abc import Mapping, Sequence

from leadscore.pipeline.comparison.call_simulator import Capacity, Week
from leadscore.pipeline.comparison.evaluation_set import EvaluationSet
from leadscore.pipeline.comparison.records import ContenderResult, Pair
from leadscore.pipeline.evaluation.metrics import Estimate

FEW = 30
"""With fewer wins the verdict says that only a very large difference could show."""

_FAR = 100.0
NO_DIFFERENCE = "No difference proven"


def write_verdict(
    standings: Sequence[ContenderResult],
    pairs: Sequence[Pair],
    wins: int,
    capacity: str,
    gain: float,
) -> tuple[str, ...]:
    """Return the verdict: one sentence, then one for each further pair.

    `wins` are the leads that won in the later period, `capacity` is in words (``40 calls a week``),
    and `gain` is the smallest relative gain worth finding.
    """
    ranked = sorted(standings, key=lambda s: -s.metrics["wins_at_capacity"].value)
    first, *others = ranked
    against = {s.key: _find(pairs, first, s) for s in others}
    of = {standing.key: standing for standing in standings}
    if len(others) == 1:
        return (_describe_two(first, others[0], against[others[0].key], wins, capacity, gain),)
    beaten = [s for s in others if against[s.key].proven]
    if len(beaten) == len(others):
        text = _describe_wins("it", ranked, wins, capacity)
        head = f"{_begin(first.title)} is ahead of all the others: {text}."
    elif beaten:
        level = [s.title for s in others if s not in beaten]
        text = _describe_wins("it", ranked, wins, capacity)
        head = (
            f"{_begin(first.title)} is ahead of {_join([s.title for s in beaten])}, but "
            f"{NO_DIFFERENCE.lower()} from {_join(level)}: {text}."
        )
    else:
        text = _describe_wins(first.title, ranked, wins, capacity)
        head = f"{NO_DIFFERENCE} between the first and the others with these {wins:,} wins: {text}."
    return head, *(_describe_pair(pair, of, wins, gain) for pair in pairs)


def _find(pairs: Sequence[Pair], one: ContenderResult, other: ContenderResult) -> Pair:
    return next(pair for pair in pairs if {pair.one, pair.other} == {one.key, other.key})


def _describe_two(
    first: ContenderResult,
    second: ContenderResult,
    pair: Pair,
    wins: int,
    capacity: str,
    gain: float,
) -> str:
    more = _describe_gain(first, second, pair)
    if pair.proven:
        text = _describe_wins("it", (first, second), wins, capacity)
        return f"{_begin(first.title)} is ahead: {text}, which is {more}."
    text = _describe_wins(first.title, (first, second), wins, capacity)
    if _calls_alike(pair):
        return f"{NO_DIFFERENCE}: both call the same leads, so {text}."
    return (
        f"{NO_DIFFERENCE} with these {wins:,} wins: {text}, and {more} may be chance; "
        f"{_describe_needed(pair, wins, gain)}."
    )


def _describe_pair(pair: Pair, of: Mapping[str, ContenderResult], wins: int, gain: float) -> str:
    first, second = of[pair.one], of[pair.other]
    if pair.gain.wins.value < 0.0:
        first, second = second, first
    one, other = first.title, second.title
    more = _describe_gain(first, second, pair)
    if pair.proven:
        return f"{_begin(one)} is ahead of {other}: {more}."
    if _calls_alike(pair):
        return f"{_begin(one)} and {other} call the same leads."
    return (
        f"{NO_DIFFERENCE} between {one} and {other}: {more} may be chance; "
        f"{_describe_needed(pair, wins, gain)}."
    )


def _oriented(gain: Estimate) -> Estimate:
    """Return the gain of whoever is ahead."""
    return gain if gain.value >= 0.0 else Estimate(-gain.value, -gain.high, -gain.low)


def _calls_alike(pair: Pair) -> bool:
    return max(pair.swaps.only_one.leads, pair.swaps.only_other.leads) < 0.5


def _describe_wins(
    subject: str, ranked: Sequence[ContenderResult], wins: int, capacity: str
) -> str:
    others = ranked[1:]
    reached = [round(s.metrics["wins_at_capacity"].value) for s in ranked]
    others_text = [f"{s.title} {count:,}" for s, count in zip(others, reached[1:], strict=True)]
    return (
        f"with {capacity}, {subject} would have reached {reached[0]:,} of {wins:,} wins and "
        f"{_join(others_text)}"
    )


def _describe_gain(first: ContenderResult, second: ContenderResult, pair: Pair) -> str:
    """Say how many more, so that it is the difference of the two numbers shown."""
    reached = [round(s.metrics["wins_at_capacity"].value) for s in (first, second)]
    return write_gain(_oriented(pair.gain.wins)._replace(value=float(reached[0] - reached[1])))


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
    low, high = (_format_end(abs(end)) for end in (gain.low, gain.high))
    if gain.low < 0.0 <= gain.high:
        span = f"{low} fewer to {high} more"
    elif gain.low < 0.0:
        span = f"{low} to {high} fewer"
    else:
        span = f"{low} to {high} more"
    value = round(gain.value)
    word = "more" if value >= 0 else "fewer"
    return f"{abs(value):,} {word} (95 % interval: {span})"


def _format_end(end: float) -> str:
    """Say an end of an interval; one next to nothing is no 0, which would not be proven."""
    return f"{end:.1f}" if 0.05 <= end < 1.0 else f"{end:,.0f}"


def _describe_needed(pair: Pair, wins: int, gain: float) -> str:
    worth = write_count(pair.needed_for_gain, wins)
    # Of few wins the test is an exact one, which asks for more than the count of wins needed knows.
    known = pair.needed is not None and pair.needed > wins
    if not known or abs(pair.gain.wins.value) < 0.5:
        return f"to find a gain of {gain:.0%}, {worth} wins would be needed"
    return (
        f"{write_count(pair.needed, wins)} wins would be needed to prove a gain of that size, "
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
    standings: Sequence[ContenderResult], pairs: Sequence[Pair], wins: int
) -> tuple[str, ...]:
    """Return what a reader should know beside the verdict: where measures contradict each other."""
    names = {standing.key: standing.title for standing in standings}
    lines = []
    if wins < FEW:
        lines.append(
            f"With only {wins} wins, nothing but a very large difference could be proven; read all "
            "figures as rough."
        )
    for pair in pairs:
        lines += _describe_ranking(pair, names)
    return tuple(lines)


def _describe_ranking(pair: Pair, names: Mapping[str, str]) -> list[str]:
    pooled, within = pair.metrics["auc"], pair.metrics["auc_within"]
    ahead, behind = names[pair.one], names[pair.other]
    if pooled.value < 0.0:
        ahead, behind = behind, ahead
    if pooled.value * within.value < 0.0 and (_is_sure(pooled) or _is_sure(within)):
        return [
            f"Taken over the whole period {ahead} puts winners higher than {behind} does, but "
            f"among leads of the same time {behind} does: the former follows how the share of wins "
            "moves, and whom to call this week is decided among leads of the same time."
        ]
    gain = pair.gain.wins
    if pair.proven and _is_sure(within) and gain.value * within.value < 0.0:
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
    evaluation_set: EvaluationSet,
    weeks: Sequence[Week],
    capacity: Capacity,
    horizon_days: float | None,
) -> tuple[str, ...]:
    """Return what holds of this comparison and is no part of its figures."""
    lines = [
        "History was routed by what sales used then, usually rules: leads that nobody called could "
        "hardly win, so whoever orders leads as sales did looks better than it is. Only a "
        "randomised test settles it (--plan-experiment)."
    ]
    if any(scored.contender.scorecard.kind == "rules" for scored in evaluation_set.contenders):
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
    if len(evaluation_set.later) > evaluation_set.leads:
        lines.append(
            "A call reaches a win only if the win came in time after the snapshot of the call. If "
            "a lead was called early and won late, its win counts for nobody. So the swaps, and "
            f"calls to everybody, add up to fewer than all {int(evaluation_set.won.sum()):,} wins."
        )
    if capacity.assumed:
        lines.append(
            f"No capacity is configured: {capacity.text}, a tenth of the leads that "
            "arrive, is an assumption (--capacity, or comparison: {calls_per_week: N} in "
            "training.yaml)."
            if evaluation_set.later.order == "time"
            else f"No capacity is configured: {capacity.text} is an assumption (--capacity-share)."
        )
    if evaluation_set.later.order == "arrival":
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
    flat = [standing.title for standing in standings if standing.equal[0] == 0.0]
    if flat:
        text += (
            f" Before the later period the score of {' and '.join(flat)} ranked the wrong way "
            "round, so it is given the share that won and nothing else."
        )
    return text
