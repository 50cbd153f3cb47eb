"""From the leads' file to normalised tables: the right rows, or one clear error."""

import csv
import gzip
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.projects import (
    ORDERED_BY_ROW,
    WITHOUT_TIMES,
    lead,
    make_leads,
    merge,
    us,
    write_leads,
    write_project,
)

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.rejects import write_rejects
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.workflows.check import check_project


def take(tmp_path, leads, name="leads.csv", *, signals=None, training=None, data=None, **how):
    """Ingest some leads in a project of their own."""
    change = merge({"leads": {"file": name}, "max_reject_share": 1.0}, data or {})
    folder = write_project(tmp_path, data=change, signals=signals, training=training)
    if isinstance(leads, str):
        leads = leads.encode()
    if isinstance(leads, bytes):
        (folder / name).write_bytes(leads)
    else:
        write_leads(folder, leads, name, **how)
    return ingest(read_project(folder))


def reasons(tables):
    return [(reject.line, reject.column, reject.full_reason) for reject in tables.rejects]


def ids(tables):
    return tables.leads["lead_id"].to_pylist()


def test_one_lead_becomes_one_row_of_each_table(tmp_path):
    tables = take(tmp_path, [lead("007", status="won", closed_at="2025-02-01T01:00:00+01:00")])
    assert tables.leads.to_pylist() == [
        {
            "lead_id": "007",
            "created_us": us("2025-01-01T00:00:00Z"),
            "arrival": None,
            "country": "ES",
            "employees": 12.0,
            "newsletter": 1.0,
        }
    ]
    assert tables.outcomes.to_pylist() == [
        {
            "lead_id": "007",
            "status": "won",
            "closed_us": us("2025-02-01T00:00:00Z"),
            "recorded_us": us("2025-02-01T00:00:00Z"),
        }
    ]
    assert tables.extract_us == us("2025-12-31T00:00:00Z")
    assert (tables.rows, tables.rejects, tables.notes) == (1, (), ())


def test_leads_are_sorted_by_creation_then_id(tmp_path):
    late, early = "2025-03-01T00:00:00Z", "2025-02-01T00:00:00Z"
    leads = [lead("a", created_at=late), lead("c", created_at=early), lead("b", created_at=early)]
    assert ids(take(tmp_path, leads)) == ["b", "c", "a"]


def test_identifiers_keep_their_zeros_and_are_different_leads(tmp_path):
    tables = take(tmp_path, [lead("001"), lead("1"), lead("01"), lead("1.0")])
    assert sorted(ids(tables)) == ["001", "01", "1", "1.0"]
    assert tables.rejects == ()


def test_without_an_extract_the_earliest_end_is_taken_so_that_one_wrong_clock_does_no_harm(
    tmp_path,
):
    leads = [
        lead("a", created_at="2025-06-01T00:00:00Z"),
        lead("b", status="won", closed_at="2099-07-01T00:00:00Z"),
    ]
    tables = take(tmp_path, leads, data={"extracted_at": None})
    assert tables.extract_us == us("2025-06-01T00:00:00Z")
    notes = " ".join(map(str, tables.notes))
    assert "1 outcomes closed after the extract" in notes
    assert "the ends lie far apart" in notes


def test_columns_that_nobody_spoke_of_are_noted_and_so_are_reasons_for_none(tmp_path):
    leads = [{**lead("a"), "remark": "x", "colour": "red"}]
    tables = take(tmp_path, leads, data={"excluded": {"remark": "a leak", "phone": "private"}})
    notes = " | ".join(map(str, tables.notes))
    assert "colour" in notes
    assert "'phone', which leads.csv does not have" in notes
    assert "remark" not in notes


def test_a_declared_column_that_is_not_there_is_an_error(tmp_path):
    leads = [{key: value for key, value in lead("a").items() if key != "country"}]
    with pytest.raises(DataError, match=r"leads\.csv: no column 'country'"):
        take(tmp_path, leads)


# Outcomes


