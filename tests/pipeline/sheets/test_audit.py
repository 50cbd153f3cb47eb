"""A rule sheet held against history: rates by hand, and each flag where it belongs."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.projects import AGED, make_leads, write_leads, write_project
from support.worlds.sheet_history import history

from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.sheets.audit import CriterionResult, audit_sheet, measure_criteria
from leadscore.pipeline.sheets.sheet import read_sheet


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return read_project(write_project(tmp_path_factory.mktemp("auditing") / "mine"))


def judge(project: Project, dataset: Dataset, tmp_path: Path, leaks=None, doubted=(), **criteria):
    """Return how each criterion of a sheet is judged, by name."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"mql": 10, "sql": 20, "criteria": criteria}, sort_keys=False))
    judged, unsupported = measure_criteria(read_sheet(project, path), dataset, leaks or {}, doubted)
    return {criterion.name: criterion for criterion in judged}, unsupported


def kinds(judged: CriterionResult) -> set[str]:
    return {flag.kind for flag in judged.flags}


def part(judged: CriterionResult, name: str) -> CriterionResult:
    (found,) = [part for part in judged.parts if part.name == name]
    return found


def countries(*groups) -> Dataset:
    """Return leads of (country, wins, leads)."""
    label = np.concatenate([np.arange(many) < wins for _, wins, many in groups])
    country = np.repeat(np.array([name for name, _, _ in groups], object), [g[2] for g in groups])
    return history(label, demographic__country=country)


def test_rates_and_lift_are_those_counted_by_hand(project, tmp_path):
    dataset = countries(("ES", 40, 100), ("FR", 110, 900))
    spain = {"signal": "country", "is": "ES", "points": 25}
    judged, unsupported = judge(project, dataset, tmp_path, spain=spain)
    found = judged["spain"]
    assert (found.leads, found.leads_without, found.share) == (100, 900, 0.1)
    assert (found.rate, found.rate_without) == (0.4, pytest.approx(110 / 900))
    assert found.lift is not None
    assert found.lift[0] == pytest.approx(0.4 / (110 / 900))
    assert found.deserves is not None
    assert found.deserves.value == pytest.approx(25.0), "one criterion sets the scale itself"
    assert found.deserves_alone == pytest.approx(25.0, rel=0.01)
    assert found.flags == ()
    assert unsupported == 0.0


def test_a_wrong_sign_is_called_so_with_its_rates(project, tmp_path):
    dataset = countries(("ES", 10, 200), ("FR", 200, 800), ("DE", 300, 600))
    judged, unsupported = judge(
        project, dataset, tmp_path,
        spain={"signal": "country", "is": "ES", "points": 5},
        germany={"signal": "country", "is": "DE", "points": 15},
    )  # fmt: skip
    assert kinds(judged["spain"]) == {"sign conflict"}
    (flag,) = judged["spain"].flags
    assert "it gives +5 points" in flag.text
    assert "5.0% close where it fires, 35.7% where not" in flag.text
    assert judged["spain"].deserves is not None
    assert judged["spain"].deserves.high < 0.0
    assert judged["germany"].flags == ()
    assert unsupported == pytest.approx(5 * 200 / (5 * 200 + 15 * 600))


def test_each_level_is_judged_against_those_that_get_nothing(project, tmp_path):
    """ES closes below the average of all others, yet above those without points: no conflict."""
    dataset = countries(("US", 400, 500), ("ES", 100, 500), ("FR", 25, 500), ("DE", 90, 500))
    levels = {"US": 30, "ES": 10, "DE": -10}
    judged, _ = judge(project, dataset, tmp_path, land={"signal": "country", "levels": levels})
    land = judged["land"]
    assert "sign conflict" not in kinds(land)
    spain = part(land, "ES")
    assert (spain.rate, spain.rate_without) == (0.2, 0.05)
    assert "sign conflict" not in kinds(spain)
    assert kinds(part(land, "DE")) == {"sign conflict"}
    assert kinds(part(land, "US")) == set()


