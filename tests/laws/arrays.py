"""Arrays for the laws: of every dtype, with the same values lying in memory in every way."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import retrograd as rg

Array = np.ndarray[Any, Any]

FLOATING = ("float32", "float64")
WHOLE = ("int64", "int32", "uint8")
DTYPES = (*FLOATING, *WHOLE, "bool")

STEP, BACK = slice(None, None, 2), slice(None, None, -1)
LAYOUTS = ("rows", "columns", "permuted", "stepped", "backwards", "expanded", "inner")
"""Ways to lie in memory; "expanded" repeats one entry of each axis without storing it twice."""

shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


def numbers(shape: tuple[int, ...], dtype: str, seed: int, *, special: bool = False) -> Array:
    """Small random numbers; ``special`` puts zeros, infinities and NaN among them."""
    r = np.random.default_rng(seed)
    if dtype == "bool":
        return np.asarray(r.random(shape) < 0.5)
    if dtype in WHOLE:
        return np.asarray(r.integers(0 if dtype == "uint8" else -9, 10, shape), dtype)
    found = np.asarray(r.uniform(-3, 3, shape), dtype)
    if special:
        odd = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan], dtype)
        found = np.asarray(np.where(r.random(shape) < 0.4, odd[r.integers(0, len(odd), shape)], found), dtype)
    return found


def laid_out(array: Array, layout: str) -> tuple[Array, Any]:
    """The array's values as a tensor that lies in memory in another way, and the values ("expanded" changes them)."""
    n = array.ndim
    first, odd, back = ((..., *[part] * n) for part in (slice(0, 1), STEP, BACK))
    if layout == "expanded" and array.size:
        start = array[first].copy()
        return np.broadcast_to(start, array.shape), rg.from_numpy(start).expand(array.shape)
    if layout == "columns":
        return array, rg.from_numpy(array.T.copy()).permute(tuple(reversed(range(n))))
    if layout == "permuted":
        order = (*range(1, n), 0) if n else ()
        inverse = tuple(int(k) for k in np.argsort(order))
        return array, rg.from_numpy(array.transpose(order).copy()).permute(inverse)
    if layout == "stepped":
        wide = np.zeros([2 * k for k in array.shape], array.dtype)
        wide[odd] = array
        return array, rg.from_numpy(wide)[odd]
    if layout == "backwards":
        return array, rg.from_numpy(array[back].copy()[back])
    if layout == "inner":
        wide = np.zeros([k + 3 for k in array.shape], array.dtype)
        part = (..., *[slice(2, 2 + k) for k in array.shape])
        wide[part] = array
        return array, rg.from_numpy(wide)[part]
    return array, rg.from_numpy(array.copy())


def same(found: Any, expected: Array, what: str, *, relative: float = 1e-5, exact: bool = False) -> None:
    """Shape, dtype and values; NaN and infinities in the same places."""
    array = np.asarray(found.detach().numpy() if hasattr(found, "detach") else found)
    assert array.shape == expected.shape, f"{what}: shape {array.shape}, expected {expected.shape}"
    assert array.dtype == expected.dtype, f"{what}: dtype {array.dtype}, expected {expected.dtype}"
    if exact or expected.dtype.kind != "f":
        np.testing.assert_array_equal(array, expected, err_msg=what)
    else:
        np.testing.assert_allclose(array, expected, rtol=relative, atol=relative * 1e-2, err_msg=what)
