"""The audit of columns: each sign of a leak, and what the user says of it."""

import numpy as np
import pandas as pd
import pytest
from support.audit_checks import audit_folder, by_column
from support.projects import (
    WITHOUT_TIMES,
    make_leads,
    write_leads,
    write_project,
)
from support.worlds.audited import (
    filled_for_winners,
    honest,
    ids,
    often_given,
    phone_of_sales,
    project_of,
    same_for_winners,
    settled,
    world,
)

from leadscore.pipeline.audit.audit import audit_project, exclude_columns, list_leaks
from leadscore.pipeline.audit.columns.statistics import (
    measure_auc,
    measure_column,
    predict_together,
)
from leadscore.pipeline.audit.columns.subjects import read_values
from leadscore.pipeline.audit.columns.suspicions import (
    judge_identity,
    judge_name,
    list_suspicions,
)
from leadscore.pipeline.audit.columns.timing import FieldTiming, judge_field_timing, judge_following
from leadscore.pipeline.errors import ConfigError, RefusalError


@pytest.mark.parametrize(
    ("make", "verdict", "says"),
    [
        (filled_for_winners, "refuse", "single values always win, and hold"),
        (
            same_for_winners,
            "refuse",
            "constant after a win: 100.0% of the won leads have 'queue 1'",
        ),
        (settled, "refuse", "some values always win ('signed': "),
        (ids, "quarantine", "id-like: 1,500 different values in 1,500 leads"),
        (honest, "use", ""),
    ],
)
def test_each_pattern_has_its_verdict_and_reason(tmp_path, make, verdict, says):
    project = project_of(tmp_path, world(extra=make), used=["extra"])
    found = by_column(audit_project(project))
    assert found["extra"].verdict == verdict, found["extra"].reasons
    assert any(says in reason for reason in found["extra"].reasons) or not says
    assert {found[c].verdict for c in ("country", "employees", "newsletter")} == {"use"}
    assert found["extra"].used
    assert not found["newsletter"].used, "no signal reads it, and it is audited all the same"


def test_a_refused_signal_stops_training_and_an_unread_column_does_not(tmp_path):
    leads = world(extra=settled)
    project = project_of(tmp_path / "reads", leads, used=["extra"])
    audit = audit_project(project)
    with pytest.raises(RefusalError, match="form__extra: leaks: "):
        exclude_columns(project, audit)
    project = project_of(tmp_path / "leaves", leads)
    audit = audit_project(project)
    assert by_column(audit)["extra"].verdict == "refuse"
    assert audit.verdict != "do not train"
    assert exclude_columns(project, audit).catalog.columns == project.catalog.columns


def test_quarantine_is_left_out_unless_somebody_vouches(tmp_path):
    leads = world(extra=ids)
    project = project_of(tmp_path / "plain", leads, used=["extra"])
    audit = audit_project(project)
    assert audit.verdict == "train with warnings"
    assert "quarantine, and left out of training: form__extra" in audit.reasons
    assert "form__extra" not in exclude_columns(project, audit).catalog.columns
    (finding,) = [c for c in audit.columns if c.name == "form__extra"]
    assert finding.override == ("trusted: {form__extra: why it was known by then} in data.yaml")
    for name in ("form__extra", "extra"):
        vouched = {"trusted": {name: "the number is given at the first visit"}}
        project = project_of(tmp_path / name, leads, vouched, used=["extra"])
        audit = audit_project(project)
        (finding,) = [c for c in audit.columns if c.name == "form__extra"]
        assert (finding.verdict, finding.overridden) == ("use", "quarantine")
        assert finding.reasons[-1] == (
            "vouched for in data.yaml: the number is given at the first visit"
        )
        assert "form__extra" in exclude_columns(project, audit).catalog.columns


def test_a_leak_is_allowed_by_any_of_its_names_and_never_by_vouching(tmp_path):
    data = {"trusted": {"extra": "surely"}}
    project = project_of(tmp_path, world(extra=settled), data, used=["extra"])
    assert by_column(audit_project(project))["extra"].verdict == "refuse"
    audit = audit_project(project, allowed_leaks=["extra"])
    assert by_column(audit)["extra"].overridden == "refuse"
    assert audit.allowed_leaks == ("extra",)
    assert "used though they leak (--allow-leak): form__extra" in audit.reasons
    with pytest.raises(ConfigError, match="--allow-leak extras: no signal of that name"):
        audit_project(project, allowed_leaks=["extras"])


