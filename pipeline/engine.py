"""The only door to the SQL engine: DuckDB, embedded."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import DataError


@dataclass(frozen=True)
class Limits:
    """What the engine may use: memory as ``4GB`` (None: four fifths of the machine's), threads.

    Beyond the memory it spills to the folder for temporary files, which TMPDIR names.
    """

    memory: str | None = None
    threads: int | None = None


def run_sql(
    sql: str, tables: Mapping[str, pa.Table | Path], limits: Limits | None = None
) -> pa.Table:
    """Run one statement over some tables.

    Parameters
    ----------
    sql : str
        One SELECT.
    tables : mapping of str to Table or Path
        The tables the statement may name; a path is a Parquet file, read as far as needed.
    limits : Limits, optional

    Returns
    -------
    Table
        The rows in the statement's order.

    Raises
    ------
    DataError
        If the memory allowed does not suffice, even with spilling.
    """
    with _connect(tables, limits) as connection:
        return connection.sql(sql).to_arrow_table()


def write_sql(
    sql: str,
    tables: Mapping[str, pa.Table | Path],
    target: Path,
    limits: Limits | None = None,
) -> None:
    """Run one statement and write its rows, in its order, to a Parquet file.

    Raises
    ------
    DataError
        As ``run_sql``.
    """
    with _connect(tables, limits, target.parent) as connection:
        connection.sql(sql).write_parquet(str(target), compression="zstd")


@contextmanager
def _connect(
    tables: Mapping[str, pa.Table | Path], limits: Limits | None, *folders: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine that reaches these tables and folders and nothing else."""
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="leadscore-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": spill}
        if limits.memory is not None:
            config["memory_limit"] = limits.memory
        if limits.threads is not None:
            config["threads"] = limits.threads
        with duckdb.connect(config=config) as connection:
            reached = [spill, *map(str, folders)]
            reached += [str(table.parent) for table in tables.values() if isinstance(table, Path)]
            connection.execute("SET allowed_directories = ?", [reached])
            connection.execute("SET enable_external_access = false")
            for name, table in tables.items():
                if isinstance(table, Path):
                    connection.read_parquet(str(table)).create_view(name)
                else:
                    connection.register(name, table)
            try:
                yield connection
            except duckdb.OutOfMemoryException as error:
                first = str(error).splitlines()[0]
                raise DataError(
                    f"the memory allowed ({limits.memory or 'by the machine'}) does not suffice: "
                    f"{first}; give --memory-limit more"
                ) from error
