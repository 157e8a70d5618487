"""Evenly spaced numbers, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ShapeError, UsageError
from ..op import constant
from ..types import DType, dtype_of, float64, get_default_dtype, int64
from . import elementwise as e
from ._arguments import cast, in_dtype, is_tensor
from .create import check_device, floating_or, from_array
from .shape import integer

__all__ = ["arange", "linspace", "logspace"]


def _plain(value: Any) -> Any:
    return value.item() if is_tensor(value) else value


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """start, start + step, ... before end"""
    check_device(device)
    first, last, by = (_plain(v) for v in ((0, start, step) if end is None else (start, end, step)))
    chosen = dtype_of(dtype) if dtype is not None else None
    if chosen is None:
        chosen = get_default_dtype() if any(isinstance(v, float) for v in (first, last, by)) else int64
    if not by or not all(map(math.isfinite, (first, last, by))) or (last - first) * by < 0:
        raise UsageError(
            f"arange from {first} to {last} by {by}",
            hint="finite numbers, and a step that leads from start towards end",
        )
    if chosen.category == 1:
        whole, pace = int(first), int(by)
        if chosen is int64 and pace:
            count = -((whole - int(last)) // pace)
        else:
            count = math.ceil((last - first) / by)
        return from_array((whole + pace * np.arange(max(count, 0))).astype(chosen.numpy), requires_grad)
    count = math.ceil((last - first) / by)
    return from_array((first + by * np.arange(count)).astype(chosen.numpy), requires_grad)


def _spaced(start: Any, end: Any, steps: Any, dtype: DType) -> Any:
    """``steps`` numbers from start to end in float64, counted from the nearer end; a tensor if one of them is."""
    n = integer("steps", steps)
    if n < 0:
        raise ShapeError(f"{n} steps", hint="steps is at least 0")
    if any(is_tensor(v) and v.ndim for v in (start, end)):
        raise ShapeError("start and end have dimensions", hint="numbers, or tensors without dimensions")
    at = np.arange(n)
    gap = 1.0 / max(n - 1, 1)
    if not is_tensor(start) and not is_tensor(end):
        a, b = (_whole(v, dtype) if dtype.category == 1 else float(v) for v in (start, end))
        pace = (b - a) / max(n - 1, 1)
        return np.where(at < n // 2 if n > 1 else at < 1, a + pace * at, b - pace * (n - 1 - at))
    a, b = (_rounded(v, dtype) for v in (start, end))
    pace = e.mul(e.sub(b, a), gap) if n < 3 else e.div(e.sub(b, a), n - 1)
    low, high = (
        e.add(a, e.mul(pace, constant(at, float64))),
        e.sub(b, e.mul(pace, constant(n - 1 - at, float64))),
    )
    return e.where(constant(at < max(n // 2, n == 1)), low, high)


def _whole(value: Any, dtype: DType) -> int:
    """An end of a range of whole numbers."""
    held = np.iinfo(dtype.numpy)
    if not (math.isfinite(value) and min(held.min, -held.max) <= int(value) <= held.max):
        raise UsageError(f"{value} is beyond {dtype!r}", hint="a finite number that fits, or dtype=float64")
    return int(value)


def _rounded(value: Any, dtype: DType) -> Any:
    """A number as ``dtype`` holds it, in float64; no gradient passes, as in PyTorch."""
    return cast(in_dtype(value, dtype).detach(), float64)


def _made(values: Any, dtype: DType, requires_grad: bool) -> Any:
    if is_tensor(values):
        out = cast(values, dtype)
        return out.requires_grad_() if requires_grad else out
    with np.errstate(all="ignore"):
        return from_array(values.astype(dtype.numpy), requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """``steps`` numbers from start to end, both included, evenly spaced

    >>> import retrograd as rg
    >>> rg.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_device(device)
    kind = floating_or(dtype)
    return _made(_spaced(start, end, steps, kind), kind, requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """base to the power of `linspace`"""
    check_device(device)
    kind = floating_or(dtype)
    exponents = _spaced(start, end, steps, kind)
    if is_tensor(exponents):
        return _made(e.pow(base, exponents), kind, requires_grad)
    with np.errstate(all="ignore"):
        return _made(np.power(float(base), exponents), kind, requires_grad)
