"""From points to a probability: what history says of a sheet, and which sheets are refused."""

import json

import numpy as np
import pytest
from support.projects import ORDERED_BY_ROW, WITHOUT_TIMES, make_leads, write_leads, write_project

from leadscore.models.calibration import fit_affine
from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.log_odds import to_probability
from leadscore.models.score_frame import score_frame
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import ConfigError, RefusalError
from leadscore.pipeline.sheets.calibrate import FLATTEST, train_sheet
from leadscore.pipeline.sheets.sheet import read_sheet
from leadscore.pipeline.workflows.check import check_project

FAIR = {
    "spain": {"signal": "country", "is": "ES", "points": 20},
    "large": {"signal": "employees", "steps": {"31": 30}},
}


def make_sheet(folder, criteria, leads=600, data=None, training=None, **more):
    write_project(folder, data=data, training=training)
    rows = make_leads(leads, seed=3)
    if data is not None:
        rows = [
            {k: v for k, v in row.items() if k not in ("created_at", "closed_at")} for row in rows
        ]
    write_leads(folder, rows)
    sheet = {"mql": 20, "sql": 40, **more, "criteria": criteria}
    (folder / "rules.yaml").write_text(json.dumps(sheet), encoding="utf-8")
    return read_sheet(read_project(folder, folder))


def test_points_get_the_probability_that_history_bears_out(tmp_path):
    training = train_sheet(make_sheet(tmp_path, FAIR))
    scorecard = training.scorecard
    check_golden_leads(scorecard)
    points = score_frame(scorecard, training.earlier.signals).log_odds
    points = scorecard.points.total(points)
    assert set(points) == {0.0, 20.0, 30.0, 50.0}
    wanted = fit_affine(points, training.earlier.label.astype(np.float64))
    assert scorecard.points.log_odds_per_point == pytest.approx(wanted.factor, rel=1e-6)
    assert scorecard.points.log_odds_at_zero == pytest.approx(wanted.shift, abs=1e-6)
    assert (
        scorecard.bands.at.sql
        == scorecard.points.log_odds_at_zero + 40.0 * scorecard.points.log_odds_per_point
    )
    assert to_probability(scorecard.bands.at.sql) == pytest.approx(scorecard.bands.sql)
    assert set(training.later_bands[training.later_log_odds > scorecard.bands.at.sql]) == {"SQL"}
    assert training.evaluation.metrics["auc"].low > 0.5
    assert training.pipeline is None
    assert training.selected is None
    assert all(term.mean == 0.0 for term in scorecard.terms)


def test_the_same_sheet_and_data_give_the_same_scorecard_and_another_sheet_another(tmp_path):
    sheet = make_sheet(tmp_path, FAIR)
    first, again = train_sheet(sheet).scorecard, train_sheet(sheet).scorecard
    assert first.sha256 == again.sha256
    other = make_sheet(tmp_path, {**FAIR, "spain": {"signal": "country", "is": "ES", "points": 21}})
    changed = train_sheet(other).scorecard
    assert changed.training["configuration"] != first.training["configuration"]
    assert changed.training["data"] == first.training["data"]


def test_a_sheet_that_goes_the_wrong_way_gives_everybody_the_base_rate(tmp_path):
    wrong = {"spain": {"signal": "country", "is": "ES", "points": -20},
             "large": {"signal": "employees", "steps": {"31": -30}}}  # fmt: skip
    training = train_sheet(make_sheet(tmp_path, wrong, mql=-25, sql=-1))
    assert training.scorecard.points.log_odds_per_point == FLATTEST
    rate = training.earlier.label.mean()
    said = [to_probability(value) for value in training.later_log_odds]
    assert np.allclose(said, rate, atol=1e-4)
    assert training.evaluation.metrics["auc"].high < 0.5
    first, *others = training.evaluation.verdicts
    assert first.text.startswith("RANKS THE WRONG WAY ROUND")
    kinds = {verdict.kind for verdict in others}
    assert "no ranking" in kinds
    assert not kinds & {"too steep", "too flat"}
    points = training.scorecard.points.total(training.later_log_odds)
    assert set(points) <= {0.0, -20.0, -30.0, -50.0}


def test_a_sheet_that_never_fires_is_refused(tmp_path):
    nothing = {"mars": {"signal": "country", "is": "Mars", "points": 20}}
    with pytest.raises(RefusalError, match="every lead of the earlier period has 5 points"):
        train_sheet(make_sheet(tmp_path, nothing, start=5))


def test_a_criterion_that_reads_a_leak_is_refused_by_its_name(tmp_path):
    rows = make_leads(600, seed=3)
    for row in rows:
        row["remark"] = "paid" if row["status"] == "won" else "chose another"
    fields = {"remark": {}}
    folder = write_project(
        tmp_path, data={"leads": {"fields": fields}},
        signals={"remark": {"family": "form", "kind": "category"},
                 "country": {"family": "demographic", "kind": "category"}},
    )  # fmt: skip
    write_leads(folder, rows)
    sheet = {"mql": 1, "sql": 2, "criteria": {
        "paid": {"signal": "remark", "is": "paid", "points": 50},
        "spain": {"signal": "country", "is": "ES", "points": 5},
    }}  # fmt: skip
    (folder / "rules.yaml").write_text(json.dumps(sheet), encoding="utf-8")
    with pytest.raises(RefusalError, match="remark"):
        train_sheet(read_sheet(read_project(folder, folder)))


def test_without_any_order_points_are_cross_calibrated_and_a_counted_sheet_is_refused(tmp_path):
    sheet = make_sheet(tmp_path, FAIR, data=WITHOUT_TIMES, training={"horizon_days": None})
    training = train_sheet(sheet)
    assert "NOT time-ordered" in training.evaluation.basis
    inside = score_frame(training.scorecard, training.later.signals).log_odds
    assert not np.array_equal(inside, training.later_log_odds)
    assert np.abs(inside - training.later_log_odds).max() < 0.5
    with pytest.raises(RefusalError, match="no order in time"):
        train_sheet(sheet, "close_rate")


def test_leads_in_order_of_arrival_have_a_later_part(tmp_path):
    sheet = make_sheet(tmp_path, FAIR, data=ORDERED_BY_ROW, training={"horizon_days": None})
    training = train_sheet(sheet)
    assert training.evaluation.basis == "later period, in order of arrival"
    assert training.scorecard.training["cut"] is not None


def test_axes_of_a_sheet_begin_where_it_says_and_else_at_quarters(tmp_path):
    sheet = make_sheet(tmp_path, FAIR, axes={"fit": [20, 30, 50]})
    scorecard = train_sheet(sheet).scorecard
    assert [cut / scorecard.points.log_odds_per_point for cut in scorecard.axes.fit] == [
        20.0,
        30.0,
        50.0,
    ]
    assert scorecard.axes.engagement is None
    quarters = train_sheet(make_sheet(tmp_path, FAIR)).scorecard
    assert quarters.axes.fit != scorecard.axes.fit


def test_check_reads_the_sheet_with_the_other_files(tmp_path):
    sheet = make_sheet(tmp_path, FAIR)
    project = read_project(tmp_path, tmp_path)
    said = check_project(project).sheet
    assert said == "rules.yaml: 2 criteria over 2 signals; MQL from 20 points, SQL from 40"
    sheet.path.write_text(json.dumps({"mql": 20, "sql": 40, "criteria": {}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"rules\.yaml: criteria"):
        check_project(project)
    sheet.path.unlink()
    assert check_project(project).sheet is None
