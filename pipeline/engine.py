"""The only door to the SQL engine: DuckDB, embedded."""

from collections.abc import Mapping

import duckdb
import pyarrow as pa


def run_sql(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Run one statement over some tables.

    Parameters
    ----------
    sql : str
        One SELECT.
    tables : mapping of str to Table
        The tables the statement may name.

    Returns
    -------
    Table
        The rows in the statement's order.
    """
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()
