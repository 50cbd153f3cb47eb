"""MLflow's scoring protocol, so that its clients find here what ``mlflow models serve`` is."""

from collections.abc import Mapping
from typing import Any

import msgspec

from models.scoring import LeadScore
from pipeline.values import FieldSpec, Normalised, make_normaliser
from serve.service.app import Asked, Route
from serve.service.invoked import InvokedTable, read_table
from serve.service.keeping import Keeping
from serve.service.models_served import ModelsServed
from serve.service.problems import Fault, Problem
from serve.service.requests import LONGEST_ID, LeadBody
from serve.service.routes import MOST_BATCH_BYTES, Clock
from serve.service.scoring import ScoredLead
from serve.service.served import ServedModel
from serve.service.turns import Turns

_MOST_FAULTS = 50
_TEXT = make_normaliser(FieldSpec())
_NUMBER = make_normaliser(FieldSpec(type="number"))
_FLAG = {"true": 1.0, "false": 0.0}
"""How data frames write flags into CSV, in lower case."""


class Invocations:
    """What answers ``POST /invocations``: ready signals in, one prediction a row out.

    Parameters
    ----------
    models : ModelsServed
    keeping : Keeping
        Where scores are counted, logged and shadowed.
    clock : callable
        Returns the time in UTC microseconds.
    """

    def __init__(self, models: ModelsServed, keeping: Keeping, clock: Clock) -> None:
        self._models = models
        self._keeping = keeping
        self._clock = clock

    def by_path(self) -> dict[str, Route]:
        """Return the routes by path."""
        return {"/invocations": Route(self.invoke, MOST_BATCH_BYTES, leniently_typed=True)}

    async def invoke(self, body: bytes, asked: Asked) -> bytes:
        """Score rows of ready signals; a column that is absent is missing.

        The log has them as the items of one request, under the id in a column ``lead_id``.
        """
        model = await self._models.pick(asked.model)
        given = asked.headers.get(b"content-type", b"").decode("latin-1")
        table = read_table(body, given.partition(";")[0].strip().lower())
        faults: list[Fault] = []
        signals = [_read_row(model, table, place, faults) for place in range(len(table.rows))]
        if faults:
            raise Problem(422, "rows do not fit the signals", faults[:_MOST_FAULTS])
        now_us, answers, turns = self._clock(), [], Turns()
        for place, (row, ready) in enumerate(zip(table.rows, signals, strict=True)):
            score = model.scorer.score(ready)
            answers.append(_tell(score))
            lead = LeadBody(_name_lead(row), given_signals=ready)
            scored = ScoredLead(ready, score, now_us, None, [])
            self._keeping.keep(model, lead, scored, asked.request_id, place, body, is_ready=True)
            await turns.give_way()
        return msgspec.json.encode({"predictions": answers})


def _name_lead(row: Mapping[str, Any]) -> str:
    """Return the id in a column of that name; empty without a usable one, since none is needed."""
    name = row.get("lead_id")
    if isinstance(name, str) and len(name) <= LONGEST_ID and name.isprintable():
        return name
    return ""


def _tell(score: LeadScore) -> dict[str, Any]:
    return {
        "probability": score.probability,
        "score": 100.0 * score.probability,
        "band": score.band,
        "log_odds": score.log_odds,
    }


def _read_row(
    model: ServedModel, table: InvokedTable, place: int, faults: list[Fault]
) -> dict[str, Normalised]:
    signals: dict[str, Normalised] = {}
    row: Mapping[str, Any] = table.rows[place]
    for column, wanted in model.vocabulary.signal_types.items():
        value = row.get(column)
        if value is None or value != value:
            continue
        try:
            read = _read_cell if table.is_text else _read_value
            signals[column] = read(value, wanted)
        except ValueError as error:
            faults.append(table.tell(place, column, str(error)))
    return signals


def _read_value(value: Any, wanted: type) -> Normalised:
    if wanted is str:
        if isinstance(value, str):
            return _TEXT(value)
        raise ValueError("a text is expected")
    if isinstance(value, bool) and wanted is not bool:
        raise ValueError("a number is expected")
    if isinstance(value, int | float):
        return _NUMBER(float(value) if isinstance(value, bool) else value)
    raise ValueError("a number is expected")


def _read_cell(text: str, wanted: type) -> Normalised:
    if wanted is str:
        return _TEXT(text)
    word = text.strip().lower()
    if word == "nan":
        return None
    if wanted is bool and word in _FLAG:
        return _FLAG[word]
    try:
        return _NUMBER(text)
    except ValueError:  # its words quote the text
        raise ValueError("a number is expected") from None
