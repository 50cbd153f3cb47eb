"""Speed, as ratios to a floor measured in the same run; `make bench` prints them, none fails."""

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from leadscore.models.bands import Bands
from leadscore.models.predictive import Hyperparameters, build_pipeline, to_terms
from leadscore.models.score_frame import score_frame
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import Points, Scorecard
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.scoring.score_file import score_file

pytestmark = pytest.mark.bench


def cpu_seconds(work: Callable[[], object], times: int) -> float:
    """Return the median CPU seconds of one call."""
    taken = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - begin) / times)
    return float(np.median(taken))


def report(name: str, ratio: float, floor: str) -> None:
    print(f"\n{name}: {ratio:.2f} x {floor}")  # noqa: T201 - what a benchmark is for


def forty_signals() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    numbers = {f"web__n{i}": random.poisson(2.0, 4000).astype(float) for i in range(30)}
    levels = {f"web__c{i}": random.choice(list("abcdef"), 4000) for i in range(10)}
    frame = pd.DataFrame({**numbers, **{k: pd.Series(v, dtype=object) for k, v in levels.items()}})
    label = (random.random(4000) < 1 / (1 + np.exp(2 - frame["web__n0"] / 2))).astype(int)
    return frame, label.to_numpy()


def test_one_lead_of_forty_signals():
    frame, label = forty_signals()
    numbers = [c for c in frame if c.startswith("web__n")]
    levels = [c for c in frame if c.startswith("web__c")]
    pipeline = build_pipeline(frame, numbers, levels, Hyperparameters(10, 0.3, 5)).fit(frame, label)
    base, terms = to_terms(pipeline)
    scorecard = Scorecard(
        project="bench", kind="predictive", horizon_days=None, base=base, terms=terms,
        points=Points(per_log_odds=28.85), bands=Bands(mql=0.2, sql=0.5),
    )  # fmt: skip
    scorer, lead, row = Scorer(scorecard), frame.iloc[7].to_dict(), frame.iloc[[7]]
    text = json.dumps(lead)
    floor = cpu_seconds(lambda: json.loads(text), 3000)
    ours = cpu_seconds(lambda: scorer.score(lead), 3000)
    theirs = cpu_seconds(lambda: pipeline.predict_proba(row), 3)
    report("one lead, 40 terms, all contributions", ours / floor, "parsing its JSON")
    report("one lead, scikit-learn pipeline", theirs / ours, "our scorer")
    whole = cpu_seconds(lambda: score_frame(scorecard, frame), 3)
    pipeline_whole = cpu_seconds(lambda: pipeline.predict_proba(frame), 3)
    report("a frame of 4,000 leads, scikit-learn pipeline", pipeline_whole / whole, "our frame")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_of_leads(registered, tmp_path: Path, ending: str):
    world = write_world(tmp_path, 100_000, seed=0)
    source = world.leads_path
    if ending == "parquet":
        source = tmp_path / "leads.parquet"
        pq.write_table(pa_csv.read_csv(world.leads_path), source)
    target = tmp_path / f"scored.{ending}"

    def scan() -> None:
        if ending == "parquet":
            pq.read_table(source)
        else:
            with source.open(encoding="utf-8", newline="") as stream:
                list(csv.reader(stream))

    def score() -> None:
        score_file(registered.project, registered.training.scorecard, "demo", source, target, None)

    floor, ours = cpu_seconds(scan, 1), cpu_seconds(score, 1)
    report(f"100,000 leads scored with reasons, {ending}", ours / floor, "reading the file")
