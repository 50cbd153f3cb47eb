"""What reading the tables noted, weighed: what is worth a warning, and what to do about it."""

from typing import Literal, NamedTuple

from leadscore.pipeline.audit.records import Finding, Severity
from leadscore.pipeline.ingest.notes import Note, NoteKind
from leadscore.pipeline.ingest.rejects import group_rejects
from leadscore.pipeline.ingest.tables import Ingested

WORTH_A_WARNING = 0.01
"""From this share of a table's rows on, what does not fit is worth a warning."""


class _Rule(NamedTuple):
    """What a kind of note is about, how much it weighs, and what to do.

    ``by share`` is a warning where the count is at least 1 % of its table's rows, else a note.
    """

    subject: str
    severity: Severity | Literal["by share"]
    todo: str = ""


_CLOCK = "check the zone and the format of these times in data.yaml, and the clock of the tool"
_ORPHANS = "export the leads again, with all of them; are ids written in the same way everywhere?"
_EXTRACT = "set extracted_at in data.yaml"
RULES: dict[NoteKind, _Rule] = {
    "orphan outcomes": _Rule("orphans", "by share", _ORPHANS),
    "orphan activities": _Rule("orphans", "by share", _ORPHANS),
    "leads after the extract": _Rule("times", "by share", _CLOCK),
    "outcomes after the extract": _Rule("times", "by share", _CLOCK),
    "outcomes before creation": _Rule(
        "times", "by share",
        "find out which of the two times is wrong; such leads have no snapshot before the close",
    ),
    "wrong clock": _Rule("times", "warning", _CLOCK),
    "activities after the extract": _Rule("times", "by share", _CLOCK),
    "activities before creation": _Rule(
        "times", "note",
        "nothing, where leads are known before they are entered; otherwise check the zones",
    ),
    "recorded too early": _Rule("times", "note"),
    "extract far away": _Rule("extract", "warning", _EXTRACT),
    "extract guessed": _Rule("extract", "note", _EXTRACT),
    "ends far apart": _Rule("extract", "warning", _EXTRACT),
    "extract impossible": _Rule("tables", "problem"),
    "file without leads": _Rule("tables", "problem"),
    "file after the extract": _Rule("tables", "problem"),
    "differing rows": _Rule("duplicates", "note"),
    "duplicate activities": _Rule("duplicates", "note"),
    "conflicting activity ids": _Rule(
        "duplicates", "warning",
        "give the ids of each tool a prefix of their own, or leave `id` out in data.yaml",
    ),
    "unknown outcomes lost": _Rule(
        "outcomes", "warning",
        "list these words under outcomes.won or outcomes.lost in data.yaml",
    ),
    "unknown outcomes": _Rule("outcomes", "note"),
    "outcome activities": _Rule(
        "activities", "warning", "leave them out in data.yaml activities.excluded"
    ),
    "absent kinds": _Rule(
        "activities", "warning", "correct the names in signals.yaml, or drop the signals"
    ),
    "excluded kinds": _Rule("activities", "note"),
    "unread kinds": _Rule("activities", "note"),
    "unread changes": _Rule("changes", "note"),
    "unused columns": _Rule("columns", "note"),
    "absent columns": _Rule("columns", "note"),
    "no early wins": _Rule("outcomes", "problem"),
    "no late wins": _Rule("outcomes", "problem"),
    "few early wins": _Rule("outcomes", "warning"),
    "late records": _Rule(
        "outcomes", "warning", "raise settle_days in training.yaml, so that labels wait for them"
    ),
    "constant signals": _Rule("signals", "note"),
    "outcomes without times": _Rule("outcomes", "note"),
}  # fmt: skip
"""By the kind of a note. Every kind has a rule."""


def judge_notes(tables: Ingested) -> list[Finding]:
    """Weigh the problems and notes of reading the tables; problems come first."""
    return [weigh_note(note, tables) for note in (*tables.problems, *tables.notes)]


def weigh_note(note: Note, tables: Ingested) -> Finding:
    """Return the finding that a note makes, by its kind and its count."""
    rule = RULES[note.kind]
    severity = rule.severity
    if severity == "by share":
        rows = {
            "leads": len(tables.leads),
            "outcomes": len(tables.outcomes),
            "activities": 0 if tables.activities is None else tables.activities.rows,
        }
        many = note.table is not None and note.count >= WORTH_A_WARNING * rows[note.table]
        severity = "warning" if many else "note"
    return Finding(severity, rule.subject, note.text, note.todo or rule.todo, note.values)


def judge_rejects(tables: Ingested) -> list[Finding]:
    """Count the rows that were left out because they do not fit, by file, column and reason.

    A reason is a warning from 1 % of all rows on, a note below. Its values are not shown.
    """
    found = []
    for first, rows in group_rejects(tables.rejects):
        share = rows / max(1, tables.rows)
        where = f", column {first.column}" if first.column else ""
        text = (
            f"{rows:,} rows ({share:.1%} of all) of {first.file}{where} are left out: "
            f"{first.reason}; the first at line {first.line:,}"
        )
        severity: Severity = "warning" if share >= WORTH_A_WARNING else "note"
        todo = "correct them in the export, or say in data.yaml how they are to be read"
        found.append(Finding(severity, "rejects", text, todo))
    return found
