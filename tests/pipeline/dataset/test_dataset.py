"""The dataset: signals beside the labels they belong to, parted by time without looking ahead."""

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.projects import (
    AGED,
    ORDERED_BY_ROW,
    WITHOUT_TIMES,
    lead,
    us,
    write_leads,
    write_project,
)

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.config.training import SplitConfig
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.dataset.split import earlier_than, split_dataset
from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.tables import ingest
from leadscore.pipeline.values.times import DAY_US


def build(tmp_path, leads, **project):
    folder = write_project(tmp_path, **project)
    write_leads(folder, leads)
    read = read_project(folder)
    return build_dataset(read, ingest(read))


def dataset_of(begin, matured=None, lead=None, order="time", label=None):
    """Return a dataset of given clocks; its one signal is the row's number."""
    begin = np.array(begin, np.float64)
    number = np.arange(len(begin))
    lead = number if lead is None else np.array(lead)
    return Dataset(
        signals=pd.DataFrame({"web__row": number.astype(np.float64)}),
        label=(number % 2).astype(np.int8) if label is None else np.array(label, np.int8),
        lead=lead.astype(np.intp),
        lead_id=np.array([f"lead-{i}" for i in lead], object),
        age_days=np.zeros(len(begin)),
        begin=begin,
        matured=begin if matured is None else np.array(matured, np.float64),
        order=order,
        left_out={},
    )


def rows(part):
    return part.signals["web__row"].astype(int).tolist()


# Building


def dated_leads():
    """Return thirty leads, one a day; lead n has n employees; odd ones win on their fifth day."""
    leads = []
    for number in range(30):
        day = f"2025-01-{number + 1:02}T00:00:00Z"
        won = number % 2 == 1
        closed = f"2025-{'01' if number < 26 else '02'}-{(number + 5) % 31 + 1:02}T00:00:00Z"
        facts = {"employees": number, "created_at": day, "newsletter": number % 3 == 0}
        outcome = {"status": "won", "closed_at": closed} if won else {"status": "lost"}
        leads.append(lead(f"{number:02}", **facts, **outcome))
    return leads


def test_every_row_has_its_own_leads_signals_label_and_clocks(tmp_path):
    leads = dated_leads()
    random.Random(3).shuffle(leads)
    dataset = build(tmp_path, leads, training={"horizon_days": 10})
    assert dataset.lead_id.tolist() == [f"{number:02}" for number in range(30)]
    assert dataset.signals["firmographic__employees"].tolist() == [*map(float, range(30))]
    assert dataset.signals["email__newsletter"].tolist() == [float(n % 3 == 0) for n in range(30)]
    assert dataset.label.tolist() == [number % 2 for number in range(30)]
    assert dataset.begin.tolist() == [us("2025-01-01T00:00:00Z") + n * DAY_US for n in range(30)]
    assert (dataset.matured - dataset.begin == 10 * DAY_US).all()
    assert dataset.lead.tolist() == list(range(30))
    assert dataset.order == "time"
    assert dataset.left_out == {"closed at or before the snapshot": 0, "immature": 0}


def test_at_several_ages_each_snapshot_matures_a_horizon_after_itself(tmp_path):
    """Odd leads close on day 5: their snapshot of day 7 is gone; the others' is there."""
    training = {"horizon_days": 10, "snapshots": {"ages_days": [0, 7]}}
    dataset = build(tmp_path, dated_leads(), training=training, signals=AGED)
    assert dataset.lead_id.tolist() == [
        f"{number:02}" for number in range(30) for _ in range(1 if number % 2 else 2)
    ]
    assert dataset.left_out == {"closed at or before the snapshot": 15, "immature": 0}
    waits = (dataset.matured - dataset.begin) / DAY_US
    assert waits.tolist() == [
        wait for number in range(30) for wait in ([10.0] if number % 2 else [10.0, 17.0])
    ]
    assert dataset.lead.tolist() == [int(lead_id) for lead_id in dataset.lead_id]
    assert dataset.signals["firmographic__employees"].tolist() == dataset.lead.tolist()


def test_immature_snapshots_are_not_there_and_are_counted(tmp_path):
    data = {"extracted_at": "2025-01-20T00:00:00Z"}  # leads 0..9 are mature: day + 10 <= 20
    dataset = build(tmp_path, dated_leads(), data=data, training={"horizon_days": 10})
    assert dataset.lead_id.tolist() == [f"{number:02}" for number in range(10)]
    assert dataset.left_out["immature"] == 20


