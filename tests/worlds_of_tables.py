"""Read a small project for the audit of its tables, with the leads' file as text."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
from projects import write_leads, write_project

from pipeline.audit.tables import judge_tables
from pipeline.dataset import build_dataset
from pipeline.declarations import ROW_NUMBER
from pipeline.errors import DataError
from pipeline.ingest import ingest
from pipeline.ingestion.tables import read_header, read_table
from pipeline.settings import read_project


def at(days, begin=datetime(2024, 1, 1, tzinfo=UTC)):
    """Return a moment so many days after the first of January 2024, a Monday."""
    return (begin + timedelta(days=days)).isoformat().replace("+00:00", "Z")


class Audited:
    """A project with what the audit reads; `dataset` is None where no snapshot is mature."""

    def __init__(self, project):
        self.project = project
        self.tables = ingest(project)
        try:
            self.dataset = build_dataset(project, self.tables)
        except DataError:
            self.dataset = None

    @property
    def raw(self):
        """The leads' file as text, with the leads' ids and whether they won."""
        config, path = self.project.data.leads, self.project.leads_path
        header = read_header(path, config.delimiter, config.encoding)
        chunks = read_table(path, header, config.delimiter, config.encoding)
        raw = pa.concat_tables([chunk.table for chunk in chunks]).to_pandas().astype(object)
        raw = raw.where(raw != "", None)
        known = {}
        if self.dataset is not None:
            pairs = zip(self.dataset.lead_id, self.dataset.label == 1, strict=True)
            for lead_id, won in pairs:
                known[lead_id] = bool(won) or known.get(lead_id, False)
        numbers = pd.Series(range(1, len(raw) + 1), raw.index).astype(str)
        ids = numbers if config.id == ROW_NUMBER else raw[config.id]
        extra = {"#lead_id": ids, "#won": pd.Series([known.get(i) for i in ids], dtype=object)}
        return raw.assign(**extra)

    @property
    def findings(self):
        """All that is found in the tables."""
        return judge_tables(self.project, self.tables, self.dataset, self.raw)


def audit(folder, leads, *, data=None, signals=None, training=None, **files):
    """Write a project with its leads, and its other files by name, and read it."""
    write_project(folder, data=data, signals=signals, training=training)
    write_leads(folder, leads)
    for name, rows in files.items():
        write_leads(folder, rows, f"{name}.csv")
    return Audited(read_project(folder))


def of(findings, *subjects, weight=None):
    """Return the texts of the findings of some subjects and weight."""
    return [
        finding.text
        for finding in findings
        if finding.subject in subjects and weight in (None, finding.weight)
    ]


def accused(findings):
    """Return the subjects of problems and warnings."""
    return {finding.subject for finding in findings if finding.weight != "note"}
