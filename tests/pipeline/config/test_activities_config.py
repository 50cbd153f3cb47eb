"""Activities, changes, deals and ages in the configuration: each mistake is one line."""

import pytest
from support.projects import AGED, ORDERED_BY_ROW, SIGNALS, WITHOUT_TIMES, merge, write_project

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import ConfigError

VISITS = {
    "file": "visits.csv",
    "lead": "lead_id",
    "kind": "kind",
    "occurred": {"column": "at"},
    "properties": {"page": {}, "seconds": {"type": "number"}, "clicked": {"type": "flag"}},
}
CHANGES = {
    "file": "changes.csv", "lead": "lead_id", "field": "field", "old": "old", "new": "new",
    "recorded": {"column": "at"}, "fields": {"Country": "country"},
}  # fmt: skip
DEALS = {"file": "deals.csv", "lead": "lead_id"}
UNDATED = {"horizon_days": None}


def only_mistake(folder):
    """Return the one line of the ConfigError that a project meets."""
    with pytest.raises(ConfigError) as caught:
        read_project(folder)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def with_visits(folder, *, signal=None, data=None, **change):
    """Write a project with a file of activities, changed, and perhaps one signal of activities."""
    data = merge({"activities": [merge(VISITS, change)]}, data or {})
    signals = SIGNALS if signal is None else {**SIGNALS, "it": {"family": "web", **signal}}
    return write_project(folder, data=data, signals=signals)


def counting(**filters):
    return {"kind": "count", **filters}


def test_a_project_with_activities_changes_and_deals_reads(tmp_path):
    data = {"activities": [VISITS], "changes": CHANGES, "outcomes": DEALS}
    signals = {**SIGNALS, "it": {"family": "web", **counting(activity="visit")}}
    project = read_project(write_project(tmp_path, data=data, signals=signals))
    (source,) = project.data.activities
    assert source.columns == ["lead_id", "kind", "at", "page", "seconds", "clicked"]
    assert project.catalog.reads_activities
    assert project.catalog.changing == ("country",)
    assert project.catalog.properties == {}, "none is read"
    assert project.data.day_offset_hours == 0.0
    assert project.training.settle_days == 0.0


def test_the_catalogue_has_the_properties_that_signals_read_and_no_others(tmp_path):
    signal = {"kind": "sum", "property": "seconds", "where": {"page": "/pricing"}}
    catalog = read_project(with_visits(tmp_path, signal=signal)).catalog
    assert {name: spec.type for name, spec in catalog.properties.items()} == {
        "page": "text", "seconds": "number",
    }  # fmt: skip


# Keys of data.yaml


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"activities": [{**VISITS, "occured": "x"}]},
         "activities.0.occured: unknown key; did you mean 'occurred'?"),
        ({"activities": [VISITS, {**VISITS, "leed": "x"}]},
         "activities.1.leed: unknown key; did you mean 'lead'?"),
        ({"activities": [merge(VISITS, {"properties": {"page": {"tpye": "text"}}})]},
         "activities.0.properties.page.tpye: unknown key; did you mean 'type'?"),
        ({"activities": [merge(VISITS, {"properties": {"Page": {}}})]},
         "activities.0.properties.Page"),
        ({"activities": [{key: VISITS[key] for key in ("file", "lead", "kind")}]},
         "activities.0.occurred: this key is needed and absent"),
        ({"changes": {**CHANGES, "feild": "x"}},
         "changes.feild: unknown key; did you mean 'field'?"),
        ({"changes": {**CHANGES, "fields": {}}}, "changes.fields"),
        ({"changes": {**CHANGES, "fields": {"Country": "Country"}}}, "changes.fields.Country"),
        ({"day_offset_hours": 25}, "day_offset_hours: Input should be less than or equal to 24"),
        ({"day_offset_hours": True}, "day_offset_hours: a number is expected, found true or false"),
        ({"leads": {"duplicate": 1}}, "leads.duplicate: unknown key; did you mean 'duplicates'?"),
    ],
)  # fmt: skip
def test_a_key_that_does_not_fit_is_one_mistake(tmp_path, data, said):
    assert f"data.yaml: {said}" in only_mistake(write_project(tmp_path, data=data))


