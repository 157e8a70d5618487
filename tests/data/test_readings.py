"""A cell means the same whatever stands beside it, and as it did in training; what it cannot mean is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrograd.data import Preparation, Table, infer_task, read_table
from retrograd.errors import DataError, ModelFileError

N = 60
r = np.random.default_rng(0)


def prepared_from(path: Path, column: str, cells: list[str], delimiter: str = ";") -> Preparation:
    noise = r.normal(size=len(cells))
    lines = [f"{cell}{delimiter}{k % 7}{delimiter}{z:.4f}" for k, (cell, z) in enumerate(zip(cells, noise))]
    path.write_text("\n".join([delimiter.join([column, "z", "y"]), *lines]) + "\n")
    table = read_table(path)
    made = Preparation.fit(table, np.arange(N), target="y", task=infer_task(table.columns["y"]))
    return Preparation.from_json(json.loads(json.dumps(made.to_json())))


def rows(path: Path, column: str, cells: list[str], delimiter: str = ";") -> Table:
    path.write_text("\n".join([f"{column}{delimiter}z", *(f"{cell}{delimiter}1" for cell in cells)]) + "\n")
    return read_table(path)


CASES = {
    "days first": ("day", [f"{1 + k % 28:02d}/{1 + k % 12:02d}/2023" for k in range(N)], "02/11/2023",
                   ["25/11/2023", "11/25/2023", "2023-05-06", "hello"]),
    "months first": ("day", [f"{1 + k % 12:02d}/{1 + k % 28:02d}/2023" for k in range(N)], "02/11/2023",
                     ["25/11/2023", "11/25/2023", "2023-05-06"]),
    "decimal commas": ("size", [f"{1000 + 37.5 * k:.2f}".replace(".", ",") for k in range(N)], "1.234",
                       ["1,5", "2.5", "1.234,5", "abc"]),
    "decimal points": ("size", [f"{37.5 * k:.2f}" for k in range(N)], "12,5", ["1.5", "2,5", "n.v."]),
    "levels with digits": ("code", [("1.0", "2.0", "x")[k % 3] for k in range(N)], "1.0", ["x", "2.0", "3"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_cell_means_the_same_beside_any_others(tmp_path: Path, case: str) -> None:
    column, cells, cell, others = CASES[case]
    prepared = prepared_from(tmp_path / "train.csv", column, cells)
    alone = prepared.transform(rows(tmp_path / "new.csv", column, [cell])).numbers[0]
    for beside in ([other] for other in others):
        for repeat in (1, 30):
            table = rows(tmp_path / "new.csv", column, [cell, *beside * repeat])
            np.testing.assert_array_equal(prepared.transform(table).numbers[0], alone)
    np.testing.assert_array_equal(
        prepared.transform(read_table({column: [cell], "z": [1]})).numbers[0], alone
    )


def test_the_order_of_days_and_months_is_that_of_training(tmp_path: Path) -> None:
    dates = {"02/11/2023": "2023-11-02", "05/06/2023": "2023-06-05"}
    prepared = prepared_from(tmp_path / "train.csv", "day", CASES["days first"][1])
    got = prepared.transform(rows(tmp_path / "new.csv", "day", list(dates))).numbers
    wanted = prepared.transform(rows(tmp_path / "new.csv", "day", list(dates.values()))).numbers
    np.testing.assert_array_equal(got, wanted)


def test_a_stray_cell_is_missing_and_told_with_its_row(tmp_path: Path) -> None:
    prepared = prepared_from(tmp_path / "train.csv", "age", [f"{k}.5" for k in range(N)])
    for cells in (["30.5", "abc", "40.5"], ["30.5", "abc"] + ["31.5"] * 40):
        table = rows(tmp_path / "new.csv", "age", cells)
        empty = rows(tmp_path / "empty.csv", "age", [cell.replace("abc", "") for cell in cells])
        np.testing.assert_array_equal(prepared.transform(table).numbers, prepared.transform(empty).numbers)
        assert prepared.notes(table) == [
            "age: 1 cell is not a number and counted as missing ('abc' in row 2)"
        ]
        assert prepared.notes(empty) == []


def test_the_first_bad_date_is_named_and_no_good_one(tmp_path: Path) -> None:
    prepared = prepared_from(tmp_path / "train.csv", "day", CASES["days first"][1])
    table = rows(tmp_path / "new.csv", "day", ["02/11/2023", "hello", "03/11/2023"])
    assert prepared.notes(table) == ["day: 1 cell is not a date and counted as missing ('hello' in row 2)"]
    with pytest.raises(DataError) as caught:
        prepared.transform(rows(tmp_path / "new.csv", "day", ["hello", "you"]))
    assert "holds 'hello' in row 1" in caught.value.message


def test_values_never_seen_are_counted() -> None:
    table = read_table({"flag": ["yes", "no", "no"] * 20, "y": r.normal(size=60)})
    prepared = Preparation.fit(table, np.arange(60), target="y", task=infer_task(table.columns["y"]))
    new = read_table({"flag": ["yes", "YES", "true", "1", "0", "maybe", "no"]})
    got = prepared.transform(new).numbers
    assert (got[:4] == got[0]).all()
    assert (got[4] == got[6]).all()
    assert not (got[0] == got[6]).any()
    assert not got[5].any()
    assert prepared.notes(new) == ["flag: 1 of 7 values was never seen in training ('maybe')"]
    assert prepared.notes(table) == []


def test_amounts_with_one_marker_are_numbers() -> None:
    amounts = [f"{v:.2f}" for v in r.normal(50, 9, 160)] + ["n.v."] * 40
    table = read_table({"alpha": amounts})
    assert (table.columns["alpha"].kind, table.columns["alpha"].n_missing) == ("number", 40)
    assert "40 cells are not a number and counted as missing" in table.notes[0]
    # control: few numbers beside a word are values of their own
    cards = read_table({"card": [str(2 + k % 9) for k in range(90)] + ["J"] * 10})
    assert cards.columns["card"].kind == "category"


def test_a_reading_that_is_none_is_refused(tmp_path: Path) -> None:
    data = prepared_from(tmp_path / "train.csv", "day", CASES["days first"][1]).to_json()
    data["columns"][0]["reading"] = "%d'); DROP TABLE cells; --"
    with pytest.raises(ModelFileError):
        Preparation.from_json(data)
    del data["columns"][0]["reading"]  # a file of an older version
    assert Preparation.from_json(data).encoders[0].name == "day"


def test_numbers_among_many_words_stay_texts_and_that_is_said() -> None:
    cells = [f"{v:.2f}" for v in r.normal(50, 9, 160)] + [f"about {k}" for k in range(40)]
    table = read_table({"alpha": cells})
    assert table.columns["alpha"].values.dtype == object
    assert table.notes == [
        "alpha: 160 of 200 cells are numbers, the others are not ('about 0' in row 161): all of them are taken as texts"
    ]