def test_levels_that_leave_nobody_out_are_judged_against_their_mean(project, tmp_path):
    dataset = countries(("US", 300, 500), ("ES", 100, 500), ("FR", 25, 500))
    levels = {"US": 30, "ES": 10, "FR": 30}
    land = {"signal": "country", "levels": levels}
    judged, _ = judge(project, dataset, tmp_path, land=land)
    assert "always fires" not in kinds(judged["land"]), "it tells them apart all the same"
    assert "sign conflict" not in kinds(part(judged["land"], "US"))
    everybody = {"signal": "country", "known": True, "points": 5}
    judged_too, _ = judge(project, dataset, tmp_path, land=land, everybody=everybody)
    assert "always fires" in kinds(judged_too["everybody"])
    france = part(judged["land"], "FR")
    assert kinds(france) == {"sign conflict"}, "30 is more than the mean, and it closes least"
    assert france.deserves is not None
    assert france.deserves.high < 70 / 3


def test_what_never_fires_is_told_with_the_level_that_was_meant(project, tmp_path):
    dataset = countries(("software", 100, 500), ("banking", 50, 500))
    judged, _ = judge(
        project, dataset, tmp_path,
        named={"signal": "country", "levels": {"Software ": 10, "Banks": 5, "banking": 5}},
        large={"signal": "employees", "at_least": 50, "points": 10},
        letters={"signal": "newsletter", "points": 3},
    )  # fmt: skip
    assert kinds(part(judged["named"], "Software")) == {"never fires"}
    told = part(judged["named"], "Software").flags[0].text
    assert told == "it never fires: no lead has 'Software'; did you mean 'software'?"
    assert kinds(judged["large"]) == {"never fires"}
    assert judged["large"].leads == 0
    assert kinds(judged["letters"]) == {"never fires"}
    assert judged["large"].points == 10


def test_a_handful_without_points_is_neither_told_of_nor_judged_by(project, tmp_path):
    """25 leads get nothing: levels are held against the mean, and no text has their rate."""
    dataset = countries(("US", 300, 500), ("ES", 200, 500), ("FR", 20, 25))
    land = {"signal": "country", "levels": {"US": 20, "ES": 5}}
    judged, _ = judge(project, dataset, tmp_path, land=land)
    spain = part(judged["land"], "ES")
    assert "sign conflict" not in kinds(spain)
    assert spain.rate_without == pytest.approx(320 / 525)
    assert judged["land"].rate_without is None
    assert judged["land"].deserves is not None
    texts = [flag.text for j in (judged["land"], *judged["land"].parts) for flag in j.flags]
    assert not any("80.0%" in text for text in texts)


def test_fewer_than_thirty_leads_are_not_told_of(project, tmp_path):
    dataset = countries(("ES", 20, 29), ("FR", 110, 900))
    spain = {"signal": "country", "is": "ES", "points": 25}
    judged, _ = judge(project, dataset, tmp_path, spain=spain)
    found = judged["spain"]
    assert kinds(found) == {"few leads"}
    assert (found.leads, found.rate, found.rate_without, found.lift, found.deserves) == (None,) * 5


def test_two_criteria_on_the_same_leads_are_an_overlap(project, tmp_path):
    dice = np.random.default_rng(5)
    spanish = dice.random(3000) < 0.3
    letters = np.where(dice.random(3000) < 0.98, spanish, ~spanish)
    label = dice.random(3000) < np.where(spanish, 0.4, 0.1)
    dataset = history(
        label,
        demographic__country=np.where(spanish, "ES", "FR").astype(object),
        email__newsletter=letters.astype(float),
    )
    judged, _ = judge(
        project, dataset, tmp_path,
        spain={"signal": "country", "is": "ES", "points": 10},
        letters={"signal": "newsletter", "points": 10},
    )  # fmt: skip
    assert "overlap" in kinds(judged["spain"])
    texts = [flag.text for flag in judged["spain"].flags if flag.kind == "overlap"]
    assert "it counts the same leads as letters: 9" in texts[0]