def test_each_status_is_won_lost_or_open(tmp_path):
    spec = {"outcomes": {"won": ["yes", "1"], "lost": ["no"], "closed": None}}
    words = ["yes", "1", " yes ", "no", "", "pending", "YES", None]
    leads = [lead(str(i), status=word) for i, word in enumerate(words)]
    tables = take(tmp_path, leads, data=spec, training={"horizon_days": None})
    found = tables.outcomes.sort_by("lead_id")["status"].to_pylist()
    assert found == ["won", "won", "won", "lost", "open", "open", "open", "open"]


def test_the_rest_is_lost_where_the_project_says_so(tmp_path):
    spec = {"outcomes": {"won": ["yes"], "lost": [], "other_is": "lost", "closed": None}}
    leads = [lead("a", status="yes"), lead("b", status="pending"), lead("c", status=None)]
    tables = take(tmp_path, leads, data=spec, training={"horizon_days": None})
    assert tables.outcomes["status"].to_pylist() == ["won", "lost", "lost"]


def test_a_status_is_found_however_its_accent_and_blanks_are_written(tmp_path):
    """A word of data.yaml is cleaned as the words of the file are; else every lead stays open."""
    spec = {"outcomes": {"won": ["si\u0301", " gano "], "closed": None}}
    leads = [lead("a", status="s\u00ed"), lead("b", status="si\u0301"), lead("c", status="gano")]
    tables = take(tmp_path, leads, data=spec, training={"horizon_days": None})
    assert tables.outcomes["status"].to_pylist() == ["won", "won", "won"]


def test_a_blank_status_is_no_word(tmp_path):
    spec = {"outcomes": {"won": ["won"], "lost": ["None"], "closed": None}}
    leads = [lead("a", status=None), lead("b", status="None")]
    tables = take(tmp_path, leads, data=spec, training={"horizon_days": None})
    assert tables.outcomes["status"].to_pylist() == ["open", "lost"]


def test_numbers_and_booleans_are_statuses_by_their_digits(tmp_path):
    spec = {"outcomes": {"won": ["1"], "lost": ["0"], "closed": None}}
    for kind in (pa.int8(), pa.float64(), pa.bool_()):
        status = pa.array([1, 0, None], pa.int8()).cast(kind)
        table = pa.Table.from_pylist([lead(key) for key in "abc"])
        table = table.set_column(table.column_names.index("status"), "status", status)
        tables = take(tmp_path, table, "t.parquet", data=spec, training={"horizon_days": None})
        assert tables.outcomes["status"].to_pylist() == ["won", "lost", "open"]


def test_a_win_without_closing_time_is_a_reject_and_a_loss_without_is_none(tmp_path):
    leads = [lead("a", status="won"), lead("b", status="lost"), lead("c")]
    tables = take(tmp_path, leads)
    assert reasons(tables) == [(2, "closed_at", "blank, though the lead is won")]
    assert ids(tables) == ["b", "c"]


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_closing_before_the_creation_is_a_reject_and_one_at_its_moment_is_not(tmp_path, status):
    at = "2025-01-01T00:00:00Z"
    leads = [
        lead("before", created_at=at, status=status, closed_at="2024-12-31T23:59:59.999999Z"),
        lead("at once", created_at=at, status=status, closed_at=at),
    ]
    tables = take(tmp_path, leads)
    assert reasons(tables) == [(2, "closed_at", "closed before the lead was created")]
    assert ids(tables) == ["at once"]


# Rejects


def test_each_kind_of_bad_row_is_rejected_with_line_column_and_reason(tmp_path):
    leads = [
        lead("good"),
        lead("no number", employees="many"),
        lead("infinite", employees="inf"),
        lead("not a number", employees="NaN"),
        lead("no flag", newsletter="perhaps"),
        lead("no time", created_at="soon"),
        lead("blank time", created_at=None),
        lead("no zone", created_at="2025-01-01T00:00:00"),
        lead("nul", country="E\0S"),
        lead("long", country="x" * 10_001),
        lead(None),
        lead("bad closing", status="won", closed_at="31/12/2025"),
    ]
    tables = take(tmp_path, leads)
    assert ids(tables) == ["good"]
    assert tables.rows == len(leads)
    found = {line: (column, reason) for line, column, reason in reasons(tables)}
    assert found == {
        3: ("employees", "'many' where a number is expected"),
        4: ("employees", "'inf' where a number is expected"),
        5: ("employees", "'NaN' where a number is expected"),
        6: ("newsletter", found[6][1]),
        7: ("created_at", "'soon' where a time is expected (iso)"),
        8: ("created_at", "blank where a value is needed"),
        9: ("created_at", found[9][1]),
        10: ("country", "text with a NUL character or half a surrogate pair"),
        11: ("country", "text of 10001 characters, at most 10000 are allowed"),
        12: ("lead_id", "blank where a value is needed"),
        13: ("closed_at", "'31/12/2025' where a time is expected (iso)"),
    }
    assert "'perhaps' where a flag is expected" in found[6][1]
    assert "names no time zone" in found[9][1]
    assert {reject.file for reject in tables.rejects} == {"leads.csv"}