def test_a_dataset_without_one_mature_snapshot_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no snapshot has a known outcome: .*30 immature"):
        build(tmp_path, dated_leads(), training={"horizon_days": 5000})


def test_without_dates_arrival_is_the_clock_and_open_leads_are_out(tmp_path):
    outcomes = {"d": "won", "c": "open", "b": "lost", "a": "won"}
    leads = [lead(key, status=status) for key, status in outcomes.items()]
    dataset = build(tmp_path, leads, data=ORDERED_BY_ROW, training={"horizon_days": None})
    assert dataset.order == "arrival"
    assert dataset.lead_id.tolist() == ["d", "b", "a"]
    assert dataset.begin.tolist() == dataset.matured.tolist() == [1.0, 3.0, 4.0]
    assert dataset.label.tolist() == [1, 0, 1]
    assert dataset.left_out == {"still open": 1}


def test_without_any_order_leads_stand_by_their_id(tmp_path):
    leads = [lead(key, status="won") for key in "cab"]
    dataset = build(tmp_path, leads, data=WITHOUT_TIMES, training={"horizon_days": None})
    assert dataset.order == "none"
    assert dataset.lead_id.tolist() == ["a", "b", "c"]


def test_the_order_of_the_file_does_not_matter(tmp_path):
    training = {"horizon_days": 10, "snapshots": {"ages_days": [0, 3]}}
    leads = dated_leads()
    plain = build(tmp_path, leads, training=training, signals=AGED)
    mixed = random.Random(1).sample(leads, len(leads))
    shuffled = build(tmp_path, mixed, training=training, signals=AGED)
    assert shuffled.signals.equals(plain.signals)
    for name in ("label", "lead", "lead_id", "begin", "matured"):
        assert getattr(shuffled, name).tolist() == getattr(plain, name).tolist()


def test_rows_of_a_dataset_keep_together():
    dataset = dataset_of([1, 2, 3, 4], matured=[5, 6, 7, 8], lead=[0, 0, 1, 1])
    part = dataset.rows(np.array([False, True, False, True]))
    assert rows(part) == [1, 3]
    assert part.begin.tolist() == [2, 4]
    assert part.matured.tolist() == [6, 8]
    assert part.lead_id.tolist() == ["lead-0", "lead-1"]
    assert part.lead.tolist() == [0, 1]
    assert part.label.tolist() == [1, 1]
    assert part.signals.index.tolist() == [0, 1]
    assert (len(part), len(dataset)) == (2, 4)


# Splitting


def test_earlier_leads_are_created_before_the_cut_and_matured_by_it():
    cut = us("2025-03-01T00:00:00Z")
    dataset = dataset_of(
        begin=[cut - 9, cut - 9, cut - 9, cut - 1, cut, cut + 1],
        matured=[cut - 1, cut, cut + 1, cut + 5, cut + 9, cut + 9],
    )
    split = split_dataset(dataset, SplitConfig(cut="2025-03-01T00:00:00Z"))
    assert rows(split.earlier) == [0, 1]
    assert rows(split.later) == [4, 5]
    assert split.neither == 2
    assert split.cut == cut


def test_one_lead_may_have_a_known_snapshot_before_the_cut_and_one_in_neither_part():
    cut = us("2025-03-01T00:00:00Z")
    dataset = dataset_of([cut - 9] * 2 + [cut] * 2, [cut, cut + 5, cut + 9, cut + 14], [0, 0, 1, 1])
    split = split_dataset(dataset, SplitConfig(cut="2025-03-01T00:00:00Z"))
    assert (rows(split.earlier), rows(split.later), split.neither) == ([0], [2, 3], 1)


@pytest.mark.parametrize(("later", "count"), [(0.3, 3), (0.25, 2), (3, 3), (1, 1), (9, 9)])
def test_the_newest_share_or_count_of_leads_is_later(later, count):
    """Leads are counted, not snapshots: here each has as many snapshots as its number."""
    lead = [i for i in range(10) for _ in range(i + 1)]
    dataset = dataset_of(begin=lead, lead=lead, order="arrival")
    split = split_dataset(dataset, SplitConfig(later=later))
    assert sorted(set(split.later.lead)) == list(range(10 - count, 10))
    assert sorted(set(split.earlier.lead)) == list(range(10 - count))
    assert split.neither == 0


