"""The SQL of the activities that were known at each snapshot."""

from collections import Counter
from dataclasses import dataclass

from leadscore.models.sql_text import quote_name, quote_text, write_number
from leadscore.pipeline.signals.filters import Filter, PropertyTest
from leadscore.pipeline.values.times import DAY_US

SNAPSHOT_KEY = "snapshot_id"


@dataclass(frozen=True)
class KnownSql:
    """A SELECT of the activities known at each snapshot, with their cells.

    Its columns are snapshot_id, cell, age_us and those that its groups read. A snapshot has at most
    `max_cells` rows of one activity.
    """

    name: str
    sql: str
    max_cells: int


class KnownSqlDraft:
    """Collects the filters and columns of a KnownSql; each filter is a cell.

    `columns` are those besides snapshot_id, cell and age_us.
    """

    def __init__(self, name: str, any_kind: bool) -> None:
        self.name = name
        self.columns: set[str] = set()
        self._any_kind = any_kind
        self._cells: dict[Filter, int] = {}

    @property
    def cell_count(self) -> int:
        """The number of filters."""
        return len(self._cells)

    def build(self) -> KnownSql:
        """Return the SELECT with all filters and columns that were added."""
        kinds = Counter(kind for filter_ in self._cells for kind in filter_.kinds or ())
        max_cells = len(self._cells) if self._any_kind else max(kinds.values(), default=1)
        return KnownSql(self.name, self._sql(), max_cells)

    def add_filter(self, filter_: Filter) -> int:
        """Return the number of a filter's cell, and add the filter if it is new."""
        return self._cells.setdefault(filter_, len(self._cells))

    def _sql(self) -> str:
        """Select the activities known at each snapshot, once for every cell they belong to.

        No other SQL decides what was known, or defines age. The conditions compare differences, so
        that an engine tests rows after the join: as conditions of the join they slow DuckDB down.
        """
        columns = "".join(f", {column}" for column in sorted(self.columns))
        return (
            f"SELECT s.{SNAPSHOT_KEY}, k.cell, s.as_of_us - a.occurred_us AS age_us{columns}\n"
            f"FROM activities AS a\n{self._join_cells()}\n"
            "JOIN snapshots AS s ON s.lead_id = a.lead_id\n"
            "WHERE s.as_of_us - a.occurred_us >= 0 AND s.as_of_us - a.recorded_us >= 0"
            f"{self._tests()}"
        )

    def _join_cells(self) -> str:
        rows = [
            f"SELECT {quote_text(kind)} AS kind, {cell} AS cell"
            for filter_, cell in self._cells.items()
            for kind in filter_.kinds or ("",)
        ]
        cells = " UNION ALL\n  ".join(rows)
        on = "1 = 1" if self._any_kind else "k.kind = a.kind"
        return f"JOIN (\n  {cells}\n) AS k ON {on}"

    def _tests(self) -> str:
        cases = "".join(
            f" WHEN {cell} THEN CASE WHEN {' AND '.join(map(_passes, filter_.tests))}"
            " THEN 1 ELSE 0 END"
            for filter_, cell in self._cells.items()
            if filter_.tests
        )
        return f"\nAND CASE k.cell{cases} ELSE 1 END = 1" if cases else ""


def day_column(offset_us: int) -> str:
    """Return the column `day`: the UTC day of an activity, its time shifted by `offset_us`."""
    return f"FLOOR((a.occurred_us + {offset_us}) / {write_number(float(DAY_US))}) AS day"


def _passes(test: PropertyTest) -> str:
    column = f"a.{quote_name(test.property)}"
    if test.values is not None:
        values = ", ".join(
            quote_text(v) if isinstance(v, str) else write_number(v) for v in test.values
        )
        return f"{column} IN ({values})"
    bounds = [] if test.low is None else [f"{column} >= {write_number(test.low)}"]
    bounds += [] if test.high is None else [f"{column} <= {write_number(test.high)}"]
    return " AND ".join(bounds)
