"""On the demo world, whose truth is known: how near the model comes, and what each family is worth.

The truth is better than any model can be, and scores what its own draw of outcomes lets it score.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.seeds import FULL, seeds_of_the_day

from leadscore.models.predictive import decide
from leadscore.models.score_frame import to_probabilities
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.evaluation.metrics import auc, expected_calibration_error, group_by_score
from leadscore.pipeline.signals.kinds import FAMILIES
from leadscore.pipeline.training.model_selection import fit_pipeline
from leadscore.pipeline.training.train import Training, train
from leadscore.pipeline.workflows.tour import read_truth

pytestmark = pytest.mark.proof

LEADS = 20_000
SEEDS = [100 + seed for seed in seeds_of_the_day(3, 1)]
"""Three worlds in a full run: in one, chance can move a figure by as much as is allowed."""

WITHIN = 0.01 if FULL else 0.02
REDRAWN = 300


@dataclass(frozen=True)
class Learned:
    """What was learned from one world, and the truth of each snapshot of the later period."""

    training: Training
    known: npt.NDArray[np.float64]
    folder: Path


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    found = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("world")
        write_world(folder, LEADS, seed)
        training = train(read_project(find_project("demo"), folder))
        found.append(Learned(training, read_truth(folder / "truth.csv", training.later), folder))
    return found


def score_auc(log_odds, label):
    return auc(group_by_score(log_odds, to_probabilities(log_odds), label))


def truth_log_odds(probability):
    return np.log(probability) - np.log1p(-probability)


def test_the_model_comes_within_a_hundredth_of_the_truths_own_auc(worlds):
    gaps = []
    for one in worlds:
        truth = score_auc(truth_log_odds(one.known), one.training.later.label)
        model = one.training.evaluation.metrics["auc"].value
        print(f"\nAUC: truth {truth:.4f}, model {model:.4f}")  # noqa: T201
        assert 0.80 < truth < 0.92
        gaps.append(truth - model)
    assert np.mean(gaps) < WITHIN


def test_its_calibration_error_is_one_that_the_truth_might_have(worlds):
    """Outcomes are drawn anew from the truth; a lead's snapshots share one draw."""
    found, most = [], []
    for one in worlds:
        random, lead = np.random.default_rng(0), one.training.later.lead
        log_odds = truth_log_odds(one.known)
        errors = []
        for _ in range(REDRAWN):
            label = (random.random(lead.max() + 1)[lead] < one.known).astype(np.int8)
            errors.append(expected_calibration_error(group_by_score(log_odds, one.known, label)))
        most.append(float(np.quantile(errors, 0.95)))
        found.append(one.training.evaluation.metrics["ece"].value)
        print(f"\nECE: {found[-1]:.4f}, at most {most[-1]:.4f}")  # noqa: T201
    assert np.mean(found) <= np.mean(most) * (1.0 if FULL else 1.5)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_missed(worlds, family):
    costs = []
    for one in worlds:
        training = one.training
        catalog = read_project(find_project("demo"), one.folder).catalog
        rest = tuple(s for s in catalog.signals if not s.column.startswith(f"{family}__"))
        columns = [signal.column for signal in rest]
        earlier = replace(training.earlier, signals=training.earlier.signals[columns])
        smaller = catalog.model_copy(update={"signals": rest})
        pipeline = fit_pipeline(earlier, smaller, training.selected.hyperparameters)
        label = training.later.label
        without = score_auc(decide(pipeline, training.later.signals[columns]), label)
        costs.append(score_auc(training.later_log_odds, label) - without)
    print(f"\nwithout {family}: {', '.join(f'{cost:+.4f}' for cost in costs)}")  # noqa: T201
    assert all(cost != 0.0 for cost in costs), "the model does not use this family at all"
    assert np.mean(costs) > (0.0 if FULL else -0.002)


def test_spam_lands_in_the_band_of_the_cold(worlds):
    for one in worlds:
        spam = one.known < np.exp(-8.0)
        found = one.training.later_bands[spam]
        assert spam.sum() > 300
        assert (np.asarray(found) == "cold").mean() > 0.99
