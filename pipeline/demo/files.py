"""Write tables in parts to CSV or Parquet, so that a world need not fit into memory."""

from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from leadscore.pipeline.errors import ConfigError

Format = Literal["csv", "parquet"]


def read_format(text: str, with_tour: bool) -> Format:
    """Return the format of a name; the tour needs CSV.

    Raises
    ------
    ConfigError
        If there is no such format, or if the tour is to follow and the format is not CSV.
    """
    if text == "csv":
        return "csv"
    if text != "parquet":
        raise ConfigError(f"--format: csv or parquet is expected, found {text!r}")
    if with_tour:
        raise ConfigError("--format: the tour takes csv")
    return "parquet"


class Tables:
    """A folder of tables, each written part by part; a context manager that makes the folder."""

    def __init__(self, folder: Path, ending: Format) -> None:
        self._folder = folder
        self._ending = ending
        self._writers: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        """Return the path of a table."""
        return self._folder / f"{name}.{self._ending}"

    def write(self, name: str, table: pa.Table) -> None:
        """Append rows to a table; the first part sets its columns."""
        if name not in self._writers:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writers[name] = self._open(name, table.schema)
        self._writers[name].write_table(table)

    def _open(self, name: str, schema: pa.Schema) -> Any:
        if self._ending == "csv":
            return pa_csv.CSVWriter(str(self.path(name)), schema)
        return pq.ParquetWriter(self.path(name), schema, compression="zstd")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every table."""
        for writer in self._writers.values():
            writer.close()
