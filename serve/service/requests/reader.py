"""Read the times and activities of a request, by the words that a scorecard's catalogue knows."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Generic, TypeVar

import msgspec

from leadscore.pipeline.signals.catalog import FIELD_TYPE, Catalog
from leadscore.pipeline.signals.filters import Filter, read_filter
from leadscore.pipeline.signals.live.activities import NO_ACTIVITIES, ActivityColumns, make_columns
from leadscore.pipeline.values.fields import LONGEST_TEXT, FieldSpec, Normalised, make_normaliser
from leadscore.pipeline.values.times import FIRST_US, LAST_US
from leadscore.serve.service.problems import Fault, join_pointer
from leadscore.serve.service.requests.decode import JSON_WORD, LONGEST_NAME, ActivityBody, Scalar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_NO_TIME = "no time: write it as 2026-01-31T09:30:00Z"
_to_msgpack = msgspec.msgpack.Encoder().encode
_WHOLE_SECONDS = Struct(">xxI")


def read_time(text: str) -> int:
    """Read a time as a file's times are read, but only with a zone.

    Raises ValueError if it is no time or names no zone; the message does not quote it.
    """
    try:
        moment = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        raise ValueError(_NO_TIME) from None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone: end it with Z or an offset, +01:00 for example")
    try:
        return (moment.astimezone(UTC) - _EPOCH) // _US
    except OverflowError:
        raise ValueError(_NO_TIME) from None


def read_times(texts: Sequence[str]) -> list[int]:
    """Read many times, each as ``read_time`` does: a lead may have hundreds."""
    try:
        moments = list(map(datetime.fromisoformat, texts))
        found = _unpack_seconds(moments)
        if found is None:
            found = [(moment - _EPOCH) // _US for moment in moments]
            if not FIRST_US <= min(found, default=0) <= max(found, default=0) <= LAST_US:
                raise ValueError(_NO_TIME)
    except (ValueError, TypeError, OverflowError):  # an unusual form, no zone, beyond all years
        return list(map(read_time, texts))
    return found


def _unpack_seconds(moments: Sequence[datetime]) -> list[int] | None:
    """Return moments in UTC microseconds; None unless all are whole seconds from 1970 to 2106.

    MessagePack writes such a moment as two bytes and four bytes of seconds, and every other moment
    in more. Reading that takes a third of the time of Python's arithmetic, which is a tenth of a
    request with 200 activities.
    """
    packed, size = _to_msgpack(moments), _WHOLE_SECONDS.size * len(moments)
    if not size or len(packed) >= size + 4:  # the head of the list takes up to 3
        return None
    return [1_000_000 * second for (second,) in _WHOLE_SECONDS.iter_unpack(packed[-size:])]


JSON_TYPE: Mapping[str, type] = {"text": str, "number": float, "flag": bool}
Properties = Mapping[str, Normalised]
UnusedNames = dict[tuple[str, object], tuple[str | int, ...]]
"""Names that no signal reads: a code and the name, and the pointer to its first place, in parts."""

T = TypeVar("T")
_MOST_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 64
_normalise_text = make_normaliser(FieldSpec())


class _Everything(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True

    def issuperset(self, _: Iterable[object]) -> bool:
        return True


_EVERYTHING = _Everything()


class _TextCache(dict[Any, T], Generic[T]):
    """What values read as: texts are remembered, since kinds and properties have few of them.

    Numbers and flags are read anew, because 1 and True would be one key.
    """

    def __init__(self, read: Callable[[Any], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: object) -> T:
        found = self._read(value)
        if isinstance(value, str) and len(value) <= _LONGEST_REMEMBERED:
            if len(self) < _MOST_REMEMBERED:
                self[value] = found
        return found


def _make_property_reader(spec: FieldSpec) -> _TextCache[Normalised]:
    wanted, normalise = JSON_TYPE[spec.type], make_normaliser(spec)

    def read(value: Scalar) -> Normalised:
        if value is None or type(value) is wanted or (wanted is float and type(value) is int):
            return normalise(value)
        raise ValueError(f"a {JSON_WORD[wanted]} or null is expected")

    return _TextCache(read)


class RequestReader:
    """Read the activities of requests, and find the names in a request that no signal reads."""

    def __init__(self, catalog: Catalog) -> None:
        self.field_types = {name: JSON_TYPE[spec.type] for name, spec in catalog.fields.items()}
        self.field_normalisers = {n: make_normaliser(s) for n, s in catalog.fields.items()}
        self.signal_types = {
            signal.column: str
            if signal.is_category
            else JSON_TYPE[FIELD_TYPE.get(signal.declaration.kind, "number")]
            for signal in catalog.signals
        }
        self._properties = {
            name: _make_property_reader(spec) for name, spec in catalog.properties.items()
        }
        filters: list[Filter] = [
            read_filter(one, catalog.properties)
            for _, declared in catalog.activity_signals()
            for one in declared.filters
        ]
        known = frozenset(catalog.activity_kinds | set(catalog.excluded_kinds))
        self._kinds_read = _EVERYTHING if any(one.kinds is None for one in filters) else known
        self._kinds = _TextCache(_read_kind)

    def read_activities(
        self, bodies: Sequence[ActivityBody], unused: UnusedNames
    ) -> tuple[ActivityColumns, list[Fault]]:
        """Turn the activities of a request into those that the live reader takes.

        `unused` gets the kinds and properties that no signal reads, each with its first place. If
        there are faults, the activities are not to be used.
        """
        if not bodies:
            return NO_ACTIVITIES, []
        try:
            columns = self._read_columns(bodies)
        except ValueError:
            self._note_unused(bodies, {body.kind for body in bodies}, unused)
            return NO_ACTIVITIES, self._find_faults(bodies)
        self._note_unused(bodies, columns.kind_set, unused)
        return columns, []

    def _read_columns(self, bodies: Sequence[ActivityBody]) -> ActivityColumns:
        """Read activities fact by fact, which is quicker than one by one."""
        kinds = list(map(self._kinds.__getitem__, [body.kind for body in bodies]))
        occurred_us = recorded_us = read_times([body.occurred_at for body in bodies])
        recorded = [body.recorded_at for body in bodies]
        if recorded.count(None) < len(recorded):
            recorded_us = read_times(
                [b.occurred_at if b.recorded_at is None else b.recorded_at for b in bodies]
            )
        ids = _read_ids([body.activity_id for body in bodies])
        properties = self._read_properties([body.properties for body in bodies])
        return make_columns(kinds, occurred_us, recorded_us, ids, properties)

    def _read_properties(self, given: Sequence[Properties | None]) -> Sequence[Properties | None]:
        """Normalise properties; they are passed on as they came if that changes none of them."""
        sent = [properties for properties in given if properties]
        for name, read in self._properties.items():
            values = {properties.get(name) for properties in sent}
            if not all(v is None or (type(v) is str and read[v] == v) for v in values):
                return [properties and self._normalise(properties) for properties in given]
        return given

    def _normalise(self, properties: Properties) -> Properties:
        readers = self._properties
        return {name: readers[name][value] for name, value in properties.items() if name in readers}

    def _note_unused(
        self, bodies: Sequence[ActivityBody], kinds: Set[str], unused: UnusedNames
    ) -> None:
        names = set().union(*[body.properties for body in bodies if body.properties])
        if self._properties.keys() >= names and self._kinds_read.issuperset(kinds):
            return
        names -= self._properties.keys()
        unread_kinds = self._find_unread_kinds({body.kind for body in bodies})
        for place, body in enumerate(bodies):
            if body.properties and names:
                for name in body.properties:
                    if name in names:
                        where = ("activities", place, "properties", name[:LONGEST_NAME])
                        unused.setdefault(("unread_property", name), where)
                names -= body.properties.keys()
            kind = unread_kinds.get(body.kind)
            if kind is not None:
                unused.setdefault(("unread_kind", kind), ("activities", place, "kind"))

    def _find_unread_kinds(self, given: Set[str]) -> dict[str, str]:
        """Return the kinds that no signal reads, as they were sent and as they are read."""
        found = {}
        for text in given:
            with contextlib.suppress(ValueError):  # a fault of the request, found by the reader
                kind = self._kinds[text]
                if kind not in self._kinds_read:
                    found[text] = kind
        return found

    def _find_faults(self, bodies: Sequence[ActivityBody]) -> list[Fault]:
        """Find every fault of activities that do not fit, each with its place."""
        faults = []
        for place, body in enumerate(bodies):
            readers: list[tuple[tuple[str, ...], Callable[[Any], object], object]] = [
                (("kind",), _read_kind, body.kind),
                (("occurred_at",), read_time, body.occurred_at),
                (("recorded_at",), read_time, body.recorded_at),
                (("activity_id",), _read_id, body.activity_id),
            ]
            for name, value in (body.properties or {}).items():
                if name in self._properties:
                    readers.append(
                        (("properties", name), self._properties[name].__getitem__, value)
                    )
            for where, read, found in readers:
                try:
                    if found is not None:
                        read(found)
                except ValueError as error:
                    faults.append(Fault(join_pointer("activities", place, *where), str(error)))
        return faults


def _read_id(text: str | None) -> str | None:
    found = _normalise_text(text)
    return found if isinstance(found, str) else None


def _read_kind(text: str) -> str:
    kind = _read_id(text)
    if kind is None:
        raise ValueError("a blank kind")
    return kind


def _read_ids(given: Sequence[str | None]) -> Sequence[str | None]:
    """Normalise ids: all at once if they are plain ASCII without blanks, else one by one."""
    together = "".join(filter(None, given))
    is_plain = together.isascii() and "\0" not in together and together.split(None, 1) == [together]
    if is_plain and "" not in given and len(together) <= LONGEST_TEXT:
        return given
    return list(map(_read_id, given))
