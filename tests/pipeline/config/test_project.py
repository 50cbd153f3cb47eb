"""A project's configuration: closed, typed, and all mistakes told at once."""

import shutil
from pathlib import Path

import pytest
from support.projects import (
    DATA,
    ORDERED_BY_ROW,
    SIGNALS,
    WITHOUT_TIMES,
    lead,
    merge,
    us,
    write_leads,
    write_project,
)

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import columns_used, read_project
from leadscore.pipeline.config.yaml_io import read_yaml
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.values.times import read_moment


def mistakes(folder):
    """Return the lines of the ConfigError that a project meets."""
    with pytest.raises(ConfigError) as caught:
        read_project(folder)
    return str(caught.value).splitlines()


def only_mistake(folder):
    lines = mistakes(folder)
    assert len(lines) == 1, lines
    return lines[0]


def signal(name, **declaration):
    """Return the default signals and one more."""
    return {**SIGNALS, name: {"family": "web", "kind": "number", **declaration}}


def test_a_project_reads_with_every_default_filled_in(tmp_path):
    project = read_project(write_project(tmp_path / "shop"))
    assert project.name == "shop"
    assert project.catalog.columns == [
        "demographic__country", "firmographic__employees", "email__newsletter",
    ]  # fmt: skip
    assert project.leads_path == tmp_path / "shop" / "leads.csv"
    resolved = project.resolved()
    assert resolved["data"]["max_reject_share"] == 0.05
    assert resolved["training"]["snapshots"] == {
        "ages_days": [0.0],
        "every_days": None,
        "until_days": None,
    }
    nothing = {"fit": None, "engagement": None}
    assert resolved["bands"] == {
        "mql": 0.2, "sql": 0.5, "hysteresis": 0.0, "by": None, "overrides": {},
        "minimums": {"mql": nothing, "sql": nothing},
    }  # fmt: skip


def test_mistakes_in_all_four_files_are_told_at_once_each_with_file_and_key(tmp_path):
    folder = write_project(
        tmp_path,
        data={"max_reject_share": 2, "leads": {"delimeter": ";"}},
        signals={
            "country": {"family": "demografic", "kind": "category"},
            "employees": {"family": "firmographic"},
        },
        training={"seed": -1, "horizon_days": "sixty"},
        bands={"mql": 0.6},
    )
    lines = mistakes(folder)
    told = {line.split(": ")[0].rsplit("/", 1)[1] + ": " + line.split(": ")[1] for line in lines}
    assert told == {
        "data.yaml: max_reject_share",
        "data.yaml: leads.delimeter",
        "signals.yaml: country.family",
        "signals.yaml: employees.kind",
        "training.yaml: seed",
        "training.yaml: horizon_days",
        "bands.yaml: the whole file",
    }
    assert all(line.startswith(str(folder.resolve())) for line in lines)
    text = "\n".join(lines)
    assert "found 'demografic'" in text
    assert "found 'sixty'" in text
    assert "mql (0.6) must lie below sql (0.5)" in text
    assert "employees.kind: this key is needed and absent" in text


def test_mistakes_between_files_are_told_at_once_too(tmp_path):
    signals = {**signal("visits"), "employees": {"family": "web", "kind": "flag"}}
    training = {"split": {"cut": "2025-01-01T00:00:00Z", "later": None}}
    folder = write_project(tmp_path, data=ORDERED_BY_ROW, signals=signals, training=training)
    text = "\n".join(mistakes(folder))
    assert "signals.yaml: visits: data.yaml has no field 'visits'" in text
    assert "signals.yaml: employees: a flag reads a field of type flag, found number" in text
    assert "training.yaml: horizon_days: needs closing times" in text
    assert "training.yaml: split.cut: a moment needs leads.created" in text


# Keys


@pytest.mark.parametrize(
    ("change", "key", "meant"),
    [
        ({"extrakted_at": "x"}, "extrakted_at", "extracted_at"),
        ({"leads": {"delimeter": ";"}}, "leads.delimeter", "delimiter"),
        ({"outcomes": {"wonn": ["a"]}}, "outcomes.wonn", "won"),
        ({"leads": {"created": {"formt": "iso"}}}, "leads.created.formt", "format"),
        ({"leads": {"fields": {"country": {"tpye": "text"}}}}, "leads.fields.country.tpye", "type"),
    ],
)
def test_an_unknown_key_is_a_mistake_with_a_suggestion(tmp_path, change, key, meant):
    line = only_mistake(write_project(tmp_path, data=change))
    assert f"data.yaml: {key}: unknown key; did you mean {meant!r}?" in line


