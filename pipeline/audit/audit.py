"""The audit of a project's data, before anything is learned from them."""

from collections.abc import Collection

from leadscore.pipeline.audit.columns.column_verdicts import compose, judge_columns
from leadscore.pipeline.audit.columns.proxies import judge_proxies
from leadscore.pipeline.audit.columns.subjects import WON, last_snapshots, make_source_frame
from leadscore.pipeline.audit.records import Audit, ColumnFinding, Finding
from leadscore.pipeline.audit.tables.table_findings import judge_tables
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import Dataset, build_dataset
from leadscore.pipeline.errors import ConfigError, DataError, RefusalError
from leadscore.pipeline.evaluation.metrics import Estimate
from leadscore.pipeline.ingest.leads import LEAD_ID
from leadscore.pipeline.ingest.tables import Ingested, ingest
from leadscore.pipeline.progress import Progress, silent
from leadscore.pipeline.signals.catalog import Signal

ERRORS = 2.5
"""Standard errors. Chance alone reaches that once in 160 data sets."""
MIN_ROWS = 10
_LEAK_TODO = "take it out of signals.yaml, or see its row for what allows it"


def audit_project(
    project: Project, progress: Progress = silent, allowed_leaks: Collection[str] = ()
) -> Audit:
    """Audit a project's data.

    Data that cannot be read at all are a verdict too: do not train. `allowed_leaks` names signals,
    fields or columns that are used although they leak. Raises ConfigError if `allowed_leaks` names
    nothing that a signal reads.
    """
    check_allowed(project, allowed_leaks)
    progress("reading the leads")
    try:
        tables = ingest(project, keep_source=True)
    except DataError as error:
        unread = Finding("problem", "reading", error.text, values=error.values)
        return Audit(project.name, 0, 0, 0, (), (unread,))
    progress("computing signals")
    try:
        dataset = build_dataset(project, tables)
    except DataError as error:
        return audit_tables(project, tables, None, str(error), allowed_leaks)
    progress("auditing")
    return audit_tables(project, tables, dataset, None, allowed_leaks)


def audit_tables(
    project: Project,
    tables: Ingested,
    dataset: Dataset | None,
    unlabelled: str | None = None,
    allowed_leaks: Collection[str] = (),
) -> Audit:
    """Audit tables that have been read.

    `dataset` is None if no snapshot has a label; `unlabelled` then says why.
    """
    raw = make_source_frame(project, tables)
    findings: list[Finding] = []
    columns: tuple[ColumnFinding, ...] = ()
    together: Estimate | None = None
    if dataset is None:
        findings.append(Finding("problem", "outcomes", unlabelled or "no snapshot has a label"))
    elif min(won := int(dataset.label.sum()), len(dataset) - won) < MIN_ROWS:
        findings.append(
            Finding(
                "problem", "outcomes",
                f"{won:,} wins among {len(dataset):,} snapshots with a known outcome; at least "
                f"{MIN_ROWS} wins and as many others are needed to judge any column by",
                "see outcomes.won and outcomes.lost in data.yaml, or wait for more",
            )
        )  # fmt: skip
    else:
        columns, together = judge_columns(project, tables, dataset, raw, allowed_leaks)
        findings += [] if together is None else judge_together(together)
        findings += judge_proxies(project, last_snapshots(dataset), raw)
    judged = judge_tables(project, tables, dataset, raw)
    findings = [*judged.findings, *findings]
    findings += [
        Finding("problem", column.name, f"leaks: {column.reasons[0]}", _LEAK_TODO)
        for column in columns
        if column.used and column.verdict == "refuse"
    ]
    return Audit(
        project=project.name,
        rows=tables.rows,
        leads=len(tables.leads),
        wins=int((raw.drop_duplicates(LEAD_ID)[WON].eq(True)).sum()),
        columns=columns,
        findings=tuple(findings),
        arrival=judged.arrival,
        months=judged.months,
        strength=judged.strength,
        together=together,
        allowed_leaks=tuple(sorted(allowed_leaks)),
    )


def judge_together(together: Estimate) -> list[Finding]:
    """Find that the signals together are not above chance by 2.5 standard errors."""
    error = (together.value - together.low) / 1.96
    if together.value - ERRORS * error > 0.5:
        return []
    return [
        Finding(
            "problem", "signals",
            f"nothing proves that these signals predict who wins: together they reach AUC "
            f"{together.value:.3f} ({together.low:.3f} to {together.high:.3f}), and .5 is chance",
            "find signals that know more of a lead, or wait for more wins",
        )
    ]  # fmt: skip


def check_allowed(project: Project, allowed_leaks: Collection[str]) -> None:
    """Check that every leak allowed is one that a signal reads.

    Raises ConfigError if one names no signal, and no field or column that a signal reads.
    """
    known = {compose(n) for signal in project.catalog.signals for n in _names_of(project, signal)}
    for name in allowed_leaks:
        if compose(name) not in known:
            raise ConfigError(
                f"--allow-leak {name}: no signal of that name, and no field or column that a "
                f"signal reads; known are {', '.join(sorted(known)[:12])} ..."
            )


def _names_of(project: Project, signal: Signal) -> list[str]:
    """Return every name that can mean a signal: its own, its fields' and their columns'."""
    fields = project.data.leads.fields
    columns = [fields[name].column or name for name in signal.inputs]
    return [signal.column, signal.name, *signal.inputs, *columns]


def list_leaks(project: Project, audit: Audit) -> list[str]:
    """Return which of the names given by --allow-leak let something be learned from, sorted.

    A name that the audit had nothing against, or would have used all the same, had no effect.
    """
    lifted = {c.name for c in audit.columns if c.used and c.overridden in ("quarantine", "refuse")}
    meant = {
        compose(name)
        for signal in project.catalog.signals
        if signal.column in lifted
        for name in _names_of(project, signal)
    }
    return sorted(name for name in audit.allowed_leaks if compose(name) in meant)


def exclude_columns(project: Project, audit: Audit) -> Project:
    """Return the project without the signals in quarantine.

    Raises RefusalError if the verdict is not to train, or no signal is left.
    """
    if audit.verdict == "do not train":
        problems = [f"  {f}" for f in audit.findings if f.severity == "problem"]
        raise RefusalError(
            "\n".join(["the audit says do not train on this yet, because", *problems])
        )
    bad = {column.name for column in audit.columns if column.verdict == "quarantine"}
    if bad.issuperset(project.catalog.columns):
        raise RefusalError("the audit puts every signal in quarantine; see leadscore audit")
    return project.without(bad)
