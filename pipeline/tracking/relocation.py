"""The relocation of a moved store: MLflow keeps absolute paths, which then must be rewritten."""

import sqlite3
from contextlib import closing
from pathlib import Path

from leadscore.pipeline.errors import StoreError

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def artifact_root(store_folder: Path) -> str:
    """Return the URI of the artifacts of a store folder."""
    return (store_folder.resolve() / "artifacts").as_uri()


def check_place(store_folder: Path) -> None:
    """Raise StoreError if the store in `store_folder` was moved since it was written."""
    recorded = _recorded_root(store_folder)
    if recorded is not None and recorded != artifact_root(store_folder):
        raise StoreError(
            f"the store in {store_folder} was moved: it still points to {recorded}; "
            f"run leadscore doctor --relocate --store {store_folder}"
        )


def relocate(store_folder: Path) -> int:
    """Rewrite the paths of a moved store, all of them or none, and return their number.

    A StoreError is raised if there is no store in `store_folder`.
    """
    path = store_folder / "mlflow.db"
    if not path.is_file():
        raise StoreError(f"{path}: no such file; --store names the folder that holds mlflow.db")
    old, new = _recorded_root(store_folder), artifact_root(store_folder)
    if old is None or old == new:
        return 0
    count = 0
    with closing(sqlite3.connect(path)) as database, database:
        for table, column in _COLUMNS:
            changed = database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - constants
                f"WHERE substr({column}, 1, ?) = ?",
                (new, len(old) + 1, len(old), old),
            )
            count += changed.rowcount
    return count


def _recorded_root(store_folder: Path) -> str | None:
    path = store_folder / "mlflow.db"
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'experiments'"
            ).fetchall()
            if not tables:  # the process that made the file was killed before its first migration
                return None
            rows = database.execute(
                "SELECT artifact_location FROM experiments WHERE name <> 'Default' LIMIT 1"
            ).fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: not a store that can be read: {error}") from error
    return str(rows[0][0]).rsplit("/", 1)[0] if rows else None
