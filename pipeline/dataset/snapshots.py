"""Snapshots: which lead is looked at when, by a rule blind to the outcome."""

from collections.abc import Sequence

import pyarrow as pa

from leadscore.pipeline.values.times import DAY_US


def take_snapshots(leads: pa.Table, ages_days: Sequence[float]) -> pa.Table:
    """Look at every lead at the same ages, whatever became of it.

    Columns in: lead_id, created_us, arrival. Columns out: snapshot_id (int64, from 0), lead_id,
    as_of_us (int64, null where leads have no times), created_us, arrival, age_days (float64).
    Grain: one row per lead and age, leads in the order given, ages as given within a lead.

    Leads without times are looked at once, whatever `ages_days` has.
    """
    parts = []
    for place, age in enumerate(ages_days if leads["created_us"].null_count == 0 else [0.0]):
        rows = range(place, len(leads) * len(ages_days), len(ages_days))
        created = leads["created_us"].combine_chunks()
        as_of = pa.array(
            [None if moment is None else moment + round(age * DAY_US) for moment in
             created.to_pylist()], pa.int64(),
        )  # fmt: skip
        parts.append(
            pa.table(
                {
                    "snapshot_id": pa.array(rows, pa.int64()),
                    "lead_id": leads["lead_id"],
                    "as_of_us": as_of,
                    "created_us": created,
                    "arrival": leads["arrival"],
                    "age_days": pa.array([age] * len(leads), pa.float64()),
                }
            )
        )
    return pa.concat_tables(parts).sort_by("snapshot_id")


def snapshot_at(leads: pa.Table, as_of_us: int | None) -> pa.Table:
    """Look at every lead once, all as of one moment.

    Columns in: lead_id. Columns out: snapshot_id (int64, from 0), lead_id, as_of_us. Grain and
    order: those of `leads`.
    """
    return pa.table(
        {
            "snapshot_id": pa.array(range(len(leads)), pa.int64()),
            "lead_id": leads["lead_id"],
            "as_of_us": pa.array([as_of_us] * len(leads), pa.int64()),
        }
    )
