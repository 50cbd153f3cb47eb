"""The ANSI SQL of all signals of all snapshots, over times in integer microseconds.

The text reads the normalised tables. It uses nothing that differs between engines (no date
functions, timestamps, text functions or integer division), so it runs on DuckDB, SQLite, Spark or
a warehouse. The activities of one filter are a cell. The activities known at a snapshot are grouped
once by snapshot and cell; distinct days have a grouping of their own.

`signals_sql` is one statement with a column per signal, for any engine. `read_plan` returns its
parts: `history.reader` runs only those that select known activities, and aggregates in numpy.
"""

from dataclasses import dataclass

from leadscore.models.sql_text import quote_name, quote_text, write_number
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.history.activities_sql import (
    SNAPSHOT_KEY,
    GroupedSql,
    KnownSql,
    ValueRef,
    day_column,
    make_aggregate,
)
from leadscore.pipeline.signals.kinds import ActiveDaysSignal
from leadscore.pipeline.values.times import DAY_US


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

    Raises ValueError if a filter does not fit the properties of the catalogue.
    """
    offset_us = round(catalog.day_offset_hours * 3_600_000_000)
    known_by_kind: dict[bool, KnownSql] = {}
    groups: dict[tuple[bool, bool], GroupedSql] = {}
    refs: dict[str, tuple[ValueRef, ...]] = {}
    for signal, declared in catalog.activity_signals():
        by_day, found = isinstance(declared, ActiveDaysSignal), []
        aggregate = make_aggregate(declared)
        for read in [read_filter(filter_, catalog.properties) for filter_ in declared.filters]:
            any_kind = read.kinds is None
            known = known_by_kind.setdefault(
                any_kind, KnownSql(f"known_{len(known_by_kind)}", any_kind)
            )
            if by_day:
                known.columns.add(day_column(offset_us))
            grouped = groups.setdefault((any_kind, by_day), GroupedSql(len(groups), by_day, known))
            found.append(grouped.add_value(read, aggregate))
        refs[signal.column] = tuple(found)
    return SqlPlan(
        _profile_sql(catalog), tuple(known_by_kind.values()), tuple(groups.values()), refs
    )


def _profile_sql(catalog: Catalog) -> str:
    """Return the SELECT of snapshot_id and the signals of profile and age.

    At the moment t, a field of `catalog.changing` has the new value of the last change recorded by
    t; before its first change the old value of that change; without changes the value in ``leads``.

    Tables in: those of `signals_sql`. Grain: one row per snapshot.
    """
    changing = list(dict.fromkeys(catalog.stored_changing))
    columns = "".join(
        f",\n  {_profile_value(signal, changing)} AS {quote_name(signal.column)}"
        for signal in catalog.signals
        if signal.stored is not None or signal.declaration.kind == "lead_age"
    )
    if not columns:
        return "SELECT s.snapshot_id\nFROM snapshots AS s"
    joins = _join_changes(catalog, changing) if changing else ""
    return (
        f"SELECT s.snapshot_id{columns}\nFROM snapshots AS s\n"
        f"LEFT JOIN leads AS l ON l.lead_id = s.lead_id{joins}"
    )


def _profile_value(signal: Signal, changing: list[str]) -> str:
    if signal.stored is None:
        return f"(s.as_of_us - l.created_us) / {write_number(float(DAY_US))}"
    current = f"l.{quote_name(signal.stored)}"
    if signal.stored not in changing:
        return current
    place = changing.index(signal.stored)
    return (
        f"CASE WHEN new_values.known_{place} = 1 THEN new_values.value_{place} "
        f"WHEN old_values.known_{place} = 1 THEN old_values.value_{place} ELSE {current} END"
    )


def _join_changes(catalog: Catalog, changing: list[str]) -> str:
    """Join the new values of the last changes by as_of, and the old values of the first ones."""
    texts = {signal.stored for signal in catalog.signals if signal.is_category}
    kinds = ["text" if field in texts else "number" for field in changing]
    return (
        f"\nLEFT JOIN (SELECT k.snapshot_id{_write_change_columns(changing, kinds, 'new')}\nFROM ("
        "SELECT s.snapshot_id, c.field, MAX(c.place) AS place FROM snapshots AS s "
        "JOIN changes AS c ON c.lead_id = s.lead_id AND c.recorded_us <= s.as_of_us "
        "GROUP BY s.snapshot_id, c.field) AS k\nJOIN changes AS c ON c.place = k.place "
        "GROUP BY k.snapshot_id) AS new_values ON new_values.snapshot_id = s.snapshot_id"
        f"\nLEFT JOIN (SELECT c.lead_id{_write_change_columns(changing, kinds, 'old')}\nFROM ("
        "SELECT lead_id, field, MIN(place) AS place FROM changes GROUP BY lead_id, field) AS k\n"
        "JOIN changes AS c ON c.place = k.place "
        "GROUP BY c.lead_id) AS old_values ON old_values.lead_id = s.lead_id"
    )


def _write_change_columns(changing: list[str], kinds: list[str], side: str) -> str:
    """Write two columns per field: whether it changed, and its value."""
    return "".join(
        f",\n  MAX(CASE WHEN c.field = {quote_text(field)} THEN 1 END) AS known_{place}, "
        f"MAX(CASE WHEN c.field = {quote_text(field)} THEN c.{side}_{kind} END) AS value_{place}"
        for place, (field, kind) in enumerate(zip(changing, kinds, strict=True))
    )
