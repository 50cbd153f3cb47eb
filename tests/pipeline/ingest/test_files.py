"""Tables as they stand in their files: every cell, with its line; or one clear error."""

import csv
import gzip
import lzma
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.pipeline.errors import DataError
from leadscore.pipeline.ingest.files import LONGEST_CELL, is_parquet, read_header, read_table


def write(tmp_path, content, name="leads.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(path, columns=("id", "name"), delimiter=",", encoding="utf-8", rows=50_000):
    """Return rows, their lines, their numbers and the rejects (line, reason) of a whole table."""
    chunks = list(read_table(path, list(columns), delimiter, encoding, rows))
    cells = [tuple(row.values()) for chunk in chunks for row in chunk.table.to_pylist()]
    lines = [line for chunk in chunks for line in chunk.lines]
    numbers = [number for chunk in chunks for number in chunk.numbers]
    rejects = [(r.line, r.full_reason) for chunk in chunks for r in chunk.rejects]
    return cells, lines, numbers, rejects


def refuse(path, *said, **how):
    """Expect a DataError that names the file and says all of `said`."""
    with pytest.raises(DataError) as caught:
        read(path, **how)
    message = str(caught.value)
    assert str(path) in message
    for words in said:
        assert words in message
    assert "\n" not in message


# Cells as they stand


def test_cells_of_a_csv_stay_text_with_zeros_blanks_and_all(tmp_path):
    path = write(tmp_path, "id,name\n001, Ana \n1,\n01,1e3\n")
    cells, lines, numbers, rejects = read(path)
    assert cells == [("001", " Ana "), ("1", ""), ("01", "1e3")]
    assert lines == [2, 3, 4]
    assert numbers == [1, 2, 3]
    assert rejects == []


def test_texts_such_as_inf_and_nan_and_null_stay_what_they_are(tmp_path):
    path = write(tmp_path, "id,name\ninf,NaN\nNULL,NA\nTrue,-\n")
    assert read(path)[0] == [("inf", "NaN"), ("NULL", "NA"), ("True", "-")]


def test_columns_come_as_asked_for_whatever_their_order_in_the_file(tmp_path):
    path = write(tmp_path, "a,id,b,name\n1,2,3,4\n")
    assert read(path, ["name", "id"])[0] == [("4", "2")]


def test_a_line_is_the_files_line_even_after_cells_of_several_lines(tmp_path):
    path = write(tmp_path, 'id,name\n1,"Ana\nMaría\nLuz"\n2,Bo\n\n3,Cy\n')
    cells, lines, numbers, _ = read(path)
    assert cells == [("1", "Ana\nMaría\nLuz"), ("2", "Bo"), ("3", "Cy")]
    assert lines == [2, 5, 7]
    assert numbers == [1, 2, 3]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=8)] * 3)),
    st.sampled_from(",;\t|"),
    st.integers(1, 5),
)
def test_whatever_a_csv_writer_wrote_is_read_back_cell_for_cell(rows, delimiter, chunk):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerow(["id", "name", "more"])
            writer.writerows(rows)
        cells, _, numbers, rejects = read(path, ["id", "name", "more"], delimiter, rows=chunk)
    assert cells == rows
    assert numbers == list(range(1, len(rows) + 1))
    assert rejects == []


def test_the_size_of_chunks_changes_nothing_but_the_chunks(tmp_path):
    path = write(tmp_path, "id,name\n" + "".join(f"{i},x\n" for i in range(7)) + "8\n9,y\n")
    assert [len(c.lines) for c in read_table(path, ["id"], ",", "utf-8", 3)] == [3, 3, 2]
    assert read(path, rows=3) == read(path, rows=1) == read(path)


# The header


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbfid,name\n1,Ana\n")
    assert read_header(path, ",", "utf-8") == ["id", "name"]
    assert read(path, encoding="UTF8")[0] == [("1", "Ana")]


@pytest.mark.parametrize("name", ["leads.csv", "leads.parquet"])
def test_blanks_around_a_name_of_the_header_do_not_matter(tmp_path, name):
    path = tmp_path / name
    if is_parquet(path):
        pq.write_table(pa.table({" id ": ["1"], "name\t": ["Ana"]}), path)
    else:
        write(tmp_path, " id ,name\t\n1,Ana\n")
    assert read_header(path, ",", "utf-8") == ["id", "name"]
    assert read(path)[0] == [("1", "Ana")]


