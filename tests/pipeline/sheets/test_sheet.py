"""Rule sheets: what a row of a team's spreadsheet becomes, and what is said of a wrong one."""

import json

import pytest
from support.projects import SIGNALS, write_project

from leadscore.models.score_lead import Scorer
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.sheets.calibrate import _in_points
from leadscore.pipeline.sheets.criteria import to_shape
from leadscore.pipeline.sheets.sheet import find_sheet, read_sheet
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import DAY_US

CREATED = {"leads": {"created": {"column": "created_at"}}}
ACTIVITIES = {
    "activities": [
        {
            "file": "activities.csv",
            "lead": "lead_id",
            "kind": "kind",
            "occurred": {"column": "at"},
            "properties": {"page": {}},
        }
    ]
}
MADE = {
    **SIGNALS,
    "visits": {"family": "web", "kind": "count", "activity": "visit"},
    "age": {"family": "demographic", "kind": "lead_age"},
}


def write_sheet(folder, criteria, **more):
    write_project(folder, data=ACTIVITIES, signals=MADE)
    sheet = {"mql": 40, "sql": 100, **more, "criteria": criteria}
    (folder / "rules.yaml").write_text(json.dumps(sheet), encoding="utf-8")
    return read_project(folder)


def read_criterion(folder, **criterion):
    """The worths of one criterion: a function from the signal's value to points."""
    sheet = read_sheet(write_sheet(folder, {"row": criterion}))
    (rule,) = sheet.rules.values()
    return rule.shape.reader()


def mistakes_of(project):
    with pytest.raises(ConfigError) as caught:
        read_sheet(project)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("criterion", "worth"),
    [
        ({"signal": "country", "is": "ES", "points": 15}, {"ES": 15, "PT": 0, None: 0}),
        ({"signal": "country", "is": ["ES", "PT"], "points": 15}, {"ES": 15, "PT": 15, "FR": 0}),
        ({"signal": "country", "is_not": "ES", "points": -5}, {"ES": 0, "PT": -5, None: 0}),
        ({"signal": "country", "known": True, "points": 3}, {"ES": 3, None: 0}),
        ({"signal": "country", "known": False, "points": -3}, {"ES": 0, None: -3}),
        (
            {"signal": "country", "levels": {"ES": 10, "FR": -10}, "other": 1, "missing": -1},
            {"ES": 10, "FR": -10, "PT": 1, None: -1},
        ),
        ({"signal": "newsletter", "points": 10}, {1.0: 10, 0.0: 0, None: 0}),
        ({"signal": "newsletter", "is": "no", "points": -2}, {1.0: 0, 0.0: -2, None: 0}),
        ({"signal": "newsletter", "is_not": True, "points": -2}, {1.0: 0, 0.0: -2, None: 0}),
        (
            {"signal": "employees", "at_least": 50, "points": 10, "missing": -1},
            {49.9: 0, 50.0: 10, 1e9: 10, None: -1},
        ),
        ({"signal": "employees", "below": 10, "points": -5}, {9.9: -5, 10.0: 0}),
        (
            {"signal": "employees", "at_least": 10, "below": 50, "points": 5},
            {9.0: 0, 10.0: 5, 49.0: 5, 50.0: 0},
        ),
        ({"signal": "employees", "is": [1, 3], "points": 7}, {1.0: 7, 2.0: 0, 3.0: 7, 3.1: 0}),
        ({"signal": "employees", "is_not": 0, "points": 7}, {0.0: 0, 1.0: 7, -1.0: 7}),
        (
            {"signal": "employees", "steps": {"0": -10, "20": 0, "50": 10}},
            {-1.0: 0, 0.0: -10, 19.0: -10, 20.0: 0, 50.0: 10, 999.0: 10},
        ),
        (
            {"signal": "employees", "curve": {"0": 0, "100": 50}},
            {-5.0: 0, 0.0: 0, 50.0: 25, 100.0: 50, 500.0: 50},
        ),
        ({"signal": "visits", "each": 10}, {0.0: 0, 1.0: 10, 7.0: 70}),
        (
            {"signal": "visits", "each": 10, "up_to": 25},
            {0.0: 0, 1.0: 10, 2.0: 20, 3.0: 25, 99.0: 25},
        ),
        ({"signal": "visits", "each": -7, "up_to": -20}, {1.0: -7, 2.0: -14, 3.0: -20}),
        ({"signal": "visits", "each": 0.1, "up_to": 1000}, {3.0: pytest.approx(0.3), 1e9: 1000}),
    ],
)
def test_what_a_row_is_worth(tmp_path, criterion, worth):
    read = read_criterion(tmp_path, **criterion)
    assert {value: read(value) for value in worth} == worth


def test_a_row_may_say_something_else_for_a_channel_and_nothing_for_another(tmp_path):
    row = {
        "signal": "visits", "each": 10, "up_to": 30, "by": "country",
        "overrides": {"PT": {"each": 20}, "FR": 0},
    }  # fmt: skip
    sheet = read_sheet(write_sheet(tmp_path, {"row": row}))
    (rule,) = sheet.rules.values()
    assert rule.by == "demographic__country"
    assert rule.shape.reader()(9.0) == 30.0
    assert rule.variants["PT"].reader()(9.0) == 180.0
    assert rule.variants["FR"].reader()(9.0) == 0.0


