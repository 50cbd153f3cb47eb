"""The worlds that the audit is tried on are what they are said to be."""

import pandas as pd
import pytest
from support.worlds.planted.world import write_planted

SEED = 0


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    place = tmp_path_factory.mktemp("worlds")
    return write_planted(place / "told", SEED, True), write_planted(place / "untold", SEED, False)


@pytest.fixture(scope="module")
def changes(worlds):
    told, _ = worlds
    deals = pd.read_csv(told.folder / "deals.csv").dropna(subset="closed_at")
    happened = pd.read_csv(told.folder / "changes.csv", dtype=str).merge(
        deals, on="lead_id", how="left"
    )
    happened["after"] = happened["changed_at"] >= happened["closed_at"]
    return happened


def test_with_and_without_history_today_is_the_same(worlds):
    told, untold = worlds
    for name in ("leads.csv", "deals.csv", "signals.yaml"):
        assert (told.folder / name).read_bytes() == (untold.folder / name).read_bytes()
    assert not (untold.folder / "changes.csv").exists()
    assert (len(told.leaky), len(told.honest)) == (10, 40)
    assert len({what.split(":")[0] for what in told.leaky.values()}) == 4
    assert 0.1 < told.wins / told.leads < 0.2


def test_the_history_ends_where_today_begins(worlds, changes):
    told, _ = worlds
    today = pd.read_csv(told.folder / "leads.csv", dtype=str).set_index("lead_id")
    last = changes.groupby(["lead_id", "field"], sort=False)["new_value"].last()
    assert len(last) > 5000
    now = today.stack(future_stack=True).reindex(last.index)
    pd.testing.assert_series_equal(now, last, check_names=False)


def test_leaks_are_written_at_the_closing_or_after_it(worlds, changes):
    told, _ = worlds
    written = changes[changes["field"].isin(told.leaky)]
    assert written.loc[written["new_value"].eq("success team"), "after"].all()
    for name, what in told.leaky.items():
        own = written[written["field"] == name]
        if what.startswith(("filled", "id-like")):
            assert own["after"].all(), what
        assert own["after"].sum() > 0.6 * told.wins, what


def test_honest_columns_are_edited_as_often_whatever_became_of_the_lead(worlds, changes):
    told, _ = worlds
    deals = pd.read_csv(told.folder / "deals.csv")
    edits = changes[changes["field"].isin(told.honest)].groupby("lead_id").size()
    each = edits.reindex(deals["lead_id"], fill_value=0).groupby(deals["stage"].to_numpy()).mean()
    assert each["won"] == pytest.approx(each["lost"], rel=0.1)
