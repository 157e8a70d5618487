"""What a network is made of: layers, heads, weights, biases, the forward rule, activations. Each with its control."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from retrograd import nn, optim
from retrograd.errors import DTypeError, RetrogradError, ShapeError, UsageError

XOR = (rg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), rg.tensor([0, 1, 1, 0]))


def rings(n: int = 400) -> tuple[rg.Tensor, rg.Tensor]:
    """Two concentric rings of points, classes 0 (radius 1) and 1 (radius 2)."""
    random = np.random.default_rng(0)
    label = np.arange(n) % 2
    angle, radius = random.uniform(0, 2 * np.pi, n), 1 + label + random.normal(0, 0.1, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
    return rg.tensor(points), rg.tensor(label)


def mlp(widths: list[int], activation: Any = nn.Tanh) -> nn.Sequential:
    parts: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        parts += [nn.Linear(a, b)] + ([activation()] if i < len(widths) - 2 else [])
    return nn.Sequential(*parts)


def accuracy_after_training(
    net: nn.Module, x: rg.Tensor, y: rg.Tensor, steps: int = 400, lr: float = 0.03
) -> float:
    optimizer = optim.Adam(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    return float((net(x).argmax(1) == y).float().mean().item())


@pytest.mark.row("NET-03")
@pytest.mark.parametrize("problem", ["xor", "rings"])
def test_hidden_layers_solve_what_none_cannot(problem: str) -> None:
    x, y = XOR if problem == "xor" else rings()
    rg.manual_seed(1)
    # A line gets at most 3 of XOR's 4 points, and about half of two rings.
    assert accuracy_after_training(mlp([2, 2]), x, y) <= (0.75 if problem == "xor" else 0.65)
    for hidden in ([8], [8, 8], [16, 8, 4, 8]):
        net = mlp([2, *hidden, 2])
        assert accuracy_after_training(net, x, y) >= 0.99, hidden
        read: dict[str, Any] = {}
        for name, layer in net.named_children():
            layer.register_forward_hook(
                lambda m, args, out, name=name, read=read: read.update({name: out.detach().numpy()})
            )
        net(x)
        assert [read[str(2 * i + 1)].shape for i in range(len(hidden))] == [(len(y), h) for h in hidden]
        w, b = net[0].weight.detach().numpy(), net[0].bias.detach().numpy()
        np.testing.assert_allclose(read["1"], np.tanh(x.numpy() @ w.T + b), rtol=1e-4, atol=1e-5)


@pytest.mark.row("NET-04")
def test_heads_and_their_losses() -> None:
    x = rg.randn(20, 3) * 50
    number, yes, classes = (
        nn.Linear(3, 1),
        nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()),
        nn.Sequential(nn.Linear(3, 4), nn.Softmax(1)),
    )
    assert number(x).shape == (20, 1)
    p = yes(x).detach().numpy()
    assert p.shape == (20, 1)
    assert (p >= 0).all()
    assert (p <= 1).all()
    q = classes(x).detach().numpy()
    assert q.shape == (20, 4)
    assert (q >= 0).all()
    np.testing.assert_allclose(q.sum(1), 1, rtol=1e-6)
    # A head and a loss that agree.
    labels = rg.randint(0, 4, (20,))
    for loss in (
        F.mse_loss(number(x), rg.randn(20, 1)),
        F.binary_cross_entropy(yes(x), (labels > 1).float().unsqueeze(1)),
        F.binary_cross_entropy_with_logits(number(x), (labels > 1).float().unsqueeze(1)),
        F.cross_entropy(nn.Linear(3, 4)(x), labels),
    ):
        assert loss.shape == ()
    # Heads and losses that do not.
    wrong: list[tuple[Any, type[RetrogradError], str]] = [
        (lambda: F.mse_loss(number(x), rg.randn(20)), ShapeError, r"target.reshape\(\(20, 1\)\)"),
        (lambda: F.l1_loss(number(x).squeeze(1), rg.randn(20, 1)), ShapeError, r"target.reshape\(\(20,\)\)"),
        (lambda: F.mse_loss(number(x), rg.randn(20, 3)), ShapeError, "one prediction per target"),
        (
            lambda: F.binary_cross_entropy(number(x), (labels > 1).float().unsqueeze(1)),
            UsageError,
            "with_logits",
        ),
        (
            lambda: F.binary_cross_entropy(yes(x), (labels > 1).float()),
            ShapeError,
            r"target.reshape\(\(20, 1\)\)",
        ),
        (
            lambda: F.binary_cross_entropy_with_logits(nn.Linear(3, 4)(x), labels),
            ShapeError,
            "use cross_entropy",
        ),
        (lambda: F.cross_entropy(number(x), labels), UsageError, "binary_cross_entropy_with_logits"),
        (lambda: F.cross_entropy(nn.Linear(3, 3)(x), labels), UsageError, "the last layer needs 4 outputs"),
        (lambda: F.cross_entropy(nn.Linear(3, 4)(x), labels.float()), DTypeError, r"target.long\(\)"),
        (
            lambda: F.cross_entropy(nn.Linear(3, 4)(x), labels.unsqueeze(1)),
            ShapeError,
            r"target.squeeze\(1\)",
        ),
        (lambda: F.cross_entropy(nn.Linear(3, 4)(x), labels - 1), UsageError, "class -1"),
        (
            lambda: F.cross_entropy(nn.Linear(3, 4)(x), labels, weight=rg.ones(3)),
            ShapeError,
            "one weight per class",
        ),
        (lambda: F.cross_entropy(nn.Linear(3, 4)(x), F.one_hot(labels, 4)), ShapeError, "target.float"),
    ]
    for call, kind, hint in wrong:
        with pytest.raises(kind, match=hint) as caught:
            call()
        assert "test_network_rows.py" in str(caught.value)
    with pytest.warns(UserWarning, match="repeated"):
        F.mse_loss(nn.Linear(3, 4)(x), rg.randn(4))


@pytest.mark.row("NET-05")
def test_a_weight_is_the_strength_of_a_connection() -> None:
    rg.manual_seed(0)
    net = nn.Sequential({"hidden1": nn.Linear(4, 5), "act": nn.Tanh(), "out": nn.Linear(5, 1)}).double()
    names = ["area", "bedrooms", "age", "floors"]
    x = rg.randn(10, 4, dtype=rg.float64)
    named = {c.name: c for c in nn.connections(net, inputs=names)}
    chosen = named["hidden1[3] <- bedrooms"]
    assert chosen.weight == net.hidden1.weight[3, 1].item()
    before = net(x).detach().numpy()
    sums = net.hidden1(x).detach().numpy()

    strength = chosen.weight
    for k in (2.0, -1.0, 0.5):  # scaling scales its contribution, and nothing else
        chosen.weight = k * strength
        changed = net.hidden1(x).detach().numpy()
        contribution = strength * x.numpy()[:, 1]
        np.testing.assert_allclose(changed[:, 3] - sums[:, 3], (k - 1) * contribution, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(np.delete(changed, 3, 1), np.delete(sums, 3, 1))

    chosen.cut()  # zero weight: as if unit 3 had never been connected with bedrooms
    w, b = net.hidden1.weight.detach().numpy(), net.hidden1.bias.detach().numpy()
    rest = [0, 2, 3]
    hidden = x.numpy() @ w.T + b
    hidden[:, 3] = x.numpy()[:, rest] @ w[3, rest] + b[3]
    by_hand = np.tanh(hidden) @ net.out.weight.detach().numpy().T + net.out.bias.detach().numpy()
    np.testing.assert_allclose(net(x).detach().numpy(), by_hand, rtol=1e-12)
    assert not np.allclose(by_hand, before)  # control: the connection did matter


@pytest.mark.row("NET-06")
def test_bias_is_the_offset() -> None:
    x = rg.linspace(-1, 3, 50, dtype=rg.float64).unsqueeze(1)
    y = 3 + 2 * x

    def fit(bias: bool) -> tuple[nn.Linear, float]:
        layer = nn.Linear(1, 1, bias=bias, dtype=rg.float64)
        optimizer = optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(1500):
            optimizer.zero_grad()
            F.mse_loss(layer(x), y).backward()
            optimizer.step()
        return layer, F.mse_loss(layer(x), y).item()

    with_bias, residual = fit(True)
    assert with_bias.bias.item() == pytest.approx(3, abs=1e-6)
    assert with_bias.weight.item() == pytest.approx(2, abs=1e-6)
    assert residual < 1e-12
    without, unavoidable = fit(False)
    a, b = x.numpy().ravel(), y.numpy().ravel()
    best = (a @ b) / (a @ a)
    assert without.bias is None
    assert without.weight.item() == pytest.approx(best, rel=1e-6)
    assert unavoidable == pytest.approx(np.mean((b - best * a) ** 2), rel=1e-9)
    assert unavoidable > 1
    net = mlp([2, 3, 1]).double()
    assert rg.autograd.gradcheck(net, rg.randn(4, 2, dtype=rg.float64))  # weights and biases, numerically
    h, loss = 1e-6, lambda: F.mse_loss(net(x.expand(50, 2)), y)
    loss().backward()
    bias = net[0].bias
    for i in range(3):
        ends = []
        for side in (h, -h):
            with rg.no_grad():
                bias[i] += side
                ends.append(loss().item())
                bias[i] -= side
        assert bias.grad[i].item() == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5)


@pytest.mark.row("NET-07")
def test_forward_rule_by_a_triple_loop_and_by_the_printed_steps() -> None:
    random = np.random.default_rng(0)
    for trial in range(12):
        widths = [int(k) for k in random.integers(1, 7, size=int(random.integers(2, 6)))]
        net = mlp(widths).double()
        x = random.normal(size=(3, widths[0]))
        layers = [m for m in net if isinstance(m, nn.Linear)]
        expected = []
        for row in x.tolist():
            for k, layer in enumerate(layers):
                w, b = layer.weight.tolist(), layer.bias.tolist()
                out = []
                for i in range(len(w)):
                    total = 0.0
                    for j in range(len(row)):
                        total += w[i][j] * row[j]
                    total += b[i]
                    out.append(np.tanh(total) if k < len(layers) - 1 else total)
                row = out
            expected.append(row)
        got = net(rg.tensor(x)).detach().numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12, err_msg=str(trial))
        assert re_added(nn.forward_steps(net, rg.tensor(x[0]))) == pytest.approx(
            got[0].tolist(), rel=1e-12, abs=1e-12
        )


def re_added(text: str) -> list[float]:
    """Works the printed steps through again: sums, tanh, and that every layer uses what the one before gave."""
    known: dict[str, float] = {}
    last: list[float] = []
    layer = ""
    for line in text.splitlines():
        summed = re.fullmatch(r"((.+)\[\d+\]) = (.+) = (\S+)", line)
        if summed:
            unit, name, terms, result = summed.groups()
            if name != layer:
                layer, last = name, []
            total = 0.0
            for term in terms.split(" + "):
                product = re.fullmatch(r"(\S+) \((.+)\) \* (\S+)", term)
                if product:
                    value, source, weight = product.groups()
                    assert known.get(source, float(value)) == float(value)
                    total += float(value) * float(weight)
                else:
                    total += float(term.removesuffix(" (bias)"))
            assert total == pytest.approx(float(result), rel=1e-12, abs=1e-12)
            known[unit] = total
            last.append(total)
        else:
            unit, before, after = re.fullmatch(r".+: (\S+) (\S+) -> (\S+)", line).groups()  # type: ignore[union-attr]
            assert float(before) == pytest.approx(known[unit], rel=1e-12)
            assert np.tanh(float(before)) == pytest.approx(float(after), rel=1e-12)
            known[unit] = float(after)
    return last


@pytest.mark.row("NET-08")
def test_only_the_activation_makes_depth_matter() -> None:
    rg.manual_seed(0)
    linear = mlp([2, 8, 8, 2], nn.Identity)
    x, y = XOR
    assert accuracy_after_training(linear, x, y) <= 0.75
    matrix, offset = np.eye(2), np.zeros(2)
    for layer in linear:
        if isinstance(layer, nn.Linear):
            w = layer.weight.detach().numpy().astype(float)
            matrix, offset = w @ matrix, w @ offset + layer.bias.detach().numpy()
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    np.testing.assert_allclose(
        linear(rg.tensor(points)).detach().numpy(), points @ matrix.T + offset, rtol=1e-4, atol=1e-4
    )
    rg.manual_seed(0)
    assert (
        accuracy_after_training(mlp([2, 8, 8, 2], nn.ReLU), x, y) == 1.0
    )  # the same net and seed but for the activation
