"""The part of the history reader's SQL that reads the profile as it was known at as_of."""

from models.sql import quote_name, quote_text, write_number
from pipeline.signals.catalog import Catalog, Signal
from pipeline.values import DAY_US


def profile_sql(catalog: Catalog) -> str:
    """Return the SELECT of snapshot_id and the signals of profile and age.

    A field of `catalog.changing` is as of t its last new value recorded by t; before its first
    change, that one's old value; if it never changed, the value in ``leads``.

    Tables in: as `pipeline.signals.history.signals_sql` has them. Grain: one row per snapshot.
    """
    changing = list(dict.fromkeys(catalog.stored_changing))
    columns = "".join(
        f",\n  {_value(signal, changing)} AS {quote_name(signal.column)}"
        for signal in catalog.signals
        if signal.stored is not None or signal.declaration.kind == "lead_age"
    )
    joins = "".join(_join_changes(place, field) for place, field in enumerate(changing))
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
    kind = "text" if signal.is_category else "number"
    return (
        f"CASE WHEN new_{place}.place IS NOT NULL THEN new_{place}.new_{kind} "
        f"WHEN old_{place}.place IS NOT NULL THEN old_{place}.old_{kind} ELSE {current} END"
    )


def _join_changes(place: int, field: str) -> str:
    """Join the last change by as_of, and the very first one."""
    name = quote_text(field)
    return (
        "\nLEFT JOIN (SELECT s.snapshot_id, MAX(c.place) AS place FROM snapshots AS s "
        "JOIN changes AS c ON c.lead_id = s.lead_id AND c.recorded_us <= s.as_of_us "
        f"WHERE c.field = {name} GROUP BY s.snapshot_id) AS last_{place} "
        f"ON last_{place}.snapshot_id = s.snapshot_id"
        f"\nLEFT JOIN changes AS new_{place} ON new_{place}.place = last_{place}.place"
        "\nLEFT JOIN (SELECT lead_id, MIN(place) AS place FROM changes "
        f"WHERE field = {name} GROUP BY lead_id) AS first_{place} "
        f"ON first_{place}.lead_id = s.lead_id"
        f"\nLEFT JOIN changes AS old_{place} ON old_{place}.place = first_{place}.place"
    )
