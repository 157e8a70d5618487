"""Layers, losses and whole training steps can be staged into a graph, and the graph computes what eager does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from retrograd import nn, optim

ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.ELU(), nn.CELU(0.5), nn.SELU(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(),
    nn.Mish(), nn.Softplus(2.0), nn.LogSigmoid(), nn.Softsign(), nn.Hardtanh(), nn.Hardsigmoid(), nn.Hardswish(),
    nn.Tanhshrink(), nn.Softshrink(), nn.Hardshrink(), nn.Threshold(0.1, 2.0), nn.PReLU(), nn.GLU(), nn.Softmax(1),
    nn.LogSoftmax(1), nn.Softmin(1), nn.Tanh(), nn.Sigmoid(), nn.Step("sigmoid"), nn.ReLU(inplace=True),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activation_and_its_gradient(activation: nn.Module) -> None:
    x = rg.randn(3, 4)

    def both(v: rg.Tensor) -> tuple[rg.Tensor, rg.Tensor]:
        v = v.detach().requires_grad_()
        y = activation(v * 1)
        return y, rg.autograd.grad((y * y).sum(), [v])[0]

    expected = [t.detach().numpy() for t in both(x)]
    graph = rg.trace(both)(x)
    for mine, other in zip(graph(x.numpy()), expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-7)


LOSSES: list[tuple[str, Any, Any]] = [
    ("mse", F.mse_loss, "numbers"),
    ("huber", F.huber_loss, "numbers"),
    ("poisson", F.poisson_nll_loss, "numbers"),
    ("gaussian", lambda a, b: F.gaussian_nll_loss(a, b, a.exp()), "numbers"),
    ("bce", lambda a, b: F.binary_cross_entropy(a.sigmoid(), b.sigmoid()), "numbers"),
    ("bce logits", lambda a, b: F.binary_cross_entropy_with_logits(a, b.sigmoid()), "numbers"),
    ("cross entropy", F.cross_entropy, "classes"),
    (
        "cross entropy, smoothed",
        lambda a, b: F.cross_entropy(a, b, label_smoothing=0.1, ignore_index=1),
        "classes",
    ),
    ("soft cross entropy", lambda a, b: F.cross_entropy(a, F.softmax(b, 1)), "numbers"),
    ("layer norm", lambda a, b: F.layer_norm(a, (4,), b[0], b[1]).square().sum(), "numbers"),
    (
        "batch norm",
        lambda a, b: F.batch_norm(a, None, None, b[0], b[1], training=True).square().sum(),
        "numbers",
    ),
]


@pytest.mark.parametrize(("name", "loss", "kind"), LOSSES)
def test_loss_and_its_gradient(name: str, loss: Any, kind: str) -> None:
    x, y = rg.randn(5, 4), rg.randn(5, 4) if kind == "numbers" else rg.randint(0, 4, (5,))

    def both(v: rg.Tensor, target: rg.Tensor) -> tuple[rg.Tensor, rg.Tensor]:
        v = v.detach().requires_grad_()
        value = loss(v, target)
        return value, rg.autograd.grad(value, [v])[0]

    expected = [t.detach().numpy() for t in both(x, y)]
    for mine, other in zip(rg.trace(both)(x, y)(x.numpy(), y.numpy()), expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_classes_that_are_ignored_are_ignored_in_a_trace_too() -> None:
    """Traced, nobody knows whether a class number will be ignored: the graph must allow for it."""
    x, y = rg.randn(6, 3), rg.tensor([0, -100, 2, 1, -100, 0])
    graph = rg.trace(F.cross_entropy)(x, rg.zeros(6, dtype=rg.int64))
    assert graph(x.numpy(), y.numpy())[0] == pytest.approx(F.cross_entropy(x, y).item(), rel=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
        lambda p: optim.AdamW(p, lr=0.01),
        lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
        lambda p: optim.Adagrad(p, lr=0.1),
    ],
    ids=["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"],
)
def test_a_whole_training_step_is_one_graph(make: Any) -> None:
    """Forward, loss, backward and update in one trace; its state outputs are what the eager step leaves behind."""
    rg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = make(net.parameters())
    x, y = rg.randn(6, 3), rg.randint(0, 2, (6,))

    def step(a: rg.Tensor, b: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(a), b)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        step(x, y)
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    graph = rg.trace(step)(x, y)
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])  # tracing changed nothing
    values = graph.evaluate(x.numpy(), y.numpy(), every=True)
    traced = {id(t): values[v.name] for kind, t, v in graph.states if kind == "value"}
    loss = step(x, y)
    assert values[graph.outputs[0].name] == pytest.approx(loss.item(), rel=1e-5)
    for name, t in [*net.named_parameters(), *net.named_buffers()]:
        np.testing.assert_allclose(traced[id(t)], t.detach().numpy(), rtol=1e-4, atol=1e-6, err_msg=name)
    for state in optimizer.state.values():
        for key, t in state.items():
            np.testing.assert_allclose(traced[id(t)], t.numpy(), rtol=1e-4, atol=1e-7, err_msg=key)


def test_layers_are_vectorised() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2))
    x = rg.randn(5, 3)
    one_by_one = np.stack([net(row).detach().numpy() for row in x])
    np.testing.assert_allclose(rg.vmap(net)(x).detach().numpy(), one_by_one, rtol=1e-5, atol=1e-6)


def test_scopes_are_the_names_of_the_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Tanh())])

        def forward(self, x: rg.Tensor) -> rg.Tensor:
            for layer in self.layers:
                x = layer(x)
            return x

    scopes = {eq.scope for eq in rg.trace(Net())(rg.zeros(1, 2)).equations}
    assert scopes == {"Net.layers.0", "Net.layers.1.0", "Net.layers.1.1"}


@pytest.mark.parametrize(
    "make", [lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9), lambda p, lr: optim.AdamW(p, lr=lr)]
)
def test_a_rate_that_is_a_tensor_is_a_variable_of_the_graph(make: Any) -> None:
    """The same graph serves every rate: a schedule never needs another trace."""
    w, lr = nn.Parameter(rg.tensor([1.0, -2.0])), rg.tensor(0.1)
    optimizer = make([w], lr)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)

    def step() -> None:
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()

    step()
    graph = rg.trace(step, names={"lr": lr})()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is lr
    assert lr.item() == pytest.approx(0.05)
    values = graph.evaluate(every=True)  # the constant "lr" of the graph shares memory with the tensor
    new = next(values[v.name] for kind, t, v in graph.states if t is w)
    step()
    np.testing.assert_allclose(new, w.detach().numpy(), rtol=1e-6)
