"""From files of activities to one normalised file: each activity once, typed, in one order."""

import random
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.projects import SIGNALS, lead, us, write_leads, write_project

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.tables import ingest

SOURCE = {
    "file": "activities.csv",
    "lead": "lead_id",
    "kind": "kind",
    "occurred": {"column": "occurred_at"},
    "recorded": {"column": "recorded_at"},
    "id": "activity_id",
    "properties": {"page": {}, "seconds": {"type": "number"}, "clicked": {"type": "flag"}},
}
READING = {
    **SIGNALS,
    "visits": {"family": "web", "kind": "count", "activity": "visit"},
    "seconds": {"family": "web", "kind": "sum", "property": "seconds"},
    "page": {"family": "web", "kind": "last_touch", "property": "page"},
    "clicks": {"family": "email", "kind": "count", "where": {"clicked": True}},
}
"""Signals that name the kind visit and read every property."""  # fmt: skip
ACTIVITY = {
    "activity_id": None,
    "lead_id": "a",
    "kind": "visit",
    "occurred_at": "2025-02-01T00:00:00Z",
    "recorded_at": None,
    "page": "/pricing",
    "seconds": 30,
    "clicked": "yes",
}
NOON = "2025-02-01T12:00:00Z"


def did(**facts):
    """Return one activity: the default one, but for the facts given."""
    return {**ACTIVITY, **facts}


def take(folder, *files, leads="abc", signals=READING, **data):
    """Ingest leads of these ids and files of activities, each given as rows or (source, rows)."""
    sources = []
    for rows in files:
        change, rows = rows if isinstance(rows, tuple) else ({}, rows)
        sources.append({**SOURCE, **change})
        write_leads(write_project(folder), rows, sources[-1]["file"])
    data = {"activities": sources, "max_reject_share": 1.0, **data}
    write_project(folder, data=data, signals=signals)
    write_leads(folder, [lead(lead_id, status=None) for lead_id in leads])
    return ingest(read_project(folder))


def rows_of(tables, *names):
    """Return the normalised activities, all columns or those named."""
    table = pq.read_table(tables.activities.path)
    return [tuple(row.values()) if names else row for row in select(table, names).to_pylist()]


def select(table, names):
    return table.select(list(names)) if names else table


def notes_of(tables):
    return " | ".join(map(str, tables.notes))


def reasons(tables):
    return [(r.file, r.line, r.column, r.full_reason) for r in tables.rejects]


# One activity


def test_one_row_becomes_one_typed_activity(tmp_path):
    tables = take(tmp_path, [did(activity_id="007", recorded_at=NOON)])
    assert rows_of(tables) == [
        {
            "activity_id": "007",
            "lead_id": "a",
            "kind": "visit",
            "occurred_us": us("2025-02-01T00:00:00Z"),
            "recorded_us": us(NOON),
            "clicked": 1.0,
            "page": "/pricing",
            "seconds": 30.0,
            "place": 1,
        }
    ]
    assert (tables.activities.activities, tables.activities.kinds) == (1, {"visit": 1})
    assert tables.rows == 3 + 1, "leads and activities"
    assert (tables.rejects, tables.notes) == ((), ())


def test_a_constant_kind_holds_for_every_row_of_its_file(tmp_path):
    rows = [{"who": "a", "at": "2025-02-01T00:00:00Z"}, {"who": "b", "at": NOON}]
    source = {
        "file": "visits.csv", "lead": "who", "kind": {"constant": "visit"},
        "occurred": {"column": "at"}, "recorded": None, "id": None, "properties": {},
    }  # fmt: skip
    signals = {"visits": READING["visits"]}
    tables = take(tmp_path, (source, rows), signals=signals)
    assert rows_of(tables, "lead_id", "kind") == [("a", "visit"), ("b", "visit")]
    assert tables.activities.kinds == {"visit": 2}


def test_kinds_and_ids_are_cleaned_as_text_is_and_keep_their_zeros(tmp_path):
    rows = [did(lead_id=" a ", kind=" visit"), did(lead_id="01", kind="001")]
    tables = take(tmp_path, rows, leads=["a", "01", "1"])
    assert rows_of(tables, "lead_id", "kind") == [("01", "001"), ("a", "visit")]


