"""One value of one field: what a file or a request holds, and what a signal reads."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.projects import us

from leadscore.pipeline.values.fields import (
    LARGEST_NUMBER,
    LONGEST_TEXT,
    FieldSpec,
    MisfitError,
    make_normaliser,
)
from leadscore.pipeline.values.times import TimeSpec, format_time, make_time_reader

TYPES = ("text", "number", "flag")


def normalise(value, **spec):
    return make_normaliser(FieldSpec(**spec))(value)


def read_time(value, **spec):
    return make_time_reader(TimeSpec(column="at", **spec))(value)


# What is missing


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("blank", [None, "", "   ", "\t\n", "\u00a0", float("nan")])
def test_blank_is_missing_in_every_type(kind, blank):
    assert normalise(blank, type=kind) is None


@pytest.mark.parametrize("kind", TYPES)
def test_declared_words_are_missing_in_every_type_and_nowhere_else(kind):
    assert normalise(" Select ", type=kind, missing=("Select",)) is None
    if kind == "text":
        assert normalise("select", type=kind, missing=("Select",)) == "select"


def test_a_missing_word_is_found_however_its_accent_is_written():
    decomposed, composed = "ningu\u0301n", "ning\u00fan"
    assert normalise(decomposed, missing=(composed,)) is None
    assert normalise(composed, missing=(decomposed,)) is None


@pytest.mark.parametrize("value", ["999", 999, 999.0])
def test_a_number_declared_missing_is_missing_as_text_and_as_number(value):
    """A CSV says '999', Parquet and a request say 999: the same blank."""
    assert normalise(value, type="number", missing=("999",)) is None


def test_a_code_declared_missing_is_missing_as_text_and_as_number():
    assert normalise("0", missing=("0",)) is None
    assert normalise(0, missing=("0",)) is None


# Text


class OtherText(str):
    """A text that is read by the definition: only a plain str takes the short way of ASCII."""


@given(
    st.text(st.characters(codec="ascii"), max_size=12)
    | st.text(max_size=12)
    | st.sampled_from(["Select", " Select\t", "\0", "x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1)]),
    st.sampled_from([(), ("Select",), ("0", " a ")]),
)
def test_the_short_way_for_ascii_is_the_definition(text, missing):
    def read(value):
        try:
            return normalise(value, missing=missing)
        except MisfitError as error:
            return error.misfit

    assert read(text) == read(OtherText(text))


def test_text_is_stripped_and_composed():
    assert normalise("  Espan\u0303a \n") == "Espa\u00f1a"


def test_text_keeps_its_case_its_zeros_and_its_inner_blanks():
    assert normalise("001 De  la Cruz") == "001 De  la Cruz"


def test_a_whole_number_is_text_by_its_digits_but_nothing_else_is():
    assert normalise(42) == "42"
    for value in (True, 4.5, ["a"], {"a": 1}, b"a"):
        with pytest.raises(ValueError, match="text is expected"):
            normalise(value)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x\udfff"])
def test_signs_that_no_file_or_engine_can_hold_are_refused(value):
    with pytest.raises(ValueError, match=r"NUL|surrogate"):
        normalise(value)


def test_the_longest_text_is_taken_and_one_more_character_is_not():
    assert normalise("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    for length in (LONGEST_TEXT + 1, 100_000):
        with pytest.raises(ValueError, match=f"text of {length} characters"):
            normalise("x" * length)


# Numbers


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12", 12.0), (" 12 ", 12.0), ("+3.5", 3.5), ("-3.5", -3.5), (".5", 0.5), ("7.", 7.0),
        ("1e3", 1000.0), ("-2E-3", -0.002), ("0007", 7.0), (5, 5.0), (2.5, 2.5), (0, 0.0),
        ("1e300", 1e300), (1e300, 1e300), (10**300, 1e300),
    ],
)  # fmt: skip
def test_a_number_is_read(value, number):
    found = normalise(value, type="number")
    assert found == number
    assert isinstance(found, float)


@pytest.mark.parametrize(
    "value",
    [
        "inf", "-inf", "Infinity", "nan", "NaN", "1e999", "-1e999", "1e301", 1e301, math.inf,
        -math.inf, 10**400, "1_000", "1,000", "1 000", "1\u00a0000", "1'000", "12,5", "1.234,5",
        "1.2.3", "0x10", "12 %", "€5", "--1", "1e", "e5", ".", "+", "twelve", True, False, [1],
        {"a": 1}, b"5",
    ],
)  # fmt: skip
def test_what_is_no_plain_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="number"):
        normalise(value, type="number")


def test_a_refusal_says_what_was_found():
    with pytest.raises(ValueError, match="'twelve' where a number is expected"):
        normalise("twelve", type="number")


def test_with_a_decimal_comma_a_comma_parts_the_decimals():
    assert normalise("3,5", type="number", decimal=",") == 3.5
    assert normalise("-1200", type="number", decimal=",") == -1200.0
    assert normalise("1,5e2", type="number", decimal=",") == 150.0


@pytest.mark.parametrize("value", ["1.234,5", "1,234,5", "1.234.567"])
def test_with_a_decimal_comma_thousands_separators_are_refused(value):
    with pytest.raises(ValueError, match="number"):
        normalise(value, type="number", decimal=",")


def test_with_a_decimal_comma_a_lone_point_is_refused():
    """'1.234' is 1,234 employees in Spain; reading 1.234 would be silently different."""
    with pytest.raises(ValueError, match="number"):
        normalise("1.234", type="number", decimal=",")


def test_a_decimal_comma_changes_nothing_for_what_is_a_number_already():
    assert normalise(1.5, type="number", decimal=",") == 1.5


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_being_written_and_read(number):
    if abs(number) > LARGEST_NUMBER:
        with pytest.raises(ValueError, match="beyond"):
            normalise(repr(number), type="number")
        return
    assert normalise(repr(number), type="number") == number
    assert normalise(repr(number).replace(".", ","), type="number", decimal=",") == number
    assert normalise(number, type="number") == number


# Flags


@pytest.mark.parametrize("word", ["yes", "YES", " Yes ", "true", "y", "t", "1", "sí", "SI\u0301",
                                  True, 1, 1.0])  # fmt: skip
def test_words_of_a_flag_that_is_set(word):
    assert normalise(word, type="flag") == 1.0


@pytest.mark.parametrize("word", ["no", "NO", "false", "f", "n", "0", False, 0, 0.0])
def test_words_of_a_flag_that_is_not_set(word):
    assert normalise(word, type="flag") == 0.0


@pytest.mark.parametrize("word", ["maybe", "2", 2, 0.5, "1.0", -1, ["yes"], {"yes": 1}])
def test_other_words_are_no_flag(word):
    with pytest.raises(ValueError, match="flag is expected"):
        normalise(word, type="flag")


def test_a_flag_has_the_words_it_is_given_and_only_those():
    words = {"type": "flag", "true": ("Subscribed",), "false": ("Never",)}
    assert normalise("subscribed", **words) == 1.0
    assert normalise("NEVER", **words) == 0.0
    with pytest.raises(ValueError, match="Subscribed, Never"):
        normalise("yes", **words)


def test_words_of_a_flag_may_be_written_as_digits_but_not_as_true():
    spec = FieldSpec(type="flag", true=(2,), false=(1,))
    assert make_normaliser(spec)("2") == 1.0
    assert make_normaliser(spec)(1) == 0.0
    with pytest.raises(ValidationError):
        FieldSpec(type="flag", true=(True,))


@pytest.mark.parametrize("words", [
    {"true": ("Subscribed",), "false": ("Never",)}, {"true": ("0",), "false": ("1",)},
    {"missing": ("1", "True")},
])  # fmt: skip
def test_true_and_false_of_json_and_parquet_are_a_flag_whatever_its_words(words):
    assert normalise(True, type="flag", **words) == 1.0
    assert normalise(False, type="flag", **words) == 0.0


# Whatever JSON holds

json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**290, max_value=10**320)
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(["1e999", "nan", "1_000", "12 ", "\ud800", "yes", "3,5", "a" * 2000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    json_like,
    st.builds(
        FieldSpec,
        type=st.sampled_from(TYPES),
        decimal=st.sampled_from([".", ","]),
        missing=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    ),
)
def test_any_value_is_normalised_or_refused_and_never_breaks(value, spec):
    try:
        found = make_normaliser(spec)(value)
    except ValueError:
        return
    if found is None:
        return
    assert isinstance(found, str) == (spec.type == "text")
    if isinstance(found, str):
        assert found == found.strip() != ""
        assert found.encode()
    else:
        assert isinstance(found, float)
        assert abs(found) <= LARGEST_NUMBER
    if spec.type == "flag":
        assert found in (0.0, 1.0)


@pytest.mark.parametrize("kind", TYPES)
def test_lists_within_lists_are_refused_however_deep(kind):
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ValueError, match="expected"):
        normalise(deep, type=kind)


# Times

NEW_YEAR = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01T00:00:00Z", " 2025-01-01 00:00:00Z ", "2025-01-01T05:30:00+05:30",
        "2024-12-31T19:00:00-05:00", "2025-01-01T00:00:00.000000+00:00",
    ],
)  # fmt: skip
def test_the_same_instant_is_the_same_number(text):
    assert read_time(text) == NEW_YEAR


def test_microseconds_are_kept_and_finer_digits_are_cut():
    assert read_time("2025-01-01T00:00:00.000001Z") == NEW_YEAR + 1
    assert read_time("2025-01-01T00:00:00.000001999Z") == NEW_YEAR + 1


@pytest.mark.parametrize("value", ["2025-01-01T00:00:00", "2025-01-01", datetime(2025, 1, 1)])  # noqa: DTZ001
def test_a_time_without_zone_is_an_error_where_the_column_declares_none(value):
    with pytest.raises(ValueError, match=r"names no time zone; give the column `zone:`"):
        read_time(value)


def test_a_time_without_zone_is_taken_in_the_columns_zone():
    assert read_time("2025-01-01T01:00:00", zone="Europe/Madrid") == NEW_YEAR
    assert read_time("2025-01-01", zone="UTC") == NEW_YEAR
    assert read_time(datetime(2024, 12, 31, 19), zone="America/New_York") == NEW_YEAR  # noqa: DTZ001


def test_a_time_that_names_its_zone_keeps_it():
    assert read_time("2025-01-01T00:00:00Z", zone="Europe/Madrid") == NEW_YEAR


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        # The clocks go forward: the hour before, the hour that is not, the hour after.
        ("America/New_York", "2025-03-09T01:59:59", "2025-03-09T06:59:59Z"),
        ("America/New_York", "2025-03-09T02:30:00", "2025-03-09T07:30:00Z"),
        ("America/New_York", "2025-03-09T03:00:00", "2025-03-09T07:00:00Z"),
        ("Europe/Madrid", "2025-03-30T01:59:59", "2025-03-30T00:59:59Z"),
        ("Europe/Madrid", "2025-03-30T02:30:00", "2025-03-30T01:30:00Z"),
        ("Europe/Madrid", "2025-03-30T03:00:00", "2025-03-30T01:00:00Z"),
        # The clocks go back: of the hour that comes twice, the first is meant.
        ("America/New_York", "2025-11-02T00:59:59", "2025-11-02T04:59:59Z"),
        ("America/New_York", "2025-11-02T01:30:00", "2025-11-02T05:30:00Z"),
        ("America/New_York", "2025-11-02T02:00:00", "2025-11-02T07:00:00Z"),
        ("Europe/Madrid", "2025-10-26T01:59:59", "2025-10-25T23:59:59Z"),
        ("Europe/Madrid", "2025-10-26T02:30:00", "2025-10-26T00:30:00Z"),
        ("Europe/Madrid", "2025-10-26T03:00:00", "2025-10-26T02:00:00Z"),
    ],
)
def test_local_times_around_a_clock_change(zone, local, utc):
    assert read_time(local, zone=zone) == us(utc)
    assert read_time(datetime.fromisoformat(local), zone=zone) == us(utc)


def test_both_passes_of_the_repeated_hour_can_be_told_by_their_offset():
    first = read_time("2025-11-02T01:30:00-04:00", zone="America/New_York")
    second = read_time("2025-11-02T01:30:00-05:00", zone="America/New_York")
    assert second - first == 3_600_000_000


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("epoch_s", "1735689600"), ("epoch_s", 1735689600), ("epoch_ms", "1735689600000"),
        ("epoch_ms", 1735689600000), ("epoch_us", " 1735689600000000 "),
    ],
)  # fmt: skip
def test_epochs_need_no_zone(pattern, value):
    assert read_time(value, format=pattern) == NEW_YEAR


@pytest.mark.parametrize("value", ["1735689600.5", 1.5, "2025-01-01T00:00:00Z", "soon", True])
def test_what_is_no_whole_number_is_no_epoch(value):
    with pytest.raises(ValueError, match="whole number since 1970"):
        read_time(value, format="epoch_s")


def test_an_epoch_has_no_underscores_as_numbers_have_none():
    with pytest.raises(ValueError, match="whole number"):
        read_time("1_735_689_600", format="epoch_s")


def test_patterns_with_and_without_a_zone():
    assert read_time("01/01/2025 01:00", format="%d/%m/%Y %H:%M", zone="Europe/Madrid") == NEW_YEAR
    assert read_time("01/01/2025 02:00 +0200", format="%d/%m/%Y %H:%M %z") == NEW_YEAR
    with pytest.raises(ValueError, match="names no time zone"):
        read_time("01/01/2025 01:00", format="%d/%m/%Y %H:%M")


@pytest.mark.parametrize("value", ["31/02/2025", "2025-02-30T00:00:00Z", "tomorrow", 20, 1.5, True])
def test_what_is_no_time_is_refused_with_what_was_found(value):
    with pytest.raises(ValueError, match=r"where a time is expected \(iso\)"):
        read_time(value)


@pytest.mark.parametrize("blank", [None, "", "  ", float("nan")])
@pytest.mark.parametrize("pattern", ["iso", "epoch_s", "%Y"])
def test_a_blank_time_is_missing(blank, pattern):
    assert read_time(blank, format=pattern) is None


def test_times_before_1970_count_backwards_to_the_microsecond():
    assert read_time("1969-12-31T23:59:59.999999Z") == -1
    assert read_time("1969-12-31T23:59:59Z") == -1_000_000
    assert read_time(-1, format="epoch_s") == -1_000_000
    assert format_time(-1) == "1969-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        ("9999-12-31 23:59:59", {"zone": "America/New_York"}),
        ("9999-12-31T23:59:59-05:00", {}),
        ("0001-01-01T00:00:00+05:00", {}),
        ("9" * 30, {"format": "epoch_s"}),
        (1_735_689_600_000, {"format": "epoch_s"}),  # milliseconds, in truth
    ],
)
def test_a_time_outside_the_calendar_is_refused_like_any_other_value(value, spec):
    """9999-12-31 for 'never' is common; it must be a reject and not a traceback."""
    with pytest.raises(ValueError, match=r"."):
        read_time(value, **spec)


@given(
    st.datetimes(
        datetime(1800, 1, 1),  # noqa: DTZ001
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    )
)
def test_a_time_survives_being_written_and_read(moment):
    moment_us = read_time(moment)
    assert moment_us == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert read_time(format_time(moment_us)) == moment_us
    assert read_time(moment.isoformat()) == moment_us


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "number"),
    [
        (",", ".", "7.593,95", 7593.95),
        (",", ".", "1.234.567", 1234567.0),
        (",", ".", "12,5", 12.5),
        (",", ".", "950", 950.0),
        (".", ",", "-1,234.5", -1234.5),
        (",", " ", "1\u00a0234,5", 1234.5),
        (".", "'", "1'000", 1000.0),
    ],
)  # fmt: skip
def test_thousands_are_parted_by_their_mark(decimal, thousands, text, number):
    spec = FieldSpec(type="number", decimal=decimal, thousands=thousands)
    assert make_normaliser(spec)(text) == number


@pytest.mark.parametrize("text", ["1.23,5", "12.34", "1.2345", ".123", "1,234.5", "1.234."])
def test_groups_of_other_lengths_are_no_thousands(text):
    spec = FieldSpec(type="number", decimal=",", thousands=".")
    with pytest.raises(ValueError, match="where a number is expected"):
        make_normaliser(spec)(text)


def test_a_number_with_other_marks_is_told_which_keys_there_are():
    with pytest.raises(ValueError, match="see `decimal` and `thousands`"):
        make_normaliser(FieldSpec(type="number", decimal=","))("7.593,95")
    with pytest.raises(ValueError, match="`thousands` and `decimal` must differ, both are"):
        FieldSpec(type="number", thousands=".")
