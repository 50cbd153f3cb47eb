"""MLflow's scoring protocol, so that its clients find here what ``mlflow models serve`` is."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from leadscore.pipeline.values.fields import Normalised
from leadscore.serve.service.http.app import RequestContext, Route
from leadscore.serve.service.problems import Fault, Problem, join_pointer
from leadscore.serve.service.requests.decode import LONGEST_ID, LeadBody
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.recorder import ScoreRecorder
from leadscore.serve.service.scoring.routes import MOST_BATCH_BYTES, Clock, TimeSlice
from leadscore.serve.service.scoring.score import normalise_number, normalise_text, rate_score

MOST_ROWS = 5_000
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
CSV = "text/csv"
_SHAPE = "rows as objects, or columns and data, with a value for every column"


class InvokedTable(NamedTuple):
    """Rows by column; `make_fault` takes a row, a column and what is wrong there."""

    rows: list[Mapping[str, Any]]
    make_fault: Callable[[int, str, str], Fault]
    is_text: bool = False


def read_table(body: bytes, media_type: str) -> InvokedTable:
    """Read the body of ``POST /invocations``.

    MLflow's own clients write NaN for what is missing, so that is read; an empty cell of CSV is
    missing too. Of two columns with one name the last counts. `media_type` is without parameters,
    in lower case. Raises Problem: 400 if the body cannot be read, 415 if it is neither JSON nor
    CSV, 422 if it is no table or has too many rows.
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
                    lambda row, column, detail: Fault(
                        join_pointer(form, "data", row, last[column]), detail
                    ),
                )
    elif form != "dataframe_split" and isinstance(table, list):
        if all(isinstance(row, dict) for row in table):
            return InvokedTable(
                table, lambda row, column, detail: Fault(join_pointer(form, row, column), detail)
            )
    elif form == "inputs" and isinstance(table, dict):
        lists = {k: v if isinstance(v, list) else [v] for k, v in table.items()}
        if len({len(values) for values in lists.values()}) == 1:
            return InvokedTable(
                [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)],
                lambda row, column, detail: Fault(
                    join_pointer(form, column, row)
                    if isinstance(table[column], list)
                    else join_pointer(form, column),
                    detail,
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
                detail = f"line {reader.line_num}: as many cells as the header has are expected"
                raise Problem(422, "the request does not fit", [Fault("", detail)])
            rows.append(dict(zip(columns, cells, strict=True)))
            lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error):
        raise Problem(400, "the body is no CSV in UTF-8") from None
    if not columns:
        raise Problem(422, "the request does not fit", [Fault("", "a header line is expected")])
    return InvokedTable(
        rows,
        lambda row, column, detail: Fault("", f"line {lines[row]}, column {column}: {detail}"),
        is_text=True,
    )


_MOST_FAULTS = 50
_FLAG = {"true": 1.0, "false": 0.0}
"""How data frames write flags into CSV, in lower case."""


class Prediction(msgspec.Struct):
    """The score of one row."""

    probability: float
    score: float
    band: str
    log_odds: float


class Predictions(msgspec.Struct):
    """The answer, in the order of the rows."""

    predictions: list[Prediction]


@dataclass
class Invocations:
    """What answers ``POST /invocations``: ready signals in, one prediction a row out."""

    models: LoadedModels
    recorder: ScoreRecorder
    clock: Clock

    def by_path(self) -> dict[str, Route]:
        """Return the routes by path."""
        return {"/invocations": Route(self.invoke, MOST_BATCH_BYTES, leniently_typed=True)}

    async def invoke(self, body: bytes, context: RequestContext) -> bytes:
        """Score rows of ready signals; a column that is absent is missing.

        The log has them as the items of one request, under the id in a column ``lead_id``.
        """
        model = await self.models.pick(context.model)
        given = context.headers.get(b"content-type", b"").decode("latin-1")
        table = read_table(body, given.partition(";")[0].strip().lower())
        faults: list[Fault] = []
        signals = [_read_row(model, table, place, faults) for place in range(len(table.rows))]
        if faults:
            raise Problem(422, "rows do not fit the signals", faults[:_MOST_FAULTS])
        now_us, answers, time_slice = self.clock(), [], TimeSlice()
        for place, (row, ready) in enumerate(zip(table.rows, signals, strict=True)):
            score = model.scorer.score(ready)
            answers.append(
                Prediction(score.probability, 100.0 * score.probability, score.band, score.log_odds)
            )
            lead = LeadBody(_name_lead(row), given_signals=ready)
            scored = rate_score(model, ready, score, now_us)
            self.recorder.record(
                model, lead, scored, context.request_id, place, body, is_ready=True
            )
            await time_slice.yield_if_long()
        return msgspec.json.encode(Predictions(answers))


def _name_lead(row: Mapping[str, Any]) -> str:
    """Return the id in a column of that name; empty without a usable one, since none is needed."""
    name = row.get("lead_id")
    if isinstance(name, str) and len(name) <= LONGEST_ID and name.isprintable():
        return name
    return ""


def _read_row(
    model: ServedModel, table: InvokedTable, place: int, faults: list[Fault]
) -> dict[str, Normalised]:
    signals: dict[str, Normalised] = {}
    row: Mapping[str, Any] = table.rows[place]
    for column, wanted in model.request_reader.signal_types.items():
        value = row.get(column)
        if value is None or value != value:
            continue
        try:
            signals[column] = (_read_cell if table.is_text else _read_value)(value, wanted)
        except ValueError as error:
            faults.append(table.make_fault(place, column, str(error)))
    return signals


def _read_value(value: Any, wanted: type) -> Normalised:
    if wanted is str:
        if isinstance(value, str):
            return normalise_text(value)
        raise ValueError("a text is expected")
    if isinstance(value, bool) and wanted is not bool:
        raise ValueError("a number is expected")
    if isinstance(value, int | float):
        return normalise_number(float(value) if isinstance(value, bool) else value)
    raise ValueError("a number is expected")


def _read_cell(text: str, wanted: type) -> Normalised:
    if wanted is str:
        return normalise_text(text)
    word = text.strip().lower()
    if word == "nan":
        return None
    if wanted is bool and word in _FLAG:
        return _FLAG[word]
    try:
        return normalise_number(text)
    except ValueError:  # its words quote the text
        raise ValueError("a number is expected") from None
