"""What the gradient is and does: rows ENG-01 to ENG-05 and ENG-08 to ENG-10, each with its control."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.adjust import Update, suggestions, watch_update
from retrograd.grad import Cotangents
from retrograd.nn.summary import multiply_adds, operations
from retrograd.paths import path_factors, print_paths

R = np.random.default_rng(0)


def double(net: nn.Module) -> nn.Module:
    return net.to(rg.float64)


# --- ENG-01 ----------------------------------------------------------------------------------------------------------


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


def random_network(seed: int) -> tuple[nn.Module, rg.Tensor, Callable[[rg.Tensor], rg.Tensor]]:
    """A random dense network with random smooth units, one random batch, and a random loss."""
    r = np.random.default_rng(seed)
    rg.manual_seed(seed)
    sizes = [int(v) for v in r.integers(1, 6, int(r.integers(2, 5)))]
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [
            nn.Linear(a, b),
            [nn.Tanh, nn.Sigmoid, nn.GELU, nn.Softplus, nn.SiLU][int(r.integers(5))](),
        ]
    if r.random() < 0.5 and sizes[-1] > 1:
        layers.append(nn.LayerNorm(sizes[-1]))
    net = double(nn.Sequential(*layers))
    n = int(r.integers(1, 6))
    x = rg.tensor(r.normal(size=(n, sizes[0])))
    if r.random() < 0.5:
        target = rg.tensor(r.normal(size=(n, sizes[-1])))
        return net, x, lambda out: nn.functional.mse_loss(out, target)
    labels = rg.tensor(r.integers(0, sizes[-1], n))
    return net, x, lambda out: nn.functional.cross_entropy(out, labels)


def numeric(p: rg.Tensor, value: Callable[[], float]) -> np.ndarray[Any, Any]:
    """Five-point central differences of ``value`` with respect to every entry of ``p``."""
    array = p.detach().numpy()
    out = np.zeros_like(array)
    h = 1e-3
    for at in np.ndindex(*array.shape):
        old = array[at]
        ends = []
        for k in (-2, -1, 1, 2):
            array[at] = old + k * h
            ends.append(value())
        array[at] = old
        out[at] = ((ends[0] - ends[3]) + 8 * (ends[2] - ends[1])) / (12 * h)
    return out


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


# --- ENG-02 ----------------------------------------------------------------------------------------------------------


def scalar(value: float) -> rg.Tensor:
    return rg.tensor(value, dtype=rg.float64, requires_grad=True)


@pytest.mark.row("ENG-02")
def test_printed_factors_multiply_to_the_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    """f(g(h(x))) = e^(sin(x³)): the factors that are printed are the three local derivatives."""
    x = scalar(0.8)
    y = (x**3).sin().exp()
    print_paths(y, x)
    line = capsys.readouterr().out.splitlines()[0]
    factors = [float(part.split()[0]) for part in line.split(" = ")[0].split(" * ")]
    h, v = 0.8**3, 0.8
    np.testing.assert_allclose(factors, [np.exp(np.sin(h)), np.cos(h), 3 * v * v], rtol=1e-5)
    (path,) = path_factors(y, x)
    y.backward()
    assert path.product.item() == pytest.approx(x.grad.item(), rel=1e-14)
    numerical = (np.exp(np.sin((v + 1e-6) ** 3)) - np.exp(np.sin((v - 1e-6) ** 3))) / 2e-6
    assert np.prod(factors) == pytest.approx(numerical, rel=1e-5)


def diamond(x: rg.Tensor) -> rg.Tensor:
    """One value that feeds two branches."""
    h = x * 3
    return h.sin() * h.exp()


@pytest.mark.row("ENG-02")
def test_a_diamond_is_the_sum_of_its_two_paths() -> None:
    x = scalar(0.4)
    y = diamond(x)
    paths = path_factors(y, x)
    assert len(paths) == 2
    products = [path.product.item() for path in paths]
    y.backward()
    assert x.grad.item() == pytest.approx(sum(products), rel=1e-14)
    assert all(p != pytest.approx(sum(products)) for p in products)


@pytest.mark.row("ENG-02")
def test_without_the_sum_the_diamond_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an engine that keeps the last arrival instead of adding gives one path's product only."""

    def overwrite(self: Cotangents, target: Any, slot: int, value: Any) -> None:
        self.by_key[id(target), slot if not hasattr(target, "_value") else 0] = value

    x = scalar(0.4)
    products = [path.product.item() for path in path_factors(diamond(x), x)]
    monkeypatch.setattr(Cotangents, "add", overwrite)
    diamond(x).backward()
    assert x.grad.item() != pytest.approx(sum(products))
    assert any(x.grad.item() == pytest.approx(p) for p in products)


@pytest.mark.row("ENG-02")
def test_paths_of_vectors() -> None:
    """Factors are Jacobians there; their products add up to the engine's gradient."""
    w = rg.tensor(R.normal(size=(3, 2)), requires_grad=True)
    x = rg.tensor(R.normal(size=(2,)))
    h = w @ x
    y = (h.tanh() * h).sum()
    paths = path_factors(y, w)
    y.backward()
    np.testing.assert_allclose(sum(p.product for p in paths).reshape(3, 2), w.grad.numpy(), rtol=1e-12)


# --- ENG-04 ----------------------------------------------------------------------------------------------------------


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


# --- ENG-05 ----------------------------------------------------------------------------------------------------------


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


# --- ENG-08 ----------------------------------------------------------------------------------------------------------


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


# --- ENG-09 and ENG-10 -----------------------------------------------------------------------------------------------


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
