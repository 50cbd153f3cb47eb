"""What every comparison has to say of itself, whatever it finds."""

from collections.abc import Sequence

from pipeline.comparison.calls import Week
from pipeline.comparison.capacity import Capacity
from pipeline.comparison.ground import Ground
from pipeline.comparison.records import Standing


def list_caveats(
    ground: Ground, weeks: Sequence[Week], capacity: Capacity, horizon_days: float | None
) -> tuple[str, ...]:
    """Return what holds of this comparison and is no part of its figures."""
    lines = [
        "History was routed by what sales used then, usually rules: leads that nobody called could "
        "hardly win, so whoever orders leads as sales did looks better than it is. Only a "
        "randomised test settles it (--plan-test)."
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


def note_equal_treatment(standings: Sequence[Standing], earlier: int) -> str:
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
