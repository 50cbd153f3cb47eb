"""The MLflow store from outside: list its versions, promote one, check and repair its paths."""

from pathlib import Path

from leadscore.pipeline.errors import NotFoundError
from leadscore.pipeline.tracking.records import KINDS, Version, parse_version
from leadscore.pipeline.tracking.relocation import check_place, relocate
from leadscore.pipeline.tracking.store import open_store


def list_versions(store_folder: Path, project: str) -> dict[str, list[Version]]:
    """List the versions of a project by the name of their model, the newest first."""
    store = open_store(store_folder)
    return {f"{project}.{kind}": store.list_versions(f"{project}.{kind}") for kind in KINDS}


def promote_version(store_folder: Path, project: str, which: str) -> Version:
    """Make a version the champion, or raise NotFoundError."""
    return open_store(store_folder).promote(*parse_version(which, project))


def check_store(store_folder: Path) -> None:
    """Check that a store exists and that its paths are those of its folder.

    Otherwise a NotFoundError or StoreError is raised.
    """
    if not (store_folder / "mlflow.db").is_file():
        raise NotFoundError(f"{store_folder / 'mlflow.db'}: no such file; there is no store here")
    check_place(store_folder)


def repair_store(store_folder: Path) -> int:
    """Rewrite the paths of a store that was moved, check it, and return the number of paths."""
    count = relocate(store_folder)
    check_store(store_folder)
    return count
