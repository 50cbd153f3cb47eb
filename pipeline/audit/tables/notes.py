"""What reading the tables noted, weighed: what is worth a warning, and what to do about it."""

import re
from typing import Literal, NamedTuple

from leadscore.pipeline.audit.records import Finding, Severity
from leadscore.pipeline.ingest.redact import UNREAD_KINDS, redact_values
from leadscore.pipeline.ingest.rejects import group_rejects
from leadscore.pipeline.ingest.tables import Ingested

WORTH_A_WARNING = 0.01
"""From this share of a table's rows on, what does not fit is worth a warning."""
Table = Literal["leads", "outcomes", "activities"]


class _Rule(NamedTuple):
    """A note that matches `pattern` is about `subject`.

    It weighs `weight`; or, with a table, a warning where the number it begins with is at least 1 %
    of that table's rows.
    """

    pattern: str
    subject: str
    weight: Severity | Table
    todo: str = ""


_CLOCK = "check the zone and the format of these times in data.yaml, and the clock of the tool"
_ORPHANS = "export the leads again, with all of them; are ids written in the same way everywhere?"
_EXTRACT = "set extracted_at in data.yaml"
_RULES = (
    _Rule("[0-9,]+ outcomes of leads that are not in", "orphans", "outcomes", _ORPHANS),
    _Rule("[0-9,]+ activities of leads that are not in", "orphans", "activities", _ORPHANS),
    _Rule("[0-9,]+ leads created after the extract", "times", "leads", _CLOCK),
    _Rule("[0-9,]+ outcomes closed after the extract", "times", "outcomes", _CLOCK),
    _Rule("[0-9,]+ outcomes closed before their lead", "times", "outcomes",
          "find out which of the two times is wrong; such leads have no snapshot before the close"),
    _Rule(".*IS A CLOCK SET WRONG", "times", "warning", _CLOCK),
    _Rule("[0-9,]+ activities .* after the extract", "times", "activities", _CLOCK),
    _Rule("[0-9,]+ activities .* before their lead", "times", "note",
          "nothing, where leads are known before they are entered; otherwise check the zones"),
    _Rule(".*recorded before they occurred", "times", "note"),
    _Rule("extracted_at in data.yaml, .* lies", "extract", "warning", _EXTRACT),
    _Rule("no extracted_at in data.yaml", "extract", "note", _EXTRACT),
    _Rule("the ends lie far apart", "extract", "warning", _EXTRACT),
    _Rule("[0-9,]+ leads have other fields or times", "duplicates", "note"),
    _Rule("[0-9,]+ duplicate activities", "duplicates", "note"),
    _Rule("[0-9,]+ activity ids stand for different", "duplicates", "warning",
          "give the ids of each tool a prefix of their own, or leave `id` out in data.yaml"),
    _Rule("outcomes in neither list, taken for lost", "outcomes", "warning",
          "list these words under outcomes.won or outcomes.lost in data.yaml"),
    _Rule("outcomes in neither list", "outcomes", "note"),
    _Rule("activities tell the outcome itself", "activities", "warning",
          "leave them out in data.yaml activities.excluded"),
    _Rule("signals name kinds of activities that never", "activities", "warning",
          "correct the names in signals.yaml, or drop the signals"),
    _Rule(".*activities of kinds left out", "activities", "note"),
    _Rule(re.escape(UNREAD_KINDS), "activities", "note"),
    _Rule(".*changes of fields that no signal reads", "changes", "note"),
    _Rule("columns neither used nor left out", "columns", "note"),
    _Rule("left_out names", "columns", "note"),
)  # fmt: skip


def judge_notes(tables: Ingested) -> list[Finding]:
    """Weigh the problems and notes that ingestion left.

    Parameters
    ----------
    tables : Ingested

    Returns
    -------
    list of Finding
        Problems as problems; notes as notes or warnings: orphans, future and impossible times from
        1 % of their table on. A note that nothing is known of stays a note. Texts may quote cells
        of the data; ``redact_values`` takes them out.
    """
    rows = {
        "leads": len(tables.leads),
        "outcomes": len(tables.outcomes),
        "activities": 0 if tables.activities is None else tables.activities.rows,
    }
    problems = [Finding("problem", "tables", problem) for problem in tables.problems]
    return problems + [_weigh(note, rows) for note in tables.notes]


def judge_rejects(tables: Ingested) -> list[Finding]:
    """Say which rows were left out because they do not fit, by reason.

    Parameters
    ----------
    tables : Ingested

    Returns
    -------
    list of Finding
        One per file, column and reason, most frequent first: warnings from 1 % of all rows on,
        notes below. Values that a reason quotes are hidden.
    """
    found = []
    for group in group_rejects(tables.rejects):
        share = group.rows / max(1, tables.rows)
        where = f", column {group.column}" if group.column else ""
        text = (
            f"{group.rows:,} rows ({share:.1%} of all) of {group.file}{where} are left out: "
            f"{redact_values(group.reason)}; the first at line {group.line:,}"
        )
        weight: Severity = "warning" if share >= WORTH_A_WARNING else "note"
        todo = "correct them in the export, or say in data.yaml how they are to be read"
        found.append(Finding(weight, "rejects", text, todo))
    return found


def _weigh(note: str, rows: dict[str, int]) -> Finding:
    rule = next((rule for rule in _RULES if re.match(rule.pattern, note)), None)
    if rule is None:
        return Finding("note", "tables", note)
    weight: Severity = "note"
    if rule.weight in ("note", "warning", "problem"):
        weight = rule.weight
    elif (number := re.match("[0-9,]+", note)) is not None:
        count = int(number[0].replace(",", ""))
        weight = "warning" if count >= WORTH_A_WARNING * rows[rule.weight] else "note"
    return Finding(weight, rule.subject, note, rule.todo)
