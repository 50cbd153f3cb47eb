"""On the demo world, whose truth is known: how near the model comes, and what each family is worth.

The truth is better than any model can be, and scores what its own draw of outcomes lets it score.
"""

from dataclasses import replace

import numpy as np
import pytest

from models.calibration import expected_calibration_error, tally
from models.frame import assign_bands, to_probabilities
from models.predictive import decide
from pipeline.demo.tour import read_truth
from pipeline.demo.world import write_world
from pipeline.metrics import auc
from pipeline.selection import fit_pipeline
from pipeline.settings import find_project, read_project
from pipeline.signals.declarations import FAMILIES
from pipeline.train import train

pytestmark = pytest.mark.proof

LEADS = 20_000
WITHIN = 0.01
REDRAWN = 500


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, LEADS, seed=0)
    training = train(read_project(find_project("demo"), folder))
    return training, read_truth(folder / "truth.csv", training.later), folder


def score_auc(log_odds, label):
    return auc(tally(log_odds, to_probabilities(log_odds), label))


def truth_log_odds(probability):
    return np.log(probability) - np.log1p(-probability)


@pytest.mark.xfail(reason="not reached yet: .0145 at 20,000 leads, most of it from estimation")
def test_the_model_comes_within_a_hundredth_of_the_truths_own_auc(trained):
    training, known, _ = trained
    truth = score_auc(truth_log_odds(known), training.later.label)
    model = training.evaluation.metrics["auc"].value
    print(f"\nAUC: truth {truth:.4f}, model {model:.4f}")  # noqa: T201
    assert 0.80 < truth < 0.90
    assert truth - model < WITHIN


def test_its_calibration_error_is_one_that_the_truth_might_have(trained):
    """Outcomes are drawn anew from the truth; a lead's snapshots share one draw."""
    training, known, _ = trained
    random, lead = np.random.default_rng(0), training.later.lead
    log_odds = truth_log_odds(known)
    errors = []
    for _ in range(REDRAWN):
        label = (random.random(lead.max() + 1)[lead] < known).astype(np.int8)
        errors.append(expected_calibration_error(tally(log_odds, known, label)))
    most = float(np.quantile(errors, 0.95))
    found = training.evaluation.metrics["ece"].value
    print(f"\nECE: {found:.4f}, at most {most:.4f}")  # noqa: T201
    assert found <= most


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_missed(trained, family):
    training, _, folder = trained
    catalog = read_project(find_project("demo"), folder).catalog
    rest = tuple(s for s in catalog.signals if not s.column.startswith(f"{family}__"))
    columns = [signal.column for signal in rest]
    earlier = replace(training.earlier, signals=training.earlier.signals[columns])
    smaller = catalog.model_copy(update={"signals": rest})
    pipeline = fit_pipeline(earlier, smaller, training.choice.recipe)
    label = training.later.label
    without = score_auc(decide(pipeline, training.later.signals[columns]), label)
    cost = score_auc(training.later_log_odds, label) - without
    print(f"\nwithout {family}: {cost:+.4f}")  # noqa: T201
    assert cost > 0.0


def test_spam_lands_in_the_band_of_the_cold(trained):
    training, known, _ = trained
    spam = known < np.exp(-8.0)
    bands = training.scorecard.bands
    found = assign_bands(training.later_log_odds[spam], bands.log_odds)
    assert spam.sum() > 300
    assert (np.asarray(found) == "cold").mean() > 0.99
