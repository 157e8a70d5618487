"""Preparation of the inputs: what is learnt from the training rows, and from no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.prepared_tables import fitted, table_of
from retrograd.data import Column, Preparation, Table, infer_task, read_table, split_rows
from retrograd.errors import DataError


def changed(table: Table, rows: np.ndarray, seed: int = 1) -> Table:
    """The table with other values in ``rows``: far larger numbers, unknown texts, later dates, more gaps."""
    r = np.random.default_rng(seed)
    columns = {}
    for name, column in table.columns.items():
        values = column.values.copy()
        if values.dtype == object:
            values[rows] = [f"new {k}" for k in r.integers(0, 9, len(rows))]
        elif values.dtype.kind == "M":
            values[rows] += np.timedelta64(10_000, "D")
        else:
            values[rows] = np.where(r.random(len(rows)) < 0.3, np.nan, 1e6 * r.normal(size=len(rows)))
        columns[name] = Column(name, values, column.kind, column.reason)
    return Table(columns)


@pytest.mark.row("NET-02")
@pytest.mark.parametrize("target", ["price", "kind"])
def test_statistics_come_from_training_rows_alone(target: str) -> None:
    table = table_of()
    split = split_rows(table, target=target)
    held_out = np.concatenate([split.validation, split.test])
    task = infer_task(table.columns[target])
    before = fitted(table, target, split.train, task).to_json()
    after = fitted(changed(table, held_out), target, split.train, task).to_json()
    assert after == before
    # control: the same change to a tenth of the training rows is noticed
    touched = changed(table, split.train[::10])
    if target == "kind":  # a new class would be refused
        touched = Table({**touched.columns, "kind": table.columns["kind"]})
    assert fitted(touched, target, split.train, task).to_json() != before


@pytest.mark.row("NET-02")
def test_statistics_of_a_real_table_come_from_training_rows_alone(data_dir: Path) -> None:
    table = read_table(data_dir / "california-housing" / "housing.csv")
    split = split_rows(table, target="median_house_value")
    prepared = fitted(table, "median_house_value", split.train)
    again = fitted(changed(table, split.test), "median_house_value", split.train, prepared.task)
    assert again.to_json() == prepared.to_json()
    train, everything = (
        prepared.transform(table.select(rows)).numbers for rows in (split.train, np.arange(table.n_rows))
    )
    k = prepared.number_names.index("housing_median_age")
    assert abs(float(train[:, k].astype(float).mean())) < 1e-6
    assert abs(float(train[:, k].astype(float).std()) - 1) < 1e-6
    # control: over all rows they are not exactly 0 and 1
    assert abs(float(everything[:, k].astype(float).mean())) > 1e-6


@pytest.mark.row("NET-02")
def test_a_missing_feature_is_named_and_order_and_extras_do_not_matter() -> None:
    table = table_of()
    prepared = fitted(table)
    expected = prepared.transform(table)
    turned = Table({"extra": table.columns["size"], **dict(reversed(table.columns.items()))})
    for name in ("numbers", "categories"):
        np.testing.assert_array_equal(getattr(prepared.transform(turned), name), getattr(expected, name))
    with pytest.raises(DataError) as caught:
        prepared.transform(Table({name: c for name, c in table.columns.items() if name != "town"}, "new.csv"))
    assert "column 'town' that the model was trained with is not there" in caught.value.message
    assert caught.value.where == "new.csv"
    renamed = Table({name.upper(): c for name, c in table.columns.items()})
    with pytest.raises(DataError) as told:
        prepared.transform(renamed)
    assert "'size', 'tail', 'age'" in told.value.message
    assert "rename 'SIZE' to 'size', 'TAIL' to 'tail'" in str(told.value.hint)


@pytest.mark.row("NET-02")
def test_a_table_without_names_of_another_width_is_refused() -> None:
    r = np.random.default_rng(0)
    x = r.normal(size=(50, 4))
    prepared = fitted(read_table(x), "c4", np.arange(40))
    assert prepared.transform(read_table(x)).numbers.shape == (50, 3)
    assert prepared.transform(read_table(x[:, :3])).numbers.shape == (50, 3)  # without the target
    with pytest.raises(DataError) as caught:
        prepared.transform(read_table(x[:, :2]))
    assert "'c3'" in caught.value.message


@pytest.mark.row("NET-02")
def test_the_spec_of_the_inputs() -> None:
    table = table_of()
    prepared = fitted(table)
    inputs = prepared.transform(table)
    assert prepared.input_names == ["size", "tail", "age", "garden", "town", "street", "day", "kind"]
    assert prepared.unused == {"row": "counts the rows"}
    assert inputs.numbers.dtype == np.float32
    assert inputs.categories.dtype == np.int64
    assert inputs.numbers.shape == (400, len(prepared.number_names))
    assert inputs.categories.shape == (400, len(prepared.category_names)) == (400, 1)
    assert "age is missing" in prepared.number_names
    assert "town = Ulm" in prepared.number_names
    assert prepared.category_names == ["street"]
    assert (inputs.categories.max(axis=0) < prepared.category_sizes).all()
    assert len(inputs) == 400
    assert np.isfinite(inputs.numbers).all()
    assert np.abs(inputs.numbers).max() <= 5


def test_rows_are_prepared_one_by_one_as_together() -> None:
    table = table_of()
    prepared = fitted(table)
    together = prepared.transform(table)
    for row in (0, 17, 399):
        alone = prepared.transform(table.select(np.array([row])))
        np.testing.assert_array_equal(alone.numbers[0], together.numbers[row])
        np.testing.assert_array_equal(alone.categories[0], together.categories[row])


def test_unseen_missing_and_extreme_cells() -> None:
    table = table_of()
    prepared = fitted(table)
    nothing: dict[str, object] = dict.fromkeys(prepared.input_names)
    extreme = {
        "size": 1e30,
        "tail": -1e300,
        "age": np.inf,
        "garden": True,
        "town": "Rom",
        "street": "?",
        "day": "2999-01-01",
    }
    rows = read_table([nothing, extreme])
    inputs = prepared.transform(rows)
    assert np.isfinite(inputs.numbers).all()
    assert np.abs(inputs.numbers).max() <= 5
    assert inputs.categories.tolist() == [[0], [0]]
    names = prepared.number_names
    assert inputs.numbers[0, names.index("age is missing")] == 1
    assert inputs.numbers[:, [names.index(f"town = {t}") for t in ("Ulm", "Bonn", "Kiel")]].sum() == 0


def test_a_column_of_another_type_is_named_with_its_cell() -> None:
    table = table_of()
    prepared = fitted(table)
    words = read_table({"size": ["large"] * 400}).columns["size"]
    with pytest.raises(DataError) as caught:
        prepared.transform(Table({**table.columns, "size": words}))
    assert "'size' held numbers in training, and holds 'large' in row 1" in caught.value.message
    with pytest.raises(DataError) as told:
        prepared.transform(Table({**table.columns, "day": Column("day", words.values)}))
    assert "'day' held dates in training, and holds 'large'" in told.value.message
    # numbers where there were words are unseen words, and numbers written as text are numbers
    numbers = prepared.transform(Table({**table.columns, "town": table.columns["size"]}))
    assert numbers.numbers[:, prepared.number_names.index("town = Ulm")].sum() == 0
    as_text = Column("size", table.columns["size"].text())
    np.testing.assert_array_equal(
        prepared.transform(Table({**table.columns, "size": as_text})).numbers,
        prepared.transform(table).numbers,
    )


def test_excluded_columns_are_not_used() -> None:
    table = table_of()
    prepared = Preparation.fit(
        table,
        np.arange(300),
        target="price",
        task=infer_task(table.columns["price"]),
        exclude=["town", "size"],
    )
    assert not {"town", "size"} & set(prepared.input_names)
    assert prepared.unused["town"] == "left out, as asked"


def test_columns_without_an_order_in_their_values_are_alike_for_every_order_of_rows() -> None:
    table = table_of()
    rows = np.random.default_rng(3).permutation(table.n_rows)
    assert (
        fitted(table, rows=np.arange(400)).to_json()
        == fitted(table.select(rows), rows=np.argsort(rows)).to_json()
    )


def test_columns_called_otherwise_are_renamed_by_the_hint() -> None:
    table = table_of()
    prepared = fitted(table)
    upper = Table({name.upper(): Column(name.upper(), c.values, c.kind) for name, c in table.columns.items()})
    with pytest.raises(DataError) as caught:
        prepared.transform(upper)
    first = prepared.input_names[0]
    assert f"rename {first.upper()!r} to {first!r}" in str(caught.value.hint)
    with pytest.raises(DataError) as told:
        prepared.transform(Table({k: v for k, v in table.columns.items() if k != first}))
    assert f"{first!r}" in str(told.value.hint) or "did you mean" in str(told.value.hint)