def test_an_unknown_key_of_a_signal_is_a_mistake_with_a_suggestion(tmp_path):
    signals = {"size": {"family": "web", "kind": "number", "feild": "employees"}}
    lines = mistakes(write_project(tmp_path, signals=signals))
    assert any("size.feild: unknown key; did you mean 'field'?" in line for line in lines)


def test_an_unknown_key_like_no_other_is_met_with_the_known_ones(tmp_path):
    line = only_mistake(write_project(tmp_path, bands={"zzz": 1}))
    assert "zzz: unknown key; known are by, hysteresis, minimums, mql, overrides, sql" in line


def test_a_key_that_stands_twice_is_a_mistake_with_its_line(tmp_path):
    folder = write_project(tmp_path, bands="mql: 0.1\nsql: 0.3\nmql: 0.2\n")
    line = only_mistake(folder)
    assert "bands.yaml" in line
    assert "line 3: the key 'mql' is there twice" in line


def test_a_key_that_stands_twice_further_in_is_a_mistake_too(tmp_path):
    twice = "country: {family: web, kind: number, family: email}\n"
    assert "'family' is there twice" in "\n".join(mistakes(write_project(tmp_path, signals=twice)))


# Files


def test_the_hysteresis_of_bands_is_read_and_less_than_the_lowest_cutoff(tmp_path):
    project = read_project(write_project(tmp_path, bands={"hysteresis": 0.05}))
    assert project.bands.hysteresis == 0.05
    line = only_mistake(write_project(tmp_path / "high", bands={"hysteresis": 0.2}))
    assert "bands.yaml" in line
    assert "hysteresis (0.2) must be less than mql (0.2)" in line


@pytest.mark.parametrize("name", ["data", "signals", "training", "bands"])
def test_a_missing_file_is_one_mistake(tmp_path, name):
    folder = write_project(tmp_path)
    (folder / f"{name}.yaml").unlink()
    line = only_mistake(folder)
    assert f"{name}.yaml: no such file" in line


