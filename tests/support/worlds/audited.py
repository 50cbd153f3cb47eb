"""Leads with one column made from who won, and a project that reads it."""

import numpy as np
import pandas as pd
from support.projects import ORDERED_BY_ROW, merge, write_project

from leadscore.pipeline.config.project import read_project


def world(count=1500, seed=0, **columns):
    """Leads without dates: employees tell honestly; each column is made from who won."""
    dice = np.random.default_rng(seed)
    employees = dice.integers(1, 100, count)
    won = dice.random(count) < 1 / (1 + np.exp(3.5 - employees / 30))
    more = {name: make(dice, won) for name, make in columns.items()}
    return pd.DataFrame(
        {
            "lead_id": [f"lead-{number}" for number in range(count)],
            "status": np.where(won, "won", "lost"),
            "country": dice.choice(["ES", "FR", "MX"], count),
            "employees": employees,
            "newsletter": dice.choice(["yes", "no"], count),
            **more,
        }
    )


def project_of(folder, leads, data=None, used=(), derived=None):
    """Write a project whose signals are the default ones and a category for each name in `used`.

    `derived` has more signals by name, with the fields that they read.
    """
    derived = derived or {}
    fields = {name: {} for name in used} | {f: {} for _, read in derived.values() for f in read}
    signals = {name: {"family": "form", "kind": "category"} for name in used}
    signals |= {name: {"family": "form", **declared} for name, (declared, _) in derived.items()}
    signals["country"] = {"family": "demographic", "kind": "category"}
    signals["employees"] = {"family": "firmographic", "kind": "number"}
    data = merge(merge(ORDERED_BY_ROW, {"leads": {"fields": fields}}), data or {})
    write_project(folder, data=data, signals=signals, training={"horizon_days": None})
    leads.to_csv(folder / "leads.csv", index=False)
    return read_project(folder)


def filled_for_winners(dice, won):
    return np.where(won & (dice.random(len(won)) < 0.8), dice.choice(["a", "b"], len(won)), "")


def same_for_winners(dice, won):
    return np.where(won, "queue 1", dice.choice(["queue 1", "queue 2", "queue 3"], len(won)))


def settled(dice, won):
    known = dice.random(len(won)) < 0.6
    return np.where(~known, "open", np.where(won, "signed", "refused"))


def ids(dice, won):
    return [f"C{number:06}" for number in dice.permutation(len(won))]


def honest(dice, won):
    return np.where(dice.random(len(won)) < 0.3 + 0.3 * won, "asked", "")


def phone_of_sales(dice, won):
    """A number that most leads have once sales have talked to them."""
    given = dice.random(len(won)) < np.where(won, 0.97, 0.41)
    return np.where(given, [f"+34 600 {number:06}" for number in range(len(won))], "")


def often_given(dice, won):
    return np.where(dice.random(len(won)) < 0.8, "Acme", "")
