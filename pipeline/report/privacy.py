"""What an audit may say in a report or a run: no cells of the data, nothing of a few leads."""

from dataclasses import replace

from pipeline.audit.records import Audit
from pipeline.groups import FEWEST
from pipeline.privacy import hide_values


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