def test_properties_are_typed_and_blank_ones_are_missing(tmp_path):
    rows = [
        did(page=" /a ", seconds="1.50", clicked="NO"),
        did(page="", seconds=None, clicked="", occurred_at=NOON),
    ]
    found = rows_of(take(tmp_path, rows), "page", "seconds", "clicked")
    assert found == [("/a", 1.5, 0.0), (None, None, None)]


def test_a_property_takes_its_column_and_its_own_words_for_missing(tmp_path):
    rows = [{**did(), "url": "-"}, {**did(occurred_at=NOON), "url": "/a"}]
    properties = {**SOURCE["properties"], "page": {"column": "url", "missing": ["-"]}}
    tables = take(tmp_path, ({"properties": properties}, rows))
    assert rows_of(tables, "page") == [(None,), ("/a",)]


def test_a_property_that_no_signal_reads_is_not_even_looked_at(tmp_path):
    rows = [did(seconds="no number"), did(clicked="perhaps")]
    tables = take(tmp_path, rows, signals={"visits": READING["visits"]})
    assert tables.rejects == ()
    assert set(rows_of(tables)[0]) == {
        "activity_id", "lead_id", "kind", "occurred_us", "recorded_us", "place",
    }  # fmt: skip


def test_without_a_signal_of_activities_their_file_is_not_needed(tmp_path):
    project = write_project(tmp_path, data={"activities": [SOURCE]}, signals=SIGNALS)
    write_leads(project, [lead("a")])
    tables = ingest(read_project(project))
    assert tables.activities is None
    assert tables.history.activities is None


def test_a_blank_recorded_time_is_when_it_occurred_and_so_is_an_undeclared_one(tmp_path):
    rows = [did(recorded_at=""), did(recorded_at=NOON, lead_id="b")]
    at, noon = us(ACTIVITY["occurred_at"]), us(NOON)
    assert rows_of(take(tmp_path / "1", rows), "recorded_us") == [(at,), (noon,)]
    tables = take(tmp_path / "2", ({"recorded": None}, rows))
    assert rows_of(tables, "recorded_us") == [(at,), (at,)]


def test_activities_recorded_before_they_occurred_are_counted_by_file_and_kept(tmp_path):
    early = "2025-01-31T23:59:59.999999Z"
    rows = [did(recorded_at=early), did(recorded_at=early, lead_id="b"), did(recorded_at=NOON),
            did(recorded_at=ACTIVITY["occurred_at"])]  # fmt: skip
    tables = take(tmp_path, rows, ({"file": "more.csv"}, [did()]))
    assert [file.early_records for file in tables.activities.files] == [2, 0]
    assert tables.activities.activities == 5
    assert "activities.csv: 2 activities recorded before they occurred" in notes_of(tables)
    assert "more.csv" not in notes_of(tables)


# Duplicates


def test_of_rows_with_one_id_the_first_recorded_is_kept(tmp_path):
    rows = [
        did(activity_id="x", recorded_at="2025-02-03T00:00:00Z"),
        did(activity_id="x", recorded_at="2025-02-02T00:00:00Z"),
        did(activity_id="x", recorded_at="2025-02-04T00:00:00Z"),
    ]
    tables = take(tmp_path, rows)
    assert rows_of(tables, "recorded_us") == [(us("2025-02-02T00:00:00Z"),)]
    assert (tables.activities.duplicates, tables.activities.conflicts) == (2, 0)
    assert "2 duplicate activities dropped, the first recorded kept" in notes_of(tables)
    assert "have different contents" not in notes_of(tables)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({"lead_id": "a", "occurred_at": NOON}, {"lead_id": "b"}),
        ({"kind": "visit"}, {"kind": "open", "occurred_at": "2025-02-01T00:00:00.000001Z"}),
        ({"kind": "open", "clicked": "yes"}, {"kind": "visit", "clicked": "no"}),
        ({"clicked": "no", "page": "z"}, {"clicked": "yes", "page": "a"}),
        ({"page": "", "seconds": 2}, {"page": "A", "seconds": 1}),
        ({"page": "Z"}, {"page": "a"}),
        ({"seconds": 9}, {"seconds": 10}),
        ({"seconds": ""}, {"seconds": -5}),
    ],
)
def test_of_those_recorded_together_the_smallest_is_kept_and_told_as_a_conflict(
    tmp_path, small, large
):
    """Of x and y, which stand in either order, the same row is kept as of z, which stands alone."""
    same = {"recorded_at": "2025-03-01T00:00:00Z"}
    told = [("x", small), ("x", large), ("y", large), ("y", small), ("z", small)]
    tables = take(tmp_path, [did(activity_id=key, **same, **facts) for key, facts in told])
    kept = {row.pop("activity_id"): row for row in rows_of(tables) if row.pop("place")}
    assert kept["x"] == kept["y"] == kept["z"]
    assert (tables.activities.duplicates, tables.activities.conflicts) == (2, 2)
    assert "2 activity ids have different contents" in notes_of(tables)


