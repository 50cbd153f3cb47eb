"""Firms whose effects are known: what the audit of a sheet and a counted sheet make of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support.projects import write_project
from support.seeds import FULL, seeds_of_the_day

from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import Split
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.sheets.audit import measure_criteria
from leadscore.pipeline.sheets.learn import count_sheet
from leadscore.pipeline.sheets.sheet import Sheet, read_sheet

pytestmark = pytest.mark.proof

SEEDS = seeds_of_the_day(20, 6)
MOST_SEEDS_WITH_A_FALSE_ALARM = 3
"""Of 20 seeds at 5 % each, four or more come with a chance of 1.6 %."""
LEADS = 3500
AGES = (0.0, 7.0, 30.0)
EFFECTS = {
    "e01": 1.1, "e02": 0.9, "e03": 0.8, "e04": 0.7, "e05": 0.6, "e06": 0.5,
    "e07": -0.5, "e08": -0.6, "e09": -0.7, "e10": -0.9, "e11": -1.1, "e12": -1.3,
}  # fmt: skip
WRONG = ("e02", "e03", "e10", "e12")
"""Effects with the wrong sign on the team's sheet, with leads enough behind them at 4,000."""
NULLS = [f"n{number:02}" for number in range(1, 17)]
COUNTS = [f"count{number}" for number in range(1, 5)]
"""Activities that tell nothing of the outcome, but gather as leads grow older."""


@dataclass(frozen=True)
class Firm:
    """A history, and the sheet that its team has."""

    project: Project
    sheet: Sheet
    earlier: Dataset

    def judged(self) -> dict[str, set[str]]:
        """Return the kinds of flags of each criterion."""
        criteria, _ = measure_criteria(self.sheet, self.earlier, {})
        return {c.name: {flag.kind for flag in c.flags} for c in criteria}


def write_firm(folder: Path) -> tuple[Project, Sheet]:
    flags = [*EFFECTS, *NULLS]
    signals = {
        **{name: {"family": "form", "kind": "flag"} for name in flags},
        **{name: {"family": "web", "kind": "number"} for name in COUNTS},
    }
    fields = {
        **{name: {"type": "flag"} for name in flags},
        **{name: {"type": "number"} for name in COUNTS},
    }
    write_project(folder, data={"leads": {"fields": fields}}, signals=signals)
    points = {name: 10 * np.sign(effect) for name, effect in EFFECTS.items()}
    points |= {name: -points[name] for name in WRONG}
    points |= {name: 10 if number % 2 else -10 for number, name in enumerate(NULLS)}
    criteria = {name: {"signal": name, "points": int(worth)} for name, worth in points.items()}
    criteria |= {name: {"signal": name, "each": 5, "up_to": 20} for name in COUNTS}
    sheet = {"mql": 10, "sql": 30, "criteria": criteria}
    (folder / "rules.yaml").write_text(yaml.safe_dump(sheet), encoding="utf-8")
    project = read_project(folder)
    return project, read_sheet(project)


def simulate(seed: int, strength: float) -> Dataset:
    """Simulate leads seen at three ages; winners leave as they win, so chances fade with age."""
    dice = np.random.default_rng([seed, 7])
    shared = dice.normal(size=(LEADS, 1))  # effects go together, as seniority and budget do
    names = [*EFFECTS, *NULLS]
    lean = np.r_[np.full(len(EFFECTS), 0.4), np.zeros(len(NULLS))]
    often = dice.uniform(-1.2, -0.2, len(names))
    has = (shared * lean + dice.normal(size=(LEADS, len(names))) < often).astype(float)
    log_odds = -1.6 + strength * has[:, : len(EFFECTS)] @ np.array(list(EFFECTS.values()))
    won = dice.random(LEADS) < 1.0 / (1.0 + np.exp(-log_odds))
    win_day = dice.exponential(25.0, LEADS)
    gathered = dice.poisson(1.0, (LEADS, len(COUNTS)))
    parts = []
    for age in AGES:
        gathered = gathered + dice.poisson(age / 20.0, (LEADS, len(COUNTS)))
        frame = pd.DataFrame(has, columns=[f"form__{name}" for name in names])
        frame[[f"web__{name}" for name in COUNTS]] = gathered.astype(float)
        frame["label"] = (won & (win_day <= age + 60.0)).astype(np.int8)
        frame["lead"], frame["age"] = np.arange(LEADS), age
        parts.append(frame[~won | (win_day > age)])
    rows = pd.concat(parts, ignore_index=True)
    label, lead, age = (rows.pop(name).to_numpy() for name in ("label", "lead", "age"))
    ids = np.array([f"L{number:05}" for number in lead], object)
    return Dataset(
        rows, label, lead.astype(np.intp), ids, age, lead * 1.0, lead * 1.0, "arrival", {}
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_firm(tmp_path_factory.mktemp("firm") / "firm")


def learn(project: Project, earlier: Dataset) -> dict[str, float]:
    """Return the points of each attribute that gets some; none where nothing is found."""
    try:
        learned = count_sheet(project, Split(earlier, earlier, 0.0, 0), Path("sheet.yaml"))
    except RefusalError:
        return {}
    return {row.attribute.words: row.points for row in learned.rows if row.points}


def test_every_wrong_sign_is_found_and_sound_criteria_are_left_in_peace(written):
    alarms = 0
    for seed in SEEDS:
        flags = Firm(*written, simulate(seed, 1.0)).judged()
        found = {name for name, kinds in flags.items() if "sign conflict" in kinds}
        assert found.issuperset(WRONG), (seed, set(WRONG) - found)
        alarms += found != set(WRONG)
        right = [name for name in EFFECTS if name not in WRONG]
        unproven = [name for name in right if "no effect proven" in flags[name]]
        assert len(unproven) <= 1, (seed, unproven)
    print(f"seeds with a false alarm: {alarms} of {len(SEEDS)}")  # noqa: T201 - quoted
    assert alarms <= MOST_SEEDS_WITH_A_FALSE_ALARM


def test_where_nothing_tells_no_sign_is_called_wrong_and_nothing_gets_points(written):
    alarms = learned = 0
    for seed in SEEDS:
        firm = Firm(*written, simulate(100 + seed, 0.0))
        alarms += any("sign conflict" in kinds for kinds in firm.judged().values())
        learned += bool(learn(firm.project, firm.earlier))
    print(f"alarms {alarms}, sheets learned from nothing {learned} of {len(SEEDS)}")  # noqa: T201
    assert alarms <= MOST_SEEDS_WITH_A_FALSE_ALARM
    assert learned <= MOST_SEEDS_WITH_A_FALSE_ALARM


def test_the_close_rate_sheet_has_the_effects_and_chance_for_one_in_twenty(written):
    found = chance = right = 0
    for seed in SEEDS:
        points = learn(written[0], simulate(seed, 1.0))
        signs = [points.get(f"{n}: yes", 0.0) * effect for n, effect in EFFECTS.items()]
        assert min(signs) >= 0.0, (seed, signs)
        right += sum(sign > 0.0 for sign in signs)
        found += len(points)
        chance += sum(not name.startswith("e") for name in points)
    planted = len(SEEDS) * len(EFFECTS)
    told = (
        f"of {found} attributes with points {chance} are chance, {right} of {planted} effects found"
    )
    print(told)  # noqa: T201 - quoted
    assert chance / found <= (0.05 if FULL else 0.1)
    assert right >= 0.9 * len(SEEDS) * len(EFFECTS)