@pytest.mark.parametrize("kind", [5, {"constnt": "visit"}, {"constant": True}])
def test_a_kind_that_does_not_fit_is_one_mistake(tmp_path, kind):
    folder = write_project(tmp_path, data={"activities": [{**VISITS, "kind": kind}]})
    assert "data.yaml: activities.0.kind" in only_mistake(folder)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"file": "deals.csv"}, "a file of deals needs both `file` and `lead`"),
        ({"lead": "lead_id"}, "a file of deals needs both `file` and `lead`"),
        ({**DEALS, "closed": None}, "a file of deals needs `closed`, the column of closing times"),
        ({**DEALS, "other_is": "lost"}, "`other_is: lost` is only for a column of the leads' own"),
        ({"closed": None, "recorded": {"column": "x"}}, "`recorded` and `since` need `closed`"),
        ({"closed": None, "since": "2025-01-01T00:00:00Z"}, "`recorded` and `since` need `closed`"),
    ],
)
def test_outcomes_that_do_not_go_together_are_one_mistake(tmp_path, outcomes, said):
    line = only_mistake(write_project(tmp_path, data={"outcomes": outcomes}))
    assert "data.yaml: outcomes: " in line
    assert said in line


def test_the_outcome_column_of_a_file_of_deals_is_no_column_of_the_leads(tmp_path):
    """A field may then be called as the outcome is; where both are one file, it may not."""
    fields = {"leads": {"fields": {"country": {"column": "status"}}}}
    read_project(write_project(tmp_path / "a", data=merge({"outcomes": DEALS}, fields)))
    same = {"outcomes": {**DEALS, "file": "leads.csv"}}
    line = only_mistake(write_project(tmp_path / "b", data=merge(same, fields)))
    assert "leads.fields.country: reads the column of the outcome" in line


# Times


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"activities": [VISITS, merge(VISITS, {"occurred": {"zone": "Mars/Base"}})]},
         "activities.1.occurred.zone: 'Mars/Base' is no time zone; a name such as Europe/Madrid"),
        ({"activities": [{**VISITS, "recorded": {"column": "x", "zone": "Mars/Base"}}]},
         "activities.0.recorded.zone: 'Mars/Base' is no time zone"),
        ({"changes": merge(CHANGES, {"recorded": {"zone": "Mars/Base"}})},
         "changes.recorded.zone: 'Mars/Base' is no time zone"),
        ({"outcomes": {"recorded": {"column": "x", "zone": "Mars/Base"}}},
         "outcomes.recorded.zone: 'Mars/Base' is no time zone"),
        ({"outcomes": {"since": "2025-01-01"}}, "outcomes.since: '2025-01-01' names no time and"),
        ({"outcomes": {"since": "2025-01-01T00:00:00"}}, "outcomes.since: "),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_one_mistake(tmp_path, data, said):
    assert f"data.yaml: {said}" in only_mistake(write_project(tmp_path, data=data))


@pytest.mark.parametrize("undated", [WITHOUT_TIMES, ORDERED_BY_ROW])
@pytest.mark.parametrize("there", [{"activities": [VISITS]}, {"changes": CHANGES}])
def test_activities_and_changes_need_the_time_of_creation(tmp_path, undated, there):
    folder = write_project(tmp_path, data=merge(undated, there), training=UNDATED)
    (key,) = there
    said = f"data.yaml: {key}: need leads.created, because they are read as of a moment"
    assert said in only_mistake(folder)


# Properties


@pytest.mark.parametrize(
    "name", ["kind", "lead_id", "place", "day", "cell", "age_us", "activity_id", "recorded_us"]
)
def test_a_property_cannot_take_the_name_of_a_column_of_ours(tmp_path, name):
    said = f"activities.0.properties.{name}: this name is reserved; choose another name, with "
    assert f"{said}column: {name}" in only_mistake(with_visits(tmp_path, properties={name: {}}))
    change = {"properties": {name: {"column": "Their name"}}}
    assert f"{said}column: Their name" in only_mistake(with_visits(tmp_path, **change))


def test_a_property_is_read_in_one_way_in_all_files(tmp_path):
    other = {**VISITS, "properties": {"page": {"column": "url"}, "seconds": {}}}
    folder = write_project(tmp_path, data={"activities": [VISITS, other]})
    assert (
        "activities.1.properties.seconds: another file declares it in another way; give one of "
        "them another name"
    ) in only_mistake(folder)


