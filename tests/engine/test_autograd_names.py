"""PyTorch's older names of derivatives, and hooks of nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch


@pytest.mark.parametrize("name", ["jacobian", "hessian", "vjp", "jvp", "hvp", "vhp"])
def test_the_older_names(name: str) -> None:
    a, b = np.array([1.0, 2.0]), np.array([[0.5, -1.0], [2.0, 0.3]])

    def call(m: Any) -> Any:
        f = getattr(m.autograd.functional, name)
        x, y = m.tensor(a), m.tensor(b)

        def one(x: Any, y: Any) -> Any:
            return (x.sin() @ y @ x) * y.sum()

        def many(x: Any, y: Any) -> Any:
            return x.sin() @ y

        fn = one if name in ("hessian", "hvp", "vhp") else many
        if name in ("jacobian", "hessian"):
            return [*[p for row in f(fn, (x, y)) for p in (row if isinstance(row, tuple) else (row,))],
                    f(lambda x: fn(x, y), x)]  # fmt: skip
        v = (x * 2, y + 1) if name != "vjp" else x * 2
        out, found = f(fn, (x, y), v)
        single = f(lambda x: fn(x, y), x, x)[1]
        return [out, *(found if isinstance(found, tuple) else (found,)), single]

    for mine, other in zip(call(rg), call(torch), strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-10)
        assert not mine.requires_grad


def test_hooks_of_a_node_see_and_replace_what_passes() -> None:
    x = rg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    seen: list[Any] = []
    handle = y.grad_fn.register_hook(lambda ins, outs: seen.append((ins[0].tolist(), outs[0].tolist())))
    y.grad_fn.register_prehook(lambda outs: (outs[0] * 10,))
    y.sum().backward(retain_graph=True)
    assert seen == [([30, 30], [10, 10])]
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    y.grad_fn.register_hook(lambda ins, _: tuple(None if g is None else g * 0 for g in ins))
    y.sum().backward()
    assert len(seen) == 1
    assert x.grad.tolist() == [30, 30]