def test_a_row_with_two_problems_is_one_reject(tmp_path):
    tables = take(tmp_path, [lead("a", employees="many", newsletter="perhaps"), lead("b")])
    assert len(tables.rejects) == 1


def test_a_date_for_never_is_a_reject_and_no_crash(tmp_path):
    leads = [lead("a"), lead("b", status="lost", closed_at="9999-12-31 23:59:59")]
    zone = {"outcomes": {"closed": {"column": "closed_at", "zone": "America/New_York"}}}
    tables = take(tmp_path, leads, data=zone)
    assert [(line, column) for line, column, _ in reasons(tables)] == [(3, "closed_at")]


def test_an_epoch_too_large_for_any_table_is_a_reject_and_no_crash(tmp_path):
    leads = [lead("a", created_at="1735689600"), lead("b", created_at="9" * 30)]
    tables = take(
        tmp_path, leads, data={"leads": {"created": {"column": "created_at", "format": "epoch_s"}}}
    )
    assert [(line, column) for line, column, _ in reasons(tables)] == [(3, "created_at")]


def test_of_planted_doubles_the_first_is_kept_and_each_other_one_counted(tmp_path):
    dice = random.Random(5)
    leads = [lead(f"{i:03}", employees=i) for i in range(200)]
    doubles = [{**dice.choice(leads), "employees": 10_000} for _ in range(37)]
    last = [*leads[:100], *doubles, *leads[100:]]
    tables = take(tmp_path, last)
    assert tables.rows == 237
    first: dict[str, int] = {}
    planted = []
    for line, row in enumerate(last, start=2):
        if row["lead_id"] in first:
            planted.append((line, "", f"a lead_id that line {first[row['lead_id']]} has already"))
        else:
            first[row["lead_id"]] = line
    assert len(planted) == 37
    assert reasons(tables) == planted
    kept = dict(zip(ids(tables), tables.leads["employees"].to_pylist(), strict=True))
    assert len(kept) == 200
    assert kept == {key: float(last[line - 2]["employees"]) for key, line in first.items()}


def test_a_rejected_row_is_not_the_first_of_its_lead(tmp_path):
    tables = take(tmp_path, [lead("a", employees="many"), lead("a", employees=5)])
    assert tables.leads["employees"].to_pylist() == [5.0]
    assert [line for line, _, _ in reasons(tables)] == [2]


def test_doubles_are_found_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("leadscore.pipeline.ingest.files.read_table.__defaults__", (2,))
    tables = take(tmp_path, [lead("a"), lead("b"), lead("c"), lead("a"), lead("b")])
    assert [line for line, _, _ in reasons(tables)] == [5, 6]


def test_too_many_rejects_are_an_error_with_file_reason_and_first_line(tmp_path):
    leads = [lead(str(i)) for i in range(17)]
    leads[4]["employees"] = leads[9]["employees"] = "many"
    leads[2]["newsletter"] = "perhaps"
    with pytest.raises(DataError) as caught:
        take(tmp_path, leads, data={"max_reject_share": 0.17})
    message = str(caught.value)
    assert str(tmp_path / "leads.csv") in message
    assert "3 of 17 rows rejected, at most 17% are allowed (max_reject_share)" in message
    assert (
        "column 'employees': 'many' where a number is expected (2 rows, first at line 6)" in message
    )


def test_as_many_rejects_as_allowed_are_no_error(tmp_path):
    leads = [lead(str(i)) for i in range(20)]
    leads[4]["employees"] = "many"
    assert len(take(tmp_path, leads, data={"max_reject_share": 0.05}).rejects) == 1
    leads[5]["employees"] = "many"
    with pytest.raises(DataError, match="2 of 20 rows"):
        take(tmp_path, leads, data={"max_reject_share": 0.05})


