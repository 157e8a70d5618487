"""What more rows would give: prediction intervals that hold what is then measured."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from retrograd.errors import DataError
from retrograd.metrics import (
    fit_learning_curve,
    fit_linear_baseline,
    nearest_neighbour_predictions,
    regression_metrics,
)
from retrograd.metrics.learning_curve import student_t_cdf


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 8, 13, 30])
def test_student_t_equals_scipy(freedom: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    t = np.array([-40.0, -3.0, -0.5, 0.0, 0.1, 2.0, 9.0])
    np.testing.assert_allclose(student_t_cdf(t, freedom), stats.t.cdf(t, freedom), atol=1e-13)


def test_interval_holds_what_an_invented_law_gives() -> None:
    """Laws and noise drawn at random: the 95 % interval for twice the rows holds the new score in 90 to 100 %."""
    generator = np.random.default_rng(0)
    n = np.array([100, 200, 300, 400, 500])
    held = 0
    for _ in range(200):
        a, b, c = generator.uniform(0, 2), generator.uniform(1, 20), generator.uniform(0.2, 1.2)
        sigma = generator.uniform(0.1, 1)

        def score(size, repeats, law=(a, b, c), sigma=sigma):
            mean = law[0] + law[1] * np.asarray(size)[:, None] ** -law[2]
            return mean + sigma / np.sqrt(np.asarray(size))[:, None] * generator.normal(
                size=(len(size), repeats)
            )

        curve = fit_learning_curve(n, score(n, 3))
        _, low, high = curve.predict(1000)
        held += low <= score([1000], 1)[0, 0] <= high
    assert 180 <= held <= 200


def test_exact_law_is_found_and_change_is_consistent() -> None:
    n = np.array([50, 100, 200, 400, 800])
    curve = fit_learning_curve(n, 2 + 9 * n**-0.5)
    assert (curve.a, curve.b, curve.c) == pytest.approx((2, 9, 0.5), rel=1e-6)
    change, low, high = curve.difference(800, 1600)
    assert change == pytest.approx(9 * (1600**-0.5 - 800**-0.5), rel=1e-6)
    assert low <= change <= high


def test_units_do_not_matter() -> None:
    generator = np.random.default_rng(1)
    n = np.array([50, 100, 200, 400])
    score = 2 + 9 * n**-0.5 + 0.05 * generator.normal(size=4)
    small = fit_learning_curve(n, score).predict(900)
    large = fit_learning_curve(n, 1e6 * score).predict(900)
    assert large == pytest.approx(tuple(1e6 * value for value in small), rel=1e-9)


def test_noise_without_a_law_says_so() -> None:
    generator = np.random.default_rng(2)
    n = np.repeat([100, 200, 300, 400, 500], 3)
    _, low, high = fit_learning_curve(n, 1 + 0.1 * generator.normal(size=15)).difference(500, 1000)
    assert low < 0 < high


@pytest.mark.parametrize(
    "n, score", [([1, 2, 3], [1, 2, 3]), ([5] * 6, range(6)), ([1, 2, 3, 4], [1, 2, 3, np.nan])]
)
def test_too_little_or_broken(n, score) -> None:
    with pytest.raises(DataError) as caught:
        fit_learning_curve(n, list(score))
    assert caught.value.hint


def _table(path: Path, target: str, drop: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        first = next(csv.reader(file))
        file.seek(0)
        # Without a header the columns are c1, c2, ...
        names = [f"c{i}" for i in range(1, len(first) + 1)] if first[1].replace(".", "").isdigit() else None
        rows = list(csv.DictReader(file, fieldnames=names))
    names = [name for name in rows[0] if name != target and name not in drop]
    X = np.array([[float(row[name] or "nan") for name in names] for row in rows])
    X = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    y = np.array([float(row[target]) for row in rows])
    # Rows that are there twice would be in training and in test: a neighbour then finds its twin, and no law holds.
    once = np.unique(np.column_stack([X, y]), axis=0, return_index=True)[1]
    return X[once], y[once]


@pytest.mark.row("REM-08")
@pytest.mark.parametrize(
    "file, target, drop",
    [
        ("king-county-houses/kc_house_data.csv", "price", ("id", "date")),
        ("wine-quality/winequality-white.csv", "c12", ()),
        ("abalone/abalone.csv", "c9", ("c1",)),
        ("california-housing/housing.csv", "median_house_value", ("ocean_proximity",)),
    ],
)
@pytest.mark.parametrize("model", ["neighbour", "linear"])
def test_curve_from_a_tenth_to_half_of_the_rows_predicts_the_score_at_all(
    data_dir: Path, file: str, target: str, drop: tuple[str, ...], model: str
) -> None:
    """Real rows: fit on 10 to 50 %, then train on 100 %: its score lies in the interval."""
    X, y = _table(data_dir / file, target, drop)
    generator = np.random.default_rng(0)
    order = generator.permutation(len(y))[:6000]
    X, y = X[order], np.log(y[order]) if target == "price" else y[order]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    n = 2 * len(order) // 3
    train, test = slice(0, n), slice(n, None)

    def score(rows: np.ndarray) -> float:
        if model == "neighbour":
            guess = nearest_neighbour_predictions(X[train][rows], y[train][rows], X[test])
        else:
            guess = fit_linear_baseline(
                "regression", X[train][rows], y[train][rows], X[test], y[test]
            ).predict(X[test])
        return float(regression_metrics(y[test], guess)["rmse"] or 0)

    sizes = n * np.arange(1, 6) // 10
    scores = np.array([[score(generator.permutation(n)[:size]) for _ in range(3)] for size in sizes])
    everything = score(np.arange(n))
    curve = fit_learning_curve(sizes, scores)
    _, low, high = curve.predict(n)
    assert low <= everything <= high
    # Control: the interval says something; a score a quarter better or a quarter worse lies outside it.
    assert 0.75 * everything < low
    assert high < 1.25 * everything
