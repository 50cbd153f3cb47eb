"""The SQL engine: DuckDB, embedded in this process."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.errors import ConfigError, DataError

_DISABLED_OPTIMIZER = "partial_aggregate_pushdown"
"""It groups by lead and kind before the join, and once more after it, which doubles the time."""
_OUT_OF_MEMORY = "Out of Memory Error"
"""Arrow turns DuckDB's error into an OSError with this text if it comes after the first rows."""


@dataclass(frozen=True)
class Limits:
    """The memory and the threads that the engine may use.

    `memory` is a text such as ``4GB``; None means four fifths of the machine's memory. Data that
    exceeds it goes to the folder for temporary files, which TMPDIR names.
    """

    memory: str | None = None
    threads: int | None = None


class Engine:
    """An open engine over some tables; see ``open_engine``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        with suppress(
            duckdb.ParserException
        ):  # a release without this optimizer has nothing to switch off
            connection.execute(f"SET disabled_optimizers = '{_DISABLED_OPTIMIZER}'")

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows.

        Raises DataError if the allowed memory is not enough, as every method that runs a SELECT.
        """
        with self._convert_memory_errors():
            return self._connection.sql(sql).to_arrow_table()

    def stream(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run one SELECT and yield at most `rows` of its rows at a time, in any order.

        The caller must take all of them before it runs another statement.
        """
        with self._convert_memory_errors():
            yield from self._connection.sql(sql).to_arrow_reader(rows)

    def write(self, sql: str, target: Path) -> None:
        """Run one SELECT and write its rows, in its order, to a Parquet file."""
        with self._convert_memory_errors():
            self._connection.sql(sql).write_parquet(str(target), compression="zstd")

    def add(self, name: str, table: pa.Table | Path) -> None:
        """Add a table for later statements; a path must be in a folder that the engine may read."""
        if isinstance(table, Path):
            self._connection.read_parquet(str(table)).create_view(name)
        else:
            self._connection.register(name, table)

    def define(self, name: str, sql: str) -> None:
        """Add a view for later statements: each of them computes its rows again."""
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quote_name(name)} AS {sql}")

    def materialize(self, name: str, sql: str) -> None:
        """Add a table for later statements: the rows of a SELECT, computed once, in its order."""
        with self._convert_memory_errors():
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quote_name(name)} AS {sql}")

    @contextmanager
    def _convert_memory_errors(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.OutOfMemoryException, OSError) as error:
            first = str(error).splitlines()[0]
            if isinstance(error, OSError) and _OUT_OF_MEMORY not in first:
                raise
            raise DataError(
                f"the allowed memory ({self._limits.memory or 'by default'}) is not enough: "
                f"{first}; increase --memory-limit"
            ) from error


@contextmanager
def open_engine(
    tables: Mapping[str, pa.Table | Path], limits: Limits | None = None, *folders: Path
) -> Iterator[Engine]:
    """Open an engine that can read these tables and files in these folders, and nothing else.

    A path is a Parquet file, of which the engine reads only what it needs. `folders` are those in
    which ``Engine.write`` and ``Engine.add`` may use files.

    Raises ConfigError if the memory of `limits` is not an amount of memory.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="leadscore-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": spill}
        if limits.memory is not None:
            config["memory_limit"] = limits.memory
        if limits.threads is not None:
            config["threads"] = limits.threads
        try:
            connection = duckdb.connect(config=config)
        except duckdb.Error as error:
            raise ConfigError(
                f"--memory-limit: {limits.memory!r}: {error}; write for example 4GB"
            ) from error
        with connection:
            allowed = [spill, *map(str, folders)]
            allowed += [str(table.parent) for table in tables.values() if isinstance(table, Path)]
            connection.execute("SET enable_progress_bar = false")  # it would go to stdout
            connection.execute("SET allowed_directories = ?", [allowed])
            connection.execute("SET enable_external_access = false")
            # DuckDB reads a file in parts; so it reads the footer only once
            connection.execute("SET parquet_metadata_cache = true")
            engine = Engine(connection, limits)
            for name, table in tables.items():
                engine.add(name, table)
            yield engine


def run_sql(
    sql: str, tables: Mapping[str, pa.Table | Path], limits: Limits | None = None
) -> pa.Table:
    """Run one SELECT over some tables; see ``open_engine`` and ``Engine.query``."""
    with open_engine(tables, limits) as engine:
        return engine.query(sql)
