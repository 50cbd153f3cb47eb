"""A close-rate sheet counted from history: what gets points, and the file that people edit."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.projects import AGED, make_leads, write_leads, write_project
from support.worlds.sheet_history import history

from leadscore.pipeline.config.project import Project, read_project
from leadscore.pipeline.config.yaml_io import read_yaml, write_yaml
from leadscore.pipeline.dataset.dataset import Dataset
from leadscore.pipeline.dataset.split import EarlierPeriod, Split
from leadscore.pipeline.errors import RefusalError
from leadscore.pipeline.evaluation.close_rates import compare_close_rates
from leadscore.pipeline.progress import silent
from leadscore.pipeline.sheets.attributes import Attribute, find_attributes
from leadscore.pipeline.sheets.learn import (
    Row,
    check_replaceable,
    count_points,
    count_sheet,
    learn_sheet,
    save_sheet,
    write_criteria,
    write_sheet,
)
from leadscore.pipeline.sheets.sheet import read_sheet
from leadscore.pipeline.values.fields import FieldSpec, make_normaliser

SHEET = Path("learned.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return read_project(write_project(tmp_path_factory.mktemp("learning") / "mine"))


def whole(dataset: Dataset) -> Split:
    return Split(dataset, dataset, 0.0, 0)


def test_the_worked_example_comes_out_as_25(project):
    """Of 1,000 leads 15 % close; of the 100 in Spain 40, of the 900 in France 110."""
    label = np.repeat([1, 0, 1, 0], [40, 60, 110, 790])
    country = np.repeat(np.array(["ES", "FR"], object), [100, 900])
    learned = count_sheet(project, whole(history(label, demographic__country=country)), SHEET)
    criterion = learned.sheet.config.criteria["country"]
    assert criterion.levels == {"ES": 25.0, "FR": -3.0}
    assert "ES: 25 " in learned.text
    assert "# 40.0% of 100 leads won: +25.0 (+16.6 to +34.0)" in learned.text
    assert "15.0% won" in learned.text


def test_what_is_not_beyond_chance_gets_nothing_and_says_so(project):
    dice = np.random.default_rng(0)
    employees = dice.integers(1, 400, 3000) * 1.0
    label = dice.random(3000) < np.where(employees > 300, 0.4, 0.1)
    newsletter = dice.integers(0, 2, 3000) * 1.0
    learned = count_sheet(
        project,
        whole(history(label, firmographic__employees=employees, email__newsletter=newsletter)),
        SHEET,
    )
    assert set(learned.sheet.config.criteria) == {"employees"}
    steps = learned.sheet.config.criteria["employees"].steps
    assert steps is not None
    assert steps[max(steps)] > 10
    assert steps[0.0] < 0
    told = {row.attribute.words: row.points for row in learned.rows}
    assert told["newsletter: yes"] == 0.0


def test_nothing_at_all_is_refused_with_what_to_do(project):
    label = np.tile([0, 0, 0, 1], 500)
    country = np.tile(np.array(["ES", "FR", "DE", "PT", "IT"], object), 400)
    with pytest.raises(RefusalError, match="none closes at another rate"):
        count_sheet(project, whole(history(label, demographic__country=country)), SHEET)


def test_small_rates_get_finer_points(project):
    """Where 2 % close, one point is half of it: points come in quarters, so that none vanishes."""
    country = np.repeat(np.array(["ES", "FR"], object), [20_000, 20_000])
    label = np.r_[np.arange(20_000) < 520, np.arange(20_000) < 280]
    learned = count_sheet(project, whole(history(label, demographic__country=country)), SHEET)
    assert learned.sheet.config.criteria["country"].levels == {"ES": 0.5, "FR": -0.5}


def test_an_unknown_value_is_an_attribute(project):
    label = np.repeat([1, 0, 1, 0], [80, 120, 120, 680])
    country = np.repeat(np.array([None, "FR"], object), [200, 800])
    learned = count_sheet(project, whole(history(label, demographic__country=country)), SHEET)
    criterion = learned.sheet.config.criteria["country"]
    assert criterion.missing == 20.0
    assert criterion.levels == {"FR": -5.0}


def test_attributes_are_found_without_a_look_at_who_won(project):
    (_, employees, newsletter) = project.catalog.signals
    values = pd.Series(np.r_[np.zeros(400), np.geomspace(1.0, 900.0, 600), [np.nan] * 50])
    found = find_attributes(employees, values, np.arange(1050), 0.3)
    spans = [(a.begins, a.ends) for a in found if not a.is_unknown]
    assert spans[0][0] == 0.0
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert spans[-1][1] == np.inf
    assert len(spans) == 5
    assert sum(a.has.sum() for a in found) == 1050
    yes = find_attributes(newsletter, pd.Series(np.tile([0.0, 1.0], 50)), np.arange(100), 0.3)
    assert [a.words for a in yes] == ["newsletter: yes"]
    few = find_attributes(
        newsletter, pd.Series(np.r_[np.zeros(80), np.ones(20)]), np.arange(100), 0.3
    )
    assert few == []


def test_only_the_earlier_part_is_counted_and_leaks_are_held_back(tmp_path):
    leads = make_leads(900, seed=3)
    for number, lead in enumerate(leads):
        lead["remark"] = f"case {number}" if lead["status"] == "won" else None
    data = {"leads": {"fields": {"remark": {}}}}
    signals = {**AGED, "remark": {"family": "form", "kind": "category"}}
    folder = write_project(tmp_path / "mine", data=data, signals=signals)
    write_leads(folder, leads)
    project = read_project(folder)
    with pytest.raises(RefusalError, match="form__remark"):
        learn_sheet(project, SHEET)
    signals.pop("remark")
    folder = write_project(tmp_path / "clean", signals=signals)
    write_leads(folder, make_leads(900, seed=3))
    first = learn_sheet(read_project(folder), SHEET, silent)
    assert first.ordered
    assert "country" in first.sheet.config.criteria
    changed = make_leads(900, seed=3)
    for lead in changed[700:]:  # the later part, turned round
        lead["country"] = {"ES": "FR", "FR": "ES"}.get(lead["country"], lead["country"])
    write_leads(folder, changed)
    assert learn_sheet(read_project(folder), SHEET).text == first.text


def test_the_cutoffs_are_where_the_probabilities_of_the_bands_are_reached(project):
    dice = np.random.default_rng(1)
    country = dice.choice(np.array(["ES", "FR", "DE"], object), 4000)
    label = dice.random(4000) < np.where(country == "ES", 0.6, 0.1)
    dataset = history(label, demographic__country=country)
    learned = count_sheet(project, whole(dataset), SHEET)
    points = count_points(learned.sheet, dataset.signals)
    assert ((points >= learned.sheet.config.sql) == (country == "ES")).all()
    assert f"{(country == 'ES').mean():.1%} of the snapshots reach it" in learned.text


levels = (
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
    .map(make_normaliser(FieldSpec()))
    .filter(bool)
)
quarters = st.integers(-400, 400).filter(bool).map(lambda quarter: quarter / 4)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(levels, quarters, min_size=1, max_size=6),
    st.lists(quarters, min_size=1, max_size=4),
    quarters,
    st.booleans(),
)
def test_what_is_written_reads_back_to_the_same_terms(tmp_path_factory, named, spans, rest, sets):
    folder = write_project(tmp_path_factory.mktemp("law") / "mine")
    project = read_project(folder)
    country, employees, newsletter = project.catalog.signals
    has = np.arange(20) < 10
    lift = compare_close_rates(has, has.astype(np.int8), np.arange(20))
    rows = [Row(Attribute(country, has, level=name), lift, points, 0.25)
            for name, points in named.items()]  # fmt: skip
    rows.append(Row(Attribute(country, has), lift, rest, 0.25))
    edges = [0.0, 0.037, 12.5, 1e6, np.inf]
    rows += [Row(Attribute(employees, has, begins=edges[n], ends=edges[n + 1]), lift, points, 0.25)
             for n, points in enumerate(spans)]  # fmt: skip
    if sets:
        rows.append(Row(Attribute(newsletter, has, begins=1.0), lift, rest, 0.25))
    content = write_criteria(rows)
    period = EarlierPeriod("all", 1, 20, 20, 10, 0.5)
    shares = {"mql": 0.5, "sql": 0.1}
    text = write_sheet(project, rows, content, {"mql": 1.0, "sql": 2.25}, shares, period)
    path = folder / "learned.yaml"
    save_sheet(text, path)
    check_replaceable(path, force=False)
    sheet = read_sheet(project, path)
    terms = {term.signal: term.shape for term in sheet.terms}
    assert dict(terms["demographic__country"].levels) == named
    assert terms["demographic__country"].missing == rest
    read = terms["firmographic__employees"].reader()
    for number, points in enumerate(spans):
        assert read(edges[number]) == points
    assert read(edges[len(spans)]) == (spans[-1] if len(spans) == 4 else 0.0)
    assert ("email__newsletter" in terms) == sets
    assert (sheet.config.mql, sheet.config.sql) == (1.0, 2.25)


def test_yaml_keeps_texts_that_look_like_something_else(tmp_path):
    words = ["yes", "no", "on", "true", "null", "~", "1e3", "012", "1:30", "2020-01-01", "a: b",
             "# no", "- x", "'", '"', "é", "=", "<<", " ", "0x1f", "1_000", ".5", "?",
             "0\x85 0", "a\nb", "\u2028", "\t"]  # fmt: skip
    content = {word: {"value": word, "number": 3.0, "half": -0.5} for word in words}
    path = tmp_path / "words.yaml"
    path.write_text(write_yaml(content, {(w,): "above\nit" for w in words}), encoding="utf-8")
    assert read_yaml(path) == content


def test_a_file_that_somebody_edited_is_never_replaced(tmp_path, project):
    label = np.repeat([1, 0, 1, 0], [40, 60, 110, 790])
    country = np.repeat(np.array(["ES", "FR"], object), [100, 900])
    text = count_sheet(project, whole(history(label, demographic__country=country)), SHEET).text
    path = tmp_path / "sheets" / "learned.yaml"
    save_sheet(text, path)
    check_replaceable(path, force=False)
    path.write_text(text.replace("ES: 25", "ES: 30"), encoding="utf-8")
    with pytest.raises(RefusalError, match="edited by hand"):
        check_replaceable(path, force=False)
    check_replaceable(path, force=True)
    path.write_text("mql: 1\n", encoding="utf-8")
    with pytest.raises(RefusalError, match="--force"):
        check_replaceable(path, force=False)
