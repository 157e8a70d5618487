"""Learning to learn: a start trained through the inner update adapts to new sines faster than two rivals.

A task is a sine of height 0.1 to 5 and phase 0 to π on [-5, 5], ten points shown (Finn and others 2017).  The rivals are
a net pre-trained on the same tasks in the plain way, and a random start; each gets the step size that serves it best.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import retrograd as rg
from example_programs import load
from retrograd import nn, optim

Weights = list[rg.Tensor]
SHOTS, INNER_RATE, HIDDEN = 10, 0.03, 40
RATES = (0.003, 0.01, 0.03, 0.1)
"""Step sizes that the rivals may choose from, after the fact."""
AFTER_ONE, AFTER_MORE, AGAINST_RANDOM = 0.6, 0.8, 0.5
"""Fixed beforehand: the error after one step, and after two to five, as a share of the pre-trained start's; and of the random
start's."""


def start(seed: int, hidden: int = HIDDEN, dtype: rg.dtype = rg.float32) -> Weights:
    """Weights and biases of 1-hidden-hidden-1."""
    random, weights = np.random.default_rng(seed), []
    for a, b in ((1, hidden), (hidden, hidden), (hidden, 1)):
        bound = 1 / math.sqrt(a)
        for shape in ((a, b), (1, b)):
            weights.append(rg.tensor(random.uniform(-bound, bound, shape), dtype=dtype, requires_grad=True))
    return weights


def net(w: Weights, x: rg.Tensor) -> rg.Tensor:
    return rg.tanh(rg.tanh(x @ w[0] + w[1]) @ w[2] + w[3]) @ w[4] + w[5]


def sines(
    random: np.random.Generator, tasks: int, points: int, dtype: rg.dtype = rg.float32
) -> tuple[rg.Tensor, rg.Tensor]:
    """x and y of shape (tasks, points, 1)."""
    height, phase = random.uniform(0.1, 5, (tasks, 1, 1)), random.uniform(0, math.pi, (tasks, 1, 1))
    x = random.uniform(-5, 5, (tasks, points, 1))
    return rg.tensor(x, dtype=dtype), rg.tensor(height * np.sin(x - phase), dtype=dtype)


def adapted(
    w: Weights,
    x: rg.Tensor,
    y: rg.Tensor,
    steps: int = 1,
    rate: float = INNER_RATE,
    second_order: bool = False,
) -> Weights:
    """Weights for each task by itself, after gradient steps on its points."""
    w = [p.expand(len(x), *p.shape) for p in w]
    for _ in range(steps):
        loss = ((net(w, x) - y) ** 2).mean((1, 2)).sum()
        slopes = rg.autograd.grad(loss, w, create_graph=second_order)
        w = [p - rate * slope for p, slope in zip(w, slopes)]
    return w


def outer(w: Weights, x: rg.Tensor, y: rg.Tensor, second_order: bool = True) -> rg.Tensor:
    """The error on the second half of each task's points after one step on the first half."""
    half = x.shape[1] // 2
    there = adapted(w, x[:, :half], y[:, :half], second_order=second_order)
    return nn.functional.mse_loss(net(there, x[:, half:]), y[:, half:])


def trained(meta: bool, steps: int = 1200, tasks: int = 10) -> Weights:
    """A start from the same tasks, the same number of updates and the same optimiser, learnt in one of two ways."""
    weights, random = start(1), np.random.default_rng(0)
    optimizer = optim.Adam(weights, lr=3e-3)
    for _ in range(steps):
        x, y = sines(random, tasks, 2 * SHOTS)
        optimizer.zero_grad()
        (outer(weights, x, y) if meta else nn.functional.mse_loss(net(weights, x), y)).backward()
        optimizer.step()
    return weights


def errors(w: Weights, rate: float) -> list[float]:
    """On 200 new tasks: the error on 100 other points after 0 to 5 steps on ten."""
    x, y = sines(np.random.default_rng(99), 200, SHOTS + 100)
    w = [p.detach().requires_grad_() for p in w]
    found = []
    for steps in range(6):
        there = adapted(w, x[:, :SHOTS], y[:, :SHOTS], steps, rate)
        found.append(nn.functional.mse_loss(net(there, x[:, SHOTS:]), y[:, SHOTS:]).item())
    return found


