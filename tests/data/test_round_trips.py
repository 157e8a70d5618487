"""What is written comes back: random tables through every kind of file, and random encoders through JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retrograd.data import Table, read_table
from retrograd.data.sniff import is_missing

numbers = st.one_of(
    st.none(), st.floats(-1e12, 1e12, allow_nan=False), st.integers(-(10**9), 10**9).map(float), st.just(0.0)
)
words = st.text(
    st.characters(categories=("L", "P", "Zs"), exclude_characters="\x00"), min_size=1, max_size=12
).map(str.strip)
texts = st.one_of(
    st.none(), words.filter(lambda s: bool(s) and not is_missing(s) and any(c.isalpha() for c in s))
)
tables = st.integers(2, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=3),
        st.lists(st.lists(texts, min_size=n, max_size=n), min_size=0, max_size=2),
    )
)


def found(table: Table) -> dict[str, list[object]]:
    result: dict[str, list[object]] = {}
    for name, column in table.columns.items():
        values = column.values.tolist()
        result[name] = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
    return result


def named(drawn: tuple[list[list[float | None]], list[list[str | None]]]) -> dict[str, list]:
    columns: dict[str, list] = {f"number {i}": values for i, values in enumerate(drawn[0])}
    columns.update({f"text {i}": values for i, values in enumerate(drawn[1])})
    return columns


@settings(max_examples=60)
@given(tables, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv(drawn, delimiter: str, end: str, comma: bool) -> None:
    columns = named(drawn)
    comma = comma and delimiter != ","
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    for row in zip(*columns.values()):
        cells = ["" if value is None else repr(value) if isinstance(value, float) else value for value in row]
        writer.writerow(
            [
                cell.replace(".", ",") if comma and isinstance(v, float) else cell
                for cell, v in zip(cells, row)
            ]
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(out.getvalue().encode())
        table = read_table(path, header=True)
    assert found(table) == columns


@settings(max_examples=40)
@given(tables)
def test_json_lines_dicts_and_lists(drawn) -> None:
    columns = named(drawn)
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    assert found(read_table(columns)) == columns
    assert found(read_table(rows)) == columns
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        assert found(read_table(path)) == columns


@settings(max_examples=40)
@given(tables, st.randoms())
def test_hashes_are_those_of_the_rows(drawn, random) -> None:
    """Equal rows have equal hashes wherever they stand; a changed cell changes its row's hash and no other."""
    columns = named(drawn)
    table = read_table(columns)
    hashes = table.row_hashes()
    order = list(range(table.n_rows))
    random.shuffle(order)
    np.testing.assert_array_equal(table.select(np.array(order)).row_hashes(), hashes[order])
    rows = list(zip(*(map(str, column.values.tolist()) for column in table.columns.values())))
    for i in range(table.n_rows):
        for j in range(i):
            assert (rows[i] == rows[j]) == (hashes[i] == hashes[j])
