"""Starting weights: their distributions, their fans, and why they must be random."""

from __future__ import annotations

import math

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from retrograd import nn, optim
from retrograd.errors import ShapeError, UsageError
from retrograd.nn import init


def filled(
    function: object, *args: object, shape: tuple[int, ...] = (300, 200), **options: object
) -> np.ndarray:
    t = nn.Parameter(rg.empty(*shape, dtype=rg.float64))
    assert function(t, *args, **options) is t  # type: ignore[operator]
    assert t.is_leaf
    assert t.grad_fn is None
    return t.detach().numpy()


@pytest.mark.parametrize(
    ("function", "options", "bound", "std"),
    [
        (init.uniform_, {"a": -3.0, "b": 3.0}, 3.0, 3 / math.sqrt(3)),
        (init.normal_, {"std": 0.2}, None, 0.2),
        (init.xavier_uniform_, {}, math.sqrt(6 / 500), math.sqrt(2 / 500)),
        (init.xavier_normal_, {"gain": 2.0}, None, 2 * math.sqrt(2 / 500)),
        (init.kaiming_uniform_, {"nonlinearity": "relu"}, math.sqrt(6 / 200), math.sqrt(2 / 200)),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, 1 / math.sqrt(200), 1 / math.sqrt(600)),
        (init.kaiming_normal_, {"nonlinearity": "relu", "mode": "fan_out"}, None, math.sqrt(2 / 300)),
        (init.kaiming_normal_, {"nonlinearity": "tanh"}, None, 5 / 3 / math.sqrt(200)),
    ],
)
def test_distributions(function: object, options: dict, bound: float | None, std: float) -> None:
    w = filled(function, **options)
    n = w.size
    assert abs(w.mean()) < 5 * std / math.sqrt(n)
    assert w.std() == pytest.approx(std, rel=0.02)
    if bound is not None:
        assert 0.99 * bound < np.abs(w).max() <= bound


def test_the_others() -> None:
    assert (filled(init.constant_, 2.5) == 2.5).all()
    assert (filled(init.ones_) == 1).all()
    assert not filled(init.zeros_).any()
    np.testing.assert_array_equal(filled(init.eye_, shape=(3, 4)), np.eye(3, 4))
    for shape in ((20, 50), (50, 20), (10, 4, 5)):
        q = filled(init.orthogonal_, shape=shape, gain=2.0).reshape(shape[0], -1)
        small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    cut = filled(init.trunc_normal_, std=1.0, a=-1.0, b=0.5)
    assert -1 <= cut.min() < -0.99
    assert 0.49 < cut.max() <= 0.5
    sparse = filled(init.sparse_, 0.25, std=0.1)
    np.testing.assert_array_equal((sparse == 0).sum(0), np.full(200, 75))
    assert init.fans((8, 4, 3, 3)) == (36, 72)
    for call in (
        lambda: init.xavier_normal_(rg.zeros(3)),
        lambda: init.eye_(rg.zeros(3)),
        lambda: init.orthogonal_(rg.zeros(3)),
    ):
        with pytest.raises(ShapeError):
            call()
    for call in (
        lambda: init.calculate_gain("step"),
        lambda: init.kaiming_normal_(rg.zeros(3, 3), mode="fan"),
        lambda: init.trunc_normal_(rg.zeros(3), a=1.0, b=0.0),
        lambda: init.trunc_normal_(rg.zeros(3), a=50.0, b=51.0),
    ):
        with pytest.raises(UsageError):
            call()


def test_linear_starts_as_its_docstring_says() -> None:
    layer = nn.Linear(400, 300)
    for values in (layer.weight.detach().numpy(), layer.bias.detach().numpy()):
        assert np.abs(values).max() <= 1 / 20
        assert values.std() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.1)


@pytest.mark.row("TRN-10")
def test_scale_for_the_activation_keeps_the_signal_through_thirty_layers() -> None:
    x = rg.randn(200, 256)

    def size_after(layers: int, draw: object, activation: object) -> float:
        h = x
        for _ in range(layers):
            h = activation(h @ draw(rg.empty(256, 256)).t())  # type: ignore[operator]
        return float(h.numpy().astype(np.float64).std())

    relu = size_after(30, lambda w: init.kaiming_normal_(w, nonlinearity="relu"), F.relu)
    assert 0.2 < relu < 5
    assert (
        size_after(30, lambda w: init.uniform_(w, -1 / 16, 1 / 16), F.relu) < 1e-6
    )  # control: the plain scale fades
    assert size_after(30, lambda w: init.normal_(w, std=1.0), F.relu) > 1e6


@pytest.mark.row("TRN-10")
def test_equal_starts_stay_equal_and_random_ones_do_not() -> None:
    random = np.random.default_rng(0)
    x, y = rg.tensor(random.normal(size=(64, 3)).astype("float32")), rg.tensor(random.integers(0, 2, size=64))

    def trained(start: str, seed: int = 0) -> tuple[np.ndarray, float]:
        rg.manual_seed(seed)
        net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
        if start == "equal":
            for layer in (net[0], net[2]):
                init.constant_(layer.weight, 0.3), init.constant_(layer.bias, 0.1)
        optimizer = optim.Adam(net.parameters(), lr=0.02)
        for _ in range(200):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
        return net[0].weight.detach().numpy(), loss.item()

    equal, equal_loss = trained("equal")
    np.testing.assert_array_equal(
        equal, np.broadcast_to(equal[:1], equal.shape)
    )  # six units, one and the same
    free, free_loss = trained("random")
    assert np.abs(free[:, None] - free[None]).sum(-1)[~np.eye(6, dtype=bool)].min() > 0.01
    assert free_loss < equal_loss
    again, again_loss = trained("random")
    np.testing.assert_array_equal(again, free)
    assert again_loss == free_loss
    assert (trained("random", seed=1)[0] != free).any()
