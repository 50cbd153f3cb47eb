"""Times that are read together are the times that the reader of files reads."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.pipeline.signals.live.activities import EXACT
from leadscore.pipeline.values.times import TimeSpec, make_time_reader
from leadscore.serve.service.requests.times import count_microseconds, read_times

DEFINE = make_time_reader(TimeSpec(column="time"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def outcome(read, text):
    try:
        return read(text)
    except ValueError as error:
        return str(error)


digits = st.text("0123456789", max_size=12)
parts = st.tuples(
    st.sampled_from(["0001", "0000", "1582", "1969", "1970", "2026", "2106", "2514", "9999", "26"]),
    st.sampled_from(["-01-01", "-02-29", "-12-31", "-13-01", "0131", "-W05-6", "-001"]),
    st.sampled_from(["T", "t", " ", "_", ""]),
    st.sampled_from(["00:00:00", "23:59:59", "09:30", "0930", "09:30:60", "24:00:00", "06:28:16"]),
    st.one_of(
        st.just(""), digits.map(".{}".format), digits.map(",{}".format),
        st.sampled_from([".999999", ".9999995", ".1234565", ".0000005", ".000"]),
    ),
    st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:30", "-14:00", "+14:00", "+0530", "+05",
                     "+23:59", "+24:00", "+05:30:15", "", " Z", "Z "]),
)  # fmt: skip
texts = st.one_of(
    parts.map("".join), st.text(max_size=30),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(minutes=-330))])).map(
        datetime.isoformat
    ),
)  # fmt: skip


@given(st.lists(texts, min_size=1, max_size=3))
def test_times_read_together_are_those_of_a_file(given_texts):
    together = read_times(given_texts)
    assert together is None or together == [outcome(DEFINE, text) for text in given_texts]


@pytest.mark.parametrize("text", ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123Z",
                                  "2026-01-31 09:30:00.123456+05:30", "2026-01-31T09:30:00.0005Z",
                                  "2026-01-31T09:30:00.1234567Z"])  # fmt: skip
def test_usual_times_are_read_together_and_as_floats(text):
    for texts in ([text], [text] * 20, [text, "2026-01-31T09:30:00Z"] * 10):
        found = read_times(texts)
        assert found == [DEFINE(text) for text in texts]
        assert {type(at_us) for at_us in found} == {float}


offsets = st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.one_of(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets),  # noqa: DTZ001
    st.datetimes(datetime(1969, 12, 31), datetime(2107, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
rounded = st.tuples(moments, st.sampled_from([1, 1_000, 1_000_000])).map(
    lambda t: t[0].replace(microsecond=t[0].microsecond // t[1] * t[1] % 1_000_000)
)


@given(st.lists(rounded, max_size=20))
def test_moments_are_counted_as_python_counts_them(listed):
    found = count_microseconds(listed)
    assert found == [(moment - EPOCH) // timedelta(microseconds=1) for moment in listed]
    assert all(type(at_us) is int or 0.0 <= at_us <= EXACT for at_us in found)
    assert len({type(at_us) for at_us in found}) <= 1


EDGES = [EPOCH, EPOCH - timedelta(microseconds=1), EPOCH + timedelta(seconds=2**32 - 1),
         EPOCH + timedelta(seconds=2**32), EPOCH + timedelta(microseconds=EXACT - 1),
         EPOCH + timedelta(microseconds=EXACT + 1), EPOCH + timedelta(seconds=2**34 - 1),
         EPOCH + timedelta(seconds=2**34)]  # fmt: skip


@pytest.mark.parametrize("count", [1, 15, 16, 17, 65_535, 65_536])
def test_moments_on_every_edge_are_counted_alike_however_many_they_are(count):
    for edge in EDGES:
        for fraction in (0, 1, 500_000) if count < 100 else (0,):
            moment = edge + timedelta(microseconds=fraction)
            expected = (moment - EPOCH) // timedelta(microseconds=1)
            assert count_microseconds([moment] * count) == [expected] * count
            whole = count_microseconds([EPOCH] * (count - 1) + [moment])
            assert whole == [0] * (count - 1) + [expected]


def test_a_moment_without_a_zone_is_not_counted():
    naive = datetime(2026, 1, 31)  # noqa: DTZ001
    assert count_microseconds([naive]) is None
    assert count_microseconds([EPOCH] * 5 + [naive]) is None
