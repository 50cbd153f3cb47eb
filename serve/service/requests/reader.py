"""What a scorecard's catalogue lets a request say: fields, signals, kinds, properties."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadscore.pipeline.signals.catalog import FIELD_TYPE, Catalog
from leadscore.pipeline.signals.filters import Filter, read_filter
from leadscore.pipeline.signals.live.activities import (
    NO_ACTIVITIES,
    Activity,
    ActivityColumns,
    to_columns,
)
from leadscore.pipeline.values.fields import (
    LONGEST_TEXT,
    FieldSpec,
    Normalised,
    make_normaliser,
    make_quick_normaliser,
)
from leadscore.serve.service.problems import Fault, join_pointer
from leadscore.serve.service.requests.decode import (
    JSON_WORD,
    LONGEST_NAME,
    ActivityBody,
    UsualActivity,
)
from leadscore.serve.service.requests.times import TimeReader, count_microseconds, read_times

JSON_TYPE: Mapping[str, type] = {"text": str, "number": float, "flag": bool}
UnusedNames = dict[tuple[str, object], tuple[str | int, ...]]
"""What no signal reads: a code and the word, and the parts of the pointer to its first place."""

Bodies = Sequence[ActivityBody | UsualActivity]
"""All of one type."""

_MOST_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 64
_WORD = make_quick_normaliser(FieldSpec())
_NONE: Mapping[str, Normalised] = {}


class _Everything(frozenset[str]):
    def __contains__(self, _: object) -> bool:
        return True

    def issuperset(self, _: Iterable[object]) -> bool:
        return True


_EVERYTHING = _Everything()


class RequestReader:
    """Read the activities of requests, and say which words of a request no signal reads.

    Parameters
    ----------
    catalog : Catalog
    """

    def __init__(self, catalog: Catalog) -> None:
        self.field_types = {name: JSON_TYPE[spec.type] for name, spec in catalog.fields.items()}
        self.plain_fields = frozenset(
            (name, fitting)
            for name, wanted in self.field_types.items()
            for fitting in (wanted, type(None), *([int] if wanted is float else []))
        )
        """Every field with every type that fits it."""
        self.field_normalisers = {n: make_normaliser(s) for n, s in catalog.fields.items()}
        self.signal_types = {
            signal.column: str
            if signal.is_category
            else JSON_TYPE[FIELD_TYPE.get(signal.declaration.kind, "number")]
            for signal in catalog.signals
        }
        self._properties = {
            name: (JSON_TYPE[spec.type], make_normaliser(spec))
            for name, spec in catalog.properties.items()
        }
        filters: list[Filter] = [
            read_filter(one, catalog.properties)
            for _, declared in catalog.activity_signals()
            for one in declared.filters
        ]
        known = frozenset(catalog.activity_kinds | set(catalog.excluded_kinds))
        self._kinds_read = _EVERYTHING if any(one.kinds is None for one in filters) else known
        self._times = TimeReader()
        self._plain_kinds: set[str] = set()
        self._plain_values: dict[str, set[str | None]] = {n: {None} for n in catalog.properties}

    def read_time(self, text: str) -> int:
        """Return a time in UTC microseconds; see ``TimeReader.read``."""
        return self._times.read(text)

    def read_activities(
        self, bodies: Bodies, unread: UnusedNames
    ) -> tuple[ActivityColumns, list[Fault]]:
        """Turn the activities of a request into those that the live reader takes.

        Parameters
        ----------
        bodies : sequence of ActivityBody, or of UsualActivity
        unread : dict
            Takes the kinds and properties that no signal reads, each with its first place.

        Returns
        -------
        ActivityColumns
        list of Fault
            What does not fit; if there is any, the activities are not to be used.
        """
        if not bodies:
            return NO_ACTIVITIES, []
        found = self._read_plain(bodies, unread)
        return self._read_each(bodies, unread) if found is None else (found, [])

    def _read_plain(self, bodies: Bodies, unread: UnusedNames) -> ActivityColumns | None:
        """Read activities column by column, or return None where one of them needs a closer look.

        Most need none: kinds met before, times that end with their zone, names without blanks,
        values of properties met before. ``_read_each`` is the definition; a test holds both equal,
        but for the properties that no signal reads, which are left where they are.
        """
        kinds = [body.kind for body in bodies]
        names = [body.activity_id for body in bodies]
        met = set(kinds)
        if not self._plain_kinds.issuperset(met) or not _are_plain(names):
            return None
        given = [body.properties for body in bodies]
        told = list(filter(None, given))
        named = set().union(*told)
        for name, plain in self._plain_values.items():
            if name in named and not plain.issuperset([facts.get(name) for facts in told]):
                return None
        occurred_us, recorded_us = _read_both_times(bodies)
        if occurred_us is None or recorded_us is None:
            return None
        latest_us = max(occurred_us)
        if recorded_us is not occurred_us:
            latest_us = max(latest_us, *recorded_us)
        if not self._kinds_read.issuperset(met) or not self._properties.keys() >= named:
            for place, (kind, facts) in enumerate(zip(kinds, given, strict=True)):
                self._note_unread(place, kind, facts or _NONE, unread)
        return ActivityColumns(kinds, occurred_us, recorded_us, names, given, latest_us, met)

    def _read_each(
        self, bodies: Bodies, unread: UnusedNames
    ) -> tuple[ActivityColumns, list[Fault]]:
        activities: list[Activity] = []
        faults: list[Fault] = []
        counted = _count(bodies)
        for place, body in enumerate(bodies):
            try:
                kind = self._read_kind(body.kind)
                if counted is None:
                    occurred_us, recorded_us = self._read_times(_write_out(body))
                else:
                    occurred_us = recorded_us = int(counted[place])
                name: Any = None if body.activity_id is None else _WORD(body.activity_id)
                found = body.properties
                self._note_unread(place, kind, found or _NONE, unread)
                properties = self._read_properties(found) if found else _NONE
            except ValueError:
                faults += self._find_faults(place, _write_out(body))
                continue
            activities.append(Activity(kind, occurred_us, recorded_us, name, properties))
        return to_columns(activities), faults

    def _read_times(self, body: ActivityBody) -> tuple[int, int]:
        occurred_us, recorded = self._times.read(body.occurred_at), body.recorded_at
        return occurred_us, occurred_us if recorded is None else self._times.read(recorded)

    def _read_kind(self, text: str) -> str:
        kind = _WORD(text)
        if not isinstance(kind, str):
            raise ValueError("a blank kind")
        if kind == text and len(text) <= _LONGEST_REMEMBERED:
            if len(self._plain_kinds) < _MOST_REMEMBERED:
                self._plain_kinds.add(text)
        return kind

    def _note_unread(
        self, place: int, kind: str, properties: Mapping[str, object], unread: UnusedNames
    ) -> None:
        for name in properties:
            if name not in self._properties:
                where = ("activities", place, "properties", name[:LONGEST_NAME])
                unread.setdefault(("unread_property", name), where)
        if kind not in self._kinds_read:
            unread.setdefault(("unread_kind", kind), ("activities", place, "kind"))

    def _read_properties(self, properties: Mapping[str, object]) -> dict[str, Normalised]:
        return {
            name: self._read_property(name, value)
            for name, value in properties.items()
            if name in self._properties
        }

    def _read_property(self, name: str, value: object) -> Normalised:
        wanted, normalise = self._properties[name]
        if value is not None and type(value) is not wanted:
            if type(value) is not int or wanted is not float:
                raise ValueError(f"a {JSON_WORD[wanted]} or null is expected")
        read = normalise(value)
        if read == value and isinstance(value, str) and len(value) <= _LONGEST_REMEMBERED:
            if len(self._plain_values[name]) < _MOST_REMEMBERED:
                self._plain_values[name].add(value)
        return read

    def _find_faults(self, place: int, body: ActivityBody) -> list[Fault]:
        """Look at an activity that does not fit once more, to tell every fault with its place."""
        faults = []
        where = ("activities", place)
        for name, read in (
            ("kind", self._read_kind),
            ("occurred_at", self._times.read),
            ("recorded_at", self._times.read),
            ("activity_id", _WORD),
        ):
            value = getattr(body, name)
            try:
                if value is not None:
                    read(value)
            except ValueError as error:
                faults.append(Fault(join_pointer(*where, name), str(error)))
        for name, value in (body.properties or {}).items():
            try:
                self._read_properties({name: value})
            except ValueError as error:
                faults.append(Fault(join_pointer(*where, "properties", name), str(error)))
        return faults


def _read_both_times(bodies: Bodies) -> tuple[list[float] | None, list[float] | None]:
    """Return when activities occurred and were recorded; None where it needs a closer look."""
    if not isinstance(bodies[0], ActivityBody):
        occurred_us = _count(bodies)
        return occurred_us, occurred_us
    occurred: list[Any] = [body.occurred_at for body in bodies]
    recorded: list[Any] = [body.recorded_at for body in bodies]  # type: ignore[union-attr]
    occurred_us = read_times(occurred)
    if occurred_us is None or recorded.count(None) == len(recorded):
        return occurred_us, occurred_us
    either = zip(recorded, occurred, strict=True)
    return occurred_us, read_times([e if late is None else late for late, e in either])


def _count(bodies: Bodies) -> list[float] | None:
    """Return when activities occurred, as ``read_times`` does; None also if that is in texts."""
    if not bodies or isinstance(bodies[0], ActivityBody):
        return None
    moments: list[Any] = [body.occurred_at for body in bodies]
    return count_microseconds(moments)


def _write_out(body: ActivityBody | UsualActivity) -> ActivityBody:
    """Return an activity with its time as a text."""
    if isinstance(body, ActivityBody):
        return body
    occurred_at = body.occurred_at.isoformat()
    return ActivityBody(body.kind, occurred_at, None, body.activity_id, body.properties)


def _are_plain(names: Sequence[str | None]) -> bool:
    """Say whether ids are as they are after normalising: all None, or none blank or unusual."""
    try:
        together = "".join(names)  # type: ignore[arg-type]
    except TypeError:  # some have none
        return all(name is None for name in names)
    if not all(names) or "\0" in together or not together.isascii():
        return False
    if len(together) > LONGEST_TEXT and max(map(len, names)) > LONGEST_TEXT:  # type: ignore[arg-type]
        return False
    return together.split(None, 1) == [together]