@pytest.mark.row("FUT-05")
@pytest.mark.slow
def test_a_learnt_start_adapts_faster_than_a_pre_trained_and_a_random_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meta = errors(trained(meta=True), INNER_RATE)
    pre_trained = [errors(w, rate) for w in [trained(meta=False)] for rate in RATES]
    random = [errors(start(1), rate) for rate in RATES]
    best = {"pre-trained": np.min(pre_trained, axis=0), "random": np.min(random, axis=0)}
    with capsys.disabled():
        print(
            "\nerror on new sines after 0 to 5 steps (rivals: the best of four step sizes, after each step anew)"
        )
        for name, row in {"meta-learnt": meta, **best}.items():
            print(f"    {name:12s}", " ".join(f"{value:.3f}" for value in row))
    assert meta[1] <= AFTER_ONE * best["pre-trained"][1]
    for steps in range(1, 6):
        assert meta[steps] <= AFTER_MORE * best["pre-trained"][steps]
        assert meta[steps] <= AGAINST_RANDOM * best["random"][steps]
    # control: before any step it is no better than what it is compared with; the gain is in the learning
    assert meta[0] > 0.9 * best["pre-trained"][0]


@pytest.mark.row("FUT-05")
def test_the_second_order_gradient_is_right_and_the_first_order_one_is_another() -> None:
    """Every entry against central differences of the error after the inner step, float64."""
    weights = start(3, hidden=5, dtype=rg.float64)
    x, y = sines(np.random.default_rng(4), 3, 8, rg.float64)
    exact = [g.numpy() for g in rg.autograd.grad(outer(weights, x, y), weights)]
    first_order = [g.numpy() for g in rg.autograd.grad(outer(weights, x, y, second_order=False), weights)]
    numeric = []
    for p in weights:
        found = np.zeros(p.shape)
        for at in np.ndindex(*p.shape):
            sides = []
            for nudge in (1e-5, -1e-5):
                with rg.no_grad():
                    p[at] += nudge
                sides.append(outer(weights, x, y).item())
                with rg.no_grad():
                    p[at] -= nudge
            found[at] = (sides[0] - sides[1]) / 2e-5
        numeric.append(found)
    for ours, theirs in zip(exact, numeric):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    whole, without = (np.concatenate([g.ravel() for g in gs]) for gs in (exact, first_order))
    assert np.linalg.norm(whole - without) > 0.01 * np.linalg.norm(whole)


@pytest.mark.row("FUT-05")
def test_gradcheck_passes_through_the_inner_update() -> None:
    weights = start(5, hidden=3, dtype=rg.float64)
    x, y = sines(np.random.default_rng(6), 2, 6, rg.float64)
    assert rg.autograd.gradcheck(lambda *w: outer(list(w), x, y), tuple(weights))
    assert not rg.autograd.gradcheck(
        lambda *w: outer(list(w), x, y, second_order=False), tuple(weights), raise_exception=False
    )


@pytest.mark.row("FUT-05")
def test_the_program_to_copy_computes_the_same_gradient() -> None:
    """examples/programs/meta_learning_start.py against the formulas here, on the same task and weights."""
    program = load("programs/meta_learning_start")
    model = program.network(np.random.default_rng(7), hidden=6).double()
    x, y = sines(np.random.default_rng(8), 1, 2 * SHOTS, rg.float64)
    halves = iter([(x[0, :SHOTS], y[0, :SHOTS]), (x[0, SHOTS:], y[0, SHOTS:])])
    theirs = program.outer_loss(model, lambda rows: next(halves))
    theirs.backward()
    weights = [
        p.detach().t().requires_grad_() if p.ndim == 2 else p.detach().unsqueeze(0).requires_grad_()
        for p in model.parameters()
    ]
    ours = outer(weights, x, y)
    ours.backward()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-12)
    assert program.INNER_RATE == INNER_RATE
    for p, w in zip(model.parameters(), weights):
        np.testing.assert_allclose(
            w.grad.numpy().reshape(-1), p.grad.numpy().T.reshape(-1), rtol=1e-9, atol=1e-12
        )
