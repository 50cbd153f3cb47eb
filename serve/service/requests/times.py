"""Times of a request, as the times of a file are read, but quick: a lead may have hundreds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import repeat
from operator import floordiv, sub
from struct import Struct

import msgspec

from leadscore.pipeline.signals.live.activities import EXACT
from leadscore.pipeline.values.times import FIRST_US, LAST_US, TimeSpec, make_time_reader

_MINUTE_US = 60_000_000
_LONGEST = 64
_MOST_DAYS = 40_000
_MINUTES = {f"T{m // 60:02}:{m % 60:02}": m * _MINUTE_US for m in range(24 * 60)}
_SECONDS = {f":{second:02}": second * 1_000_000 for second in range(60)}
_FRACTIONS = {"Z": 0, ".000Z": 0, "+00:00": 0}
_FRACTIONS |= {f".{ms:03}Z": 1_000 * ms for ms in range(1_000)}
_UTC = ("Z", "+00:00")


class TimeReader:
    """Read ISO 8601 times that name their zone as integer UTC microseconds.

    The reader of files is the definition; a day that it has read once is remembered, and so are
    the usual forms of what follows the day, so that most times cost four lookups.
    """

    def __init__(self) -> None:
        self._define = make_time_reader(TimeSpec(column="time"))
        self._days: dict[str, int] = {}

    def read(self, text: str) -> int:
        """Return a time in integer UTC microseconds.

        Raises
        ------
        ValueError
            If it is no time, or names no zone; the message does not quote it.
        """
        try:
            whole = self._days[text[:10]] + _MINUTES[text[10:16]] + _SECONDS[text[16:19]]
            rest = text[19:]
            return whole if rest == "Z" else whole + _read_fraction(rest)
        except KeyError:
            return self._read_anew(text)

    def _read_anew(self, text: str) -> int:
        if len(text) > _LONGEST:
            raise ValueError("no time: write it as 2026-01-31T09:30:00Z")
        try:
            moment_us = self._define(text.upper())
        except ValueError as error:
            if "names no time zone" in str(error):
                raise ValueError(
                    "a time without a zone: end it with Z or an offset, +01:00 say"
                ) from None
            raise ValueError("no time: write it as 2026-01-31T09:30:00Z") from None
        if moment_us is None:
            raise ValueError("no time: write it as 2026-01-31T09:30:00Z, or null")
        day = text[:10]
        if text[10:11] == "T" and day not in self._days and len(self._days) < _MOST_DAYS:
            self._days[day] = self._define(f"{day}T00:00:00Z") or 0
        return moment_us


def _read_fraction(text: str) -> int:
    """Return what stands behind the seconds in microseconds; KeyError where that is unusual."""
    found = _FRACTIONS.get(text)
    if found is not None:
        return found
    digits = text[1:7]
    if text[0:1] != "." or text[7:] not in _UTC or not (digits.isascii() and digits.isdigit()):
        raise KeyError(text)
    return int(digits)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_to_msgpack = msgspec.msgpack.Encoder().encode
_WHOLE = Struct(">xxI")
"""A whole second from 1970 to 2106: two bytes that say so, four of seconds."""
_FEW = 500
"""So many are unpacked in one go; what unpacks them is kept for each number, so not any number."""
_FINE = Struct(">xxQ")
"""Any other microsecond from 1970 to 2514: 30 bits of nanoseconds, 34 of seconds."""
_FINE_HEAD = b"\xd7"
_SECOND = 2**34 - 1


def read_times(texts: Sequence[str]) -> list[float] | None:
    """Read many times in one go; None if one of them needs the closer look of ``TimeReader.read``.

    Returns
    -------
    list of float, or None
        See ``count_microseconds``.
    """
    try:
        return count_microseconds(list(map(datetime.fromisoformat, texts)))
    except ValueError:
        return None


def count_microseconds(moments: Sequence[datetime]) -> list[float] | None:
    """Return moments in UTC microseconds; None if one needs the closer look at its text.

    MessagePack has the seconds of a timestamp in one place; written by msgspec and read by struct,
    they take a third of the time of Python's own arithmetic, which is the definition.

    Returns
    -------
    list of float, or None
        Whole numbers, in the order given: floats if all are from 1970 to ``EXACT``, else integers.
    """
    if not moments:
        return []
    try:
        found = _unpack(moments)
        if found is not None:
            return found
        counted = list(map(floordiv, map(sub, moments, repeat(_EPOCH)), repeat(_US)))
    except (TypeError, OverflowError):  # no zone; before the year 1 or after 9999
        return None
    return counted if FIRST_US <= min(counted) and max(counted) <= LAST_US else None


def _unpack(moments: Sequence[datetime]) -> list[float] | None:
    count = len(moments)
    packed = _to_msgpack(moments)
    head = _head_bytes(count)
    size = len(packed) - head
    if size == _WHOLE.size * count:  # there is nothing shorter; and all lie before EXACT
        if count <= _FEW:
            return [1e6 * second for second in _whole(count).unpack_from(packed, head)]
        return [1e6 * second for (second,) in _WHOLE.iter_unpack(packed[head:])]
    if size < _FINE.size * count:
        return _unpack_mixed(moments)
    if size > _FINE.size * count or packed[head :: _FINE.size] != _FINE_HEAD * count:
        return None
    stamps = _FINE.iter_unpack(packed[head:])
    found = [1e6 * (stamp & _SECOND) + (stamp >> 34) / 1e3 for (stamp,) in stamps]
    return found if max(found) <= EXACT else None


@cache
def _whole(count: int) -> Struct:
    return Struct(">" + "xxI" * count)


def _unpack_mixed(moments: Sequence[datetime]) -> list[float] | None:
    """Unpack whole seconds among others, by making them others for the time being."""
    later = [0 if moment.microsecond else 1 for moment in moments]
    found = _unpack([m + _US if more else m for m, more in zip(moments, later, strict=True)])
    return found and [at_us - more for at_us, more in zip(found, later, strict=True)]


def _head_bytes(count: int) -> int:
    """Return how long MessagePack's head of a list of so many is."""
    if count < 16:
        return 1
    return 3 if count < 65_536 else 5
