"""Reports of trainings and audits: the run keeps them, people read them below the store."""

from collections.abc import Collection
from pathlib import Path

from leadscore.pipeline.audit.audit import audit_project
from leadscore.pipeline.audit.records import Audit
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.errors import StoreError
from leadscore.pipeline.progress import Progress
from leadscore.pipeline.report.html_pages import write_audit_page
from leadscore.pipeline.tracking.records import REPORT_FILE, Version, parse_version
from leadscore.pipeline.tracking.store import open_store


def report_path(store_folder: Path, version: Version) -> Path:
    """Return the path of a version's report in the folder of a store."""
    name = version.name.removesuffix(".predictive").replace(".", "-")
    return store_folder / "reports" / f"{name}-v{version.version}.html"


def save_report(page: str, path: Path) -> None:
    """Write a report and make its folder, or raise StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(f"{path}: the report cannot be written here: {error}") from error


def write_audit(
    store_folder: Path, project: Project, progress: Progress, allow_leak: Collection[str]
) -> tuple[Audit, Path]:
    """Audit a project and write the page of the audit among the reports of the store folder."""
    found = audit_project(project, progress, allow_leak)
    path = store_folder / "reports" / f"{project.name}-audit.html"
    save_report(
        write_audit_page(found, project.training.horizon_days, store_folder / "cache"), path
    )
    return found, path


def fetch_report(store_folder: Path, project: Project, which: str) -> Path:
    """Write the report of a version, which its run keeps, into the folder of the store.

    A NotFoundError is raised if there is no such version, a StoreError if its run has no report
    because an earlier leadscore trained it.
    """
    store = open_store(store_folder)
    version = store.find_version(*parse_version(which, project.name))
    path = report_path(store_folder, version)
    save_report(store.read_text(version.run_id, REPORT_FILE), path)
    return path
