"""The teaching engine says what the real one says; an error planted in it is noticed; nobody else's engine is loaded."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import retrograd as rg
from retrograd import nn

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "docs" / "learn" / "engine.py").read_text(encoding="utf-8")
AGREEMENT = 1e-10
"""How far two gradients may be apart, relative and absolute; fixed beforehand."""


def load(source: str = SOURCE) -> SimpleNamespace:
    """The teaching engine as a module, from its text."""
    names: dict[str, Any] = {"__name__": "engine"}
    exec(compile(source, "engine.py", "exec"), names)
    return SimpleNamespace(**names)


ENGINE = load()


def gradients_of_both(
    engine: SimpleNamespace, widths: list[int], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Loss and gradients for every weight of one tanh network with logistic loss on one set of rows: theirs, ours."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(6, widths[0]))
    y = random.integers(0, 2, 6)
    model = nn.Sequential()
    layers: list[list[list[Any]]] = []
    for a, b in itertools.pairwise(widths):
        weight, bias = random.normal(size=(b, a)), random.normal(size=b)
        linear = nn.Linear(a, b).double()
        with rg.no_grad():
            linear.weight.copy_(rg.from_numpy(weight))
            linear.bias.copy_(rg.from_numpy(bias))
        if len(model):
            model.append(nn.Tanh())
        model.append(linear)
        layers.append([[engine.Value(float(v)) for v in (*row, c)] for row, c in zip(weight, bias)])

    total = engine.Value(0.0)
    for row, label in zip(x, y):
        score = engine.network(layers, [float(v) for v in row])
        total = (
            total + (1 + (score * (-1.0 if label else 1.0)).exp()).log()
        )  # -log of the right answer's probability
    loss = total * (1 / len(x))
    loss.backward()
    theirs = [loss.data, *(w.grad for layer in layers for unit in layer for w in unit)]

    score = model(rg.from_numpy(x)).squeeze(1)
    real = nn.functional.binary_cross_entropy_with_logits(score, rg.from_numpy(y).double())
    real.backward()
    ours = [np.array([real.item()])]
    for layer in model:
        if isinstance(layer, nn.Linear):
            grad = np.column_stack([layer.weight.grad.numpy(), layer.bias.grad.numpy()])
            ours.append(grad.ravel())
    return np.array(theirs), np.concatenate(ours)


@pytest.mark.row("ENG-12")
@pytest.mark.parametrize("widths", [[3, 1], [2, 4, 1], [3, 5, 4, 1], [4, 3, 3, 3, 1]], ids=str)
def test_the_teaching_engine_gives_the_real_engines_gradients(widths: list[int]) -> None:
    theirs, ours = gradients_of_both(ENGINE, widths)
    assert len(ours) == 1 + sum((a + 1) * b for a, b in itertools.pairwise(widths))
    assert np.abs(ours[1:]).max() > 1e-3
    np.testing.assert_allclose(theirs, ours, rtol=AGREEMENT, atol=AGREEMENT)


PLANTED = {
    "a path's share overwrites the others": ("value.grad += slope", "value.grad = slope"),
    "the chain is cut": ("slope * out.grad", "slope"),
    "a sign": ("1 - y * y", "1 + y * y"),
    "a product's other factor": (
        "(self, other.data), (other, self.data)",
        "(self, self.data), (other, other.data)",
    ),
    "a walk in the wrong direction": ("in reversed(order)", "in order"),
    "an order that is none": ("order.append(value)", "order.insert(0, value)"),
    "a power's factor": ("(self, power * self", "(self, self"),
}


@pytest.mark.row("ENG-12")
@pytest.mark.parametrize("error", PLANTED)
def test_control_an_error_planted_in_the_teaching_engine_is_noticed(error: str) -> None:
    right, wrong = PLANTED[error]
    assert SOURCE.count(right) == 1, "the line to break is not there"
    engine = load(SOURCE.replace(right, wrong))
    pairs = gradients_of_both(engine, [3, 5, 4, 1]), along_one_formula(engine, ["pow", "mul"], [0.7])
    assert not all(np.allclose(a, b, rtol=AGREEMENT, atol=AGREEMENT) for a, b in pairs)


STEPS = {
    "add": (2, lambda a, b: a + b),
    "mul": (2, lambda a, b: a * b.tanh()),
    "sub": (2, lambda a, b: a - b),
    "div": (2, lambda a, b: a / (b * b + 1.5)),
    "pow": (1, lambda a: (a.tanh() + 1.5) ** 3),
    "tanh": (1, lambda a: a.tanh()),
    "relu": (1, lambda a: a.relu()),
    "exp": (1, lambda a: (a.tanh() * 2.0).exp()),
    "log": (1, lambda a: (a * a + 0.5).log()),
    "with a number": (1, lambda a: 2.0 * a + 1.0 - a * 0.5),
}


def along_one_formula(
    engine: SimpleNamespace, steps: list[str], start: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of one long formula in which every number may be used many times: theirs, ours."""
    first = [engine.Value(v) for v in start]
    mine = [rg.tensor(v, dtype=rg.float64, requires_grad=True) for v in start]
    theirs, ours = list(first), list(mine)
    for k, name in enumerate(steps):
        inputs, step = STEPS[name]
        chosen = [(k * 7 + j * 3) % len(theirs) for j in range(inputs)]
        theirs.append(step(*(theirs[i] for i in chosen)))
        ours.append(step(*(ours[i] for i in chosen)))
    a, b = engine.Value(0.0), rg.tensor(0.0, dtype=rg.float64)
    for theirs_part, ours_part in zip(theirs[-3:], ours[-3:]):
        a, b = a + theirs_part, b + ours_part
    a.backward()
    if b.requires_grad:
        b.backward()
    zero = 0.0
    return (
        np.array([a.data, *(v.grad for v in first)]),
        np.array([b.item(), *(zero if v.grad is None else v.grad.item() for v in mine)]),
    )


