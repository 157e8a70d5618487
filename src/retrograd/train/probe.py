"""Where did training end?  The gradient's norm and the extreme curvatures at the weights that were reached.

The curvatures are eigenvalues of the Hessian of the loss over the given rows, found by Lanczos iterations with exact
Hessian-vector products (Pearlmutter 1994).  A small gradient and no negative curvature speak for a local minimum, or a
flat place; whether a lower one exists elsewhere, no such probe can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.train.arrays import as_array, as_arrays


@dataclass(frozen=True)
class Probe:
    """Norm of the full gradient, least and greatest curvature found, and what they speak for."""

    gradient_norm: float
    least_curvature: float
    greatest_curvature: float
    verdict: str

    def __str__(self) -> str:
        return (
            f"{self.verdict}: gradient norm {self.gradient_norm:.3g}, "
            f"curvatures from {self.least_curvature:.3g} to {self.greatest_curvature:.3g}"
        )


def probe_minimum(
    model: Any,
    loss: Callable[[Any, Any], Any],
    inputs: Any,
    targets: Any,
    *,
    tolerance: float = 1e-2,
    iterations: int = 30,
    seed: int = 0,
) -> Probe:
    """Probe the place where ``model`` stands, on all rows at once and in evaluation mode.

    The verdict is "not converged" (gradient norm above ``tolerance``), "saddle" (a direction with clearly negative
    curvature), or "minimum or flat place".

    >>> from retrograd import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> with rg.no_grad():
    ...     _ = model.weight.fill_(2.0)
    >>> x = np.array([[1.0], [3.0]], np.float32)
    >>> found = probe_minimum(model, nn.MSELoss(), x, 2 * x)    # loss = mean (w x - 2 x)², so L'' = 2 mean x² = 10
    >>> found.verdict, round(found.greatest_curvature, 3)
    ('minimum or flat place', 10.0)
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    rows = [rg.from_numpy(array) for array in as_arrays(inputs)]
    training = model.training
    model.eval()
    try:
        value = loss(model(*rows), rg.from_numpy(as_array(targets)))
        gradients = rg.autograd.grad([value], parameters, create_graph=True, allow_unused=True)
        gradients = [g for g in gradients if g is not None]
        norm = float(
            np.linalg.norm(np.concatenate([g.detach().numpy().ravel() for g in gradients]).astype(np.float64))
        )

        def times(vector: np.ndarray) -> np.ndarray:
            return _hessian_times(gradients, parameters, vector)

        size = sum(p.numel() for p in parameters)
        low, high = _extreme_eigenvalues(times, size, min(iterations, size), seed)
    finally:
        model.train(training)
    if norm > tolerance:
        verdict = "not converged"
    elif low < -1e-2 * max(high, 1e-12):
        verdict = "saddle"
    else:
        verdict = "minimum or flat place"
    return Probe(norm, low, high, verdict)


def _hessian_times(gradients: list[Any], parameters: list[Any], vector: np.ndarray) -> np.ndarray:
    """H v = ∇(∇loss · v)."""
    total, start = None, 0
    for gradient in gradients:
        part = vector[start : start + gradient.numel()].reshape(gradient.shape)
        term = (gradient * rg.from_numpy(part.astype(gradient.dtype.numpy))).sum()
        total = term if total is None else total + term
        start += gradient.numel()
    products = rg.autograd.grad([total], parameters, retain_graph=True, allow_unused=True)
    flat = [
        np.zeros(p.numel()) if product is None else product.detach().numpy().ravel()
        for p, product in zip(parameters, products, strict=True)
    ]
    return np.concatenate(flat).astype(np.float64)


def _extreme_eigenvalues(
    times: Callable[[np.ndarray], np.ndarray], size: int, iterations: int, seed: int
) -> tuple[float, float]:
    """Least and greatest eigenvalue by Lanczos with full reorthogonalisation."""
    vector = np.random.default_rng(seed).standard_normal(size)
    basis = [vector / np.linalg.norm(vector)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(iterations):
        image = times(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        for known in [*basis, *basis]:  # twice: once loses orthogonality to rounding
            image = image - (image @ known) * known
        length = float(np.linalg.norm(image))
        if length < 1e-10 or len(basis) == iterations:
            break
        beside.append(length)
        basis.append(image / length)
    matrix = (
        np.diag(diagonal) + np.diag(beside[: len(diagonal) - 1], 1) + np.diag(beside[: len(diagonal) - 1], -1)
    )
    values = np.linalg.eigvalsh(matrix)
    return float(values[0]), float(values[-1])
