"""The activities of the leads, one table per tool, made from the marks of the chain.

All activities of a mark lie within the mark's day of the chain. So at each snapshot the files hold
exactly what the chain had emitted by then. There is also noise that no state causes: mail programs
that open letters by machine, and scanners that follow links.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from leadscore.pipeline.demo.deals import Deals, draw_moment
from leadscore.pipeline.demo.journeys import MARKS, Journeys
from leadscore.pipeline.demo.leads import DAY_S, EXTRACT_S, FORMS, MAILS, SOURCES, Facts
from leadscore.pipeline.demo.tables import Codes, number_rows, take, to_times

DUPLICATE_SHARE = 0.002
COLUMNS = {"email": (), "web": ("page", "form"), "social": ("network",), "webinars": (),
           "product": ()}  # fmt: skip
"""The files, and the columns of each besides activity_id, lead_id, kind, occurred_at."""

_LETTER_OF = {"email": "E", "web": "W", "social": "S", "webinars": "N", "product": "P"}
LEAKS = (("contract_signed", 1, 24, 3600), ("onboarding_call", 3, 11, DAY_S))
"""Activities that only customers have: from how many units after the win, below how many, and the
seconds of a unit."""
LEAKING = tuple(kind for kind, *_ in LEAKS)
_ABOUT = {"page_view": "page", "form_submit": "form"}
_NETWORKS = ("linkedin", "x", "facebook")
_NO_FORM_ON_THE_SITE = ("list", "event")
_MACHINE_OPENS, _SCANNERS = 0.25, 0.08
_LATEST_RECORD_DAYS = 5


@dataclass
class _Rows:
    """Activities of one file before they are put in order."""

    row: list[Codes] = field(default_factory=list)
    at: list[Codes] = field(default_factory=list)
    what: list[Codes] = field(default_factory=list)
    kinds: list[tuple[str, str]] = field(default_factory=list)

    def add(self, row: Codes, at: Codes, kind: str, about: str = "") -> None:
        """Add activities of one kind; `about` is the page or the form."""
        if (kind, about) not in self.kinds:
            self.kinds.append((kind, about))
        self.row.append(row)
        self.at.append(at)
        self.what.append(np.full(len(row), self.kinds.index((kind, about))))


def write_activities(
    random: np.random.Generator,
    facts: Facts,
    journeys: Journeys,
    deals: Deals,
    ids: pa.Array,
    first_numbers: dict[str, int],
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the name of each file of ``COLUMNS``, and its table: these leads' activities by time.

    Columns: activity_id, lead_id, kind, occurred_at, in webinars recorded_at, and the columns of
    the file. About two in a thousand rows are there twice. `first_numbers` holds the number of each
    file's first activity; it is raised by the number of activities.
    """
    files = {name: _Rows() for name in COLUMNS}
    _add_marks(random, facts, journeys, files)
    _add_forms(facts, files["web"])
    _add_machines(random, facts, files["email"])
    _start_trials(files["product"])
    won = np.flatnonzero(journeys.won)
    for kind, first, end, unit_s in LEAKS:
        wait = random.integers(first, end, len(won)) * unit_s
        files["product"].add(won, deals.closed[won] + wait, kind)
    for name, rows in files.items():
        yield name, _to_table(random, name, rows, deals, ids, first_numbers)


def _add_marks(
    random: np.random.Generator, facts: Facts, journeys: Journeys, files: dict[str, _Rows]
) -> None:
    begin = draw_moment(random, facts, journeys.row, np.maximum(journeys.day, 0))
    before = journeys.day < 0
    created = facts.created[journeys.row]
    begin = np.where(before, created - random.integers(300, 2400, len(begin)), begin)
    end = np.where(before, created - 1, created + (journeys.day + 1) * DAY_S)
    for number, mark in enumerate(MARKS.values()):
        here = np.flatnonzero(journeys.mark == number)
        row, at, last = journeys.row[here], begin[here], end[here]
        for place, item in enumerate(mark.items):
            if place:
                at = np.minimum(at + _wait(random, item.kind, last - at), last)
            files[item.file].add(row, at, item.kind, item.about)