@pytest.mark.row("ENG-12")
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=12),
    st.lists(st.floats(-2, 2).filter(lambda v: abs(v) > 1e-3), min_size=1, max_size=3),
)
def test_any_formula_has_the_same_gradients_in_both(steps: list[str], start: list[float]) -> None:
    theirs, ours = along_one_formula(ENGINE, steps, start)
    np.testing.assert_allclose(theirs, ours, rtol=AGREEMENT, atol=AGREEMENT)


def test_going_back_twice_gives_the_same_gradients() -> None:
    a = ENGINE.Value(2.0)
    loss = a * a * a
    for _ in range(2):
        loss.backward()
        assert a.grad == 12.0


def test_a_formula_of_many_steps_is_not_too_deep() -> None:
    a = ENGINE.Value(1.0)
    b = a
    for _ in range(20_000):
        b = b * 1.0
    b.backward()
    assert a.grad == 1.0


@pytest.mark.row("ENG-12")
def test_the_teaching_engine_is_short_and_plain() -> None:
    assert len(SOURCE.splitlines()) < 150
    tree = ast.parse(SOURCE)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imports for alias in node.names} <= {"math", "random"}
    assert "chain rule" in ast.get_docstring(tree)


def test_its_own_example_learns() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "docs" / "learn" / "engine.py")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    losses = [float(line.split()[3]) for line in done.stdout.splitlines()]
    assert losses[0] > 0.2
    assert losses[-1] < 0.001


# --- what is loaded --------------------------------------------------------------------------------------------------

OTHER_ENGINES = {
    "torch",
    "tensorflow",
    "jax",
    "jaxlib",
    "autograd",
    "keras",
    "mxnet",
    "aesara",
    "theano",
    "tinygrad",
}
TRAINING_STEP = """
import retrograd as rg
from retrograd import nn, optim
model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = optim.Adam(model.parameters(), lr=0.01)
before = [p.detach().clone() for p in model.parameters()]
loss = nn.functional.cross_entropy(model(rg.randn(5, 3)), rg.tensor([0, 1, 0, 1, 1]))
loss.backward()
optimizer.step()
assert all(not rg.equal(p, q) for p, q in zip(model.parameters(), before))
"""


def loaded_by(code: str, path: Path) -> set[str]:
    """The top-level modules in `sys.modules` after a fresh interpreter has run the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT / "src")])},
    )
    return set(done.stdout.split())


@pytest.mark.row("ENG-12")
@pytest.mark.parametrize("code", ["import retrograd", TRAINING_STEP], ids=["import", "training step"])
def test_no_other_engine_is_loaded(code: str, tmp_path: Path) -> None:
    loaded = loaded_by(code, tmp_path)
    assert {"retrograd", "numpy"} <= loaded
    assert not loaded & OTHER_ENGINES


@pytest.mark.row("ENG-12")
def test_control_the_audit_notices_a_planted_engine(tmp_path: Path) -> None:
    (tmp_path / "autograd.py").write_text("# a stand-in for the package of this name\n")
    planted = TRAINING_STEP + "\nimport autograd\n"
    assert loaded_by(planted, tmp_path) & OTHER_ENGINES == {"autograd"}