DERIVED = {
    "filled": ({"kind": "completeness", "fields": ["phone", "company"]}, ["phone", "company"]),
    "length": ({"kind": "message_length", "field": "phone"}, ["phone"]),
    "odd": ({"kind": "pattern_mismatch", "expected": {"phone": "[+0-9 ]+"}}, ["phone"]),
    "keys": ({"kind": "keyboard_walk", "fields": ["company", "phone"]}, ["company", "phone"]),
    "name_given": ({"kind": "completeness", "fields": ["company"]}, ["company"]),
}


@pytest.mark.parametrize("own_signal", [False, True])
def test_a_signal_made_from_fields_inherits_what_speaks_against_them(tmp_path, own_signal):
    leads = world(3000, phone=phone_of_sales, company=often_given)
    used = ["phone"] if own_signal else []
    audit = audit_project(project_of(tmp_path, leads, used=used, derived=DERIVED))
    found = {column.name: column for column in audit.columns}
    for name in ("form__filled", "form__length", "form__odd", "form__keys"):
        assert found[name].verdict == "quarantine", name
        reasons = "; ".join(found[name].reasons)
        assert "it reads phone: filled for 97% of the won leads and 4" in reasons
        assert "id-like" not in reasons, "a signal does not show which lead it is"
    assert found["form__name_given"].verdict == "use"


def test_vouching_for_a_field_lifts_what_a_signal_inherits_from_it_alone(tmp_path):
    leads = world(3000, phone=phone_of_sales, mobile=phone_of_sales)
    both = {
        "filled": ({"kind": "completeness", "fields": ["phone", "mobile"]}, ["phone", "mobile"])
    }
    verdicts = {}
    for trusted in ([], ["phone"], ["phone", "mobile"], ["filled"]):
        data = {"trusted": dict.fromkeys(trusted, "asked for in the form")}
        project = project_of(tmp_path / "-".join(["p", *trusted]), leads, data, derived=both)
        (column,) = (c for c in audit_project(project).columns if c.name == "form__filled")
        verdicts["+".join(trusted)] = (column.verdict, "it reads mobile" in str(column.reasons))
    assert verdicts[""] == verdicts["phone"] == ("quarantine", True)
    assert verdicts["filled"] == ("use", True)
    assert verdicts["phone+mobile"][1] is False


def test_vouching_for_nothing_that_is_read_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match=r"trusted\.employee: no signal .* 'employees'\?"):
        project_of(tmp_path, world(count=50), {"trusted": {"employee": "because"}})


def test_columns_that_tell_nothing_are_no_reason_to_train(tmp_path):
    leads = world(1500)
    leads["status"] = np.random.default_rng(1).permutation(leads["status"])
    audit = audit_project(project_of(tmp_path, leads))
    assert audit.verdict == "do not train"
    assert "nothing proves that these signals predict who wins" in audit.reasons[0]


def test_columns_of_pure_noise_reach_chance_together_and_no_more():
    dice = np.random.default_rng(0)
    above = []
    for _ in range(20):
        won = dice.random(800) < 0.3
        columns = [dice.integers(0, 40, 800) for _ in range(12)]
        above.append(measure_auc(predict_together(columns, won), won).value)
    assert abs(np.mean(above) - 0.5) < 0.015, "learning what each value tells must not flatter"


def test_what_stands_for_a_sensitive_column_is_told(tmp_path):
    leads = world(1500)
    leads["sex"] = np.random.default_rng(2).choice(["f", "m"], 1500)
    leads["salutation"] = np.where(leads["sex"] == "f", "Ms", "Mr")
    audit = audit_project(project_of(tmp_path, leads, used=["salutation"]))
    (told,) = [f for f in audit.findings if "sensitive" in f.text]
    assert (told.severity, told.subject) == ("warning", "form__salutation")
    assert "it is a proxy of 'sex', which is sensitive: Cramér's V 1.00" in told.text


