"""One forward and one backward pass give every gradient; finite differences need two passes a parameter and say the same."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim


class Counted:
    """A loss that counts how often it is computed, forwards and backwards."""

    def __init__(self, net: nn.Module, dtype: rg.dtype = rg.float64) -> None:
        random = np.random.default_rng(0)
        inputs = next(net.parameters()).shape[1]
        self.x, self.y = (rg.tensor(random.normal(size=(4, n)), dtype=dtype) for n in (inputs, 1))
        self.net, self.forward, self.backward = net, 0, 0

    def __call__(self) -> rg.Tensor:
        self.forward += 1
        loss = nn.functional.mse_loss(self.net(self.x), self.y)
        if loss.requires_grad:
            loss.register_hook(self.came_back)
        return loss

    def came_back(self, _: rg.Tensor) -> None:
        self.backward += 1


def size(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.row("ENG-09")
def test_ten_parameters_or_a_million_take_one_pass_each_way() -> None:
    seen = {}
    for width in (1, 7, 1000):
        net = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
        loss = Counted(net, rg.float32)
        optimizer = optim.SGD(net.parameters(), lr=0.01)
        before = [p.detach().clone() for p in net.parameters()]
        loss().backward()
        optimizer.step()
        seen[size(net)] = (loss.forward, loss.backward)
        for p, old in zip(net.parameters(), before):
            assert not rg.equal(p.detach(), old)  # all of them moved
            assert bool(rg.isfinite(p).all())
    assert seen == {4: (1, 1), 64: (1, 1), 1_002_001: (1, 1)}


@pytest.mark.row("ENG-09")
def test_control_finite_differences_need_two_passes_a_parameter_for_the_same_numbers() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    loss = Counted(net)
    loss().backward()
    loss.forward = 0
    with rg.no_grad():
        for p in net.parameters():
            for at in np.ndindex(*p.shape):
                kept = p[at].item()
                sides = []
                for nudge in (1e-6, -1e-6):
                    p[at] = kept + nudge
                    sides.append(loss().item())
                p[at] = kept
                assert p.grad[at].item() == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-8)
    assert loss.forward == 2 * size(net) == 42