# Signals of activities


def test_a_signal_of_activities_needs_some(tmp_path):
    signals = {**SIGNALS, "it": {"family": "web", **counting()}}
    line = only_mistake(write_project(tmp_path, signals=signals))
    assert "signals.yaml: it: a count reads activities, and data.yaml has none" in line


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (counting(where={"url": "x"}),
         "where.url: no such property of activities; known: page, seconds, clicked"),
        (counting(where={"page": {"min": 1}}), "min and max need a property of type number, found"),
        (counting(where={"clicked": {"max": 1}}), "min and max need a property of type number"),
        (counting(where={"seconds": "long"}), "where.seconds: 'long' where a number is expected"),
        (counting(where={"clicked": "perhaps"}), "where.clicked: 'perhaps' where a flag is"),
        (counting(where={"page": ["a", " "]}), "where.page: one of the values is blank"),
        (counting(activity=" "), "activity: a kind is blank"),
        ({"kind": "rate", "part": {}, "whole": {"where": {"url": "x"}}}, "where.url: no such"),
        ({"kind": "rate", "part": {"where": {"url": "x"}}, "whole": {}}, "where.url: no such"),
        ({"kind": "sum", "property": "second"},
         "property: activities have no property 'second'; did you mean 'seconds'?"),
        ({"kind": "max", "property": "zzz"},
         "activities have no property 'zzz'; declare it under activities, properties"),
        ({"kind": "last", "property": "page"}, "a last needs a property of type number"),
        ({"kind": "sum", "property": "clicked"}, "needs a property of type number, found flag"),
        ({"kind": "first_touch", "property": "seconds"},
         "a first_touch needs a property of type text, found number"),
        ({"kind": "last_touch", "property": "url"}, "activities have no property 'url'"),
    ],
)  # fmt: skip
def test_a_signal_that_activities_cannot_feed_is_one_mistake(tmp_path, signal, said):
    line = only_mistake(with_visits(tmp_path, signal=signal))
    assert "signals.yaml: it" in line
    assert said in line


@pytest.mark.parametrize(
    "signal",
    [
        counting(where={"seconds": {"min": 1}, "page": ["a", "b"], "clicked": True}),
        counting(where={"seconds": [0, 1.5]}),
        {"kind": "sum", "property": "seconds"},
        {"kind": "last_touch", "property": "page"},
        {"kind": "first_touch"},
    ],
)
def test_signals_that_fit_their_activities_are_no_mistake(tmp_path, signal):
    assert read_project(with_visits(tmp_path, signal=signal)).catalog.reads_activities


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (counting(where={"seconds": {"min": 2, "max": 1}}), "min 2 must not be above max 1"),
        (counting(where={"seconds": {}}), "give a value, a list of values, or min and max"),
        (counting(where={"seconds": []}), "an empty list of values would match nothing"),
        (counting(window_days=0), "window_days"),
        (counting(window_days=40_000), "window_days"),
        (counting(activity=[]), "activity"),
        (counting(windw_days=1), "unknown key; did you mean 'window_days'?"),
        ({"kind": "decayed"}, "give either `half_life_days` or `linear_days`"),
        (
            {"kind": "decayed", "half_life_days": 1, "linear_days": 1},
            "give either `half_life_days`",
        ),
        ({"kind": "sum"}, "it.property: this key is needed and absent"),
        ({"kind": "rate", "part": {}}, "it.whole: this key is needed and absent"),
        ({"kind": "days_since", "window_days": 7}, "it.window_days: unknown key"),
    ],
)
def test_a_signal_that_does_not_fit_itself_is_one_mistake(tmp_path, signal, said):
    line = only_mistake(with_visits(tmp_path, signal=signal))
    assert "signals.yaml: it" in line
    assert said in line


def test_a_signal_cannot_count_what_data_yaml_leaves_out(tmp_path):
    left_out = {"contract": "the outcome itself", "fax": "nobody sends one", "call": "no"}
    signal = counting(activity=["call", "visit", "contract"])
    line = only_mistake(with_visits(tmp_path, signal=signal, excluded=left_out))
    assert "signals.yaml: reads activities that data.yaml excludes: call, contract" in line


