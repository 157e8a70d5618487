"""Comparing results in tests: ``rg.testing.assert_close(actual, expected)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import UsageError
from .functions.create import as_tensor
from .tensor import Tensor
from .types import float32, float64, promote

__all__ = ["assert_close"]

_TOLERANCES = {float32: (1.3e-6, 1e-5), float64: (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """An AssertionError unless |actual - expected| ≤ atol + rtol·|expected| everywhere; tensors, numbers, arrays, and lists,
    tuples and dicts of them.  Without tolerances: 1.3e-6 and 1e-5 for float32, 1e-7 both for float64, 0 for integers.

    >>> import retrograd as rg
    >>> rg.testing.assert_close(rg.tensor([0.1]) + 0.2, rg.tensor([0.3]))
    """
    if (rtol is None) != (atol is None):
        raise UsageError(f"assert_close with rtol={rtol} and atol={atol}", hint="give both, or neither")

    def fail(place: str, said: str) -> None:
        text = f"{said}\nThe failure occurred for item {place}" if place else said
        raise AssertionError(text if msg is None else msg(text) if callable(msg) else msg)

    def compare(a: Any, b: Any, place: str) -> None:
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if a.keys() != b.keys():
                fail(
                    place,
                    f"The keys of the mappings do not match: {sorted(map(str, a))} != {sorted(map(str, b))}",
                )
            for key in a:
                compare(a[key], b[key], f"{place}[{key!r}]")
            return
        if isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, str):
            if len(a) != len(b):
                fail(place, f"The length of the sequences mismatch: {len(a)} != {len(b)}")
            for k, (left, right) in enumerate(zip(a, b, strict=True)):
                compare(left, right, f"{place}[{k}]")
            return
        if isinstance(a, Tensor) != isinstance(b, Tensor):
            raise TypeError(f"{type(a).__name__} and {type(b).__name__} cannot be compared")
        numbers = not isinstance(a, Tensor | np.ndarray)
        x, y = as_tensor(a).detach(), as_tensor(b).detach()
        if tuple(x.shape) != tuple(y.shape):
            fail(
                place, f"The values for attribute 'shape' do not match: {tuple(x.shape)} != {tuple(y.shape)}."
            )
        if check_dtype and not numbers and x.dtype is not y.dtype:
            fail(place, f"The values for attribute 'dtype' do not match: {x.dtype!r} != {y.dtype!r}.")
        if check_stride and x.stride() != y.stride():
            fail(place, f"The values for attribute 'stride()' do not match: {x.stride()} != {y.stride()}.")
        relative, absolute = (rtol, atol) if rtol is not None else _usual(x, y, numbers)
        u, v = (t.numpy().astype(promote(x.dtype, y.dtype).numpy) for t in (x, y))
        with np.errstate(all="ignore"):
            gap = np.abs(u - v) if u.dtype != bool else (u != v).astype(np.int64)
            bad = ~((u == v) | (np.isfinite(u) & np.isfinite(v) & (gap <= absolute + relative * np.abs(v))))
            if equal_nan:
                bad &= ~(np.isnan(u) & np.isnan(v))
            if bad.any():
                fail(place, _said(bad, gap, v, relative, absolute))

    compare(actual, expected, "")


def _usual(x: Tensor, y: Tensor, numbers: bool) -> tuple[float, float]:
    kinds = [float64 if numbers and t.dtype.is_floating_point else t.dtype for t in (x, y)]
    found = [_TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
    return max(f[0] for f in found), max(f[1] for f in found)


def _said(bad: Any, gap: Any, v: Any, relative: Any, absolute: Any) -> str:
    gap, share = np.where(bad, gap, 0), np.where(bad, gap / np.abs(v), 0)
    lines = [f"Mismatched elements: {int(bad.sum())} / {bad.size} ({bad.mean():.1%})"]
    for name, numbers, allowed in (("absolute", gap, absolute), ("relative", share, relative)):
        at = np.unravel_index(int(np.nanargmax(numbers)) if not np.isnan(numbers).all() else 0, bad.shape)
        place = tuple(int(k) for k in at)
        lines.append(f"Greatest {name} difference: {numbers[at]} at index {place} (up to {allowed} allowed)")
    word = "close" if relative or absolute else "equal"
    return f"Tensor-likes are not {word}!\n\n" + "\n".join(lines)
