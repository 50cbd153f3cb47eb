"""Changes, deals, repeated leads and clocks: what was known when, and until when the data goes."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from support.projects import AGED, SIGNALS, lead, make_leads, merge, us, write_leads, write_project

from leadscore.pipeline.audit.tables.missing_outcomes import find_outcome_gaps
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.dataset.labels import Maturity, label_snapshots
from leadscore.pipeline.dataset.snapshots import snapshot_at
from leadscore.pipeline.errors import DataError, RefusalError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.signals.history.reader import read_history
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows.check import check_project

CHANGES = {
    "file": "changes.csv",
    "lead": "lead_id",
    "field": "what",
    "old": "before",
    "new": "after",
    "recorded": {"column": "at"},
    "fields": {"Country": "country", "Employees": "employees", "Mail": "newsletter"},
}
DEALS = {
    "file": "deals.csv",
    "lead": "contact",
    "column": "stage",
    "won": ["signed"],
    "lost": ["refused"],
    "closed": {"column": "closed"},
}
VISITS = {
    "file": "visits.csv",
    "lead": "lead_id",
    "kind": {"constant": "visit"},
    "occurred": {"column": "at"},
}
READING_VISITS = {**SIGNALS, "visits": {"family": "web", "kind": "count"}}


def changed(what, before, after, at="2025-02-01T00:00:00Z", lead_id="a"):
    return {"lead_id": lead_id, "what": what, "before": before, "after": after, "at": at}


def deal(contact, stage, closed, **facts):
    return {"contact": contact, "stage": stage, "closed": closed, **facts}


def visit(at, lead_id="a"):
    return {"lead_id": lead_id, "at": at}


def read(folder, leads="ab", *, data=None, signals=None, training=None, **files):
    """Write a project and its files, each given as rows by its name, and read the project."""
    data = merge({"max_reject_share": 1.0}, data or {})
    write_project(folder, data=data, signals=signals, training=training)
    leads = [lead(key, status=None) for key in leads] if isinstance(leads, str) else leads
    write_leads(folder, leads)
    for name, rows in files.items():
        write_leads(folder, rows, f"{name}.csv")
    return read_project(folder)


def with_changes(folder, changes, leads="ab", *, signals=None, data=None):
    data = merge({"changes": CHANGES}, data or {})
    return ingest(read(folder, leads, data=data, signals=signals, changes=changes))


def with_deals(folder, deals, leads="ab", *, data=None, **outcomes):
    data = merge({"outcomes": {**DEALS, **outcomes}}, data or {})
    return ingest(read(folder, leads, data=data, deals=deals))


def with_visits(folder, visits, leads="ab", **data):
    data = {"activities": [VISITS], **data}
    project = read(folder, leads, data=data, signals=READING_VISITS, visits=visits)
    return ingest(project)


def notes_of(tables):
    return " | ".join(map(str, tables.notes))


def reasons(tables):
    return [(r.file, r.line, r.column, r.full_reason) for r in tables.rejects]


# Changes of fields


def test_each_change_is_typed_as_its_field_is(tmp_path):
    tables = with_changes(
        tmp_path,
        [
            changed("Country", " ES", "FR"),
            changed("Employees", "12", "1.5e3"),
            changed("Mail", "no", "YES"),
            changed("Employees", "", None),
        ],
    )
    names = ["field", "old_text", "new_text", "old_number", "new_number", "place"]
    assert [tuple(row.values()) for row in tables.changes.select(names).to_pylist()] == [
        ("country", "ES", "FR", None, None, 0),
        ("employees", None, None, 12.0, 1500.0, 1),
        ("newsletter", None, None, 0.0, 1.0, 2),
        ("employees", None, None, None, None, 3),
    ]
    assert (tables.rows, tables.rejects, tables.notes) == (2 + 4, (), ())


def test_texts_that_mean_missing_in_a_field_do_so_in_its_changes(tmp_path):
    missing = {"missing": ["Select"], "fields": {"employees": {"missing": ["999"]}}}
    rows = [changed("Country", "Select", "FR"), changed("Employees", "3", "999")]
    table = with_changes(tmp_path, rows, data={"leads": missing}).changes
    assert table["old_text"].to_pylist() == [None, None]
    assert table["new_number"].to_pylist() == [None, None]


def test_changes_of_other_fields_are_counted_and_their_values_not_looked_at(tmp_path):
    rows = [changed("Phone", "1", "2"), changed("Owner", "x", "y"), changed("Country", "a", "b")]
    rows.append(changed("Mail", "perhaps", "never"))
    signals = {"country": SIGNALS["country"], "employees": SIGNALS["employees"]}
    tables = with_changes(tmp_path, rows, signals=signals)
    assert tables.changes["field"].to_pylist() == ["country"]
    (note,) = [str(note) for note in tables.notes if "no signal reads" in str(note)]
    assert note.startswith("3 changes of fields that no signal reads: ")
    assert "'Phone' (1)" in note
    assert tables.rejects == ()


def test_a_field_is_found_however_its_accent_and_blanks_are_written(tmp_path):
    change = {**CHANGES, "fields": {"Pai\u0301s": "country", " Size ": "employees"}}
    rows = [changed("Pa\u00eds", "a", "b"), changed("Size", "1", "2")]
    tables = ingest(read(tmp_path, data={"changes": change}, changes=rows))
    assert sorted(tables.changes["field"].to_pylist()) == ["country", "employees"]


def test_bad_changes_are_rejected_with_file_line_and_column(tmp_path):
    rows = [
        changed("Employees", "1", "many"), changed("Employees", "few", "1"),
        changed("Mail", "no", "perhaps"), changed("Country", "a", "b", at="soon"),
        changed("Country", "a", "b", at=None), changed("Country", "a", "b", lead_id=None),
        changed(None, "a", "b"), changed("Country", "many", "few"),
    ]  # fmt: skip
    tables = with_changes(tmp_path, rows)
    found = reasons(tables)
    assert {file for file, *_ in found} == {"changes.csv"}
    assert [(line, column) for _, line, column, _ in found] == [
        (2, "after"), (3, "before"), (4, "after"), (5, "at"), (6, "at"), (7, "lead_id"),
        (8, "what"),
    ]  # fmt: skip
    assert found[0][3] == "'many' where a number is expected"
    assert tables.changes["new_text"].to_pylist() == ["few"]


def test_too_many_bad_changes_are_an_error_though_leads_are_fine(tmp_path):
    rows = [changed("Employees", "1", "many")] + [changed("Employees", "1", "2")] * 9
    with pytest.raises(DataError, match=r"changes\.csv: 1 of 10 rows rejected, at most 5%"):
        with_changes(
            tmp_path, rows, leads=[lead(str(i)) for i in range(90)], data={"max_reject_share": 0.05}
        )


def test_changes_are_in_the_order_of_recording_and_then_of_the_file(tmp_path):
    early, late = "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"
    rows = [changed("Country", "c", "d", late)]
    rows += [changed("Country", str(i), str(i + 1), early) for i in (0, 5, 2, 9)]
    rows += [changed("Country", "d", "e", late)]
    table = with_changes(tmp_path, rows).changes
    assert table["old_text"].to_pylist() == ["0", "5", "2", "9", "c", "d"]
    assert table["place"].to_pylist() == list(range(6))


def test_the_order_of_changes_holds_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.ingest.files.read_table.__defaults__", (2,))
    rows = [changed("Employees", str(i), str(i + 1)) for i in range(7)]
    table = with_changes(tmp_path, rows).changes
    assert table["old_number"].to_pylist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_field_is_read_as_it_was_known_at_as_of(tmp_path):
    """Lead a moved from FR to DE to ES; of b nothing is on record, so it is always as today."""
    rows = [
        changed("Country", "DE", "ES", "2025-04-01T00:00:00Z"),
        changed("Country", "FR", "DE", "2025-02-01T00:00:00Z"),
        changed("Employees", "5", None, "2025-03-01T00:00:00Z"),
    ]
    tables = with_changes(tmp_path, rows, leads=[lead("a"), lead("b", country="MX")])
    known = {}
    for at in ("2025-01-31T23:59:59.999999Z", "2025-02-01T00:00:00Z", "2025-03-31T00:00:00Z",
               "2025-04-01T00:00:00Z"):  # fmt: skip
        looks = snapshot_at(tables.leads, us(at))
        frame = read_history(read_project(tmp_path).catalog, looks, tables.history)
        known[at[:10]] = frame["demographic__country"].tolist()
        employees = frame["firmographic__employees"].fillna(-1).tolist()
        assert employees == ([5, 12] if at < "2025-03" else [-1, 12])
    assert known == {
        "2025-01-31": ["FR", "MX"], "2025-02-01": ["DE", "MX"], "2025-03-31": ["DE", "MX"],
        "2025-04-01": ["ES", "MX"],
    }  # fmt: skip


def test_a_file_of_changes_may_be_empty(tmp_path):
    project = read(tmp_path, data={"changes": CHANGES})
    (tmp_path / "changes.csv").write_text("lead_id,what,before,after,at\n")
    tables = ingest(project)
    assert len(tables.changes) == 0
    frame = read_history(project.catalog, snapshot_at(tables.leads, 0), tables.history)
    assert frame["demographic__country"].tolist() == ["ES", "ES"]


def test_where_no_signal_reads_a_changing_field_the_file_is_not_needed(tmp_path):
    change = {**CHANGES, "fields": {"Country": "country"}}
    signals = {"employees": SIGNALS["employees"]}
    assert ingest(read(tmp_path, data={"changes": change}, signals=signals)).changes is None


def test_another_change_is_another_digest(tmp_path):
    before = with_changes(tmp_path, [changed("Country", "a", "b")]).digest
    assert with_changes(tmp_path, [changed("Country", "a", "b")]).digest == before
    for other in (changed("Country", "a", "c"), changed("Country", None, "b"),
                  changed("Country", "a", "b", lead_id="b")):  # fmt: skip
        assert with_changes(tmp_path, [other]).digest != before


# Deals


def test_a_lead_has_several_deals_or_one_or_none(tmp_path):
    rows = [
        deal("b", "signed", "2025-05-01T00:00:00Z"),
        deal("a", "signed", "2025-03-01T00:00:00Z"),
        deal("a", "refused", "2025-02-01T00:00:00Z"),
    ]
    tables = with_deals(tmp_path, rows, leads="abc")
    assert tables.outcomes.select(["lead_id", "status", "closed_us"]).to_pylist() == [
        {"lead_id": "a", "status": "lost", "closed_us": us("2025-02-01T00:00:00Z")},
        {"lead_id": "a", "status": "won", "closed_us": us("2025-03-01T00:00:00Z")},
        {"lead_id": "b", "status": "won", "closed_us": us("2025-05-01T00:00:00Z")},
    ]
    assert (tables.rows, tables.rejects) == (3 + 3, ())


def test_a_loss_before_a_win_is_a_win_of_the_snapshots_before_both(tmp_path):
    """Created on 1 January, lost on day 5 and won on day 20: at 0 days won, at 7 days closed."""
    rows = [
        deal("a", "refused", "2025-01-06T00:00:00Z"),
        deal("a", "signed", "2025-01-21T00:00:00Z"),
    ]
    training = {"snapshots": {"ages_days": [0, 7]}}
    data = {"outcomes": DEALS}
    project = read(tmp_path, data=data, signals=AGED, training=training, deals=rows)
    dataset = build_dataset(project, ingest(project))
    found = zip(dataset.lead_id, dataset.age_days, dataset.label, strict=True)
    assert [tuple(row) for row in found] == [("a", 0.0, 1), ("b", 0.0, 0), ("b", 7.0, 0)]
    assert dataset.left_out["closed at or before the snapshot"] == 1


def test_unknown_stages_are_noted_and_no_closing(tmp_path):
    rows = [
        deal("a", "signed", "2025-05-01T00:00:00Z"),
        deal("a", "pending", None),
        deal("b", "pending", "not even a time"),
        deal("b", "on hold", None),
        deal("b", None, None),
    ]
    tables = with_deals(tmp_path, rows)
    assert tables.outcomes["lead_id"].to_pylist() == ["a"]
    assert "outcomes in neither list, no closing: 'pending' (2 rows), 'on hold' (1 rows)" in (
        notes_of(tables)
    )
    assert (tables.rows, tables.rejects) == (2 + 1, ())


def test_deals_of_leads_that_are_not_there_are_left_out_and_noted(tmp_path):
    rows = [deal(key, "signed", "2025-05-01T00:00:00Z") for key in ("a", "z", "y")]
    tables = with_deals(tmp_path, rows)
    assert tables.outcomes["lead_id"].to_pylist() == ["a"]
    assert "2 outcomes of leads that are not in the table" in map(str, tables.notes)


def test_a_file_of_deals_without_any_closing_is_an_error_that_shows_what_is_there(tmp_path):
    with pytest.raises(DataError, match=r"no row whose 'stage' is won or lost; found 'pending'"):
        with_deals(tmp_path, [deal("a", "pending", None)])
    with pytest.raises(DataError, match=r"deals\.csv: no row .* found nothing"):
        with_deals(tmp_path, [deal("a", None, None)])


def test_a_closing_without_its_time_or_lead_is_a_reject_of_its_line(tmp_path):
    at = "2025-05-01T00:00:00Z"
    rows = [
        deal("a", "pending", None), deal("a", "signed", None), deal("b", "refused", ""),
        deal(None, "signed", at), deal("b", "signed", "soon"), deal("b", "signed", at),
    ]  # fmt: skip
    tables = with_deals(tmp_path, rows)
    assert reasons(tables) == [
        ("deals.csv", 3, "closed", "blank where a value is needed"),
        ("deals.csv", 4, "closed", "blank where a value is needed"),
        ("deals.csv", 5, "contact", "blank where a value is needed"),
        ("deals.csv", 6, "closed", "'soon' where a time is expected (iso)"),
    ]
    closings = tables.outcomes.select(["lead_id", "status", "closed_us"]).to_pylist()
    assert [(row["lead_id"], row["closed_us"]) for row in closings] == [
        ("a", None), ("b", us(at)), ("b", None),
    ]  # fmt: skip


def test_a_lead_won_nobody_knows_when_does_not_pass_for_not_won(tmp_path):
    tables = with_deals(
        tmp_path, [deal("a", "signed", None), deal("b", "signed", "2025-01-03T00:00:00Z")]
    )
    snapshots = snapshot_at(tables.leads, us("2025-01-02T00:00:00Z"))
    labels = label_snapshots(snapshots, tables.outcomes, Maturity(30, us("2025-12-31T00:00:00Z")))
    found = dict(zip(snapshots["lead_id"].to_pylist(), labels.known.tolist(), strict=True))
    assert found["a"] is False
    assert labels.left_out["won at an unknown time"] == 1


def test_open_deals_do_not_dilute_the_share_of_bad_closings(tmp_path):
    good = [deal("a", "signed", "2025-05-01T00:00:00Z")] * 9
    rows = [*good, deal("b", "signed", None), *[deal("b", "pending", None)] * 90]
    with pytest.raises(DataError, match=r"deals\.csv: 1 of 10 rows rejected"):
        with_deals(tmp_path, rows, data={"max_reject_share": 0.05})


def test_a_blank_recorded_time_of_a_deal_is_its_closing(tmp_path):
    closed, later = "2025-05-01T00:00:00Z", "2025-05-09T00:00:00Z"
    rows = [deal("a", "signed", closed, told=None), deal("b", "signed", closed, told=later)]
    tables = with_deals(tmp_path, rows, recorded={"column": "told"})
    assert tables.outcomes["recorded_us"].to_pylist() == [us(closed), us(later)]


def test_the_order_of_deals_does_not_matter(tmp_path):
    dice = random.Random(0)
    rows = [
        deal(
            dice.choice("abc"), dice.choice(["signed", "refused"]), f"2025-05-0{dice.randint(1, 3)}"
        )
        for _ in range(40)
    ]
    zone = {"closed": {"column": "closed", "zone": "UTC"}}
    plain = with_deals(tmp_path, rows, leads="abc", **zone)
    other = with_deals(tmp_path, dice.sample(rows, 40), leads="abc", **zone)
    assert other.outcomes.equals(plain.outcomes)
    assert other.digest == plain.digest
    assert with_deals(tmp_path, rows[1:], leads="abc", **zone).digest != plain.digest


def test_deals_may_stand_in_the_leads_own_file(tmp_path):
    """As in an event log: each row is an event, and some events close the lead."""
    at = "2025-01-05T00:00:00Z"
    rows = [
        {**lead("a", status="created"), "at": "2025-01-01T00:00:00Z"},
        {**lead("a", status="signed"), "at": at},
        {**lead("b", status="created"), "at": "2025-01-01T00:00:00Z"},
    ]
    outcomes = {**DEALS, "file": "leads.csv", "lead": "lead_id", "column": "status",
                "closed": {"column": "at"}}  # fmt: skip
    tables = ingest(read(tmp_path, rows, data={"outcomes": outcomes, **FIRST}))
    assert tables.leads["lead_id"].to_pylist() == ["a", "b"]
    assert tables.outcomes["closed_us"].to_pylist() == [us(at)]
    assert "columns neither used nor excluded with a reason: closed_at" in map(str, tables.notes)


# Leads that stand in several rows


FIRST = {"leads": {"duplicates": "first"}}


def repeated(folder, rows):
    return ingest(read(folder, rows, data=FIRST))


def test_of_repeated_leads_the_first_row_counts_whatever_its_time(tmp_path):
    rows = [
        lead("a", status=None, employees=1, created_at="2025-03-01T00:00:00Z"),
        lead("b", status=None, employees=2),
        lead("a", status=None, employees=3, created_at="2025-01-01T00:00:00Z"),
    ]
    tables = repeated(tmp_path, rows)
    found = tables.leads.select(["lead_id", "employees"]).to_pylist()
    assert found == [{"lead_id": "b", "employees": 2.0}, {"lead_id": "a", "employees": 1.0}]
    assert tables.rejects == ()
    assert tables.rows == 3
    assert "1 leads have other fields or times in a later row; the first counts" in map(
        str, tables.notes
    )


def test_leads_that_differ_are_counted_once_each_and_equal_rows_not_at_all(tmp_path):
    same, other = lead("a", status=None), lead("b", status=None)
    tables = repeated(tmp_path, [same, other, same, {**other, "country": None}, same,
                                 {**other, "country": "FR"}])  # fmt: skip
    assert len(tables.leads) == 2
    assert notes_of(tables) == (
        "1 leads have other fields or times in a later row; the first counts"
    )
    assert repeated(tmp_path, [same, other, same]).notes == ()


def test_a_rejected_row_is_not_the_first_of_a_repeated_lead(tmp_path):
    rows = [lead("a", status=None, employees="many"), lead("a", status=None, employees=7)]
    tables = repeated(tmp_path, rows)
    assert tables.leads["employees"].to_pylist() == [7.0]
    assert [line for _, line, _, _ in reasons(tables)] == [2]


def test_without_the_word_repeated_rows_are_rejects(tmp_path):
    tables = ingest(read(tmp_path, [lead("a", status=None)] * 3))
    assert [line for _, line, _, _ in reasons(tables)] == [3, 4]


# Clocks


def test_the_extract_is_the_earliest_end_of_leads_outcomes_and_each_file(tmp_path):
    leads = [lead("a", created_at="2025-06-01T00:00:00Z", status="won",
                  closed_at="2025-06-20T00:00:00Z")]  # fmt: skip
    more = {**VISITS, "file": "more.csv"}
    ends = {"visits": "2025-06-18T00:00:00Z", "more": "2025-06-11T00:00:00Z"}
    files = {name: [visit("2025-06-02T00:00:00Z"), visit(end)] for name, end in ends.items()}

    def extract(activities, **change):
        data = {"activities": activities, "extracted_at": None, **change}
        project = read(tmp_path, leads, data=data, signals=READING_VISITS, **files)
        return ingest(project)

    assert extract([VISITS]).extract_us == us("2025-06-01T00:00:00Z")
    leads.append(lead("b", status=None, created_at="2025-06-30T00:00:00Z"))
    assert extract([VISITS]).extract_us == us("2025-06-18T00:00:00Z")
    found = extract([VISITS, more])
    assert found.extract_us == us("2025-06-11T00:00:00Z")
    assert (
        "no extracted_at in data.yaml: 2025-06-11T00:00:00Z is taken, the earliest of the ends "
        "(leads.csv 2025-06-30T00:00:00Z, outcomes 2025-06-20T00:00:00Z, "
        "visits.csv 2025-06-18T00:00:00Z, more.csv 2025-06-11T00:00:00Z)"
    ) in map(str, found.notes)
    assert "far apart" not in notes_of(found)
    files["more"] = [visit("2025-05-30T00:00:00Z")]
    assert "the ends lie far apart" in notes_of(extract([VISITS, more]))
    assert extract([VISITS, more], extracted_at="2030-01-01T00:00:00Z").extract_us == us(
        "2030-01-01T00:00:00Z"
    )


def test_activities_after_the_extract_are_counted(tmp_path):
    end = "2025-12-31T00:00:00Z"
    visits = [visit("2025-02-01T00:00:00Z")] * 8 + [
        visit(end),
        visit("2025-12-31T00:00:00.000001Z"),
    ]
    tables = with_visits(tmp_path, visits)
    assert notes_of(tables) == "1 activities (10.0%) after the extract"


def test_activities_before_their_leads_creation_are_counted(tmp_path):
    visits = [visit("2025-02-01T00:00:00Z")] * 7 + [
        visit("2025-01-01T00:00:00Z"),
        visit("2024-12-31T23:59:59.999999Z"),
        visit("2024-12-01T00:00:00Z", lead_id="stranger"),
    ]
    notes = notes_of(with_visits(tmp_path, visits))
    assert "1 activities (11.1%) before their lead's creation" in notes
    assert "CLOCK" not in notes


@pytest.mark.parametrize(
    ("at", "where"),
    [("2026-06-01T00:00:00Z", "after the extract"),
     ("2024-06-01T00:00:00Z", "before their lead's creation")],
)  # fmt: skip
def test_many_activities_outside_the_time_of_their_leads_look_like_a_wrong_clock(
    tmp_path, at, where
):
    inside = [visit("2025-02-01T00:00:00Z")] * 8
    quiet = with_visits(tmp_path, [*inside, visit(at), visit(at)])
    assert notes_of(quiet) == f"2 activities (20.0%) {where}"
    note = notes_of(with_visits(tmp_path, [*inside, visit(at), visit(at), visit(at)]))
    assert note.startswith(f"3 activities (27.3%) {where}; IS A CLOCK SET WRONG? visits.csv goes ")
    first, last = sorted([at, "2025-02-01T00:00:00Z"])
    assert f"goes from {first} to {last}" in note


def test_where_all_is_in_time_nothing_is_said(tmp_path):
    assert with_visits(tmp_path, [visit("2025-02-01T00:00:00Z")]).notes == ()


# What labels wait for


def labelled(folder, leads, **training):
    """Return the ids of the leads that have a label, and why the others have none."""
    since = training.pop("since", None)
    project = read(folder, leads, data={"outcomes": {"since": since}}, training=training)
    dataset = build_dataset(project, ingest(project))
    left_out = {reason: count for reason, count in dataset.left_out.items() if count}
    return dict(zip(dataset.lead_id.tolist(), dataset.label.tolist(), strict=True)), left_out


def test_labels_wait_for_the_time_to_settle_but_wins_count_within_the_horizon_only(tmp_path):
    """The extract is 31 December 2025 and the horizon 60 days; outcomes settle in 5."""
    leads = [
        lead("in time", created_at="2025-10-27T00:00:00Z", status="won",
             closed_at="2025-12-26T00:00:00Z"),
        lead("late win", created_at="2025-10-26T00:00:00Z", status="won",
             closed_at="2025-12-28T00:00:00Z"),
        lead("too young", created_at="2025-10-27T00:00:00.000001Z", status=None),
    ]  # fmt: skip
    known, left_out = labelled(tmp_path, leads, settle_days=5)
    assert known == {"in time": 1, "late win": 0}
    assert left_out == {"immature": 1}
    assert labelled(tmp_path, leads)[0] == {"in time": 1, "late win": 0, "too young": 0}


def test_the_time_to_settle_widens_the_gap_between_earlier_and_later(tmp_path):
    project = read(tmp_path, [lead("a", status=None)], training={"settle_days": 5})
    dataset = build_dataset(project, ingest(project))
    assert dataset.matured.tolist() == [us("2025-03-07T00:00:00Z")]


def test_snapshots_from_before_outcomes_were_logged_are_left_out(tmp_path):
    leads = [
        lead("before", created_at="2025-02-28T23:59:59.999999Z", status=None),
        lead("early win", created_at="2025-01-01T00:00:00Z", status="won",
             closed_at="2025-03-02T00:00:00Z"),
        lead("at once", created_at="2025-03-01T00:00:00Z", status=None),
    ]  # fmt: skip
    known, left_out = labelled(tmp_path, leads, since="2025-03-01T00:00:00Z")
    assert known == {"at once": 0}
    assert left_out == {"before outcomes were logged": 2}
    assert set(labelled(tmp_path, leads)[0]) == {"before", "early win", "at once"}


# Silence


def forget_wins(leads, *, before=None, after=None):
    """Return leads as they read where wins were logged only in a part of the time."""
    return [
        {**row, "status": None, "closed_at": None}
        if row["closed_at"] and ((before and row["closed_at"] < before)
                                 or (after and row["closed_at"] > after)) else row
        for row in leads
    ]  # fmt: skip


LEADS = make_leads(1200)
"""300 days from 1 January 2025; about a third are won within 50 days."""  # fmt: skip


def find_gap(folder, leads, **data):
    project = read(folder, leads, data=data)
    tables = ingest(project)
    found = find_outcome_gaps(project, tables, build_dataset(project, tables))
    return None if found is None else str(found)


def first_win(leads, pick=min):
    return pick(row["closed_at"] for row in leads if row["status"] == "won")


def test_honest_data_has_no_gap(tmp_path):
    assert find_gap(tmp_path, LEADS) is None


def test_wins_logged_only_from_some_month_on_are_refused_and_a_problem(tmp_path):
    leads = forget_wins(LEADS, before="2025-06")
    project = read(tmp_path, leads)
    with pytest.raises(RefusalError, match="no win is on record before 2025-06-0") as caught:
        train(project)
    first = first_win(leads)
    message = str(caught.value)
    assert f"Set outcomes.since: {first} in data.yaml" in message
    could = sum(
        datetime.fromisoformat(row["created_at"]) + timedelta(days=60)
        < datetime.fromisoformat(first)
        for row in leads
    )
    assert f"though {could:,} leads could have won by then" in message
    told = check_project(project).problems
    assert any(problem.partition(": were")[0] in message for problem in told)


def test_what_the_refusal_advises_is_a_remedy(tmp_path):
    leads = forget_wins(LEADS, before="2025-06")
    assert find_gap(tmp_path, leads, outcomes={"since": first_win(leads)}) is None


def test_wins_that_end_long_before_a_given_extract_are_found_too(tmp_path):
    leads = forget_wins(LEADS, after="2025-05-01")
    last = first_win(leads, max)
    found = find_gap(tmp_path, leads)
    assert found.startswith(f"no win is on record after {last}, though ")
    assert f"Set extracted_at: {last} in data.yaml" in found
    with pytest.raises(RefusalError, match="no win is on record after"):
        train(read_project(tmp_path))
    assert found in check_project(read_project(tmp_path)).problems
    assert find_gap(tmp_path, leads, extracted_at=last) is None
    assert find_gap(tmp_path, leads, extracted_at=None) is None


def test_a_declared_beginning_does_not_hide_a_silent_end(tmp_path):
    leads = forget_wins(LEADS, before="2025-03", after="2025-06")
    found = find_gap(tmp_path, leads, outcomes={"since": first_win(leads)})
    assert found.startswith("no win is on record after")


def test_silence_that_chance_explains_is_none(tmp_path):
    """At one win in three, 30 leads without a win are one in 10 ** 5, and 60 one in 10 ** 10."""

    def old(count):
        begin = datetime(2024, 1, 1, tzinfo=UTC)
        return [
            lead(f"old {i}", status=None, created_at=(begin + timedelta(hours=i)).isoformat())
            for i in range(count)
        ]

    rate = sum(row["status"] == "won" for row in LEADS) / len(LEADS)
    assert 0.25 < rate < 0.45
    assert find_gap(tmp_path, [*old(15), *LEADS]) is None
    assert "though 60 leads could" in find_gap(tmp_path, [*old(60), *LEADS])


def test_rare_wins_need_more_silence_to_be_believed_missing(tmp_path):
    """The same leads, but of the wins every twelfth only: 140 silent leads are then no wonder."""
    wins = iter(range(10_000))
    rare = [
        {**row, "status": None, "closed_at": None}
        if row["status"] == "won" and next(wins) % 12 else row
        for row in LEADS
    ]  # fmt: skip
    assert find_gap(tmp_path, forget_wins(rare, before="2025-04-05")) is None
    assert find_gap(tmp_path, forget_wins(LEADS, before="2025-04-05")) is not None


def test_without_any_win_silence_is_not_the_word(tmp_path):
    assert find_gap(tmp_path, [{**row, "status": None, "closed_at": None} for row in LEADS]) is None