def test_what_any_file_leaves_out_no_signal_counts_and_one_line_says_so(tmp_path):
    sources = [VISITS, {**VISITS, "excluded": {"contract": "the outcome itself"}}]
    rate = {"kind": "rate", "part": {"activity": "contract"}, "whole": {}}
    signals = {**SIGNALS, "it": {"family": "web", **rate}}
    folder = write_project(tmp_path, data={"activities": sources}, signals=signals)
    assert "excludes: contract" in only_mistake(folder)


def test_a_signal_cannot_count_what_is_left_out_in_other_letters_either(tmp_path):
    left_out = {"Gano\u0301": "the outcome itself"}
    folder = with_visits(tmp_path, signal=counting(activity="Gan\u00f3 "), excluded=left_out)
    assert "excludes" in only_mistake(folder)


# Changes


def test_changes_are_of_fields_that_are_there(tmp_path):
    changes = {**CHANGES, "fields": {"Country": "countri"}}
    line = only_mistake(write_project(tmp_path / "a", data={"changes": changes}))
    assert "changes.fields.Country: no such field, found 'countri'; did you mean 'country'?" in line
    changes = {**CHANGES, "fields": {"Phone": "phone"}}
    line = only_mistake(write_project(tmp_path / "b", data={"changes": changes}))
    assert "changes.fields.Phone: no such field, found 'phone'; declare it under leads" in line


def test_two_texts_cannot_mean_one_field_and_one_line_says_so(tmp_path):
    fields = {"Country": "country", "Size": "employees", "Land": "country", "Pais": "country"}
    folder = write_project(tmp_path, data={"changes": {**CHANGES, "fields": fields}})
    assert (
        "changes.fields: two texts mean the field 'country', which would mix their histories"
    ) in only_mistake(folder)


# Ages and settling


@pytest.mark.parametrize(
    ("snapshots", "said"),
    [
        ({"every_days": 7}, "`every_days` and `until_days` go together"),
        ({"until_days": 7}, "`every_days` and `until_days` go together"),
        ({"every_days": 7, "until_days": 28, "ages_days": [0]}, "give either `ages_days` or"),
        ({"ages_days": [0, 7, 7.0]}, "an age is listed twice"),
        ({"every_days": 1, "until_days": 1000}, "1001 ages; at most 1000 are allowed"),
        ({"every_days": 0, "until_days": 7}, "every_days"),
        ({"ages_days": [0, 40_000]}, "ages_days.1"),
    ],
)
def test_ages_that_do_not_fit_are_one_mistake(tmp_path, snapshots, said):
    folder = write_project(tmp_path, signals=AGED, training={"snapshots": snapshots})
    line = only_mistake(folder)
    assert "training.yaml: snapshots" in line
    assert said in line


def test_a_single_age_that_does_not_fit_is_one_mistake(tmp_path):
    line = only_mistake(write_project(tmp_path, training={"snapshots": {"ages_days": [40_000]}}))
    assert "training.yaml: snapshots.ages_days.0" in line


@pytest.mark.parametrize(
    ("snapshots", "ages"),
    [
        ({}, (0.0,)),
        ({"ages_days": [7, 0, 3.5]}, (0.0, 3.5, 7.0)),
        ({"every_days": 7, "until_days": 28}, (0.0, 7.0, 14.0, 21.0, 28.0)),
        ({"every_days": 7, "until_days": 27.9}, (0.0, 7.0, 14.0, 21.0)),
        ({"every_days": 0.1, "until_days": 0.3}, (0.0, 0.1, 0.2, 0.3)),
    ],
)
def test_ages_are_listed_or_counted_up_to_the_last_included(tmp_path, snapshots, ages):
    folder = write_project(tmp_path, signals=AGED, training={"snapshots": snapshots})
    assert read_project(folder).training.snapshots.ages == pytest.approx(ages)


def test_several_ages_need_a_signal_of_the_age(tmp_path):
    training = {"snapshots": {"ages_days": [0, 7]}}
    line = only_mistake(write_project(tmp_path / "a", training=training))
    assert "training.yaml: snapshots: 2 ages, but signals.yaml has no signal of kind" in line
    read_project(write_project(tmp_path / "b", training=training, signals=AGED))
    read_project(write_project(tmp_path / "c", training={"snapshots": {"ages_days": [7]}}))


