"""Read a small project for the audit of its tables, with the leads' file as text."""

from datetime import UTC, datetime, timedelta

from support.projects import write_leads, write_project

from leadscore.pipeline.audit.columns.subjects import make_source_frame
from leadscore.pipeline.audit.tables.table_findings import judge_tables
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.dataset.dataset import build_dataset
from leadscore.pipeline.errors import DataError, fill_gaps
from leadscore.pipeline.ingest.tables import ingest


def at(days, begin=datetime(2024, 1, 1, tzinfo=UTC)):
    """Return a moment so many days after the first of January 2024, a Monday."""
    return (begin + timedelta(days=days)).isoformat().replace("+00:00", "Z")


class Audited:
    """A project with what the audit reads; `dataset` is None where no snapshot is mature."""

    def __init__(self, project):
        self.project = project
        self.tables = ingest(project, keep_source=True)
        try:
            self.dataset = build_dataset(project, self.tables)
        except DataError:
            self.dataset = None

    @property
    def raw(self):
        """The leads' file as text, with the leads' ids and whether they won."""
        return make_source_frame(self.project, self.tables)

    @property
    def findings(self):
        """All that is found in the tables."""
        return list(judge_tables(self.project, self.tables, self.dataset, self.raw).findings)


def audit(folder, leads, *, data=None, signals=None, training=None, **files):
    """Write a project with its leads, and its other files by name, and read it."""
    write_project(folder, data=data, signals=signals, training=training)
    write_leads(folder, leads)
    for name, rows in files.items():
        write_leads(folder, rows, f"{name}.csv")
    return Audited(read_project(folder))


def of(findings, *subjects, severity=None):
    """Return the texts of the findings of some subjects and severity."""
    return [
        fill_gaps(finding.text, finding.values)
        for finding in findings
        if finding.subject in subjects and severity in (None, finding.severity)
    ]


def accused(findings):
    """Return the subjects of problems and warnings."""
    return {finding.subject for finding in findings if finding.severity != "note"}
