"""Snapshots and labels: blind to the outcome, and never sure too early."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.projects import us

from leadscore.pipeline.dataset.labels import Maturity, label_snapshots
from leadscore.pipeline.dataset.snapshots import take_snapshots
from leadscore.pipeline.values.times import DAY_US

AS_OF = us("2025-03-01T00:00:00Z")
HORIZON = 30
END = AS_OF + HORIZON * DAY_US
LATE = END + 100 * DAY_US
CLOSED_BEFORE = "closed at or before the snapshot"


def leads_of(created, arrival=None):
    """Return a table of leads by id, created at the given moments."""
    return pa.table(
        {
            "lead_id": pa.array(list(created), pa.string()),
            "created_us": pa.array(list(created.values()), pa.int64()),
            "arrival": pa.array(arrival or [None] * len(created), pa.float64()),
        }
    )


def outcomes_of(**outcomes):
    """Return a table of outcomes by lead_id: (status, closed_us)."""
    return pa.table(
        {
            "lead_id": pa.array(list(outcomes), pa.string()),
            "status": pa.array([status for status, _ in outcomes.values()], pa.string()),
            "closed_us": pa.array([closed for _, closed in outcomes.values()], pa.int64()),
        }
    )


def label_of(status, closed_us, extract_us=LATE, horizon_days=HORIZON):
    """Return the label of one lead looked at on AS_OF: 1, 0, or the reason it has none."""
    snapshots = take_snapshots(leads_of({"a": AS_OF}), [0])
    maturity = None if horizon_days is None else Maturity(horizon_days, extract_us)
    labels = label_snapshots(snapshots, outcomes_of(a=(status, closed_us)), maturity)
    if labels.known[0]:
        assert set(labels.left_out.values()) == {0}
        return int(labels.label[0])
    (reason,) = [reason for reason, count in labels.left_out.items() if count]
    return reason


# Labels at the edges


@pytest.mark.parametrize(
    ("closed_us", "label"),
    [
        (AS_OF - 1, CLOSED_BEFORE),
        (AS_OF, CLOSED_BEFORE),
        (AS_OF + 1, 1),
        (END - 1, 1),
        (END, 1),
        (END + 1, 0),
    ],
)
def test_a_win_counts_from_just_after_the_snapshot_to_the_end_of_the_horizon(closed_us, label):
    assert label_of("won", closed_us) == label


@pytest.mark.parametrize(
    ("closed_us", "label"),
    [(AS_OF, CLOSED_BEFORE), (AS_OF + 1, 0), (END, 0), (END + 1, 0), (None, 0)],
)
def test_a_lost_lead_is_not_won_and_out_once_it_closed(closed_us, label):
    assert label_of("lost", closed_us) == label


def test_a_lead_still_open_when_the_horizon_is_over_is_not_won():
    assert label_of("open", None) == 0


def test_a_lead_won_later_than_the_horizon_is_not_won():
    assert label_of("won", END + DAY_US) == 0


@pytest.mark.parametrize(("extract_us", "label"), [(END - 1, "immature"), (END, 0), (END + 1, 0)])
def test_a_snapshot_is_mature_once_the_extract_reaches_the_end_of_its_horizon(extract_us, label):
    assert label_of("open", None, extract_us) == label


def test_an_early_win_in_an_immature_snapshot_is_left_out_with_the_rest():
    assert label_of("won", AS_OF + DAY_US, extract_us=END - 1) == "immature"
    assert label_of("lost", AS_OF + DAY_US, extract_us=END - 1) == "immature"
    assert label_of("won", AS_OF + DAY_US, extract_us=END) == 1


def test_a_lead_closed_before_an_immature_snapshot_is_counted_once():
    assert label_of("won", AS_OF, extract_us=END - 1) == CLOSED_BEFORE


def test_a_lead_without_an_outcome_is_open():
    snapshots = take_snapshots(leads_of({"a": AS_OF}), [0])
    labels = label_snapshots(snapshots, outcomes_of(b=("won", AS_OF + 1)), Maturity(HORIZON, LATE))
    assert (labels.known.tolist(), labels.label.tolist()) == ([True], [0])


def test_a_horizon_may_be_part_of_a_day():
    half = AS_OF + DAY_US // 2
    assert label_of("won", half, horizon_days=0.5) == 1
    assert label_of("won", half + 1, horizon_days=0.5) == 0


def test_without_a_horizon_what_is_recorded_counts_and_open_leads_are_left_out():
    assert label_of("won", None, horizon_days=None) == 1
    assert label_of("lost", None, horizon_days=None) == 0
    assert label_of("open", None, horizon_days=None) == "still open"


def test_the_same_lead_at_several_ages_has_a_label_for_each():
    """Won on day 40: too late for day 0, in time for days 10 and 39, over on day 40."""
    won_on = AS_OF + 40 * DAY_US
    snapshots = take_snapshots(leads_of({"a": AS_OF}), [0, 9, 10, 39, 40, 60])
    labels = label_snapshots(snapshots, outcomes_of(a=("won", won_on)), Maturity(HORIZON, LATE))
    assert labels.known.tolist() == [True, True, True, True, False, False]
    assert labels.label[labels.known].tolist() == [0, 0, 1, 1]
    assert labels.left_out == {CLOSED_BEFORE: 2, "immature": 0}


def test_the_reasons_count_every_snapshot_without_a_label():
    leads = leads_of({"open": AS_OF, "gone": AS_OF, "new": LATE})
    outcomes = outcomes_of(open=("open", None), gone=("lost", AS_OF), new=("won", LATE + 1))
    labels = label_snapshots(take_snapshots(leads, [0]), outcomes, Maturity(HORIZON, LATE))
    assert labels.known.tolist() == [True, False, False]
    assert labels.left_out == {CLOSED_BEFORE: 1, "immature": 1}


moments = st.integers(-3, 40).map(lambda hours: AS_OF + hours * DAY_US)


@given(st.lists(st.tuples(moments, st.sampled_from(["won", "lost", "open"]), moments | st.none())))
def test_what_happens_after_the_horizon_or_the_extract_changes_no_label(stories):
    """Hide everything the future holds: the labels must be the same."""
    extract = AS_OF + 33 * DAY_US
    stories = [
        (created, status if closed else "open", closed) for created, status, closed in stories
    ]
    leads = leads_of({str(i): created for i, (created, _, _) in enumerate(stories)})
    snapshots = take_snapshots(leads, [0, 1])
    known = {str(i): (status, closed) for i, (_, status, closed) in enumerate(stories)}
    hidden = {
        key: ("open", None) if closed is not None and closed > extract else (status, closed)
        for key, (status, closed) in known.items()
    }
    full = label_snapshots(snapshots, outcomes_of(**known), Maturity(3, extract))
    seen = label_snapshots(snapshots, outcomes_of(**hidden), Maturity(3, extract))
    assert full.known.tolist() == seen.known.tolist()
    assert full.label[full.known].tolist() == seen.label[seen.known].tolist()
    assert sum(full.left_out.values()) == (~full.known).sum()


# Snapshots


def test_every_lead_is_looked_at_at_every_age():
    leads = leads_of({"b": AS_OF, "a": AS_OF + 5})
    assert take_snapshots(leads, [0, 0.5, 7]).to_pylist() == [
        {
            "snapshot_id": number,
            "lead_id": lead_id,
            "as_of_us": created + round(age * DAY_US),
            "created_us": created,
            "arrival": None,
            "age_days": age,
        }
        for number, (lead_id, created, age) in enumerate(
            [
                ("b", AS_OF, 0.0), ("b", AS_OF, 0.5), ("b", AS_OF, 7.0),
                ("a", AS_OF + 5, 0.0), ("a", AS_OF + 5, 0.5), ("a", AS_OF + 5, 7.0),
            ]
        )
    ]  # fmt: skip


def test_leads_without_times_are_looked_at_once():
    snapshots = take_snapshots(leads_of({"a": None, "b": None}, arrival=[2.0, 5.0]), [0])
    assert snapshots["lead_id"].to_pylist() == ["a", "b"]
    assert snapshots["as_of_us"].null_count == 2
    assert snapshots["arrival"].to_pylist() == [2.0, 5.0]
