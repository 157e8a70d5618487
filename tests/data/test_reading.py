"""One small table in every dialect people export, and the same columns come out."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from retrograd.data import Table, read_table
from retrograd.data.sniff import sniff
from retrograd.errors import DataError, UsageError

ROWS = [
    ("1.5", "Köln", "2024-01-31"),
    ("-20.25", "Ulm", "2024-02-01"),
    ("3000", "Köln", "2023-12-24"),
    ("0.5", "Bad Aibling", ""),
]
NUMBERS = [1.5, -20.25, 3000.0, 0.5]
TOWNS = ["Köln", "Ulm", "Köln", "Bad Aibling"]


def text(
    delimiter: str = ",", end: str = "\n", decimal: str = ".", header: bool = True, missing: str = ""
) -> str:
    lines = [delimiter.join(("size", "town", "day"))] if header else []
    lines += [delimiter.join((a.replace(".", decimal), b, c or missing)) for a, b, c in ROWS]
    return end.join(lines) + end


def columns(table: Table) -> list[list[Any]]:
    return [column.values.tolist() for column in table.columns.values()]


def demand_the_table(table: Table, header: bool = True) -> None:
    assert list(table.columns) == (["size", "town", "day"] if header else ["c1", "c2", "c3"])
    size, town, day = table.columns.values()
    assert size.values.dtype == np.float64
    assert size.values.tolist() == NUMBERS
    assert town.values.tolist() == TOWNS
    assert day.values.dtype == np.dtype("datetime64[s]")
    assert day.values[:2].tolist() == [np.datetime64(d, "s").item() for d in ("2024-01-31", "2024-02-01")]
    assert np.isnat(day.values[3])
    assert day.n_missing == 1
    assert len(table.fingerprint) == 64


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, end: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text(delimiter, end).encode())
    demand_the_table(read_table(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(tmp_path: Path, encoding: str, packed: bool) -> None:
    data = text(";").encode(encoding)
    path = tmp_path / ("table.csv.gz" if packed else "table.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    table = read_table(path)
    demand_the_table(table)
    expected = [] if encoding.startswith("utf-8") else [f"read as {encoding}"]
    assert [note for note in table.notes if note.startswith("read as")] == expected


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"  # packed, but not called .gz
    path.write_bytes(gzip.compress(text().encode()))
    demand_the_table(read_table(path))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_decimal_comma(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text(delimiter, decimal=","), encoding="utf-8")
    table = read_table(path)
    demand_the_table(table)
    assert any("decimal comma" in note for note in table.notes)


@pytest.mark.parametrize(
    "cells, values",
    [
        (["1,234", "12,345.5", "999"], [1234.0, 12345.5, 999.0]),
        (["$1,200", "$950", "$20"], [1200.0, 950.0, 20.0]),
        (["12 %", "7%", "0.5%"], [12.0, 7.0, 0.5]),
        (["1e3", "2.5E-2", "+7"], [1000.0, 0.025, 7.0]),
        (["inf", "-inf", "1"], [math.inf, -math.inf, 1.0]),
    ],
)
def test_notations_of_numbers(tmp_path: Path, cells: list[str], values: list[float]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)), encoding="utf-8")
    assert read_table(path).columns["x"].values.tolist() == values


@pytest.mark.parametrize("missing", ["", "?", " ", "NA", "n/a", "NaN", "null", "None", " ? ", "#N/A"])
def test_what_stands_for_a_missing_value(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"x,town\n1,Ulm\n{missing},Bonn\n3,{missing}\n4,Bonn\n", encoding="utf-8")
    table = read_table(path)
    np.testing.assert_array_equal(table.columns["x"].values, [1, np.nan, 3, 4])
    assert table.columns["town"].values.tolist() == ["Ulm", "Bonn", None, "Bonn"]


def test_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text(header=False), encoding="utf-8")
    table = read_table(path)
    demand_the_table(table, header=False)
    assert any("no header row" in note for note in table.notes)
    assert columns(read_table(path, header=False))[0] == NUMBERS


def test_a_header_is_believed_when_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("2019,2020\n1,2\n3,4\n", encoding="utf-8")
    assert list(read_table(path).columns) == ["c1", "c2"]
    assert list(read_table(path, header=True).columns) == ["2019", "2020"]
    path.write_text("a,b\nc,d\na,b\n", encoding="utf-8")  # words over words
    assert read_table(path, header=True).n_rows == 2
    assert read_table(path, header=False).n_rows == 3


@pytest.mark.parametrize(
    "content, delimiter, names",
    [
        ("5.1 3.5  x\n4.9 3.0  y\n", " ", ["c1", "c2", "c3"]),
        ("sep=;\na;b\n1,5;2\n", ";", ["a", "b"]),
        ("\n\n a , b \n1, 2\n", ",", ["a", "b"]),
        ("a\n1\n2\n", ";", ["a"]),
        ("a\n1,5\n2,25\n", ";", ["a"]),
        ("1,5\n2,25\n", ",", ["c1", "c2"]),
        ('"a,1","b"\n"x, y",2\n"z, w",3\n', ",", ["a,1", "b"]),
        ("time;x\n10:30;1\n11:45;2\n", ";", ["time", "x"]),
        ("a,,c\n1,2,3\n", ",", ["a", "c2", "c"]),
    ],
)
def test_sniffing(content: str, delimiter: str, names: list[str]) -> None:
    found = sniff(content, complete=True)
    assert (found.delimiter, found.names) == (delimiter, names)


def test_a_blank_separated_file_and_one_with_a_spreadsheets_first_line(tmp_path: Path) -> None:
    path = tmp_path / "iris.data"
    path.write_text(" 5.1   3.5 x\n 4.9 3.0     y\n", encoding="utf-8")
    assert columns(read_table(path)) == [[5.1, 4.9], [3.5, 3.0], ["x", "y"]]
    path.write_text("sep=;\na;b\n1,5;2\n2,5;3\n", encoding="utf-8")
    assert columns(read_table(path)) == [[1.5, 2.5], [2.0, 3.0]]


def test_quotes_line_breaks_and_lone_quotation_marks(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('x,note\n1,"a ""b"", c"\n2,"two\nlines"\n3,plain\n', encoding="utf-8")
    assert read_table(path).columns["note"].values.tolist() == ['a "b", c', "two\nlines", "plain"]
    path.write_text('x\tnote\n1\t5" pipe\n2\tplain\n', encoding="utf-8")
    assert read_table(path).columns["note"].values.tolist() == ['5" pipe', "plain"]


def test_codes_with_leading_noughts_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("plz,x\n01067,1\n50667,2\n01067,3\n", encoding="utf-8")
    assert read_table(path).columns["plz"].values.tolist() == ["01067", "50667", "01067"]


@pytest.mark.parametrize(
    "cells",
    [
        ["31.01.2024", "01.02.2024", "24.12.2023"],
        ["01/31/2024", "02/01/2024", "12/24/2023"],
        ["31/01/2024", "01/02/2024", "24/12/2023"],
        ["2024/01/31", "2024/02/01", "2023/12/24"],
        ["31 Jan 2024", "1 Feb 2024", "24 Dec 2023"],
        ["20240131T000000", "20240201T000000", "20231224T000000"],
        ["2024-01-31 00:00:00", "2024-02-01 00:00:00", "2023-12-24 00:00:00"],
        ["20240131", "20240201", "20231224"],
    ],
)
def test_dates_in_many_formats(tmp_path: Path, cells: list[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("day,x\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells)), encoding="utf-8")
    expected = np.array(["2024-01-31", "2024-02-01", "2023-12-24"], dtype="datetime64[s]")
    np.testing.assert_array_equal(read_table(path).columns["day"].values, expected)


def test_stray_text_in_a_column_of_numbers_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    cells = [str(i) for i in range(40)]
    cells[6] = "about 7"
    path.write_text("x,y\n" + "".join(f"{cell},1.5\n" for cell in cells), encoding="utf-8")
    table = read_table(path)
    assert np.isnan(table.columns["x"].values[6])
    assert table.columns["x"].n_missing == 1
    assert any("x: 1 cell is not a number" in note and "'about 7' in row 7" in note for note in table.notes)
    cells[::2] = ["word"] * 20  # half of them: the column is no column of numbers
    path.write_text("x,y\n" + "".join(f"{cell},1.5\n" for cell in cells), encoding="utf-8")
    assert read_table(path).columns["x"].kind == "category"


def test_parquet_and_json_lines_keep_types(tmp_path: Path) -> None:
    import duckdb

    parquet, lines = tmp_path / "table.parquet", tmp_path / "table.jsonl"
    with duckdb.connect() as connection:
        values = ", ".join(f"({a}, '{b}', CAST(nullif('{c}', '') AS DATE))" for a, b, c in ROWS)
        query = f"SELECT CAST(size AS DOUBLE) AS size, town, day FROM (VALUES {values}) AS t(size, town, day)"
        connection.execute(f"COPY ({query}) TO '{parquet}' (FORMAT parquet)")
        relation = connection.sql(query)
        demand_the_table(read_table(relation))
    demand_the_table(read_table(parquet))
    rows = [{"size": float(a), "town": b, "day": c or None} for a, b, c in ROWS]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    demand_the_table(read_table(lines))
    packed = tmp_path / "table.ndjson.gz"
    packed.write_bytes(gzip.compress(lines.read_bytes()))
    demand_the_table(read_table(packed))
    demand_the_table(read_table(rows))
    (tmp_path / "array.json").write_text(json.dumps(rows), encoding="utf-8")
    demand_the_table(read_table(tmp_path / "array.json"))


def test_memory_dict_list_array_frame() -> None:
    days = [np.datetime64(c, "s") if c else np.datetime64("NaT") for _, _, c in ROWS]
    data = {"size": NUMBERS, "town": TOWNS, "day": np.array(days)}
    demand_the_table(read_table(data))
    assert read_table(read_table(data)).fingerprint == read_table(data).fingerprint
    missing = read_table([{"a": 1, "b": True}, {"b": False}])
    np.testing.assert_array_equal(missing.columns["a"].values, [1, np.nan])
    assert missing.columns["b"].kind == "boolean"
    plain = read_table(np.arange(6.0).reshape(3, 2))
    assert columns(plain) == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
    structured = np.array([(1.5, "x"), (2.5, "y")], dtype=[("a", "f8"), ("b", "U1")])
    assert columns(read_table(structured)) == [[1.5, 2.5], ["x", "y"]]
    masked = np.ma.masked_array([1, 2, 3], [False, True, False])
    np.testing.assert_array_equal(read_table({"m": masked}).columns["m"].values, [1, np.nan, 3])


class Series(SimpleNamespace):
    """What pandas and polars columns have in common."""

    def to_numpy(self) -> np.ndarray:
        return np.array(self.values, dtype=object if isinstance(self.values[0], str) else None)

    def to_list(self) -> list[Any]:
        return list(self.values)


class Frame:
    columns = ("size", "town")

    def __getitem__(self, name: str) -> Series:
        return Series(values=NUMBERS if name == "size" else TOWNS)


def test_a_frame_of_any_make() -> None:
    assert columns(read_table(Frame())) == [NUMBERS, TOWNS]


def _pandas() -> Any:
    pandas = pytest.importorskip("pandas")
    days = pandas.to_datetime([c or None for _, _, c in ROWS])
    return pandas.DataFrame({"size": NUMBERS, "town": TOWNS, "day": days}, index=[7, 3, 5, 1])


def _polars() -> Any:
    polars = pytest.importorskip("polars")
    days = polars.Series([c or None for _, _, c in ROWS]).str.to_date()
    return polars.DataFrame({"size": NUMBERS, "town": TOWNS, "day": days})


@pytest.mark.parametrize("make", [_pandas, _polars])
def test_real_frames(make: Callable[[], Any]) -> None:
    demand_the_table(read_table(make()))


def test_pandas_with_gaps_categories_and_own_types() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "i": pandas.array([1, None, 3], dtype="Int64"),
            "b": pandas.array([True, None, False], dtype="boolean"),
            "c": pandas.Categorical(["x", None, "y"]),
            "s": pandas.array(["p", None, "q"], dtype="string"),
        }
    )
    table = read_table(frame)
    np.testing.assert_array_equal(table.columns["i"].values, [1, np.nan, 3])
    assert [table.columns[name].values.tolist() for name in "bcs"] == [
        ["true", None, "false"],
        ["x", None, "y"],
        ["p", None, "q"],
    ]


def test_one_table_many_ways_one_meaning(tmp_path: Path) -> None:
    """Row hashes do not depend on where a table came from, nor on the order of its columns."""
    path = tmp_path / "a.csv"
    path.write_text(text(), encoding="utf-8")
    other = tmp_path / "b.csv"
    other.write_text(text(";", "\r\n", ","), encoding="cp1252")
    hashes = read_table(path).row_hashes()
    np.testing.assert_array_equal(read_table(other).row_hashes(), hashes)
    table = read_table(path)
    turned = Table(dict(reversed(table.columns.items())))
    np.testing.assert_array_equal(turned.row_hashes(), hashes)
    assert read_table(path).fingerprint != read_table(other).fingerprint  # of the files' bytes


def test_what_is_no_table_at_all() -> None:
    for wrong in (3, object(), None):
        with pytest.raises(UsageError) as caught:
            read_table(wrong)
        assert caught.value.hint
    for empty in ({}, []):
        with pytest.raises(DataError) as told:
            read_table(empty)
        assert told.value.hint
