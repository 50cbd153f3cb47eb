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
    proven = [{pair.one, pair.other} for pair in pairs if pair.proven]
    beaten = [s for s in others if {first.key, s.key} in proven]
    text = _describe_wins("it" if beaten else first.title, ranked, wins, capacity)
    if len(others) == 1:
        return (_describe_two(ranked, pairs[0], text, wins, gain),)
    if len(beaten) == len(others):
        head = f"{_begin(first.title)} is ahead of all the others: {text}."
    elif beaten:
        level = [s.title for s in others if s not in beaten]
        head = (
            f"{_begin(first.title)} is ahead of {_join([s.title for s in beaten])}, but "
            f"{NO_DIFFERENCE.lower()} from {_join(level)}: {text}."
        )
    else:
        head = f"{NO_DIFFERENCE} between the first and the others with these {wins:,} wins: {text}."
    of = {standing.key: standing for standing in standings}
    return head, *(_describe_pair(pair, of, wins, gain) for pair in pairs)


def _describe_two(
    ranked: Sequence[ContenderResult], pair: Pair, text: str, wins: int, gain: float
) -> str:
    first, second = ranked
    more = _describe_gain(first, second, pair)
    if pair.proven:
        return f"{_begin(first.title)} is ahead: {text}, which is {more}."
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
    """Write the gain of whoever is ahead, as the difference of the two numbers shown."""
    one, other = (round(s.metrics["wins_at_capacity"].value) for s in (first, second))
    _, low, high = pair.gain.wins
    if pair.gain.wins.value < 0.0:
        low, high = -high, -low
    return write_gain(Estimate(float(one - other), low, high))


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
    ends = [abs(end) for end in (gain.low, gain.high)]
    # An end next to nothing is not written as 0, which would not be proven.
    low, high = (f"{end:.1f}" if 0.05 <= end < 1.0 else f"{end:,.0f}" for end in ends)
    low_word = " fewer" if gain.low < 0.0 <= gain.high else ""
    high_word = "fewer" if gain.high < 0.0 else "more"
    value = round(gain.value)
    word = "more" if value >= 0 else "fewer"
    return f"{abs(value):,} {word} (95 % interval: {low}{low_word} to {high} {high_word})"


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
        if pooled.value * gain.value < 0.0:
            ahead, behind = behind, ahead
        return [
            f"At your capacity {ahead} reaches more wins, but over all leads {behind} orders them "
            "better: the difference lies among leads that would not be called."
        ]
    return []


def _is_sure(estimate: Estimate) -> bool:
    return estimate.low > 0.0 or estimate.high < 0.0


def list_caveats(
    evaluation_set: EvaluationSet,
    standings: Sequence[ContenderResult],
    weeks: Sequence[Week],
    capacity: Capacity,
    horizon_days: float | None,
) -> tuple[str, ...]:
    """Return what limits this comparison and is no part of its figures."""
    later, wins = evaluation_set.later, int(evaluation_set.won.sum())
    won = (
        "A win counts whenever it came before the data were taken."
        if horizon_days is None
        else f"A win counts if it came within {horizon_days:g} days after the snapshot."
    )
    assumption = (
        ", a tenth of the leads that arrive, is an assumption (--capacity, or comparison: "
        "{calls_per_week: N} in training.yaml)."
        if later.order == "time"
        else " is an assumption (--capacity-share)."
    )
    spare = sum(len(week.rows) <= capacity.calls for week in weeks)
    flat = [standing.title for standing in standings if standing.equal[0] == 0.0]
    failed = (
        f" Before the later period the score of {' and '.join(flat)} ranked the wrong way round, "
        "so it is given the share that won and nothing else."
    )
    caveats = [
        (
            True,
            "History was routed by what sales used then, usually rules: leads that nobody called "
            "could hardly win, so whoever orders leads as sales did looks better than it is. Only "
            "a randomised test settles it (--plan-experiment).",
        ),
        (
            any(standing.kind == "rules" for standing in standings),
            "A rule sheet is written by people, who may have known how these later leads ended; "
            "the learned contenders did not.",
        ),
        (
            True,
            f"{won} That a call would have come in time to matter is assumed for all contenders "
            "alike.",
        ),
        (
            len(later) > evaluation_set.leads,
            "A call reaches a win only if the win came in time after the snapshot of the call. If "
            "a lead was called early and won late, its win counts for nobody. So the swaps, and "
            f"calls to everybody, add up to fewer than all {wins:,} wins.",
        ),
        (capacity.assumed, f"No capacity is configured: {capacity.text}{assumption}"),
        (
            later.order == "arrival",
            f"These leads have no dates: {len(weeks)} stretches of equal count in order of arrival "
            "stand for weeks.",
        ),
        (
            spare > 0,
            f"In {spare} of {len(weeks)} weeks there were no more leads than calls, so everybody "
            "was called.",
        ),
        *((True, note) for note in evaluation_set.notes),
        (
            True,
            "Equal treatment: each contender's log-odds are scaled and shifted to fit the same "
            f"{evaluation_set.earlier_snapshots:,} earlier snapshots. A model that learned from "
            "those fits them too well already, so it gains less by this than others."
            f"{failed if flat else ''}",
        ),
    ]
    return tuple(text for holds, text in caveats if holds)
