"""What a backward pass costs, and that all parameters move from the same snapshot (ENG-09, ENG-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from engine.small_networks import double
from retrograd import nn, optim
from retrograd.nn.summary import multiply_adds, operations

R = np.random.default_rng(0)


@pytest.mark.row("ENG-09")
@pytest.mark.parametrize("width", [1, 40, 400])
def test_one_forward_and_one_backward_whatever_the_number_of_parameters(width: int) -> None:
    """Loss evaluations per update are counted: one, from a dozen parameters to more than 160,000."""
    net = nn.Sequential(
        nn.Linear(3, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )
    calls = {"forward": 0, "backward": 0}

    def count(*_: Any) -> None:
        calls["forward"] += 1

    net.register_forward_hook(count)
    x, y = rg.rand(8, 3), rg.rand(8, 1)
    loss = nn.functional.mse_loss(net(x), y)
    loss.register_hook(lambda g: calls.update(backward=calls["backward"] + 1))
    loss.backward()
    optim.SGD(net.parameters(), lr=0.1).step()
    assert calls == {"forward": 1, "backward": 1}
    assert all(p.grad is not None for p in net.parameters())
    if width == 1:  # the control: central differences need two evaluations for each parameter
        calls["forward"] = 0
        entries = sum(p.numel() for p in net.parameters())
        for p in net.parameters():
            for _ in range(p.numel()):
                net(x), net(x)
        assert calls["forward"] == 2 * entries


@pytest.mark.row("ENG-09")
def test_all_parameters_move_from_the_same_snapshot() -> None:
    """The step equals the one computed from gradients at one point; moving one parameter after the other differs."""
    x, y = rg.tensor(R.normal(size=(10, 3))), rg.tensor(R.normal(size=(10, 1)))

    def fresh() -> nn.Module:
        rg.manual_seed(3)
        return double(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))

    def gradients(net: nn.Module) -> list[rg.Tensor]:
        return list(rg.autograd.grad(nn.functional.mse_loss(net(x), y), list(net.parameters())))

    ours, snapshot, sequential = fresh(), fresh(), fresh()
    nn.functional.mse_loss(ours(x), y).backward()
    optim.SGD(ours.parameters(), lr=0.5).step()
    with rg.no_grad():
        with rg.enable_grad():
            at_once = gradients(snapshot)
        for p, g in zip(snapshot.parameters(), at_once, strict=True):
            p -= 0.5 * g
        for k, p in enumerate(sequential.parameters()):
            with rg.enable_grad():
                g = gradients(sequential)[k]
            p -= 0.5 * g
    for p, q in zip(ours.parameters(), snapshot.parameters(), strict=True):
        assert p.detach().numpy().tobytes() == q.detach().numpy().tobytes()
    pairs = zip(ours.parameters(), sequential.parameters(), strict=True)
    assert any(not np.allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6) for p, q in pairs)


def work(fn: Callable[..., Any], x: rg.Tensor) -> tuple[int, int]:
    """Multiply-adds and other operations of a computation, counted in its graph."""
    equations = rg.trace(fn)(x).equations
    return sum(map(multiply_adds, equations)), sum(map(operations, equations))


MULTIPLY_ADDS, OPERATIONS = 2.0, 5.0
"""Fixed beforehand: two products go back for each one that went forward, and Baur and Strassen's bound for the rest."""


@pytest.mark.row("ENG-10")
@pytest.mark.parametrize("depth", [2, 8, 64])
@pytest.mark.parametrize("width", [16, 256])
def test_backward_costs_a_small_constant_times_forward(depth: int, width: int) -> None:
    """Counted, not timed (benchmarks/backward_cost.py times it): the ratio does not grow with depth or width."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.ReLU()]
    net = nn.Sequential(*layers)
    parameters = list(net.parameters())
    x = rg.rand(8, width)
    forward = work(lambda x: (net(x) ** 2).mean(), x)
    both = work(lambda x: rg.autograd.grad((net(x) ** 2).mean(), parameters), x)
    products, others = (b - f for b, f in zip(both, forward, strict=True))
    assert forward[0] == depth * 8 * width * width
    assert products <= MULTIPLY_ADDS * forward[0]
    assert others <= OPERATIONS * forward[1]
    # the control: central differences cost two forward passes for each parameter
    differences = 2 * sum(p.numel() for p in parameters) * forward[0]
    assert differences > 100 * (products + forward[0])
