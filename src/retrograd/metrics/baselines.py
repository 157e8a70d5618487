"""Models that a network must beat to be worth its cost: a constant, a neighbour, and a straight line."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError
from retrograd.metrics.bootstrap import headline, metrics_for
from retrograd.metrics.logistic import fit_logistic, logistic_probabilities

Array = NDArray[np.float64]
_Step = tuple[float, Array, Array, bool]  # penalty, weights, intercept, converged

PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The fixed grid the penalty is chosen from; 1e-2 means: shrink as if the noise were a tenth of the signal."""


@dataclass(frozen=True)
class SimplePredictor:
    """Says the same for every row: ``answer`` is the mean (), or the class shares (K,)."""

    answer: Array
    description: str

    def predict(self, rows: Sized | int) -> Array:
        """Values (n,) or probabilities (n, K) for ``rows``, a number of rows or anything with a length."""
        n = rows if isinstance(rows, int) else len(rows)
        return np.tile(self.answer, (n,) + (1,) * self.answer.ndim)


def fit_simple_baseline(
    task_kind: str, y_train: ArrayLike, *, n_classes: int | None = None
) -> SimplePredictor:
    """The mean of the training rows, or their class shares (whose largest is the majority class).

    ``y_train`` is values (n,) for regression, else codes (n,) in 0..K-1.

    >>> fit_simple_baseline("regression", [1.0, 3.0]).predict(3).tolist()
    [2.0, 2.0, 2.0]
    >>> fit_simple_baseline("binary", [0, 1, 1, 1]).predict(1).tolist()
    [[0.25, 0.75]]
    """
    headline(task_kind)  # raises on an unknown kind
    target = np.asarray(y_train)
    if target.size == 0:
        raise DataError("no training rows for the baseline", hint="give at least one row")
    if task_kind == "regression":
        return SimplePredictor(np.asarray(np.mean(target, dtype=np.float64)), "mean of the training rows")
    size = max(int(target.max()) + 1, n_classes or 2)
    counts = np.bincount(target.astype(np.int64), minlength=size)
    return SimplePredictor(counts / counts.sum(), "class shares of the training rows")


@dataclass(frozen=True)
class LinearPredictor:
    """``center + (x - mean) / scale @ coefficients``, through a softmax for classes.

    ``coefficients`` is (d,) for regression, (d, 1) for two classes (the log odds of class 1), else (d, K);
    ``intercept`` the same without d.  ``validation_scores`` holds the headline metric of every penalty tried.
    """

    task_kind: str
    mean: Array
    scale: Array
    coefficients: Array
    intercept: Array
    penalty: float
    validation_scores: dict[float, float]
    converged: bool
    description: str = field(default="")

    def predict(self, X: ArrayLike) -> Array:
        """Values (n,) in the units of the training target, or probabilities (n, K), of inputs (n, d)."""
        inputs = _matrix(X)
        if inputs.shape[1] != len(self.mean):
            raise DataError(
                f"{inputs.shape[1]} input columns where the baseline was fitted on {len(self.mean)}",
                hint="prepare both with the same Preparation",
            )
        scores = ((inputs - self.mean) / self.scale) @ self.coefficients + self.intercept
        return scores if self.task_kind == "regression" else logistic_probabilities(scores)


