"""The catalogues of several scorecards, brought together where they do not contradict."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.signals.catalog import Catalog, Signal
from pipeline.signals.labels import Label


class Groups(NamedTuple):
    """Catalogues to be read one after the other, and for each scorecard the number of its own."""

    catalogs: tuple[Catalog, ...]
    of: tuple[int, ...]


def merge_catalogs(first: Catalog, catalogs: Sequence[Catalog]) -> Groups:
    """Merge catalogues into as few as there can be, so that signals are computed once.

    Parameters
    ----------
    first : Catalog
        The project's own, which the others join if they can.
    catalogs : sequence of Catalog
        One per scorecard.

    Returns
    -------
    Groups
        A catalogue that declares a column, a field or a property in another way than those before
        it begins a group of its own. Groups that no scorecard reads are left out.
    """
    merged, of = [first], []
    for catalog in catalogs:
        for number, group in enumerate(merged):
            joined = _join(group, catalog)
            if joined is not None:
                merged[number] = joined
                of.append(number)
                break
        else:
            merged.append(catalog)
            of.append(len(merged) - 1)
    used = sorted(set(of))
    return Groups(tuple(merged[number] for number in used), tuple(map(used.index, of)))


def _join(one: Catalog, other: Catalog) -> Catalog | None:
    """Return both in one, or None where they contradict each other."""
    signals = {signal.column: signal for signal in one.signals}
    stored = {signal.stored: signal for signal in one.signals if signal.stored is not None}
    added = []
    for signal in other.signals:
        there = signals.get(signal.column)
        if there is None:
            clash = None if signal.stored is None else stored.get(signal.stored)
            if clash is not None and clash.declaration.kind != signal.declaration.kind:
                return None
            added.append(signal)
        elif _meaning(there) != _meaning(signal):
            return None
    shared_fields = set(one.fields) & set(other.fields)
    alike = (
        _agree(one.fields, other.fields)
        and _agree(one.properties, other.properties)
        and one.day_offset_hours == other.day_offset_hours
        and one.kinds_left_out == other.kinds_left_out
        and shared_fields & set(one.changing) == shared_fields & set(other.changing)
    )
    if not alike:
        return None
    return (
        one.model_copy(
            update={
                "signals": (*one.signals, *added),
                "fields": {**other.fields, **one.fields},
                "changing": tuple(dict.fromkeys((*one.changing, *other.changing))),
                "properties": {**other.properties, **one.properties},
                "word_lists": {**other.word_lists, **one.word_lists},
            }
        )
        if added
        else one
    )


def _meaning(signal: Signal) -> Signal:
    """Return the signal without the words it is called by."""
    silent = signal.declaration.model_copy(update={"label": Label()})
    return signal.model_copy(update={"declaration": silent})


def _agree(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return all(one[name] == other[name] for name in set(one) & set(other))
