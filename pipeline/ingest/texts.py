"""Signals made from texts, computed at ingestion: from current values and from every change."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.pipeline.ingest.columns import ARROW_TYPE
from leadscore.pipeline.signals.catalog import FIELD_TYPE, Catalog, Signal
from leadscore.pipeline.signals.kinds import TextSignal
from leadscore.pipeline.signals.text.readers import make_text_reader
from leadscore.pipeline.values.fields import Normalised


def derive_text_columns(catalog: Catalog, fields: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Compute the signals of texts from the normalised fields of some leads, an array per field.

    The columns are those of ``catalog.stored``, and the changing fields that signals made from
    texts read, which `add_text_changes` needs. Other texts are not kept.
    """
    read = {name for _, declared in catalog.text_signals() for name in declared.inputs}
    texts = {name: fields[name].to_pylist() for name in read}
    people = [dict(zip(texts, values, strict=True)) for values in zip(*texts.values(), strict=True)]
    derived = {
        signal.column: _read_column(declared, texts, people)
        for signal, declared in catalog.text_signals()
    }
    changing = {name for _, declared in _changing_signals(catalog) for name in declared.inputs}
    kept = changing.union(catalog.stored)
    return {name: values for name, values in {**fields, **derived}.items() if name in kept}


def _changing_signals(catalog: Catalog) -> Iterator[tuple[Signal, TextSignal]]:
    for signal, declared in catalog.text_signals():
        if set(declared.inputs) & set(catalog.changing):
            yield signal, declared


def _read_column(
    declared: TextSignal,
    texts: Mapping[str, Sequence[Normalised]],
    people: Sequence[Mapping[str, Normalised]],
) -> pa.Array:
    read, (name, *others) = make_text_reader(declared), declared.inputs
    if others:
        values = [read(person) for person in people]
    else:  # titles and companies come again, and addresses cost little
        by_text = {text: read({name: text}) for text in set(texts[name])}
        values = [by_text[text] for text in texts[name]]
    return pa.array(values, ARROW_TYPE[FIELD_TYPE[declared.kind]])


def add_text_changes(catalog: Catalog, leads: pa.Table, changes: pa.Table) -> pa.Table:
    """Return the changes, and with them those of the signals made from texts.

    `leads` are as they are today, with the columns of `derive_text_columns`. `changes` are ordered
    by place. The result has a further row for every change of an input of such a signal, under the
    signal's column. Changes of leads that are not in `leads` are ignored.
    """
    rows: list[dict[str, Any]] = []
    for signal, declared in _changing_signals(catalog):
        read = make_text_reader(declared)
        kind = "text" if signal.is_category else "number"
        for change, before, after in _walk(declared.inputs, catalog, leads, changes):
            derived = {
                "field": signal.column,
                f"old_{kind}": read(before),
                f"new_{kind}": read(after),
            }
            rows.append({**change, **derived})
    both = pa.concat_tables([changes, pa.Table.from_pylist(rows, changes.schema)])
    both = both.sort_by([("place", "ascending")])
    places = pa.array(range(len(both)), pa.int64())
    return both.set_column(both.schema.get_field_index("place"), "place", places)


def _walk(
    inputs: Sequence[str], catalog: Catalog, leads: pa.Table, changes: pa.Table
) -> Iterator[tuple[dict[str, Any], dict[str, Normalised], dict[str, Normalised]]]:
    """Yield each change of one of some fields, with all of their values before and after it.

    Before a field's first change it had that one's old value; a field that never changed has the
    value of today.
    """
    chosen = pc.and_(
        pc.is_in(changes["field"], pa.array(inputs)),
        pc.is_in(changes["lead_id"], leads["lead_id"].combine_chunks()),
    )
    found = changes.filter(chosen).sort_by([("lead_id", "ascending"), ("place", "ascending")])
    those = leads.filter(pc.is_in(leads["lead_id"], found["lead_id"].combine_chunks()))
    today = {lead["lead_id"]: lead for lead in those.select(["lead_id", *inputs]).to_pylist()}
    kinds = {name: "text" if catalog.fields[name].type == "text" else "number" for name in inputs}
    for lead_id, rows in groupby(found.to_pylist(), key=itemgetter("lead_id")):
        mine = list(rows)
        values = {name: today[lead_id][name] for name in inputs}
        values |= {row["field"]: row[f"old_{kinds[row['field']]}"] for row in reversed(mine)}
        for row in mine:
            before = dict(values)
            values[row["field"]] = row[f"new_{kinds[row['field']]}"]
            change = {name: row[name] for name in ("lead_id", "recorded_us", "place")}
            yield change, before, dict(values)
