"""One computation here and in PyTorch: values and gradients side by side.

The error is measured relative to the largest entry of PyTorch's result, and must stay below 1e-10 in float64 and
1e-5 in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import retrograd as rg

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
SHAPES: list[tuple[int, ...]] = [(), (1,), (7,), (3, 4), (2, 3, 5), (0, 3), (4, 1), (2, 1, 3, 2)]


def ours(array: Any, grad: bool = False) -> Any:
    """A tensor of ours with a copy of the array."""
    t = rg.tensor(np.array(array))
    return t.requires_grad_() if grad and t.dtype.is_floating_point else t


def theirs(array: Any, grad: bool = False) -> Any:
    """A tensor of PyTorch with a copy of the array."""
    t = torch.tensor(np.array(array))
    return t.requires_grad_() if grad and t.is_floating_point() else t


def close(mine: Any, other: Any, dtype: str, what: str) -> None:
    """Same shape, and the same numbers up to the tolerance; NaN and infinities in the same places."""
    a = np.asarray(mine.detach().numpy() if hasattr(mine, "detach") else mine)
    b = np.asarray(other.detach().numpy() if hasattr(other, "detach") else other)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch {b.shape}"
    assert a.dtype == b.dtype, f"{what}: dtype {a.dtype}, PyTorch {b.dtype}"
    special = ~np.isfinite(b)
    np.testing.assert_array_equal(a[special], b[special], err_msg=what)
    a, b = np.where(special, 0, a), np.where(special, 0, b)
    if a.size:
        error = np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)
        assert error <= TOLERANCE[dtype], f"{what}: relative error {error:.3g}\nours {a}\nPyTorch {b}"


def compare(
    mine: Callable[..., Any],
    other: Callable[..., Any],
    arrays: Sequence[Any],
    dtype: str = "float64",
    *,
    what: str = "",
    grad: Sequence[int] | None = None,
    seed: int = 0,
) -> None:
    """Values, and the gradients of a random weighting of the result, for the floating inputs (or those in ``grad``)."""
    cast = [np.asarray(a, dtype) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in arrays]
    wanted = [i for i, a in enumerate(cast) if a.dtype.kind == "f"] if grad is None else list(grad)
    x = [ours(a, i in wanted) for i, a in enumerate(cast)]
    t = [theirs(a, i in wanted) for i, a in enumerate(cast)]
    y, z = mine(*x), other(*t)
    close(y, z, dtype, f"{what} value")
    if not wanted:
        return
    weights = np.random.default_rng(seed).normal(size=tuple(z.shape)).astype(dtype)
    y.backward(rg.tensor(weights))
    z.backward(torch.tensor(weights))
    for i in wanted:
        if t[i].grad is None:
            assert x[i].grad is None or not x[i].grad.numpy().any(), (
                f"{what}: gradient {i} where PyTorch has none"
            )
            continue
        assert x[i].grad is not None, f"{what}: no gradient {i}"
        close(x[i].grad, t[i].grad, dtype, f"{what} gradient {i}")
