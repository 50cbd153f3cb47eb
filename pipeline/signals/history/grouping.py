"""The groupings of the history reader: what a snapshot sees in which cells, and their SQL."""

from dataclasses import dataclass

from leadscore.models.sql_text import quote_name
from leadscore.pipeline.signals.filters import Filter
from leadscore.pipeline.signals.history.aggregate_sql import Aggregate, write_aggregate
from leadscore.pipeline.signals.history.known_activities_sql import SNAPSHOT_KEY, KnownSqlDraft


@dataclass(frozen=True)
class Reading:
    """Where a signal's value stands: in column `measure` of the rows of `cell` of a block."""

    block: int
    cell: int
    measure: str


@dataclass(frozen=True)
class Block:
    """One grouping of what is in `seen`: by snapshot_id and cell, and by day before if `by_day`.

    `measures` are its aggregates by name. `sql` is a SELECT of snapshot_id, cell and the measures,
    one row per pair.
    """

    seen: str
    by_day: bool
    measures: dict[str, Aggregate]
    sql: str


class Grouping:
    """One grouping in the making: the cells it has, and what is measured in each."""

    def __init__(self, place: int, by_day: bool, seen: KnownSqlDraft) -> None:
        self.place = place
        self._by_day = by_day
        self._seen = seen
        self._cells: set[int] = set()
        self._measures: dict[Aggregate, str] = {}

    def reading(self, filter_: Filter, aggregate: Aggregate) -> Reading:
        """Add what a signal needs, and return where its value will be."""
        cell = self._seen.cell(filter_)
        self._cells.add(cell)
        if aggregate.of is not None:
            self._seen.columns.add(f"a.{quote_name(aggregate.of)}")
        if aggregate.needs_place:
            self._seen.columns.add("a.place")
        name = self._measures.setdefault(aggregate, f"m{len(self._measures)}")
        return Reading(self.place, cell, name)

    def block(self) -> Block:
        """Return the finished grouping."""
        measures = {name: aggregate for aggregate, name in self._measures.items()}
        values = "".join(
            f",\n  {write_aggregate(aggregate)} AS {name}" for name, aggregate in measures.items()
        )
        sql = (
            f"SELECT {SNAPSHOT_KEY}, cell{values}\nFROM {self._source()}\n"
            f"GROUP BY {SNAPSHOT_KEY}, cell"
        )
        if any(aggregate.picked_column for aggregate in measures.values()):
            sql = _look_up(sql, measures)
        return Block(self._seen.name, self._by_day, measures, sql)

    def _source(self) -> str:
        """Name what is seen in the cells; by day, a row a day, as old as its youngest activity."""
        source = self._seen.name
        if len(self._cells) < self._seen.cell_count:
            source += f"\nWHERE cell IN ({', '.join(map(str, sorted(self._cells)))})"
        if not self._by_day:
            return source
        return (
            f"(\nSELECT {SNAPSHOT_KEY}, cell, MIN(age_us) AS age_us\n"
            f"FROM {source}\nGROUP BY {SNAPSHOT_KEY}, cell, day\n) AS days"
        )


def _look_up(sql: str, measures: dict[str, Aggregate]) -> str:
    """Write for the places that a grouping found what stands there."""
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
