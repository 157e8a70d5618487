"""Functions that take different formulas in different ranges, on arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..op import Array

Piece = tuple[Array, Callable[..., Array]]


def by_range(pieces: Iterable[Piece], *arrays: Array) -> Array:
    """Each formula where its mask holds, the first match counts; NaN where none does.  Arrays are float64, of one shape."""
    out = np.full(arrays[0].shape, np.nan)
    left = np.ones(out.shape, np.bool_)
    for mask, formula in pieces:
        here = mask & left
        if here.all():
            return formula(*arrays)  # the usual case: nothing is copied
        if here.any():
            out[here] = formula(*(a[here] for a in arrays))
            left &= ~here
    return out


def horner(coefficients: Iterable[float], x: Array) -> Array:
    """The polynomial with these coefficients, the highest power first."""
    total = np.zeros_like(x)
    for c in coefficients:
        total *= x
        total += c
    return total


def in_float64(formula: Callable[..., Array], *arrays: Array) -> Array:
    """Computed in float64 and rounded once to the dtype of the arrays: float32 gets the nearest number, or its neighbour."""
    with np.errstate(all="ignore"):
        out = formula(*(np.asarray(a, np.float64) for a in arrays))
    return np.asarray(out).astype(arrays[0].dtype, copy=False)
