"""The tables that MLflow's protocol knows, read as rows: its four forms of JSON, and CSV."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from serve.service.problems import Fault, Problem, join_pointer

MOST_ROWS = 5_000
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
CSV = "text/csv"
_SHAPE = "rows as objects, or columns and data, with a value for every column"


class InvokedTable(NamedTuple):
    """Rows by column; `tell` makes the fault of a value from its row, its column and what it is."""

    rows: list[Mapping[str, Any]]
    tell: Callable[[int, str, str], Fault]
    is_text: bool = False


def read_table(body: bytes, media_type: str) -> InvokedTable:
    """Read the body of ``POST /invocations``.

    MLflow's own clients write NaN for what is missing, so that is read; an empty cell of CSV is
    missing too. Of two columns with one name the last counts.

    Parameters
    ----------
    body : bytes
    media_type : str
        Without parameters, in lower case.

    Raises
    ------
    Problem
        400 if it cannot be read, 415 if it is neither JSON nor CSV, 422 if it is no table, or one
        of too many rows.
    """
    if media_type == CSV:
        table, where = _read_csv(body), ""
    elif media_type == "application/json" or media_type.endswith("+json"):
        table, where = _read_json(body)
    else:
        raise Problem(
            415, "send the rows as JSON or as CSV, with Content-Type: application/json or text/csv",
            headers={"Accept": f"application/json, {CSV}"},
        )  # fmt: skip
    if len(table.rows) > MOST_ROWS:
        raise Problem(
            422, f"{len(table.rows):,} rows in one request",
            [Fault(where, f"at most {MOST_ROWS:,} rows are taken")],
        )  # fmt: skip
    return table


def _read_json(body: bytes) -> tuple[InvokedTable, str]:
    try:
        document = json.loads(body, parse_constant=_read_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "the body is no JSON in UTF-8") from None
    forms = [form for form in FORMS if isinstance(document, dict) and form in document]
    if len(forms) != 1:
        raise Problem(
            422, "the request does not fit",
            [Fault("", f"an object with one of {', '.join(FORMS)} is expected")],
        )  # fmt: skip
    form = forms[0]
    return _find_rows(document[form], form), f"/{form}"


def _read_constant(name: str) -> float:
    if name == "NaN":
        return float("nan")
    raise ValueError(name)


def _find_rows(table: Any, form: str) -> InvokedTable:
    if form == "dataframe_split" and isinstance(table, dict):
        columns, data = table.get("columns"), table.get("data")
        if isinstance(columns, list) and isinstance(data, list):
            if all(isinstance(c, str) for c in columns) and all(
                isinstance(row, list) and len(row) == len(columns) for row in data
            ):
                last = {column: place for place, column in enumerate(columns)}
                return InvokedTable(
                    [dict(zip(columns, row, strict=True)) for row in data],
                    lambda row, column, told: Fault(
                        join_pointer(form, "data", row, last[column]), told
                    ),
                )
    elif form != "dataframe_split" and isinstance(table, list):
        if all(isinstance(row, dict) for row in table):
            return InvokedTable(
                table, lambda row, column, told: Fault(join_pointer(form, row, column), told)
            )
    elif form == "inputs" and isinstance(table, dict):
        lists = {k: v if isinstance(v, list) else [v] for k, v in table.items()}
        if len({len(values) for values in lists.values()}) == 1:
            return InvokedTable(
                [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)],
                lambda row, column, told: Fault(
                    join_pointer(form, column, row)
                    if isinstance(table[column], list)
                    else join_pointer(form, column),
                    told,
                ),
            )
    raise Problem(422, "the request does not fit", [Fault(f"/{form}", _SHAPE)])


def _read_csv(body: bytes) -> InvokedTable:
    """Read a header and rows; lines that hold nothing are passed over, as pandas does."""
    rows: list[Mapping[str, Any]] = []
    lines: list[int] = []
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        columns = next(reader, [])
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(columns):
                told = f"line {reader.line_num}: as many cells as the header has are expected"
                raise Problem(422, "the request does not fit", [Fault("", told)])
            rows.append(dict(zip(columns, cells, strict=True)))
            lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error):
        raise Problem(400, "the body is no CSV in UTF-8") from None
    if not columns:
        raise Problem(422, "the request does not fit", [Fault("", "a header line is expected")])
    return InvokedTable(
        rows,
        lambda row, column, told: Fault("", f"line {lines[row]}, column {column}: {told}"),
        is_text=True,
    )
