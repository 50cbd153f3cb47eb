"""From activities as they were read to the normalised file: each once, in one order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.sql import quote_name
from pipeline.engine import Limits, run_sql, write_sql
from pipeline.values import FieldSpec


def settle_activities(
    raw: Path | pa.Table,
    settled: Path,
    properties: Mapping[str, FieldSpec],
    leads: pa.Table | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Leave out duplicates and strangers, sort, number: from typed rows to the normalised file.

    Columns in: activity_id (text or null), lead_id, kind, occurred_us, recorded_us, and the
    properties. Columns out: the same and place. Grain: one row per activity.

    Returns
    -------
    dict
        The counts of `ActivitiesRead`, by their names there.
    """
    tables: dict[str, pa.Table | Path] = {"raw": raw}
    names = ["activity_id", "lead_id", "kind", "occurred_us", "recorded_us"]
    names += [quote_name(name) for name in properties]
    columns = ", ".join(names)
    facts = ", ".join(f"{quote_name(name)} NULLS FIRST" for name in properties)
    facts = f", {facts}" if facts else ""
    doubled = (
        "SELECT activity_id FROM raw WHERE activity_id IS NOT NULL "
        "GROUP BY activity_id HAVING COUNT(*) > 1"
    )
    twice = run_sql(
        f"SELECT COUNT(*) AS kept, CAST(COALESCE(SUM(copies), 0) AS BIGINT) AS copies, "
        "COUNT(CASE WHEN stories > 1 THEN 1 END) AS conflicts FROM ("
        "SELECT SUM(copies) AS copies, COUNT(*) AS stories FROM ("
        f"SELECT activity_id, COUNT(*) AS copies FROM raw WHERE activity_id IN ({doubled}) "
        f"GROUP BY {', '.join(n for n in names if n != 'recorded_us')}) AS stories "
        "GROUP BY activity_id) AS doubled",
        tables, limits,
    ).to_pylist()[0]  # fmt: skip
    kept = f"SELECT {columns} FROM raw"
    if twice["kept"]:
        kept += (
            f" WHERE activity_id IS NULL OR activity_id NOT IN ({doubled}) UNION ALL "
            f"SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY activity_id "
            f"ORDER BY recorded_us, lead_id, occurred_us, kind{facts}) AS copy "
            f"FROM raw WHERE activity_id IN ({doubled})) AS copies WHERE copy = 1"
        )
    counts: dict[str, Any] = {
        "duplicates": twice["copies"] - twice["kept"],
        "conflicts": twice["conflicts"],
    }
    known = ""
    if leads is not None:
        tables["leads"] = leads.select(["lead_id"])
        known = "WHERE lead_id IN (SELECT lead_id FROM leads)"
        strange = run_sql(
            f"SELECT COUNT(*) AS strangers, MIN(lead_id) AS stranger FROM ({kept}) AS kept "
            "WHERE lead_id NOT IN (SELECT lead_id FROM leads)",
            tables, limits,
        )  # fmt: skip
        counts |= strange.to_pylist()[0]
    write_sql(
        f"SELECT *, ROW_NUMBER() OVER () AS place FROM (SELECT {columns} FROM ({kept}) AS kept "
        f"{known} ORDER BY lead_id, occurred_us, activity_id NULLS FIRST, recorded_us, kind{facts}"
        ") AS sorted",
        tables, settled, limits,
    )  # fmt: skip
    kinds = run_sql(
        "SELECT kind, COUNT(*) AS activities FROM settled GROUP BY kind ORDER BY kind",
        {"settled": settled}, limits,
    ).to_pylist()  # fmt: skip
    counts["kinds"] = {row["kind"]: row["activities"] for row in kinds}
    counts["activities"] = sum(counts["kinds"].values())
    return counts