def test_a_name_that_stands_twice_is_an_error(tmp_path):
    refuse(write(tmp_path, "id,name,id\n1,a,2\n"), "'id' more than once", "rename")
    refuse(write(tmp_path, "id,name,id \n1,a,2\n"), "'id' more than once")
    table = pa.Table.from_arrays([pa.array(["1"])] * 3, names=["id", "name", "id"])
    path = tmp_path / "leads.parquet"
    pq.write_table(table, path)
    refuse(path, "'id' more than once")


def test_an_empty_name_is_an_error_with_its_place(tmp_path):
    refuse(write(tmp_path, "id,,name\n1,2,3\n"), "column 2 of the header has no name")
    refuse(write(tmp_path, "id,name, \n1,2,3\n"), "column 3 of the header has no name")


def test_an_absent_column_is_an_error_that_says_what_there_is(tmp_path):
    path = write(tmp_path, "id,nombre\n1,Ana\n")
    refuse(path, "no column 'name'", "found id, nombre")


@pytest.mark.parametrize("other", [";", "\t", "|"])
def test_another_delimiter_is_guessed_for_the_message_only(tmp_path, other):
    path = write(tmp_path, f"id{other}name\n1{other}Ana\n")
    refuse(path, f"is the delimiter {other!r}?", "leads.delimiter")
    assert read(path, delimiter=other)[0] == [("1", "Ana")]


# Rows that do not fit


def test_ragged_rows_are_rejected_each_with_its_line_and_the_rest_is_kept(tmp_path):
    path = write(tmp_path, 'id,name\n1,Ana\n2\n3,"Bo\nb",x\n4,Cy\n,\n')
    cells, lines, numbers, rejects = read(path)
    assert cells == [("1", "Ana"), ("4", "Cy"), ("", "")]
    assert lines == [2, 6, 7]
    assert numbers == [1, 4, 5]
    assert rejects == [
        (3, "1 cells where the header has 2"),
        (4, "3 cells where the header has 2"),
    ]


def test_an_unclosed_quote_is_an_error_with_the_line_where_it_opens(tmp_path):
    path = write(tmp_path, 'id,name\n1,Ana\n2,"Bo\n3,Cy\n4,Di\n')
    refuse(path, "line 3", "is a quote never closed?")


def test_a_quote_closed_in_a_later_row_is_an_error_and_no_long_cell(tmp_path):
    path = write(tmp_path, 'id,name\n1,"Ana\n2,"Bo"\n3,Cy\n')
    refuse(path, "line 2", "quote")


def test_a_cell_of_ten_megabytes_is_an_error_with_its_line(tmp_path):
    path = write(tmp_path, "id,name\n1,Ana\n2," + "x" * 10_000_000 + "\n")
    refuse(path, "line 3", "field larger than field limit")


def test_the_longest_cell_is_read(tmp_path):
    path = write(tmp_path, "id,name\n1," + "x" * LONGEST_CELL + "\n")
    assert len(read(path)[0][0][1]) == LONGEST_CELL


# The file as a whole


def test_a_file_that_is_not_there_is_an_error_that_says_where_it_is_named(tmp_path):
    refuse(tmp_path / "leads.csv", "no such file", "data.yaml")
    refuse(tmp_path / "leads.parquet", "no such file", "data.yaml")


def test_an_empty_file_is_an_error(tmp_path):
    refuse(write(tmp_path, b""), "empty", "a header line is needed")


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    assert read(write(tmp_path, "id,name\n")) == ([], [], [], [])


def test_other_encodings_are_read_as_stated(tmp_path):
    text = "id,name\n1,Peña\n2,Núñez\n"
    for encoding in ("latin-1", "utf-16", "utf-16-le", "cp1252", "utf-8"):
        path = write(tmp_path, text, encoding=encoding)
        assert read(path, encoding=encoding)[0] == [("1", "Peña"), ("2", "Núñez")]


@pytest.mark.parametrize("actual", ["latin-1", "utf-16"])
def test_another_encoding_than_stated_is_an_error_and_no_other_text(tmp_path, actual):
    path = write(tmp_path, "id,name\n1,Peña\n", encoding=actual)
    refuse(path, "not the stated encoding", "leads.encoding")