def _wait(random: np.random.Generator, kind: str, left: Codes) -> Codes:
    """Draw the seconds from one activity of a mark to the next; `left` are left of the day."""
    chance = random.random(len(left))
    if kind == "unsubscribe":  # at the end of the day, since no letter may follow
        return left
    if kind in ("open", "reply"):  # nobody reads within seconds: only mail scanners do
        return (20.0 + left * chance**4).astype(np.int64)
    if kind == "attended":
        return (left * chance**4).astype(np.int64)
    return (15.0 + 200.0 * chance**2).astype(np.int64)


def _add_forms(facts: Facts, web: _Rows) -> None:
    """Add the form that created the lead, if the lead came through the website."""
    on_site = ~np.isin(facts.source, [SOURCES.index(name) for name in _NO_FORM_ON_THE_SITE])
    for place, form in enumerate(FORMS):
        row = np.flatnonzero(on_site & (facts.form == place))
        web.add(row, facts.created[row], "form_submit", form)


def _add_machines(random: np.random.Generator, facts: Facts, email: _Rows) -> None:
    """Add opens and clicks by machines, which depend only on the mail program."""
    delivered = email.kinds.index(("delivered", ""))
    places = [n for n, what in enumerate(email.what) if len(what) and what[0] == delivered]
    row = np.concatenate([email.row[n] for n in places] or [np.zeros(0, np.int64)])
    at = np.concatenate([email.at[n] for n in places] or [np.zeros(0, np.int64)])
    opens = random.random(len(facts)) < _MACHINE_OPENS
    scans = (random.random(len(facts)) < _SCANNERS) & (facts.mail == MAILS.index("business"))
    for kind, hosts, seconds in (("machine_open", opens, 600), ("scanner_click", scans, 60)):
        which = hosts[row] & (random.random(len(row)) < 0.8)
        wait = random.integers(1, seconds, int(which.sum()))
        email.add(row[which], at[which] + wait, kind)


def _start_trials(product: _Rows) -> None:
    """Add the start of each trial, at the moment of its first login."""
    row = np.concatenate([*product.row, np.zeros(0, np.int64)])
    at = np.concatenate([*product.at, np.zeros(0, np.int64)])
    order = np.lexsort((at, row))
    first = order[np.unique(row[order], return_index=True)[1]]
    product.add(row[first], at[first], "trial_start")


def _to_table(
    random: np.random.Generator,
    name: str,
    rows: _Rows,
    deals: Deals,
    ids: pa.Array,
    first_numbers: dict[str, int],
) -> pa.Table:
    """Cut what happened after the closing or the extract; sort, number, repeat a few rows."""
    row, at, what = (np.concatenate(part) for part in (rows.row, rows.at, rows.what))
    kinds = np.array([kind for kind, _ in rows.kinds], object)
    leaks = np.isin(kinds, LEAKING)[what]
    late = np.where(kinds[what] == "attended", DAY_S, 0)
    recorded = at + (late * (1.0 + random.random(len(at)) * (_LATEST_RECORD_DAYS - 1))).astype(int)
    kept = np.flatnonzero(((at <= deals.closed[row]) | leaks) & (recorded <= EXTRACT_S))
    kept = kept[np.argsort(at[kept], kind="stable")]
    number = np.arange(len(kept)) + first_numbers[name]
    first_numbers[name] += len(kept)
    copies = np.repeat(np.arange(len(kept)), 1 + (random.random(len(kept)) < DUPLICATE_SHARE))
    kept, number = kept[copies], number[copies]
    codes = pa.array(what[kept])
    columns = {
        "activity_id": number_rows(_LETTER_OF[name], number, 9),
        "lead_id": ids.take(pa.array(row[kept])),
        "kind": take(kinds.tolist(), what[kept]),
        "occurred_at": to_times(at[kept]),
    }
    if name == "webinars":
        columns["recorded_at"] = to_times(recorded[kept])
    for column in COLUMNS[name]:
        if column == "network":
            network = random.integers(0, len(_NETWORKS), len(ids))
            columns[column] = take(_NETWORKS, network[row[kept]])
            continue
        about = [word if _ABOUT.get(kind) == column else None for kind, word in rows.kinds]
        columns[column] = pa.array(about, pa.string()).take(codes)
    return pa.table(columns)
