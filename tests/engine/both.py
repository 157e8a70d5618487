"""One expression, written once, computed here and in PyTorch: ``both(lambda m, x: m.exp(x), array)``.

``m`` is `retrograd` or `torch`.  Every result is compared, and so are the gradients of a random weighting of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import retrograd as rg
from oracle.compare import close, ours, theirs, torch

DTYPES = ("float64", "float32")


def listed(out: Any) -> list[Any]:
    """The tensors of a result."""
    return list(out) if isinstance(out, tuple | list) else [out]


def both(
    fn: Callable[..., Any], *arrays: Any, dtype: str = "float64", grad: bool = True, seed: int = 0
) -> None:
    """Values and gradients agree, or both refuse."""
    cast = [np.asarray(a, dtype) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in arrays]
    wanted = [i for i, a in enumerate(cast) if grad and a.dtype.kind == "f"]
    x = [ours(a, i in wanted) for i, a in enumerate(cast)]
    t = [theirs(a, i in wanted) for i, a in enumerate(cast)]
    try:
        expected = listed(fn(torch, *t))
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        try:
            found = fn(rg, *x)
        except rg.errors.RetrogradError as refusal:
            assert refusal.hint, refusal  # noqa: PT017
            return
        raise AssertionError(f"PyTorch refuses ({error}); we give {found}") from error
    found = listed(fn(rg, *x))
    assert len(found) == len(expected)
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        if isinstance(b, torch.Tensor):
            close(a, b, dtype, f"result {k}")
        else:
            assert a == b, f"result {k}: {a}, PyTorch {b}"
    r = np.random.default_rng(seed)
    mine, other = [], []
    for a, b in zip(found, expected, strict=True):
        if not isinstance(b, torch.Tensor):
            continue
        w = r.normal(size=tuple(b.shape)).astype(dtype)
        assert a.requires_grad == b.requires_grad, f"requires_grad: ours {a.requires_grad}"
        if b.requires_grad:
            mine.append((a * rg.tensor(w.astype(a.detach().numpy().dtype))).sum())
            other.append((b * torch.tensor(w, dtype=b.dtype)).sum())
    if not mine:
        return
    sum(mine[1:], start=mine[0]).backward()
    sum(other[1:], start=other[0]).backward()
    for i in wanted:
        if t[i].grad is None:
            assert x[i].grad is None or not x[i].grad.numpy().any(), f"gradient {i} where PyTorch has none"
            continue
        if t[i].grad.numel() == 0 and x[i].grad is None:
            continue  # an empty write leaves no trace here
        assert x[i].grad is not None, f"no gradient {i}"
        close(x[i].grad, t[i].grad, dtype, f"gradient {i}")
