"""From activities as they were read to the normalised file: each once, in one order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.engine.duckdb_engine import Limits, open_engine
from leadscore.pipeline.values.fields import FieldSpec


def deduplicate_activities(
    raw: Path | pa.Table,
    settled: Path,
    properties: Mapping[str, FieldSpec],
    leads: pa.Table | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Leave out duplicates and strangers, sort, number: from typed rows to the normalised file.

    Columns in: activity_id (text or null), lead_id, kind, occurred_us, recorded_us, and the
    properties. Columns out: the same and place. Grain: one row per activity.

    The result has the counts of `ActivitiesRead`, by their names there.
    """
    names = ["activity_id", "lead_id", "kind", "occurred_us", "recorded_us"]
    names += [quote_name(name) for name in properties]
    facts = "".join(f", {quote_name(name)} NULLS FIRST" for name in properties)
    tables: dict[str, pa.Table | Path] = {"read": raw}
    known = ""
    if leads is not None:
        tables["leads"] = leads.select(["lead_id"])
        known = " WHERE lead_id IN (SELECT lead_id FROM leads)"
    with open_engine(tables, limits, settled.parent) as engine:
        engine.define("raw", f"SELECT * FROM read{known}")
        counts = engine.query(_count_doubles(names)).to_pylist()[0]
        kept = _keep(names, facts, has_doubles=counts.pop("ids") > 0)
        if leads is not None:
            strangers = (
                "SELECT COUNT(*) AS strangers, MIN(lead_id) AS stranger FROM read "
                "WHERE lead_id NOT IN (SELECT lead_id FROM leads)"
            )
            counts |= engine.query(strangers).to_pylist()[0]
        engine.write(
            f"SELECT *, ROW_NUMBER() OVER () AS place FROM (SELECT * FROM ({kept}) AS kept "
            f"ORDER BY lead_id, occurred_us, activity_id NULLS FIRST, recorded_us, kind{facts}"
            ") AS sorted",
            settled,
        )
        engine.add("settled", settled)
        kinds = "SELECT kind, COUNT(*) AS activities FROM settled GROUP BY kind ORDER BY kind"
        found = {row["kind"]: row["activities"] for row in engine.query(kinds).to_pylist()}
    return {**counts, "kinds": found, "activities": sum(found.values())}


_DOUBLED = (
    "SELECT activity_id FROM raw WHERE activity_id IS NOT NULL "
    "GROUP BY activity_id HAVING COUNT(*) > 1"
)


def _count_doubles(names: list[str]) -> str:
    """Count ids of several rows, the surplus rows, and the ids whose rows differ.

    Names of our own begin with #, which no property's does.
    """
    compared = ", ".join(name for name in names if name != "recorded_us")
    return (
        "SELECT COUNT(*) AS ids, "
        'CAST(COALESCE(SUM("#copies"), 0) - COUNT(*) AS BIGINT) AS duplicates, '
        'COUNT(CASE WHEN "#stories" > 1 THEN 1 END) AS conflicts FROM ('
        'SELECT SUM("#copies") AS "#copies", COUNT(*) AS "#stories" FROM ('
        f'SELECT activity_id, COUNT(*) AS "#copies" FROM raw WHERE activity_id IN ({_DOUBLED}) '
        f"GROUP BY {compared}) AS stories GROUP BY activity_id) AS doubled"
    )


def _keep(names: list[str], facts: str, has_doubles: bool) -> str:
    """Select each activity once: of those with one id the first recorded, then the smallest."""
    columns = ", ".join(names)
    if not has_doubles:
        return f"SELECT {columns} FROM raw"
    return (
        f"SELECT {columns} FROM raw "
        f"WHERE activity_id IS NULL OR activity_id NOT IN ({_DOUBLED}) UNION ALL "
        f"SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY activity_id "
        f'ORDER BY recorded_us, lead_id, occurred_us, kind{facts}) AS "#copy" '
        f'FROM raw WHERE activity_id IN ({_DOUBLED})) AS copies WHERE "#copy" = 1'
    )
