"""Activations by their own definition: ReLU at 0, dead units, softmax far out, and step functions that let gradients by."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from retrograd import nn
from retrograd.errors import ShapeError, UsageError


@pytest.mark.row("NET-09")
def test_relu_and_dead_units() -> None:
    x = rg.tensor([-3.0, -1e-30, 0.0, 1e-30, 3.0], dtype=rg.float64, requires_grad=True)
    y = nn.ReLU()(x)
    assert y.tolist() == [0.0, 0.0, 0.0, 1e-30, 3.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]  # at 0 exactly: 0, as the docstring says
    assert "at x = 0 it is 0" in F.relu.__doc__
    away = rg.tensor(np.linspace(-2, 2, 41)[np.abs(np.linspace(-2, 2, 41)) > 0.01], requires_grad=True)
    assert rg.autograd.gradcheck(F.relu, away)
    # Units 1 and 3 get a bias so low that no row of data reaches them; unit 2 is reached by one row in ten.
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 6), nn.ReLU())
    data = rg.rand(10, 3)
    with rg.no_grad():
        net[0].weight.fill_(1.0)
        net[0].bias.copy_(rg.tensor([0.0, -100.0, 0.0, -3.5]))
        row = data.sum(1)
        net[0].bias[2] = -(row.sort().values[-2].item() + 1e-4)
        net[2].weight.fill_(1.0)
        net[2].bias.fill_(1.0)
        net[2].bias[5] = -1e6
    assert nn.dead_units(net, data) == {"1": [1, 3], "3": [5]}
    net(data).sum().backward()
    dead = net[0].weight.grad.numpy()[[1, 3]]
    assert not dead.any()
    assert net[0].weight.grad.numpy()[[0, 2]].any(axis=1).all()  # control: the others do learn
    with rg.no_grad():
        net[0].bias.fill_(1.0)
    assert nn.dead_units(net, data) == {"1": [], "3": [5]}


@pytest.mark.row("NET-10")
def test_softmax_is_stable_and_its_loss_has_the_simplest_gradient() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(6, 5)) * 3
    p = F.softmax(rg.tensor(x), 1).numpy()
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-14)
    for shift in (-1e3, 1e-3, 7.0, 1e6):
        np.testing.assert_allclose(F.softmax(rg.tensor(x + shift), 1).numpy(), p, rtol=1e-9)
    far = rg.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype=rg.float64, requires_grad=True)
    q = F.softmax(far, 1)
    np.testing.assert_allclose(q.detach().numpy(), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-15)
    loss = F.cross_entropy(far, rg.tensor([1, 2]))
    assert loss.item() == pytest.approx((2e4 + np.log(3)) / 2)
    loss.backward()
    assert np.isfinite(far.grad.numpy()).all()
    with np.errstate(all="ignore"):  # control: the textbook formula does overflow here
        assert np.isnan(np.exp([1e4, -1e4]) / np.exp([1e4, -1e4]).sum()).any()
    # The full Jacobian: ∂p_i/∂x_j = p_i·(δ_ij - p_j).
    row = rg.tensor(x[0], requires_grad=True)
    for i in range(5):
        (g,) = rg.autograd.grad(F.softmax(row, 0)[i], [row])
        s = p[0]
        np.testing.assert_allclose(g.numpy(), s[i] * (np.eye(5)[i] - s), rtol=1e-12, atol=1e-15)
    logits, y = rg.tensor(x, requires_grad=True), random.integers(0, 5, 6)
    F.cross_entropy(logits, rg.tensor(y)).backward()
    np.testing.assert_allclose(logits.grad.numpy(), (p - np.eye(5)[y]) / 6, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    ("surrogate", "slope"),
    [
        (None, lambda x: 0 * x),
        ("straight_through", lambda x: 0 * x + 1),
        ("clipped", lambda x: (np.abs(2 * x) < 1).astype(float)),
        ("sigmoid", lambda x: 2 * np.exp(-2 * x) / (1 + np.exp(-2 * x)) ** 2),
        ("fast_sigmoid", lambda x: 1 / (1 + 2 * np.abs(x)) ** 2),
        ("triangle", lambda x: np.maximum(0, 1 - np.abs(2 * x))),
    ],
)
def test_step_is_exact_forwards_and_smooth_backwards(surrogate: str | None, slope: object) -> None:
    values = np.array([-3.0, -0.49, -0.1, -1e-9, 0.0, 1e-9, 0.3, 0.51, 4.0])
    x = rg.tensor(values, requires_grad=True)
    y = nn.Step(surrogate, scale=2.0)(x)
    np.testing.assert_array_equal(y.detach().numpy(), (values >= 0).astype(float))
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(values), rtol=1e-12, atol=1e-15)  # type: ignore[operator]


def test_a_step_network_learns_only_with_a_surrogate() -> None:
    x, y = (
        rg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
        rg.tensor([[0.0], [1.0], [1.0], [0.0]]),
    )

    def trained(surrogate: str | None) -> tuple[np.ndarray, nn.Module]:
        rg.manual_seed(3)
        net = nn.Sequential(nn.Linear(2, 16), nn.Step(surrogate), nn.Linear(16, 1))
        start = net[0].weight.detach().numpy().copy()
        optimizer = rg.optim.Adam(net.parameters(), lr=0.03)
        for _ in range(400):
            optimizer.zero_grad()
            F.mse_loss(net(x), y).backward()
            optimizer.step()
        return net[0].weight.detach().numpy() - start, net

    moved, net = trained("sigmoid")
    assert np.abs(moved).max() > 0.1
    assert F.mse_loss(net(x), y).item() < 0.01
    assert not trained(None)[0].any()


def test_options_that_make_no_sense_are_refused() -> None:
    x = rg.zeros(2, 3)
    for call in (
        lambda: F.gelu(x, approximate="erf"),
        lambda: F.celu(x, alpha=0.0),
        lambda: F.hardtanh(x, 1.0, -1.0),
        lambda: F.softshrink(x, -1.0),
        lambda: F.step(x, "guess"),
    ):
        with pytest.raises(UsageError):
            call()
    with pytest.raises(ShapeError, match="odd"):
        F.glu(x)
    with pytest.raises(ShapeError, match="2 slopes"):
        F.prelu(x, rg.ones(2))
