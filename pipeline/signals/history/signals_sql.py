"""The ANSI SQL of all signals of all snapshots, over times in integer microseconds.

The text reads the normalised tables. It uses nothing that differs between engines (no date
functions, timestamps, text functions or integer division), so it runs on DuckDB, SQLite, Spark or
a warehouse. The activities of one filter are a cell. The activities known at a snapshot are grouped
once by snapshot and cell; distinct days have a grouping of their own.

`signals_sql` is one statement with a column per signal, for any engine. `read_plan` returns its
parts: `history.reader` runs only those that select known activities, and aggregates in numpy.
"""

from dataclasses import dataclass

from leadscore.models.sql_text import quote_name, write_number
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.history.aggregate_sql import list_aggregates
from leadscore.pipeline.signals.history.grouping import (
    GroupedSql,
    GroupedSqlDraft,
    ValueRef,
)
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
    """The parts of the SQL of a project's signals.

    `profile` is a SELECT of snapshot_id and the signals of profile and age, a row per snapshot.
    `groups` group the activities of `known`. `refs` has for each signal made from activities the
    position of its value; for a rate those of the part and the whole.
    """

    profile: str
    known: tuple[KnownSql, ...]
    groups: tuple[GroupedSql, ...]
    refs: dict[str, tuple[ValueRef, ...]]


def signals_sql(catalog: Catalog) -> str:
    """Return the SQL text that computes a project's signals, one SELECT statement.

    Tables in, all times in integer UTC microseconds:
    ``snapshots`` (snapshot_id, lead_id, as_of_us),
    ``leads`` (lead_id, created_us, one column per field, typed),
    ``activities`` (lead_id, kind, occurred_us, recorded_us, place, one column per property, typed),
    where `place` numbers the rows by lead, occurred_us and activity_id; and ``changes`` (lead_id,
    field, recorded_us, place, old_text, new_text, old_number, new_number), place numbering them in
    the order of their records. The text does not name a table that no signal reads.

    Columns out: snapshot_id, then one per signal, named ``family__name``; text for categories,
    numbers for the rest; NULL where missing. Grain: one row per snapshot, ordered by snapshot_id.
    A snapshot of an unknown lead keeps its row: counts are 0, everything else is missing.
    """
    plan = read_plan(catalog)
    names = [f"group_{number}" for number in range(len(plan.groups))]
    parts = [f"profile AS (\n{plan.profile}\n)"]
    parts += [f"{known.name} AS (\n{known.sql}\n)" for known in plan.known]
    parts += [
        f"{name} AS (\n{group.sql}\n)" for name, group in zip(names, plan.groups, strict=True)
    ]
    for number, name in enumerate(names):
        wanted = sorted(
            {(r.cell, r.measure) for rs in plan.refs.values() for r in rs if r.group == number}
        )
        columns = "".join(
            f",\n  MAX(CASE WHEN cell = {cell} THEN {measure} END) AS c{cell}_{measure}"
            for cell, measure in wanted
        )
        parts.append(
            f"wide_{number} AS (\nSELECT {SNAPSHOT_KEY}{columns}\nFROM {name}\n"
            f"GROUP BY {SNAPSHOT_KEY}\n)"
        )
    columns = ",\n  ".join(_value(plan, column) for column in catalog.columns)
    joins = "".join(
        f"\nLEFT JOIN wide_{number} ON wide_{number}.{SNAPSHOT_KEY} = profile.{SNAPSHOT_KEY}"
        for number in range(len(names))
    )
    return (
        "WITH " + ",\n".join(parts) + f"\nSELECT profile.{SNAPSHOT_KEY},\n  {columns}\n"
        f"FROM profile{joins}\nORDER BY profile.{SNAPSHOT_KEY}"
    )


def _value(plan: SqlPlan, column: str) -> str:
    name = quote_name(column)
    refs = plan.refs.get(column)
    if refs is None:
        return f"profile.{name}"
    texts = []
    for ref in refs:
        text = f"wide_{ref.group}.c{ref.cell}_{ref.measure}"
        if_none = plan.groups[ref.group].measures[ref.measure].if_none
        if if_none is not None:
            text = f"COALESCE({text}, {write_number(if_none)})"
        texts.append(text)
    if len(texts) == 1:
        return f"{texts[0]} AS {name}"
    part, whole = texts
    return f"CASE WHEN {whole} > 0 THEN {part} * 1e0 / {whole} END AS {name}"


def read_plan(catalog: Catalog) -> SqlPlan:
    """Return the parts of the SQL text, and the position of each signal's value in them.

    Raises
    ------
    ValueError
        If a filter does not fit the properties of the catalogue.
    """
    offset_us = round(catalog.day_offset_hours * 3_600_000_000)
    known_drafts: dict[bool, KnownSqlDraft] = {}
    grouped_drafts: dict[tuple[bool, bool], GroupedSqlDraft] = {}
    refs: dict[str, tuple[ValueRef, ...]] = {}
    for signal, declared in catalog.activity_signals():
        by_day, found = isinstance(declared, ActiveDaysSignal), []
        for filter_, aggregate in list_aggregates(declared):
            read = read_filter(filter_, catalog.properties)
            any_kind = read.kinds is None
            draft = known_drafts.setdefault(
                any_kind, KnownSqlDraft(f"known_{len(known_drafts)}", any_kind)
            )
            if by_day:
                draft.columns.add(day_column(offset_us))
            grouped = grouped_drafts.setdefault(
                (any_kind, by_day), GroupedSqlDraft(len(grouped_drafts), by_day, draft)
            )
            found.append(grouped.add_value(read, aggregate))
        refs[signal.column] = tuple(found)
    return SqlPlan(
        profile_sql(catalog),
        tuple(draft.build() for draft in known_drafts.values()),
        tuple(draft.build() for draft in grouped_drafts.values()),
        refs,
    )