def points_of(sheet, profile, activities, as_of_days):
    """The points of a lead by the sheet alone, read live, as of some days after its creation."""

    class Prepared:
        project = sheet.project

    scorecard = _in_points(sheet, "rules", Prepared())
    signals = LiveReader(sheet.project.catalog).read_signals(
        profile, activities, as_of_us=int(as_of_days * DAY_US), created_us=0
    )
    return Scorer(scorecard).score(signals).log_odds


def visit(day, page="/home", kind="visit"):
    at = int(day * DAY_US)
    return Activity(kind, at, at, str(day) + page, {"page": page})


def test_stories_told_by_hand(tmp_path):
    """Windows, half-lives, linear decay, silence, a group's cap: day by day."""
    project = write_sheet(
        tmp_path,
        {
            "this_week": {"activity": "visit", "family": "web", "window_days": 7, "each": 2},
            "pricing": {"activity": "visit", "where": {"page": "/pricing"}, "family": "web",
                        "half_life_days": 10, "each": 20, "group": "site"},
            "fading": {"activity": "visit", "where": {"page": "/demo"}, "family": "web",
                       "linear_days": 20, "each": 10, "group": "site"},
            "idle": {"signal": "silence", "steps": {"14": -10, "30": -30}, "missing": -5},
            "spanish": {"signal": "country", "is": "ES", "points": 3},
        },
        caps={"site": {"high": 25, "low": -1}},
        signals={"silence": {"family": "web", "kind": "days_since", "activity": "visit"}},
        start=1,
    )  # fmt: skip
    sheet = read_sheet(project)
    told = {"country": "ES", "employees": None, "newsletter": None}
    assert points_of(sheet, told, [], 1) == 1 + 3 - 5
    one = [visit(0, "/pricing")]
    assert points_of(sheet, told, one, 0) == 1 + 3 + 2 + 20
    assert points_of(sheet, told, one, 10) == 1 + 3 + 10
    assert points_of(sheet, told, one, 14) == pytest.approx(1 + 3 - 10 + 20 * 0.5**1.4)
    assert points_of(sheet, told, one, 30) == 1 + 3 - 30 + 2.5
    two = [visit(0, "/pricing"), visit(0, "/demo")]
    assert points_of(sheet, told, two, 0) == 1 + 3 + 2 * 2 + 25  # 30, capped
    assert points_of(sheet, told, two, 10) == 1 + 3 + 15  # 10 of a half-life, 5 of a line
    assert points_of(sheet, told, two, 20) == 1 + 3 - 10 + 5


def test_a_sheet_declares_signals_that_the_model_does_not_have(tmp_path):
    row = {"activity": ["visit", "call"], "family": "social", "each": 1}
    sheet = read_sheet(write_sheet(tmp_path, {"touches": row}))
    assert sheet.project.catalog.columns == ["social__touches"]
    assert "social__touches" not in read_project(tmp_path).catalog.columns


def test_a_project_without_rules_has_no_sheet_and_a_variant_has_that_of_its_parent(tmp_path):
    project = write_sheet(
        tmp_path / "firm", {"row": {"signal": "country", "is": "ES", "points": 1}}
    )
    variant = tmp_path / "firm" / "b"
    variant.mkdir()
    (variant / "bands.yaml").write_text("{mql: 0.1, sql: 0.4}", encoding="utf-8")
    assert find_sheet(project).path == tmp_path / "firm" / "rules.yaml"
    assert find_sheet(read_project(variant)).path == tmp_path / "firm" / "rules.yaml"
    other = read_project(write_project(tmp_path / "other"))
    assert find_sheet(other) is None
    with pytest.raises(ConfigError, match=r"rules\.yaml: no such file; write the team's"):
        read_sheet(other)