def test_ages_and_the_age_of_a_lead_need_its_creation(tmp_path):
    training = {**UNDATED, "snapshots": {"ages_days": [7]}}
    folder = write_project(tmp_path / "a", data=WITHOUT_TIMES, training=training)
    assert "training.yaml: snapshots: ages need leads.created" in only_mistake(folder)
    folder = write_project(tmp_path / "b", data=WITHOUT_TIMES, training=UNDATED, signals=AGED)
    assert "signals.yaml: age: the age of a lead needs leads.created" in only_mistake(folder)


def test_the_time_to_settle_needs_closing_times(tmp_path):
    training = {**UNDATED, "settle_days": 3}
    folder = write_project(tmp_path / "a", data=WITHOUT_TIMES, training=training)
    assert "training.yaml: settle_days: needs closing times" in only_mistake(folder)
    folder = write_project(tmp_path / "b", training={"settle_days": -1})
    assert "training.yaml: settle_days" in only_mistake(folder)
    assert read_project(write_project(tmp_path / "c", training={"settle_days": 3}))


# Variants


def variant(folder, *names, **parts):
    """Write a project shop and a variant of it, weekly, that has only these files."""
    write_project(folder / "shop")
    write_project(folder / "shop" / "weekly", **parts)
    for path in (folder / "shop" / "weekly").iterdir():
        if path.stem not in names:
            path.unlink()
    return folder / "shop" / "weekly"


def test_a_variant_takes_what_it_does_not_say_from_the_project_above(tmp_path):
    project = read_project(variant(tmp_path, "training", training={"horizon_days": 7}))
    assert project.name == "shop-weekly"
    assert project.training.horizon_days == 7
    assert project.leads_path == tmp_path / "shop" / "leads.csv", "beside the data.yaml above"
    assert project.catalog == read_project(tmp_path / "shop").catalog
    assert read_project(tmp_path / "shop").training.horizon_days == 60


def test_another_folder_of_data_serves_a_variant_too(tmp_path):
    project = read_project(variant(tmp_path, "training"), tmp_path / "elsewhere")
    assert project.leads_path == tmp_path / "elsewhere" / "leads.csv"


def test_a_mistake_of_a_variant_is_told_with_the_file_it_stands_in(tmp_path):
    folder = variant(tmp_path, "training", training={"seed": -1})
    assert only_mistake(folder).startswith(f"{folder}/training.yaml: seed")
    folder = variant(tmp_path / "b", "training")
    (folder.parent / "bands.yaml").write_text("mql: 0.9\nsql: 0.5\n")
    assert only_mistake(folder).startswith(f"{folder.parent}/bands.yaml: ")


def test_what_neither_has_is_missing_in_the_variant(tmp_path):
    folder = variant(tmp_path, "training")
    (folder.parent / "bands.yaml").unlink()
    assert only_mistake(folder).startswith(f"{folder}/bands.yaml")


def test_a_project_with_all_its_files_is_no_variant_whatever_lies_above(tmp_path):
    folder = variant(tmp_path, "data", "signals", "training", "bands", bands={"mql": 0.3})
    project = read_project(folder)
    assert (project.name, project.bands.mql) == ("weekly", 0.3)
    assert project.leads_path == folder / "leads.csv"


def test_an_empty_folder_is_no_variant(tmp_path):
    with pytest.raises(ConfigError, match=r"weekly/data\.yaml"):
        read_project(variant(tmp_path))


def test_a_variant_with_its_own_data_is_named_after_the_project_above_too(tmp_path):
    assert read_project(variant(tmp_path, "data")).name == "shop-weekly"


@pytest.mark.parametrize(
    ("where", "name", "age"), [("bpic2012", "bpic2012", 1.0), ("bpic2012/168h", "bpic2012-168h", 7)]
)
def test_the_project_of_activities_and_its_variant_come_with_the_product(where, name, age):
    project = read_project(find_project(where))
    assert (project.name, project.training.snapshots.ages) == (name, (age,))
    assert project.catalog.reads_activities
    assert set(project.data.outcomes.won) <= set(project.data.activities[0].excluded)
