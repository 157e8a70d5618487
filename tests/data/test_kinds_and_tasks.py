"""What columns mean, which one is predicted, and what kind of prediction that is; also for every real table we have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrograd.data import Column, find_column, infer_task, propose_target, read_table
from retrograd.errors import DataError

r = np.random.default_rng(0)


@pytest.mark.parametrize(
    "name, values, kind",
    [
        ("size", [1.5, 2.5, 3.5], "number"),
        ("rooms", [1, 2, 3, 2], "number"),
        ("town", ["Ulm", "Bonn", "Ulm"], "category"),
        ("waterfront", [0, 1, 0, 0], "boolean"),
        ("smoker", ["yes", "No", "yes"], "boolean"),
        ("sold", [True, False, True], "boolean"),
        ("answer", ["yes", "no", "maybe"], "category"),
        ("town", ["Ulm"] * 5, "constant"),
        ("nothing", [None, None], "constant"),
        ("gap", ["x", None, "x"], "category"),
        ("day", ["2024-01-31", "2024-02-01"], "date"),
        ("date", [20140131, 20140201, 20141231], "date"),
        ("amount", [20140131, 20140201, 20141231], "number"),
        ("date", [20149999, 20140201, 20141231], "number"),
        ("customer_id", [17, 4, 23, 99], "id"),
        ("id", [0, 0, 0, 0, 0, 0, 1, 2, 0, 1] * 3, "number"),
        ("PassengerId", list(range(1, 31)), "id"),
        ("row", list(range(40)), "id"),
        ("width", list(r.permutation(40)), "number"),
        ("zipcode", [98178, 98125, 98178, 98125], "category"),
        ("name", [f"P{i}" for i in range(30)], "id"),
        ("review", [f"it is film number {i} of that sort" for i in range(30)], "text"),
        ("street", [f"Main Street {i % 9}" for i in range(30)], "category"),
    ],
)
def test_kinds(name: str, values: list[object], kind: str) -> None:
    column = read_table({name: values}).columns[name]
    assert column.kind == kind
    assert column.reason


@pytest.mark.parametrize(
    "values, kind, classes",
    [
        ([0, 1, 0, 1], "binary", ["0", "1"]),
        ([1.5, 2.5, 1.5], "binary", ["1.5", "2.5"]),
        (["b", "a", "b", "a"], "binary", ["a", "b"]),
        (["c", "a", "b"] * 5, "multiclass", ["a", "b", "c"]),
        ([0, 1, 2] * 10, "multiclass", ["0", "1", "2"]),
        ([1, 2, 3] * 10, "multiclass", ["1", "2", "3"]),
        ([3, 4, 5, 6] * 10, "regression", None),  # grades: a number with an order, counted from elsewhere
        ([0, 2, 4] * 10, "regression", None),
        ([0, 1, 2], "regression", None),  # too few rows to be classes
        (list(range(30)) * 10, "regression", None),
        ([0.5, 1.5, 2.5] * 10, "regression", None),
        ([True, None, False, True] * 3, "binary", ["false", "true"]),
    ],
)
def test_tasks(values: list[object], kind: str, classes: list[str] | None) -> None:
    task = infer_task(read_table({"y": values, "x": list(range(len(values)))}).columns["y"])
    assert (task.kind, task.classes) == (kind, classes)
    assert task.reason


REAL = {
    # file: (proposed target, task, classes)
    "king-county-houses/kc_house_data.csv": ("price", "regression", 0),
    "california-housing/housing.csv": ("median_house_value", "regression", 0),
    "adult-income/adult-train.csv": ("c15", "binary", 2),
    "wine-quality/winequality-white.csv": ("c12", "regression", 0),
    "wine-quality/winequality-red.csv": ("c12", "regression", 0),
    "breast-cancer-wdbc/wdbc.data": ("c2", "binary", 2),
    "titanic/titanic.csv": ("survived", "binary", 2),
    "abalone/abalone.csv": ("c9", "regression", 0),
    "german-credit/german.csv": ("c21", "binary", 2),
    "heart-disease/processed.cleveland.data": ("c14", "multiclass", 5),
    "penguins/penguins.csv": ("species", "multiclass", 3),
    "movielens-latest-small/ratings.csv": ("rating", "regression", 0),
    "daily-temperatures/daily-min-temperatures.csv": ("Temp", "regression", 0),
    "air-passengers/airline-passengers.csv": ("Passengers", "regression", 0),
}


@pytest.mark.parametrize("file", REAL)
def test_real_tables(data_dir: Path, file: str) -> None:
    target, kind, classes = REAL[file]
    table = read_table(data_dir / file)
    assert table.n_rows > 100
    proposed, reason = propose_target(table)
    assert proposed == target
    assert "--target" in reason
    task = infer_task(table.columns[target])
    assert (task.kind, len(task.classes or [])) == (kind, classes)


def test_the_columns_of_real_tables(data_dir: Path) -> None:
    houses = read_table(data_dir / "king-county-houses/kc_house_data.csv")
    kinds = {name: column.kind for name, column in houses.columns.items()}
    assert houses.n_rows == 21613
    assert {name for name, kind in kinds.items() if kind != "number"} == {
        "id",
        "date",
        "waterfront",
        "zipcode",
    }
    assert [kinds[name] for name in ("id", "date", "waterfront", "zipcode")] == [
        "id",
        "date",
        "boolean",
        "category",
    ]
    titanic = read_table(data_dir / "titanic/titanic.csv")
    assert titanic.columns["age"].n_missing == 177
    assert titanic.columns["name"].kind == "text"
    heart = read_table(data_dir / "heart-disease/processed.cleveland.data")
    assert [heart.columns[name].n_missing for name in ("c12", "c13")] == [4, 2]  # written as ?
    adult = read_table(data_dir / "adult-income/adult-train.csv")
    assert (adult.n_rows, adult.columns["c2"].n_missing, adult.columns["c2"].n_distinct) == (32561, 1836, 8)


@pytest.mark.parametrize(
    "names, target",
    [
        (["price", "size"], "price"),
        (["size", "SalePrice"], "SalePrice"),
        (["Class", "value", "x"], "Class"),
        (["x", "is_churn", "y2"], "is_churn"),
        (["a", "b", "z"], "z"),
    ],
)
def test_a_target_is_proposed_by_name_or_place(names: list[str], target: str) -> None:
    table = read_table({name: r.normal(size=20) for name in names})
    assert propose_target(table)[0] == target


def test_a_nameless_table() -> None:
    fractions = {f"c{i}": r.normal(size=60) for i in range(2, 6)}
    words = {"c1": ["a", "b", "c"] * 20}
    assert propose_target(read_table({**words, **fractions}))[0] == "c1"
    counts = {"c6": r.integers(3, 9, 60)}
    assert propose_target(read_table({**words, **fractions, **counts}))[0] == "c6"
    # where most columns are whole numbers, a whole one at the end says nothing
    whole = {f"c{i}": r.integers(0, 9, 60) for i in range(2, 7)}
    assert propose_target(read_table({**words, **whole}))[0] == "c1"


def test_columns_by_name_and_number() -> None:
    table = read_table({"size": [1.0, 2.0], "price": [2.0, 3.0], "3": [1.0, 2.0]})
    assert [find_column(table, each) for each in ("size", 2, "2", -1, "-3")] == [
        "size",
        "price",
        "price",
        "3",
        "size",
    ]
    assert find_column(table, "3") == "3"  # a name goes before a number
    for wrong, hint in (
        (4, "--target 3"),
        (0, "--target 3"),
        ("Prise", "did you mean 'price'?"),
        ("SIZE", "did you mean 'size'?"),
    ):
        with pytest.raises(DataError) as caught:
            find_column(table, wrong)
        assert caught.value.hint == hint
        assert caught.value.where == "table"


def test_codes_are_in_order_of_first_appearance_and_numbers_in_order_of_size() -> None:
    codes, names = Column("c", np.array(["b", None, "a", "b"], dtype=object)).codes
    assert (codes.tolist(), names) == ([0, -1, 1, 0], ["b", "a"])
    codes, names = Column("c", np.array([2.5, np.nan, 1.0, 2.5])).codes
    assert (codes.tolist(), names) == ([1, -1, 0, 1], ["1", "2.5"])