def test_without_a_word_on_it_one_row_in_twenty_may_be_rejected(tmp_path):
    folder = write_project(tmp_path)
    write_leads(folder, [lead("a", employees="many"), *(lead(str(i)) for i in range(18))])
    with pytest.raises(DataError, match="at most 5% are allowed"):
        ingest(read_project(folder))


def test_a_table_without_rows_is_an_error(tmp_path):
    header = ",".join(lead("a"))
    with pytest.raises(DataError, match=r"leads\.csv: a header and no row"):
        take(tmp_path, header + "\n")
    empty = pa.Table.from_pylist([lead("a")]).slice(0, 0)
    with pytest.raises(DataError, match=r"leads\.parquet: a header and no row"):
        take(tmp_path, empty, "leads.parquet")


def test_a_table_without_one_good_row_is_an_error_whatever_is_allowed(tmp_path):
    with pytest.raises(DataError, match=r"leads\.csv"):
        take(tmp_path, [lead("a", employees="many")], data={"max_reject_share": 1.0})


def test_rejects_are_written_beside_and_read_back(tmp_path):
    tables = take(tmp_path, [lead("a", employees='many, "so many"'), lead("a")])
    path = tmp_path / "new" / "rejects.csv"
    write_rejects(tables.rejects, path)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["file", "line", "column", "reason"]
    assert [tuple(row[1:3]) for row in rows[1:]] == [("2", "employees")]
    assert rows[1][3] == tables.rejects[0].full_reason


# Files of every make


def test_semicolons_decimal_commas_and_latin_1(tmp_path):
    leads = [lead("a", country="España", employees="12,5"), lead("b", employees="1200")]
    spec = {
        "leads": {
            "delimiter": ";",
            "encoding": "latin-1",
            "fields": {"employees": {"type": "number", "decimal": ","}},
        }
    }
    tables = take(tmp_path, leads, data=spec, delimiter=";", encoding="latin-1")
    assert tables.leads["employees"].to_pylist() == [12.5, 1200.0]
    assert tables.leads["country"].to_pylist() == ["España", "ES"]
    assert tables.rejects == ()


def test_a_point_for_thousands_is_never_read_as_a_decimal_point(tmp_path):
    leads = [lead("a", employees="1.200"), lead("b", employees="12,5")]
    spec = {"leads": {"fields": {"employees": {"type": "number", "decimal": ","}}}}
    tables = take(tmp_path, leads, data=spec)
    assert tables.leads["employees"].to_pylist() == [12.5]
    assert [line for line, _, _ in reasons(tables)] == [2]


def test_the_same_leads_have_the_same_digest_in_every_encoding_and_wrapping(tmp_path):
    plain = take(tmp_path, leads := make_leads(30))
    content = (tmp_path / "leads.csv").read_bytes()
    assert take(tmp_path, gzip.compress(content), "leads.csv.gz").digest == plain.digest
    assert take(tmp_path, b"\xef\xbb\xbf" + content).digest == plain.digest
    assert take(tmp_path, content.replace(b"\r\n", b"\n")).digest == plain.digest
    utf_16 = {"leads": {"encoding": "utf-16"}}
    assert take(tmp_path, leads, data=utf_16, encoding="utf-16").digest == plain.digest


def test_the_order_of_rows_does_not_matter(tmp_path):
    leads = make_leads(200)
    leads[7]["created_at"] = leads[8]["created_at"]
    plain = take(tmp_path, leads)
    for seed in range(3):
        shuffled = random.Random(seed).sample(leads, len(leads))
        tables = take(tmp_path, shuffled)
        assert tables.leads.equals(plain.leads)
        assert tables.outcomes.equals(plain.outcomes)
        assert tables.digest == plain.digest