def test_an_encoding_that_does_not_exist_is_an_error(tmp_path):
    refuse(write(tmp_path, "id,name\n"), "cannot be opened", "klingon", encoding="klingon")


def test_compressed_files_are_read_by_their_ending(tmp_path):
    content = "id,name\n001,Peña\n".encode()
    for name, pressed in (
        ("a.csv.gz", gzip.compress(content)),
        ("a.csv.xz", lzma.compress(content)),
    ):
        assert read(write(tmp_path, pressed, name))[0] == [("001", "Peña")]


ROWS = "id,name\n" + "".join(f"{i},{i * 7919 % 1013}\n" for i in range(20_000))


@pytest.mark.parametrize(("ending", "press"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_a_truncated_compressed_file_is_an_error_and_no_shorter_table(tmp_path, ending, press):
    pressed = press(ROWS.encode())
    for kept in (5, len(pressed) // 2, len(pressed) - 4):
        refuse(write(tmp_path, pressed[:kept], f"leads.csv.{ending}"), "cannot be read on")


@pytest.mark.parametrize(("ending", "press"), [("gz", gzip.compress), ("xz", lzma.compress)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.5, 0.9])
def test_a_flipped_byte_in_a_compressed_file_is_an_error(tmp_path, ending, press, share):
    pressed = bytearray(press(ROWS.encode()))
    pressed[int(share * len(pressed))] ^= 0xFF
    path = write(tmp_path, bytes(pressed), f"leads.csv.{ending}")
    with pytest.raises(DataError, match=r"leads\.csv"):
        read(path)


def test_a_csv_that_calls_itself_gz_is_an_error(tmp_path):
    refuse(write(tmp_path, "id,name\n1,Ana\n", "leads.csv.gz"), "cannot be read on")


# Parquet


def write_parquet(tmp_path, columns, name="leads.parquet", **how):
    path = tmp_path / name
    pq.write_table(pa.table(columns), path, **how)
    return path


def test_parquet_keeps_types_columns_and_numbers_its_rows(tmp_path):
    path = write_parquet(
        tmp_path, {"b": [1.5, None, 2.0], "id": ["001", "1", "01"], "a": [1, 2, 3]}
    )
    cells, lines, numbers, rejects = read(path, ["id", "b"], rows=2)
    assert cells == [("001", 1.5), ("1", None), ("01", 2.0)]
    assert lines == numbers == [1, 2, 3]
    assert rejects == []


def test_parquet_without_rows_is_a_table_without_rows(tmp_path):
    path = write_parquet(
        tmp_path, {"id": pa.array([], pa.string()), "name": pa.array([], pa.int8())}
    )
    (chunk,) = read_table(path, ["name", "id"], ",", "utf-8")
    assert chunk.table.column_names == ["name", "id"]
    assert len(chunk.table) == 0
    empty = tmp_path / "no_groups.parquet"
    pq.ParquetWriter(empty, pa.schema({"id": pa.string(), "name": pa.string()})).close()
    assert read(empty) == ([], [], [], [])


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([["a"]]), "list"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), "map"),
        (pa.array([b"a"]), "binary"),
        (pa.array([b"a"], pa.large_binary()), "large_binary"),
        (pa.array([b"a"], pa.binary(1)), "fixed_size_binary"),
    ],
)
def test_a_nested_or_binary_column_is_an_error_with_its_name_and_type(tmp_path, column, kind):
    path = write_parquet(tmp_path, {"id": ["1"], "name": column})
    refuse(path, "column 'name'", f"of type {kind}")
    assert read(path, ["id"])[0] == [("1",)]  # and none of our business where it is not asked for


def test_a_damaged_parquet_file_is_an_error(tmp_path):
    columns = {"id": [str(i) for i in range(5_000)], "name": [str(i % 7) for i in range(5_000)]}
    whole = write_parquet(tmp_path, columns, compression="gzip").read_bytes()
    for content in (b"", whole[:10], whole[: len(whole) // 2], whole[:-1], b"id,name\n1,Ana\n"):
        refuse(write(tmp_path, content, "leads.parquet"), "not a Parquet file")
    holed = whole[:500] + b"\xff" * 200 + whole[700:]
    refuse(write(tmp_path, holed, "leads.parquet"), "cannot be read on")
