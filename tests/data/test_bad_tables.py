"""Bad input, each with an error that says what is wrong, where, and how to mend it; never a traceback of ours."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrograd.data import Preparation, examine, infer_task, propose_target, read_table, split_rows
from retrograd.errors import DataError


def refused(source: object, message: str, hint: str = "", where: str = "", **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(source, **options)  # type: ignore[arg-type]
    error = caught.value
    assert message in error.message, error.message
    assert error.hint
    assert hint in error.hint
    assert where in (error.where or "")
    assert "\n" not in error.message
    return error


def test_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("a,b\n1,2\n")
    refused(tmp_path / "house.csv", "no such file", f"did you mean {tmp_path / 'houses.csv'}?", "house.csv")
    refused(tmp_path / "zzz", "no such file", f"ls {tmp_path}")
    refused(tmp_path / "none" / "a.csv", "no such file")


@pytest.mark.parametrize("content", [b"", b" \n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\r\n \r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_empty(tmp_path: Path, content: bytes, packed: bool) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    refused(path, "the file is empty", "header row", "empty.csv")


@pytest.mark.parametrize("content", ["a,b,c\n", "a;b;c", "size\ttown\r\n\r\n", "\ufeffa,b\n"])
def test_header_only(tmp_path: Path, content: str) -> None:
    path = tmp_path / "header.csv"
    path.write_text(content, encoding="utf-8")
    refused(path, "a header row and no rows", "data", "header.csv")


def test_a_folder_and_files_that_are_no_text(tmp_path: Path) -> None:
    refused(tmp_path, "this is a folder", "ls", str(tmp_path))
    for start, what in (
        (b"PK\x03\x04....", "a zip archive or an Excel workbook"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (bytes(range(256)) * 4, "a binary file"),
    ):
        path = tmp_path / "thing.csv"
        path.write_bytes(start)
        refused(path, f"this is {what}", "CSV", "thing.csv")


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + os.urandom(3000).hex().encode())[:-700])
    refused(path, "damaged", "gzip -t", "a.csv.gz")
    parquet = tmp_path / "a.parquet"
    parquet.write_bytes(b"PAR1 and then nothing")
    refused(parquet, "cannot be read as Parquet", "CSV", "a.parquet")
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"a": 1}\n{"a": \n')
    refused(lines, "cannot be read as JSON lines", "", "a.jsonl")


def test_a_line_with_too_many_or_too_few_cells_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c\n" + "1,2,3\n" * 5 + "1,2,3,4\n" + "1,2,3\n" * 5)
    error = refused(path, "this line has 4 cells, the header has 3", "sed -n 7p", "ragged.csv, line 7")
    assert "','" in error.message
    path.write_text("a,b,c\n" + "1,2,3\n" * 5 + "1,2\n" + "1,2,3\n" * 5)
    refused(path, "this line has 2 cells", "sed -n 7p", "line 7")


def test_the_line_and_its_cells_are_counted_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c,d\n" + "1,2,3,4\n" * 200 + "1,2,3,4,5,6\n7\n")
    refused(path, "this line has 6 cells, the header has 4", "sed -n 202p", "line 202")
    path.write_text("# made by me\n# on monday\n" + "a,b,c\n" + "1,2,3\n" * 20)
    refused(path, "this line has 3 cells", "grep -v '^[#%]'", "line 3")
    path.write_text("alpha c size\n" + "1 2\n" * 20)
    refused(path, "this line has 2 cells, the header has 3", "has a blank in it", "line 2")


def test_a_lone_quotation_mark_that_swallows_lines_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"0.{k},ok,{k}" for k in range(10, 40)]
    rows[3], rows[5] = '0.1,"q&,3', '0.2,"q&,5'
    path.write_text("a,b,y\n" + "\n".join(rows) + "\n")
    table = read_table(path)
    assert table.n_rows == 28
    assert "the first from line 5: a quotation mark is probably missing" in " ".join(table.notes)
    # control: a text of two lines is a text
    path.write_text('a,b,y\n1,"two\nlines",3\n' + "1,x,2\n" * 20)
    assert read_table(path).notes == []


def test_lines_that_end_now_so_now_so_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_bytes(b"a,b\r\n" + b"".join(b"%d,2\r\n\n3,4\n" % k for k in range(40)))
    table = read_table(path)
    assert (table.n_rows, list(table.columns)) == (80, ["a", "b"])


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("a,b,a\n1,2,3\n4,5,6\n")
    refused(path, "two columns are called 'a': number 1 and number 3", "rename", "twice.csv")


def test_data_in_memory_that_is_no_table() -> None:
    refused({"a": [1, 2], "b": [1, 2, 3]}, "different lengths: a 2, b 3", "one value for each row")
    refused({"a": ["x", "y"], "b": ["x"]}, "different lengths", "one value for each row")
    refused({"a": 3}, "'a' holds int", "[{'column': value}]")
    refused({"a": "text"}, "'a' holds str")
    refused({"a": np.zeros((2, 2))}, "'a' has shape (2, 2)", "one dimension")
    refused({"a": np.zeros(2, complex)}, "'a' holds complex128", "numbers")
    refused({}, "no columns")
    refused([], "no rows")


# --- what can be read but not learnt from ------------------------------------------------------------------------------


def target_refused(values: list[object], message: str, hint: str = "--target") -> None:
    column = read_table({"y": values, "x": list(range(len(values)))}).columns["y"]
    with pytest.raises(DataError) as caught:
        infer_task(column)
    assert message in caught.value.message
    assert "'y'" in caught.value.message
    assert hint in (caught.value.hint or "")


def test_targets_that_cannot_be_learnt() -> None:
    target_refused([3.0] * 20, "the same value in every row: 3")
    target_refused(["a"] * 20, "the same value in every row: a")
    target_refused([None] * 20, "missing in every row")
    target_refused([3.0] * 19 + [None], "the same value in every row")
    target_refused(["2024-01-01", "2024-01-02"] * 10, "dates cannot be predicted")
    target_refused([f"this is the text of number {i}" for i in range(30)], "running text")
    target_refused([f"w{i}" for i in range(40)], "too many to be classes")
    target_refused([1.5, 2.5, np.inf, 3.5] * 5, "infinite in 5 rows, the first is row 3", "mend")


def test_nothing_to_predict() -> None:
    with pytest.raises(DataError) as caught:
        propose_target(read_table({"a": [1.0, 1.0], "day": ["2024-01-01", "2024-01-02"]}))
    assert "no column can be predicted" in caught.value.message
    assert caught.value.hint


def test_nothing_to_predict_from() -> None:
    table = read_table({"y": np.arange(30) * 0.7, "one": [1.0] * 30, "row": [f"r{k}" for k in range(30)]})
    with pytest.raises(DataError) as caught:
        Preparation.fit(table, np.arange(20), target="y", task=infer_task(table.columns["y"]))
    assert "no column is left to predict 'y' from" in caught.value.message
    assert "30 different values in 30 rows" in caught.value.message
    # a counter alone is an input: a trend is learnt from it
    table = read_table({"y": np.arange(30) * 0.7, "row": list(range(30))})
    assert table.columns["row"].kind == "id"
    made = Preparation.fit(table, np.arange(20), target="y", task=infer_task(table.columns["y"]))
    assert made.input_names == ["row"]
    assert np.ptp(made.transform(table).numbers) > 2
    # beside others a year is one, too
    years = read_table({"year": list(range(1950, 1990)), "z": np.arange(40) * 0.3})
    assert years.columns["year"].kind == "number"


def test_fifty_thousand_categories_and_infinite_numbers_are_told_and_survived() -> None:
    n = 60_000
    r = np.random.default_rng(0)
    code = [f"k{i}" for i in r.integers(0, 50_000, n)]
    x = r.normal(size=n)
    x[[3, 4]] = [np.inf, -np.inf]
    table = read_table({"code": code, "x": x, "y": r.normal(size=n)})
    assert table.columns["code"].kind == "category"
    task, split = infer_task(table.columns["y"]), split_rows(table, target="y")
    found = {finding.code: finding for finding in examine(table, target="y", task=task, split=split)}
    assert set(found) == {"many_categories", "infinite"}
    assert found["many_categories"].columns == ["code"]
    assert found["infinite"].rows == [3, 4]
    assert "rows 4, 5" in found["infinite"].message
    prepared = Preparation.fit(table, split.train, target="y", task=task)
    inputs = prepared.transform(table)
    assert np.isfinite(inputs.numbers).all()
    assert inputs.categories.max() < prepared.category_sizes[0] <= 1001


def read_bytes(content: bytes) -> None:
    """A table of at least one row, or a `DataError` with a hint; anything else fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            rows = read_table(path).n_rows
        except DataError as error:
            rows = 1 if error.hint else 0
        assert rows >= 1


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_data_error(content: bytes) -> None:
    read_bytes(content)


@settings(max_examples=50)
@given(st.text(st.sampled_from('ab1,;.\t\n\r" -?e\ufeffé|='), max_size=60))
def test_any_text_is_a_table_or_a_data_error(content: str) -> None:
    read_bytes(content.encode())
