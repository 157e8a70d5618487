"""The gradient of a whole network: by hand, and against finite differences (ENG-01, ENG-05)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from engine.small_networks import double, numeric, random_network
from retrograd import nn, optim

R = np.random.default_rng(0)


@pytest.mark.row("ENG-01")
def test_a_network_worked_by_hand() -> None:
    """A 2-2-1 net with sigmoid units and half the squared error; every number below was worked out on paper.

    x = (1, 2), W1 = [[0.1, 0.2], [-0.3, 0.4]], b1 = (0.1, -0.1), w2 = (0.5, -0.6), b2 = 0.2, target 1.
    z = (0.6, 0.4), h = σ(z) = (0.645656, 0.598688), y = 0.322828 - 0.359213 + 0.2 = 0.163616
    dL/dy = y - 1 = -0.836384; dL/dw2 = dL/dy·h; δ_i = dL/dy·w2_i·h_i(1 - h_i); dL/dW1 = δ xᵀ; dL/db1 = δ.
    """
    w1 = rg.tensor([[0.1, 0.2], [-0.3, 0.4]], dtype=rg.float64, requires_grad=True)
    b1 = rg.tensor([0.1, -0.1], dtype=rg.float64, requires_grad=True)
    w2 = rg.tensor([0.5, -0.6], dtype=rg.float64, requires_grad=True)
    b2 = rg.tensor(0.2, dtype=rg.float64, requires_grad=True)
    x = rg.tensor([1.0, 2.0], dtype=rg.float64)
    y = w2 @ (w1 @ x + b1).sigmoid() + b2
    loss = 0.5 * (y - 1) ** 2
    loss.backward()
    assert y.item() == pytest.approx(0.163616, abs=1e-6)
    assert loss.item() == pytest.approx(0.349769, abs=1e-6)
    np.testing.assert_allclose(w2.grad.numpy(), [-0.540017, -0.500733], atol=1e-6)
    np.testing.assert_allclose(b2.grad.numpy(), -0.836384, atol=1e-6)
    np.testing.assert_allclose(b1.grad.numpy(), [-0.095676, 0.120570], atol=1e-6)
    np.testing.assert_allclose(w1.grad.numpy(), [[-0.095676, -0.191351], [0.120570, 0.241140]], atol=1e-6)


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("seed", range(25))
def test_whole_networks_equal_finite_differences(seed: int) -> None:
    """Relative error below 1e-6, over random shapes, units and losses."""
    net, x, loss = random_network(seed)
    loss(net(x)).backward()
    for name, p in net.named_parameters():
        true = numeric(p, lambda: loss(net(x)).item())
        gap = np.abs(p.grad.numpy() - true).max(initial=0)
        assert gap <= 1e-6 * max(np.abs(true).max(initial=0), 1e-3), f"{name}: {gap}"


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("name", ["mul", "matmul", "tanh", "add", "broadcast", "sum"])
def test_a_broken_local_derivative_turns_the_networks_red(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one rule's sign turned, networks no longer agree with finite differences."""
    from retrograd.op import registry

    op = registry[name]
    rule = op.vjp

    def flipped(*args: Any, **params: Any) -> Any:
        pulled = rule(*args, **params)
        return tuple(None if v is None else (lambda v=v: -v()) if callable(v) else -v for v in pulled)

    rg.manual_seed(0)
    net = double(nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2)))
    x = rg.tensor(R.normal(size=(4, 3)))

    def worst() -> float:
        net.zero_grad()
        out = net(x)
        (out * out).sum().backward()
        true = {n: numeric(p, lambda: (net(x) ** 2).sum().item()) for n, p in net.named_parameters()}
        return max(
            float(np.abs(p.grad.numpy() - true[n]).max() / np.abs(true[n]).max())
            for n, p in net.named_parameters()
            if p.grad is not None
        )

    assert worst() < 1e-6
    monkeypatch.setattr(op, "vjp", flipped)
    assert worst() > 1e-3


@pytest.mark.row("ENG-05")
def test_every_weight_and_every_bias_is_nudged(capsys: pytest.CaptureFixture[str]) -> None:
    """In a trained net of three layers the measured change agrees with the derivative for all of them."""
    rg.manual_seed(0)
    net = double(nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4), nn.Sigmoid(), nn.Linear(4, 2)))
    x = rg.tensor(R.normal(size=(30, 3)))
    labels = rg.tensor((x.numpy()[:, 0] * x.numpy()[:, 1] > 0).astype("int64"))
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), labels)
        loss.backward()
        optimizer.step()
    net.zero_grad()
    nn.functional.cross_entropy(net(x), labels).backward()
    counts = {"weight": [0, 0], "bias": [0, 0]}
    for name, p in net.named_parameters():
        true = numeric(p, lambda: nn.functional.cross_entropy(net(x), labels).item())
        right = np.abs(p.grad.numpy() - true) <= 1e-6 * np.abs(true) + 1e-11
        kind = counts[name.rsplit(".", 1)[1]]
        kind[0] += int(right.sum())
        kind[1] += right.size
    with capsys.disabled():
        print(
            "\n"
            + ", ".join(f"{kind}: {right} of {total} nudges agree" for kind, (right, total) in counts.items())
        )
    assert counts == {"weight": [50, 50], "bias": [12, 12]}
