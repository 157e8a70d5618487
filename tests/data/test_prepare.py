"""Preparation: what is learnt from the training rows, and from no others; saved, loaded, and refused when damaged."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.data import Column, Preparation, Table, Task, infer_task, read_table, split_rows
from retrograd.errors import DataError, ModelFileError


def table_of(n: int = 400, seed: int = 0) -> Table:
    r = np.random.default_rng(seed)
    gaps = r.random(n) < 0.1
    return read_table(
        {
            "size": r.normal(50, 20, n),
            "tail": r.lognormal(3, 2, n),
            "age": np.where(gaps, np.nan, r.normal(40, 10, n)),
            "garden": r.random(n) < 0.4,
            "town": r.choice(["Ulm", "Bonn", "Kiel"], n),
            "street": [f"s{k}" for k in r.integers(0, 60, n)],
            "day": np.datetime64("2019-01-01", "s") + r.integers(0, 1000, n) * np.timedelta64(86400, "s"),
            "row": np.arange(n),
            "kind": r.choice(["flat", "house", "hut"], n, p=[0.6, 0.38, 0.02]),
            "price": np.round(r.lognormal(12, 0.6, n)),
        }
    )


def fitted(
    table: Table, target: str = "price", rows: np.ndarray | None = None, task: Task | None = None
) -> Preparation:
    rows = split_rows(table, target=target).train if rows is None else rows
    return Preparation.fit(table, rows, target=target, task=task or infer_task(table.columns[target]))


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


# --- the input layer ---------------------------------------------------------------------------------------------------


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


# --- the target ----------------------------------------------------------------------------------------------------------


def test_a_skewed_target_is_learnt_as_a_logarithm_and_comes_back_in_its_own_units() -> None:
    table = table_of()
    prepared = fitted(table)
    assert prepared.scale is not None
    assert prepared.scale.log
    z = prepared.encode_target(table)
    assert z.dtype == np.float32
    np.testing.assert_allclose(prepared.decode_target(z), table.columns["price"].values, rtol=1e-5)
    train = prepared.encode_target(table.select(split_rows(table, target="price").train))
    assert abs(float(train.mean())) < 1e-5
    assert abs(float(train.std()) - 1) < 1e-5
    plain = fitted(table, "size")
    assert plain.scale is not None
    assert not plain.scale.log
    np.testing.assert_allclose(
        plain.decode_target(plain.encode_target(table)), table.columns["size"].values, rtol=1e-4, atol=1e-3
    )


@pytest.mark.row("NET-15")
def test_text_labels_survive_save_and_load() -> None:
    table = table_of()
    prepared = fitted(table, "kind")
    assert prepared.classes == ["flat", "house", "hut"]
    loaded = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    codes = loaded.encode_target(table)
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, prepared.encode_target(table))
    assert loaded.decode_target(codes).tolist() == table.columns["kind"].values.tolist()
    one_hot = np.eye(3)[codes]
    assert loaded.decode_target(one_hot).tolist() == table.columns["kind"].values.tolist()
    # control: other labels with the same codes come back as other labels
    other = copy.deepcopy(prepared.to_json())
    other["task"]["classes"] = ["a", "b", "c"]
    assert set(Preparation.from_json(other).decode_target(codes)) == {"a", "b", "c"}


@pytest.mark.row("NET-15")
@pytest.mark.parametrize(
    "values, classes", [([0, 1, 2], ["0", "1", "2"]), ([True, False, True], ["false", "true"])]
)
def test_numbers_and_truth_values_as_labels(values: list[object], classes: list[str]) -> None:
    table = read_table({"y": values * 20, "x": np.random.default_rng(0).normal(size=60)})
    prepared = fitted(table, "y", np.arange(40))
    loaded = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    assert loaded.classes == classes
    assert loaded.decode_target(loaded.encode_target(table)).tolist() == table.columns["y"].text().tolist()


@pytest.mark.row("NET-15")
def test_integer_and_one_hot_labels_give_the_same_loss_and_gradient() -> None:
    table = table_of()
    prepared = fitted(table, "kind")
    codes = prepared.encode_target(table)
    weights = rg.tensor(prepared.class_weights if prepared.class_weights is not None else np.ones(3))
    results = []
    for target in (rg.tensor(codes), rg.tensor(np.eye(3)[codes]), rg.tensor(np.eye(3)[(codes + 1) % 3])):
        logits = rg.tensor(np.random.default_rng(1).normal(size=(400, 3)), requires_grad=True)
        loss = rg.nn.functional.cross_entropy(logits, target, reduction="sum", weight=weights)
        loss.backward()
        results.append((loss.item(), logits.grad.numpy()))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-12)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-12, atol=1e-12)
    assert abs(results[2][0] - results[0][0]) > 1  # control: labels moved by one are another loss


@pytest.mark.row("NET-15")
def test_an_unseen_label_is_refused_with_its_name() -> None:
    table = table_of()
    loaded = Preparation.from_json(json.loads(json.dumps(fitted(table, "kind").to_json())))
    kinds = table.columns["kind"].values.copy()
    kinds[5] = "castle"
    with pytest.raises(DataError) as caught:
        loaded.encode_target(Table({**table.columns, "kind": Column("kind", kinds)}))
    assert "'castle'" in caught.value.message
    assert "flat, house, hut" in caught.value.message
    kinds[5] = None  # a missing one is none of the classes, and says so
    assert loaded.encode_target(Table({**table.columns, "kind": Column("kind", kinds)}))[5] == -1
    with pytest.raises(DataError) as told:
        loaded.encode_target(Table({"KIND": table.columns["kind"]}))
    assert told.value.hint == "did you mean 'KIND'?"


def test_rare_classes_weigh_more_and_the_mean_weight_is_one() -> None:
    table = table_of(2000)
    train = split_rows(table, target="kind").train
    prepared = fitted(table, "kind", train)
    weights = prepared.class_weights
    assert weights is not None
    counts = np.bincount(prepared.encode_target(table.select(train)))
    assert (np.argsort(weights) == np.argsort(-counts)).all()
    np.testing.assert_allclose(weights @ counts / counts.sum(), 1)
    even = read_table({"y": ["a", "b"] * 50, "x": np.arange(100) * 0.5})
    assert fitted(even, "y", np.arange(80)).class_weights is None


# --- the file ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["price", "kind"])
def test_json_gives_the_same_preparation(target: str) -> None:
    table = table_of()
    prepared = fitted(table, target)
    loaded = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    assert loaded.to_json() == prepared.to_json()
    for name in ("numbers", "categories"):
        np.testing.assert_array_equal(
            getattr(loaded.transform(table), name), getattr(prepared.transform(table), name)
        )
    np.testing.assert_array_equal(loaded.encode_target(table), prepared.encode_target(table))


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(data, dict):
        found += [deeper for key in data for deeper in _paths(data[key], (*path, key))]
    elif isinstance(data, list):
        found += [deeper for i in range(min(len(data), 12)) for deeper in _paths(data[i], (*path, i))]
    return found


_TABLE = table_of(120)
_JSON = {target: fitted(_TABLE, target, np.arange(100)).to_json() for target in ("price", "kind")}
_PATHS = [(target, path) for target, data in _JSON.items() for path in _paths(data)]
hostile = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(max_size=5),
        st.just("number"),
        st.just(-1),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "mean", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=400)
@given(st.sampled_from(_PATHS), st.one_of(hostile, st.just(KeyError)))
def test_a_damaged_or_hostile_file_is_refused_or_harmless(
    place: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    """One value anywhere is replaced or taken away: `ModelFileError`, or a preparation that prepares."""
    target, path = place
    data = copy.deepcopy(_JSON[target])
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    try:
        prepared = Preparation.from_json(data)
    except ModelFileError:
        return
    try:
        inputs = prepared.transform(_TABLE)
    except DataError:  # a column by another name
        return
    assert inputs.numbers.shape == (120, len(prepared.number_names))
    assert np.isfinite(inputs.numbers).all()
    if len(prepared.category_sizes):
        assert (inputs.categories.max(axis=0) < prepared.category_sizes).all()


@pytest.mark.parametrize("wrong", [None, 3, "x", [], {}, {"format": 1}, {"format": 2}, {"format": [1]}])
def test_what_is_no_preparation(wrong: object) -> None:
    with pytest.raises(ModelFileError) as caught:
        Preparation.from_json(wrong)
    assert caught.value.hint


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