@pytest.mark.parametrize(
    "change",
    [
        {"country": "FR"}, {"country": None},
        {"employees": 13}, {"employees": 0}, {"employees": None},
        {"newsletter": False}, {"newsletter": None}, {"status": "lost"}, {"lead_id": "B"},
        {"created_at": "2025-01-01T00:00:00.000001Z"}, {"closed_at": "2025-05-05T00:00:00Z"},
    ],
)  # fmt: skip
def test_any_change_of_any_value_changes_the_digest(tmp_path, change):
    others = [lead("a"), lead("c", country=None, employees=None)]
    before = take(tmp_path, [*others, lead("b")]).digest
    assert take(tmp_path, [*others, {**lead("b"), **change}]).digest != before


def test_a_missing_number_is_no_zero_to_the_digest(tmp_path):
    zero = take(tmp_path, [lead("a", employees=0)])
    assert take(tmp_path, [lead("a", employees=None)]).digest != zero.digest


def test_texts_that_read_the_same_when_joined_have_different_digests(tmp_path):
    one = take(tmp_path, [lead("a", country="xy"), lead("b", country="z")])
    other = take(tmp_path, [lead("a", country="x"), lead("b", country="yz")])
    assert one.digest != other.digest


def as_parquet(leads, **types):
    """Return leads as a table with times as times, and the types of some columns changed."""
    table = pa.Table.from_pylist(leads)
    for name in ("created_at", "closed_at"):
        moments = [text and datetime.fromisoformat(text) for text in table[name].to_pylist()]
        kind = types.get(name, pa.timestamp("us", "UTC"))
        column = pa.array(moments, pa.timestamp("us", "UTC"))
        if kind.tz is None:  # local times of Madrid
            column = pc.local_timestamp(column.cast(pa.timestamp("us", "Europe/Madrid")))
        table = table.set_column(
            table.column_names.index(name), name, column.cast(kind, safe=False)
        )
    for name, kind in types.items():
        if name not in ("created_at", "closed_at"):
            place = table.column_names.index(name)
            column = table[name]
            column = column.dictionary_encode() if kind == "dictionary" else column.cast(kind)
            table = table.set_column(place, name, column)
    return table


def in_seconds(leads):
    """Cut times to whole seconds, which every unit of time can hold."""
    return [
        {
            **row,
            **{name: row[name] and row[name][:19] + "Z" for name in ("created_at", "closed_at")},
        }
        for row in leads
    ]


@pytest.mark.parametrize(
    "types",
    [
        {},
        {"created_at": pa.timestamp("ns", "UTC"), "closed_at": pa.timestamp("ms", "UTC")},
        {"created_at": pa.timestamp("s", "+05:30"),
         "closed_at": pa.timestamp("us", "America/New_York")},
        {"created_at": pa.timestamp("us"), "closed_at": pa.timestamp("ns")},
        {"country": "dictionary", "lead_id": "dictionary", "status": "dictionary"},
        {"country": pa.large_string(), "employees": pa.float32(), "newsletter": pa.int8()},
        {"employees": pa.int16(), "newsletter": pa.float64()},
        {"employees": pa.string(), "newsletter": pa.string()},
        {"employees": "dictionary", "newsletter": "dictionary"},
    ],
    ids=str,
)  # fmt: skip
def test_csv_and_parquet_of_the_same_leads_are_the_same_tables(tmp_path, types):
    leads = in_seconds(make_leads(300))
    leads[3]["employees"] = leads[5]["newsletter"] = None
    zone = {"zone": "Europe/Madrid"}
    spec = {
        "leads": {"created": {"column": "created_at", **zone}},
        "outcomes": {"closed": {"column": "closed_at", **zone}},
    }
    one = take(tmp_path, leads, data=spec)
    other = take(tmp_path, as_parquet(leads, **types), "leads.parquet", data=spec)
    assert other.rejects == one.rejects == ()
    assert other.leads.equals(one.leads)
    assert other.outcomes.equals(one.outcomes)
    assert other.digest == one.digest


def test_booleans_of_parquet_are_flags_whatever_their_words(tmp_path):
    table = as_parquet([{**lead(name), "newsletter": None} for name in "abc"])
    place = table.column_names.index("newsletter")
    table = table.set_column(place, "newsletter", pa.array([True, False, None]))
    words = {"leads": {"fields": {"newsletter": {"true": ["Sub"], "false": ["Never"]}}}}
    tables = take(tmp_path, table, "leads.parquet", data=words)
    assert tables.rejects == ()
    assert tables.leads["newsletter"].to_pylist() == [1.0, 0.0, None]


