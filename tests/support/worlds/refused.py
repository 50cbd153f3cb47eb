"""Worlds of honest columns from which nothing should be learned, each for one reason."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from support.worlds.planted.columns import DAYS, NEVER, START, Column, Dice, Ends, write_time
from support.worlds.planted.honest import make_honest
from support.worlds.planted.world import close_leads, write_columns, write_rows

LEADS = 2500
COLUMNS = 15
MONTH_18 = (START.replace(year=START.year + 1, month=7) - START).days


def draw_world(seed: int, leads: int = LEADS) -> tuple[Dice, Ends, Mapping[str, Column]]:
    """Draw leads of two years, how they ended, and fifteen honest columns."""
    dice = np.random.default_rng([seed, 5])
    created = np.sort(dice.uniform(0, DAYS - 1, leads))
    columns, log_odds = make_honest(dice, created)
    ends = close_leads(dice, created, log_odds, 0.15)
    chosen = sorted(dice.permutation(len(columns))[:COLUMNS])
    return dice, ends, {f"c{place:02}": columns[n] for place, n in enumerate(chosen, 1)}


def sound(folder: Path, seed: int) -> None:
    """Write the world itself, which may be learned from: what the others change is the reason."""
    dice, ends, columns = draw_world(seed)
    write_columns(folder, dice, ends, columns, history=False)


def twelve_wins(folder: Path, seed: int) -> None:
    dice, ends, columns = draw_world(seed)
    won = np.zeros(LEADS, bool)
    won[dice.choice(np.flatnonzero(ends.won), 12, replace=False)] = True
    write_columns(folder, dice, replace(ends, won=won), columns, history=False)


def outcomes_from_month_18(folder: Path, seed: int) -> None:
    """Leads come from the first month on; closings are on record from the eighteenth on.

    The leads are many, so that wins are not too few.
    """
    dice, ends, columns = draw_world(seed, leads=4 * LEADS)
    known = ends.closed >= MONTH_18
    kept = replace(ends, closed=np.where(known, ends.closed, NEVER), won=ends.won & known)
    write_columns(folder, dice, kept, columns, history=False)


def horizon_beyond_the_data(folder: Path, seed: int) -> None:
    sound(folder, seed)
    path = folder / "training.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), "horizon_days": 1000}))


def winners_twice_under_two_ids(folder: Path, seed: int) -> None:
    """Each winner stands there twice, all fields equal; once lost, minutes before or after."""
    sound(folder, seed)
    dice = np.random.default_rng([seed, 6])
    leads, deals = _read(folder / "leads.csv"), _read(folder / "deals.csv")
    lost = {row["lead_id"]: row for row in deals if row["stage"] == "won"}
    twins = [
        {**row, "lead_id": f"D{row['lead_id'][1:]}", "created_at": _shift(dice, row["created_at"])}
        for row in leads if row["lead_id"] in lost
    ]  # fmt: skip
    deals += [
        {**row, "lead_id": f"D{key[1:]}", "stage": "lost"} for key, row in lost.items()
    ]  # fmt: skip
    _write(folder / "leads.csv", [*leads, *twins])
    _write(folder / "deals.csv", deals)


def _shift(dice: Dice, time: str) -> str:
    """Move a moment by up to ten minutes to either side."""
    days = (np.datetime64(time.rstrip("Z")) - np.datetime64(START.replace(tzinfo=None))).item()
    return write_time(days.total_seconds() / 86_400 + dice.uniform(-1, 1) / 144)


def winners_with_a_lost_deal_too(folder: Path, seed: int) -> None:
    """In the one file of deals, each winner has a lost deal within minutes of the won one."""
    sound(folder, seed)
    dice = np.random.default_rng([seed, 7])
    deals = _read(folder / "deals.csv")
    lost = [
        {**row, "stage": "lost", "closed_at": _shift(dice, row["closed_at"])}
        for row in deals if row["stage"] == "won"
    ]  # fmt: skip
    _write(folder / "deals.csv", [*deals, *lost])


def winners_twice_under_one_id(folder: Path, seed: int) -> None:
    """The outcome stands in the leads' file, and each winner in two rows of it, one of them lost.

    So many rejects are allowed that the file can be read.
    """
    rows_of_one_id(folder, seed, max_reject_share=0.5)


def rows_of_one_id(folder: Path, seed: int, max_reject_share: float) -> None:
    sound(folder, seed)
    dice = np.random.default_rng([seed, 8])
    ends = {row["lead_id"]: row for row in _read(folder / "deals.csv")}
    rows = []
    for lead in _read(folder / "leads.csv"):
        deal = ends.get(lead["lead_id"], {"stage": "open", "closed_at": ""})
        row = {**lead, "stage": deal["stage"], "closed_at": deal["closed_at"]}
        both = [row, {**row, "stage": "lost"}] if row["stage"] == "won" else [row]
        rows += both if dice.random() < 0.5 else both[::-1]
    _write(folder / "leads.csv", rows)
    (folder / "deals.csv").unlink()
    data = json.loads((folder / "data.yaml").read_text())
    outcomes = {
        key: value for key, value in data["outcomes"].items() if key not in ("file", "lead")
    }
    changed = {**data, "outcomes": outcomes, "max_reject_share": max_reject_share}
    (folder / "data.yaml").write_text(json.dumps(changed))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    write_rows(path, list(rows[0]), (row.values() for row in rows))


REFUSED: tuple[Callable[[Path, int], None], ...] = (
    twelve_wins, outcomes_from_month_18, horizon_beyond_the_data, winners_twice_under_two_ids,
    winners_with_a_lost_deal_too, winners_twice_under_one_id,
)  # fmt: skip
