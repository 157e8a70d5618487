"""The target: scaled and back in its own units, labels and their codes, weights of classes."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import retrograd as rg
from data.prepared_tables import fitted, table_of
from retrograd.data import Column, Preparation, Table, read_table, split_rows
from retrograd.errors import DataError


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
