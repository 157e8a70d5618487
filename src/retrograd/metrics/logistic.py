"""Logistic regression by Newton's method with preconditioned conjugate gradients, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_FULL_PRECONDITIONER = 1500  # beyond this many columns an eigendecomposition costs more than it saves


@dataclass(frozen=True)
class LogisticFit:
    """Weights (d, K) or (d, 1) for two classes, intercept (K,) or (1,), and how the search ended."""

    coefficients: Array
    intercept: Array
    converged: bool
    iterations: int
    gradient: float


def logistic_probabilities(scores: Array) -> Array:
    """Probabilities (n, K) of scores (n, K), or (n, 2) of log odds (n, 1), without overflow.

    >>> logistic_probabilities(np.array([[0.0], [1000.0]])).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    if scores.shape[1] == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def fit_logistic(
    X: Array,
    y: ArrayLike,
    penalty: float,
    *,
    n_classes: int = 2,
    start: LogisticFit | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
) -> LogisticFit:
    """Minimise  mean -log p(y | x) + penalty/2 |w|^2  until no entry of the gradient exceeds ``tolerance``.

    ``X`` (n, d) should be standardised, ``y`` codes (n,).  Two classes have one column of weights, more have K; the
    intercept is not shrunk.  Equals scikit-learn's LogisticRegression with C = 1 / (n penalty).

    >>> x = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    >>> fit = fit_logistic(x, [0, 1, 1, 1], 0.1)
    >>> fit.converged, bool(fit.coefficients[0, 0] > 0)
    (True, True)
    """
    codes = np.asarray(y, dtype=np.int64)
    n, d = X.shape
    width = 1 if n_classes == 2 else n_classes
    design = np.concatenate([X, np.ones((n, 1))], axis=1)
    target = (codes == 1)[:, None] if width == 1 else codes[:, None] == np.arange(width)
    weights = np.zeros((d + 1, width))
    if start is not None:
        weights = np.concatenate([start.coefficients, start.intercept[None]])
    shrink = np.full((d + 1, 1), penalty)
    shrink[-1] = 0.0
    precondition = _preconditioner(design, penalty)

    def loss_at(candidate: Array) -> tuple[float, Array]:
        share = logistic_probabilities(design @ candidate)
        chosen = share[np.arange(n), codes]
        loss = -np.mean(np.log(np.maximum(chosen, 1e-300))) + 0.5 * np.sum(shrink * candidate * candidate)
        return float(loss), share[:, 1:] if width == 1 else share

    loss, share = loss_at(weights)
    steps = 0
    while True:
        gradient = design.T @ (share - target) / n + shrink * weights
        size = float(np.abs(gradient).max())
        if size <= tolerance or steps >= max_iterations:
            break
        steps += 1

        def curvature(direction: Array, share: Array = share) -> Array:
            moved = design @ direction
            if width == 1:
                bent = share * (1 - share) * moved
            else:
                bent = share * (moved - np.sum(share * moved, axis=1, keepdims=True))
            return design.T @ bent / n + shrink * direction

        weight_of_class = np.mean(share * (1 - share), axis=0) + 1e-12
        step = _conjugate_gradients(
            curvature, -gradient, lambda r, w=weight_of_class: precondition(r, w), min(0.1, np.sqrt(size))
        )
        slope = float(np.sum(gradient * step))
        length = 1.0
        while True:
            new_loss, new_share = loss_at(weights + length * step)
            if new_loss <= loss + 1e-4 * length * slope or length < 1e-10:
                break
            length /= 2
        if new_loss > loss or length < 1e-10:
            # Rounding is all that is left to gain.
            break
        weights = weights + length * step
        loss, share = new_loss, new_share
    # At the floor of rounding the line search gives up slightly early; that is convergence too.
    return LogisticFit(weights[:-1], weights[-1], size <= max(tolerance, 1e-6), steps, size)


def _conjugate_gradients(
    product: Callable[[Array], Array],
    right: Array,
    precondition: Callable[[Array], Array],
    relative: float,
    limit: int = 250,
) -> Array:
    """Solve ``product(x) = right`` for a positive definite product, to ``relative`` of the first residual."""
    solution = np.zeros_like(right)
    residual = right.copy()
    solved = precondition(residual)
    direction = solved.copy()
    energy = float(np.sum(residual * solved))
    goal = relative * float(np.linalg.norm(right))
    for _ in range(limit):
        image = product(direction)
        bend = float(np.sum(direction * image))
        if bend <= 0:
            break
        length = energy / bend
        solution += length * direction
        residual -= length * image
        if float(np.linalg.norm(residual)) <= goal:
            break
        solved = precondition(residual)
        fresh = float(np.sum(residual * solved))
        direction = solved + (fresh / energy) * direction
        energy = fresh
    return solution if np.any(solution) else right


def _preconditioner(design: Array, penalty: float) -> Callable[[Array, Array], Array]:
    """(s X'X/n + penalty)^-1 for each class weight s: the curvature, were every row equally undecided."""
    n, d = design.shape
    if d <= _FULL_PRECONDITIONER:
        values, vectors = np.linalg.eigh(design.T @ design / n)
        values = np.maximum(values, 0.0)[:, None]
        return lambda residual, s: vectors @ ((vectors.T @ residual) / (s * values + penalty))
    diagonal = np.mean(design * design, axis=0)[:, None]
    return lambda residual, s: residual / (s * diagonal + penalty)
