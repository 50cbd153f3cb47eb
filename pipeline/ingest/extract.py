"""Until when the data goes, and whether the clocks of its tables can be right."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.config.data import DataConfig
from leadscore.pipeline.engine.duckdb_engine import run_sql
from leadscore.pipeline.ingest.activities import ActivitiesRead, FileRead
from leadscore.pipeline.ingest.notes import Note, NoteKind, Table
from leadscore.pipeline.values.times import DAY_US, format_time, read_moment

FAR_BEYOND_DAYS = 330
"""An extract further than this after the last of the data is a mistake, in the year most likely."""
FAR_APART_DAYS = 30
"""Ends of tables that lie further apart than this are worth a word."""
UNUSABLE = 0.95
"""Above this share of unknown leads a file of activities is of no use."""
MANY = 0.2
"""Above this share, activities outside their lead's time look like a clock set wrong."""


@dataclass(frozen=True)
class Extract:
    """When the data was taken, None without times; what to note; what forbids training."""

    us: int | None
    notes: list[Note] = field(default_factory=list)
    problems: list[Note] = field(default_factory=list)


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
    listed = ", ".join(f"{name} {format_time(end)}" for name, end in ends.items())
    if config.extracted_at is not None:
        extract_us = read_moment(config.extracted_at)
        days = (extract_us - last) // DAY_US
        text = (
            f"extracted_at in data.yaml, {config.extracted_at}, lies {days:,} days after the end "
            f"of the data ({listed}): unless outcomes are known until then, open leads pass for "
            "lost"
        )
        if days > FAR_BEYOND_DAYS:
            return Extract(extract_us, problems=[Note("extract impossible", text)])
        return Extract(
            extract_us, [Note("extract far away", text)] if days > FAR_APART_DAYS else []
        )
    extract_us = min(ends.values())
    text = (
        f"no extracted_at in data.yaml: {format_time(extract_us)} is taken, the earliest of the "
        f"ends ({listed})"
    )
    notes = [Note("extract guessed", text)]
    if last - extract_us > FAR_APART_DAYS * DAY_US:
        text = (
            "the ends lie far apart: a clock may be wrong, or a file older than the others; give "
            "extracted_at in data.yaml"
        )
        notes.append(Note("ends far apart", text))
    return Extract(extract_us, notes)


def _ends(
    config: DataConfig, leads: pa.Table, outcomes: pa.Table, activities: ActivitiesRead | None
) -> dict[str, int]:
    """Return where each file ends; what comes from one file has one end, the last."""
    read = [] if activities is None else [(f.path.name, f.last_us) for f in activities.files]
    found = [(Path(config.leads.file).name, _end(leads["created_us"]))]
    if config.outcomes.closed is not None:
        file = Path(config.outcomes.file or config.leads.file).name
        name = file if file in [name for name, _ in read] else "outcomes"
        found.append((name, _end(outcomes["closed_us"])))
    ends: dict[str, int] = {}
    for name, end in found + read:
        if end is not None:
            ends[name] = max(end, ends.get(name, end))
    return ends


def _end(times: pa.ChunkedArray) -> int | None:
    """Return the last time, or the last of 99.9 % where the rest lies more than a year beyond."""
    last = pc.max(times).as_py()
    if last is None:
        return None
    nearly = int(pc.quantile(times, 0.999, interpolation="lower")[0].as_py())
    return int(nearly if last - nearly > 365 * DAY_US else last)


def find_unusable_files(activities: ActivitiesRead, extract_us: int | None) -> list[Note]:
    """Find files of no use: their activities are all after the extract, or of unknown leads."""
    problems = []
    for file in activities.files:
        rows = file.rows - len(file.rejects)
        if file.strangers > UNUSABLE * rows:
            text = (
                f"{file.path.name}: {file.strangers:,} of {rows:,} activities are of leads that "
                "are not in the table; are the ids written in the same way?"
            )
            problems.append(Note("file without leads", text, file.strangers, "activities"))
        elif extract_us is not None and file.first_us is not None and file.first_us > extract_us:
            text = (
                f"{file.path.name}: all activities lie after the extract, "
                f"{format_time(extract_us)}; {_span(file)}: is its clock right?"
            )
            problems.append(Note("file after the extract", text, rows, "activities"))
    return problems


def note_clocks(
    leads: pa.Table,
    outcomes: pa.Table,
    activities: ActivitiesRead | None,
    extract_us: int | None,
) -> list[Note]:
    """Note what lies after the extract, and activities that do not fit their leads' times."""
    if extract_us is None:
        return []
    notes = []
    after = f"after the extract, {format_time(extract_us)}"
    rows = pc.index_in(outcomes["lead_id"], leads["lead_id"].combine_chunks())
    closed_us = outcomes["closed_us"]
    found: tuple[tuple[NoteKind, pa.ChunkedArray, Table, str], ...] = (
        ("leads after the extract", pc.greater(leads["created_us"], extract_us),
         "leads", f"created {after}"),
        ("outcomes after the extract", pc.greater(closed_us, extract_us),
         "outcomes", f"closed {after}"),
        ("outcomes before creation", pc.less(closed_us, leads["created_us"].take(rows)),
         "outcomes", "closed before their lead was created"),
    )  # fmt: skip
    for kind, marked, table, text in found:
        count = pc.sum(marked).as_py()
        if count:
            notes.append(Note(kind, f"{count:,} {table} {text}", count, table))
    if activities is not None and activities.activities:
        notes += _note_activities(leads, activities, extract_us)
    return notes


def _note_activities(leads: pa.Table, read: ActivitiesRead, extract_us: int) -> list[Note]:
    counts = run_sql(
        "SELECT "
        f"COUNT(CASE WHEN a.occurred_us > {extract_us} THEN 1 END) AS after, "
        "COUNT(CASE WHEN a.occurred_us < l.created_us THEN 1 END) AS before "
        "FROM activities AS a JOIN leads AS l ON l.lead_id = a.lead_id",
        {"activities": read.path, "leads": leads.select(["lead_id", "created_us"])},
    ).to_pylist()[0]
    places: tuple[tuple[NoteKind, int, str], ...] = (
        ("activities after the extract", counts["after"], "after the extract"),
        ("activities before creation", counts["before"], "before their lead's creation"),
    )
    notes = []
    for kind, count, where in places:
        share = count / read.activities
        text = f"{count:,} activities ({share:.1%}) {where}"
        if share > MANY:
            spans = ", ".join(_span(file) for file in read.files if file.first_us is not None)
            text += f"; IS A CLOCK SET WRONG? {spans}"
            notes.append(Note("wrong clock", text, count, "activities"))
        elif count:
            notes.append(Note(kind, text, count, "activities"))
    return notes


def _span(file: FileRead) -> str:
    first, last = (format_time(us) for us in (file.first_us or 0, file.last_us or 0))
    return f"{file.path.name} goes from {first} to {last}"