@pytest.mark.parametrize("name", ["data", "signals", "training", "bands"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [1\n", "not valid YAML"), ("- a\n", "a mapping of keys is expected, found list"),
        ("just text", "found str"), ("a: !!python/object:os.system x\n", "not valid YAML"),
        ("a: !!int abc\n", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_no_mapping_in_yaml_is_one_line(tmp_path, name, content, said):
    line = only_mistake(write_project(tmp_path, **{name: content}))
    assert f"{name}.yaml" in line
    assert said in line


def test_lists_within_lists_without_end_are_one_line(tmp_path):
    assert "not valid YAML" in only_mistake(write_project(tmp_path, bands="[" * 1200))


def test_a_file_of_another_encoding_is_a_mistake(tmp_path):
    folder = write_project(tmp_path)
    (folder / "bands.yaml").write_bytes("mql: 0.1  # año\nsql: 0.3\n".encode("latin-1"))
    assert "bands.yaml: cannot be read" in only_mistake(folder)


def test_an_empty_file_lacks_its_keys_and_training_has_a_default_for_each(tmp_path):
    folder = write_project(tmp_path, data=WITHOUT_TIMES, training="", bands="")
    lines = mistakes(folder)
    assert [line.split(": ")[1] for line in lines] == ["mql", "sql"]
    assert "no signal is declared" in only_mistake(write_project(tmp_path / "b", signals=""))


def test_a_folder_or_project_that_does_not_exist_is_met_with_the_shipped_ones(tmp_path):
    assert find_project(str(tmp_path)) == tmp_path
    assert find_project("demo").name == "demo"
    with pytest.raises(ConfigError, match=r"nowhere: no such folder.*bank_marketing.*demo"):
        find_project("nowhere")


# The surprises of YAML 1.1


def test_yes_no_on_off_and_dates_stay_text(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "won: [yes, On, y]\nlost: [no, off, NO]\nday: 2025-01-31\nflag: true\nis: False\n"
    )
    assert read_yaml(path) == {
        "won": ["yes", "On", "y"],
        "lost": ["no", "off", "NO"],
        "day": "2025-01-31",
        "flag": True,
        "is": "False",
    }


def test_yes_and_no_unquoted_are_the_words_of_the_outcome(tmp_path):
    data = """
leads: {file: leads.csv, id: lead_id, fields: {country: {}}}
outcomes: {column: status, won: [yes], lost: [no]}
"""
    signals = {"country": SIGNALS["country"]}
    folder = write_project(tmp_path, data=data, signals=signals, training={"horizon_days": None})
    write_leads(folder, [lead("a", status="yes"), lead("b", status="no"), lead("c", status="on")])
    tables = ingest(read_project(folder))
    assert tables.outcomes["status"].to_pylist() == ["won", "lost", "open"]


@pytest.mark.parametrize("word", ["1", "0", "42"])
def test_whole_numbers_unquoted_are_words_by_their_digits(tmp_path, word):
    data = f"""
leads: {{file: leads.csv, id: lead_id, fields: {{country: {{missing: [{word}]}}}}}}
outcomes: {{column: status, won: [{word}]}}
"""
    signals = {"country": SIGNALS["country"]}
    project = read_project(
        write_project(tmp_path, data=data, signals=signals, training={"horizon_days": None})
    )
    assert project.data.outcomes.won == (word,)
    assert project.catalog.fields["country"].missing == (word,)


@pytest.mark.parametrize("word", ["01", "010", "0x1F", "1_000", "12:30"])
def test_no_word_is_read_as_a_number_that_is_written_otherwise(tmp_path, word):
    """YAML 1.1 reads 010 as eight and 12:30 as 750; the word of the file would never be found."""
    path = tmp_path / "a.yaml"
    path.write_text(f"won: [{word}]\n")
    assert read_yaml(path) == {"won": [word]}


@pytest.mark.parametrize("word", [True, 1.5, None, ["a"]])
def test_other_values_are_no_words(tmp_path, word):
    line = mistakes(write_project(tmp_path, data={"outcomes": {"won": [word]}}))[0]
    assert "outcomes.won.0: " in line


def test_true_is_no_number(tmp_path):
    folder = write_project(tmp_path, training={"seed": True, "horizon_days": False})
    lines = mistakes(folder)
    assert len(lines) == 2
    assert all("a number is expected" in line for line in lines)


# Fields and signals


def test_a_signal_of_a_field_that_is_not_there_is_a_mistake_with_a_suggestion(tmp_path):
    line = only_mistake(write_project(tmp_path, signals=signal("size", field="employes")))
    assert "size: data.yaml has no field 'employes'; did you mean 'employees'?" in line


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("country", "number"), ("country", "flag"), ("employees", "category"),
        ("employees", "flag"), ("newsletter", "number"), ("newsletter", "category"),
    ],
)  # fmt: skip
def test_a_signal_of_another_kind_than_its_field_is_a_mistake(tmp_path, field, kind):
    line = only_mistake(write_project(tmp_path, signals=signal("it", field=field, kind=kind)))
    assert f"it: a {kind} reads a field of type" in line


@pytest.mark.parametrize(
    "name",
    ["Visits", "2visits", "my-visits", "web__visits", "a b", 'a"b', "a;drop", "ñ", "", "a\n"],
)
def test_a_signal_has_a_plain_name(tmp_path, name):
    folder = write_project(tmp_path, signals=signal(name, field="employees"))
    assert "cannot be the name of a signal" in only_mistake(folder)


@pytest.mark.parametrize(
    "name", ["Visits", "2visits", "my-visits", "a b", 'a"b', "a;drop", "ñ", ""]
)
def test_a_field_has_a_plain_name(tmp_path, name):
    folder = write_project(tmp_path, data={"leads": {"fields": {name: {}}}})
    assert "data.yaml: leads.fields" in only_mistake(folder)


@pytest.mark.parametrize(
    "name", ["lead_id", "created_us", "arrival", "line", "status", "closed_us"]
)
def test_a_field_cannot_take_the_name_of_a_column_of_ours(tmp_path, name):
    """Or a field `status` (of marriage, say) takes the place of the outcome without a word."""
    folder = write_project(
        tmp_path,
        data={"leads": {"fields": {name: {"column": "country"}}}},
        signals={"it": {"family": "web", "kind": "category", "field": name}},
    )
    assert name in only_mistake(folder)


def test_a_column_both_used_and_left_out_is_a_mistake(tmp_path):
    line = only_mistake(write_project(tmp_path, data={"excluded": {"country": "a leak"}}))
    assert "excluded: 'country' is also a field" in line


def test_a_text_that_is_both_won_and_lost_is_a_mistake(tmp_path):
    line = only_mistake(write_project(tmp_path, data={"outcomes": {"lost": ["lost", "won"]}}))
    assert "won is listed under both won and lost" in line


def test_texts_that_mean_missing_everywhere_join_those_of_each_field(tmp_path):
    data = {"leads": {"missing": ["Select"], "fields": {"country": {"missing": ["??", "Select"]}}}}
    fields = read_project(write_project(tmp_path, data=data)).catalog.fields
    assert fields["country"].missing == ("Select", "??")
    assert fields["employees"].missing == ("Select",)


# Sensitive fields


def with_field(folder, name, config, **training):
    signals = {**SIGNALS, "it": {"family": "demographic", "kind": "category", "field": name}}
    data = {"leads": {"fields": {name: config}}}
    return write_project(folder, data=data, signals=signals, training=training)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("city", {"sensitive": True}),
        ("marital", {}),
        ("nationality", {}),
        ("sexo", {}),
        ("group_a", {"column": "Marital Status"}),
        ("group_b", {"column": "DATE OF BIRTH"}),
        ("group_c", {"column": "date-of-birth "}),
        ("group_d", {"column": "Género"}),
    ],
)
def test_a_sensitive_field_is_refused_unless_allowed(tmp_path, name, config):
    line = only_mistake(with_field(tmp_path / "a", name, config))
    assert f"it: reads the sensitive field {name!r}" in line
    assert "allow_sensitive: true" in line
    project = read_project(with_field(tmp_path / "b", name, config, allow_sensitive=True))
    assert "demographic__it" in project.catalog.columns


