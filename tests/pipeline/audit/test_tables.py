"""The audit of the tables: how wins arrive, month by month, and how many there are."""

import numpy as np
import pytest
from support.projects import AGED, ORDERED_BY_ROW, WITHOUT_TIMES, lead, make_leads, write_project
from support.worlds.tables import Audited, accused, at, audit, of

from leadscore.pipeline.audit.tables.months import find_months, judge_months
from leadscore.pipeline.audit.tables.sample_size import judge_sample_size, measure_sample_size
from leadscore.pipeline.audit.tables.time_to_win import find_arrival, judge_arrival
from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.errors import ConfigError

WATCHED = {"extracted_at": at(730)}


def leads_of(*groups):
    """Return leads: for each group so many, created on a day, won days later (None: lost)."""
    rows = []
    for count, created, after in groups:
        for _ in range(count):
            status = "lost" if after is None else "won"
            closed = at(created + (1 if after is None else after))
            rows.append(lead(f"{len(rows):05}", created_at=at(created), status=status,
                             closed_at=closed))  # fmt: skip
    return rows


def arrival_of(folder, leads, data=WATCHED, **training):
    world = audit(folder, leads, data=data, training=training,
                  signals=AGED if "snapshots" in training else None)  # fmt: skip
    arrival = find_arrival(world.project, world.tables)
    return arrival, judge_arrival(world.project, world.tables, arrival)


# How wins arrive


def test_of_wins_on_three_days_the_horizon_catches_those_until_then(tmp_path):
    leads = leads_of((40, 0, 5), (40, 0, 45), (20, 0, 200), (100, 0, None))
    arrival, (found,) = arrival_of(tmp_path, leads)
    assert (arrival.days, arrival.suggested_days) == ((5.0, 45.0, 200.0, 730.0), 60.0)
    assert arrival.won == pytest.approx((0.4, 0.8, 1.0, 1.0))
    assert arrival.horizon_share == pytest.approx(0.8)
    assert found.severity == "note"
    assert "it catches 80.0% of the wins" in found.text
    assert "half of all wins come within 45 days after creation, 80% within 45" in found.text


def test_a_horizon_that_catches_few_wins_is_a_warning_that_names_a_better_one(tmp_path):
    leads = leads_of((40, 0, 5), (60, 0, 45), (100, 0, None))
    _, (found,) = arrival_of(tmp_path, leads, horizon_days=30)
    assert found.severity == "warning"
    assert "it catches 40.0% of the wins" in found.text
    assert "60 days would catch four fifths: set horizon_days" in found.todo


def test_leads_that_are_young_yet_do_not_make_wins_look_early(tmp_path):
    """Of 400 leads 80 win on day 5, of the 160 left of the old 40 more on day 45: .2 and .4."""
    leads = leads_of((40, 0, 5), (40, 0, 45), (120, 0, None), (40, 720, 5), (160, 720, None))
    arrival, _ = arrival_of(tmp_path, leads, horizon_days=30)
    assert arrival.horizon_share == pytest.approx(0.5)


def test_snapshots_at_two_ages_catch_what_either_horizon_reaches(tmp_path):
    leads = leads_of((40, 0, 5), (40, 0, 45), (20, 0, 95), (100, 0, None))
    arrival, _ = arrival_of(tmp_path, leads, horizon_days=20, snapshots={"ages_days": [0, 30]})
    assert arrival.horizon_share == pytest.approx(0.8)


@pytest.mark.parametrize(("wins", "leads"), [(9, 100), (20, 29)])
def test_of_few_wins_or_leads_nothing_is_said(tmp_path, wins, leads):
    arrival, found = arrival_of(tmp_path, leads_of((wins, 0, 5), (leads - wins, 0, None)))
    assert (arrival, found) == (None, [])


def test_without_times_there_is_no_arrival(tmp_path):
    arrival, found = arrival_of(tmp_path, make_leads(200), WITHOUT_TIMES, horizon_days=None)
    assert (arrival, found) == (None, [])


def test_a_horizon_longer_than_the_data_is_a_problem(tmp_path):
    """Leads of 250 days, taken at day 300: a horizon of 400 days is over for none of them."""
    leads = leads_of(*((4, day, 20 if day % 5 == 0 else None) for day in range(250)))
    world = audit(tmp_path, leads, data={"extracted_at": at(300)},
                  training={"horizon_days": 400, "settle_days": 7})  # fmt: skip
    assert world.dataset is None
    (problem,) = of(world.findings, "horizon", severity="problem")
    assert "horizon_days in training.yaml is 400, with 7 days to settle" in problem
    assert "the data go on for 300 days" in problem
    assert "no lead has been watched for 407 days" in problem
    todo = next(f.todo for f in world.findings if f.subject == "horizon")
    assert (
        todo
        == "set a shorter horizon_days in training.yaml (for example 30 days), or wait for more "
        "data"
    )


