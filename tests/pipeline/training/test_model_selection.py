"""Choosing a recipe: on later blocks only, strong on noise, and no recalibration on faith."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from leadscore.models.calibration import IDENTITY
from leadscore.models.predictive import decide
from leadscore.pipeline.config.training import ModelConfig
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.kinds import ProfileSignal
from leadscore.pipeline.training.model_selection import (
    BLOCKS,
    cross_validate,
    fit_pipeline,
    select_hyperparameters,
    validation_folds,
)
from leadscore.pipeline.values.fields import FieldSpec

PENALTIES = (0.003, 0.03, 0.3, 3.0)


def dataset_of(signals, label, lead=None, begin=None, wait=0.0, order="time"):
    """Return a dataset of one row a lead, in order, unless said otherwise."""
    size = len(label)
    lead = np.arange(size) if lead is None else np.asarray(lead)
    begin = lead.astype(np.float64) if begin is None else np.asarray(begin, np.float64)
    if order == "none":
        begin = np.zeros(size)
    return Dataset(
        signals=pd.DataFrame(
            {name: pd.Series(values, dtype=values.dtype) for name, values in signals.items()}
        ),
        label=np.asarray(label, np.int8),
        lead=lead.astype(np.intp),
        lead_id=np.array([f"{i:05}" for i in lead], object),
        age_days=np.zeros(len(begin)),
        begin=begin,
        matured=begin + wait,
        order=order,
        left_out={},
    )


def catalog_of(dataset):
    """Return the catalogue of a dataset's columns: text is a category, the rest numbers."""
    fields = {}
    for column, kind in dataset.signals.dtypes.items():
        is_text = pd.api.types.is_object_dtype(kind)
        fields[column.removeprefix("web__")] = FieldSpec(type="text" if is_text else "number")
    kinds = {"text": "category", "number": "number"}
    signals = tuple(
        Signal(name=name, declaration=ProfileSignal(family="web", kind=kinds[spec.type]))
        for name, spec in fields.items()
    )
    return Catalog(signals=signals, fields=fields)


def flip(log_odds, seed=0):
    """Draw a label from each log-odds."""
    chance = 1.0 / (1.0 + np.exp(-np.asarray(log_odds)))
    return (np.random.default_rng(seed).random(len(chance)) < chance).astype(np.int8)


def choose(dataset, **config):
    config = {"knots": 5, "penalties": PENALTIES, "recalibrate": False, **config}
    return select_hyperparameters(dataset, catalog_of(dataset), ModelConfig(**config))


# Folds


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.lists(st.integers(0, 20), min_size=1, max_size=3)),
             min_size=12, max_size=60),
    st.integers(0, 20),
    st.integers(2, 8),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_no_fold_ever_looks_ahead(leads, horizon, blocks, dice):
    leads = sorted(leads)
    lead = [number for number, (_, ages) in enumerate(leads) for _ in ages]
    begin = [float(created) for created, ages in leads for _ in ages]
    dataset = dataset_of(
        {"web__x": np.array(begin)}, [dice.randrange(2) for _ in lead], lead, begin
    )
    ages = np.array([age for _, ages in leads for age in ages])
    dataset = Dataset(**{**vars(dataset), "matured": dataset.begin + ages + horizon})
    validated = np.zeros(len(dataset), int)
    for train, test in validation_folds(dataset, blocks):
        assert dataset.matured[train].max() <= dataset.begin[test].min()
        assert not set(dataset.lead[train]) & set(dataset.lead[test])
        assert 0 < dataset.label[train].sum() < train.sum()
        assert dataset.begin[train].max() < dataset.begin[test].min()
        ready = (dataset.begin < dataset.begin[test].min()) & (
            dataset.matured <= dataset.begin[test].min()
        )
        assert (train == ready).all()
        validated += test
    assert validated.max(initial=0) <= 1


def test_each_block_but_the_first_is_validated_on_in_order():
    dataset = dataset_of({"web__x": np.arange(60.0)}, [0, 1] * 30)
    folds = validation_folds(dataset)
    assert [np.flatnonzero(test).tolist() for _, test in folds] == [
        list(range(start, start + 10)) for start in range(10, 60, 10)
    ]
    assert [np.flatnonzero(train).tolist() for train, _ in folds] == [
        list(range(start)) for start in range(10, 60, 10)
    ]


def test_what_matures_after_a_block_began_does_not_teach_for_it():
    dataset = dataset_of({"web__x": np.arange(60.0)}, [0, 1] * 30, wait=15.0)
    folds = validation_folds(dataset)
    assert [int(train.sum()) for train, _ in folds] == [6, 16, 26, 36]