def test_leads_of_the_very_same_time_are_not_parted():
    dataset = dataset_of([1, 2, 3, 3, 3, 4])
    split = split_dataset(dataset, SplitConfig(later=2))
    assert rows(split.earlier) == [0, 1]
    assert rows(split.later) == [2, 3, 4, 5]


def test_a_gap_of_arrivals_belongs_to_neither_part():
    split = split_dataset(dataset_of(range(10), order="arrival"), SplitConfig(later=3, gap=2))
    assert rows(split.earlier) == [0, 1, 2, 3, 4]
    assert rows(split.later) == [7, 8, 9]
    assert split.neither == 2
    assert split.cut == 7


def test_a_gap_is_never_smaller_than_asked_for_even_among_equal_numbers():
    dataset = dataset_of([1, 2, 3, 3, 3, 4, 5], order="arrival")
    split = split_dataset(dataset, SplitConfig(later=2, gap=2))
    assert rows(split.later) == [5, 6]
    assert rows(split.earlier) == [0, 1]
    split = split_dataset(dataset_of([1, 2, 3, 4, 4], order="arrival"), SplitConfig(later=1, gap=1))
    assert rows(split.later) == [3, 4]
    assert rows(split.earlier) == [0, 1]


@pytest.mark.parametrize(
    "config",
    [
        SplitConfig(later=10), SplitConfig(later=11), SplitConfig(later=0.01),
        SplitConfig(later=0.99), SplitConfig(later=5, gap=5), SplitConfig(later=5, gap=9),
    ],
)  # fmt: skip
def test_a_split_that_leaves_nothing_to_learn_from_is_an_error(config):
    with pytest.raises(DataError, match=r"of 10 leads"):
        split_dataset(dataset_of(range(10), order="arrival"), config)


@pytest.mark.parametrize("cut", ["1960-01-01T00:00:00Z", "2060-01-01T00:00:00Z"])
def test_a_cut_before_or_after_everything_is_an_error(cut):
    with pytest.raises(DataError, match=r"the split leaves \d+ snapshots earlier and \d+ later"):
        split_dataset(dataset_of(range(10)), SplitConfig(cut=cut))


def test_a_horizon_longer_than_the_history_is_an_error():
    dataset = dataset_of(range(10), matured=[b + 100 for b in range(10)])
    with pytest.raises(DataError, match="the split leaves 0 snapshots earlier"):
        split_dataset(dataset, SplitConfig(later=3))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(0, 9), min_size=1, max_size=3)),
             min_size=2, max_size=40),
    st.integers(0, 20), st.floats(0.05, 0.95), st.integers(0, 5),
)  # fmt: skip
def test_no_split_ever_looks_ahead(leads, horizon, later, gap):
    """However leads, ages and horizon lie: what teaches was known when the later period began."""
    leads = sorted(leads, key=lambda lead: lead[0])
    begin = [created for created, ages in leads for _ in ages]
    matured = [created + age + horizon for created, ages in leads for age in ages]
    lead = [number for number, (_, ages) in enumerate(leads) for _ in ages]
    dataset = dataset_of(begin, matured, lead)
    try:
        split = split_dataset(dataset, SplitConfig(later=later, gap=gap))
    except DataError:
        return
    assert split.earlier.matured.max() <= split.cut <= split.later.begin.min()
    assert split.earlier.begin.max() < split.cut
    assert not set(split.earlier.lead) & set(split.later.lead)
    assert len(split.earlier) + len(split.later) + split.neither == len(dataset)
    wanted = {number for number, (created, _) in enumerate(leads) if created >= split.cut}
    assert set(split.later.lead) == wanted
    assert len(wanted) >= round(later * len(leads))
    if gap == 0:
        known = [i for i in range(len(begin)) if begin[i] < split.cut and matured[i] <= split.cut]
        assert rows(split.earlier) == known
    between = [created for created, _ in leads if split.earlier.begin.max() < created < split.cut]
    assert len(between) >= gap


def test_what_was_known_at_a_cut():
    dataset = dataset_of([1, 2, 3, 4], matured=[4, 5, 4, 9])
    assert earlier_than(dataset, 4.0).tolist() == [True, False, True, False]