def test_the_first_recorded_counts_before_the_smallest(tmp_path):
    first = did(activity_id="x", recorded_at="2025-03-01T00:00:00Z", lead_id="b", page="z")
    second = did(activity_id="x", recorded_at="2025-03-01T00:00:00.000001Z", lead_id="a", page="a")
    assert rows_of(take(tmp_path, [second, first]), "lead_id", "page") == [("b", "z")]


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_rows_with_a_blank_id_are_never_duplicates(tmp_path, blank):
    tables = take(tmp_path, [did(activity_id=blank)] * 3 + [did(activity_id="x")])
    assert tables.activities.activities == 4
    assert (tables.activities.duplicates, tables.activities.conflicts) == (0, 0)


def test_without_an_id_column_nothing_is_a_duplicate(tmp_path):
    tables = take(tmp_path, ({"id": None}, [did(activity_id="x")] * 3))
    assert tables.activities.activities == 3
    assert tables.activities.duplicates == 0


def test_duplicates_are_found_across_files_and_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.ingest.activities.ROWS_AT_ONCE", 2)
    rows = [did(activity_id=key) for key in "xyzxw"]
    tables = take(tmp_path, rows, ({"file": "more.csv"}, [did(activity_id="y"), did()]))
    assert sorted(rows_of(tables, "activity_id"), key=str) == [
        ("w",), ("x",), ("y",), ("z",), (None,),
    ]  # fmt: skip
    assert tables.activities.duplicates == 2
    assert [file.rows for file in tables.activities.files] == [5, 2]


def some_rows(seed, count=300):
    """Draw rows of few ids, leads, kinds and times, so that ties of every sort are among them."""
    dice = random.Random(seed)
    return [
        did(
            activity_id=dice.choice([None, *map(str, range(60))]),
            lead_id=dice.choice("abcz"),
            kind=dice.choice(["visit", "open"]),
            occurred_at=f"2025-02-0{dice.randint(1, 3)}T00:00:00Z",
            recorded_at=dice.choice([None, NOON, "2025-02-09T00:00:00Z"]),
            page=dice.choice([None, "", "/a", "/B", "é"]),
            seconds=dice.choice([None, 0, 1.5, 10]),
            clicked=dice.choice([None, "yes", "no"]),
        )
        for _ in range(count)
    ]