def test_naive_times_of_parquet_without_a_zone_are_rejects(tmp_path):
    table = as_parquet([lead("a"), lead("b")], created_at=pa.timestamp("us"))
    with pytest.raises(DataError, match=r"names no time zone.*first at line 1"):
        take(tmp_path, table, "leads.parquet", data={"max_reject_share": 0.5})


def test_nanoseconds_are_cut_in_parquet_as_in_csv(tmp_path):
    texts = ["2025-01-01T00:00:00.000000123Z", "2025-01-01T00:00:00.000001999Z"]
    plain = take(tmp_path, [lead("a", created_at=texts[0]), lead("b", created_at=texts[1])])
    at = us("2025-01-01T00:00:00Z")
    assert plain.leads["created_us"].to_pylist() == [at, at + 1]
    table = as_parquet([lead("a"), lead("b")])
    fine = pa.array([at * 1000 + 123, at * 1000 + 1999], pa.timestamp("ns", "UTC"))
    table = table.set_column(table.column_names.index("created_at"), "created_at", fine)
    assert take(tmp_path, table, "leads.parquet").leads.equals(plain.leads)


@pytest.mark.parametrize("unit", ["s", "us"])
def test_a_timestamp_outside_the_calendar_is_a_reject_and_no_crash(tmp_path, unit):
    table = as_parquet([lead("a"), lead("b")])
    far = {"s": 10**15, "us": 10**18}[unit]
    column = pa.array([0, far], pa.timestamp(unit, "UTC"))
    table = table.set_column(table.column_names.index("created_at"), "created_at", column)
    tables = take(tmp_path, table, "leads.parquet")
    assert ids(tables) == ["a"]
    assert [(line, column) for line, column, _ in reasons(tables)] == [(2, "created_at")]


def test_parquet_dates_are_midnights_of_the_zone(tmp_path):
    table = pa.Table.from_pylist([lead("a")])
    day = pa.array([datetime(2025, 1, 1, tzinfo=UTC).date()], pa.date32())
    table = table.set_column(table.column_names.index("created_at"), "created_at", day)
    zone = {"leads": {"created": {"column": "created_at", "zone": "Europe/Madrid"}}}
    tables = take(tmp_path, table, "leads.parquet", data=zone)
    assert tables.leads["created_us"].to_pylist() == [us("2024-12-31T23:00:00Z")]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("country", [1.5, 2.5], pa.float64()),
        ("country", [True, False], pa.bool_()),
        ("employees", [True, False], pa.bool_()),
        ("employees", ["many", "few"], pa.string()),
        ("newsletter", [2, 3], pa.int64()),
        ("newsletter", [0.37, 0.5], pa.float64()),
        ("newsletter", [0.37, 0.5], pa.float32()),
        ("created_at", [1, 2], pa.int64()),
        ("employees", [datetime(2025, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
    ],
)
def test_a_parquet_column_of_the_wrong_type_is_all_rejects(tmp_path, column, values, kind):
    table = pa.Table.from_pylist([lead("a"), lead("b"), lead("c", **{column: LEFT[column]})])
    mixed = pa.array([*values, None if column != "created_at" else 3], kind)
    table = table.set_column(table.column_names.index(column), column, mixed)
    with pytest.raises(DataError, match=f"leads.parquet: .*column '{column}'.*first at line 1"):
        take(tmp_path, table, "leads.parquet", data={"max_reject_share": 0.5})


LEFT = {"country": "ES", "employees": 1, "newsletter": True, "created_at": "2025-01-01T00:00:00Z"}


def test_infinity_in_parquet_is_a_reject_and_nan_is_missing(tmp_path):
    table = pa.Table.from_pylist([lead(key) for key in "abcd"])
    numbers = pa.array([1.5, float("nan"), float("inf"), -1e301])
    table = table.set_column(table.column_names.index("employees"), "employees", numbers)
    tables = take(tmp_path, table, "leads.parquet")
    assert tables.leads.select(["lead_id", "employees"]).to_pylist() == [
        {"lead_id": "a", "employees": 1.5},
        {"lead_id": "b", "employees": None},
    ]
    assert reasons(tables) == [
        (3, "employees", "a number beyond 1e+300"),
        (4, "employees", "a number beyond 1e+300"),
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.float64()])
def test_a_number_that_means_missing_is_missing_in_every_file(tmp_path, kind):
    """pdays 999 is "never contacted", as text, as whole number and as float."""
    table = pa.Table.from_pylist([lead("a", employees=999), lead("b", employees=3)])
    place = table.column_names.index("employees")
    table = table.set_column(place, "employees", table["employees"].cast(kind))
    spec = {"leads": {"fields": {"employees": {"type": "number", "missing": ["999"]}}}}
    assert take(tmp_path, table, data=spec).leads["employees"].to_pylist() == [None, 3.0]
    tables = take(tmp_path, table, "leads.parquet", data=spec)
    assert tables.leads["employees"].to_pylist() == [None, 3.0]


