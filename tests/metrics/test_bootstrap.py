"""Resampling with counts must equal resampling with rows, and its verdicts must be right as often as they claim."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.errors import DataError
from retrograd.metrics import bootstrap as module
from retrograd.metrics import bootstrap_intervals, bootstrap_scores, metrics_for, paired_bootstrap


def _case(kind: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    if kind == "regression":
        actual = generator.normal(size=n).round(1)
        return actual, actual + generator.normal(size=n).round(1)
    classes = 2 if kind == "binary" else 4
    share = generator.dirichlet(np.ones(classes), n)
    return (share.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1), share.round(1) + 0.1


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("n", [5, 40, 41])
def test_counts_equal_rows(kind: str, n: int) -> None:
    """Each resample's metrics are those of the rows themselves, drawn from the documented stream."""
    actual, output = _case(kind, n, 3)
    if kind != "regression":
        output = output / output.sum(axis=1, keepdims=True)
    scores = bootstrap_scores(kind, actual, {"net": output}, seed=11, resamples=60)["net"]
    generator = np.random.Generator(np.random.PCG64(11))
    for b in range(60):
        rows = generator.integers(0, n, size=n)
        for metric, value in metrics_for(kind, actual[rows], output[rows]).items():
            if value is None:
                assert np.isnan(scores[metric][b])
            else:
                assert scores[metric][b] == pytest.approx(value, rel=1e-10, abs=1e-12), metric


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    actual, output = _case("regression", 50, 0)
    whole = bootstrap_scores("regression", actual, {"net": output}, seed=5, resamples=100)
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", 50 * 7)
    pieces = bootstrap_scores("regression", actual, {"net": output}, seed=5, resamples=100)
    for metric, values in whole["net"].items():
        np.testing.assert_allclose(values, pieces["net"][metric], rtol=1e-13)


def test_same_seed_same_interval_other_seed_another() -> None:
    actual, output = _case("regression", 100, 0)
    first = bootstrap_intervals("regression", actual, output, seed=1)
    assert first == bootstrap_intervals("regression", actual, output, seed=1)
    assert first != bootstrap_intervals("regression", actual, output, seed=2)


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Mean absolute error of N(0, 1) is sqrt(2 / pi); 95 % intervals from 200 rows hold it in 90 to 99 % of 300."""
    generator = np.random.default_rng(8)
    held = 0
    for trial in range(300):
        error = generator.normal(size=200)
        low, high = bootstrap_intervals("regression", np.zeros(200), error, seed=trial, resamples=400)["mae"]
        held += low <= np.sqrt(2 / np.pi) <= high
    assert 0.90 <= held / 300 <= 0.99


def test_paired_verdicts() -> None:
    generator = np.random.default_rng(0)
    actual = generator.normal(size=400)
    good, bad = actual + 0.5 * generator.normal(size=400), actual + generator.normal(size=400)
    assert paired_bootstrap("regression", actual, good, bad, seed=0)["verdict"] == "better"
    swapped = paired_bootstrap("regression", actual, bad, good, seed=0)
    assert swapped["verdict"] == "worse"
    assert swapped["difference"] == pytest.approx(swapped["ours"] - swapped["theirs"])
    assert paired_bootstrap("regression", actual, good, good, seed=0)["verdict"] == "tie"
    share = np.full((400, 2), 0.5)
    codes = (actual > 0).astype(int)
    sharp = np.stack([1 - codes, codes], axis=1) * 0.8 + 0.1
    won = paired_bootstrap("binary", codes, sharp, share, seed=0, metric="roc_auc")
    assert (won["metric"], won["verdict"], won["difference"]) == ("roc_auc", "better", 0.5)


def test_equal_models_are_called_different_in_about_one_of_twenty() -> None:
    """Two models with independent errors of one size: "better" or "worse" in 1 to 10 % of 300 trials."""
    generator = np.random.default_rng(4)
    wrong = 0
    for trial in range(300):
        actual = generator.normal(size=150)
        pair = [actual + generator.normal(size=150) for _ in range(2)]
        wrong += paired_bootstrap("regression", actual, *pair, seed=trial, resamples=300)["verdict"] != "tie"
    assert 3 <= wrong <= 30


def test_degenerate() -> None:
    only = bootstrap_intervals("binary", [1, 1, 1], [[0.2, 0.8]] * 3, seed=0, resamples=20)
    assert only["roc_auc"] is None
    assert only["accuracy"] == [1.0, 1.0]
    assert bootstrap_intervals("regression", [2.0, 2.0], [1.0, 3.0], seed=0, resamples=20)["r2"] is None
    assert bootstrap_intervals("regression", [2.0], [1.0], seed=0, resamples=20)["rmse"] == [1.0, 1.0]
    tie = paired_bootstrap("binary", [1, 1], [[0.2, 0.8]] * 2, [[0.3, 0.7]] * 2, seed=0, metric="roc_auc")
    assert (tie["verdict"], tie["difference"]) == ("tie", None)
    with pytest.raises(DataError, match="resamples"):
        bootstrap_intervals("regression", [1.0], [1.0], seed=0, resamples=0)
    with pytest.raises(DataError, match="no metric"):
        paired_bootstrap("regression", [1.0], [1.0], [1.0], seed=0, metric="accuracy")
