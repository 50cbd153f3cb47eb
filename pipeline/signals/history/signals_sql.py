"""The history reader: all signals of all snapshots by plain ANSI SQL over integer microseconds.

The text starts from the normalised tables and uses nothing that engines disagree on (no date
functions, no timestamps, no text functions, no integer division), so the same string runs on
DuckDB, SQLite, Spark or a warehouse. What a snapshot sees is sorted into cells, a cell being
the activities that one filter means, and grouped once by snapshot and cell; distinct days take a
grouping of their own.

`signals_sql` is one statement with a column per signal, for any engine. `read_plan` gives its
parts: `history.reader` runs those that select the known activities, and adds up by itself.
"""

from dataclasses import dataclass

from leadscore.models.sql_text import quote_name, write_number
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.history.aggregate_sql import aggregates_of
from leadscore.pipeline.signals.history.grouping import Block, Grouping, Reading
from leadscore.pipeline.signals.history.known_activities_sql import (
    SNAPSHOT_KEY,
    KnownSql,
    KnownSqlDraft,
    day_column,
)
from leadscore.pipeline.signals.history.profile_sql import profile_sql
from leadscore.pipeline.signals.kinds import ActiveDaysSignal


@dataclass(frozen=True)
class SqlPlan:
    """How a project's signals are read.

    `profile` is a SELECT of snapshot_id and the signals of profile and age, a row per snapshot.
    `blocks` group what is in `seen`.
    `readings` has for each signal of activities the place of its value; for a rate there are two,
    the part and the whole.
    """

    profile: str
    seen: tuple[KnownSql, ...]
    blocks: tuple[Block, ...]
    readings: dict[str, tuple[Reading, ...]]


def signals_sql(catalog: Catalog) -> str:
    """Return the one SQL text that computes a project's signals.

    Tables in, all times in integer UTC microseconds:
    ``snapshots`` (snapshot_id, lead_id, as_of_us),
    ``leads`` (lead_id, created_us, one column per field, typed),
    ``activities`` (lead_id, kind, occurred_us, recorded_us, place, one column per property, typed),
    where `place` numbers the rows by lead, occurred_us and activity_id; and ``changes`` (lead_id,
    field, recorded_us, place, old_text, new_text, old_number, new_number), place numbering them in
    the order they were recorded. A table that no signal reads is not named.

    Columns out: snapshot_id, then one per signal, named ``family__name``; text for categories,
    numbers for the rest; NULL where missing. Grain: one row per snapshot, ordered by snapshot_id.
    A snapshot whose lead is unknown keeps its row: counts 0, everything else missing.

    Returns
    -------
    str
        One SELECT statement.
    """
    plan = read_plan(catalog)
    names = [f"block_{place}" for place in range(len(plan.blocks))]
    parts = [f"profile AS (\n{plan.profile}\n)"]
    parts += [f"{seen.name} AS (\n{seen.sql}\n)" for seen in plan.seen]
    parts += [
        f"{name} AS (\n{block.sql}\n)" for name, block in zip(names, plan.blocks, strict=True)
    ]
    for place, name in enumerate(names):
        wanted = sorted(
            {(r.cell, r.measure) for rs in plan.readings.values() for r in rs if r.block == place}
        )
        spread = "".join(
            f",\n  MAX(CASE WHEN cell = {cell} THEN {measure} END) AS c{cell}_{measure}"
            for cell, measure in wanted
        )
        parts.append(
            f"wide_{place} AS (\nSELECT {SNAPSHOT_KEY}{spread}\nFROM {name}\n"
            f"GROUP BY {SNAPSHOT_KEY}\n)"
        )
    columns = ",\n  ".join(_value(plan, column) for column in catalog.columns)
    joins = "".join(
        f"\nLEFT JOIN wide_{place} ON wide_{place}.{SNAPSHOT_KEY} = profile.{SNAPSHOT_KEY}"
        for place in range(len(names))
    )
    return (
        "WITH " + ",\n".join(parts) + f"\nSELECT profile.{SNAPSHOT_KEY},\n  {columns}\n"
        f"FROM profile{joins}\nORDER BY profile.{SNAPSHOT_KEY}"
    )


def _value(plan: SqlPlan, column: str) -> str:
    name = quote_name(column)
    readings = plan.readings.get(column)
    if readings is None:
        return f"profile.{name}"
    texts = []
    for reading in readings:
        text = f"wide_{reading.block}.c{reading.cell}_{reading.measure}"
        if_none = plan.blocks[reading.block].measures[reading.measure].if_none
        if if_none is not None:
            text = f"COALESCE({text}, {write_number(if_none)})"
        texts.append(text)
    if len(texts) == 1:
        return f"{texts[0]} AS {name}"
    part, whole = texts
    return f"CASE WHEN {whole} > 0 THEN {part} * 1e0 / {whole} END AS {name}"


def read_plan(catalog: Catalog) -> SqlPlan:
    """Return the parts of the SQL text, and where each signal's value is found in them.

    Raises
    ------
    ValueError
        If a filter does not fit the properties of the catalogue.
    """
    offset_us = round(catalog.day_offset_hours * 3_600_000_000)
    drafts: dict[bool, KnownSqlDraft] = {}
    groupings: dict[tuple[bool, bool], Grouping] = {}
    readings: dict[str, tuple[Reading, ...]] = {}
    for signal, declared in catalog.activity_signals():
        by_day, found = isinstance(declared, ActiveDaysSignal), []
        for filter_, aggregate in aggregates_of(declared):
            read = read_filter(filter_, catalog.properties)
            any_kind = read.kinds is None
            draft = drafts.setdefault(any_kind, KnownSqlDraft(f"seen_{len(drafts)}", any_kind))
            if by_day:
                draft.columns.add(day_column(offset_us))
            grouping = groupings.setdefault(
                (any_kind, by_day), Grouping(len(groupings), by_day, draft)
            )
            found.append(grouping.reading(read, aggregate))
        readings[signal.column] = tuple(found)
    return SqlPlan(
        profile_sql(catalog),
        tuple(draft.seen() for draft in drafts.values()),
        tuple(grouping.block() for grouping in groupings.values()),
        readings,
    )
