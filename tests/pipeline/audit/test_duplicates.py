"""The audit of the tables: contradicting labels, machines, what belongs to the outcome, more."""

import json
import random
from dataclasses import replace
from typing import get_args

import pytest
from support.projects import SIGNALS, WITHOUT_TIMES, lead, make_leads
from support.worlds.tables import Audited, accused, at, audit, of

from leadscore.pipeline.audit.audit import audit_tables
from leadscore.pipeline.audit.records import suppress_cells
from leadscore.pipeline.audit.tables.activities import judge_activities
from leadscore.pipeline.audit.tables.duplicates import judge_duplicates
from leadscore.pipeline.audit.tables.notes import RULES, judge_notes, judge_rejects
from leadscore.pipeline.audit.tables.table_findings import judge_tables
from leadscore.pipeline.errors import GAP
from leadscore.pipeline.ingest.notes import NoteKind
from leadscore.pipeline.ingest.tables import Ingested

UNDATED = {**WITHOUT_TIMES, "max_reject_share": 1.0}
DEALS = {"outcomes": {"file": "deals.csv", "lead": "lead", "column": "stage", "closed":
         {"column": "closed"}}}  # fmt: skip
MAIL = {"activities": [{"file": "mail.csv", "lead": "lead", "kind": "kind",
                        "occurred": {"column": "at"}}], "extracted_at": at(730)}  # fmt: skip
READING = {**SIGNALS, "clicks": {"family": "email", "kind": "count", "activity": "link_click"}}


def undated(folder, rows, **data):
    return audit(folder, rows, data={**UNDATED, **data}, training={"horizon_days": None})


def doubles(world):
    return judge_duplicates(world.project, world.tables, world.raw)


def people(won, lost, **facts):
    """Return leads with a mail address of their own, and facts of few values."""
    return [
        lead(f"{n:05}", status="won" if n < won else "lost", closed_at=None,
             mail=f"p{n}@example.com", country=("ES", "FR")[n % 2], employees=n % 7, **facts)
        for n in range(won + lost)
    ]  # fmt: skip


def copies(rows, status):
    return [{**row, "lead_id": f"copy-{row['lead_id']}", "status": status} for row in rows]


# The same lead twice


@pytest.mark.parametrize(
    ("count", "weight"), [(100, "problem"), (20, "problem"), (19, "warning"), (1, "note")]
)
def test_won_leads_with_a_copy_that_lost_are_counted_exactly(tmp_path, count, weight):
    rows = people(100, 900)
    (found,) = doubles(undated(tmp_path, rows + copies(rows[:count], "lost")))
    assert (found.severity, found.subject) == (weight, "duplicates")
    assert found.text == (
        f"{count} of 100 won leads ({count / 100:.1%}) have a twin that is not won: another lead "
        "id, and the same mail; 0.0% would have one by chance"
    )


def test_a_number_of_its_own_another_time_and_capitals_do_not_hide_a_copy(tmp_path):
    rows = people(50, 400)
    lost = [{**row, "mail": f"{row['mail'].upper()} "} for row in copies(rows[:25], "lost")]
    rows = [{**row, "born": at(n)} for n, row in enumerate(rows + lost)]
    rows = [{**row, "deal": f"D-{n}"} for n, row in enumerate(rows)]
    (found,) = doubles(undated(tmp_path, rows))
    assert found.text.startswith("25 of 50 won leads (50.0%) have a twin")
    assert "the same mail;" in found.text


def test_copies_among_losses_alone_and_people_without_a_mail_are_no_conflict(tmp_path):
    rows = people(50, 400)
    for row in rows[::3]:
        row["mail"] = None
    assert doubles(undated(tmp_path, rows + copies(rows[100:300], "lost"))) == []


def test_what_comes_twice_among_wins_and_losses_alike_is_chance(tmp_path):
    """Every tenth person, won or not, stands there again as lost."""
    rows = people(100, 900)
    (found,) = doubles(undated(tmp_path, rows + copies(rows[::10], "lost")))
    assert found.severity == "note"
    assert "10 of 100 won leads (10.0%) have a twin" in found.text


@pytest.mark.parametrize("seed", range(5))
def test_chance_twins_in_a_table_of_three_categories_are_not_accused(tmp_path, seed):
    dice = random.Random(seed)
    rows = []
    for number in range(1500):
        country = dice.choices(["ES", "FR", "DE", "IT"], [60, 20, 15, 5])[0]
        size = dice.choices(range(30), [30, *[1] * 29])[0]
        won = dice.random() < (0.6 if country == "ES" and size == 0 else 0.05)
        rows.append(lead(f"{number}", country=country, employees=size, newsletter=dice.choice("yn"),
                         status="won" if won else "lost", closed_at=None))  # fmt: skip
    assert doubles(undated(tmp_path, rows)) == []