def fit_linear_baseline(
    task_kind: str,
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_val: ArrayLike,
    y_val: ArrayLike,
    *,
    n_classes: int | None = None,
    penalties: tuple[float, ...] = PENALTIES,
) -> LinearPredictor:
    """Ridge regression, or binary or multinomial logistic regression with an L2 penalty, in float64.

    minimise  mean loss(y, b + z w) + penalty/2 |w|^2,   z = (x - mean) / sd,  loss = (y - p)^2 / 2 or -log p(y)

    ``X`` is (n, d), ``y`` values or codes (n,).  The intercept is not shrunk.  The penalty is the one of the grid with
    the best headline metric on the validation rows.  Raises `DataError` on shapes that do not fit, NaN or infinity.

    Hoerl and Kennard, "Ridge regression", 1970; Newton's method with conjugate gradients: Nocedal and Wright, 7.1.

    >>> x = np.arange(8.0)[:, None]
    >>> line = fit_linear_baseline("regression", x, 3 * x[:, 0] + 1, x, 3 * x[:, 0] + 1)
    >>> line.predict([[10.0]]).round(3).tolist()
    [31.0]
    """
    X, X_check = _matrix(X_train), _matrix(X_val)
    y, y_check = np.asarray(y_train), np.asarray(y_val)
    if len(X) != len(y) or len(X_check) != len(y_check) or X.shape[1] != X_check.shape[1]:
        raise DataError(
            f"shapes do not fit: train {X.shape} with {y.shape}, validation {X_check.shape} with {y_check.shape}",
            hint="one target for each row, the same columns in both",
        )
    if len(X) == 0 or len(X_check) == 0:
        raise DataError(
            "the linear baseline needs training and validation rows", hint="give at least one of each"
        )
    mean = X.mean(axis=0)
    scale = X.std(axis=0)
    # A constant column carries nothing; its centred values are 0 on the training rows, so its weight stays 0.
    scale[scale <= 1e-12 * np.maximum(1.0, np.abs(mean))] = 1.0
    Z, Z_check = (X - mean) / scale, (X_check - mean) / scale
    path = (
        _ridge_path(Z, y.astype(np.float64), penalties)
        if task_kind == "regression"
        else _logistic_path(Z, y, penalties, _class_count(task_kind, y, y_check, n_classes))
    )
    metric = headline(task_kind)
    scores: dict[float, float] = {}
    fitted = {}
    for penalty, weights, intercept, converged in path:
        raw = Z_check @ weights + intercept
        guess = raw if task_kind == "regression" else logistic_probabilities(raw)
        scores[penalty] = float(metrics_for(task_kind, y_check, guess)[metric] or 0.0)
        fitted[penalty] = (weights, intercept, converged)
    best = min(scores, key=lambda penalty: (scores[penalty], -penalty))
    weights, intercept, converged = fitted[best]
    name = {"regression": "ridge", "binary": "logistic", "multiclass": "multinomial logistic"}[task_kind]
    return LinearPredictor(
        task_kind, mean, scale, weights, intercept, best, scores, converged,
        f"{name} regression, penalty {best:g} chosen on the validation rows",
    )  # fmt: skip


def nearest_neighbour_predictions(
    X_train: ArrayLike, y_train: ArrayLike, X: ArrayLike
) -> NDArray[np.generic]:
    """The target of the nearest training row (Euclidean, the first of equals) for each row of ``X``: (n,).

    >>> nearest_neighbour_predictions([[0.0], [10.0]], [5, 7], [[1.0], [9.0]]).tolist()
    [5, 7]
    """
    known, asked = _matrix(X_train), _matrix(X)
    target = np.asarray(y_train)
    lengths = np.einsum("ij,ij->i", known, known)
    nearest = np.empty(len(asked), dtype=np.int64)
    block = max(1, 4_000_000 // max(1, len(known)))
    for start in range(0, len(asked), block):
        rows = asked[start : start + block]
        nearest[start : start + block] = np.argmin(lengths - 2 * rows @ known.T, axis=1)
    return target[nearest]


def _matrix(X: ArrayLike) -> Array:
    inputs = np.asarray(X, dtype=np.float64)
    if inputs.ndim != 2:
        raise DataError(f"inputs have shape {inputs.shape}, expected (n, d)", hint="x.reshape(len(x), -1)")
    if not np.isfinite(inputs).all():
        column = int(np.argmax(~np.isfinite(inputs).all(axis=0)))
        raise DataError(
            f"input column {column} holds NaN or infinity", hint="prepare the table first (Preparation)"
        )
    return inputs


def _class_count(task_kind: str, y: NDArray[Any], y_check: NDArray[Any], n_classes: int | None) -> int:
    if task_kind == "binary":
        return 2
    return n_classes or int(max(y.max(), y_check.max())) + 1


def _ridge_path(Z: Array, y: Array, penalties: tuple[float, ...]) -> Iterator[_Step]:
    """Solutions of (Z'Z/n + penalty) w = Z'(y - mean y)/n; one eigendecomposition serves every penalty."""
    n = len(Z)
    intercept = np.asarray(y.mean())
    shift = Z.mean(axis=0)  # exactly 0 but for rounding
    gram = Z.T @ Z / n - np.outer(shift, shift)
    right = Z.T @ (y - intercept) / n
    values, vectors = np.linalg.eigh(gram)
    turned = vectors.T @ right
    for penalty in penalties:
        yield penalty, vectors @ (turned / (np.maximum(values, 0.0) + penalty)), intercept, True


def _logistic_path(
    Z: Array, y: NDArray[Any], penalties: tuple[float, ...], n_classes: int
) -> Iterator[_Step]:
    """From the strongest penalty to the weakest, each started at the solution before."""
    start = None
    for penalty in sorted(penalties, reverse=True):
        start = fit_logistic(Z, y, penalty, n_classes=n_classes, start=start)
        yield penalty, start.coefficients, start.intercept, start.converged
