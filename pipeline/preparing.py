"""What comes before any scorecard: tables, signals, the audit, and the split in time."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline.audit.audit import audit_tables, leave_out
from pipeline.audit.records import Audit
from pipeline.dataset import Dataset, Split, build_dataset, split_dataset
from pipeline.errors import RefusalError
from pipeline.ingest import Ingested, ingest
from pipeline.progress import Progress
from pipeline.settings import Project


@dataclass(frozen=True)
class Prepared:
    """All that a scorecard is learned from and judged on.

    `project` and `dataset` are without the signals that the audit left out. Where leads have no
    order, both parts of the split are the whole dataset.
    """

    project: Project
    tables: Ingested
    dataset: Dataset
    split: Split
    audit: Audit

    @property
    def ordered(self) -> bool:
        """Whether the later part is later than what is learned from."""
        return self.dataset.order != "none"


def prepare(project: Project, progress: Progress, allowed_leaks: Collection[str] = ()) -> Prepared:
    """Read, compute, audit and split.

    Parameters
    ----------
    project : Project
    progress : Progress
    allowed_leaks : collection of str
        Signals, fields or columns to learn from though the audit says that they leak.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        If the data is not what the configuration says.
    RefusalError
        If the audit says not to train, there are too few wins to learn from, or the later period
        cannot judge.
    """
    progress("reading the leads")
    tables = ingest(project)
    if tables.problems:
        raise RefusalError("; ".join(tables.problems))
    progress("computing signals")
    dataset = build_dataset(project, tables)
    progress("auditing")
    audit = audit_tables(project, tables, dataset, allowed_leaks=allowed_leaks)
    project = leave_out(project, audit)
    dataset = replace(dataset, signals=dataset.signals[project.catalog.columns])
    split = split_history(project, dataset)
    _check_classes(project, split)
    return Prepared(project, tables, dataset, split, audit)


def split_history(project: Project, dataset: Dataset) -> Split:
    """Return the earlier and the later part; without any order both are all of it.

    Raises
    ------
    DataError
        If either part would be empty.
    """
    if dataset.order == "none":
        return Split(dataset, dataset, float("nan"), 0)
    return split_dataset(dataset, project.training.split)


def _check_classes(project: Project, split: Split) -> None:
    wins = int(split.earlier.label.sum())
    needed = project.training.minimum_wins
    if wins < needed:
        raise RefusalError(
            f"{wins} wins among {len(split.earlier)} snapshots to learn from, at least {needed} "
            "are needed (minimum_wins in training.yaml); wait for more, or lengthen the history"
        )
    for name, part in (("earlier", split.earlier), ("later", split.later)):
        if not 0 < part.label.sum() < len(part):
            raise RefusalError(
                f"the {name} part has {int(part.label.sum())} wins in {len(part)} snapshots; both "
                "wins and others are needed: see split in training.yaml, won and lost in data.yaml"
            )
