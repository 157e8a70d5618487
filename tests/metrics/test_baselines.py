"""The models to beat are the real ones: equal to scikit-learn's and scipy's, with the penalty chosen on validation."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.errors import DataError
from retrograd.metrics import (
    fit_linear_baseline,
    fit_logistic,
    fit_simple_baseline,
    metrics_for,
    nearest_neighbour_predictions,
)
from retrograd.metrics.baselines import PENALTIES


def _classes(n: int, d: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, d))
    X[:, -1] = X[:, 0] + 0.05 * generator.normal(size=n)  # nearly the same column twice
    scores = X @ generator.normal(size=(d, k))
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return X, np.minimum((share.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1), k - 1)


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("penalty", [1e-4, 1e-2, 1.0])
def test_logistic_equals_scikit_learn(classes: int, penalty: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = _classes(500, 8, classes)
    ours = fit_logistic(X, y, penalty, n_classes=classes)
    theirs = linear_model.LogisticRegression(
        C=1 / (500 * penalty), tol=1e-12, max_iter=10_000, solver="newton-cg"
    )
    theirs.fit(X, y)
    assert ours.converged
    assert ours.gradient <= 1e-8
    np.testing.assert_allclose(ours.coefficients.T, theirs.coef_, atol=2e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_is_the_minimum_that_scipy_finds(classes: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    X, y = _classes(300, 5, classes, seed=2)
    width = 1 if classes == 2 else classes

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(6, width)
        scores = X @ weights[:-1] + weights[-1]
        scores = np.concatenate([np.zeros((300, 1)), scores], axis=1) if width == 1 else scores
        top = scores.max(axis=1)
        logarithm = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        return np.mean(logarithm - scores[np.arange(300), y]) + 0.005 * np.sum(weights[:-1] ** 2)

    ours = fit_logistic(X, y, 0.01, n_classes=classes)
    best = optimize.minimize(loss, np.zeros(6 * width), method="BFGS", options={"gtol": 1e-7})
    reached = loss(np.concatenate([ours.coefficients, ours.intercept[None]]).reshape(-1))
    assert reached <= best.fun + 1e-10


def test_logistic_on_separable_classes_with_hardly_any_penalty() -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    fit = fit_logistic(X, (X[:, 0] > 0).astype(int), 1e-6)
    assert fit.converged
    assert np.isfinite(fit.coefficients).all()


def test_ridge_equals_scikit_learn_and_takes_the_best_penalty() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(0)
    X = generator.normal(3, 20, size=(60, 40))
    y = X[:, 0] * 2 + 50 * generator.normal(size=60) + 1000
    X_val, y_val = generator.normal(3, 20, size=(50, 40)), generator.normal(1000, 50, 50)
    ours = fit_linear_baseline("regression", X, y, X_val, y_val)
    mean, sd = X.mean(axis=0), X.std(axis=0)
    scores = {}
    for penalty in PENALTIES:
        theirs = linear_model.Ridge(alpha=60 * penalty, tol=1e-12).fit((X - mean) / sd, y)
        guess = theirs.predict((X_val - mean) / sd)
        scores[penalty] = metrics_for("regression", y_val, guess)["rmse"]
        if penalty == ours.penalty:
            np.testing.assert_allclose(ours.predict(X_val), guess, rtol=1e-9)
    assert ours.validation_scores == pytest.approx(scores, rel=1e-9)
    assert ours.penalty == min(scores, key=scores.get) > min(PENALTIES)


@pytest.mark.parametrize("kind, classes", [("binary", 2), ("multiclass", 4)])
def test_classes_take_the_best_penalty_and_a_class_absent_from_training_is_survived(
    kind: str, classes: int
) -> None:
    X, y = _classes(80, 30, classes)
    X_val, y_val = _classes(300, 30, classes, seed=1)
    line = fit_linear_baseline(
        kind, X, y, X_val, y_val, n_classes=classes + 1 if kind == "multiclass" else None
    )
    share = line.predict(X_val)
    assert share.shape == (300, classes + 1 if kind == "multiclass" else 2)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert line.penalty == min(line.validation_scores, key=line.validation_scores.get)
    assert line.converged


def test_a_constant_and_a_repeated_column_do_no_harm() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(100, 1))
    X = np.concatenate([x, x, np.full((100, 1), 7.0)], axis=1)
    line = fit_linear_baseline("regression", X, 5 * x[:, 0], X, 5 * x[:, 0])
    np.testing.assert_allclose(line.predict(X), 5 * x[:, 0], atol=1e-4)


def test_simple_baselines() -> None:
    assert fit_simple_baseline("regression", [1.0, 2.0, 6.0]).predict(np.zeros((2, 5))).tolist() == [3.0, 3.0]
    shares = fit_simple_baseline("multiclass", [2, 2, 0], n_classes=4)
    assert shares.predict(1).tolist() == [[1 / 3, 0.0, 2 / 3, 0.0]]


def test_nearest_neighbour_equals_scikit_learn() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    generator = np.random.default_rng(0)
    X, y, asked = (
        generator.normal(size=(200, 6)),
        generator.integers(0, 5, 200),
        generator.normal(size=(90, 6)),
    )
    theirs = neighbors.KNeighborsClassifier(1).fit(X, y).predict(asked)
    assert np.array_equal(nearest_neighbour_predictions(X, y, asked), theirs)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: fit_simple_baseline("regression", []), "no training rows"),
        (lambda: fit_linear_baseline("regression", [[np.nan]], [1.0], [[1.0]], [1.0]), "column 0"),
        (lambda: fit_linear_baseline("regression", [[1.0]], [1.0, 2.0], [[1.0]], [1.0]), "shapes do not fit"),
        (lambda: fit_linear_baseline("regression", [1.0], [1.0], [[1.0]], [1.0]), r"expected \(n, d\)"),
        (
            lambda: fit_linear_baseline("regression", [[1.0]], [1.0], np.zeros((0, 1)), []),
            "needs training and",
        ),
        (
            lambda: fit_linear_baseline("regression", [[1.0]], [1.0], [[1.0]], [1.0]).predict([[1.0, 2.0]]),
            "2 input",
        ),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        call()
    assert caught.value.hint