def settle_by_hand(rows):
    """Return kept facts, duplicates, conflicts and strangers: the definition in plain Python."""
    told = []
    for row in rows:
        occurred = us(row["occurred_at"])
        recorded = us(row["recorded_at"]) if row["recorded_at"] else occurred
        clicked = {"yes": 1.0, "no": 0.0}.get(row["clicked"])
        seconds = None if row["seconds"] is None else float(row["seconds"])
        facts = [(fact is not None, fact) for fact in (clicked, row["page"] or None, seconds)]
        story = (row["lead_id"], occurred, row["kind"], facts)
        told.append((row["activity_id"], (recorded, *story), story))
    strangers = sum(rank[1] == "z" for _, rank, _ in told)
    told = [row for row in told if row[1][1] != "z"]
    kept = [rank for key, rank, _ in told if key is None]
    duplicates = conflicts = 0
    for key in {key for key, _, _ in told} - {None}:
        ranks = [rank for other, rank, _ in told if other == key]
        stories = [story for other, _, story in told if other == key]
        kept.append(min(ranks))
        duplicates += len(ranks) - 1
        conflicts += any(story != stories[0] for story in stories)
    return sorted(kept), duplicates, conflicts, strangers


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_and_every_count_is_what_the_definition_says(tmp_path, seed):
    rows = some_rows(seed)
    tables = take(tmp_path, rows)
    names = ["recorded_us", "lead_id", "occurred_us", "kind", "clicked", "page", "seconds"]
    found = sorted(
        (*row[:4], [(fact is not None, fact) for fact in row[4:]])
        for row in rows_of(tables, *names)
    )
    kept, duplicates, conflicts, strangers = settle_by_hand(rows)
    assert found == kept
    read = tables.activities
    assert (read.duplicates, read.conflicts, read.strangers) == (duplicates, conflicts, strangers)
    assert min(duplicates, conflicts, strangers) > 3
    assert read.activities == sum(read.kinds.values()) == len(kept)


# Strangers and what is left out


def test_activities_of_leads_that_are_not_there_are_left_out_counted_and_one_is_named(tmp_path):
    rows = [did(lead_id=key) for key in ("zoe", "a", "yan", "zoe")]
    tables = take(tmp_path, rows)
    assert rows_of(tables, "lead_id") == [("a",)]
    assert (tables.activities.strangers, tables.activities.stranger) == (3, "yan")
    assert "3 activities of leads that are not in the leads' table, for example 'yan'" in notes_of(
        tables
    )


def test_a_rejected_lead_is_a_stranger_to_its_activities(tmp_path):
    take(tmp_path, [did(), did(lead_id="b")])
    write_leads(tmp_path, [lead("a"), lead("b", employees="many")])
    tables = ingest(read_project(tmp_path))
    assert tables.activities.strangers == 1
    assert rows_of(tables, "lead_id") == [("a",)]


def test_kinds_left_out_are_gone_counted_and_no_end_of_the_data(tmp_path):
    rows = [did(), did(kind="contract", occurred_at="2025-12-01T00:00:00Z"), did(kind="call")]
    source = {"excluded": {"contract": "the outcome itself", "fax": "nobody sends one"}}
    tables = take(tmp_path, (source, rows))
    assert tables.activities.kinds == {"call": 1, "visit": 1}
    (file,) = tables.activities.files
    assert (file.rows, file.left_out, file.last_us) == (3, 1, us("2025-02-01T00:00:00Z"))
    assert "activities.csv: 1 activities of kinds excluded in data.yaml" in notes_of(tables)


def test_a_kind_is_left_out_however_its_accent_and_blanks_are_written(tmp_path):
    rows = [did(), did(kind="Gan\u00f3"), did(kind="cerr\u00f3 ")]
    left_out = {"Gano\u0301": "the outcome itself", " cerr\u00f3": "the outcome itself"}
    tables = take(tmp_path, ({"excluded": left_out}, rows))
    assert tables.activities.kinds == {"visit": 1}


def test_what_is_left_out_is_gone_before_duplicates_are_looked_for(tmp_path):
    """A machine's open that shares its id with a visit and came first takes no visit along."""
    rows = [
        did(id="x", kind="machine_open", told_at="2025-01-02T00:00:00Z"),
        did(id="x", told_at="2025-01-03T00:00:00Z"),
    ]
    tables = take(tmp_path, ({"excluded": {"machine_open": "no lead"}}, rows))
    assert tables.activities.kinds == {"visit": 1}
    assert tables.activities.duplicates == 0


# Several files


def test_what_one_file_leaves_out_is_left_out_of_all(tmp_path):
    left_out = {"excluded": {"contract": "the outcome itself"}}
    rows = [did(), did(kind="contract")]
    tables = take(tmp_path, (left_out, rows), ({}, rows))
    assert tables.activities.kinds == {"visit": 2}
    assert [file.left_out for file in tables.activities.files] == [1, 1]