def test_data_without_one_mature_snapshot_are_a_problem(tmp_path):
    """The only old lead closed on the spot."""
    leads = leads_of((1, 0, 0), (20, 700, 5), (80, 700, None))
    world = audit(tmp_path, leads, data=WATCHED)
    assert world.dataset is None
    (problem,) = of(world.findings, "horizon", severity="problem")
    assert "not one snapshot of a lead has an outcome" in problem


# Month by month


def test_a_lead_counts_once_in_the_month_of_its_creation(tmp_path):
    leads = leads_of((30, 2, 40), (70, 2, None), (10, 40, 50), (10, 41, None))
    world = audit(tmp_path, leads, data=WATCHED, signals=AGED,
                  training={"snapshots": {"ages_days": [0, 30]}})  # fmt: skip
    january, february = find_months(world.dataset)
    assert (january.name, january.leads, january.wins, january.rate) == ("2024-01", 100, 30, 0.3)
    assert (january.low, january.high) == pytest.approx((0.2189, 0.3958), abs=1e-4)
    assert (february.name, february.leads, february.wins) == ("2024-02", 20, 10)


@pytest.mark.parametrize(("data", "counts"), [(ORDERED_BY_ROW, [20] * 10), (WITHOUT_TIMES, [])])
def test_arrival_numbers_make_ten_stretches_and_no_order_makes_none(tmp_path, data, counts):
    world = audit(tmp_path, make_leads(200), data={**data, "outcomes": {
        "closed": None, "other_is": "lost"}}, training={"horizon_days": None})  # fmt: skip
    months = find_months(world.dataset)
    assert [month.leads for month in months] == counts
    assert [month.name for month in months][:2] == (["1 to 20", "21 to 40"] if counts else [])


def test_outcomes_that_start_in_month_18_of_24_are_a_problem(tmp_path):
    leads = leads_of(*((4, day, 20 if day > 530 and day % 4 == 0 else None) for day in range(700)))
    for row in leads:
        if row["status"] == "lost" and row["created_at"] < at(530):
            row |= {"status": "open", "closed_at": None}
    world = audit(tmp_path, leads, data=WATCHED)
    (problem,) = of(world.findings, "outcomes", severity="problem")
    assert problem.startswith(f"no win is on record before {at(552)}")
    todo = next(f.todo for f in world.findings if f.subject == "outcomes")
    assert f"Set outcomes.since: {at(552)} in data.yaml" in todo


def test_wins_that_trickle_at_first_and_wins_that_come_late_are_warnings(tmp_path):
    leads = make_leads(800)
    early = [row for row in leads[:400] if row["status"] == "won"]
    for row in early[:20] + early[21:60] + early[61:]:
        row |= {"status": "open", "closed_at": None}
    world = audit(tmp_path / "trickle", leads)
    (found,) = judge_months(world.project, world.tables, world.dataset)
    assert (found.severity, found.subject) == ("warning", "outcomes")
    assert found.text.startswith("the first 400 leads, created until 2025-04-10, won 0.5%")
    late = leads_of((50, 0, 5), (50, 0, None))
    late = [{**row, "noted_at": at(9)} for row in late]
    data = {**WATCHED, "outcomes": {"recorded": {"column": "noted_at"}}}
    world = audit(tmp_path / "late", late, data=data)
    (found,) = judge_months(world.project, world.tables, world.dataset)
    assert found.severity == "warning"
    assert "50 of 50 wins came on record later than settle_days" in found.text