def test_a_column_of_nothing_is_missing_throughout(tmp_path):
    table = pa.Table.from_pylist([lead("a", employees=None, newsletter=None, country=None)])
    assert table["employees"].type == pa.null()
    (row,) = take(tmp_path, table, "leads.parquet").leads.to_pylist()
    assert [row[name] for name in ("country", "employees", "newsletter")] == [None] * 3


# Leads without dates


def test_rows_are_numbered_where_the_file_has_the_order(tmp_path):
    """A rejected row keeps its number, and an empty line has none."""
    lines = [
        "status,country,employees,newsletter",
        "won,ES,1,1",
        "",
        "lost,FR,many,0",
        "won,DE,3,1",
    ]
    data = merge(ORDERED_BY_ROW, {"leads": {"id": "#row"}})
    tables = take(tmp_path, "\n".join(lines) + "\n", data=data, training={"horizon_days": None})
    found = tables.leads.select(["lead_id", "arrival", "country"]).to_pylist()
    assert found == [
        {"lead_id": "1", "arrival": 1.0, "country": "ES"},
        {"lead_id": "3", "arrival": 3.0, "country": "DE"},
    ]
    assert [line for line, _, _ in reasons(tables)] == [4]
    assert tables.extract_us is None


def test_arrival_numbers_sort_as_numbers_and_a_blank_one_is_a_reject(tmp_path):
    data = {**WITHOUT_TIMES, "leads": {"created": None, "order": "number"}}
    leads = [{**lead(key), "number": n} for key, n in (("a", "10"), ("b", "9"), ("c", None))]
    tables = take(tmp_path, leads, data=data, training={"horizon_days": None})
    assert tables.leads["arrival"].to_pylist() == [9.0, 10.0]
    assert ids(tables) == ["b", "a"]
    assert reasons(tables) == [(4, "number", "blank where a value is needed")]


def test_outcomes_in_neither_list_are_named_and_closed_ones_rejected(tmp_path):
    folder = write_project(tmp_path / "mine", data={"max_reject_share": 1.0})
    closed = "2025-02-01T00:00:00Z"
    write_leads(
        folder,
        [
            lead("a", status="won", closed_at=closed),
            lead("b", status="Closed Won", closed_at=closed),
            lead("c", status="nurturing"),
        ],
    )
    tables = ingest(read_project(folder))
    assert tables.leads["lead_id"].to_pylist() == ["a", "c"]
    assert [r.full_reason for r in tables.rejects] == [
        "closed, though its outcome is neither won nor lost"
    ]
    (note,) = [str(note) for note in tables.notes if "neither list" in str(note)]
    assert "'Closed Won' (1 rows)" in note
    assert "'nurturing' (1 rows)" in note


def test_rejects_for_one_reason_are_counted_together_whatever_the_value(tmp_path):
    """Ten amounts that are no numbers are one line of the report, not ten."""
    rows = [*make_leads(400), *(lead(f"odd-{n}", employees=f"{n}'x") for n in range(10))]
    write_leads(write_project(tmp_path), [*rows, lead("late", created_at="soon")])
    report = check_project(read_project(tmp_path))
    found = [(count, column) for count, _, column, _, _ in report.rejects]
    assert found == [(10, "employees"), (1, "created_at")]
    assert "0'x" in report.rejects[0][3]
    assert report.rejects[0][4] == 402
