"""Stated chances that come true, and columns that matter."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.errors import DataError
from retrograd.metrics import (
    calibration_table,
    expected_calibration_error,
    permutation_importance,
    regression_calibration_table,
    wilson_interval,
)


def test_table_equals_scikit_learns_curve() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    generator = np.random.default_rng(0)
    chance = generator.random(2000)
    actual = (generator.random(2000) < chance**2).astype(int)
    table = [e for e in calibration_table(actual, np.stack([1 - chance, chance], axis=1)) if e["n"]]
    observed, said = calibration.calibration_curve(actual, chance, n_bins=10)
    assert [e["observed"] for e in table] == pytest.approx(observed, rel=1e-12)
    assert [e["mean_probability"] for e in table] == pytest.approx(said, rel=1e-12)


def test_error_is_small_for_honest_and_large_for_boastful_probabilities() -> None:
    generator = np.random.default_rng(0)
    honest = generator.dirichlet(np.ones(3), 20_000)
    actual = np.minimum((honest.cumsum(axis=1) < generator.random((20_000, 1))).sum(axis=1), 2)
    boastful = honest**4 / (honest**4).sum(axis=1, keepdims=True)
    assert expected_calibration_error(calibration_table(actual, honest)) < 0.02
    assert expected_calibration_error(calibration_table(actual, boastful)) > 0.1


def test_edges_fall_in_bins_and_empty_bins_are_none() -> None:
    table = calibration_table([1, 1], [[0.0, 1.0], [0.9, 0.1]])
    assert [e["n"] for e in table] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert table[0]["observed"] is None


def test_wilson_equals_statsmodels_formula() -> None:
    stats = pytest.importorskip("scipy.stats")
    interval = stats.binomtest(7, 20).proportion_ci(method="wilson")
    assert wilson_interval(7, 20) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert wilson_interval(20, 20)[1] == 1.0


def test_groups_hold_every_row_once() -> None:
    actual = np.random.default_rng(0).normal(size=103)
    table = regression_calibration_table(actual, actual)
    assert sum(e["n"] for e in table) == 103
    assert all(e["mean_predicted"] == e["mean_actual"] for e in table)
    assert len(regression_calibration_table([1.0, 2.0], [1.0, 2.0])) == 2


def _columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "kind": generator.choice(["a", "b"], 300),
        "x": generator.normal(size=300),
        "idle": generator.random(300),
    }


def test_importance_of_what_is_used_and_of_what_is_not() -> None:
    columns = _columns()

    def predict(given):
        return 3 * (given["kind"] == "a") + given["x"]

    actual = predict(columns)
    out = permutation_importance(predict, columns, actual, task_kind="regression", seed=3, repeats=8)
    assert out["importance_columns"].tolist() == ["kind", "x", "idle"]
    assert out["importance_scores"].shape == (3, 8)
    assert out["importance_base"] == 0
    kind, x, idle = out["importance_scores"]
    assert kind.min() > x.max() > 0
    assert np.all(idle == 0)
    # Expected worth: shuffling adds twice the variance of what the column says.
    assert np.mean(x**2) == pytest.approx(2 * columns["x"].var(), rel=0.15)


def test_seeded_and_independent_of_other_columns() -> None:
    columns = _columns()
    actual = columns["x"] + 0.1

    def run(seed, **kept):
        return permutation_importance(lambda c: c["x"], kept, actual, task_kind="regression", seed=seed)

    first = run(1, x=columns["x"], idle=columns["idle"])
    assert np.array_equal(
        first["importance_scores"], run(1, x=columns["x"], idle=columns["idle"])["importance_scores"]
    )
    assert not np.array_equal(first["importance_scores"][0], run(2, x=columns["x"])["importance_scores"][0])
    assert np.array_equal(first["importance_scores"][0], run(1, x=columns["x"])["importance_scores"][0])


def test_columns_given_are_left_alone_and_lengths_are_checked() -> None:
    columns = _columns()
    before = {name: values.copy() for name, values in columns.items()}
    permutation_importance(lambda c: c["x"], columns, columns["x"], task_kind="regression", seed=0)
    assert all(np.array_equal(before[name], columns[name]) for name in columns)
    with pytest.raises(DataError, match="'x' has 2 rows"):
        permutation_importance(lambda c: c["x"], {"x": [1, 2]}, [1.0], task_kind="regression", seed=0)