def test_two_files_with_different_properties_become_one_table(tmp_path):
    forms = [
        {"who": "b", "at": "2025-02-01T00:00:00Z", "fields": 7},
        {"who": "a", "at": NOON, "fields": None},
    ]
    source = {
        "file": "forms.csv", "lead": "who", "kind": {"constant": "form"},
        "occurred": {"column": "at"}, "recorded": None, "id": None,
        "properties": {"fields": {"type": "number"}},
    }  # fmt: skip
    signals = {**READING, "fields": {"family": "form", "kind": "max", "property": "fields"}}
    tables = take(tmp_path, [did(), did(lead_id="b")], (source, forms), signals=signals)
    assert rows_of(tables, "lead_id", "kind", "page", "fields", "place") == [
        ("a", "visit", "/pricing", None, 1),
        ("a", "form", None, None, 2),
        ("b", "form", None, 7.0, 3),
        ("b", "visit", "/pricing", None, 4),
    ]
    assert [file.path.name for file in tables.activities.files] == ["activities.csv", "forms.csv"]


def test_two_files_are_the_same_as_one(tmp_path):
    rows = some_rows(7, 100)
    one = take(tmp_path / "1", rows)
    two = take(tmp_path / "2", rows[:40], ({"file": "more.csv"}, rows[40:]))
    swapped = take(tmp_path / "3", rows[40:], ({"file": "more.csv"}, rows[:40]))
    assert rows_of(two) == rows_of(one) == rows_of(swapped)
    assert two.digest == one.digest == swapped.digest


# One order, one digest


def test_activities_are_sorted_by_lead_time_id_record_kind_and_properties(tmp_path):
    day, early = "2025-03-01T00:00:00Z", "2025-01-31T00:00:00Z"
    sorted_rows = [
        did(lead_id="a", occurred_at=early, recorded_at=day, kind="visit", activity_id="z"),
        did(lead_id="a", recorded_at=NOON, kind="open", page=None),
        did(lead_id="a", recorded_at=NOON, kind="open", page="Z"),
        did(lead_id="a", recorded_at=NOON, kind="visit", page="A"),
        did(lead_id="a", recorded_at=day, kind="open", page="A"),
        did(lead_id="a", recorded_at=NOON, activity_id="10"),
        did(lead_id="a", recorded_at=NOON, activity_id="9"),
        did(lead_id="b", occurred_at=early),
    ]
    plain = take(tmp_path, sorted_rows)
    wanted = [(row["lead_id"], row["activity_id"], row["page"]) for row in sorted_rows]
    assert rows_of(plain, "lead_id", "activity_id", "page") == wanted
    assert rows_of(plain, "place") == [(number,) for number in range(1, 9)]


def test_the_order_of_rows_does_not_matter(tmp_path):
    rows = some_rows(1)
    plain = take(tmp_path, rows)
    for seed in range(3):
        tables = take(tmp_path, random.Random(seed).sample(rows, len(rows)))
        assert rows_of(tables) == rows_of(plain)
        assert tables.digest == plain.digest


def test_many_rows_come_out_in_order_too(tmp_path):
    dice = random.Random(2)
    rows = [
        did(lead_id=f"{dice.randrange(400):03}", occurred_at=f"2025-02-{dice.randint(1, 28):02}")
        for _ in range(20_000)
    ]
    source = {"occurred": {"column": "occurred_at", "zone": "UTC"}}
    tables = take(tmp_path, (source, rows), leads=[f"{i:03}" for i in range(400)])
    found = rows_of(tables, "lead_id", "occurred_us", "place")
    assert [place for _, _, place in found] == list(range(1, 20_001))
    assert found == sorted(found)


