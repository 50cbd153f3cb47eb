"""Times of a request, as the times of a file are read, but quick: a lead may have hundreds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import floordiv, sub
from struct import Struct

import msgspec

from pipeline.values import FIRST_US, LAST_US, TimeSpec, make_time_reader

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
_STAMP = Struct(">xxI")
"""Two bytes that say what comes, four of seconds."""


def read_times(texts: Sequence[str]) -> list[int] | None:
    """Read many times in one go; None if one of them needs the closer look of ``TimeReader.read``.

    Whole seconds from 1970 to 2106 are the shortest timestamps that MessagePack knows; written by
    msgspec and read by struct, they take a third of the time of Python's own arithmetic.

    Returns
    -------
    list of int, or None
        Integer UTC microseconds, in the order given.
    """
    try:
        moments = list(map(datetime.fromisoformat, texts))
        count = len(moments)
        packed = _to_msgpack(moments)
        head = _head_bytes(count)
        if len(packed) == head + count * _STAMP.size:
            return [1_000_000 * second for (second,) in _STAMP.iter_unpack(packed[head:])]
        found = list(map(floordiv, map(sub, moments, repeat(_EPOCH)), repeat(_US)))
    except (ValueError, TypeError, OverflowError):  # the last: before the year 1 or after 9999
        return None
    if found and (min(found) < FIRST_US or max(found) > LAST_US):
        return None
    return found


def _head_bytes(count: int) -> int:
    """Return how long MessagePack's head of a list of so many is."""
    if count < 16:
        return 1
    return 3 if count < 65_536 else 5
