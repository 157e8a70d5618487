"""What the gradient says to do: the steepest way down, in words, and in proportion to the error (ENG-04, ENG-08)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from engine.small_networks import double
from retrograd import nn, optim
from retrograd.adjust import Update, suggestions, watch_update

R = np.random.default_rng(0)


@pytest.mark.row("ENG-04")
def test_the_gradient_is_the_steepest_direction() -> None:
    """A small step along -grad lowers the loss by ε·|grad|², +grad raises it, and no random direction does better."""
    rg.manual_seed(0)
    net = double(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)))
    x, y = rg.tensor(R.normal(size=(20, 4))), rg.tensor(R.normal(size=(20, 1)))

    def loss() -> rg.Tensor:
        return nn.functional.mse_loss(net(x), y)

    start = loss()
    start.backward()
    parameters = list(net.parameters())
    flat = np.concatenate([p.grad.numpy().reshape(-1) for p in parameters])
    norm = np.linalg.norm(flat)
    base = np.concatenate([p.detach().numpy().reshape(-1) for p in parameters])

    def change(direction: np.ndarray[Any, Any]) -> float:
        nn.utils.vector_to_parameters(rg.tensor(base + direction), parameters)
        return loss().item() - start.item()

    eps = 1e-4
    down, up = change(-eps * flat), change(eps * flat)
    assert down == pytest.approx(-eps * norm**2, rel=0.01)
    assert up == pytest.approx(eps * norm**2, rel=0.01)
    best = change(-eps * flat / norm)
    r = np.random.default_rng(1)
    for _ in range(1000):
        d = r.normal(size=flat.size)
        assert change(eps * d / np.linalg.norm(d)) > best


@pytest.mark.row("ENG-04")
def test_the_gradient_in_words_says_what_lowers_the_loss() -> None:
    """Each suggestion, followed alone, lowers the loss; its opposite raises it."""
    rg.manual_seed(0)
    net = double(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    x, y = rg.tensor(R.normal(size=(20, 3))), rg.tensor(R.normal(size=(20, 1)))
    start = nn.functional.mse_loss(net(x), y)
    start.backward()
    named = dict(net.named_parameters())
    lines = suggestions(net, lr=1e-3, top=8)
    assert len(lines) == 8
    for line in lines:
        verb, name, index, size = re.match(r"(lower|raise) (\S+)\[([\d, ]+)\] by (\S+):", line).groups()
        p, at = named[name], tuple(int(i) for i in index.split(","))
        sign = -1 if verb == "lower" else 1
        for direction in (1, -1):
            with rg.no_grad():
                p[at] += direction * sign * float(size)
                moved = nn.functional.mse_loss(net(x), y).item()
                p[at] -= direction * sign * float(size)
            assert (moved < start.item()) == (direction == 1), line


def update(error: float, loss: Callable[[rg.Tensor], rg.Tensor]) -> np.ndarray[Any, Any]:
    """The change of a linear neuron's weights in one step, when its output misses by ``error``."""
    w = rg.tensor([0.5, -1.0, 2.0], dtype=rg.float64, requires_grad=True)
    x = rg.tensor([1.0, 2.0, 0.5], dtype=rg.float64)
    target = (w @ x).detach() - error
    before = w.detach().clone()
    optimizer = optim.SGD([w], lr=0.125)
    loss(w @ x - target).backward()
    optimizer.step()
    return (w.detach() - before).numpy()


@pytest.mark.row("ENG-08")
def test_twice_the_error_is_twice_the_update_with_squared_error() -> None:
    """Exactly so, in binary; and not so with the absolute error: the statement belongs to the loss."""
    single, doubled = (update(e, lambda gap: gap * gap) for e in (0.5, 1.0))
    assert (doubled == 2 * single).all()
    assert (single == -0.125 * 2 * 0.5 * np.array([1.0, 2.0, 0.5])).all()
    single, doubled = (update(e, lambda gap: gap.abs()) for e in (0.5, 1.0))
    assert (doubled == single).all()
    assert single.any()


@pytest.mark.row("ENG-08")
def test_the_update_report_shows_the_change_beside_the_error() -> None:
    """Twice the miss: four times the squared error, twice the change."""

    def report(miss: float) -> Update:
        neuron = double(nn.Linear(2, 1, bias=False))
        nn.init.constant_(neuron.weight, 1.0)
        x = rg.tensor([[1.0, 2.0]], dtype=rg.float64)
        optimizer = optim.SGD(neuron.parameters(), lr=0.125)

        def step() -> rg.Tensor:
            loss = ((neuron(x) - (3.0 - miss)) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        return watch_update(neuron, step)

    single, doubled = report(0.5), report(1.0)
    assert doubled.loss == 4 * single.loss
    assert doubled.change == pytest.approx(2 * single.change, rel=1e-14)
    assert single.change == pytest.approx(0.125 * single.gradient, rel=1e-14)
