"""Histories of leads for trying both readers on: drawn by hypothesis, planted on every edge.

A history is one lead's snapshots, activities as they came (in any order, some twice, some late) and
changes of its profile. Several of them make the normalised tables, by the product's own settling.
"""

import sqlite3
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.ingest.activities import deduplicate_activities
from leadscore.pipeline.ingest.columns import ARROW_TYPE
from leadscore.pipeline.ingest.texts import add_text_changes, derive_text_columns
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.reader import History
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.values.fields import FieldSpec
from leadscore.pipeline.values.times import DAY_US

PROPERTIES = {"page": FieldSpec(), "seconds": FieldSpec(type="number")}
FIELDS = {
    "title": FieldSpec(), "employees": FieldSpec(type="number"), "company": FieldSpec(),
    "email": FieldSpec(), "message": FieldSpec(), "subscribed": FieldSpec(type="flag"),
}  # fmt: skip
CHANGING = ("title", "employees", "company")
_VALUES = {
    "title": [None, "CEO", "intern", "jefa de compras"],
    "employees": [None, 1.0, 2.5],
    "company": [None, "acme", "Acme Corp", "qwerty", "Big Blue Company"],
    "email": [None, "a@acme.com", "b@gmail.com", "info@bbc.example", "c@mailinator.com", "none"],
    "message": [None, "¿Cuánto cuesta para una empresa?", "hello"],
    "subscribed": [None, 0.0, 1.0],
}
KINDS = ("visit", "open", "click", "it's odd")
WINDOWS = (1.0, 7.0, 30.0)


def _signals() -> dict[str, dict[str, Any]]:
    """Declare every kind of signal, with every kind of filter."""
    signals: dict[str, dict[str, Any]] = {
        "title": {"kind": "category"},
        "employees": {"kind": "number"},
        "subscribed": {"kind": "flag"},
        "age": {"kind": "lead_age"},
        "seniority": {"kind": "title_seniority", "field": "title"},
        "function": {"kind": "title_function", "field": "title"},
        "mail_kind": {"kind": "mail_kind", "field": "email"},
        "mail_company": {"kind": "mail_company", "field": "email", "company": "company"},
        "no_capitals": {"kind": "no_capitals", "fields": ["title", "company"]},
        "walk": {"kind": "keyboard_walk", "fields": ["company"]},
        "gibberish": {"kind": "gibberish", "fields": ["email", "company"]},
        "digits": {"kind": "digits", "fields": "email"},
        "filled": {"kind": "completeness", "fields": ["title", "employees", "company", "email"]},
        "off": {"kind": "pattern_mismatch", "expected": {"company": "[A-Z].*", "email": ".+@.+"}},
        "length": {"kind": "message_length", "field": "message"},
        "language": {"kind": "message_language", "field": "message"},
        "total": {"kind": "count"},
        "visits": {"kind": "count", "activity": "visit"},
        "odd": {"kind": "count", "activity": ["it's odd", "click"]},
        "pricing": {"kind": "count", "activity": "visit", "where": {"page": "/pricing"}},
        "some_pages": {"kind": "count", "where": {"page": ["/pricing", "a"]}, "window_days": 7},
        "long_visits": {"kind": "count", "where": {"seconds": {"min": 1.5, "max": 30}}},
        "brief": {"kind": "days_since", "activity": "visit", "where": {"seconds": {"max": 1.5}}},
        "since": {"kind": "days_since"},
        "since_open": {"kind": "days_since", "activity": "open"},
        "half": {"kind": "decayed", "activity": "visit", "half_life_days": 7},
        "half_all": {"kind": "decayed", "half_life_days": 0.5},
        "linear": {"kind": "decayed", "activity": ["visit", "open"], "linear_days": 30},
        "days": {"kind": "active_days"},
        "days_visit": {"kind": "active_days", "activity": "visit", "window_days": 7},
        "days_pricing": {"kind": "active_days", "where": {"page": "/pricing"}, "window_days": 1},
        "click_rate": {
            "kind": "rate", "window_days": 30,
            "part": {"activity": "click"}, "whole": {"activity": ["click", "open"]},
        },
        "pricing_of_clicks": {
            "kind": "rate",
            "part": {"where": {"page": "/pricing"}},
            "whole": {"activity": "click"},
        },
        "opens_of_a": {
            "kind": "rate", "part": {"activity": "open"}, "whole": {"where": {"page": "a"}},
        },
        "pricing_rate": {"kind": "rate", "part": {"where": {"page": "/pricing"}}, "whole": {}},
        "seconds": {"kind": "sum", "property": "seconds"},
        "seconds_7": {"kind": "sum", "property": "seconds", "activity": "visit", "window_days": 7},
        "longest": {"kind": "max", "property": "seconds", "window_days": 30},
        "last_seconds": {"kind": "last", "property": "seconds", "activity": "visit"},
        "last_seconds_1": {"kind": "last", "property": "seconds", "window_days": 1},
        "first_kind": {"kind": "first_touch"},
        "last_kind": {"kind": "last_touch", "window_days": 7},
        "first_page": {"kind": "first_touch", "property": "page", "activity": ["visit", "open"]},
        "last_page": {"kind": "last_touch", "property": "page"},
    }  # fmt: skip
    for window in WINDOWS:
        for kind in ("visit", "open"):
            signals[f"{kind}s_{window:g}d"] = {
                "kind": "count", "activity": kind, "window_days": window,
            }  # fmt: skip
    return {name: {"family": "web", **declared} for name, declared in signals.items()}


