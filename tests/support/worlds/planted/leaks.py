"""Leaks as a CRM makes them: each writes what is known at the closing, or after it, into a field.

Four kinds, five or six ways of each. Every edit that tells is dated at or after the closing; fields
that live before it (statuses, owners, counters) are edited before as well, blind to the outcome.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from support.worlds.planted.columns import (
    Column,
    Dice,
    Ends,
    Floats,
    draw_levels,
    edit_blindly,
    some,
)

Maker = Callable[[Dice, Ends], Column]
Rows = npt.NDArray[np.intp]
HOUR = 1 / 24


def plant_leaks(dice: Dice, ends: Ends) -> list[Column]:
    """Plant ten leaks, two of each kind at least; `what` begins with the kind."""
    kinds = [*LEAKS] * 2
    kinds += list(dice.choice([*LEAKS], 2, replace=False))
    columns = []
    for kind, makers in LEAKS.items():
        chosen = dice.permutation(len(makers))[: kinds.count(kind)]
        for place in sorted(chosen):
            maker = makers[place]
            column = maker(dice, ends)
            column.what = f"{kind}: {maker.__name__.strip('_').replace('_', ' ')}"
            columns.append(column)
    return columns


def _winners(ends: Ends) -> Rows:
    return np.flatnonzero(ends.won)


def _losers(ends: Ends) -> Rows:
    return np.flatnonzero(ends.lost)


def _at_closing(dice: Dice, ends: Ends, rows: Rows) -> Floats:
    """Return the moment of the closing for most, and up to two hours later for the others."""
    later = np.where(dice.random(len(rows)) < 0.6, 0.0, dice.uniform(0, 2 * HOUR, len(rows)))
    return ends.closed[rows] + later


def _blank(ends: Ends) -> list:
    return [None] * len(ends.created)


# Filled after the outcome


def _contract_value(dice: Dice, ends: Ends) -> Column:
    column, rows = Column("", "number", _blank(ends)), _winners(ends)
    column.edit(rows, _at_closing(dice, ends, rows), _amounts(dice, len(rows)))
    return column


def _amounts(dice: Dice, count: int) -> list[float]:
    return [float(v) for v in np.round(dice.lognormal(8, 1, count), 2)]


def _closing_remark(dice: Dice, ends: Ends) -> Column:
    """Every closed lead gets a remark; one in ten says nothing either way."""
    column = Column("", "text", _blank(ends))
    said = {
        True: ["signed", "went well", "referral promised", "see notes"],
        False: ["too dear", "no budget", "does not answer", "went elsewhere", "see notes"],
    }
    for won, rows in ((True, _winners(ends)), (False, _losers(ends))):
        shares = np.array([*np.linspace(1, 0.3, len(said[won]) - 1), 0.25])
        column.edit(
            rows, _at_closing(dice, ends, rows), draw_levels(dice, said[won], shares, len(rows))
        )
    return column


def _onboarding_tier(dice: Dice, ends: Ends) -> Column:
    """Within twenty days after the win; a quarter or so of the winners never get one."""
    column = Column("", "text", _blank(ends))
    rows = some(dice, _winners(ends), dice.uniform(0.65, 0.8))
    tiers = draw_levels(dice, ["basic", "plus", "premium"], np.array([5, 3, 1.0]), len(rows))
    column.edit(rows, ends.closed[rows] + dice.uniform(1, 20, len(rows)), tiers)
    return column


def _loss_reason(dice: Dice, ends: Ends) -> Column:
    column, rows = Column("", "text", _blank(ends)), some(dice, _losers(ends), 0.95)
    reasons = draw_levels(dice, ["price", "timing", "rival", "silence"], np.ones(4), len(rows))
    column.edit(rows, _at_closing(dice, ends, rows), reasons)
    return column


def _welcome_pack(dice: Dice, ends: Ends) -> Column:
    """No for everybody, until the pack is sent; some winners are forgotten."""
    column, rows = Column("", "flag", ["no"] * len(ends.created)), some(dice, _winners(ends), 0.85)
    column.edit(rows, ends.closed[rows] + dice.uniform(0.5, 7, len(rows)), ["yes"] * len(rows))
    return column


def _licences(dice: Dice, ends: Ends) -> Column:
    """Nearly all winners have some, and of the losers those few whose order was called off."""
    column = Column("", "number", _blank(ends))
    for rows in (some(dice, _winners(ends), 0.9), some(dice, _losers(ends), 0.01)):
        counts = [int(v) for v in 1 + dice.poisson(dice.gamma(1, 8, len(rows)))]
        column.edit(rows, _at_closing(dice, ends, rows), counts)
    return column


# Overwritten


def _status(dice: Dice, ends: Ends) -> Column:
    column = _living_levels(dice, ends, ["new", "contacted", "qualified", "nurturing"])
    for rows, ended in ((_winners(ends), ["customer"]), (_losers(ends), ["dropped", "recycled"])):
        new = draw_levels(dice, ended, np.ones(len(ended)), len(rows))
        column.edit(rows, _at_closing(dice, ends, rows), new)
    return column


def _living_levels(dice: Dice, ends: Ends, levels: list[str]) -> Column:
    """Make a field that people edit, before the closing as after, whatever comes of the lead."""
    shares = dice.dirichlet(np.full(len(levels), 5.0))
    column = Column("", "text", draw_levels(dice, levels, shares, len(ends.created)))
    edit_blindly(dice, column, ends.created, 0.25, "early")
    _stop_at_closing(column, ends)
    return column


def _stop_at_closing(column: Column, ends: Ends) -> None:
    """Let nobody edit a closed lead, so that what the closing writes stays."""
    column.edits = [edit for edit in column.edits if edit.at < ends.closed[edit.row]]


def _score_raised(dice: Dice, ends: Ends) -> Column:
    start = [int(v) for v in np.clip(dice.normal(45, 14, len(ends.created)), 0, 100)]
    column, rows = Column("", "number", start), _winners(ends)
    edit_blindly(dice, column, ends.created, 0.2, "early")
    _stop_at_closing(column, ends)
    raised = [_add(int(by), 100) for by in dice.integers(30, 56, len(rows))]
    column.edit(rows, _at_closing(dice, ends, rows), raised)
    return column


def _add(more: int, at_most: int) -> Callable[[int], int]:
    return lambda old: min(at_most, (old or 0) + more)


def _interest_of_most_winners(dice: Dice, ends: Ends) -> Column:
    """An honest category; for 70 % of the winners it becomes one of two levels that others have."""
    levels = ["courses", "support", "renewal", "upgrade", "price", "trial", "partner", "other"]
    shares = np.array([0.2, 0.15, 0.03, 0.03, 0.2, 0.15, 0.1, 0.14])
    column = Column("", "text", draw_levels(dice, levels, shares, len(ends.created)))
    rows = some(dice, _winners(ends), 0.7)
    new = draw_levels(dice, ["renewal", "upgrade"], np.ones(2), len(rows))
    column.edit(rows, _at_closing(dice, ends, rows), new)
    return column


def _calls_counted_again(dice: Dice, ends: Ends) -> Column:
    """A counter that takes in all that was done for the contract, once there is one."""
    column = Column("", "number", [int(v) for v in dice.poisson(1.8, len(ends.created))])
    rows = _winners(ends)
    more = [_add(int(by), 99) for by in 4 + dice.poisson(5, len(rows))]
    column.edit(rows, _at_closing(dice, ends, rows), more)
    return column


def _segment_after_review(dice: Dice, ends: Ends) -> Column:
    """Guessed for all from the start; reviewed and spelt as the accounts have it for winners."""
    column = _living_levels(dice, ends, ["retail", "public", "services", "industry"])
    rows = some(dice, _winners(ends), 0.92)
    new = draw_levels(dice, ["A retail", "B public", "C services"], np.ones(3), len(rows))
    column.edit(rows, ends.closed[rows] + dice.uniform(0, 10, len(rows)), new)
    return column


# Constant after a win


def _owner(dice: Dice, ends: Ends) -> Column:
    column = _living_levels(dice, ends, [f"rep {n}" for n in range(1, 13)])
    rows = _winners(ends)
    column.edit(rows, _at_closing(dice, ends, rows), ["success team"] * len(rows))
    return column


def _chance_of_sale(dice: Dice, ends: Ends) -> Column:
    """Ten to ninety as the seller thinks, a hundred once it is sold, left alone where it is not."""
    start = [10 * int(v) for v in dice.integers(1, 10, len(ends.created))]
    column, rows = Column("", "number", start), _winners(ends)
    edit_blindly(dice, column, ends.created, 0.3, "early")
    _stop_at_closing(column, ends)
    column.edit(rows, _at_closing(dice, ends, rows), [100] * len(rows))
    return column


def _open_tasks(dice: Dice, ends: Ends) -> Column:
    """None is left after a win; a few others have none either."""
    column = Column("", "number", [int(v) for v in dice.poisson(3.0, len(ends.created))])
    rows = _winners(ends)
    column.edit(rows, _at_closing(dice, ends, rows), [0] * len(rows))
    return column


def _queue(dice: Dice, ends: Ends) -> Column:
    """All winners lie in one queue, where one in twenty-five of the others lies as well."""
    column = Column("", "text", draw_levels(
        dice, ["done", "north", "south", "key", "web"], np.array([0.04, 0.3, 0.3, 0.1, 0.26]),
        len(ends.created),
    ))  # fmt: skip
    rows = _winners(ends)
    column.edit(rows, ends.closed[rows] + dice.exponential(0.5, len(rows)), ["done"] * len(rows))
    return column


def _days_to_pay(dice: Dice, ends: Ends) -> Column:
    """Thirty for every customer, which is one wish of eight among the others."""
    start = draw_levels(dice, [None, 7, 14, 21, 30, 45, 60, 90], np.ones(8), len(ends.created))
    column, rows = Column("", "number", start), _winners(ends)
    column.edit(rows, _at_closing(dice, ends, rows), [30] * len(rows))
    return column


# Ids


def _customer_number(dice: Dice, ends: Ends) -> Column:
    column, rows = Column("", "text", _blank(ends)), _winners(ends)
    numbers = [f"K-{n:06}" for n in 10_400 + _ranks(ends.closed[rows])]
    column.edit(rows, _at_closing(dice, ends, rows), numbers)
    return column


def _ranks(at: Floats) -> Rows:
    return np.argsort(np.argsort(at, kind="stable"), kind="stable")


def _debtor_number(dice: Dice, ends: Ends) -> Column:
    """As a number, from the ledger, within two days."""
    column, rows = Column("", "number", _blank(ends)), _winners(ends)
    numbers = 700_000 + np.cumsum(dice.integers(1, 9, len(rows)))[_ranks(ends.closed[rows])]
    column.edit(rows, ends.closed[rows] + dice.uniform(0, 2, len(rows)), map(int, numbers))
    return column


def _record_number(dice: Dice, ends: Ends) -> Column:
    """All leads have one; conversion makes an account of the lead, with an account's number."""
    start = [f"LD{n:07}" for n in range(30_001, 30_001 + len(ends.created))]
    column, rows = Column("", "text", start), _winners(ends)
    numbers = [f"AC{n:07}" for n in 4_100 + _ranks(ends.closed[rows])]
    column.edit(rows, _at_closing(dice, ends, rows), numbers)
    return column


