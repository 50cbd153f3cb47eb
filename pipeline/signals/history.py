"""The history reader: all signals of all snapshots by one plain ANSI SQL text.

The text starts from the normalised tables and uses nothing that engines disagree on (no date
functions, no timestamps, no text functions), so the same string runs on DuckDB and SQLite, and on
a warehouse.
"""

from models.sql import quote_name
from pipeline.signals.catalog import Catalog

SNAPSHOT_KEY = "snapshot_id"


def signals_sql(catalog: Catalog) -> str:
    """Return the SQL text that computes a project's signals.

    Tables in: ``snapshots`` (snapshot_id, lead_id, as_of_us) and ``leads`` (lead_id, one column per
    field, typed). Columns out: snapshot_id, then one per signal, named ``family__name``; text for
    categories, double for the rest; NULL where missing. Grain: one row per snapshot, ordered by
    snapshot_id. A snapshot whose lead is unknown keeps its row, with everything missing.

    Parameters
    ----------
    catalog : Catalog

    Returns
    -------
    str
        One SELECT statement.
    """
    columns = "".join(
        f",\n  l.{quote_name(signal.field)} AS {quote_name(signal.column)}"
        for signal in catalog.signals
    )
    return (
        f"SELECT s.{SNAPSHOT_KEY}{columns}\n"
        "FROM snapshots AS s\n"
        "LEFT JOIN leads AS l ON l.lead_id = s.lead_id\n"
        f"ORDER BY s.{SNAPSHOT_KEY}"
    )