CATALOG = Catalog.model_validate(
    {
        "signals": [{"name": name, "declaration": d} for name, d in _signals().items()],
        "fields": FIELDS,
        "changing": CHANGING,
        "properties": PROPERTIES,
        "day_offset_hours": 5.5,
    }
)


@dataclass(frozen=True)
class Change:
    """One change of one field; values as normalised."""

    field: str
    recorded_us: int
    old: Any
    new: Any


@dataclass(frozen=True)
class Story:
    """One lead: created when, its profile today, what it did, what changed, when looked at."""

    created_us: int
    profile: dict[str, Any]
    activities: list[Activity]
    changes: list[Change]
    as_of: list[int]


_EDGES = [0, 1, -1, *(round(n * DAY_US) + d for n in (0.5, 1, 7, 30, 21, 294) for d in (-1, 0, 1))]
_IDS = st.sampled_from([None, None, None, "a", "b", "B", "c", "é", "10", "9"])


@st.composite
def stories(draw: Any) -> Story:
    """Draw one lead, with times at, just before and just after every edge that matters."""
    origin = draw(st.sampled_from([0, -40 * 365 * DAY_US, 1_700_000_000_000_000, 86_399_999_999]))
    as_of = draw(
        st.lists(
            st.sampled_from([0, 1, DAY_US, 7 * DAY_US, 45 * DAY_US + 12_345]),
            min_size=1, max_size=3, unique=True,
        )
    )  # fmt: skip
    moments = st.one_of(
        st.builds(
            lambda at, edge: origin + at - edge, st.sampled_from(as_of), st.sampled_from(_EDGES)
        ),
        st.integers(-60 * DAY_US, 60 * DAY_US).map(lambda gap: origin + gap),
    )
    late = st.one_of(st.just(0), st.sampled_from([1, -1, DAY_US, 20 * DAY_US]))
    properties = st.fixed_dictionaries(
        {
            "page": st.sampled_from([None, "/pricing", "a", "Z", "é", "it's"]),
            "seconds": st.sampled_from([None, 0.0, 0.1, 1.5, 30.0, 1e6, -3.25]),
        }
    )
    activities = draw(
        st.lists(
            st.builds(
                lambda kind, at, delay, key, facts: Activity(kind, at, at + delay, key, facts),
                st.sampled_from(KINDS), moments, late, _IDS, properties,
            ),
            max_size=12,
        )
    )  # fmt: skip
    values = {name: st.sampled_from(found) for name, found in _VALUES.items()}
    changes = draw(
        st.lists(
            st.sampled_from(CHANGING).flatmap(
                lambda field: st.builds(
                    Change, st.just(field), moments, values[field], values[field]
                )
            ),
            max_size=5,
        )
    )
    profile = {name: draw(value) for name, value in values.items()}
    created = origin - draw(st.integers(0, 10 * DAY_US))
    return Story(created, profile, activities, changes, [origin + at for at in as_of])


def profile_as_of(story: Story, as_of_us: int) -> dict[str, Any]:
    """Return the profile as it was known: the definition, in the plainest words there are."""
    profile = dict(story.profile)
    for name in profile:
        mine = sorted((c for c in story.changes if c.field == name), key=lambda c: c.recorded_us)
        before = [change for change in mine if change.recorded_us <= as_of_us]
        if before:
            profile[name] = before[-1].new
        elif mine:
            profile[name] = mine[0].old
    return profile