@pytest.mark.parametrize("name", ["package", "sextant", "image", "race_type"])
def test_names_that_only_hold_a_sensitive_word_are_not_sensitive(tmp_path, name):
    assert read_project(with_field(tmp_path, name, {})).catalog.fields[name].type == "text"


def test_a_sensitive_field_that_no_signal_reads_is_no_mistake(tmp_path):
    data = {"leads": {"fields": {"age": {"type": "number"}}}}
    assert "age" not in read_project(write_project(tmp_path, data=data)).catalog.fields


# Times, horizon and split


@pytest.mark.parametrize(
    ("data", "training", "said"),
    [
        ({"outcomes": {"closed": None}}, {}, "horizon_days: needs closing times"),
        ({}, {"horizon_days": None}, "horizon_days: this key is needed because data.yaml has"),
        ({}, {"horizon_days": 0}, "horizon_days: Input should be greater than or equal to"),
        ({}, {"split": {"gap": 5}}, "split.gap: only for leads with arrival numbers"),
        ({}, {"split": {"later": None}}, "give either `cut`"),
        ({}, {"split": {"cut": "2025-06-01T00:00:00Z"}}, "give either `cut`"),
        ({}, {"split": {"later": None, "cut": "2025-06-01"}}, "for example 2025-06-01T00:00:00Z"),
        ({}, {"split": {"later": None, "cut": "2025-06-01T00:00:00"}}, "names no zone"),
        ({}, {"split": {"later": 2.5}}, "a share below 1 or a whole number"),
        ({}, {"snapshots": {"ages_days": []}}, "snapshots.ages_days"),
        ({}, {"snapshots": {"ages_days": [0, -1]}}, "snapshots.ages_days.1"),
        ({"extracted_at": "2025-12-31"}, {}, "extracted_at: '2025-12-31' names no time"),
        ({"leads": {"created": {"zone": "Europe/Atlantis"}}}, {},
         "leads.created.zone: 'Europe/Atlantis' is no time zone"),
        ({"outcomes": {"closed": {"zone": "../etc"}}}, {}, "outcomes.closed.zone"),
        ({"leads": {"order": "#row"}}, {}, "not both"),
        (ORDERED_BY_ROW, {"horizon_days": None, "snapshots": {"ages_days": [0, 7]}},
         "ages need leads.created"),
        (WITHOUT_TIMES,
         {"horizon_days": None, "split": {"later": None, "cut": "2025-06-01T00:00:00Z"}},
         "split.cut: a moment needs leads.created"),
        ({"leads": {"created": None}}, {}, "outcomes.closed: closing times need creation times"),
    ],
)  # fmt: skip
def test_times_that_do_not_go_together_are_one_mistake(tmp_path, data, training, said):
    assert said in only_mistake(write_project(tmp_path, data=data, training=training))


