"""House prices: a small net with three inputs on real sales, valued in dollars (King County, split by house)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.data import read_table

INPUTS = ("sqft_living", "bedrooms", "zipcode")
HOUSE = {"sqft_living": 1800, "bedrooms": 3, "zipcode": "98103"}


@pytest.fixture(scope="module")
def sales(data_dir: Path) -> dict[str, np.ndarray]:
    """Size, bedrooms, location, price and the id of the house, for every sale."""
    table = read_table(data_dir / "king-county-houses" / "kc_house_data.csv")
    return {name: table.columns[name].values for name in (*INPUTS, "id", "price")}


def train(sales: dict[str, np.ndarray], out: Path, **options: float) -> rg.train.Run:
    """One hidden layer on the three inputs; sales of one house stay on one side of the split."""
    return rg.train.fit(sales, "price", group="id", hidden=32, unit="$", out=out, **options)


@pytest.fixture(scope="module")
def run(sales: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> rg.train.Run:
    return train(sales, tmp_path_factory.mktemp("houses"), epochs=20)


@pytest.mark.row("EXA-02")
@pytest.mark.slow
def test_three_inputs_and_one_hidden_layer_in_dollars(
    run: rg.train.Run, sales: dict[str, np.ndarray]
) -> None:
    facts = json.loads((run.path / "run.json").read_text())
    assert {c["name"] for c in facts["data"]["columns"] if c["use"] == "input"} == set(INPUTS)
    assert facts["target"]["unit"] == "$"
    ours = run.summary["metrics"]["test"]["median_absolute_error"]
    baselines = run.summary["baseline"]
    # Fixed beforehand: below the linear model, and below half of what the mean price misses by.
    assert ours < baselines["linear"]["median_absolute_error"]
    assert ours < 0.5 * baselines["mean"]["median_absolute_error"]
    evidence = np.load(run.path / "evidence.npz")
    test, validation = (set(sales["id"][evidence[f"{part}_rows"]]) for part in ("test", "validation"))
    assert test
    assert not test & validation


@pytest.mark.row("EXA-05")
@pytest.mark.slow
def test_from_rookie_to_valuator(run: rg.train.Run, sales: dict[str, np.ndarray], tmp_path: Path) -> None:
    rookie = train(sales, tmp_path, epochs=1, lr=1e-9)  # the same net, as good as untrained
    errors = [
        json.loads(line)["validation_rmse"] for line in (run.path / "metrics.jsonl").read_text().splitlines()
    ]
    assert len(errors) == run.summary["epochs"]
    assert min(errors) < 0.7 * rookie.summary["metrics"]["validation"]["rmse"]
    assert run.summary["metrics"]["test"]["rmse"] < run.summary["baseline"]["linear"]["rmse"]
    # control: what was not trained does not beat the line
    assert rookie.summary["metrics"]["test"]["rmse"] > rookie.summary["baseline"]["linear"]["rmse"]
    first, again = (
        rg.load(run.path).predict([HOUSE]),
        rg.load(run.path / "model.safetensors").predict([HOUSE]),
    )
    assert first.tobytes() == again.tobytes()
    assert rg.load(run.path).predict([{**HOUSE, "sqft_living": 3600}])[0] > first[0]
