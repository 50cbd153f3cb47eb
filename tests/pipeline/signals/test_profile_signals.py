"""Signals: whatever a file says of a lead, history and live read the same."""

import json
import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import run_on_sqlite
from support.projects import (
    AGED,
    WITHOUT_TIMES,
    lead,
    make_leads,
    merge,
    write_leads,
    write_project,
)

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.snapshots import take_snapshots
from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.history.reader import History, read_history
from leadscore.pipeline.signals.history.signals_sql import signals_sql
from leadscore.pipeline.signals.kinds import FAMILIES, ProfileSignal
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.fields import FieldSpec

KIND = {"text": "category", "number": "number", "flag": "flag"}
KEYWORDS = ["select", "order", "group", "table", "from", "where", "user", "null", "join", "s", "l"]


def make_catalog(**fields):
    """Make a catalogue of one web signal per field, from field name to FieldSpec."""
    signals = tuple(
        Signal(name=name, declaration=ProfileSignal(family="web", kind=KIND[spec.type]))
        for name, spec in fields.items()
    )
    return Catalog(signals=signals, fields=fields)


def plain(value):
    """Return a value of a frame with NaN as None, so that missing equals missing."""
    return None if isinstance(value, float) and math.isnan(value) else value


# One lead


def test_the_live_reader_reads_what_it_is_given(tmp_path):
    reader = LiveReader(read_project(write_project(tmp_path)).catalog)
    profile = {"country": " ES ", "employees": "12", "newsletter": "yes", "shoe_size": 43}
    assert reader.read_signals(profile) == {
        "demographic__country": "ES", "firmographic__employees": 12.0, "email__newsletter": 1.0,
    }  # fmt: skip


def test_what_the_live_reader_is_not_told_is_missing(tmp_path):
    reader = LiveReader(read_project(write_project(tmp_path)).catalog)
    nothing = dict.fromkeys(
        ["demographic__country", "firmographic__employees", "email__newsletter"]
    )
    for profile in ({}, {"country": None, "employees": "", "newsletter": " "}):
        assert reader.read_signals(profile) == nothing


def test_a_value_that_does_not_fit_is_an_error_that_names_its_field(tmp_path):
    reader = LiveReader(read_project(write_project(tmp_path)).catalog)
    with pytest.raises(ValueError, match=r"^employees: 'many' where a number is expected"):
        reader.read_signals({"employees": "many"})


def test_two_signals_may_read_one_field():
    field = FieldSpec(type="number")
    signals = tuple(
        Signal(name=name, declaration=ProfileSignal(family=family, kind="number", field="visits"))
        for name, family in (("visits", "web"), ("interest", "social"))
    )
    catalog = Catalog(signals=signals, fields={"visits": field})
    assert LiveReader(catalog).read_signals({"visits": "3"}) == {
        "web__visits": 3.0, "social__interest": 3.0,
    }  # fmt: skip
    leads = pa.table({"lead_id": ["a"], "visits": [3.0]})
    frame = read_history(catalog, one_snapshot_each(leads), History(leads))
    assert frame.to_dict("records") == [{"web__visits": 3.0, "social__interest": 3.0}]


# History


def one_snapshot_each(leads):
    keys = leads["lead_id"].to_pylist()
    return pa.table(
        {"snapshot_id": range(len(keys)), "lead_id": keys, "as_of_us": pa.array([0] * len(keys))}
    )


def test_rows_come_in_the_snapshots_order_whatever_the_leads_order():
    leads = pa.table({"lead_id": ["c", "a", "b"], "x": [3.0, 1.0, 2.0]})
    snapshots = pa.table({"snapshot_id": [2, 0, 3, 1], "lead_id": ["b", "c", "a", "b"]})
    frame = read_history(make_catalog(x=FieldSpec(type="number")), snapshots, History(leads))
    assert frame["web__x"].tolist() == [3.0, 2.0, 2.0, 1.0]


def test_a_snapshot_of_an_unknown_lead_keeps_its_row_with_everything_missing():
    catalog = make_catalog(x=FieldSpec(type="number"), y=FieldSpec())
    leads = pa.table({"lead_id": ["a"], "x": [1.0], "y": ["u"]})
    snapshots = pa.table({"snapshot_id": [0, 1], "lead_id": ["a", "ghost"]})
    frame = read_history(catalog, snapshots, History(leads))
    assert [plain(v) for v in frame["web__x"]] == [1.0, None]
    assert frame["web__y"].tolist() == ["u", None]


