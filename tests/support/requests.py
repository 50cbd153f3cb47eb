"""The demo's files as requests: what a CRM would send of the same leads."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

NUMBERS = ("employees", "followers")
FLAGS = {"yes": True, "no": False}
PROFILE = ("first_name", "last_name", "email", "phone", "company", "title", "country", "industry",
           "source", "form", "topic", "message", *NUMBERS, "opt_in")  # fmt: skip
FILES = ("email.csv", "web.csv", "social.csv", "webinars.csv", "product.csv")
OWN = ("activity_id", "kind", "occurred_at", "recorded_at")
EXTRACT = "2025-12-31T00:00:00Z"


def read_requests(folder: Path, as_of: str = EXTRACT) -> list[dict[str, Any]]:
    """Return one request for each lead of the demo, with all that it is known to have done."""
    activities = defaultdict(list)
    for file in FILES:
        for row in read_rows(folder / file):
            found: dict[str, Any] = {name: row[name] for name in OWN if row.get(name)}
            found["properties"] = {
                name: row[name] or None for name in row.keys() - {*OWN, "lead_id"}
            }
            activities[row["lead_id"]].append(found)
    return [
        {
            "lead_id": row["lead_id"],
            "created_at": row["created_at"],
            "as_of": as_of,
            "profile": {name: read_value(name, row[name]) for name in PROFILE},
            "activities": activities[row["lead_id"]],
        }
        for row in read_rows(folder / "leads.csv")
    ]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_value(name: str, text: str) -> object:
    if not text:
        return None
    return FLAGS[text] if name == "opt_in" else float(text) if name in NUMBERS else text
