"""Keep cells of the data out of the report's sentences."""

import re
from dataclasses import replace

from pipeline.audit.records import Audit
from pipeline.ingestion.activities import UNREAD_KINDS
from pipeline.report.counts import FEWEST

_QUOTED = re.compile(r"""(?<!\w)(['"])(?:\\.|(?!\1).)*\1(?!\w)""")
HIDDEN = "[…]"


def hide_values(note: str) -> str:
    """Return a note without the texts of the data that it quotes, which may be a person's.

    Examples
    --------
    >>> hide_values("3 activities of unknown leads, 'ana@example.com' for one")
    '3 activities of unknown leads, […] for one'
    """
    if note.startswith(UNREAD_KINDS):
        return f"{UNREAD_KINDS}: {HIDDEN}"
    return _QUOTED.sub(HIDDEN, note)


def hide_cells(audit: Audit) -> Audit:
    """Return an audit whose findings quote no cells, for whatever leaves the terminal.

    What it says of columns stays: it names no value that fewer than thirty leads have. Months of
    fewer leads are not told of.
    """
    findings = tuple(replace(f, text=hide_values(f.text)) for f in audit.findings)
    leaks = {column.reasons[0] for column in audit.columns if column.reasons}
    reasons = tuple(
        reason if any(leak in reason for leak in leaks) else hide_values(reason)
        for reason in audit.reasons
    )
    months = tuple(month for month in audit.months if month.leads >= FEWEST)
    return replace(audit, findings=findings, reasons=reasons, months=months)