def test_a_cut_a_gap_or_no_time_at_all_are_fine_where_they_belong(tmp_path):
    cut = {"split": {"later": None, "cut": "2025-06-01T00:00:00Z"}}
    assert read_project(write_project(tmp_path / "a", training=cut)).training.split.later is None
    undated = {"horizon_days": None, "split": {"gap": 3}}
    read_project(write_project(tmp_path / "b", data=ORDERED_BY_ROW, training=undated))
    read_project(write_project(tmp_path / "c", data=WITHOUT_TIMES, training={"horizon_days": None}))


def test_a_moment_names_its_zone():
    assert read_moment("2025-01-01T01:00:00+01:00") == us("2025-01-01T00:00:00Z")
    for text in ("2025-01-01", "2025-01-01T00:00:00", "soon", " "):
        with pytest.raises(ValueError, match=r"zone|time"):
            read_moment(text)


# Where a project lies


def test_a_moved_project_is_the_same_project(tmp_path):
    folder = write_project(tmp_path / "here" / "shop", data={"folder": "../data"})
    before = read_project(folder)
    assert before.leads_path == tmp_path / "here" / "data" / "leads.csv"
    shutil.move(folder, tmp_path / "shop")
    after = read_project(tmp_path / "shop")
    assert (after.name, after.resolved()) == (before.name, before.resolved())
    assert str(tmp_path) not in str(after.resolved())
    elsewhere = write_project(tmp_path / "shop", data={"folder": "/somewhere/else"})
    assert read_project(elsewhere).resolved() == before.resolved()


def test_a_relative_path_has_the_name_of_the_folder_too(tmp_path, monkeypatch):
    monkeypatch.chdir(write_project(tmp_path / "shop"))
    assert read_project(Path()).name == "shop"


def test_another_data_folder_replaces_the_configured_one(tmp_path):
    project = read_project(write_project(tmp_path / "shop"), data=tmp_path / "other")
    assert project.leads_path == tmp_path / "other" / "leads.csv"


@pytest.mark.parametrize(
    "change",
    [{"max_reject_share": 0.1}, {"leads": {"encoding": "latin-1"}}, {"outcomes": {"lost": []}}],
)
def test_another_configuration_resolves_otherwise(tmp_path, change):
    before = read_project(write_project(tmp_path / "a")).resolved()
    assert read_project(write_project(tmp_path / "b", data=change)).resolved() != before


def test_each_column_has_one_use(tmp_path):
    used = columns_used(read_project(write_project(tmp_path)).data)
    assert used == {
        "lead_id": "id", "created_at": "created", "status": "outcome", "closed_at": "closed",
        "country": "field country", "employees": "field employees",
        "newsletter": "field newsletter",
    }  # fmt: skip
    assert "#row" not in columns_used(
        read_project(
            write_project(
                tmp_path,
                data=merge(ORDERED_BY_ROW, {"leads": {"id": "#row"}}),
                training={"horizon_days": None},
            )
        ).data
    )


@pytest.mark.parametrize("name", ["demo", "x_education", "bank_marketing"])
def test_every_project_that_comes_with_the_product_reads_without_a_mistake(name):
    project = read_project(find_project(name))
    assert project.name == name
    assert len(project.catalog.columns) >= 10
    assert project.data.excluded


def test_the_helper_leaves_its_defaults_alone(tmp_path):
    before = repr(DATA)
    write_project(tmp_path, data={"leads": {"fields": {"country": {"type": "flag"}}}})
    assert repr(DATA) == before


@pytest.mark.parametrize("column", ["status", "closed_at", "lead_id"])
def test_nothing_may_be_learned_from_the_outcome_or_the_id(tmp_path, column):
    fields = {"country": {"column": column}, "employees": {"type": "number"}}
    folder = write_project(tmp_path / "mine", data={"leads": {"fields": fields}})
    with pytest.raises(ConfigError, match="no signal may learn from that"):
        read_project(folder)
