"""What goes wrong in the main job, and how it is told."""

from __future__ import annotations

import pytest

import retrograd as rg
from retrograd.errors import DataError, ModelFileError, UsageError
from retrograd.train import Event, fit
from train.invented_tables import QUICK, houses


@pytest.mark.parametrize(
    "options, words",
    [
        ({"target": "prise"}, "did you mean 'price'"),
        ({"target": 9}, "no column number 9"),
        ({"activation": "rellu"}, "no activation"),
        ({"optimizer": "magic"}, "no optimizer"),
        ({"loss": "cross_entropy"}, "no loss"),
        ({"lr": -1.0}, "learning rate"),
        ({"epochs": 0}, "0 epochs"),
        ({"batch_size": 0}, "batch size"),
        ({"dropout": 1.0}, "dropout"),
        ({"hidden": (0,)}, "hidden layers"),
        ({"time_limit": 0.0}, "time limit"),
        ({"threads": 0}, "0 threads"),
        ({"seed": -1}, "seed"),
        ({"group": "nothing"}, "no column 'nothing'"),
    ],
)
def test_a_wrong_call_gets_a_clear_error_and_no_folder(tmp_path, options, words):
    with pytest.raises((DataError, UsageError), match=words) as error:
        fit(houses(), **{"target": "price", "out": tmp_path / "runs", **options})
    assert error.value.hint
    assert not (tmp_path / "runs").exists()


def test_bad_targets_are_told(tmp_path):
    table = houses()
    with pytest.raises(DataError, match="missing in every row"):
        fit({**table, "price": [None] * 240}, "price", out=tmp_path)
    with pytest.raises(DataError, match="at least 10"):
        fit({name: values[:9] for name, values in table.items()}, "price", out=tmp_path)
    with pytest.raises(DataError):
        fit({**table, "price": [1.0] * 240}, "price", out=tmp_path)
    some = [None, *table["price"][1:]]
    events: list[Event] = []
    fit({**table, "price": some}, "price", out=tmp_path, progress=events.append, **QUICK)
    assert any("left out: 1 row without price" in event.message for event in events)


def test_an_unwritable_folder_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    events: list[Event] = []
    with pytest.raises(UsageError, match="cannot write"):
        fit(houses(), "price", out=tmp_path / "file", progress=events.append)
    assert "start" not in [event.kind for event in events]


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelFileError, match="holds no model"):
        rg.load(tmp_path)
    with pytest.raises(ModelFileError, match="no file"):
        rg.load(tmp_path / "nothing.safetensors")


def test_rates_that_diverge_are_told_with_a_way_out(tmp_path):
    with pytest.raises(DataError, match="training failed") as error:
        fit(houses(), "price", out=tmp_path, hidden=(8,), optimizer="sgd", lr=1e30, epochs=3)
    assert "--lr" in str(error.value)