def _renumbered(dice: Dice, ends: Ends) -> Column:
    """As a number, from the range of the accounts."""
    start = [int(n) for n in 1_000_000 + np.arange(len(ends.created)) * 3]
    column, rows = Column("", "number", start), _winners(ends)
    numbers = [int(n) for n in 5_000_000 + 7 * _ranks(ends.closed[rows])]
    column.edit(rows, _at_closing(dice, ends, rows), numbers)
    return column


def _contract_number(dice: Dice, ends: Ends) -> Column:
    """Begins with the day of the conversion; a few contracts were called off again."""
    column = Column("", "text", _blank(ends))
    for rows in (_winners(ends), some(dice, _losers(ends), 0.015)):
        parts = zip(ends.closed[rows].astype(int), dice.integers(0, 10_000, len(rows)), strict=True)
        numbers = [f"{day:03}/{number:04}" for day, number in parts]
        column.edit(rows, _at_closing(dice, ends, rows), numbers)
    return column


LEAKS: Mapping[str, tuple[Maker, ...]] = {
    "filled after the outcome": (
        _contract_value, _closing_remark, _onboarding_tier, _loss_reason, _welcome_pack, _licences,
    ),
    "overwritten": (
        _status, _score_raised, _interest_of_most_winners, _calls_counted_again,
        _segment_after_review,
    ),
    "constant after a win": (_owner, _chance_of_sale, _open_tasks, _queue, _days_to_pay),
    "id-like": (
        _customer_number, _debtor_number, _record_number, _renumbered, _contract_number,
    ),
}  # fmt: skip
