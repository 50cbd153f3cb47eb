"""The SQL of the profile as it was known at as_of."""

from leadscore.models.sql_text import quote_name, quote_text, write_number
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.values.times import DAY_US


def profile_sql(catalog: Catalog) -> str:
    """Return the SELECT of snapshot_id and the signals of profile and age.

    At the moment t, a field of `catalog.changing` has the new value of the last change recorded by
    t; before its first change the old value of that change; without changes the value in ``leads``.

    Tables in: those of `signals_sql`. Grain: one row per snapshot.
    """
    changing = list(dict.fromkeys(catalog.stored_changing))
    columns = "".join(
        f",\n  {_value(signal, changing)} AS {quote_name(signal.column)}"
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


def _value(signal: Signal, changing: list[str]) -> str:
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