def test_folds_that_could_teach_one_class_only_are_left_out():
    label = [0] * 35 + [0, 1] * 12 + [1]
    folds = validation_folds(dataset_of({"web__x": np.arange(60.0)}, label))
    assert [int(np.flatnonzero(test)[0]) for _, test in folds] == [40, 50]


def test_without_order_folds_part_leads_and_cover_every_row_once():
    lead = np.repeat(np.arange(50), 3)
    dataset = dataset_of({"web__x": lead * 1.0}, np.tile([0, 1, 1], 50), lead, order="none")
    folds = validation_folds(dataset)
    assert len(folds) == BLOCKS
    assert (sum(test.astype(int) for _, test in folds) == 1).all()
    for train, test in folds:
        assert not set(dataset.lead[train]) & set(dataset.lead[test])
        assert (train == ~test).all()


# The recipe


@pytest.mark.parametrize("order", ["time", "arrival", "none"])
def test_on_noise_the_strongest_penalty_is_chosen(order):
    random = np.random.default_rng(4)
    noise = {f"web__x{i}": random.normal(size=600) for i in range(8)}
    noise["web__c"] = random.choice(list("abcdefgh"), 600).astype(object)
    selected = choose(dataset_of(noise, flip(np.full(600, -1.0)), order=order))
    assert selected.hyperparameters.penalty == min(PENALTIES)


@pytest.mark.parametrize("order", ["time", "none"])
def test_on_a_strong_signal_a_weak_penalty_is_chosen(order):
    x = np.random.default_rng(4).normal(size=1500)
    selected = choose(dataset_of({"web__x": x}, flip(4.0 * x), order=order))
    assert selected.hyperparameters.penalty >= 0.3
    losses = [candidate.log_loss for candidate in selected.candidates]
    assert losses[0] > min(losses) + 0.05


def test_a_signal_that_holds_for_the_past_only_is_not_believed():
    """Early on x decides; in the last two thirds it means the reverse. Blocks in order see that."""
    x = np.random.default_rng(1).normal(size=900)
    turned = np.where(np.arange(900) < 300, 3.0, -3.0) * x
    assert choose(dataset_of({"web__x": x}, flip(turned))).hyperparameters.penalty == min(PENALTIES)


def test_trials_are_the_losses_of_fits_from_scratch():
    """The path is fitted warm, each penalty from the one before: same losses as fitted cold."""
    random = np.random.default_rng(7)
    signals = {
        "web__x": np.where(random.random(400) < 0.2, np.nan, random.normal(size=400)),
        "web__c": random.choice([*"abc", None], 400).astype(object),
    }
    label = flip(np.nan_to_num(signals["web__x"]) + (signals["web__c"] == "a"))
    dataset = dataset_of(signals, label)
    selected = choose(dataset)
    assert [candidate.hyperparameters.penalty for candidate in selected.candidates] == sorted(
        PENALTIES
    )
    for candidate in selected.candidates:
        losses = []
        for train, test in validation_folds(dataset):
            pipeline = fit_pipeline(
                dataset.rows(train), catalog_of(dataset), candidate.hyperparameters
            )
            log_odds = decide(pipeline, dataset.signals[test])
            losses += np.logaddexp(0, np.where(label[test] == 1, -log_odds, log_odds)).tolist()
        assert candidate.log_loss == pytest.approx(np.mean(losses), abs=1e-6)


def test_of_recipes_within_an_error_of_the_best_the_strongest_is_taken():
    x = np.random.default_rng(2).normal(size=600)
    dataset = dataset_of({"web__x": x}, flip(2.0 * x))
    selected = choose(dataset, penalties=(0.01, 0.1, 1.0, 3.0, 10.0))
    losses = [candidate.log_loss for candidate in selected.candidates]
    assert int(np.argmin(losses)) == 4
    assert selected.hyperparameters.penalty == 1.0  # not proven worse than 10, as 0.1 is


def test_snapshots_of_one_lead_do_not_make_a_difference_sure():
    """Ninety leads repeated thirty times are ninety leads: no weaker penalty is proven by them."""
    x = np.random.default_rng(12).normal(size=90)
    label = flip(1.5 * x, seed=3)
    once = choose(dataset_of({"web__x": x}, label), min_level_count=1)
    lead = np.repeat(np.arange(90), 30)
    strangers = dataset_of({"web__x": x[lead]}, label[lead], begin=lead)
    strangers = Dataset(**{**vars(strangers), "lead": np.arange(len(lead))})
    family = dataset_of({"web__x": x[lead]}, label[lead], lead)
    penalties = tuple(p / 30 for p in PENALTIES)  # thirty rows weigh thirty times as much
    by_lead = choose(family, penalties=penalties)
    by_row = choose(strangers, penalties=penalties)
    assert by_lead.hyperparameters.penalty * 30 == pytest.approx(once.hyperparameters.penalty)
    assert by_row.hyperparameters.penalty > by_lead.hyperparameters.penalty


