"""The only door to the SQL engine: DuckDB, embedded."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.errors import ConfigError, DataError

_SLOWER = "partial_aggregate_pushdown"
"""It groups by lead and kind before it joins, and then once more: twice the time."""
_LATE = "Out of Memory Error"
"""How Arrow tells what a stream lacks once its first rows are out."""


@dataclass(frozen=True)
class Limits:
    """What the engine may use: memory as ``4GB`` (None: four fifths of the machine's), threads.

    Beyond the memory it spills to the folder for temporary files, which TMPDIR names.
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
            connection.execute(f"SET disabled_optimizers = '{_SLOWER}'")

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows.

        Raises
        ------
        DataError
            If the memory allowed does not suffice, even with spilling.
        """
        with self._memory_told():
            return self._connection.sql(sql).to_arrow_table()

    def stream(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run one SELECT and yield so many of its rows at a time, in whatever order.

        No other statement runs before the last of them is taken.

        Raises
        ------
        DataError
            As ``query``.
        """
        with self._memory_told():
            yield from self._connection.sql(sql).to_arrow_reader(rows)

    def write(self, sql: str, target: Path) -> None:
        """Run one SELECT and write its rows, in its order, to a Parquet file.

        Raises
        ------
        DataError
            As ``query``.
        """
        with self._memory_told():
            self._connection.sql(sql).write_parquet(str(target), compression="zstd")

    def add(self, name: str, table: pa.Table | Path) -> None:
        """Let statements name a further table; a path must lie in a folder the engine reaches."""
        if isinstance(table, Path):
            self._connection.read_parquet(str(table)).create_view(name)
        else:
            self._connection.register(name, table)

    def define(self, name: str, sql: str) -> None:
        """Let statements name the rows of a SELECT, computed anew each time."""
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quote_name(name)} AS {sql}")

    def keep(self, name: str, sql: str) -> None:
        """Let statements name the rows of a SELECT, computed once and kept in its order.

        Raises
        ------
        DataError
            As ``query``.
        """
        with self._memory_told():
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quote_name(name)} AS {sql}")

    @contextmanager
    def _memory_told(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.OutOfMemoryException, OSError) as error:
            first = str(error).splitlines()[0]
            if isinstance(error, OSError) and _LATE not in first:
                raise
            raise DataError(
                f"the memory allowed ({self._limits.memory or 'by the machine'}) does not suffice: "
                f"{first}; give --memory-limit more"
            ) from error


@contextmanager
def open_engine(
    tables: Mapping[str, pa.Table | Path], limits: Limits | None = None, *folders: Path
) -> Iterator[Engine]:
    """Open an engine that reaches these tables, files in these folders, and nothing else.

    Parameters
    ----------
    tables : mapping of str to Table or Path
        The tables that statements may name; a path is a Parquet file, read as far as needed.
    limits : Limits, optional
    *folders : Path
        Where files may be written, and read from by ``Engine.add``.

    Raises
    ------
    ConfigError
        If the memory of `limits` is no amount of memory.
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
            raise ConfigError(f"--memory-limit: {limits.memory!r}: {error}; 4GB, say") from error
        with connection:
            reached = [spill, *map(str, folders)]
            reached += [str(table.parent) for table in tables.values() if isinstance(table, Path)]
            connection.execute("SET enable_progress_bar = false")  # it would go to stdout
            connection.execute("SET allowed_directories = ?", [reached])
            connection.execute("SET enable_external_access = false")
            # a file is read in parts, and its footer once
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
