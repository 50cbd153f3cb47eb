"""Until when the data goes, and whether the clocks of its tables can be right."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.declarations import DataConfig
from pipeline.engine import run_sql
from pipeline.ingestion.activities import ActivitiesRead
from pipeline.values import DAY_US, format_time, read_moment

FAR_APART_DAYS = 30
"""Ends of tables that lie further apart than this are worth a word."""
MANY = 0.2
"""Above this share, activities outside their lead's time look like a clock set wrong."""


def find_extract(
    config: DataConfig, leads: pa.Table, outcomes: pa.Table, activities: ActivitiesRead | None
) -> tuple[int | None, list[str]]:
    """Return when the data was taken, in UTC microseconds, and what to say about it.

    Without ``extract`` in data.yaml it is the earliest of the moments at which leads, outcomes and
    each file of activities end: up to then all of them are there. A single time far in the future
    can therefore not make young leads look lost.

    Returns
    -------
    int or None
        None where leads have no times.
    list of str
    """
    if config.leads.created is None:
        return None, []
    if config.extract is not None:
        return read_moment(config.extract), []
    ends = dict(_ends(config, leads, outcomes, activities))
    extract_us = min(ends.values())
    told = ", ".join(f"{name} {format_time(end)}" for name, end in ends.items())
    notes = [
        f"no extract in data.yaml: {format_time(extract_us)} is taken, the earliest of the ends "
        f"({told})"
    ]
    if max(ends.values()) - extract_us > FAR_APART_DAYS * DAY_US:
        notes.append(
            "the ends lie far apart: a clock may be wrong, or a file older than the others; give "
            "extract in data.yaml"
        )
    return extract_us, notes


def _ends(
    config: DataConfig, leads: pa.Table, outcomes: pa.Table, activities: ActivitiesRead | None
) -> Iterator[tuple[str, int]]:
    columns = [("leads", leads["created_us"])]
    if config.outcomes.closed is not None:
        columns.append(("outcomes", outcomes["closed_us"]))
    for name, column in columns:
        end = pc.max(column).as_py()
        if end is not None:
            yield name, end
    for file in activities.files if activities is not None else []:
        if file.last_us is not None:
            yield file.path.name, file.last_us


def note_clocks(
    leads: pa.Table,
    outcomes: pa.Table,
    activities: ActivitiesRead | None,
    extract_us: int | None,
) -> list[str]:
    """Say what lies after the extract, and where activities do not fit their leads' times."""
    if extract_us is None:
        return []
    notes = []
    for name, column in (("leads created", leads["created_us"]),
                         ("outcomes closed", outcomes["closed_us"])):  # fmt: skip
        after = pc.sum(pc.greater(column, extract_us)).as_py() or 0
        if after:
            notes.append(f"{after:,} {name} after the extract, {format_time(extract_us)}")
    early = _closed_before_creation(leads, outcomes)
    if early:
        notes.append(f"{early:,} outcomes closed before their lead was created")
    if activities is not None and activities.activities:
        notes += _note_activities(leads, activities, extract_us)
    return notes


def _closed_before_creation(leads: pa.Table, outcomes: pa.Table) -> int:
    rows = pc.index_in(outcomes["lead_id"], leads["lead_id"].combine_chunks())
    early = pc.less(outcomes["closed_us"], leads["created_us"].take(rows))
    return pc.sum(early).as_py() or 0


def _note_activities(leads: pa.Table, read: ActivitiesRead, extract_us: int) -> list[str]:
    counts = run_sql(
        "SELECT "
        f"COUNT(CASE WHEN a.occurred_us > {extract_us} THEN 1 END) AS after, "
        "COUNT(CASE WHEN a.occurred_us < l.created_us THEN 1 END) AS before "
        "FROM activities AS a JOIN leads AS l ON l.lead_id = a.lead_id",
        {"activities": read.path, "leads": leads.select(["lead_id", "created_us"])},
    ).to_pylist()[0]
    notes = []
    for word, where in (("after", "after the extract"), ("before", "before their lead's creation")):
        count = counts[word]
        if count:
            share = count / read.activities
            loud = "; IS A CLOCK SET WRONG? " + _spans(read) if share > MANY else ""
            notes.append(f"{count:,} activities ({share:.1%}) {where}{loud}")
    return notes


def _spans(read: ActivitiesRead) -> str:
    return ", ".join(
        f"{file.path.name} goes from {format_time(file.first_us)} to {format_time(file.last_us)}"
        for file in read.files
        if file.first_us is not None and file.last_us is not None
    )
