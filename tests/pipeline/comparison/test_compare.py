"""A whole comparison: what it finds, what it says, what it refuses, what it keeps to itself."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from support.projects import (
    ORDERED_BY_ROW,
    WITHOUT_TIMES,
    lead,
    make_leads,
    write_leads,
    write_project,
)
from support.scorecards import make_term
from support.worlds.rival_contenders import contender, country_sheet, newsletter_sheet, rule_sheet

from leadscore.models.shapes import Table
from leadscore.pipeline.comparison.compare import Question, compare
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.config.signals import make_catalog
from leadscore.pipeline.errors import ConfigError, RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.report.html_pages import write_comparison_page


def project_of(tmp_path, leads=None, **changes):
    folder = write_project(tmp_path / "mine", **changes)
    write_leads(folder, make_leads(1200) if leads is None else leads)
    return read_project(folder)


def held(project, *scorecards, **question):
    versions = [contender(card, number) for number, card in enumerate(scorecards, start=1)]
    return compare(project, versions, Question(**question))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    by = {"report": {"group_by": ["demographic__country"]}}
    return project_of(tmp_path_factory.mktemp("compared"), training=by)


@pytest.fixture(scope="module")
def found(project):
    return held(project, country_sheet(project), newsletter_sheet(project), calls=8.0)


def test_the_better_sheet_is_ahead_in_one_sentence(found):
    (line,) = found.verdict
    said = re.fullmatch(
        r"The rule sheet \(version 1\) is ahead: with 8 calls a week, it would have reached (\d+) "
        r"of (\d+) wins and the rule sheet \(version 2\) (\d+), which is (\d+) more "
        r"\(95 % interval: \d+ to \d+ more\)\.", line,
    )  # fmt: skip
    reached, wins, other, more = map(int, said.groups())
    assert reached - other == more
    assert wins == found.wins
    (pair,) = found.pairs
    assert pair.proven
    assert pair.gain.wins.low > 0.0


def test_called_wins_add_up(found):
    (pair,), (one, other) = found.pairs, found.standings
    swaps = pair.swaps
    assert swaps.both.wins + swaps.only_one.wins == pytest.approx(
        one.metrics["wins_at_capacity"].value
    )
    assert swaps.both_other.wins + swaps.only_other.wins == pytest.approx(
        other.metrics["wins_at_capacity"].value
    )
    groups = (swaps.both, swaps.only_one, swaps.only_other, swaps.neither)
    assert sum(group.leads for group in groups) == pytest.approx(found.leads)
    months = found.breakdowns[0].slices
    told = sum(month.reached[one.key] for month in months)  # the last month is too small to tell
    assert 0.9 * one.metrics["wins_at_capacity"].value < told
    assert told <= one.metrics["wins_at_capacity"].value
    assert found.breakdowns[0].hidden == 1
    assert found.calls[0] == 0.0
    assert found.calls.index(8.0) > 0
    assert dict(zip(found.calls, one.curve, strict=True))[8.0] == pytest.approx(
        one.metrics["wins_at_capacity"].value
    )


def test_what_tells_the_swapped_leads_apart_is_named(found):
    (pair,) = found.pairs
    traits = {trait.column: trait for trait in pair.swaps.traits}
    assert traits["email__newsletter"].one < 0.5 < traits["email__newsletter"].other
    assert traits["firmographic__employees"].one > traits["firmographic__employees"].other


def test_leaving_out_the_family_that_tells_costs_wins(found):
    costs = {cost.family: cost for cost in found.standings[0].families}
    assert costs["firmographic"].wins.high < 0.0
    assert costs["firmographic"].auc < -0.05
    (newsletter,) = found.standings[1].families
    by_chance = dict(zip(found.calls, found.by_chance, strict=True))[8.0]
    reached = found.standings[1].metrics["wins_at_capacity"].value + newsletter.wins.value
    assert reached == pytest.approx(by_chance)


def test_a_sheet_against_its_double_on_another_scale_calls_the_same_leads(project):
    sheet = country_sheet(project)
    double = country_sheet(project, base=1.0)
    found = held(project, sheet, double, calls=8.0)
    (pair,) = found.pairs
    assert pair.gain.wins == (0.0, 0.0, 0.0)
    assert found.verdict[0].startswith("No difference proven: both call the same leads, so with 8")
    one, other = (standing.metrics for standing in found.standings)
    assert one["log_loss"].value != other["log_loss"].value
    assert one["log_loss_equal"].value == pytest.approx(other["log_loss_equal"].value, abs=1e-9)
    assert one["ece_equal"].value == pytest.approx(other["ece_equal"].value, abs=1e-9)


def test_with_fifteen_wins_nothing_is_proven_and_nothing_breaks(tmp_path):
    leads = make_leads(500, seed=3)
    kept = 0
    for row in leads[-150:]:
        kept += row["status"] == "won"
        if row["status"] == "won" and kept > 15:
            row.update(status="lost", closed_at=None)
    project = project_of(tmp_path, leads, training={"split": {"later": 150}})
    found = held(project, newsletter_sheet(project), country_sheet(project), calls=3.0)
    assert found.wins == 15
    assert "With only 15 wins" in found.remarks[0]
    alike = held(
        project, newsletter_sheet(project), rule_sheet(project, make_term(
            Table(levels={"FR": 1.0}, missing=0.0, other=0.0), "demographic__country")), calls=3.0,
    )  # fmt: skip
    assert alike.verdict[0].startswith(
        "No difference proven with these 15 wins: with 3 calls a week"
    )
    assert "wins would be needed" in alike.verdict[0]
    json.dumps(alike.to_json(), allow_nan=False)


def test_three_contenders_are_held_each_against_each_other(project):
    third = rule_sheet(
        project,
        make_term(Table(levels={"ES": 1.0}, missing=0.0, other=0.0), "demographic__country"),
    )
    found = held(project, newsletter_sheet(project), country_sheet(project), third, calls=8.0)
    assert [(d.one, d.other) for d in found.pairs] == [
        ("rules:1", "rules:2"), ("rules:1", "rules:3"), ("rules:2", "rules:3"),
    ]  # fmt: skip
    assert "is ahead of" in found.verdict[0]
    assert len(found.verdict) == 4
    assert all(pair.p >= pair.gain.p for pair in found.pairs)
    assert (found.plan.one, found.plan.other) == ("rules:2", "rules:3")


def test_nobody_is_judged_on_leads_it_learned_from(project):
    whole = held(project, country_sheet(project), newsletter_sheet(project))
    cut = 1_756_000_000_000_000.0  # 2025-08-24
    learned = country_sheet(
        project, kind="close_rate", training={"cut": cut, "data": "of another day"}
    )
    found = held(project, learned, newsletter_sheet(project, training={"cut": cut - 1e12}))
    assert found.begins == "2025-08-24"
    assert found.leads < whole.leads
    assert any("the data are not those that close_rate:1 learned from" in c for c in found.caveats)
    assert whole.standings[0].title == "the rule sheet (version 1)"
    assert found.standings[0].title == "the close-rate sheet (version 1)"


def test_a_sheet_that_reads_fewer_fields_learned_from_the_same_data(project):
    catalog = project.catalog
    narrow = make_catalog([s for s in catalog.signals if s.stored == "country"], project.data)
    digest = ingest(replace(project, catalog=narrow)).digest
    assert digest != ingest(project).digest
    learned = rule_sheet(
        project,
        make_term(Table(levels={"ES": 1.5}, missing=0.0, other=0.0), "demographic__country"),
        kind="close_rate",
        definitions=narrow.to_definitions(),
        training={"cut": 1_756_000_000_000_000.0, "data": digest},
    )
    found = held(project, learned, newsletter_sheet(project))
    assert not any("the data are not those" in caveat for caveat in found.caveats)


def test_the_same_column_may_mean_something_else_to_another(project):
    definitions = json.loads(json.dumps(project.catalog.to_definitions()))
    definitions["fields"]["country"]["missing"] = ["ES"]  # to this sheet, Spain is a blank
    blind = country_sheet(project, definitions=definitions)
    found = held(project, country_sheet(project), blind, calls=8.0)
    one, other = (standing.metrics["auc"].value for standing in found.standings)
    assert one > other + 0.02


def test_a_sheet_may_have_signals_of_its_own(project):
    definitions = json.loads(json.dumps(project.catalog.to_definitions()))
    definitions["signals"] = [
        {"name": "large", "declaration": {
            "family": "firmographic", "kind": "number", "field": "employees"}},
    ]  # fmt: skip
    definitions["fields"] = {"employees": definitions["fields"]["employees"]}
    sheet = rule_sheet(
        project, country_sheet(project).terms[1].model_copy(
            update={"signal": "firmographic__large"}), definitions=definitions,
    )  # fmt: skip
    same = rule_sheet(project, country_sheet(project).terms[1])
    (pair,) = held(project, sheet, same, calls=8.0).pairs
    assert pair.gain.wins == (0.0, 0.0, 0.0)


def test_without_dates_stretches_stand_for_weeks(tmp_path):
    project = project_of(tmp_path, data=ORDERED_BY_ROW, training={"horizon_days": None})
    found = held(project, country_sheet(project), newsletter_sheet(project))
    assert found.capacity_assumed
    assert "with calls to 10% of each 119 leads in a row, it would have reached" in found.verdict[0]
    assert found.plan.weeks is None
    assert any("stretches of equal count in order of arrival" in line for line in found.caveats)
    with pytest.raises(ConfigError, match="no dates"):
        held(project, country_sheet(project), newsletter_sheet(project), calls=5.0)


def test_what_cannot_be_compared_is_refused(tmp_path, project):
    with pytest.raises(RefusalError, match=r"rules:2 predicts who is won within 30 days.*60 days"):
        held(project, country_sheet(project), newsletter_sheet(project, horizon_days=30.0))
    learned = country_sheet(project, kind="predictive", training={"cut": None, "data": ""})
    with pytest.raises(RefusalError, match="predictive:1 learned from leads without order"):
        held(project, learned, newsletter_sheet(project))
    late = newsletter_sheet(project, training={"cut": 1_761_500_000_000_000.0})
    with pytest.raises(RefusalError, match=r"leads won among the \d+ that came after"):
        held(project, country_sheet(project), late)
    undated = project_of(tmp_path, data=WITHOUT_TIMES, training={"horizon_days": None})
    with pytest.raises(RefusalError, match="no order in time"):
        held(undated, country_sheet(undated), newsletter_sheet(undated))


def test_no_lead_is_named_and_no_small_group_told_of(tmp_path):
    leads = make_leads(1200)
    for row in leads[-20:]:
        row["country"] = "Liechtenstein"
    project = project_of(
        tmp_path, leads, training={"report": {"group_by": ["demographic__country"]}}
    )
    swaps = tmp_path / "swaps.csv"
    found = held(project, country_sheet(project), newsletter_sheet(project), calls=8.0, swaps=swaps)
    page = write_comparison_page(found, tmp_path)
    kept = json.dumps(found.to_json())
    for text in (page.split("<script>")[0], kept):
        assert "Liechtenstein" not in text
        assert not re.search(r"\b0\d{4}\b", text.replace("000", ""))
    assert not re.search(r'(src|href)="(?!data:|#)', page.split("<script>")[0])
    assert found.verdict[0] in page
    rows = swaps.read_text().splitlines()
    assert rows[0] == "called_by,not_by,lead_id,as_of,part,won"
    only = sum(d.swaps.only_one.leads + d.swaps.only_other.leads for d in found.pairs)
    assert sum(float(row.split(",")[4]) for row in rows[1:]) == pytest.approx(only, rel=1e-3)


def test_the_swaps_are_safe_to_open_in_a_spreadsheet(tmp_path):
    leads = make_leads(600)
    for row in leads:
        row["lead_id"] = "=1+" + row["lead_id"]
    project = project_of(tmp_path, leads)
    swaps = tmp_path / "swaps.csv"
    held(project, country_sheet(project), newsletter_sheet(project), swaps=swaps)
    assert "'=1+" in swaps.read_text()
    assert ",=1+" not in swaps.read_text()


def test_the_same_comparison_gives_the_same_text(project, found, tmp_path):
    again = held(project, country_sheet(project), newsletter_sheet(project), calls=8.0)
    assert again == found
    assert write_comparison_page(again, tmp_path) == write_comparison_page(found, tmp_path)


def test_the_order_of_rows_in_the_file_changes_nothing(tmp_path, project, found):
    leads = make_leads(1200)
    np.random.default_rng(1).shuffle(leads)
    mixed = project_of(tmp_path, leads, training={"report": {"group_by": ["demographic__country"]}})
    again = held(mixed, country_sheet(mixed), newsletter_sheet(mixed), calls=8.0)
    assert again.verdict == found.verdict
    assert again.pairs[0].gain == found.pairs[0].gain


def test_ranking_that_follows_the_season_is_called_by_its_name(tmp_path):
    """One sheet knows only the season, the other only the lead: pooled AUC prefers the season."""
    random = np.random.default_rng(4)
    leads = []
    for number, row in enumerate(make_leads(2400)):
        season = number // 480 % 2
        good = random.random() < 0.5
        won = random.random() < (0.05 + 0.55 * season) * (1.0 if good else 0.7)
        leads.append(lead(
            row["lead_id"], created_at=row["created_at"], country="ES" if season else "FR",
            employees=100 if good else 1, status="won" if won else "lost",
            closed_at=row["created_at"].replace("T", "T")[:11] + "23:59:59Z",
        ))  # fmt: skip
    project = project_of(
        tmp_path, leads, data={"extracted_at": "2027-12-31T00:00:00Z"},
        training={"split": {"later": 0.8}},
    )  # fmt: skip
    season = rule_sheet(
        project,
        make_term(Table(levels={"ES": 1.0}, missing=0.0, other=0.0), "demographic__country"),
    )
    lead_only = rule_sheet(project, country_sheet(project).terms[1])
    found = held(project, season, lead_only, calls=5.0)
    assert "among leads of the same time the rule sheet (version 2) does" in found.remarks[0]
    assert found.verdict[0].startswith("The rule sheet (version 2) is ahead")


def test_probabilities_that_rank_the_wrong_way_get_the_base_rate_alone(project):
    wrong = rule_sheet(
        project,
        make_term(Table(levels={"ES": -3.0}, missing=0.0, other=0.0), "demographic__country"),
    )
    found = held(project, wrong, country_sheet(project), calls=8.0)
    assert found.standings[0].equal[0] == 0.0
    assert found.standings[0].slope[1] is None
    assert "ranked the wrong way round" in found.caveats[-1]
    write = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(write)["standings"][0]["metrics"]["auc"].keys() == {"value", "low", "high"}


def test_a_comparison_of_many_wins_plans_a_possible_test(project, tmp_path):
    leads = make_leads(400)
    for row in leads:
        row.update(status="won", closed_at=row["created_at"][:11] + "23:59:59Z")
        if row["employees"] < 5:
            row.update(status="lost")
    project = project_of(tmp_path, leads)
    found = held(project, country_sheet(project), newsletter_sheet(project))
    assert found.plan.base_rate > 0.85
    assert found.plan.gain < 0.1
    assert "more than there can be" in found.plan.summary
    assert replace(found.plan, steps=()).calls_per_arm > 100
