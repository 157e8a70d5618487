"""Rows that were not trained on: better than simple rules over five seeds; planted trends found, planted noise not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.data import read_table
from retrograd.metrics import nearest_neighbour_predictions
from retrograd.train.options import Options
from retrograd.train.problem import read_problem

SEEDS = range(5)


@pytest.fixture(scope="module")
def districts(data_dir: Path) -> dict[str, np.ndarray]:
    """4,000 districts of California, drawn once."""
    table = read_table(data_dir / "california-housing" / "housing.csv")
    rows = np.random.default_rng(0).permutation(table.n_rows)[:4000]
    return {name: column.values[rows] for name, column in table.columns.items()}


def nearest(data: dict[str, np.ndarray], target: str, seed: int) -> float:
    """Root mean squared error of copying the most similar training row."""
    problem = read_problem(data, target, **Options(seed=seed).reading())
    train, test = problem.part("train"), problem.part("test")
    predicted = nearest_neighbour_predictions(train.inputs[0], train.actual, test.inputs[0])
    return float(np.sqrt(np.mean((predicted - test.actual) ** 2)))


@pytest.mark.row("ADV-05")
@pytest.mark.slow
def test_generalises_to_unseen_rows_and_learns_nothing_from_shuffled_ones(
    districts: dict[str, np.ndarray], tmp_path: Path
) -> None:
    target = "median_house_value"
    for seed in SEEDS:
        run = rg.train.fit(districts, target, seed=seed, epochs=15, out=tmp_path)
        ours, baseline = run.summary["metrics"]["test"]["rmse"], run.summary["baseline"]
        assert ours < baseline["mean"]["rmse"]
        assert ours < baseline["linear"]["rmse"]
        assert ours < nearest(districts, target, seed)
    shuffled = {**districts, target: np.random.default_rng(1).permutation(districts[target])}
    run = rg.train.fit(shuffled, target, seed=0, epochs=15, out=tmp_path)
    assert run.summary["metrics"]["test"]["r2"] < 0.03  # chance is 0
    assert run.summary["baseline"]["verdict"] != "wins"


@pytest.mark.row("APP-20")
@pytest.mark.slow
def test_a_planted_trend_is_found_and_planted_noise_ranks_at_the_bottom(
    data_dir: Path, tmp_path: Path
) -> None:
    table = read_table(data_dir / "wine-quality" / "winequality-white.csv", header=False)
    data = {name: column.values for name, column in table.columns.items()}
    random = np.random.default_rng(3)
    trend = random.normal(size=table.n_rows)
    data["c12"] = data["c12"] + 0.8 * trend  # about as much as the quality itself varies
    data = {"trend": trend, **{f"noise{k}": random.normal(size=table.n_rows) for k in range(3)}, **data}
    run = rg.train.fit(data, "c12", epochs=12, out=tmp_path)
    ranked = [
        column["name"]
        for column in json.loads((run.path / "report.json").read_text())["importance"]["columns"]
    ]
    # Fixed beforehand: the trend first of fifteen columns, the three noise columns among the last five.
    assert len(ranked) == 15
    assert ranked[0] == "trend"
    assert {"noise0", "noise1", "noise2"} <= set(ranked[-5:])
