"""Data that a wrong clock, a typo or a foreign key has made useless is named, not learned from."""

from datetime import datetime, timedelta

import pytest
from support.projects import SIGNALS, lead, make_leads, merge, us, write_leads, write_project

from leadscore.pipeline.audit.tables.missing_outcomes import note_few_early_wins, note_late_records
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows.check import check_project

VISITS = {"file": "web.csv", "lead": "who", "kind": "what", "occurred": {"column": "at"}}
COUNTED = {**SIGNALS, "visits": {"family": "web", "kind": "count", "activity": "visit"}}


def project_of(folder, leads, data=None, **files):
    signals = COUNTED if files else SIGNALS
    data = merge({"activities": [VISITS]} if files else {}, data or {})
    write_project(folder, data=data, signals=signals)
    write_leads(folder, leads)
    for name, rows in files.items():
        write_leads(folder, rows, f"{name}.csv")
    return read_project(folder)


def visit(who, at, what="visit"):
    return {"who": who, "at": at, "what": what}


def test_an_extract_years_after_the_data_is_a_problem_and_nothing_is_learned(tmp_path):
    project = project_of(tmp_path, make_leads(600), {"extracted_at": "2035-12-31T00:00:00Z"})
    (problem,) = check_project(project).problems
    assert "extracted_at in data.yaml, 2035-12-31T00:00:00Z, lies" in problem
    with pytest.raises(RefusalError, match="open leads pass for lost"):
        train(project)


@pytest.mark.parametrize(("extract", "noted"), [("2025-07-25", 0), ("2025-12-31", 1)])
def test_an_extract_some_months_after_the_data_is_noted_and_one_of_weeks_is_not(
    tmp_path, extract, noted
):
    tables = ingest(project_of(tmp_path, make_leads(600), {"extracted_at": f"{extract}T00:00:00Z"}))
    assert tables.problems == ()
    assert sum("open leads pass for lost" in str(note) for note in tables.notes) == noted


def test_one_row_of_each_table_far_in_the_future_does_not_move_the_extract(tmp_path):
    leads = make_leads(600)
    leads[7] |= {"created_at": "2099-01-01T00:00:00Z", "status": "open", "closed_at": None}
    leads[8] |= {"status": "won", "closed_at": "2099-02-01T00:00:00Z"}
    tables = ingest(project_of(tmp_path, leads, {"extracted_at": None}))
    assert tables.extract_us < us("2025-08-01T00:00:00Z")


def test_what_comes_from_one_file_has_one_end(tmp_path):
    """A log whose last lead is older than its last event is not older than itself."""
    data = {
        "extracted_at": None,
        "leads": {"file": "log.csv", "id": "who", "created": {"column": "born"},
                  "duplicates": "first"},
        "outcomes": {
            "file": "log.csv", "lead": "who", "column": "what", "won": ["sold"], "lost": ["gone"],
            "closed": {"column": "at"},
        },
        "activities": [{**VISITS, "file": "log.csv", "excluded": {"sold": "the outcome"}}],
    }  # fmt: skip
    facts = {"country": "ES", "employees": 3, "newsletter": "yes", "born": "2025-01-01T00:00:00Z"}
    rows = [
        {**visit("a", "2025-01-05T00:00:00Z"), **facts},
        {**visit("a", "2025-02-05T00:00:00Z", "sold"), **facts},
        {**visit("b", "2025-05-05T00:00:00Z", "gone"), **facts},
        {**visit("b", "2025-06-05T00:00:00Z"), **facts},
    ]
    tables = ingest(project_of(tmp_path, [lead("unused")], data, log=rows))
    assert tables.extract_us == us("2025-06-05T00:00:00Z")
    notes = " ".join(map(str, tables.notes))
    assert "far apart" not in notes
    assert "activities that name the outcome itself: gone" in notes


@pytest.mark.parametrize(
    ("who", "at", "said"),
    [
        ("L{}", "2025-01-02T00:00:00Z", "600 of 600 activities are of leads that are not in the"),
        ("{}", "2026-06-01T00:00:00Z", "all activities lie after the extract"),
    ],
)
def test_a_file_of_activities_that_tells_nothing_is_a_problem(tmp_path, who, at, said):
    leads = make_leads(600)
    rows = [visit(who.format(row["lead_id"]), at) for row in leads]
    project = project_of(tmp_path, leads, web=rows)
    problems = check_project(project).problems
    assert [said in problem for problem in problems] == [True]
    with pytest.raises(RefusalError, match=r"^web\.csv: "):
        train(project)


def test_a_signal_of_something_that_never_occurs_is_noted(tmp_path):
    leads = make_leads(600)
    rows = [visit(row["lead_id"], row["created_at"], "vist") for row in leads]
    notes = " ".join(check_project(project_of(tmp_path, leads, web=rows)).notes)
    assert "signals that never change: web__visits" in notes
    assert "signals name kinds of activities that never occur: visit" in notes


def test_wins_that_trickle_at_first_are_noted(tmp_path):
    leads = make_leads(800)
    for row in leads[:400]:
        if row["status"] == "won" and row["lead_id"] not in ("00003", "00100", "00200"):
            row |= {"status": "open", "closed_at": None}
    project = project_of(tmp_path, leads)
    (note,) = note_few_early_wins(project, build_dataset(project, ingest(project)))
    assert "were all wins on record then?" in str(note)
    assert str(note) in check_project(project).notes


def test_an_honest_table_is_not_noted(tmp_path):
    project = project_of(tmp_path, make_leads(800))
    assert note_few_early_wins(project, build_dataset(project, ingest(project))) == []


@pytest.mark.parametrize(("settle_days", "notes"), [(0, 1), (4, 1), (5, 0)])
def test_wins_that_come_on_record_after_the_time_to_settle_are_noted(tmp_path, settle_days, notes):
    leads = make_leads(200)
    for row in leads:
        closed = row["closed_at"]
        row["noted_at"] = (
            closed and (datetime.fromisoformat(closed) + timedelta(days=5)).isoformat()
        )
    data = {"outcomes": {"recorded": {"column": "noted_at"}}}
    write_project(tmp_path, data=data, training={"settle_days": settle_days})
    write_leads(tmp_path, leads)
    project = read_project(tmp_path)
    found = note_late_records(project, ingest(project))
    assert len(found) == notes
    assert all("5.0 days would do for 99 %" in str(note) for note in found)
    assert set(map(str, found)) <= set(check_project(project).notes)