def lead_ids(count: int) -> list[str]:
    """Return ids of leads; activity ids are the stories' own, made different by them."""
    return [f"lead {number}" for number in range(count)]


@contextmanager
def tables_of(
    drawn: list[Story],
    folder: Path | None = None,
    left_out: tuple[str, ...] = (),
    catalog: Catalog = CATALOG,
) -> Any:
    """Yield snapshots and History of some stories; ids of activities get the lead's in front.

    Kinds left out are gone before anything is settled, as ingestion has it.
    """
    ids = lead_ids(len(drawn))
    did = [
        (i, activity)
        for i, s in zip(ids, drawn, strict=True)
        for activity in s.activities
        if activity.kind not in left_out
    ]
    raw = pa.table(
        {
            "activity_id": pa.array([own_id(i, a) for i, a in did], pa.string()),
            "lead_id": pa.array([i for i, _ in did], pa.string()),
            "kind": pa.array([a.kind for _, a in did], pa.string()),
            "occurred_us": pa.array([a.occurred_us for _, a in did], pa.int64()),
            "recorded_us": pa.array([a.recorded_us for _, a in did], pa.int64()),
            "page": pa.array([a.properties["page"] for _, a in did], pa.string()),
            "seconds": pa.array([a.properties["seconds"] for _, a in did], pa.float64()),
        }
    )
    leads = pa.table(
        {
            "lead_id": pa.array(ids, pa.string()),
            "created_us": pa.array([s.created_us for s in drawn], pa.int64()),
            **derive_text_columns(catalog, {name: _profiles(name, drawn) for name in FIELDS}),
        }
    )
    looks = [(i, at) for i, story in zip(ids, drawn, strict=True) for at in story.as_of]
    snapshots = pa.table(
        {
            "snapshot_id": pa.array(range(len(looks)), pa.int64()),
            "lead_id": pa.array([i for i, _ in looks], pa.string()),
            "as_of_us": pa.array([at for _, at in looks], pa.int64()),
        }
    )
    with tempfile.TemporaryDirectory(dir=folder) as place:
        settled = Path(place) / "activities.parquet"
        deduplicate_activities(raw, settled, PROPERTIES, leads)
        yield (
            snapshots,
            History(leads, settled, add_text_changes(catalog, leads, _changes(ids, drawn))),
        )


def _profiles(name: str, drawn: list[Story]) -> pa.Array:
    return pa.array([story.profile.get(name) for story in drawn], ARROW_TYPE[FIELDS[name].type])


def own_id(lead_id: str, activity: Activity) -> str | None:
    """Return the id under which an activity stands in the tables."""
    return None if activity.activity_id is None else f"{lead_id}: {activity.activity_id}"


def _changes(ids: list[str], drawn: list[Story]) -> pa.Table:
    rows = [(i, change) for i, story in zip(ids, drawn, strict=True) for change in story.changes]
    rows.sort(key=lambda row: row[1].recorded_us)
    kinds = {"text": pa.string(), "number": pa.float64()}
    columns: dict[str, Any] = {
        "lead_id": pa.array([i for i, _ in rows], pa.string()),
        "field": pa.array([c.field for _, c in rows], pa.string()),
        "recorded_us": pa.array([c.recorded_us for _, c in rows], pa.int64()),
        "place": pa.array(range(len(rows)), pa.int64()),
    }
    for side in ("old", "new"):
        for kind, arrow in kinds.items():
            columns[f"{side}_{kind}"] = pa.array(
                [getattr(c, side) if FIELDS[c.field].type == kind else None for _, c in rows],
                arrow,
            )
    return pa.table(columns)


def run_on_sqlite(sql: str, tables: dict[str, pa.Table | Path]) -> tuple[list[str], list[Any]]:
    """Run a text on SQLite as it stands; return the header and the rows."""
    with sqlite3.connect(":memory:") as connection:
        for name, given in tables.items():
            table = pq.read_table(given) if isinstance(given, Path) else given
            kinds = {"string": "TEXT", "double": "REAL", "int64": "INTEGER"}
            columns = ", ".join(f"{quote_name(f.name)} {kinds[str(f.type)]}" for f in table.schema)
            connection.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" * table.num_columns)
            values = [tuple(row.values()) for row in table.to_pylist()]
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description], cursor.fetchall()
