"""Gradient descent by its closed forms: whole batches, mini-batches, momentum, adaptive rates."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from real_data import breast_cancer, red_wine
from retrograd import nn, optim


@pytest.mark.row("TRN-06")
def test_iterates_on_a_quadratic_equal_the_recursion() -> None:
    """f(x) = ½ xᵀAx - bᵀx: x_t - x* = (I - lr·A)ᵗ (x_0 - x*), with x* = A⁻¹b."""
    random = np.random.default_rng(0)
    root = random.normal(size=(5, 5))
    a, b = root @ root.T + np.eye(5), random.normal(size=5)
    best, start = np.linalg.solve(a, b), random.normal(size=5)
    lr = 0.9 / np.linalg.eigvalsh(a).max()
    x = nn.Parameter(rg.tensor(start))
    optimizer = optim.SGD([x], lr=lr)
    matrix, vector = rg.tensor(a), rg.tensor(b)
    for t in range(1, 60):
        optimizer.zero_grad()
        (0.5 * (x @ matrix @ x) - vector @ x).backward()
        optimizer.step()
        expected = best + np.linalg.matrix_power(np.eye(5) - lr * a, t) @ (start - best)
        np.testing.assert_allclose(x.detach().numpy(), expected, rtol=1e-10, atol=1e-12)
    diverging = nn.Parameter(rg.tensor(start))  # control: beyond 2 / the largest eigenvalue it runs away
    optimizer = optim.SGD([diverging], lr=2.1 / np.linalg.eigvalsh(a).max())
    for _ in range(200):
        optimizer.zero_grad()
        (0.5 * (diverging @ matrix @ diverging) - vector @ diverging).backward()
        optimizer.step()
    assert np.abs(diverging.detach().numpy()).max() > 1e3


@pytest.mark.row("TRN-06")
def test_full_batch_descent_reaches_least_squares_on_real_data(data_dir: Path) -> None:
    x, y = red_wine(data_dir)
    exact = np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    w = nn.Parameter(rg.zeros(x.shape[1], dtype=rg.float64))
    inputs, targets = rg.tensor(x), rg.tensor(y - y.mean())
    largest = np.linalg.eigvalsh(x.T @ x / len(x)).max()
    optimizer = optim.SGD([w], lr=1 / (2 * largest))
    losses = []
    for _ in range(3000):
        optimizer.zero_grad()
        loss = F.mse_loss(inputs @ w, targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.diff(losses).max() < 1e-14  # with this rate every step goes down, up to rounding
    np.testing.assert_allclose(w.detach().numpy(), exact, atol=1e-6)


@pytest.mark.row("TRN-07")
def test_mini_batch_gradients_average_to_the_full_one() -> None:
    random = np.random.default_rng(0)
    x, y = rg.tensor(random.normal(size=(103, 4))), rg.tensor(random.integers(0, 3, size=103))
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()

    def gradient(rows: Any) -> np.ndarray[Any, Any]:
        net.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        return np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])

    full = gradient(rg.arange(103))
    order = random.permutation(103)
    parts = [order[i : i + 10] for i in range(0, 103, 10)]  # the last one is short
    each = [gradient(rg.tensor(p)) for p in parts]
    weighted = sum(len(p) * g for p, g in zip(parts, each, strict=True)) / 103
    np.testing.assert_allclose(weighted, full, rtol=1e-11, atol=1e-14)
    assert np.abs(each[0] - full).max() > 1e-3  # control: one of them alone is something else
    assert np.abs(sum(each) / len(each) - full).max() > 1e-6  # and weighting by size matters


@pytest.mark.row("TRN-07")
def test_stochastic_descent_is_seeded_and_faster_per_row(data_dir: Path) -> None:
    x, y = breast_cancer(data_dir)
    inputs, targets = rg.tensor(x), rg.tensor(y).double().unsqueeze(1)
    epochs, n = 2, len(x)

    def run(size: int, lr: float, seed: int = 0) -> tuple[float, np.ndarray[Any, Any]]:
        rg.manual_seed(seed)
        net = nn.Linear(x.shape[1], 1).double()
        optimizer = optim.SGD(net.parameters(), lr=lr)
        for _ in range(epochs):
            order = rg.randperm(n)
            for i in range(0, n, size):
                rows = order[i : i + size]
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(net(inputs[rows]), targets[rows]).backward()
                optimizer.step()
        with rg.no_grad():
            return F.binary_cross_entropy_with_logits(
                net(inputs), targets
            ).item(), net.weight.detach().numpy()

    rates = (0.01, 0.1, 1.0, 10.0)
    full, single, mini = (min(run(size, lr)[0] for lr in rates) for size in (n, 1, 32))
    assert single < full
    assert mini < full
    np.testing.assert_array_equal(run(32, 0.1)[1], run(32, 0.1)[1])
    assert (run(32, 0.1, seed=1)[1] != run(32, 0.1)[1]).any()


def one_number(
    make: Callable[..., optim.Optimizer], gradients: list[float], start: float = 1.0
) -> list[float]:
    """The path of one weight under given gradients."""
    w = nn.Parameter(rg.tensor(start, dtype=rg.float64))
    optimizer, path = make([w]), []
    for g in gradients:
        w.grad = rg.tensor(g, dtype=rg.float64)
        optimizer.step()
        path.append(w.item())
    return path


@pytest.mark.row("REM-05")
def test_first_steps_by_hand() -> None:
    """Gradients 2 and then -1, from w = 1, worked out with a pencil."""
    # Adam, lr 0.1, β 0.9 and 0.99: m = 0.2, v = 0.04; corrected 2 and 4: step 0.1·2/2.
    # Then m = 0.18 - 0.1 = 0.08, v = 0.0396 + 0.01 = 0.0496; corrected 0.08/0.19 and 0.0496/0.0199.
    second = 0.9 - 0.1 * (0.08 / 0.19) / math.sqrt(0.0496 / 0.0199)
    adam = one_number(lambda p: optim.Adam(p, lr=0.1, betas=(0.9, 0.99), eps=0.0), [2.0, -1.0])
    assert adam == pytest.approx([0.9, second], rel=1e-14)
    # RMSprop, lr 0.1, α 0.75: v = 1: step 0.1·2/1.  Then v = 0.75 + 0.25 = 1: step -0.1·1/1.
    rms = one_number(lambda p: optim.RMSprop(p, lr=0.1, alpha=0.75, eps=0.0), [2.0, -1.0])
    assert rms == pytest.approx([0.8, 0.9], rel=1e-14)
    # Adagrad, lr 0.1: s = 4: step 0.1·2/2.  Then s = 5: step -0.1/√5.
    ada = one_number(lambda p: optim.Adagrad(p, lr=0.1, eps=0.0), [2.0, -1.0])
    assert ada == pytest.approx([0.9, 0.9 + 0.1 / math.sqrt(5)], rel=1e-14)
    # AdamW, decay 0.5: first 1·(1 - 0.05), then Adam's step of 0.1.
    adamw = one_number(lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.5, eps=0.0), [2.0])
    assert adamw == pytest.approx([0.95 - 0.1], rel=1e-14)
    # SGD with momentum 0.5: v = 2, then 0.5·2 - 1 = 0; Nesterov looks ahead: 2 + 0.5·2 = 3, then -1 + 0.5·0.
    assert one_number(lambda p: optim.SGD(p, lr=0.1, momentum=0.5), [2.0, -1.0]) == pytest.approx([0.8, 0.8])
    looking_ahead = one_number(lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True), [2.0, -1.0])
    assert looking_ahead == pytest.approx([0.7, 0.8])
    # Without the corrections for the start, Adam's first step would be √10 times smaller or larger.
    uncorrected = 1 - 0.1 * 0.2 / math.sqrt(0.04)
    assert abs(adam[0] - uncorrected) < 1e-12 or abs(adam[0] - uncorrected) > 1e-3


@pytest.mark.row("REM-05")
def test_badly_scaled_features_need_fewer_steps_with_adaptive_rates() -> None:
    """Six features whose sizes go from 0.1 to 10; the same net, each method at its own best rate."""
    random = np.random.default_rng(0)
    scales = np.logspace(-1, 1, 6)
    x = random.normal(size=(200, 6)) * scales
    y = x @ (1 / scales)
    inputs, targets = rg.tensor(x), rg.tensor(y)
    limit = 1000

    def steps_to_target(make: Callable[..., optim.Optimizer]) -> int:
        w = nn.Parameter(rg.zeros(6, dtype=rg.float64))
        optimizer = make([w])
        for step in range(limit):
            optimizer.zero_grad()
            loss = F.mse_loss(inputs @ w, targets)
            if not math.isfinite(loss.item()):
                return limit + 1
            if loss.item() < 0.01 * float(np.mean(y**2)):
                return step
            loss.backward()
            optimizer.step()
        return limit + 1

    plain = min(steps_to_target(lambda p, r=10.0**k: optim.SGD(p, lr=r)) for k in np.arange(-3, -0.5, 0.5))
    for method in (optim.Adam, optim.RMSprop, optim.Adagrad):
        best = min(
            steps_to_target(lambda p, r=10.0**k, m=method: m(p, lr=r)) for k in (-2, -1.5, -1, -0.5, 0)
        )
        assert best < plain, method
        assert best <= limit, method
