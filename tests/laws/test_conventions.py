"""At a kink the derivative is a convention: each one is stated here, and equals the op's docstring and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    "side": [([[0.0, -0.0]], {}, [[0.0, 0.0]])],
    "next_after": [([[1.0, 2.0], [1.0, 3.0]], {}, [[0.0, 1.0], [0.0, 0.0]])],
    "atan2": [([[0.0], [0.0]], {}, [[0.0], [0.0]])],
    "hypot": [([[0.0], [0.0]], {}, [[0.0], [0.0]])],
    "segment_max": [([[1.0, 1.0, 0.5], [0, 0, 0]], {"size": 1}, [[0.5, 0.5, 0.0], None])],
}
# Where PyTorch has the op under another name, or in a function of more.
IN_PYTORCH: dict[str, Callable[..., Any]] = {
    "side": lambda torch, x: torch.copysign(torch.ones_like(x), x),
    # torch.hypot has NaN there; its norm, which is the same function, has 0
    "hypot": lambda torch, a, b: torch.linalg.vector_norm(torch.stack([a, b]), dim=0),
    "next_after": lambda torch, a, b: torch.nextafter(a, b),
    "segment_max": lambda torch, x, i, size: torch.zeros(size, dtype=x.dtype).scatter_reduce(
        0, i, x, "amax", include_self=False
    ),
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
            assert (a is None) == (b is None)
            np.testing.assert_array_equal(a, b)


def test_every_kink_has_a_stated_convention() -> None:
    assert {op.name for op in KINKED} <= set(CONVENTIONS)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_conventions_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    for inputs, params, expected in CONVENTIONS[name]:
        tensors = [torch.tensor(x) if e is None else torch.tensor(x, dtype=torch.float64, requires_grad=True)
                   for x, e in zip(inputs, expected, strict=True)]  # fmt: skip
        call = IN_PYTORCH.get(name) or (lambda torch, *a, **k: getattr(torch, name)(*a, **k))
        call(torch, *tensors, **params).sum().backward()
        for t, e in zip(tensors, expected, strict=True):
            if e is None:
                continue
            np.testing.assert_allclose(t.grad.numpy(), e, rtol=1e-15)
