"""Times of a request are the times that the reader of files reads."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.pipeline.values.times import TimeSpec, make_time_reader
from leadscore.serve.service.requests.reader import read_time, read_times

read_file_time = make_time_reader(TimeSpec(column="time"))
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
offsets = st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.one_of(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets),  # noqa: DTZ001
    st.datetimes(datetime(1969, 12, 31), datetime(2107, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
whole_seconds = moments.map(lambda moment: moment.replace(microsecond=0))
texts = st.one_of(
    parts.map("".join), st.text(max_size=30), moments.map(datetime.isoformat),
    whole_seconds.map(datetime.isoformat),
)  # fmt: skip
EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
         "2106-02-07T06:28:16Z", "2106-02-07T06:28:15Z", "2026-01-01T00:00:00+05:30:15",
         "2026-01-01T00:00:00.000001Z"]  # fmt: skip


def find(read, *arguments):
    """Return what is read, or None if it is refused."""
    try:
        return read(*arguments)
    except ValueError:
        return None


@given(texts)
def test_a_time_is_that_of_a_file(text):
    assert find(read_time, text) == find(lambda t: read_file_time(t.upper()), text)


@given(st.lists(texts, max_size=3), st.booleans())
def test_many_times_are_those_read_one_by_one(listed, good_only):
    if good_only:
        listed = [text for text in listed if find(read_time, text) is not None]
    one_by_one = [find(read_time, text) for text in listed]
    assert find(read_times, listed) == (None if None in one_by_one else one_by_one)


@given(st.lists(whole_seconds.map(datetime.isoformat), max_size=20))
def test_whole_seconds_are_those_read_one_by_one(listed):
    assert read_times(listed) == list(map(read_time, listed))


@pytest.mark.parametrize("text", EDGES)
@pytest.mark.parametrize("count", [1, 2, 15, 16, 65_535, 65_536])
def test_edges_are_read_alike_however_many_they_are(text, count):
    expected = find(read_time, text)
    others = ["2026-01-31T09:30:00Z"] * (count - 1)
    for listed in ([text] * count, [*others, text], [text, *others]):
        found = find(read_times, listed)
        assert found == (None if expected is None else list(map(read_time, listed)))


@pytest.mark.parametrize(
    "text", ["2026-01-31T09:30:00", "yesterday", "2026-13-31T09:30:00Z", "9" * 100, " "]
)
def test_a_time_is_refused_without_being_quoted(text):
    for read in (read_time, lambda one: read_times([one])):
        with pytest.raises(ValueError, match="time") as error:
            read(text)
        assert text == " " or text not in str(error.value)
