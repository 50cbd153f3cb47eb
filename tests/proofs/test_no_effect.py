"""What must find nothing finds nothing: activities that do not depend on the outcome."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.paired_measures import measure_difference
from support.projects import write_project
from support.seeds import FULL, most_by_chance, seeds_of_the_day

from leadscore.models.predictive import decide
from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.dataset.split import split_dataset
from leadscore.pipeline.evaluation.metrics import Scored, measure
from leadscore.pipeline.ingest.activities import ActivitiesRead, deduplicate_activities
from leadscore.pipeline.ingest.tables import Ingested
from leadscore.pipeline.training.model_selection import fit_pipeline, select_hyperparameters
from leadscore.pipeline.values.times import DAY_US

pytestmark = pytest.mark.proof

SEEDS = seeds_of_the_day(50, 10)
COVERED_AT_LEAST = 44 if FULL else len(SEEDS) - most_by_chance(len(SEEDS))
LEADS = 3000
DAYS = 400
START = 1_735_689_600_000_000
EXTRACT = START + DAYS * DAY_US
AGE = {"age": {"family": "form", "kind": "lead_age"}}
COUNTS = {
    "visits": {"family": "web", "kind": "count", "activity": "visit"},
    "visits_7d": {"family": "web", "kind": "count", "activity": "visit", "window_days": 7},
    "opens": {"family": "email", "kind": "decayed", "activity": "open", "half_life_days": 14},
    "since": {"family": "web", "kind": "days_since"},
    "active_days": {"family": "web", "kind": "active_days", "window_days": 30},
}
TRAINING = {
    "horizon_days": 30,
    "snapshots": {"ages_days": [0, 7, 14, 30, 60]},
    "model": {"penalties": [0.003, 0.03, 0.3]},
    "min_wins": 50,
    "bootstrap_draws": 200,
}


def project_of(folder: Path, signals: dict) -> Project:
    data = {
        "activities": [
            {"file": "activities.csv", "lead": "lead_id", "kind": "kind",
             "occurred": {"column": "at"}}
        ]
    }  # fmt: skip
    return read_project(write_project(folder, data=data, signals=signals, training=TRAINING))


def simulate(folder: Path, seed: int, pull: float, shuffled: bool) -> Ingested:
    """Simulate leads that win within weeks or never, and act; winners act `pull` times more.

    With `shuffled` the outcomes, counted from creation, are dealt out to the leads anew.
    """
    random = np.random.default_rng(seed)
    created = START + np.sort(random.integers(0, (DAYS - 20) * DAY_US, LEADS))
    won = random.random(LEADS) < 0.3
    wait = (random.exponential(25.0, LEADS) * DAY_US).astype(np.int64) + 1
    count = random.poisson(np.where(won, 6.0 * (1.0 + pull), 6.0))
    if shuffled:
        dealt = random.permutation(LEADS)
        won, wait = won[dealt], wait[dealt]
    lead = np.repeat(np.arange(LEADS), count)
    at = created[lead] + random.integers(0, 90 * DAY_US, len(lead))
    names = np.array([f"L{i:05d}" for i in range(LEADS)])
    lead, at = lead[at <= EXTRACT], at[at <= EXTRACT]
    raw = pa.table(
        {
            "activity_id": pa.nulls(len(lead), pa.string()),
            "lead_id": names[lead],
            "kind": random.choice(["visit", "open"], len(lead)),
            "occurred_us": at,
            "recorded_us": at,
        }
    )
    leads = pa.table(
        {
            "lead_id": names,
            "created_us": created,
            "arrival": pa.nulls(LEADS, pa.float64()),
        }
    )
    closed = created + wait
    known = won & (closed <= EXTRACT)
    outcomes = pa.table(
        {
            "lead_id": names[known],
            "status": pa.array(["won"] * int(known.sum())),
            "closed_us": closed[known],
            "recorded_us": closed[known],
        }
    )
    path = folder / f"{seed}.parquet"
    deduplicate_activities(raw, path, {}, leads)
    read = ActivitiesRead(path, [], [], len(lead), {})
    return Ingested(leads, outcomes, EXTRACT, LEADS, (), (), "", read)


def score(project: Project, tables: Ingested) -> Scored:
    """Learn from the earlier period and score the later one."""
    split = split_dataset(build_dataset(project, tables), project.training.split)
    selected = select_hyperparameters(split.earlier, project.catalog, project.training.model)
    pipeline = fit_pipeline(split.earlier, project.catalog, selected.hyperparameters)
    later = split.later
    return Scored(decide(pipeline, later.signals), later.label, later.lead)


def gains(folder: Path, pull: float, shuffled: bool, seeds: Iterable[int]):
    """Yield, seed by seed, what activities add to the AUC of a model of age alone."""
    age_alone = project_of(folder / "age", AGE)
    with_counts = project_of(folder / "counts", {**AGE, **COUNTS})
    for seed in seeds:
        tables = simulate(folder, seed, pull, shuffled)
        plain = replace(tables, activities=None)
        without, having = score(age_alone, plain), score(with_counts, tables)
        yield measure_difference(having, without, "auc", 200, seed), having


@pytest.mark.parametrize("shuffled", [False, True])
def test_activities_that_do_not_depend_on_the_outcome_add_nothing_to_age(tmp_path, shuffled):
    pull = 1.0 if shuffled else 0.0
    found = [gain for gain, _ in gains(tmp_path, pull, shuffled, SEEDS)]
    covered = sum(gain.low <= 0.0 <= gain.high for gain in found)
    above = sum(gain.low > 0.0 for gain in found)
    mean = np.mean([gain.value for gain in found])
    print(f"\ncovered 0: {covered} of {len(SEEDS)}, {above} above; mean {mean:+.4f}")  # noqa: T201
    assert covered >= COVERED_AT_LEAST


def test_activities_that_do_depend_on_it_are_found(tmp_path):
    """Else the test above could not fail."""
    for gain, scored in gains(tmp_path, pull=2.0, shuffled=False, seeds=range(3)):
        assert gain.low > 0.02
        assert measure(scored, 200, 0)["auc"].low > 0.55


def test_what_was_recorded_after_the_win_is_invisible(tmp_path):
    """Sales note the decisive call after the win and date it back: it must not be seen before."""
    tables = simulate(tmp_path, 0, pull=0.0, shuffled=False)
    deals = tables.outcomes
    raw = pa.table(
        {
            "activity_id": pa.nulls(len(deals), pa.string()),
            "lead_id": deals["lead_id"],
            "kind": ["visit"] * len(deals),
            "occurred_us": np.zeros(len(deals), np.int64),
            "recorded_us": deals["closed_us"].to_numpy() + 1,
        }
    )
    path = tmp_path / "planted.parquet"
    deduplicate_activities(raw, path, {}, tables.leads)
    planted = replace(tables, activities=ActivitiesRead(path, [], [], len(deals), {}))
    dataset = build_dataset(project_of(tmp_path / "p", {**AGE, **COUNTS}), planted)
    assert dataset.label.sum() > 100
    assert (dataset.signals["web__visits"] == 0).all()
    assert dataset.signals["web__since"].isna().all()