def test_copies_without_any_column_that_identifies_are_found_beyond_chance(tmp_path):
    dice = random.Random(1)
    rows = [lead(f"{n}", country=dice.choice("ABCDEFGH"), employees=dice.randrange(300),
                 newsletter=dice.choice("yn"), status="won" if n < 100 else "lost",
                 closed_at=None, remark="signed" if n < 100 else "")
            for n in range(1000)]  # fmt: skip
    lost = [{**row, "remark": ""} for row in copies(rows[:100], "lost")]
    (found,) = doubles(undated(tmp_path, rows + lost, excluded={"remark": "a leak"}))
    assert found.severity == "problem"
    assert found.text.startswith("100 of 100 won leads (100.0%) have a twin that is not won")
    assert "the same country, employees, newsletter; " in found.text


def test_every_win_a_copy_of_a_loss_forbids_training(tmp_path):
    rows = people(200, 800)
    world = undated(tmp_path, rows + copies(rows[:200], "lost"))
    assert of(world.findings, "duplicates", severity="problem")


def test_one_lead_id_with_two_outcomes_is_counted_exactly(tmp_path):
    rows = people(100, 900)
    rows += [{**row, "status": "lost"} for row in rows[:30]] + rows[100:120] + rows[50:60]
    found = doubles(undated(tmp_path, rows))[0]
    assert found.severity == "problem"
    assert found.text.startswith("30 lead ids stand in several rows with different outcomes")
    assert ": 30.0% of the won leads; expected is one row per lead" in found.text


# Deals


def deals_of(folder, lost_after, count=30):
    """Read 100 won leads, of which `count` have a lost deal so many days after the win."""
    leads = people(200, 0)
    rows = [{"lead": row["lead_id"], "stage": "won", "closed": at(370)} for row in leads[:100]]
    rows += [{"lead": row["lead_id"], "stage": "lost", "closed": at(380)} for row in leads[100:]]
    rows += [{"lead": row["lead_id"], "stage": "lost", "closed": at(370 + lost_after)}
             for row in leads[:count]]  # fmt: skip
    rows += [{**row, "closed": at(400)} for row in rows[:3]]
    leads = [{**row, "created_at": at(366)} for row in leads]
    return doubles(audit(folder, leads, data=DEALS, deals=rows))


def test_reopened_deals_are_noted_and_deals_won_and_lost_on_a_day_are_a_problem(tmp_path):
    several, reopened = deals_of(tmp_path / "reopened", 5)
    assert (several.severity, several.text[:26]) == ("note", "3 leads have several wins;")
    assert reopened.severity == "note"
    assert reopened.text.startswith("30 of 100 won leads have a lost deal too; 0 of them (0.0%)")
    for count, weight in ((30, "problem"), (19, "warning"), (1, "note")):
        _, found = deals_of(tmp_path / weight, -0.9, count)
        assert found.severity == weight
        assert f"; {count} of them ({count / 100:.1%}) within a day of the win" in found.text


# Activities


def mailed(folder, *activities, leads=None):
    """Read leads with activities (lead, kind, day, seconds)."""
    rows = [{"lead": who, "kind": kind, "at": at(day + seconds / 86_400)}
            for who, kind, day, seconds in activities]  # fmt: skip
    leads = leads or [lead(f"{n}", created_at=at(0)) for n in range(100)]
    world = audit(folder, leads, data=MAIL, signals=READING, mail=rows)
    return judge_activities(world.project, world.tables)


