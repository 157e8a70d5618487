"""Elimination in NumPy, for whole stacks of matrices at a time: triangular systems and LU factors."""

from __future__ import annotations

import math

import numpy as np

from ..op import Array

LEAF = 32
"""Triangular systems up to this size are solved row by row; larger ones are halved, so that the work is matrix products."""


def substitute(t: Array, b: Array, *, upper: bool, unit: bool) -> Array:
    """t⁻¹ b for triangular t: forward or backward substitution, in halves.  A zero on the diagonal gives inf or NaN."""
    x = b.copy()
    with np.errstate(all="ignore"):
        _substitute(t, x, upper, unit)
    return x


def _substitute(t: Array, x: Array, upper: bool, unit: bool) -> None:
    n = t.shape[-1]
    if n <= LEAF:
        for i in range(n - 1, -1, -1) if upper else range(n):
            known = slice(i + 1, n) if upper else slice(0, i)
            if known.start < known.stop:
                x[..., i, :] -= np.matmul(t[..., i : i + 1, known], x[..., known, :])[..., 0, :]
            if not unit:
                x[..., i, :] /= t[..., i, i, None]
        return
    half = n // 2
    first, last = slice(0, half), slice(half, n)
    if upper:
        first, last = last, first
    _substitute(t[..., first, first], x[..., first, :], upper, unit)
    x[..., last, :] -= np.matmul(t[..., last, first], x[..., first, :])
    _substitute(t[..., last, last], x[..., last, :], upper, unit)


def factored(a: Array) -> tuple[Array, Array]:
    """(lu, pivots) of a stack of matrices: partial pivoting, in halves of columns (Toledo 1997), all matrices at a time.

    ``pivots``: row i was exchanged with row pivots[i], counted from 1 as LAPACK counts.
    """
    *some, m, n = a.shape
    count, k = math.prod(some), min(m, n)
    lu = np.array(a.reshape(count, m, n))
    pivots = np.zeros((count, k), np.int32)
    each = np.arange(count)

    def columns_of(start: int, stop: int) -> None:
        if stop - start <= LEAF // 2:
            panel(start, stop)
            return
        half = (start + stop) // 2
        columns_of(start, half)
        update(start, half, stop)
        columns_of(half, stop)

    def panel(start: int, stop: int) -> None:
        block = lu[:, start:, start:stop].swapaxes(1, 2).copy()  # columns lie together in memory
        for j in range(stop - start):
            c = start + j
            away = np.abs(block[:, j, j:]).argmax(1)
            pivots[:, c] = c + away + 1
            _exchange(block.swapaxes(1, 2), j, j + away, each)
            _exchange(lu, c, c + away, each)
            pivot = block[:, j, j, None]
            below = block[:, j, j + 1 :]
            below /= np.where(pivot == 0, 1, pivot)
            block[:, j + 1 :, j + 1 :] -= block[:, j + 1 :, j, None] * below[:, None]
        lu[:, start:, start:stop] = block.swapaxes(1, 2)

    def update(start: int, half: int, stop: int) -> None:
        top = substitute(lu[:, start:half, start:half], lu[:, start:half, half:stop], upper=False, unit=True)
        lu[:, start:half, half:stop] = top
        lu[:, half:, half:stop] -= lu[:, half:, start:half] @ top

    with np.errstate(all="ignore"):
        if count and k:
            columns_of(0, k)
            if n > k:
                update(0, k, n)
    return lu.reshape(a.shape), pivots.reshape(*some, k)


def _exchange(a: Array, i: int, j: Array, each: Array) -> None:
    """Row i of each matrix with its row j."""
    row = a[:, i].copy()
    a[:, i] = a[each, j]
    a[each, j] = row


def row_order(pivots: Array, m: int) -> Array:
    """The rows in the order in which a sequence of exchanges leaves them."""
    flat = (
        pivots.reshape(-1, pivots.shape[-1])
        if pivots.size
        else np.zeros((math.prod(pivots.shape[:-1]), 0), int)
    )
    order = np.tile(np.arange(m), (flat.shape[0], 1))
    each = np.arange(flat.shape[0])
    for i in range(flat.shape[1]):
        p = flat[:, i] - 1
        order[each, i], order[each, p] = order[each, p], order[each, i]
    return order.reshape(*pivots.shape[:-1], m)
