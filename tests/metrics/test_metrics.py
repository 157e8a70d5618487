"""Metrics against scikit-learn to 1e-12, and what they say where they are not defined."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.errors import DataError
from retrograd.metrics import (
    classification_metrics,
    confusion_matrix,
    metrics_for,
    regression_metrics,
    roc_auc,
)


@given(st.integers(2, 200), st.integers(0, 2**31), st.sampled_from([1e-6, 1.0, 1e6]))
def test_regression_equals_scikit_learn(n: int, seed: int, scale: float) -> None:
    oracle = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(seed)
    actual = scale * (generator.normal(size=n) + 3)
    predicted = actual + scale * generator.normal(size=n)
    ours = regression_metrics(actual, predicted)
    theirs = {
        "rmse": oracle.root_mean_squared_error(actual, predicted),
        "mae": oracle.mean_absolute_error(actual, predicted),
        "r2": oracle.r2_score(actual, predicted),
        "median_absolute_error": oracle.median_absolute_error(actual, predicted),
    }
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12 * scale)


@given(st.integers(5, 200), st.integers(2, 6), st.integers(0, 2**31), st.booleans())
def test_classification_equals_scikit_learn(n: int, classes: int, seed: int, coarse: bool) -> None:
    oracle = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(seed)
    n = max(n, classes)
    share = generator.dirichlet(np.ones(classes), n)
    if coarse:  # many equal scores: ties in the ranking
        share = np.round(share * 4) + 0.25
        share /= share.sum(axis=1, keepdims=True)
    actual = np.concatenate([np.arange(classes), generator.integers(0, classes, n - classes)])
    guess = share.argmax(axis=1)
    if classes == 2:
        auc = oracle.roc_auc_score(actual, share[:, 1])
    else:
        auc = oracle.roc_auc_score(actual, share, multi_class="ovr", labels=np.arange(classes))
    theirs = {
        "accuracy": oracle.accuracy_score(actual, guess),
        "balanced_accuracy": oracle.balanced_accuracy_score(actual, guess),
        "log_loss": oracle.log_loss(actual, share, labels=np.arange(classes)),
        "roc_auc": auc,
        "f1_macro": oracle.f1_score(actual, guess, average="macro", zero_division=0),
    }
    assert classification_metrics(actual, share) == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    assert np.array_equal(
        confusion_matrix(actual, guess, classes),
        oracle.confusion_matrix(actual, guess, labels=np.arange(classes)),
    )


def test_a_class_that_never_occurs_is_left_out_as_scikit_learn_does() -> None:
    oracle = pytest.importorskip("sklearn.metrics")
    actual = np.array([0, 0, 1, 1])
    share = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.3, 0.5, 0.2]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = oracle.balanced_accuracy_score(actual, share.argmax(axis=1))
        f1 = oracle.f1_score(actual, share.argmax(axis=1), average="macro", zero_division=0)
    ours = classification_metrics(actual, share)
    assert ours["balanced_accuracy"] == expected
    assert ours["f1_macro"] == pytest.approx(f1, rel=1e-15)
    assert ours["roc_auc"] == (0.5 + 1.0) / 2  # the third class has no rows, so no area


def test_one_class_only() -> None:
    result = classification_metrics([1, 1], [[0.25, 0.75], [0.5, 0.5]])
    assert result["roc_auc"] is None
    assert result["accuracy"] == 0.5  # argmax takes the first of equals
    assert result["log_loss"] == pytest.approx((np.log(4 / 3) + np.log(2)) / 2)


def test_constant_target_has_no_r2() -> None:
    assert regression_metrics([5.0, 5.0], [4.0, 6.0]) == {
        "rmse": 1.0, "mae": 1.0, "r2": None, "median_absolute_error": 1.0
    }  # fmt: skip


def test_certain_and_wrong_is_finite() -> None:
    loss = classification_metrics([0], [[0.0, 1.0]])["log_loss"]
    assert loss == pytest.approx(-np.log(np.finfo(float).eps))


def test_float32_probabilities_are_taken_as_they_are_meant() -> None:
    share = np.random.default_rng(0).dirichlet(np.ones(5), 300)
    actual = np.random.default_rng(1).integers(0, 5, 300)
    exact = classification_metrics(actual, share)["log_loss"]
    assert classification_metrics(actual, share.astype(np.float32))["log_loss"] == pytest.approx(
        exact, rel=1e-6
    )


def test_auc_is_exact_in_whole_numbers() -> None:
    # 3 of 4 pairs in order, one tied: (3 + 1/2) / 4... counted by hand
    assert roc_auc([True, True, False, False], [3, 2, 2, 1]) == 3.5 / 4


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: regression_metrics([], []), "no rows"),
        (lambda: regression_metrics([1.0], [1.0, 2.0]), "one length"),
        (lambda: regression_metrics([1.0], [np.nan]), "predicted holds NaN"),
        (lambda: regression_metrics([[1.0]], [[1.0]]), "vectors"),
        (lambda: classification_metrics([0], [[0.2, 0.2]]), "add up to"),
        (lambda: classification_metrics([2], [[0.5, 0.5]]), "class code 2"),
        (lambda: classification_metrics([0.5], [[0.5, 0.5]]), "not whole"),
        (lambda: classification_metrics([], np.zeros((0, 2))), "no rows"),
        (lambda: metrics_for("ranking", [1], [1]), "ranking"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        call()
    assert caught.value.hint
