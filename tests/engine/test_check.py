"""Bugs that people really write, injected one by one: the checks name each; healthy runs raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.check import Finding, check_model, check_ops, watch
from retrograd.errors import ShapeError
from retrograd.op import bind
from retrograd.ops._family import Unary
from retrograd.ops.elementwise import Sin
from retrograd.ops.matmul import Matmul


class FlippedCos(Unary, register=False):
    """y = cos x, with the sign of its derivative wrong"""

    name = "flipped_cos"

    def eval(x: Any) -> Any:  # type: ignore[misc]
        return np.cos(x)

    def vjp(g: Any, _y: Any, x: Any) -> Any:  # type: ignore[misc]
        return (g * bind(Sin, x),)


class UntransposedMatmul(Matmul, register=False):
    """y = a @ b, with a transpose missing in the derivative of b"""

    name = "untransposed_matmul"

    def vjp(g: Any, _y: Any, a: Any, b: Any, *, ta: bool, tb: bool) -> Any:  # type: ignore[misc]
        return (
            lambda: bind(Matmul, g, b, ta=False, tb=True),
            lambda: bind(Matmul, a, g, ta=False, tb=False),
        )


class Applying(nn.Module):
    """A layer that applies a function."""

    def __init__(self, fn: Callable[[rg.Tensor], rg.Tensor]) -> None:
        super().__init__()
        self.fn = fn

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return self.fn(x)


def batch(rows: int = 24, seed: int = 0) -> tuple[rg.Tensor, rg.Tensor]:
    r = np.random.default_rng(seed)
    x = r.normal(size=(rows, 4)).astype("float32")
    return rg.tensor(x), rg.tensor(np.sin(x[:, :1]) + x[:, 1:2])


def network(*middle: nn.Module, seed: int = 0) -> nn.Sequential:
    rg.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), *(middle or (nn.Tanh(),)), nn.Linear(8, 1))


class Climbing(optim.SGD):
    """An optimiser with its sign wrong."""

    def step(self, closure: Any = None) -> None:
        with rg.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p += group["lr"] * p.grad


def steps(net: nn.Module, update: str = "right", clear: bool = True, n: int = 5) -> list[Finding]:
    """A training loop, right or wrong."""
    x, y = batch()
    optimizer = (optim.SGD if update == "right" else Climbing)(net.parameters(), lr=0.05)
    with watch(net, optimizer) as findings:
        for _ in range(n):
            if clear:
                optimizer.zero_grad()
            nn.MSELoss()(net(x), y).backward()
            optimizer.step()
    return findings


def dead() -> list[Finding]:
    net = network(nn.ReLU())
    with rg.no_grad():
        net[0].bias[2] = -100.0
        net[0].bias[5] = -100.0
    return check_model(net, nn.MSELoss(), *batch())


def nan_input() -> list[Finding]:
    x, y = batch()
    x[3, 2] = float("nan")
    return check_model(network(), nn.MSELoss(), x, y)


def missing_transpose_in_a_layer() -> list[Finding]:
    """The shape error names the sizes and the layer."""
    w = rg.ones(6, 8)
    with pytest.raises(ShapeError, match="inner sizes 8 and 6") as caught:
        network(Applying(lambda x: x @ w))(batch()[0])
    assert "layer" in str(caught.value)
    return [Finding("missing transpose", "layer Sequential.1", caught.value.message, caught.value.hint or "")]


def model(fn: Callable[[rg.Tensor], rg.Tensor]) -> list[Finding]:
    return check_model(network(Applying(fn)), nn.MSELoss(), *batch())


SQUARE = rg.tensor(np.random.default_rng(5).normal(size=(8, 8)).astype("float32"), requires_grad=True)
# name: (what runs, code that must be reported, text that names the culprit)
BUGS: dict[str, tuple[Callable[[], list[Finding]], str, str]] = {
    "sign flip in a derivative": (lambda: model(lambda x: bind(FlippedCos, x)), "wrong derivative", "op 'flipped_cos'"),
    "sign flip in the update": (lambda: steps(network(), update="wrong"), "sign flip", "the update"),
    "missing transpose in a derivative": (
        lambda: model(lambda x: bind(UntransposedMatmul, x, SQUARE, ta=False, tb=False)),
        "wrong derivative",
        "op 'untransposed_matmul'",
    ),
    "missing transpose in a layer": (missing_transpose_in_a_layer, "missing transpose", "Sequential.1"),
    "gradients not cleared": (lambda: steps(network(), clear=False), "gradients not cleared", "parameter 0.weight"),
    "softmax over the wrong axis": (lambda: model(lambda x: rg.softmax(x, 0)), "wrong axis", "layer 1"),
    "normalised over the wrong axis": (lambda: model(lambda x: x - x.mean(0, keepdim=True)), "wrong axis", "layer 1"),
    "dead units": (dead, "dead units", "layer 1"),
    "NaN input": (nan_input, "nan input", "column 2"),
    "NaN made inside": (lambda: model(lambda x: (x - 100).log()), "nan output", "layer 1"),
    "detached": (lambda: model(lambda x: x.detach()), "no gradient", "parameter 0.weight"),
}  # fmt: skip


@pytest.mark.row("ADV-02")
@pytest.mark.parametrize("bug", BUGS)
def test_injected_bug_is_named(bug: str) -> None:
    """Sign flip, missing transpose, gradients not cleared, wrong axis, dead units, NaN: each is found and placed."""
    run, code, where = BUGS[bug]
    findings = run()
    hits = [f for f in findings if f.code == code and where in f.where]
    assert hits, f"found only {findings}"
    assert hits[0].hint


ACTIVATIONS = [nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.SiLU]


@pytest.mark.row("ADV-02")
def test_twenty_healthy_runs_raise_no_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty sound networks and loops, drawn at random; hits on the bugs and false alarms are printed."""
    alarms: list[str] = []
    for seed in range(20):
        r = np.random.default_rng(seed)
        width = int(r.integers(4, 17))
        rg.manual_seed(seed)
        middle: list[nn.Module] = [ACTIVATIONS[seed % 5]()]
        if seed % 3 == 1:
            middle.append(nn.LayerNorm(width))
        if seed % 3 == 2:
            middle += [nn.BatchNorm1d(width), nn.Dropout(0.2)]
        net = nn.Sequential(nn.Linear(4, width), *middle, nn.Linear(width, 1))
        x, y = batch(60, seed)
        alarms += [f"run {seed}, before: {f}" for f in check_model(net, nn.MSELoss(), x, y)]
        make = [optim.SGD, optim.Adam, optim.RMSprop][seed % 3]
        optimizer = make(net.parameters(), lr=0.01)
        with watch(net, optimizer) as findings:
            for _ in range(30):
                optimizer.zero_grad()
                nn.MSELoss()(net(x), y).backward()
                if seed % 2:
                    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
                optimizer.step()
        alarms += [f"run {seed}, steps: {f}" for f in findings]
        alarms += [f"run {seed}, after: {f}" for f in check_model(net, nn.MSELoss(), x, y)]
    with capsys.disabled():
        print(f"\n{len(BUGS)} injected bugs; {len(alarms)} false alarms on 20 healthy runs")
    assert not alarms, "\n".join(alarms)


@pytest.mark.row("ADV-02")
def test_adding_an_op_takes_a_few_lines() -> None:
    """Registered or not, an op of one's own is checked like the shipped ones."""

    class Cube(Unary, register=False):
        """y = x³.   x̄ = 3ȳx²"""

        def eval(x: Any) -> Any:  # type: ignore[misc]
            return x**3

        def vjp(g: Any, _y: Any, x: Any) -> Any:  # type: ignore[misc]
            return (g * x * x * 3,)

    assert check_ops(lambda x: bind(Cube, x).sum(), rg.rand(3)) == []


def test_a_kink_is_no_mistake() -> None:
    """relu at exactly 0, where finite differences see half a step."""
    assert check_ops(lambda x: x.relu().sum() + x.abs().sum(), rg.zeros(3)) == []
