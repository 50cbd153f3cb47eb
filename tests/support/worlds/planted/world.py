"""Write a project whose leaks are known: ten among forty honest columns, names that tell nothing.

The same seed writes the same world with and without its history of changes::

    planted = write_planted(tmp_path, seed=3, history=True)
    planted.leaky["c17"]     # 'overwritten: score raised'
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from support.projects import write_project
from support.worlds.planted.columns import DAYS, NEVER, Column, Dice, Ends, Floats, write_time
from support.worlds.planted.honest import make_honest
from support.worlds.planted.leaks import plant_leaks

LEADS = 3000
FAMILIES = ("demographic", "firmographic", "email", "web", "social", "spam", "form")
SIGNAL_KINDS = {"text": "category", "number": "number", "flag": "flag"}
EXTRACT = write_time(DAYS)


@dataclass(frozen=True)
class Planted:
    """The project's folder, and of each column of the leads' file what it is."""

    folder: Path
    leaky: Mapping[str, str]
    honest: Mapping[str, str]
    wins: int
    leads: int


def write_planted(folder: Path, seed: int, history: bool, leads: int = LEADS) -> Planted:
    """Write a project of two years' leads, some 12 to 20 % of them won; return what was planted.

    With `history` the file of changes says when each value was written; without it only today's
    values are there.
    """
    dice = np.random.default_rng([seed, 20_240_101])
    created = np.sort(dice.uniform(0, DAYS - 1, leads))
    honest, log_odds = make_honest(dice, created)
    ends = close_leads(dice, created, log_odds, dice.uniform(0.15, 0.19))
    leaky = plant_leaks(dice, ends)
    columns = [*honest, *leaky]
    names = [f"c{number:02}" for number in 1 + dice.permutation(len(columns))]
    named = dict(sorted(zip(names, columns, strict=True)))
    write_columns(folder, dice, ends, named, history)
    return Planted(
        folder,
        {name: column.what for name, column in named.items() if column in leaky},
        {name: column.what for name, column in named.items() if column not in leaky},
        int(ends.won.sum()),
        leads,
    )


def close_leads(dice: Dice, created: Floats, log_odds: Floats, win_rate: float) -> Ends:
    """Close the leads: wins within weeks for most, losses later, one loss in seven never entered.

    A closing that lies beyond the end of the data has not come: the lead is open.
    """
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        too_many = (1 / (1 + np.exp(-(log_odds + middle)))).mean() > win_rate
        low, high = (low, middle) if too_many else (middle, high)
    wins = dice.random(len(created)) < 1 / (1 + np.exp(-(log_odds + low)))
    wait = np.where(
        wins,
        dice.lognormal(np.log(20), 0.8, len(created)),
        dice.lognormal(np.log(30), 0.9, len(created)),
    )
    closed = created + np.maximum(wait, 0.1)
    forgotten = ~wins & (dice.random(len(created)) < 0.15)
    closed = np.where(forgotten | (closed >= DAYS), NEVER, closed)
    return Ends(created, closed, wins & np.isfinite(closed))


def write_columns(
    folder: Path, dice: Dice, ends: Ends, columns: Mapping[str, Column], history: bool
) -> None:
    """Write the project of these columns: leads.csv, deals.csv, and changes.csv with `history`."""
    ids = [f"L{number:05}" for number in range(1, len(ends.created) + 1)]
    played = {name: column.play() for name, column in columns.items()}
    write_rows(
        folder / "leads.csv",
        ["lead_id", "created_at", *columns],
        zip(ids, map(write_time, ends.created), *(today for today, _ in played.values()),
            strict=True),
    )  # fmt: skip
    changes = sorted(
        (at, ids[row], name, old, new)
        for name, (_, happened) in played.items() for row, at, old, new in map(_textual, happened)
    )  # fmt: skip
    if history:
        rows = [(i, name, old, new, write_time(at)) for at, i, name, old, new in changes]
        write_rows(
            folder / "changes.csv",
            ["lead_id", "field", "old_value", "new_value", "changed_at"],
            rows,
        )
    write_deals(folder / "deals.csv", ids, ends)
    fields = {name: {"type": column.type} for name, column in columns.items()}
    declare_project(folder, fields, dice, history)


def _textual(change: tuple[int, float, Any, Any]) -> tuple[int, float, str, str]:
    row, at, old, new = change
    return row, at, _text(old), _text(new)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def write_deals(path: Path, ids: Sequence[str], ends: Ends) -> None:
    """Write won, lost and open deals; a lead that nobody closed has an open one or none."""
    rows = []
    for lead_id, closed, won in zip(ids, ends.closed, ends.won, strict=True):
        if closed < NEVER:
            rows.append((lead_id, "won" if won else "lost", write_time(closed)))
        elif int(lead_id[1:]) % 2:
            rows.append((lead_id, "open", None))
    write_rows(path, ["lead_id", "stage", "closed_at"], rows)


def write_rows(path: Path, header: Sequence[str], rows: Any) -> None:
    """Write a CSV; None is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def declare_project(
    folder: Path, fields: Mapping[str, Mapping[str, str]], dice: Dice, history: bool
) -> None:
    """Declare every field as a signal, in a family drawn at random."""
    data: dict[str, Any] = {
        "leads": {"file": "leads.csv", "id": "lead_id", "created": {"column": "created_at"},
                  "fields": fields},
        "outcomes": {"file": "deals.csv", "lead": "lead_id", "column": "stage", "won": ["won"],
                     "lost": ["lost"], "closed": {"column": "closed_at"}},
        "extracted_at": EXTRACT,
    }  # fmt: skip
    if history:
        data["changes"] = {
            "file": "changes.csv", "lead": "lead_id", "field": "field", "old": "old_value",
            "new": "new_value", "recorded": {"column": "changed_at"},
            "fields": {name: name for name in fields},
        }  # fmt: skip
    signals = {
        name: {"family": str(dice.choice(FAMILIES)), "kind": SIGNAL_KINDS[field["type"]]}
        for name, field in fields.items()
    }
    training = {"horizon_days": 90, "min_wins": 50}
    write_project(folder, data=json.dumps(data, indent=1), signals=signals, training=training)
