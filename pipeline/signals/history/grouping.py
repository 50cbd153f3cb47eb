"""The SQL that groups known activities by snapshot and cell."""

from dataclasses import dataclass

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.signals.filters import Filter
from leadscore.pipeline.signals.history.aggregate_sql import Aggregate, write_aggregate
from leadscore.pipeline.signals.history.known_activities_sql import SNAPSHOT_KEY, KnownSqlDraft


@dataclass(frozen=True)
class ValueRef:
    """The position of a signal's value: the column `measure` of the rows of `cell` in a group."""

    group: int
    cell: int
    measure: str


@dataclass(frozen=True)
class GroupedSql:
    """A SELECT that groups known activities by snapshot_id and cell.

    `known` is the name of its KnownSql. With `by_day` the activities are grouped by day first.
    `measures` are its aggregates by name. `sql` has the columns snapshot_id, cell and the measures,
    and one row per snapshot and cell.
    """

    known: str
    by_day: bool
    measures: dict[str, Aggregate]
    sql: str


class GroupedSqlDraft:
    """Collects the cells and aggregates of a GroupedSql."""

    def __init__(self, number: int, by_day: bool, known: KnownSqlDraft) -> None:
        self.number = number
        self._by_day = by_day
        self._known = known
        self._cells: set[int] = set()
        self._measures: dict[Aggregate, str] = {}

    def add_value(self, filter_: Filter, aggregate: Aggregate) -> ValueRef:
        """Add an aggregate over the activities of a filter, and return where its value will be."""
        cell = self._known.add_filter(filter_)
        self._cells.add(cell)
        if aggregate.of is not None:
            self._known.columns.add(f"a.{quote_name(aggregate.of)}")
        if aggregate.needs_order:
            self._known.columns.add("a.place")
        name = self._measures.setdefault(aggregate, f"m{len(self._measures)}")
        return ValueRef(self.number, cell, name)

    def build(self) -> GroupedSql:
        """Return the SELECT with all aggregates that were added."""
        measures = {name: aggregate for aggregate, name in self._measures.items()}
        values = "".join(
            f",\n  {write_aggregate(aggregate)} AS {name}" for name, aggregate in measures.items()
        )
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{values}\nFROM {self._source()}\n"
            f"GROUP BY {SNAPSHOT_KEY}, cell"
        )
        if any(aggregate.picked_column for aggregate in measures.values()):
            sql = _copy_values(sql, measures)
        return GroupedSql(self._known.name, self._by_day, measures, sql)

    def _source(self) -> str:
        """Write the FROM clause; by day, a row per day with the age of its youngest activity."""
        source = self._known.name
        if len(self._cells) < self._known.cell_count:
            source += f"\nWHERE cell IN ({', '.join(map(str, sorted(self._cells)))})"
        if not self._by_day:
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
