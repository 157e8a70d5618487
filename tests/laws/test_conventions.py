"""At a kink the derivative is a convention: each one is stated here, and equals the op's docstring and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from laws.basis import samples, weights
from laws.reverse_rules import pull
from retrograd.op import Op, all_ops, registry

Point = tuple[list[object], dict[str, object], list[object]]

# op: (inputs, parameters, cotangents of the inputs for a cotangent of 1; None where the op gives none)
CONVENTIONS: dict[str, list[Point]] = {
    "abs": [([[0.0]], {}, [[0.0]])],
    "sign": [([[0.0]], {}, [[0.0]])],
    "floor": [([[1.0]], {}, [[0.0]])],
    "ceil": [([[1.0]], {}, [[0.0]])],
    "trunc": [([[1.0]], {}, [[0.0]])],
    "round": [([[0.5, 1.5]], {}, [[0.0, 0.0]])],
    "relu": [([[0.0]], {}, [[0.0]])],
    "maximum": [([[1.0, 2.0], [1.0, 1.0]], {}, [[0.5, 1.0], [0.5, 0.0]])],
    "minimum": [([[1.0, 2.0], [1.0, 1.0]], {}, [[0.5, 0.0], [0.5, 1.0]])],
    "pow": [([[0.0, 2.0], [0.0, 0.0]], {}, [[0.0, 0.0], [0.0, float(np.log(2.0))]])],
    "amax": [([[1.0, 2.0, 2.0]], {"dim": (0,), "keepdim": False}, [[0.0, 0.5, 0.5]])],
    "amin": [([[1.0, 1.0, 2.0]], {"dim": (0,), "keepdim": False}, [[0.5, 0.5, 0.0]])],
}
KINKED = [
    op
    for op in all_ops()
    if op.differentiable and op.__module__.startswith("retrograd.") and any(s.kink for s in samples(op))
]


def cotangents(op: type[Op], inputs: list[np.ndarray], params: dict[str, object]) -> list[object]:
    ones = {k: np.ones_like(w) for k, w in weights(op, inputs, params).items()}
    return [None if p is None else p.numpy() for p in pull(op, inputs, params, ones)]


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_convention(name: str) -> None:
    for inputs, params, expected in CONVENTIONS[name]:
        found = cotangents(registry[name], [np.array(x) for x in inputs], params)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_kink_has_a_stated_convention() -> None:
    assert {op.name for op in KINKED} <= set(CONVENTIONS)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_conventions_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for inputs, params, expected in CONVENTIONS[name]:
        tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
        getattr(torch, name)(*tensors, **params).sum().backward()
        for t, e in zip(tensors, expected, strict=True):
            np.testing.assert_allclose(t.grad.numpy(), e, rtol=1e-15)