def test_far_too_many_and_too_few_points_are_told(project, tmp_path):
    dice = np.random.default_rng(6)
    country = dice.choice(np.array(["ES", "FR"], object), 6000)
    letters = dice.integers(0, 2, 6000) * 1.0
    log_odds = -1.5 + 2.0 * (country == "ES") + 0.3 * letters
    label = dice.random(6000) < 1 / (1 + np.exp(-log_odds))
    dataset = history(label, demographic__country=country, email__newsletter=letters)
    judged, _ = judge(
        project, dataset, tmp_path,
        spain={"signal": "country", "is": "ES", "points": 10},
        letters={"signal": "newsletter", "points": 40},
    )  # fmt: skip
    assert kinds(judged["spain"]) == {"too few points"}
    assert kinds(judged["letters"]) == {"too many points"}
    doubted = ["demographic__country", "email__newsletter"]
    judged, _ = judge(
        project, dataset, tmp_path, doubted=doubted,
        spain={"signal": "country", "is": "ES", "points": 10},
        letters={"signal": "newsletter", "points": 40},
    )  # fmt: skip
    assert kinds(judged["spain"]) == set(), "no more points for what the audit doubts"
    assert kinds(judged["letters"]) == {"too many points"}


def test_what_others_count_depends_on_them(project, tmp_path):
    """Letters go to students, who never buy; among the others, those who read them buy more."""
    dice = np.random.default_rng(7)
    student = dice.random(6000) < 0.5
    letters = (dice.random(6000) < np.where(student, 0.8, 0.2)).astype(float)
    log_odds = -0.2 - 3.0 * student + 1.0 * letters
    label = dice.random(6000) < 1 / (1 + np.exp(-log_odds))
    dataset = history(
        label,
        demographic__country=np.where(student, "student", "work").astype(object),
        email__newsletter=letters,
    )
    judged, _ = judge(
        project, dataset, tmp_path,
        studies={"signal": "country", "is": "student", "points": -20},
        letters={"signal": "newsletter", "points": 10},
    )  # fmt: skip
    assert kinds(judged["letters"]) == {"depends on others"}
    assert "alone it goes against its +10 points, not so" in judged["letters"].flags[0].text
    found = judged["letters"].deserves
    assert found is not None
    assert found.low > 0.0


def test_variants_are_judged_where_they_count(project, tmp_path):
    dataset = countries(("ES", 40, 100), ("FR", 110, 900))
    signals = dataset.signals.assign(email__newsletter=np.tile([0.0, 1.0], 500))
    dataset = Dataset(**{**vars(dataset), "signals": signals})
    judged, _ = judge(
        project, dataset, tmp_path,
        letters={"signal": "newsletter", "points": 10, "by": "country",
                 "overrides": {"ES": {"points": -10}}},
    )  # fmt: skip
    assert {p.name: p.leads for p in judged["letters"].parts} == {
        "yes, where country is ES": 50, "yes": 450,
    }  # fmt: skip


def test_a_leak_is_named(project, tmp_path):
    dataset = countries(("ES", 40, 100), ("FR", 110, 900))
    spain = {"signal": "country", "is": "ES", "points": 25}
    leaks = {"demographic__country": "filled after the outcome"}
    judged, _ = judge(project, dataset, tmp_path, leaks, spain=spain)
    assert kinds(judged["spain"]) == {"leak"}
    assert judged["spain"].deserves is None, "its close rates may be those of the leak"


def test_a_project_is_audited_on_its_earlier_part_only(tmp_path):
    folder = write_project(tmp_path / "mine", signals=AGED)
    write_leads(folder, make_leads(900, seed=3))
    criteria = {
        "home": {"signal": "country", "is": "ES", "points": -5},
        "large": {"signal": "employees", "steps": {10: 5, 30: 20}},
        "letters": {"signal": "newsletter", "points": 10},
    }
    sheet = {"mql": 10, "sql": 20, "criteria": criteria}
    (folder / "rules.yaml").write_text(yaml.safe_dump(sheet, sort_keys=False))
    found = audit_sheet(read_sheet(read_project(folder)))
    judged = dict(found.walk())
    assert judged["home"].flagged("sign conflict")
    assert not judged["large"].flagged("sign conflict")
    assert not judged["large, 30 or more"].flagged("no effect proven")
    assert judged["letters"].flagged("no effect proven")
    assert found.period.leads < 700
    assert any("History was made by what sales used then" in note for note in found.notes)
    changed = make_leads(900, seed=3)
    for lead in changed[700:]:
        lead["country"] = {"ES": "FR", "FR": "ES"}.get(lead["country"], lead["country"])
    write_leads(folder, changed)
    assert audit_sheet(read_sheet(read_project(folder))).criteria == found.criteria