def test_progress_is_told_fold_by_fold():
    told = []
    dataset = dataset_of({"web__x": np.arange(120.0)}, [0, 1, 1] * 40)
    config = ModelConfig(penalties=(0.1,))
    select_hyperparameters(dataset, catalog_of(dataset), config, lambda *stage: told.append(stage))
    assert told == [("choosing the penalty", n, 5) for n in range(1, 6)]


def test_with_nothing_to_validate_on_the_strongest_penalty_is_taken_and_nothing_recalibrated():
    dataset = dataset_of({"web__x": np.arange(60.0)}, [0] * 59 + [1])
    selected = choose(dataset, recalibrate=True)
    assert (selected.hyperparameters.penalty, selected.candidates, selected.affine) == (
        0.003,
        [],
        IDENTITY,
    )


# Recalibration


def drifting(*shifts, size=300, seed=0, slopes=(1.0,) * 6):
    """Return six blocks of leads: x is worth `slopes` and every log-odds is moved by `shifts`."""
    x = np.random.default_rng(seed).normal(size=6 * size)
    block = np.repeat(np.arange(6), size)
    log_odds = np.array(slopes)[block] * x + np.array(shifts)[block]
    return dataset_of({"web__x": x}, flip(log_odds, seed + 1))


def recalibration_of(dataset, **config):
    return choose(dataset, **{"penalties": (1.0,), "recalibrate": True, **config}).affine


def test_a_drift_that_lasts_is_recalibrated_for():
    affine = recalibration_of(drifting(-2, -2, -2, -2, 1, 1))
    assert affine.shift > 0.5
    assert affine.factor > 0.0


def test_a_drift_that_is_over_is_not():
    assert recalibration_of(drifting(-2, -2, -2, -2, 1, -2)) == IDENTITY


def test_a_model_grown_too_sure_is_made_more_timid():
    affine = recalibration_of(drifting(*[0] * 6, slopes=(3, 3, 3, 3, 0.5, 0.5)))
    assert 0.0 < affine.factor < 0.7


def test_a_model_that_ranks_the_wrong_way_round_is_not_turned_over():
    """A factor below zero would turn every reason into its opposite."""
    assert recalibration_of(drifting(*[0] * 6, slopes=(2, 2, 2, 2, -2, -2))) == IDENTITY


def test_the_recalibration_learns_from_the_last_block_but_one_only():
    """The last block judges; were it learned from, a drift of its own would be recalibrated for."""
    assert recalibration_of(drifting(-2, -2, -2, -2, -2.3, 1)) == IDENTITY


def overfitted(order):
    """Return few leads, and forty columns that make a barely penalised model far too sure."""
    random = np.random.default_rng(6)
    noise = {f"web__x{i}": random.normal(size=300) for i in range(40)}
    return dataset_of(noise, flip(1.5 * noise["web__x0"]), order=order)


def test_no_recalibration_where_none_is_wanted_or_no_next_block_is_to_be_had():
    wild = {"penalties": (100.0,), "knots": 2}
    assert 0.0 < recalibration_of(overfitted("time"), **wild).factor < 0.7
    assert recalibration_of(overfitted("time"), **wild, recalibrate=False) == IDENTITY
    assert recalibration_of(overfitted("none"), **wild) == IDENTITY


# Cross-validation, where nothing has an order


def test_cross_validation_never_scores_a_lead_by_itself():
    """Each lead has a level of its own, twice, and a label by chance: nothing is to be learned."""
    lead = np.repeat(np.arange(150), 2)
    label = np.random.default_rng(3).integers(0, 2, 150)[lead]
    own = np.array([f"level-{i}" for i in lead], object)
    dataset = dataset_of({"web__own": own}, label, lead, order="none")
    config = ModelConfig(penalties=(5.0,), min_level_count=1)
    log_odds = cross_validate(dataset, catalog_of(dataset), config)
    assert np.isfinite(log_odds).all()
    assert 0.3 < roc_auc_score(label, log_odds) < 0.7


def test_cross_validation_finds_what_is_there():
    x = np.random.default_rng(3).normal(size=400)
    dataset = dataset_of({"web__x": x}, flip(2.0 * x), order="none")
    log_odds = cross_validate(dataset, catalog_of(dataset), ModelConfig(penalties=(0.1, 1.0)))
    assert roc_auc_score(dataset.label, log_odds) > 0.8


def test_cross_validation_refuses_where_a_fold_has_no_win():
    dataset = dataset_of({"web__x": np.arange(60.0)}, [1] + [0] * 59, order="none")
    with pytest.raises(RefusalError, match="too few wins"):
        cross_validate(dataset, catalog_of(dataset), ModelConfig(penalties=(0.1,)))