def as_table(rows, unit="us"):
    """Return rows as a typed table: times as times, the rest as Arrow finds it."""
    table = pa.Table.from_pylist(rows)
    for name in ("occurred_at", "recorded_at"):
        moments = [text and datetime.fromisoformat(text) for text in table[name].to_pylist()]
        column = pa.array(moments, pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_csv_and_parquet_of_the_same_activities_are_the_same_tables(tmp_path, unit):
    rows = some_rows(3)
    csv = take(tmp_path / "csv", rows)
    parquet = take(tmp_path / "pq", ({"file": "activities.parquet"}, as_table(rows, unit)))
    assert rows_of(parquet) == rows_of(csv)
    assert parquet.digest == csv.digest
    assert parquet.rejects == csv.rejects == ()


@pytest.mark.parametrize("kind", ["dictionary", pa.int64(), pa.float64()])
def test_an_id_is_the_same_whatever_its_type_in_parquet(tmp_path, kind):
    rows = [did(activity_id=key) for key in ("7", "10", "7")]
    table = pa.Table.from_pylist(rows)
    ids = table["activity_id"]
    ids = ids.dictionary_encode() if kind == "dictionary" else ids.cast(kind)
    source = {"file": "activities.parquet"}
    tables = take(tmp_path, (source, table.set_column(0, "activity_id", ids)))
    assert rows_of(tables, "activity_id") == [("10",), ("7",)]
    assert tables.activities.duplicates == 1


def test_any_change_of_an_activity_changes_the_digest(tmp_path):
    changes = [
        {}, {"lead_id": "b"}, {"kind": "open"}, {"activity_id": "x"}, {"page": "/"},
        {"page": None}, {"seconds": 31}, {"seconds": None}, {"seconds": 0}, {"clicked": "no"},
        {"clicked": None}, {"occurred_at": "2025-02-01T00:00:00.000001Z"}, {"recorded_at": NOON},
    ]  # fmt: skip
    others = [did(lead_id="a", activity_id="1"), did(lead_id="c", seconds=None, page=None)]
    digests = {take(tmp_path, [*others, did(**change)]).digest for change in changes}
    assert len(digests) == len(changes)


def test_one_activity_more_changes_the_digest_and_a_duplicate_does_not(tmp_path):
    rows = [did(activity_id="x"), did(activity_id="y")]
    plain = take(tmp_path, rows)
    assert take(tmp_path, [*rows, did(activity_id="x")]).digest == plain.digest
    assert take(tmp_path, [*rows, did(activity_id=None)]).digest != plain.digest


# Times


def test_times_with_offsets_naive_ones_of_a_zone_and_epochs_agree(tmp_path):
    moment = us("2025-02-01T00:00:00.250000Z")
    written = [
        ("2025-02-01T01:00:00.250+01:00", {}),
        ("2025-01-31T19:00:00.25-05:00", {"zone": "Europe/Madrid"}),
        ("2025-02-01 01:00:00.250", {"zone": "Europe/Madrid"}),
        ("01/02/2025 05:30:00.250000", {"format": "%d/%m/%Y %H:%M:%S.%f", "zone": "Asia/Kolkata"}),
        (moment // 1000, {"format": "epoch_ms"}),
        (moment, {"format": "epoch_us"}),
    ]
    for number, (text, how) in enumerate(written):
        source = {"occurred": {"column": "occurred_at", **how}, "recorded": None}
        tables = take(tmp_path / str(number), (source, [did(occurred_at=text)]))
        assert rows_of(tables, "occurred_us") == [(moment,)], text
    source = {"occurred": {"column": "occurred_at", "format": "epoch_s"}, "recorded": None}
    tables = take(tmp_path / "s", (source, [did(occurred_at=moment // 1_000_000)]))
    assert rows_of(tables, "occurred_us") == [(us("2025-02-01T00:00:00Z"),)]


def test_in_the_hour_that_a_clock_change_repeats_only_an_offset_tells_the_second_pass(tmp_path):
    """02:30 on 26 October 2025 comes twice in Madrid, and on 30 March not at all."""
    rows = [
        did(occurred_at="2025-10-26T02:30:00+02:00", lead_id="a"),
        did(occurred_at="2025-10-26T02:30:00+01:00", lead_id="b"),
        did(occurred_at="2025-10-26T02:30:00", lead_id="c"),
        did(occurred_at="2025-10-26T03:30:00", lead_id="d"),
        did(occurred_at="2025-03-30T01:30:00", lead_id="e"),
        did(occurred_at="2025-03-30T03:30:00", lead_id="f"),
    ]
    source = {"occurred": {"column": "occurred_at", "zone": "Europe/Madrid"}}
    tables = take(tmp_path, (source, rows), leads="abcdef")
    wanted = [
        "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z", "2025-10-26T00:30:00Z",
        "2025-10-26T02:30:00Z", "2025-03-30T00:30:00Z", "2025-03-30T01:30:00Z",
    ]  # fmt: skip
    assert rows_of(tables, "occurred_us") == [(us(text),) for text in wanted]


def test_naive_times_of_parquet_are_read_in_the_zone_as_those_of_csv_are(tmp_path):
    texts = ["2025-10-26T01:30:00", "2025-10-26T02:30:00", "2025-10-26T03:30:00"]
    rows = [did(occurred_at=text, lead_id=key) for text, key in zip(texts, "abc", strict=True)]
    zone = {"occurred": {"column": "occurred_at", "zone": "Europe/Madrid"}}
    csv = take(tmp_path / "csv", (zone, rows))
    naive = pa.array(map(datetime.fromisoformat, texts), pa.timestamp("ms"))
    table = pa.Table.from_pylist(rows)
    table = table.set_column(table.column_names.index("occurred_at"), "occurred_at", naive)
    source = {**zone, "file": "activities.parquet"}
    parquet = take(tmp_path / "pq", (source, table))
    assert rows_of(parquet) == rows_of(csv)
    assert parquet.digest == csv.digest


def test_occurred_and_recorded_may_be_written_differently(tmp_path):
    source = {"recorded": {"column": "recorded_at", "format": "epoch_s"}}
    tables = take(tmp_path, (source, [did(recorded_at=us(NOON) // 1_000_000)]))
    assert rows_of(tables, "recorded_us") == [(us(NOON),)]


# Rejects and errors


def test_each_kind_of_bad_row_is_rejected_with_file_line_column_and_reason(tmp_path):
    rows = [
        did(occurred_at="soon"), did(lead_id=""), did(), did(kind=None), did(occurred_at=None),
        did(occurred_at="2025-02-01T00:00:00"), did(recorded_at="later"), did(seconds="long"),
        did(clicked="perhaps"), did(activity_id="x" * 10_001),
    ]  # fmt: skip
    tables = take(tmp_path, rows)
    found = reasons(tables)
    assert {file for file, *_ in found} == {"activities.csv"}
    assert [(line, column) for _, line, column, _ in found] == [
        (2, "occurred_at"), (3, "lead_id"), (5, "kind"), (6, "occurred_at"), (7, "occurred_at"),
        (8, "recorded_at"), (9, "seconds"), (10, "clicked"), (11, "activity_id"),
    ]  # fmt: skip
    assert found[0][3] == "'soon' where a time is expected (iso)"
    assert found[1][3] == "blank where a value is needed"
    assert "names no time zone" in found[4][3]
    assert tables.activities.activities == 1


def test_rejects_of_leads_and_of_each_file_of_activities_stand_side_by_side(tmp_path):
    files = [did(), did(lead_id="")], ({"file": "more.csv"}, [did(occurred_at="soon"), did()])
    take(tmp_path, *files)
    write_leads(tmp_path, [lead("a"), lead("b", employees="many")])
    tables = ingest(read_project(tmp_path))
    assert [(file, line) for file, line, _, _ in reasons(tables)] == [
        ("activities.csv", 3), ("leads.csv", 3), ("more.csv", 2),
    ]  # fmt: skip


def test_each_file_of_activities_has_its_own_share_of_rejects(tmp_path):
    good, bad = [did()] * 97, [did()] * 9 + [did(occurred_at="soon")]
    assert len(take(tmp_path / "1", good + bad, max_reject_share=0.05).rejects) == 1
    with pytest.raises(DataError, match=r"more\.csv: 1 of 10 rows rejected, at most 5%") as caught:
        take(tmp_path / "2", good, ({"file": "more.csv"}, bad), max_reject_share=0.05)
    assert "column 'occurred_at': 'soon' where a time is expected" in str(caught.value)
    assert "first at line 11" in str(caught.value)


def test_a_file_of_activities_without_one_good_row_is_an_error_whatever_is_allowed(tmp_path):
    with pytest.raises(DataError, match=r"activities\.csv: all 2 rows are rejected"):
        take(tmp_path, [did(lead_id="")] * 2, max_reject_share=1.0)


def test_a_file_of_activities_with_a_header_only_is_an_error_that_names_it(tmp_path):
    take(tmp_path, [did()])
    (tmp_path / "activities.csv").write_text(",".join(ACTIVITY) + "\n")
    with pytest.raises(DataError, match=r"activities\.csv: a header and no row"):
        ingest(read_project(tmp_path))
    table = pa.Table.from_pylist([did()]).slice(0, 0)
    with pytest.raises(DataError, match=r"activities\.parquet: a header and no row"):
        take(tmp_path, ({"file": "activities.parquet"}, table))


def test_a_file_that_is_not_there_and_a_column_that_is_not_are_told(tmp_path):
    with pytest.raises(DataError, match=r"activities\.csv: no column 'url'; found activity_id, "):
        take(
            tmp_path, ({"properties": {**SOURCE["properties"], "page": {"column": "url"}}}, [did()])
        )
    (tmp_path / "activities.csv").unlink()
    with pytest.raises(DataError, match=r"activities\.csv: no such file"):
        ingest(read_project(tmp_path))


def test_all_activities_of_strangers_leave_every_lead_silent(tmp_path):
    tables = take(tmp_path, [did(lead_id="z")])
    assert rows_of(tables) == []
    assert (tables.activities.activities, tables.activities.kinds) == (0, {})


def check_name(tmp_path, name):
    signals = {"visits": {"family": "web", "kind": "count", "where": {name: 1}}}
    rows = [did(activity_id="x", seconds=n) for n in (0, 0, 1)] + [did(seconds=1)]
    source = {"properties": {name: {"column": "seconds", "type": "number"}}}
    tables = take(tmp_path, (source, rows), signals=signals)
    assert rows_of(tables, name) == [(1.0,), (0.0,)]
    assert (tables.activities.duplicates, tables.activities.conflicts) == (2, 1)


@pytest.mark.parametrize("name", ["copies", "stories", "ids", "order", "group", "as_of_us"])
def test_a_property_may_have_any_plain_name(tmp_path, name):
    check_name(tmp_path, name)


def test_a_property_may_be_called_copy(tmp_path):
    check_name(tmp_path, "copy")


# Notes


def test_kinds_that_never_occur_and_kinds_that_no_signal_names_are_noted(tmp_path):
    signals = {**READING, "calls": {"family": "web", "kind": "count", "activity": ["call", "fax"]}}
    rows = [did(), did(kind="open"), did(kind="mail"), did(kind="call", lead_id="z")]
    notes = notes_of(take(tmp_path, rows, signals=signals))
    assert "signals name kinds of activities that never occur: call, fax" in notes
    assert "kinds of activities that no signal names: mail, open" in notes


def test_where_no_signal_names_a_kind_none_is_unnamed(tmp_path):
    signals = {"all": {"family": "web", "kind": "count"}}
    notes = notes_of(take(tmp_path, [did(), did(kind="open")], signals=signals))
    assert "kinds of activities" not in notes


def test_a_kind_is_known_by_its_clean_name(tmp_path):
    signals = {"visits": {"family": "web", "kind": "count", "activity": " caf\u0065\u0301"}}
    tables = take(tmp_path, [did(kind="caf\u00e9")], signals=signals)
    assert tables.notes == ()


def test_a_constant_kind_is_cleaned_as_the_words_of_signals_are(tmp_path):
    signals = {"visits": {"family": "web", "kind": "count", "activity": "caf\u00e9"}}
    source = {"kind": {"constant": "cafe\u0301 "}}
    tables = take(tmp_path, (source, [did()]), signals=signals)
    assert tables.activities.kinds == {"caf\u00e9": 1}
