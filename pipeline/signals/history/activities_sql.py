"""The SQL of the activities that were known at each snapshot, and of their groups."""

from collections import Counter
from dataclasses import dataclass, field

from leadscore.models.sql_text import quote_name, quote_text, write_number
from leadscore.pipeline.signals.filters import Filter, PropertyTest
from leadscore.pipeline.signals.history.aggregate_sql import Aggregate, write_aggregate
from leadscore.pipeline.values.times import DAY_US

SNAPSHOT_KEY = "snapshot_id"


@dataclass
class KnownSql:
    """A SELECT of the activities known at each snapshot; each of its filters is a cell.

    Its columns are snapshot_id, cell, age_us, and `columns`, which its groups read.
    """

    name: str
    any_kind: bool
    columns: set[str] = field(default_factory=set)
    cells: dict[Filter, int] = field(default_factory=dict)

    @property
    def max_cells(self) -> int:
        """The largest number of rows that a snapshot has of one activity."""
        kinds = Counter(kind for filter_ in self.cells for kind in filter_.kinds or ())
        return len(self.cells) if self.any_kind else max(kinds.values(), default=1)

    @property
    def sql(self) -> str:
        """The SELECT of the activities known at each snapshot, once for every cell they belong to.

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
            for filter_, cell in self.cells.items()
            for kind in filter_.kinds or ("",)
        ]
        cells = " UNION ALL\n  ".join(rows)
        on = "1 = 1" if self.any_kind else "k.kind = a.kind"
        return f"JOIN (\n  {cells}\n) AS k ON {on}"

    def _tests(self) -> str:
        cases = "".join(
            f" WHEN {cell} THEN CASE WHEN {' AND '.join(map(_passes, filter_.tests))}"
            " THEN 1 ELSE 0 END"
            for filter_, cell in self.cells.items()
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


@dataclass(frozen=True)
class ValueRef:
    """The position of a signal's value: the column `measure` of the rows of `cell` in a group."""

    group: int
    cell: int
    measure: str


@dataclass
class GroupedSql:
    """A SELECT that groups known activities by snapshot_id and cell.

    With `by_day` the activities are grouped by day first. `measures` has the names of the
    aggregates. Columns out: snapshot_id, cell and the measures. Grain: one row per snapshot and
    cell.
    """

    number: int
    by_day: bool
    known: KnownSql
    cells: set[int] = field(default_factory=set)
    names: dict[Aggregate, str] = field(default_factory=dict)

    def add_value(self, filter_: Filter, aggregate: Aggregate) -> ValueRef:
        """Add an aggregate over the activities of a filter, and return where its value will be."""
        cell = self.known.cells.setdefault(filter_, len(self.known.cells))
        self.cells.add(cell)
        if aggregate.of is not None:
            self.known.columns.add(f"a.{quote_name(aggregate.of)}")
        if aggregate.needs_order:
            self.known.columns.add("a.place")
        name = self.names.setdefault(aggregate, f"m{len(self.names)}")
        return ValueRef(self.number, cell, name)

    @property
    def measures(self) -> dict[str, Aggregate]:
        """The aggregates by name."""
        return {name: aggregate for aggregate, name in self.names.items()}

    @property
    def sql(self) -> str:
        """The SELECT with all aggregates that were added."""
        values = "".join(
            f",\n  {write_aggregate(aggregate)} AS {name}" for aggregate, name in self.names.items()
        )
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{values}\nFROM {self._source()}\n"
            f"GROUP BY {SNAPSHOT_KEY}, cell"
        )
        if any(aggregate.picked_column for aggregate in self.names):
            sql = _copy_values(sql, self.measures)
        return sql

    def _source(self) -> str:
        """Write the FROM clause; by day, a row per day with the age of its youngest activity."""
        source = self.known.name
        if len(self.cells) < len(self.known.cells):
            source += f"\nWHERE cell IN ({', '.join(map(str, sorted(self.cells)))})"
        if not self.by_day:
            return source
        return (
            f"(\nSELECT {SNAPSHOT_KEY}, cell, MIN(age_us) AS age_us\n"
            f"FROM {source}\nGROUP BY {SNAPSHOT_KEY}, cell, day\n) AS days"
        )


def _copy_values(sql: str, measures: dict[str, Aggregate]) -> str:
    """Replace the numbers of activities in a grouping by the values of these activities."""
    columns = {name: aggregate.picked_column for name, aggregate in measures.items()}
    values = "".join(
        f", t_{name}.{quote_name(column)} AS {name}" if column else f", grouped.{name}"
        for name, column in columns.items()
    )
    joins = "".join(
        f"\nLEFT JOIN activities AS t_{name} ON t_{name}.place = grouped.{name}"
        for name, column in columns.items()
        if column
    )
    return (
        f"SELECT grouped.{SNAPSHOT_KEY}, grouped.cell{values}\nFROM (\n{sql}\n) AS grouped{joins}"
    )