def test_all_mistakes_come_at_once_each_with_its_place(tmp_path):
    project = write_sheet(
        tmp_path,
        {
            "a": {"signal": "contry", "is": "ES", "points": 5},
            "b": {"signal": "employees", "points": 5},
            "c": {"signal": "country", "each": 5},
            "d": {"signal": "newsletter", "is": "perhaps", "points": 5},
            "e": {"activity": "visit", "where": {"paeg": "x"}, "family": "web", "each": 1},
            "f": {"signal": "visits", "each": 1, "group": "lost"},
            "g": {"signal": "visits", "each": 1, "by": "employees", "overrides": {"1": 0}},
            "employees": {"activity": "visit", "family": "web", "each": 1},
        },
        caps={"unused": {"high": 5}},
        axes={"engagement": [1, 2, 3]},
        minimums={"sql": {"engagement": 2}},
    )
    lines = mistakes_of(project)
    assert all(line.startswith(str(tmp_path / "rules.yaml")) for line in lines)
    for said in (
        "criteria.a.signal: no signal 'contry' in signals.yaml or under `signals`; did you mean "
        "'country'?",
        "criteria.b: employees holds numbers: say `each: 5` for 5 points every time, or `points: 5`"
        " with `at_least: 1`",
        "criteria.c: `each` needs numbers, and country is a category; give `levels`",
        "criteria.d: newsletter is yes or no, found 'perhaps'",
        "e: ",
        "caps: the group 'lost' has no cap; give it one",
        "caps.unused: no criterion is of this group",
        "criteria.g.by: 'employees' holds numbers; a signal with levels is needed",
        "employees: a signal of this name is declared already",
    ):
        assert any(said in line for line in lines), said


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        ({"points": 5}, "give either `signal`, a name of signals.yaml, or an `activity`"),
        ({"signal": "visits", "points": 5, "each": 2}, "found `points` and `each`"),
        ({"signal": "visits", "at_least": 2}, "found none of them"),
        ({"signal": "visits", "each": 5, "at_least": 2}, "`at_least` goes with `points`"),
        ({"signal": "visits", "each": 5, "up_to": -2}, "both are above 0 or both below"),
        ({"signal": "visits", "points": 5, "is": 1, "below": 3}, "give one condition"),
        ({"signal": "visits", "points": 5, "at_least": 3, "below": 3}, "must lie under below"),
        ({"signal": "visits", "each": 5, "half_life_days": 3}, "`half_life_days` goes with"),
        ({"activity": "visit", "each": 5}, "an activity needs its `family`"),
        (
            {"activity": "x", "family": "web", "each": 5, "window_days": 3, "linear_days": 2},
            "give one of `window_days`, `half_life_days`, `linear_days`",
        ),
        ({"signal": "visits", "each": 5, "by": "country"}, "`by` and `overrides` go together"),
        ({"signal": "visits", "each": 5, "cap": 3}, "unknown key"),
        ({"signal": "visits", "each": 2e6}, "less than or equal to 1000000"),
    ],
)
def test_a_row_that_says_too_much_or_too_little(tmp_path, criterion, said):
    (line,) = mistakes_of(write_sheet(tmp_path, {"row": criterion}))
    assert "criteria.row" in line
    assert said in line


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ({"mql": 100, "sql": 50}, "mql (100) must lie below sql (50)"),
        ({"axes": {"fit": [3, 2, 1]}}, "must not decrease"),
        ({"by": "country"}, "`by` and `overrides` go together"),
        ({"caps": {"g": {}}}, "give `high`, `low` or both"),
        ({"minimums": {"sql": {"fit": "E"}}}, "minimums.sql.fit"),
        ({"treshold": 5}, "treshold: unknown key"),
    ],
)
def test_a_sheet_that_says_too_much_or_too_little(tmp_path, sheet, said):
    rows = {"row": {"signal": "country", "is": "ES", "points": 1}}
    assert any(said in line for line in mistakes_of(write_sheet(tmp_path, rows, **sheet)))


def test_minimums_and_axes_of_what_the_sheet_does_not_look_at_are_refused(tmp_path):
    rows = {"row": {"signal": "country", "is": "ES", "points": 1}}
    project = write_sheet(
        tmp_path, rows, axes={"engagement": [1, 2, 3]}, minimums={"sql": {"engagement": 2}}
    )
    lines = mistakes_of(project)
    assert len(lines) == 2
    assert all("asks for engagement, but no criterion is of email or social or web" in line
               for line in lines)  # fmt: skip


def test_a_sensitive_field_is_no_matter_for_a_sheet_either(tmp_path):
    folder = write_project(
        tmp_path, data={"leads": {"fields": {"age": {"type": "number"}}}, **ACTIVITIES},
        signals=MADE | {"years": {"family": "demographic", "kind": "lead_age"}},
    )  # fmt: skip
    rows = {"row": {"signal": "of_age", "at_least": 18, "points": 1}}
    own = {"of_age": {"family": "demographic", "kind": "number", "field": "age"}}
    sheet = {"mql": 1, "sql": 2, "signals": own, "criteria": rows}
    (folder / "rules.yaml").write_text(json.dumps(sheet), encoding="utf-8")
    assert any(
        "reads the sensitive field 'age'" in line for line in mistakes_of(read_project(folder))
    )


def test_bands_may_begin_elsewhere_for_a_channel(tmp_path):
    rows = {"row": {"signal": "country", "is": "ES", "points": 1}}
    bands = read_sheet(
        write_sheet(tmp_path, rows, by="country", overrides={"PT": {"sql": 60}}, hysteresis=5)
    ).bands
    assert bands.by == "demographic__country"
    assert vars(bands.overrides["PT"]) == {"mql": 40.0, "sql": 60.0, "hysteresis": 5.0}


def test_shapes_are_checked_against_the_signal_not_the_file(tmp_path):
    project = write_sheet(tmp_path, {"row": {"signal": "country", "is": "ES", "points": 1}})
    sheet = read_sheet(project)
    criterion = sheet.config.criteria["row"]
    numbers = next(s for s in project.catalog.signals if s.name == "employees")
    with pytest.raises(ValueError, match="employees holds numbers, found 'ES'"):
        to_shape(criterion, numbers)