def test_months_that_differ_threefold_are_a_warning_and_by_chance_they_are_not(tmp_path):
    def world(name, rate):
        groups = [(100 - rate(day), day, None) for day in range(0, 300, 30)]
        groups += [(rate(day), day, 20) for day in range(0, 300, 30)]
        world = audit(tmp_path / name, leads_of(*groups), data=WATCHED)
        return judge_months(world.project, world.tables, world.dataset)

    (found,) = world("odd", lambda day: 36 if day == 150 else 12)
    assert (found.severity, found.subject) == ("warning", "base rate")
    assert "from 12.0% (2024-01: 24 of 200 leads) to 36.0% (2024-05: 36 of 100)" in found.text
    assert world("alike", lambda day: 10 + day // 30 % 5) == []


def test_the_youngest_leads_who_had_less_time_are_not_held_against_their_month(tmp_path):
    """Won on day 80 is within 30 days of the snapshot of day 60, which the last leads lack."""
    groups = [(count, day, after) for day in range(0, 400, 10) for count, after in
              ((12, 80), (28, None))]  # fmt: skip
    leads = [row if row["status"] == "won" else {**row, "status": "open", "closed_at": None}
             for row in leads_of(*groups)]  # fmt: skip
    world = audit(tmp_path, leads, data={"extracted_at": at(430)}, signals=AGED,
                  training={"horizon_days": 30, "snapshots": {"ages_days": [0, 60]}})  # fmt: skip
    rates = [month.rate for month in find_months(world.dataset)]
    assert (rates[0], rates[-1]) == (0.3, 0.0)
    assert judge_months(world.project, world.tables, world.dataset) == []


# How many wins there are


def test_twelve_wins_are_a_problem_that_says_when_there_will_be_enough(tmp_path):
    """Twelve in a year, the six that were known at the cut to become 50."""
    leads = leads_of(*((3, day, None) for day in range(360)))
    for number, row in enumerate(leads[45::90]):
        row |= {"status": "won", "closed_at": at(15 + 30 * number + 9)}
    world = audit(tmp_path, leads, data=WATCHED, training={"min_wins": 50})
    (problem,) = of(world.findings, "wins", severity="problem")
    assert "6 leads won in the earlier part, and at least 50 are needed" in problem
    todo = next(f.todo for f in world.findings if f.subject == "wins")
    assert "at the present pace, 1.0 won leads a month, they will be there around 2030-0" in todo


def test_many_snapshots_of_few_won_leads_are_few_wins(tmp_path):
    leads = leads_of(*((2, day, 50 if day % 20 == 0 else None) for day in range(300)))
    world = audit(tmp_path, leads, data=WATCHED, signals=AGED,
                  training={"snapshots": {"every_days": 5, "until_days": 40}})  # fmt: skip
    assert world.dataset.label.sum() > 200
    strength = measure_sample_size(world.project, world.dataset)
    assert strength.wins == 8  # created on days 220, 240, 260 and 280, in the newest 30 %
    found = judge_sample_size(world.project, world.dataset, strength)
    assert [(f.severity, f.text[:35]) for f in found if "judge by" in f.text] == [
        ("warning", "8 won leads to judge by: an AUC of ")
    ]


def test_the_interval_of_the_auc_is_that_of_repeated_worlds(tmp_path):
    """Scores of won leads one normal deviate of .9539 higher have an AUC of .75."""
    leads = leads_of((200, 0, 5), (600, 0, None))
    world = audit(tmp_path, leads, data=WITHOUT_TIMES, training={"horizon_days": None})
    strength = measure_sample_size(world.project, world.dataset)
    dice = np.random.default_rng(1)
    won, lost = dice.normal(0.9539, 1.0, (300, 200, 1)), dice.normal(0.0, 1.0, (300, 1, 600))
    half = 1.96 * (won > lost).mean(axis=(1, 2)).std()
    assert strength.wins == 200
    assert strength.auc == pytest.approx(half, rel=0.12)
    assert strength.lift == pytest.approx(1.96 * 10 * np.sqrt(0.2 * 0.8 / 200))


def test_without_a_win_nothing_is_known_and_that_is_a_problem(tmp_path):
    world = audit(tmp_path, leads_of((200, 0, None)), data=WITHOUT_TIMES,
                  training={"horizon_days": None})  # fmt: skip
    strength = measure_sample_size(world.project, world.dataset)
    assert (strength.wins, strength.auc, strength.lift) == (0, 0.5, 10.0)
    texts = of(
        judge_sample_size(world.project, world.dataset, strength), "wins", severity="problem"
    )
    assert texts[0].startswith("of 200 snapshots in all data, 0 are won")
    assert texts[1].startswith("0 leads won, and at least 10 are needed")


# Honest worlds


def test_an_honest_table_is_not_accused(tmp_path):
    assert accused(audit(tmp_path, make_leads(1200)).findings) <= {"wins"}


def test_the_demo_is_told_what_is_in_it_and_nothing_else(tmp_path):
    write_world(tmp_path, 1500, 1)
    findings = Audited(read_project(find_project("demo"), tmp_path)).findings
    assert not [finding for finding in findings if finding.severity == "problem"]
    assert accused(findings) == {"calls", "wins"}
    (calls,) = of(findings, "calls")
    assert "260 of 1,071 leads that are not won (24.3%) were never called" in calls


def test_nothing_may_be_learned_from_the_first_call(tmp_path):
    data = {"leads": {"first_called": {"column": "rung", "zone": "Nowhere"},
                      "fields": {"rang": {"column": "rung"}}},
            "excluded": {"rung": "x"}}  # fmt: skip
    write_project(tmp_path, data=data)
    with pytest.raises(ConfigError) as mistakes:
        read_project(tmp_path)
    said = str(mistakes.value)
    assert "leads.first_called.zone: 'Nowhere' is no time zone" in said
    assert "leads.fields.rang: reads the column of the first call; no signal may learn" in said
    assert "excluded: 'rung' is also leads.first_called; remove one" in said