@pytest.mark.parametrize(("quick", "findings"), [(10, 1), (9, 0)])
def test_clicks_right_after_a_letter_are_of_a_scanner(tmp_path, quick, findings):
    """Of 200 clicks that many come 5 seconds after the letter, the others a minute after it."""
    rows = [(f"{n % 100}", "enviado", 1 + n // 100, 0) for n in range(200)]
    rows += [(f"{n % 100}", "link_click", 1 + n // 100, 5 if n < quick else 60) for n in range(200)]
    found = mailed(tmp_path, *rows)
    assert len(found) == findings
    if found:
        assert found[0].severity == "warning"
        assert found[0].text.startswith(f"10 of 200 activities {GAP} (5.0%) come within 2")
        assert found[0].values == ("'link_click'",)


def test_opens_two_seconds_apart_are_of_a_machine_and_page_clicks_are_not_mail(tmp_path):
    rows = [("1", kind, day, seconds) for day in range(20) for seconds in (0, 2, 4.5)
            for kind in ("aperturaCorreo", "page_click")]  # fmt: skip
    rows += [("2", "aperturaCorreo", day, 1) for day in range(20)]
    (found,) = mailed(tmp_path, *rows)
    assert str(found).startswith("activities: 20 of 80 activities 'aperturaCorreo' (25.0%)")


def test_a_kind_that_only_follows_a_win_belongs_to_the_outcome(tmp_path):
    """Visits come before; invoices at the win; of the demos all win, but weeks after."""
    leads = [lead(f"{n}", created_at=at(0), status="won" if n < 60 else "lost", closed_at=at(30))
             for n in range(200)]  # fmt: skip
    rows = [(f"{n}", "visit", 3, 0) for n in range(200)]
    rows += [(f"{n}", "invoice", 29 if n < 40 else 20, 0) for n in range(60)]
    rows += [(f"{n}", "demo", 10, 0) for n in range(60)] + [("99", "invoice", 31, 0)]
    (found,) = mailed(tmp_path, *rows, leads=leads)
    assert "60 of 61 leads with 'invoice' and a known outcome won (98.4%)" in str(found)
    assert "40 of 60 such activities of won leads come from one day before the win on" in found.text
    assert "activities.excluded: {invoice: the outcome}" in found.todo


def test_where_nobody_is_marked_lost_what_all_do_does_not_belong_to_the_outcome(tmp_path):
    leads = [lead(f"{n}", created_at=at(0), status="won" if n < 60 else "open",
                  closed_at=at(30) if n < 60 else None) for n in range(200)]  # fmt: skip
    assert mailed(tmp_path, *[(f"{n}", "visit", 35, 0) for n in range(200)], leads=leads) == []


# The rest


def test_dates_without_hours_are_noted_in_the_zone_they_are_given_in(tmp_path):
    leads = make_leads(400)
    for row in leads:
        row |= {name: (row[name] or "")[:10] for name in ("created_at", "closed_at")}
    madrid = {"zone": "Europe/Madrid"}
    data = {"leads": {"created": madrid}, "outcomes": {"closed": madrid}, "max_reject_share": 0.5}
    (found,) = of(audit(tmp_path, leads, data=data).findings, "times", severity="note")
    assert found.startswith("all times of creation and closing lie on midnight, so they are dates")
    assert of(audit(tmp_path / "full", make_leads(400)).findings, "times") == []


@pytest.mark.parametrize(("blank", "weight"), [(41, "warning"), (40, "note")])
def test_lost_leads_that_nobody_called_are_counted(tmp_path, blank, weight):
    rows = people(100, 400)
    for number, row in enumerate(rows):
        row["called_at"] = None if 100 <= number < 100 + blank else at(3)
    world = undated(tmp_path, rows, leads={"created": None,
                                        "first_called": {"column": "called_at"}})  # fmt: skip
    (found,) = of(world.findings, "calls", severity=weight)
    assert f"{blank} of 400 leads that are not won ({blank / 400:.1%}) were never called" in found
    assert not any("called_at" in str(note) for note in world.tables.notes)


def test_marks_of_spam_are_counted_by_lead(tmp_path):
    rows = people(100, 300)
    for row in rows[:40]:
        row["mail"] = row["mail"].replace("example.com", "gmail.com")
    for row in rows[40:60]:
        row["mail"] = row["mail"].replace("example.com", "mailinator.com")
    signals = {"kind_of_mail": {"family": "spam", "kind": "mail_kind", "field": "mail"},
               "opted": {"family": "spam", "kind": "flag", "field": "newsletter"}}  # fmt: skip
    data = {**WITHOUT_TIMES, "leads": {"created": None, "fields": {"mail": {}}}}
    world = audit(tmp_path, rows, data=data, signals=signals, training={"horizon_days": None})
    (found,) = of(world.findings, "spam")
    assert found == ("of 400 leads with a known outcome carry a mark of spam: free mail address "
                     "10.0%, disposable mail address 5.0%, opted 100.0%")  # fmt: skip


def test_rejects_are_told_by_reason_without_the_cell_and_many_are_a_warning(tmp_path):
    rows = people(100, 900)
    for row in rows[:9] + rows[20:40]:
        row["employees"] = f"about {row['lead_id']}"
    for row in rows[9:12]:
        row["lead_id"] = ""
    warning, note = judge_rejects(undated(tmp_path, rows).tables)
    assert (warning.severity, note.severity) == ("warning", "note")
    assert warning.text.startswith("29 rows (2.9% of all) of leads.csv, column employees are left")
    assert warning.text.endswith("the first at line 2")
    assert "about" not in warning.text
    assert note.text.startswith("3 rows (0.3% of all) of leads.csv, column lead_id")


def make_noted_world(folder):
    """Orphans: 2 of 102 activities, and 1 of 201 outcomes; the last lead's clock runs ahead."""
    leads = [lead(f"{n}", created_at=at(100)) for n in range(199)]
    leads.append(lead("199", created_at=at(900)))
    deals = [{"lead": f"{n}", "stage": "lost", "closed": at(110)} for n in range(200)]
    deals += [{"lead": "nobody", "stage": "won", "closed": at(110)}]
    deals[0]["closed"] = at(90)
    rows = [{"lead": f"{n}", "kind": "link_click", "at": at(101)} for n in range(100)]
    rows += [{"lead": who, "kind": "lost", "at": at(105)} for who in ("x", "y", "7", "8")]
    data = {**MAIL, **DEALS, "extracted_at": at(120)}
    return audit(folder, leads, data=data, signals=READING, deals=deals, mail=rows)


def test_what_ingestion_noted_is_weighed(tmp_path):
    world = make_noted_world(tmp_path)
    found = {finding.text[:38]: finding.severity for finding in judge_notes(world.tables)}
    assert found == {
        "1 outcomes of leads that are not in th": "note",
        "2 activities of leads that are not in ": "warning",
        "activities that name the outcome itsel": "warning",
        "kinds of activities that no signal nam": "note",
        "1 leads created after the extract, 202": "note",
        "2 outcomes closed before their lead wa": "warning",
        "columns neither used nor excluded with": "note",
    }


def test_every_kind_of_note_has_a_rule():
    assert set(RULES) == set(get_args(NoteKind))


def test_a_reworded_note_changes_no_verdict(tmp_path):
    """Decided is by kinds and counts: other words for every note change nothing but words."""
    world = make_noted_world(tmp_path)
    before = audit_tables(world.project, world.tables, world.dataset)
    tables = replace(
        world.tables,
        notes=tuple(replace(n, text=f"1,000,000 {n.kind[::-1]}", values=(), todo="")
                    for n in world.tables.notes),
        problems=tuple(replace(n, text="?", values=(), todo="") for n in world.tables.problems),
    )  # fmt: skip
    after = audit_tables(world.project, tables, world.dataset)
    assert before.verdict == after.verdict
    assert len(before.reasons) == len(after.reasons)
    weighed = [
        [(found.severity, found.subject, found.todo) for found in audited.findings]
        for audited in (before, after)
    ]
    assert weighed[0] == weighed[1]
    assert [n.count for n in world.tables.notes] == [n.count for n in tables.notes]
    assert all(str(new) in {str(f.text) for f in after.findings} for new in tables.notes)


def test_what_leaves_the_terminal_names_no_value(tmp_path):
    """Named are: the lead of an orphan, a kind that no signal names, the cell of a reject."""
    world = make_noted_world(tmp_path)
    shown = audit_tables(world.project, world.tables, world.dataset)
    assert "for example 'x'" in json.dumps(shown.to_json())
    hidden = json.dumps(suppress_cells(shown).to_json(), ensure_ascii=False)
    assert f"for example {GAP}" in hidden
    assert "'x'" not in hidden
    assert suppress_cells(shown).verdict == shown.verdict


def test_without_a_mature_snapshot_all_else_is_still_found(tmp_path):
    rows = [{**row, "status": "open", "closed_at": None} for row in people(0, 100)]
    rows += [{**rows[0], "lead_id": "x", "employees": "many"}]
    world = undated(tmp_path, rows)
    assert world.dataset is None
    findings = judge_tables(world.project, world.tables, None, world.raw).findings
    assert (findings[0].severity, findings[0].subject) == ("problem", "outcomes")
    assert of(findings, "rejects")
    assert accused(findings) == {"outcomes"}


def test_what_ingestion_called_a_problem_is_one(tmp_path):
    world = audit(tmp_path, make_leads(400), data={"extracted_at": "2035-12-31T00:00:00Z"})
    assert isinstance(world, Audited)
    assert isinstance(world.tables, Ingested)
    (problem,) = of(world.findings, "tables", severity="problem")
    assert problem.startswith("extracted_at in data.yaml, 2035-12-31T00:00:00Z, lies")
