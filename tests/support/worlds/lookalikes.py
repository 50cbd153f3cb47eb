"""Data sets that look like known public ones whose leaks are known; every number is drawn here.

Sessions of a shop, customers with counters of what they bought, a funnel of marketing with the
attributes of closed deals, and leads of whom nothing tells anything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from support.projects import write_project
from support.worlds.planted.columns import DAYS, Dice, Flags, Floats, draw_levels, write_time
from support.worlds.planted.honest import make_honest
from support.worlds.planted.world import SIGNAL_KINDS, close_leads, write_columns, write_rows

Table = dict[str, tuple[str, list[Any]]]
"""By column: the type of the field, and its values."""


@dataclass(frozen=True)
class Lookalike:
    """A project's folder, and which columns of its leads' file leak."""

    folder: Path
    leaks: tuple[str, ...]


def write_sessions(folder: Path, seed: int = 0) -> Lookalike:
    """Write 8,000 sessions of a shop, 15 % with a purchase; no dates, no order.

    ``value_of_pages`` is computed from the transactions: positive for four buyers of five, and for
    one in nine of the others, who saw the same pages.
    """
    dice = np.random.default_rng([seed, 1])
    bought = dice.random(8000) < 0.155
    seen = dice.random(len(bought)) < np.where(bought, 0.8, 0.115)
    value = np.where(seen, np.round(dice.lognormal(3.0, 0.9, len(bought)), 4), 0.0)
    columns = weak_columns(dice, bought, {"number": 5, "count": 4, "level": 4, "flag": 2})
    columns["value_of_pages"] = ("number", value.tolist())
    leads = {"id": "session_id", "order": None}
    write_labelled(folder, leads, columns, bought, ("TRUE", "FALSE"))
    return Lookalike(folder, ("value_of_pages",))


def write_buyers(folder: Path, seed: int = 0) -> Lookalike:
    """Write 6,000 leads in order of arrival, a quarter converted, and counters of what they bought.

    Whoever has one above zero is converted, since only who is converted can buy.
    """
    dice = np.random.default_rng([seed, 2])
    won = dice.random(6000) < 0.25
    buys = won & (dice.random(len(won)) < 0.8)
    purchases = np.where(buys, 1 + dice.poisson(2.0, len(won)), 0)
    amount = np.round(np.where(buys, purchases * dice.lognormal(4, 0.7, len(won)), 0.0), 2)
    collects = buys & (dice.random(len(won)) < 0.7)
    points = np.where(collects, (amount // 10 + dice.integers(1, 50, len(won))), 0).astype(int)
    returned = np.where(buys & (dice.random(len(won)) < 0.2), 1, 0)
    columns = weak_columns(dice, won, {"number": 5, "count": 4, "level": 5, "flag": 3})
    leaks = {"purchases": purchases, "amount": amount, "points": points, "returned": returned}
    columns |= {name: ("number", values.tolist()) for name, values in leaks.items()}
    write_labelled(folder, {"id": "lead_id", "order": "arrival"}, columns, won, ("1", "0"))
    return Lookalike(folder, tuple(leaks))


def weak_columns(dice: Dice, won: Flags, how_many: Mapping[str, int]) -> Table:
    """Make honest columns of which some tell a little (.3 standard deviations), most nothing."""
    columns: Table = {}
    for kind, number in how_many.items():
        for place in range(1, number + 1):
            pull = float(dice.choice([0.0, 0.0, 0.15, 0.3]))
            latent = dice.normal(size=len(won)) + pull * won
            blank = dice.random(len(won)) < dice.choice([0.0, 0.0, 0.15])
            columns[f"{kind}_{place}"] = _weak(dice, kind, latent, blank)
    return columns


def _weak(dice: Dice, kind: str, latent: Floats, blank: Flags) -> tuple[str, list[Any]]:
    if kind == "number":
        values: list[Any] = np.round(np.exp(3 + latent * dice.uniform(0.3, 1.2)), 3).tolist()
    elif kind == "count":
        values = np.floor(np.exp(dice.uniform(-1, 1) + latent)).astype(int).tolist()
    elif kind == "flag":
        values = ["yes" if high else "no" for high in latent > dice.uniform(0, 1.5)]
    else:
        edges = np.sort(dice.normal(size=int(dice.integers(3, 12))))
        names = dice.permutation([f"level {n}" for n in range(len(edges) + 1)])
        values = names[np.searchsorted(edges, latent)].tolist()
    kept = [None if gone else value for value, gone in zip(values, blank, strict=True)]
    return {"count": "number", "level": "text"}.get(kind, kind), kept


def write_labelled(
    folder: Path,
    leads: Mapping[str, Any],
    columns: Table,
    won: Flags,
    words: tuple[str, str],
) -> None:
    """Write a project without dates, its outcome a column of the leads' file."""
    order = leads["order"]
    head = [leads["id"], *([order] if order else []), *columns, "outcome"]
    ids = [f"{n:06}" for n in range(1, len(won) + 1)]
    ahead = [ids, range(1, len(won) + 1)] if order else [ids]
    outcome = [words[0] if is_won else words[1] for is_won in won]
    rows = zip(*ahead, *(values for _, values in columns.values()), outcome, strict=True)
    write_rows(folder / "leads.csv", head, rows)
    declared = {"file": "leads.csv", "id": leads["id"], "fields": _fields(columns)}
    data = {
        "leads": declared | ({"order": order} if order else {}),
        "outcomes": {"column": "outcome", "won": [words[0]], "lost": [words[1]]},
    }
    _declare(folder, data, columns, {"horizon_days": None, "min_wins": 50})