def test_filled_only_once_a_lead_is_closed_is_seen_by_the_open_ones(tmp_path):
    leads = make_leads(1500)
    for number, row in enumerate(leads):
        row["remark"] = None if row["status"] == "open" else ["busy", "later", "fine"][number % 3]
    data = {"leads": {"fields": {"remark": {}}}}
    signals = {
        "country": {"family": "demographic", "kind": "category"},
        "employees": {"family": "firmographic", "kind": "number"},
        "remark": {"family": "form", "kind": "category"},
    }
    write_leads(write_project(tmp_path, data=data, signals=signals), leads)
    found = by_column(audit_folder(tmp_path))["remark"]
    assert found.verdict in ("quarantine", "refuse")
    assert any(
        "filled only once a lead is closed: 100% of the closed leads, 0% of the open ones" in reason
        for reason in found.reasons
    )


def test_data_that_cannot_be_read_are_a_verdict_too(tmp_path):
    project = project_of(tmp_path, world(300), {"max_reject_share": 0.0})
    text = (tmp_path / "leads.csv").read_text().replace("lead-7,", ",", 1)
    (tmp_path / "leads.csv").write_text(text)
    audit = audit_project(project)
    assert audit.verdict == "do not train"
    assert audit.reasons[0].startswith("reading: ")


def test_no_order_and_no_dates_are_audited_too(tmp_path):
    leads = world(800, extra=settled)
    write_project(tmp_path, data=WITHOUT_TIMES, training={"horizon_days": None})
    leads.to_csv(tmp_path / "leads.csv", index=False)
    found = by_column(audit_folder(tmp_path))
    assert found["extra"].verdict == "refuse"
    assert found["employees"].auc_earlier is None


@pytest.mark.parametrize(
    ("column", "is_id"),
    [
        (pd.Series([f"a{n}" for n in range(200)]), True),
        (pd.Series([f"a{n % 90}" for n in range(200)]), False),
        (pd.Series(np.arange(200.0) * 7 + 1000), True),
        (pd.Series(np.random.default_rng(0).permutation(200) + 5.0), True),
        (pd.Series(np.random.default_rng(0).integers(0, 10**9, 200).astype(float)), False),
        (pd.Series(np.random.default_rng(0).random(200)), False),
        (pd.Series([f"2025-01-{n % 28 + 1:02}T00:00:{n % 60:02}Z" for n in range(200)]), False),
    ],
)
def test_ids_are_told_from_facts(column, is_id):
    assert (judge_identity(read_values(column), np.arange(200.0)) is not None) == is_id


def test_an_honest_strong_number_is_used_and_a_perfect_one_is_not():
    dice = np.random.default_rng(0)
    number = dice.normal(size=3000)
    won = dice.random(3000) < 1 / (1 + np.exp(2 - 1.5 * number))
    seen = measure_column(read_values(pd.Series(number)), won, None)
    assert list(list_suspicions(seen, as_of=False)) == []
    leak = pd.Series(number + 6.0 * won)
    assert "refuse" in dict(
        list_suspicions(measure_column(read_values(leak), won, None), as_of=True)
    )


def test_a_number_that_runs_with_what_came_later_is_told():
    dice = np.random.default_rng(0)
    names = [f"l{n}" for n in range(300)]
    counts = pd.DataFrame(
        {"before": dice.poisson(3, 300), "after": dice.poisson(20, 300)}, index=names
    )
    assert "it counts what leads did later" in judge_following(counts["after"] * 2.0, counts)
    assert judge_following(counts["before"] * 2.0, counts) is None
    assert judge_following(pd.Series(dice.random(300), index=names), counts) is None


def test_writing_at_closings_counts_by_number_share_and_rate():
    assert "filled in at or after" in judge_field_timing(FieldTiming("wins", 100, 90, 80, 40.0))
    assert "overwritten at or after" in judge_field_timing(FieldTiming("wins", 100, 90, 10, 40.0))
    assert judge_field_timing(FieldTiming("wins", 100, 90, 80, 2.0)) is None
    assert judge_field_timing(FieldTiming("wins", 1000, 90, 80, 40.0)) is None
    assert judge_field_timing(FieldTiming("wins", 12, 9, 9, 40.0)) is None


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Last Activity", "overwritten"), ("lastModified", "overwritten"),
        ("deal_amount", "closing"), ("Lead Quality", "judged"), ("lead_score", "judged"),
        ("Latitude", None), ("marital_status", None), ("Broadcast", None), ("industry", None),
    ],
)  # fmt: skip
def test_names_give_away_when_they_were_written(column, said):
    told = judge_name(column)
    assert (told is None) if said is None else (said in told)


