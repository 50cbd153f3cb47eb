"""Write small projects to try things on: four YAML files and a table of leads, in any folder.

A test says only what is special about its project::

    folder = write_project(tmp_path, data={"max_reject_share": 0.5})
    write_leads(folder, [lead("a", status="won", closed_at="2025-02-01T00:00:00Z")])
"""

import csv
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.pipeline.values.times import TimeSpec, make_time_reader

DATA: Mapping[str, Any] = {
    "leads": {
        "file": "leads.csv",
        "id": "lead_id",
        "created": {"column": "created_at"},
        "fields": {
            "country": {},
            "employees": {"type": "number"},
            "newsletter": {"type": "flag"},
        },
    },
    "outcomes": {
        "column": "status",
        "won": ["won"],
        "lost": ["lost"],
        "closed": {"column": "closed_at"},
    },
    "extracted_at": "2025-12-31T00:00:00Z",
}
SIGNALS: Mapping[str, Any] = {
    "country": {"family": "demographic", "kind": "category"},
    "employees": {"family": "firmographic", "kind": "number"},
    "newsletter": {"family": "email", "kind": "flag"},
}
AGED: Mapping[str, Any] = {
    **SIGNALS,
    "age": {"family": "demographic", "kind": "lead_age"},
}
"""Signals where leads are looked at at several ages."""  # fmt: skip
TRAINING: Mapping[str, Any] = {
    "horizon_days": 60,
    "split": {"later": 0.3},
    "min_wins": 10,
    "bootstrap_draws": 100,
}
BANDS: Mapping[str, Any] = {"mql": 0.2, "sql": 0.5}

WITHOUT_TIMES: Mapping[str, Any] = {
    "leads": {"created": None},
    "outcomes": {"closed": None},
    "extracted_at": None,
}
"""What to change in DATA, beside ``training={"horizon_days": None}``, where nothing has a date."""

ORDERED_BY_ROW: Mapping[str, Any] = {**WITHOUT_TIMES, "leads": {"created": None, "order": "#row"}}

LEAD: Mapping[str, Any] = {
    "lead_id": "lead-1",
    "created_at": "2025-01-01T00:00:00Z",
    "status": "open",
    "closed_at": None,
    "country": "ES",
    "employees": 12,
    "newsletter": True,
}


def write_project(
    folder: Path,
    *,
    data: Mapping[str, Any] | str | None = None,
    signals: Mapping[str, Any] | str | None = None,
    training: Mapping[str, Any] | str | None = None,
    bands: Mapping[str, Any] | str | None = None,
) -> Path:
    """Write the four files of a project and return its folder.

    A mapping is merged into the default, key by key; ``signals`` replaces it; a text is written as
    it stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "data": _merged_or_text(DATA, data),
        "signals": signals if signals is not None else SIGNALS,
        "training": _merged_or_text(TRAINING, training),
        "bands": _merged_or_text(BANDS, bands),
    }
    for name, content in contents.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")  # JSON is YAML
    return folder


def _merged_or_text(
    default: Mapping[str, Any], change: Mapping[str, Any] | str | None
) -> Mapping[str, Any] | str:
    return change if isinstance(change, str) else merge(default, change or {})


def merge(default: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `default` with the values of `change`, mappings merged key by key."""
    merged = dict(default)
    for key, value in change.items():
        inner = merged.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(inner, value) if both else value
    return merged


def lead(lead_id: str, **facts: Any) -> dict[str, Any]:
    """Return one lead: the default one, but for its id and the facts given."""
    return {**LEAD, "lead_id": lead_id, **facts}


def write_leads(
    folder: Path,
    leads: Sequence[Mapping[str, Any]] | pa.Table,
    name: str = "leads.csv",
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write leads as CSV or Parquet, by the name's ending, and return the file.

    In a CSV a missing value is an empty cell. A Table goes to Parquet with its types; from rows,
    Parquet takes the types that Arrow finds.
    """
    path = folder / name
    if path.suffix == ".parquet":
        table = leads if isinstance(leads, pa.Table) else pa.Table.from_pylist(list(leads))
        pq.write_table(table, path)
        return path
    rows = leads.to_pylist() if isinstance(leads, pa.Table) else leads
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_leads(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Make leads, one every six hours; many employees and Spain win more often."""
    dice = random.Random(seed)
    leads = []
    for number in range(count):
        created = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=6 * number)
        country = dice.choice(["ES", "FR", "DE", None])
        employees = round(dice.lognormvariate(3, 1))
        chance = 0.1 + 0.3 * (country == "ES") + 0.4 * (employees > 30)
        won = dice.random() < chance
        closed = created + timedelta(days=dice.uniform(1, 50))
        leads.append(
            lead(
                f"{number:05}",
                created_at=_iso(created),
                status="won" if won else dice.choice(["lost", "open"]),
                closed_at=_iso(closed) if won else None,
                country=country,
                employees=employees,
                newsletter=dice.random() < 0.5,
            )
        )
    return leads


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def us(text: str) -> int:
    """Return an ISO time with a zone as integer UTC microseconds."""
    moment = make_time_reader(TimeSpec(column="time"))(text)
    assert moment is not None
    return moment
