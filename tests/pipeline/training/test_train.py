"""Training from end to end, on good data and on data that nobody should learn from."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from support.projects import ORDERED_BY_ROW, WITHOUT_TIMES, write_project
from support.scorecards import make_scorecard, make_term

from leadscore.models.bands import Minimum, Minimums
from leadscore.models.calibration import Affine
from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.predictive import decide
from leadscore.models.rule_sheet import PointBands, PointCutoffs, to_bands
from leadscore.models.score_frame import read_axes, score_frame, sum_axes, to_probabilities
from leadscore.models.score_lead import AxesReader, Scorer
from leadscore.models.scorecard import read_scorecard
from leadscore.models.shapes import Steps
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.errors import DataError, RefusalError
from leadscore.pipeline.evaluation.metrics import auc, group_by_score
from leadscore.pipeline.training.train import cut_axes, plain_bands, train
from leadscore.pipeline.workflows.record_training import record_training
from leadscore.pipeline.workflows.tour import read_truth
from leadscore.pipeline.workflows.versions import evaluate_version


def frame_of_leads(count, seed=0, **more):
    """Leads without dates whose chance rises with `employees` and differs by country."""
    random = np.random.default_rng(seed)
    employees = random.integers(1, 100, count)
    country = random.choice(["ES", "FR", "MX"], count)
    log_odds = employees / 20 - 3.0 + (country == "MX")
    won = random.random(count) < 1 / (1 + np.exp(-log_odds))
    return pd.DataFrame(
        {
            "lead_id": [f"lead-{i}" for i in range(count)],
            "status": np.where(won, "won", "lost"),
            "country": country,
            "employees": employees,
            "newsletter": random.choice(["yes", "no"], count),
            **more,
        }
    )


def undated_project(tmp_path, leads, data=ORDERED_BY_ROW, **training):
    folder = write_project(
        tmp_path / "mine", data=data, training={"horizon_days": None, **training}
    )
    leads.to_csv(folder / "leads.csv", index=False)
    return read_project(folder)


def test_what_a_training_holds(registered):
    training = registered.training
    scorecard = training.scorecard
    assert read_scorecard(scorecard.to_json()) == scorecard
    check_golden_leads(scorecard)
    later = score_frame(scorecard, training.later.signals).log_odds
    np.testing.assert_array_equal(later, training.later_log_odds)
    np.testing.assert_allclose(later, decide(training.pipeline, training.later.signals), atol=1e-9)
    assert len(scorecard.quantiles) == 101
    assert scorecard.quantiles[50] == pytest.approx(float(np.median(later)))
    means = score_frame(scorecard, training.earlier.signals).contributions.mean(axis=0)
    assert [term.mean for term in scorecard.terms] == pytest.approx(means.tolist())
    assert scorecard.training["earlier"]["wins"] == int(training.earlier.label.sum())
    assert scorecard.training["cut"] == training.later.begin.min()
    assert training.earlier.matured.max() <= scorecard.training["cut"]
    assert scorecard.training["allowed_leaks"] == []


def test_a_quarter_of_the_later_snapshots_stands_at_each_grade(registered):
    scorecard, later = registered.training.scorecard, registered.training.later
    worth = score_frame(scorecard, later.signals).contributions
    stands = read_axes(scorecard, worth)
    for axis, grades in zip(stands, ("ABCD", "1234"), strict=True):
        counts = [int((axis == grade).sum()) for grade in grades]
        assert sum(counts) == len(later)
        assert counts == pytest.approx([len(later) / 4] * 4, rel=0.05)
    for grades, ranked, sums in zip(
        stands, ("DCBA", "4321"), sum_axes(scorecard, worth), strict=True
    ):
        order = [ranked.index(grade) for grade in grades[np.argsort(sums, kind="stable")]]
        assert order == sorted(order)


def test_plain_bands_of_a_sheet_have_no_exceptions_and_no_minimums():
    cutoffs = PointCutoffs(mql=40.0, sql=100.0)
    minimums = Minimums(sql=Minimum(fit="B"))
    points = PointBands(cutoffs, "web__channel", {"fair": PointCutoffs(20.0, 80.0)}, minimums)
    bands = to_bands(points, Affine(0.0625, -3.0))
    plain = to_bands(PointBands(cutoffs), Affine(0.0625, -3.0))
    assert plain_bands(bands) == plain
    assert plain.cutoff_overrides == {}


def test_leads_that_did_nothing_are_a_4_however_many_they_are():
    clicks = make_term(Steps(edges=(1.0,), values=(-0.7, 0.9), missing=0.0), "email__clicks")
    scorecard = make_scorecard(clicks, base=0.1)
    signals = pd.DataFrame({"email__clicks": [0.0] * 90 + [1.0] * 10})
    axes = cut_axes(scorecard, score_frame(scorecard, signals).contributions)
    assert axes.fit is None
    assert axes.engagement == (np.nextafter(-0.7, 0.0),) * 3
    reader = AxesReader(scorecard.model_copy(update={"axes": axes}))
    found = [
        reader.read(Scorer(scorecard).score({"email__clicks": n}).contributions) for n in (0, 1)
    ]
    assert found == [(None, "4"), (None, "1")]


def test_the_model_ranks_nearly_as_the_truth_does(registered):
    training = registered.training
    known = read_truth(registered.store_folder / "demo" / "truth.csv", training.later)
    assert spearmanr(training.later_log_odds, known).statistic > 0.75
    assert training.evaluation.metrics["auc"].low > 0.7


def test_the_same_data_gives_the_same_bytes_in_any_order_of_rows(tmp_path):
    write_world(tmp_path / "a", 1500, seed=3)
    (tmp_path / "b").mkdir()
    for path in (tmp_path / "a").iterdir():
        header, *rows = path.read_text().splitlines()
        if path.stem in ("changes", "deals"):  # those of one moment count in the file's order
            shutil.copy(path, tmp_path / "b")
            continue
        np.random.default_rng(0).shuffle(rows)
        (tmp_path / "b" / path.name).write_text("\n".join([header, *rows]) + "\n")
    one, other = (train(read_project(find_project("demo"), tmp_path / x)) for x in "ab")
    assert one.scorecard.to_json() == other.scorecard.to_json()


def test_leads_without_any_order_are_cross_validated_and_say_so(tmp_path):
    project = undated_project(tmp_path, frame_of_leads(600), data=WITHOUT_TIMES)
    training = train(project)
    assert training.evaluation.basis == "cross-validated by lead, NOT time-ordered"
    assert training.evaluation.periods == []
    assert training.scorecard.training["cut"] is None
    own = score_frame(training.scorecard, training.earlier.signals).log_odds
    inside = auc(group_by_score(own, to_probabilities(own), training.earlier.label))
    assert training.evaluation.metrics["auc"].value < inside, "out of fold is not in sample"
    assert training.evaluation.metrics["auc"].value > 0.7
    record_training(training, tmp_path / "store")
    evaluation, _ = evaluate_version(tmp_path / "store", project, "challenger")
    assert evaluation.to_json() == training.evaluation.to_json()


def test_pure_noise_is_called_so(tmp_path):
    leads = frame_of_leads(900)
    leads["status"] = np.random.default_rng(1).choice(["won", "lost"], 900, p=[0.3, 0.7])
    training = train(undated_project(tmp_path, leads))
    assert training.selected.hyperparameters.penalty == min(
        training.selected.candidates[0].hyperparameters.penalty, 0.003
    )
    assert training.evaluation.metrics["auc"].low < 0.5
    assert "no ranking" in [verdict.kind for verdict in training.evaluation.verdicts]


def test_evaluation_uses_no_lead_from_before_the_models_own_cut(registered, tmp_path):
    store_folder = tmp_path / "store"
    shutil.copytree(registered.project.folder, tmp_path / "demo")
    path = tmp_path / "demo" / "training.yaml"
    path.write_text(path.read_text().replace("later: 0.3", "later: 0.9"))
    generous = read_project(tmp_path / "demo", registered.store_folder / "demo")
    record_training(registered.training, store_folder)
    evaluation, _ = evaluate_version(store_folder, generous, "challenger")
    assert evaluation.leads == registered.training.evaluation.leads
    assert evaluation.metrics == registered.training.evaluation.metrics


def test_several_ages_of_a_lead_stay_on_one_side(registered):
    training = registered.training
    assert len(training.earlier) > 2 * len(np.unique(training.earlier.lead))
    assert not set(training.earlier.lead_id) & set(training.later.lead_id)
    assert training.earlier.left_out["closed at or before the snapshot"] > 0


def break_(leads, what):
    if what == "no win":
        leads["status"] = "lost"
    elif what == "one win":
        leads["status"] = ["won", *["lost"] * (len(leads) - 1)]
    elif what == "all won":
        leads["status"] = "won"
    elif what == "constant signals":
        leads = leads.assign(country="ES", employees=5, newsletter="yes")
    elif what == "empty signals":
        leads = leads.assign(country=None, employees=None, newsletter=None)
    return leads


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no win", "0 wins among"),
        ("one win", "1 wins among .* at least 10"),
        ("all won", "at least 10 wins and as many others are needed"),
        ("constant signals", "nothing proves that these signals predict who wins"),
        ("empty signals", "nothing proves that these signals predict who wins"),
    ],
)
def test_data_that_nobody_should_learn_from_is_refused(tmp_path, what, says):
    project = undated_project(tmp_path, break_(frame_of_leads(400), what))
    with pytest.raises(RefusalError, match=says):
        train(project)


def test_five_rows_are_refused(tmp_path):
    with pytest.raises((RefusalError, DataError), match=r"wins|nothing would be left"):
        train(undated_project(tmp_path, frame_of_leads(5)))


def test_every_lead_open_is_told(tmp_path):
    leads = frame_of_leads(400).assign(status="open")
    with pytest.raises(DataError, match="no snapshot has a known outcome: 400 still open"):
        train(undated_project(tmp_path, leads))


def test_perfect_separation_and_ten_thousand_categories_give_finite_weights(tmp_path):
    leads = frame_of_leads(10_000)
    leads["status"] = np.where(leads["employees"] > 50, "won", "lost")
    leads["country"] = [f"country {i}" for i in range(10_000)]
    project = undated_project(tmp_path, leads)
    with pytest.raises(RefusalError, match="firmographic__employees: leaks: it predicts"):
        train(project)
    training = train(project, allowed_leaks=["employees", "country"])
    text = training.scorecard.to_json()
    assert len(text) < 100_000, "levels of one row each are grouped"
    assert training.evaluation.metrics["auc"].value > 0.99
    weights = [
        value
        for term in training.scorecard.terms
        for value in (getattr(term.shape, "values", None) or term.shape.levels.values())
    ]
    assert np.isfinite(weights).all()


def test_signals_that_never_change_are_told(tmp_path):
    training = train(undated_project(tmp_path, frame_of_leads(600).assign(newsletter="yes")))
    notes = map(str, training.notes)
    assert "left out because their value never changes: email__newsletter" in notes
    assert {term.signal for term in training.scorecard.terms} == {
        "demographic__country",
        "firmographic__employees",
    }


def test_a_leak_that_separates_perfectly_is_trained_drawn_and_called_too_good(tmp_path):
    leads = frame_of_leads(600)
    leads["newsletter"] = np.where(leads["status"] == "won", "yes", "no")
    project = undated_project(tmp_path, leads)
    with pytest.raises(RefusalError, match="email__newsletter: leaks: it predicts the outcome"):
        train(project)
    training = train(project, allowed_leaks=["newsletter"])
    assert "too good" in [verdict.kind for verdict in training.evaluation.verdicts]
    assert record_training(training, tmp_path / "store").version.version == 1


def test_evaluation_refuses_another_horizon_and_tells_other_data(registered, tmp_path):
    store_folder = tmp_path / "store"
    record_training(registered.training, store_folder)
    shutil.copytree(registered.project.folder, tmp_path / "demo")
    path = tmp_path / "demo" / "training.yaml"
    path.write_text(path.read_text().replace("horizon_days: 60", "horizon_days: 30"))
    other_horizon = read_project(tmp_path / "demo", registered.store_folder / "demo")
    with pytest.raises(RefusalError, match=r"within 60.0 days, training.yaml now has 30"):
        evaluate_version(store_folder, other_horizon, "challenger")
    write_world(tmp_path / "more", 2500, seed=2)
    other_data = read_project(find_project("demo"), tmp_path / "more")
    evaluation, _ = evaluate_version(store_folder, other_data, "challenger")
    assert evaluation.verdicts[-1].kind == "other data"


def test_leads_without_order_are_judged_on_the_data_of_the_training_only(tmp_path):
    leads = frame_of_leads(600)
    project = undated_project(tmp_path, leads, data=WITHOUT_TIMES)
    record_training(train(project), tmp_path / "store")
    leads.assign(employees=7).to_csv(project.leads_path, index=False)
    with pytest.raises(RefusalError, match="not those of the training"):
        evaluate_version(tmp_path / "store", project, "challenger")
