"""Until when the data goes, and whether the clocks of its tables can be right."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import DataConfig
from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.ingest.activities import ActivitiesRead, FileRead
from leadscore.pipeline.values.times import DAY_US, format_time, read_moment

FAR_BEYOND_DAYS = 330
"""An extract further than this after the last of the data is a mistake, in the year most likely."""
FAR_APART_DAYS = 30
"""Ends of tables that lie further apart than this are worth a word."""
USELESS = 0.95
"""Above this share of strangers a file of activities tells nothing."""
MANY = 0.2
"""Above this share, activities outside their lead's time look like a clock set wrong."""


@dataclass(frozen=True)
class Extract:
    """When the data was taken, None without times; what to note; what forbids training."""

    us: int | None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_extract(
    config: DataConfig, leads: pa.Table, outcomes: pa.Table, activities: ActivitiesRead | None
) -> Extract:
    """Find when the data was taken.

    Without ``extracted_at`` in data.yaml it is the earliest of the moments at which the files of
    leads, outcomes and activities end: up to then all of them are there. Neither a file whose
    clock runs ahead nor a few leads or outcomes far in the future can then make young leads
    look lost. An extract long after all of them end is a problem, for the same reason.
    """
    if config.leads.created is None:
        return Extract(None)
    ends = _ends(config, leads, outcomes, activities)
    last = max(ends.values())
    told = ", ".join(f"{name} {format_time(end)}" for name, end in ends.items())
    if config.extracted_at is not None:
        extract_us = read_moment(config.extracted_at)
        days = (extract_us - last) // DAY_US
        said = [
            f"extracted_at in data.yaml, {config.extracted_at}, lies {days:,} days after the last "
            f"of the data ({told}): unless outcomes are known until then, open leads pass for lost"
        ]
        if days > FAR_BEYOND_DAYS:
            return Extract(extract_us, problems=said)
        return Extract(extract_us, said if days > FAR_APART_DAYS else [])
    extract_us = min(ends.values())
    notes = [
        f"no extracted_at in data.yaml: {format_time(extract_us)} is taken, the earliest of the "
        f"ends ({told})"
    ]
    if last - extract_us > FAR_APART_DAYS * DAY_US:
        notes.append(
            "the ends lie far apart: a clock may be wrong, or a file older than the others; give "
            "extracted_at in data.yaml"
        )
    return Extract(extract_us, notes)


def _ends(
    config: DataConfig, leads: pa.Table, outcomes: pa.Table, activities: ActivitiesRead | None
) -> dict[str, int]:
    """Return where each file ends; what comes from one file has one end, the last."""
    found = [(Path(config.leads.file).name, _end(leads["created_us"]))]
    if config.outcomes.closed is not None:
        file = Path(config.outcomes.file or config.leads.file).name
        name = file if activities is not None and file in _names(activities) else "outcomes"
        found.append((name, _end(outcomes["closed_us"])))
    for read in activities.files if activities is not None else []:
        found.append((read.path.name, read.last_us))
    ends: dict[str, int] = {}
    for name, end in found:
        if end is not None:
            ends[name] = max(end, ends.get(name, end))
    return ends


def _names(activities: ActivitiesRead) -> set[str]:
    return {file.path.name for file in activities.files}


def _end(times: pa.ChunkedArray) -> int | None:
    """Return the last time, or the last of 99.9 % where the rest lies more than a year beyond."""
    last = pc.max(times).as_py()
    if last is None:
        return None
    nearly = int(pc.quantile(times, 0.999, interpolation="lower")[0].as_py())
    return int(nearly if last - nearly > 365 * DAY_US else last)


def find_unusable_files(activities: ActivitiesRead, extract_us: int | None) -> list[str]:
    """Say which files of activities tell nothing: they begin after the extract, or know no lead."""
    problems = []
    for file in activities.files:
        rows = file.rows - len(file.rejects)
        if file.strangers > USELESS * rows:
            problems.append(
                f"{file.path.name}: {file.strangers:,} of {rows:,} activities are of leads that "
                "are not in the table; are the ids written in the same way?"
            )
        elif extract_us is not None and file.first_us is not None and file.first_us > extract_us:
            problems.append(
                f"{file.path.name}: all activities lie after the extract, "
                f"{format_time(extract_us)}; {_span(file)}: is its clock right?"
            )
    return problems


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
    return ", ".join(_span(file) for file in read.files if file.first_us is not None)


def _span(file: FileRead) -> str:
    first, last = (format_time(us) for us in (file.first_us or 0, file.last_us or 0))
    return f"{file.path.name} goes from {first} to {last}"