def test_columns_have_their_types_even_where_everything_is_missing():
    catalog = make_catalog(x=FieldSpec(type="number"), y=FieldSpec(), z=FieldSpec(type="flag"))
    leads = pa.table(
        {
            "lead_id": ["a"],
            "x": pa.nulls(1, pa.float64()),
            "y": pa.nulls(1, pa.string()),
            "z": pa.nulls(1, pa.float64()),
        }
    )
    frame = read_history(catalog, one_snapshot_each(leads), History(leads))
    assert [str(kind) for kind in frame.dtypes] == ["float64", "object", "float64"]
    assert frame["web__y"].tolist() == [None]
    assert frame["web__x"].isna().all()


def test_the_text_is_one_select_without_anything_engines_disagree_on():
    text = signals_sql(make_catalog(x=FieldSpec(), order=FieldSpec(type="number")))
    assert ";" not in text
    for word in ("TIMESTAMP", "INTERVAL", "DATE", "CAST", "LOWER", "::"):
        assert word not in text.upper()


# Both readers, on generated leads

texts = st.one_of(
    st.sampled_from(
        ["ES", "es", " ES ", "Espan\u0303a", "España", "", "  ", "n/a", "-", "1", "001"]
    ),
    st.sampled_from(["12", "1e3", "3,5", "3.5", "-0", "1e999", "inf", "nan", "1_000", "0.1"]),
    st.sampled_from(["yes", "NO", "Sí", "true", "0", "x" * 10_001, "a\0b", 'say "so"', "it's; --"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.floats(allow_nan=False).map(repr),
)
specs = st.builds(
    FieldSpec,
    type=st.sampled_from(["text", "number", "flag"]),
    missing=st.lists(st.sampled_from(["n/a", "-", "1", "12", "yes"]), max_size=2).map(tuple),
    decimal=st.sampled_from([".", ","]),
)
names = st.sampled_from([*KEYWORDS, "a" * 63, "x1", "x_1_", "snapshot_id", "as_of_us"])
fields = st.dictionaries(names, specs, min_size=1, max_size=4)


@st.composite
def histories(draw):
    """Draw fields with their specs, and some leads with a raw text for each."""
    declared = draw(fields)
    rows = draw(st.lists(st.tuples(*[texts] * len(declared)), min_size=5, max_size=15))
    leads = [dict(zip(declared, row, strict=True)) for row in rows]
    return declared, leads


def project_of(folder, declared, families):
    config = {name: spec.model_dump(mode="json") for name, spec in declared.items()}
    data = merge(WITHOUT_TIMES, {"max_reject_share": 1.0, "outcomes": {"column": "OUTCOME"}})
    data["leads"] = {"file": "leads.csv", "id": "LEAD ID", "fields": config}
    signals = {
        name: {"family": family, "kind": KIND[spec.type]}
        for (name, spec), family in zip(declared.items(), families, strict=False)
    }
    text = json.dumps(merge({"outcomes": {"won": ["won"]}}, data))
    return read_project(
        write_project(folder, data=text, signals=signals, training={"horizon_days": None})
    )


@settings(max_examples=25, deadline=None)
@given(histories(), st.lists(st.sampled_from(FAMILIES), min_size=4, max_size=4))
def test_both_readers_say_the_same_of_every_lead_and_so_does_sqlite(history, families):
    declared, raw = history
    rows = [{"LEAD ID": f"{i}", "OUTCOME": "won", **row} for i, row in enumerate(raw)]
    with tempfile.TemporaryDirectory() as folder:
        project = project_of(Path(folder), declared, families)
        write_leads(Path(folder), [*rows, {**dict.fromkeys(rows[0], ""), "LEAD ID": "blank"}])
        tables = ingest(project)
    snapshots = take_snapshots(tables.leads, [0.0])
    frame = read_history(project.catalog, snapshots, History(tables.leads))
    by_history = {
        lead_id: {column: plain(value) for column, value in row.items()}
        for lead_id, row in zip(
            snapshots["lead_id"].to_pylist(), frame.to_dict("records"), strict=True
        )
    }
    reader = LiveReader(project.catalog)
    for row in rows:
        if row["LEAD ID"] in by_history:
            assert reader.read_signals(row) == by_history[row["LEAD ID"]]
        else:
            with pytest.raises(ValueError, match=r"^\w+: "):
                reader.read_signals(row)
    assert reader.read_signals({}) == by_history["blank"]
    check_sqlite(project.catalog, snapshots, tables.leads)


TRICKY = (
    "ES", " ES ", "Espan\u0303a", "España", "", "  ", "n/a", " N/A ", "-", "1", "001", "12", "1e3",
    "3,5", "3.5", "-0", "1e999", "inf", "nan", "1_000", "0.1", "yes", "NO", "Sí", "true", "0",
    "x" * 10_001, "a\0b", 'say "so"', "it's; --",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["text", "number", "flag"])
@pytest.mark.parametrize("missing", [(), ("n/a", "-", "12", "yes")])
@pytest.mark.parametrize("decimal", [".", ","])
def test_both_readers_say_the_same_of_every_tricky_text(tmp_path, kind, missing, decimal):
    spec = FieldSpec(type=kind, missing=missing, decimal=decimal)
    project = project_of(tmp_path, {"it": spec}, ["web"])
    rows = [{"LEAD ID": str(i), "OUTCOME": "won", "it": text} for i, text in enumerate(TRICKY)]
    write_leads(tmp_path, rows)
    tables = ingest(project)
    frame = read_history(
        project.catalog, take_snapshots(tables.leads, [0.0]), History(tables.leads)
    )
    kept = dict(zip(tables.leads["lead_id"].to_pylist(), frame["web__it"], strict=True))
    assert len(kept) + len(tables.rejects) == len(TRICKY)
    reader = LiveReader(project.catalog)
    for row in rows:
        if row["LEAD ID"] in kept:
            assert reader.read_signals(row) == {"web__it": plain(kept[row["LEAD ID"]])}
        else:
            with pytest.raises(ValueError, match=r"^it: "):
                reader.read_signals(row)


def check_sqlite(catalog, snapshots, leads):
    """Run the history reader's text on SQLite and on DuckDB; expect the same rows."""
    text = signals_sql(catalog)
    header, found = run_on_sqlite(text, {"snapshots": snapshots, "leads": leads})
    table = run_sql(text, {"snapshots": snapshots, "leads": leads})
    assert table.column_names == header == ["snapshot_id", *catalog.columns]
    assert [tuple(row.values()) for row in table.to_pylist()] == found


def test_the_demo_kind_of_leads_read_the_same_at_several_ages(tmp_path):
    folder = write_project(
        tmp_path, signals=AGED, training={"snapshots": {"ages_days": [0, 7, 30]}}
    )
    raw = make_leads(120)
    raw[5]["country"], raw[6]["employees"] = "it's", None
    write_leads(folder, raw)
    project = read_project(folder)
    tables = ingest(project)
    snapshots = take_snapshots(tables.leads, project.training.snapshots.ages)
    frame = read_history(project.catalog, snapshots, History(tables.leads))
    assert len(frame) == 360
    reader, by_id = LiveReader(project.catalog), {row["lead_id"]: row for row in raw}
    for at, row in zip(snapshots.to_pylist(), frame.to_dict("records"), strict=True):
        found = reader.read_signals(
            by_id[at["lead_id"]], as_of_us=at["as_of_us"], created_us=at["created_us"]
        )
        assert {k: plain(v) for k, v in row.items()} == found
        assert found["demographic__age"] == at["age_days"]
    check_sqlite(project.catalog, snapshots, tables.leads)


@pytest.mark.parametrize("number", [0.1, 1e300, -1e300, 5e-324, 1 / 3, 123456789.123456789])
def test_numbers_come_through_the_engine_to_the_last_bit(number):
    leads = pa.table({"lead_id": ["a"], "x": [number]})
    frame = read_history(
        make_catalog(x=FieldSpec(type="number")), one_snapshot_each(leads), History(leads)
    )
    assert frame["web__x"].tolist() == [number]


@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_number_of_a_request_that_means_missing_is_missing(tmp_path, kind):
    """pdays "999" is blank in the file that teaches, so 999 in a request must be blank too."""
    spec = {"leads": {"fields": {"employees": {"type": "number", "missing": ["999"]}}}}
    folder = write_project(tmp_path, data=spec)
    write_leads(folder, [lead("a", employees=999), lead("b", employees=3)])
    project = read_project(folder)
    assert ingest(project).leads["employees"].to_pylist() == [None, 3.0]
    value = {"int": int, "float": float}[kind](999)
    live = LiveReader(project.catalog).read_signals({"employees": value})
    assert live["firmographic__employees"] is None


def test_names_that_need_it_are_quoted():
    """Names come from a narrow pattern; should one slip through, it is a name and no SQL."""
    odd = 'x" FROM leads; DROP TABLE leads --'
    leads = pa.table({"lead_id": ["a"], odd: [1.0]})
    catalog = make_catalog(**{odd: FieldSpec(type="number")})
    frame = read_history(catalog, one_snapshot_each(leads), History(leads))
    assert frame.to_dict("records") == [{f"web__{odd}": 1.0}]
    assert '"x"" FROM leads; DROP TABLE leads --"' in signals_sql(catalog)
    check_sqlite(catalog, one_snapshot_each(leads).select(["snapshot_id", "lead_id"]), leads)


def test_a_column_names_its_family():
    for family in FAMILIES:
        signal = Signal(name="a_b", declaration=ProfileSignal(family=family, kind="flag"))
        assert signal.column == f"{family}__a_b"
