"""Padding, with PyTorch's name and modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError, UsageError
from ..ops._family import fill
from ..types import TensorType, bool_
from ._arguments import as_tensor, in_dtype, require_tensor
from .elementwise import where
from .pick import index_select
from .shape import integer, piece, place, slice_dims

__all__ = ["pad"]


def constant_pad_nd(input: Any, pad: Sequence[int], value: Any = 0) -> Any:
    """A constant around input: (left, right) of the last dimension, then of the one before it, ...; negative sizes crop"""
    before, after = _widths(input, pad)
    crop = [(max(-b, 0), n - max(-a, 0), 1) for b, a, n in zip(before, after, input.shape, strict=True)]
    if any(
        stop < start or b + n + a < 0
        for (start, stop, _), b, n, a in zip(crop, before, input.shape, after, strict=True)
    ):
        raise ShapeError(
            f"pad={tuple(pad)} leaves less than nothing of shape {tuple(input.shape)}",
            hint="crop at most the size of the dimension",
        )
    x = slice_dims(input, crop)
    low = [max(b, 0) for b in before]
    shape = tuple(b + n + max(a, 0) for b, n, a in zip(low, x.shape, after, strict=True))
    index = [(b, b + n, 1) for b, n in zip(low, x.shape, strict=True)]
    out = place(x, shape, index)
    if isinstance(value, bool | int | float) and value == 0:
        return out
    inside = place(fill(TensorType(tuple(x.shape), bool_), True), shape, index)
    return where(inside, out, in_dtype(value, x.dtype))


def _widths(x: Any, pad: Sequence[int]) -> tuple[list[int], list[int]]:
    """What is added before and after each dimension."""
    widths = [integer("a pad", n) for n in pad]
    if len(widths) % 2 or len(widths) // 2 > require_tensor("pad", x).ndim:
        raise ShapeError(
            f"pad={tuple(widths)} for {x.ndim} dimension(s)",
            hint="two numbers for each dimension, the last one first",
        )
    before, after = [0] * x.ndim, [0] * x.ndim
    for i in range(len(widths) // 2):
        before[-1 - i], after[-1 - i] = widths[2 * i], widths[2 * i + 1]
    return before, after


def _sources(n: int, left: int, right: int, mode: str) -> np.ndarray[Any, Any]:
    """Which entry of a dimension of size n each entry of the padded one repeats."""
    at = np.arange(-left, n + right)
    if mode == "replicate":
        return np.clip(at, 0, n - 1)
    if mode == "circular":
        return at % n
    period = max(2 * (n - 1), 1)
    at = at % period
    return np.minimum(at, period - at) if n > 1 else at


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """input made larger: (left, right) of the last dimension, then of the one before it, ...; negative sizes crop

    ``mode``: "constant" (of ``value``, default 0), "reflect" (mirrored at the edge, which is not repeated), "replicate"
    (the edge repeated) or "circular" (the other end).  All but "constant" pad the last one, two or three dimensions, behind
    one or two others.

    >>> import retrograd as rg
    >>> rg.nn.functional.pad(rg.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise UsageError(f"pad: mode={mode!r}", hint='mode="constant", "reflect", "replicate" or "circular"')
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise UsageError(f"pad: value={value} with mode={mode!r}", hint='value belongs to mode="constant"')
    before, after = _widths(input, pad)
    count = len(pad) // 2
    if count not in (1, 2, 3) or input.ndim not in (count + 1, count + 2):
        raise ShapeError(
            f"pad={tuple(pad)} with mode={mode!r} for shape {tuple(input.shape)}",
            hint=f"for {count} dimension(s) a tensor of {count + 1} or {count + 2} is needed; use .unsqueeze(0)",
        )
    out = input
    for d in range(input.ndim - count, input.ndim):
        n, left, right = input.shape[d], before[d], after[d]
        if mode == "circular" and min(left, right) < 0:  # what is cropped does not come back at the other end
            start, stop = max(-left, 0), n - max(-right, 0)
            out = piece(out, d, min(start, n), max(start, stop))
            n, left, right = out.shape[d], max(left, 0), max(right, 0)
        most = {"reflect": n - 1, "circular": n}.get(mode, max(left, right))
        if (
            n + left + right < (mode == "replicate")
            or max(left, right) > most
            or (not n and max(left, right) > 0)
        ):
            raise ShapeError(
                f"pad={tuple(pad)} with mode={mode!r}: {left} and {right} around a dimension of size {n}",
                hint=f"at most {most} for this mode, and something must be left",
            )
        if left or right:
            out = index_select(out, d, as_tensor(_sources(n, left, right, mode)))
    return out if out is not input else input.clone()