def _fields(columns: Table) -> dict[str, dict[str, str]]:
    return {name: {"type": kind} for name, (kind, _) in columns.items()}


def _declare(
    folder: Path, data: Mapping[str, Any], columns: Table, training: Mapping[str, Any]
) -> None:
    signals = {
        name: {"family": "form", "kind": SIGNAL_KINDS[kind]} for name, (kind, _) in columns.items()
    }
    write_project(folder, data=json.dumps(data), signals=signals, training=training)


def write_funnel(folder: Path, seed: int = 0) -> Lookalike:
    """Write 8,000 leads of a year, 10 % of whom became sellers, and deals for those alone.

    A deal's attributes stand beside the lead, as a join of the two tables leaves them: filled for
    winners only, some of them for most winners, some for a few.
    """
    dice = np.random.default_rng([seed, 3])
    days, count = 365.0, 8000
    created = np.sort(dice.uniform(0, days, count))
    closed = created + dice.lognormal(np.log(14), 1.1, count)
    won = (dice.random(count) < 0.105) & (closed < days + 90)
    landing = 1.0 / (np.arange(450) + 8.0)
    columns = weak_columns(dice, won, {"number": 3, "count": 3, "level": 5, "flag": 2})
    columns["landing_page"] = (
        "text", draw_levels(dice, [f"page {n:03}" for n in range(450)], landing, count)
    )  # fmt: skip
    revenue = np.where(dice.random(count) < 0.95, 0.0, np.round(dice.lognormal(10, 1, count), -3))
    segments = draw_levels(dice, [f"segment {n}" for n in range(29)], dice.random(29) + 0.1, count)
    types = draw_levels(dice, [f"type {n}" for n in range(8)], dice.random(8) + 0.1, count)
    profiles = draw_levels(dice, ["cat", "eagle", "shark", "wolf"], np.array([5, 2, 1, 1]), count)
    attributes = {
        "segment": ("text", segments, 0.999), "lead_type": ("text", types, 0.99),
        "behaviour": ("text", profiles, 0.79), "declared_revenue": ("number", revenue, 1.0),
        "declared_products": ("number", dice.geometric(0.01, count), 0.08),
    }  # fmt: skip
    for name, (kind, values, share) in attributes.items():
        filled = won & (dice.random(count) < share)
        columns[name] = (kind, [v if f else None for v, f in zip(values, filled, strict=True)])
    ids = [f"{n:06}" for n in range(count)]
    rows = zip(
        ids, map(write_time, created), *(values for _, values in columns.values()), strict=True
    )
    write_rows(folder / "leads.csv", ["lead_id", "first_contact", *columns], rows)
    deals = [(ids[n], "won", write_time(closed[n])) for n in np.flatnonzero(won)]
    write_rows(folder / "deals.csv", ["lead_id", "stage", "won_at"], deals)
    data = {
        "leads": {"file": "leads.csv", "id": "lead_id", "created": {"column": "first_contact"},
                  "fields": _fields(columns)},
        "outcomes": {"file": "deals.csv", "lead": "lead_id", "column": "stage", "won": ["won"],
                     "closed": {"column": "won_at"}},
        "extracted_at": write_time(days + 90),
    }  # fmt: skip
    _declare(folder, data, columns, {"horizon_days": 60, "min_wins": 50})
    return Lookalike(folder, tuple(attributes))


def write_silence(folder: Path, seed: int = 0) -> Lookalike:
    """Write 3,000 leads of two years with 25 honest columns, none of which tells anything."""
    dice = np.random.default_rng([seed, 4])
    created = np.sort(dice.uniform(0, DAYS - 1, 3000))
    columns, _ = make_honest(dice, created)
    ends = close_leads(dice, created, np.zeros(len(created)), 0.15)
    chosen = sorted(dice.permutation(len(columns))[:25])
    named = {f"c{place:02}": columns[n] for place, n in enumerate(chosen, 1)}
    write_columns(folder, dice, ends, named, history=False)
    return Lookalike(folder, ())
