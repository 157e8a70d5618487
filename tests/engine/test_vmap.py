"""vmap equals a loop, gradients included; per-example gradients come from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import RetrogradError

R = np.random.default_rng(0)
W = rg.tensor(R.normal(size=(3, 2)))
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "dot": (lambda a, b: (a * b).sum(), [(3,), (3,)]),
    "matmul": (lambda a: a @ W, [(4, 3)]),
    "vector times matrix": (lambda a: a @ W, [(3,)]),
    "outer": (lambda a, b: a.unsqueeze(1) * b, [(3,), (2,)]),
    "norm": (lambda a: (a * a).sum().sqrt(), [(3, 2)]),
    "softmax": (lambda a: rg.softmax(a, -1), [(3, 2)]),
    "several": (lambda a: (a.sin(), a.sum(0), a.t()), [(3, 2)]),
    "index": (lambda a: a[1:, 0] + a[[0, 1], 1], [(3, 2)]),
    "cat": (lambda a, b: rg.cat([a, b, a]), [(3,), (2,)]),
    "constant": (lambda a: rg.ones(2), [(3,)]),
    "max": (lambda a: a.max(1).values.sum() + a.amax(), [(3, 2)]),
    "sort": (lambda a: a.sort(0).values * a, [(3, 2)]),
    "where": (lambda a: rg.where(a > 0, a, -a), [(3, 2)]),
    "reshape": (lambda a: a.reshape(-1).flip(0).unsqueeze(0), [(3, 2)]),
    "loss": (lambda a, b: nn.functional.mse_loss(a, b), [(3,), (3,)]),
}


def rows(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("n", [1, 4])
def test_vmap_is_a_loop(name: str, n: int) -> None:
    fn, shapes = FUNCTIONS[name]
    batches = [rg.tensor(R.normal(size=(n, *s)), requires_grad=True) for s in shapes]
    copies = [b.detach().clone().requires_grad_() for b in batches]
    mapped = rows(rg.vmap(fn)(*batches))
    looped = [
        rg.stack(list(each))
        for each in zip(*(rows(fn(*(c[i] for c in copies))) for i in range(n)), strict=True)
    ]
    for a, b in zip(mapped, looped, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-13, atol=1e-15)
    if not any(a.requires_grad for a in mapped):
        return
    for parts in (mapped, looped):
        sum((p * (k + 1)).sum() for k, p in enumerate(parts)).backward()
    for a, b in zip(batches, copies, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("in_dims", "out_dims"), [(0, 0), (1, 0), ((1, None), 0), ((0, 1), 1), ((None, 1), -1)]
)
def test_dimensions(in_dims: Any, out_dims: int) -> None:
    dims = (in_dims,) * 2 if isinstance(in_dims, int) else in_dims
    single = [R.normal(size=(3, 2)) for _ in range(2)]
    given = [
        s if d is None else np.stack([s + k for k in range(5)], d) for s, d in zip(single, dims, strict=True)
    ]

    def fn(a: rg.Tensor, b: rg.Tensor) -> rg.Tensor:
        return a.sin() @ b.t()

    found = rg.vmap(fn, in_dims=in_dims, out_dims=out_dims)(*map(rg.tensor, given)).numpy()
    each = []
    for k in range(5):
        args = [g if d is None else np.take(g, k, d) for g, d in zip(given, dims, strict=True)]
        each.append(fn(*map(rg.tensor, args)).numpy())
    np.testing.assert_allclose(found, np.stack(each, out_dims), rtol=1e-13)


def test_all_pairs() -> None:
    a, b = rg.tensor(R.normal(size=(3, 4))), rg.tensor(R.normal(size=(5, 4)))
    pairs = rg.vmap(lambda x: rg.stack([(x * b[j]).sum() for j in range(5)]))(a)
    np.testing.assert_allclose(pairs.numpy(), a.numpy() @ b.numpy().T, rtol=1e-13)


def test_per_example_gradients() -> None:
    """The gradient of each example's own loss, all at once; their sum is the gradient of the summed loss."""
    w = rg.tensor(R.normal(size=(3,)), requires_grad=True)
    x, y = rg.tensor(R.normal(size=(6, 3))), rg.tensor(R.normal(size=6))

    def gradient(xi: rg.Tensor, yi: rg.Tensor) -> Any:
        return rg.autograd.grad(((xi * w).sum().tanh() - yi) ** 2, w)[0]

    each = rg.vmap(gradient)(x, y)
    assert each.shape == (6, 3)
    (whole,) = rg.autograd.grad(((((x * w).sum(1)).tanh() - y) ** 2).sum(), w)
    np.testing.assert_allclose(each.detach().numpy().sum(0), whole.numpy(), rtol=1e-12)


def test_refusals() -> None:
    with pytest.raises(RetrogradError, match="in_dims"):
        rg.vmap(lambda a, b: a, in_dims=(0,))(rg.ones(2), rg.ones(2))
    with pytest.raises(RetrogradError, match="batch axis"):
        rg.vmap(lambda a: a, in_dims=None)(rg.ones(2))
    with pytest.raises(RetrogradError):
        rg.vmap(lambda a, b: a * b)(rg.ones(2, 3), rg.ones(4, 3))
    with pytest.raises(RetrogradError):
        rg.vmap(lambda a: a[a > 0])(rg.ones(2, 3))
