"""The demo world: its files, its oddities as planned, and its truth against brute force."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.demo import world as world_module
from leadscore.pipeline.demo.activities import COLUMNS, LEAKING
from leadscore.pipeline.demo.job_titles import FUNCTIONS, LEVELS, adapt_title, list_titles
from leadscore.pipeline.demo.journeys import (
    BEGIN,
    GIVEN_UP,
    HAZARD,
    MARKS,
    NEXT,
    RATES,
    RATES_BEFORE,
    SEEKER,
    find_worth,
    simulate,
)
from leadscore.pipeline.demo.leads import BEGIN_S, draw_creations, draw_facts
from leadscore.pipeline.demo.tables import read_column
from leadscore.pipeline.demo.truth import (
    AGES_DAYS,
    HORIZON_DAYS,
    backward_table,
    filter_states,
    look_ahead,
    step_back,
    true_probabilities,
)
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.workflows.tour import read_truth

LEADS = 3000
ALL = ("leads", "deals", "changes", "truth", *COLUMNS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, LEADS, seed=4)
    return folder


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", parse_dates=[
        column for column in pd.read_csv(folder / f"{name}.csv", nrows=0)
        if column.endswith("_at") or column == "as_of"
    ])  # fmt: skip


def some_facts(count: int, seed: int = 0):
    random = np.random.default_rng(seed)
    return random, draw_facts(random, draw_creations(random, count))


def test_the_same_seed_writes_the_same_bytes_and_another_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_world(tmp_path / name, 600, seed)
    for file in ALL:
        one, again, other = ((tmp_path / x / f"{file}.csv").read_bytes() for x in "abc")
        assert one == again
        assert one != other


def test_a_world_in_parts_and_in_parquet_is_read_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(world_module, "LEADS_AT_ONCE", 400)
    write_world(tmp_path / "csv", 1000, 3)
    write_world(tmp_path / "parquet", 1000, 3, "parquet")
    for name in COLUMNS:
        ids = read(tmp_path / "csv", name).drop_duplicates()["activity_id"]
        assert ids.is_unique
    plain = ingest(read_project(find_project("demo"), tmp_path / "csv"))
    project = read_project(find_project("demo") / "parquet", tmp_path / "parquet")
    other = ingest(project)
    assert project.name == "demo-parquet"
    assert plain.digest == other.digest


def test_the_two_data_files_differ_in_their_endings_alone():
    folder = find_project("demo")
    one, other = (
        yaml.safe_load((p / "data.yaml").read_text()) for p in (folder, folder / "parquet")
    )
    del one["folder"], other["folder"]
    assert yaml.safe_load(yaml.safe_dump(one).replace(".csv", ".parquet")) == other


def test_every_file_is_read_without_rejects(folder):
    tables = ingest(read_project(find_project("demo"), folder))
    assert tables.rejects == ()
    assert tables.problems == ()
    assert len(tables.leads) == LEADS
    assert not [n for n in tables.notes if n.kind in ("unused columns", "conflicting activity ids")]


def test_counts_are_in_balance(folder):
    leads, deals, truth = (read(folder, name) for name in ("leads", "deals", "truth"))
    assert leads["lead_id"].is_unique
    assert deals["lead_id"].is_unique
    assert set(deals["lead_id"]) <= set(leads["lead_id"])
    closed = deals[deals["stage"] != "open"]
    assert (closed["entered_at"] - closed["closed_at"]).dt.days.max() <= 5
    assert (closed["entered_at"] >= closed["closed_at"]).all()
    assert deals.loc[deals["stage"] == "won", "amount"].gt(0).all()
    assert deals.loc[deals["stage"] != "won", "amount"].isna().all()
    assert set(leads.loc[leads["closing_remark"].notna(), "lead_id"]) == set(closed["lead_id"])
    assert 0.05 < truth["true_prob"].mean() < 0.2
    assert not truth.duplicated(["lead_id", "as_of"]).any()
    merged = truth.merge(leads[["lead_id", "created_at"]]).merge(deals, how="left")
    assert set((merged["as_of"] - merged["created_at"]).dt.days) == set(AGES_DAYS)
    assert not (merged["closed_at"] <= merged["as_of"]).any()
    called = leads.merge(closed, on="lead_id")
    assert not (called["called_at"] > called["closed_at"]).any()
    never = leads["called_at"].isna().groupby(leads["source"]).mean()
    assert never["list"] > never["partner"] + 0.1


def test_only_the_leaks_come_after_the_closing(folder):
    deals = read(folder, "deals")
    closed = deals[deals["stage"] != "open"].set_index("lead_id")["closed_at"]
    for name in COLUMNS:
        rows = read(folder, name)
        after = rows["occurred_at"] > rows["lead_id"].map(closed)
        assert set(rows.loc[after, "kind"]) <= set(LEAKING)
        if name == "product":
            assert set(rows.loc[after, "kind"]) == set(LEAKING)


def test_letters_and_trials_come_in_their_order(folder):
    email = read(folder, "email").drop_duplicates()
    gone = email[email["kind"] == "unsubscribe"].groupby("lead_id")["occurred_at"].min()
    letters = email[email["kind"] == "delivered"]
    assert len(gone) > 20
    assert not (letters["occurred_at"] > letters["lead_id"].map(gone)).any()
    first = letters.groupby("lead_id")["occurred_at"].min()
    opened = email[email["kind"].isin(["open", "machine_open"])]
    assert (opened["occurred_at"] >= opened["lead_id"].map(first)).all()
    product = read(folder, "product").drop_duplicates()
    starts = product[product["kind"] == "trial_start"].set_index("lead_id")["occurred_at"]
    assert starts.index.is_unique
    logins = product[product["kind"] == "trial_login"]
    assert (logins["occurred_at"] >= logins["lead_id"].map(starts)).all()


def test_a_few_rows_stand_twice_and_webinars_are_recorded_late(folder):
    repeated = {name: read(folder, name).duplicated().mean() for name in COLUMNS}
    assert 0.0005 < repeated["web"] < 0.005
    for name in COLUMNS:
        assert read(folder, name).drop_duplicates()["activity_id"].is_unique
    webinars = read(folder, "webinars")
    late = webinars["recorded_at"] - webinars["occurred_at"]
    attended = webinars["kind"] == "attended"
    assert late[attended].min() >= pd.Timedelta(days=1)
    assert late[attended].max() <= pd.Timedelta(days=5)
    assert (late[~attended] == pd.Timedelta(0)).all()


def test_the_last_change_of_a_field_is_its_value_today(folder):
    leads = read(folder, "leads").set_index("lead_id")
    changes = read(folder, "changes").sort_values("changed_at", kind="stable")
    assert 0.01 < changes["lead_id"].nunique() / LEADS < 0.05
    for (lead_id, field), rows in changes.groupby(["lead_id", "field"]):
        today = leads.loc[lead_id, field]
        assert pd.isna(today) or rows["new_value"].iloc[-1] == today
    assert set(changes["field"]) == {"title", "company", "email"}


def test_spam_is_there_looks_so_and_is_never_won():
    random, facts = some_facts(20_000)
    assert 0.05 < facts.spam.mean() < 0.07
    for _, probability in true_probabilities(facts, simulate(random, facts)):
        assert probability[facts.spam].max() < 0.01
        assert probability[~facts.spam].mean() > 0.05


def test_the_truth_is_calibrated():
    """Ages apart, so that each lead counts once; wins of ten groups within 4 standard errors."""
    random, facts = some_facts(20_000, seed=7)
    facts = replace(facts, created=np.full(len(facts), BEGIN_S))  # none is cut by the extract
    journeys = simulate(random, facts)
    for age, probability in true_probabilities(facts, journeys):
        still = (journeys.closed_day < 0) | (journeys.closed_day >= age)
        won = journeys.won & (journeys.closed_day >= age)
        won &= journeys.closed_day < age + HORIZON_DAYS
        known, label = probability[still], won[still]
        for group in np.array_split(np.argsort(known), 10):
            spread = np.sqrt((known[group] * (1.0 - known[group])).sum())
            assert abs(label[group].sum() - known[group].sum()) < 4.0 * max(spread, 1.0), age


def test_the_filter_is_the_sum_over_all_paths_of_the_chain():
    """Every path of hidden states over three days, called and never called, in plain Python."""
    random, facts = some_facts(300, seed=2)
    facts = replace(facts, change_day=np.where(np.arange(300) % 3 == 0, 2, -1))
    journeys = simulate(random, facts)
    ((_, found),) = filter_states(facts, journeys, [3])
    busiest = np.argsort(-np.bincount(journeys.row[journeys.day < 3], minlength=300))
    names = list(MARKS)
    for lead in [*busiest[:5], 3, 4]:
        marks = {
            d: journeys.mark[(journeys.row == lead) & (journeys.day == d)] for d in (-1, 0, 1, 2)
        }
        expected = np.zeros((2, 5))
        for branch, path in itertools.product((0, 1), itertools.product(range(5), repeat=4)):
            never, seeker = facts.never_called[lead], facts.seeker[lead]
            chance = never if branch else 1.0 - never
            chance *= seeker if path[0] == SEEKER else (1.0 - seeker) * BEGIN[path[0]]
            chance *= np.prod([RATES_BEFORE[path[0], m] for m in marks[-1]])
            chance *= np.exp(-facts.exposure[lead] * RATES_BEFORE[path[0]].sum())
            unsubscribed = False
            for day, state in enumerate(path[:3]):
                rates = RATES[state].copy()
                if unsubscribed:
                    rates[:5] = 0.0
                chance *= np.exp(-facts.exposure[lead] * rates.sum())
                chance *= np.prod([RATES[state, m] for m in marks[day]])
                worth = find_worth(facts, np.array([lead]), day)[0]
                hazard = HAZARD[state] * worth * (0.05 if branch else 1.0)
                chance *= np.exp(-hazard) * (1.0 - GIVEN_UP[branch, state])
                chance *= NEXT[state, path[day + 1]]
                unsubscribed |= any(names[m] == "unsubscribe" for m in marks[day])
            expected[branch, path[3]] += chance
        np.testing.assert_allclose(found[lead], expected / expected.sum(), rtol=1e-9)


def test_the_backward_table_agrees_with_recursion_and_with_chance():
    log_worth = np.array([-3.0, -0.4567, 1.2345])
    exact = np.zeros((3, 2, 5))
    for _ in range(HORIZON_DAYS):
        exact = step_back(exact, np.exp(log_worth))
    np.testing.assert_allclose(look_ahead(log_worth, HORIZON_DAYS), exact, atol=1e-5)
    assert (np.diff(backward_table(HORIZON_DAYS), axis=0) >= 0.0).all()
    random = np.random.default_rng(1)
    state = np.repeat(np.arange(5), 20_000)
    begin, won = state.copy(), np.zeros(len(state), bool)
    open_ = np.ones(len(state), bool)
    for _ in range(HORIZON_DAYS):
        win = open_ & (random.random(len(state)) < -np.expm1(-np.exp(1.2345) * HAZARD[state]))
        won |= win
        open_ &= ~win & (random.random(len(state)) >= GIVEN_UP[0, state])
        edges = np.cumsum(NEXT[state], axis=1)[:, :-1]
        state = (random.random(len(state))[:, None] > edges).sum(axis=1)
    for place in range(5):
        share, sure = won[begin == place].mean(), exact[2, 0, place]
        assert abs(share - sure) < 4.0 * np.sqrt(sure * (1.0 - sure) / 20_000)


def test_the_truth_is_found_for_every_snapshot_of_the_project(registered):
    known = read_truth(registered.store_folder / "demo" / "truth.csv", registered.training.later)
    assert ((known > 0.0) & (known < 1.0)).all()


def test_women_and_men_have_their_own_titles():
    """Spanish and French titles have two forms; English ones have one."""
    women, men = (set(read_column("first_names", who)) for who in ("woman", "man"))
    assert not women & men
    for language in ("es", "fr"):
        man, woman = (
            {adapt_title(title, language, is_woman) for title in _list_all_titles(language)}
            for is_woman in (False, True)
        )
        of_men, of_women = (
            set(read_column("title_words", who, language=language)) for who in ("man", "woman")
        )
        assert not {word for title in man for word in title.split()} & of_women
        assert not {word for title in woman for word in title.split()} & of_men
    assert adapt_title("Director Financiero", "es", True) == "Directora Financiera"
    assert adapt_title("Directrice Générale", "fr", False) == "Directeur Général"
    assert adapt_title("Owner", "en", True) == "Owner"


def _list_all_titles(language):
    return {
        title for level in LEVELS for function in FUNCTIONS
        for title in list_titles(language, level, function)
    }  # fmt: skip