def of_codes(dice, won):
    code = dice.integers(0, 100, len(won)) * 2
    return np.where(won, code + 1, code).astype(str)


def of_dates(dice, won):
    return np.where(won, "2024-01-0", "1900-01-0").astype(object) + dice.integers(
        1, 5, len(won)
    ).astype(str)


def counter(dice, won):
    return np.where(won & (dice.random(len(won)) < 0.2), dice.integers(1, 9, len(won)), 0)


@pytest.mark.parametrize(("make", "least"), [(of_codes, "refuse"), (of_dates, "refuse")])
def test_a_category_is_looked_at_as_it_is_learned_level_by_level(tmp_path, make, least):
    project = project_of(tmp_path, world(3000, extra=make), used=["extra"])
    assert by_column(audit_project(project))["extra"].verdict == least


def test_a_counter_that_few_winners_have_and_nobody_else_is_in_quarantine(tmp_path):
    audit = audit_project(project_of(tmp_path, world(1500, extra=counter)))
    found = by_column(audit)["extra"]
    assert found.verdict == "quarantine", found.reasons
    assert any("always win" in reason for reason in found.reasons)


def test_spam_that_never_wins_is_no_leak():
    dice = np.random.default_rng(0)
    spam = dice.random(2000) < 0.45
    won = ~spam & (dice.random(2000) < 0.4)
    seen = measure_column(
        read_values(pd.Series(np.where(spam, "disposable", "business"))), won, None
    )
    assert "refuse" in dict(list_suspicions(seen, as_of=False))
    assert list(list_suspicions(seen, as_of=False, from_text=True)) == []


def test_a_name_counts_however_it_is_written(tmp_path):
    leads = world(extra=settled).rename(columns={"extra": "Código final"})
    data = {"leads": {"fields": {"extra": {"column": "Código final"}}}}
    project = project_of(tmp_path, leads, data, used=["extra"])
    for name in ("extra", "form__extra", "Código final", "Co\u0301digo final"):
        audit = audit_project(project, allowed_leaks=[name])
        assert [c.overridden for c in audit.columns if c.name == "form__extra"] == ["refuse"], name


def test_only_leaks_that_were_let_in_are_listed(tmp_path):
    """By the name that was given; what the audit has nothing against needed no leave."""
    leads = world(extra=settled).rename(columns={"extra": "Código final"})
    data = {"leads": {"fields": {"extra": {"column": "Código final"}}}}
    project = project_of(tmp_path, leads, data, used=["extra"])
    given = ["Co\u0301digo final", "country"]
    audit = audit_project(project, allowed_leaks=given)
    assert audit.allowed_leaks == tuple(sorted(given))
    assert list_leaks(project, audit) == ["Co\u0301digo final"]
    assert list_leaks(project, audit_project(project)) == []


def test_columns_that_no_field_could_read_are_passed_over(tmp_path):
    leads = world(400)
    project = project_of(tmp_path, leads, {"leads": {"file": "leads.parquet"}})
    leads.assign(seen=[["a"]] * 400).to_parquet(tmp_path / "leads.parquet")
    assert "seen" not in by_column(audit_project(project))


def test_a_history_without_a_row_of_the_field_vouches_for_nothing(tmp_path):
    leads = make_leads(1500)
    for number, row in enumerate(leads):
        row["contract"] = f"c{number % 3}" if row["status"] == "won" and number % 2 else None
    changes = {"file": "changes.csv", "lead": "lead_id", "field": "field", "old": "old",
               "new": "new", "recorded": {"column": "at"},
               "fields": {"country": "country", "contract": "contract"}}  # fmt: skip
    data = {"leads": {"fields": {"contract": {}}}, "changes": changes}
    signals = {
        "employees": {"family": "firmographic", "kind": "number"},
        "country": {"family": "demographic", "kind": "category"},
        "contract": {"family": "form", "kind": "category"},
    }
    write_leads(write_project(tmp_path, data=data, signals=signals), leads)
    rows = ["lead_id,field,old,new,at", "00001,country,FR,ES,2025-02-01T00:00:00Z"]
    (tmp_path / "changes.csv").write_text("\n".join(rows) + "\n")
    found = by_column(audit_folder(tmp_path))
    assert (found["country"].history, found["contract"].history) == ("changes", "none")
    assert found["contract"].verdict in ("quarantine", "refuse")
