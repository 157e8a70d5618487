"""Diagonals and triangles, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import bind
from ..ops import shape as ops
from ..types import dtype_of, int64, normalize_dim
from ._arguments import as_tensor, in_dtype, require_tensor
from .create import check_device
from .elementwise import where
from .shape import integer, movedim, place, ravel, reshape

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "tril", "tril_indices", "triu", "triu_indices",
]  # fmt: skip


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The entries with equal positions in two dimensions, as a new last dimension (a view); ``offset`` above it"""
    x = require_tensor("diagonal", input)
    a, b = _two(x, dim1, dim2)
    start = [0] * x.ndim
    start[a], start[b] = max(-offset, 0), max(offset, 0)
    length = max(0, min(x.shape[a] - start[a], x.shape[b] - start[b]))
    kept = [d for d in range(x.ndim) if d not in (a, b)]
    steps = [tuple(int(i == d) for i in range(x.ndim)) for d in kept]
    steps.append(tuple(int(i in (a, b)) for i in range(x.ndim)))
    shape = (*(x.shape[d] for d in kept), length)
    return bind(ops.Strided, x, shape=shape, start=tuple(start), steps=tuple(steps))


def _two(x: Any, dim1: int, dim2: int) -> tuple[int, int]:
    if x.ndim < 2:
        raise ShapeError(f"diagonal of shape {tuple(x.shape)}", hint="at least 2 dimensions")
    a, b = normalize_dim(dim1, x.ndim), normalize_dim(dim2, x.ndim)
    if a == b:
        raise ShapeError(f"diagonal along dim1={dim1} and dim2={dim2}", hint="two different dimensions")
    return a, b


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The last dimension along the diagonal of two new ones; zeros elsewhere"""
    x = require_tensor("diag_embed", input)
    if not x.ndim:
        raise ShapeError("diag_embed of a tensor without dimensions", hint="use .reshape(1) first")
    a, b = (normalize_dim(integer("a dimension", d), x.ndim + 1) for d in (dim1, dim2))
    if a == b:
        raise ShapeError(f"diag_embed along dim1={dim1} and dim2={dim2}", hint="two different dimensions")
    k = integer("offset", offset)
    *rest, n = x.shape
    m = n + abs(k)
    # In a row-major matrix the diagonal is every (m + 1)-th element.
    first = k if k > 0 else -k * m
    index = [*((0, s, 1) for s in rest), (first, first + max(n - 1, 0) * (m + 1) + min(n, 1), m + 1)]
    flat = place(x, (*rest, m * m), index)
    return movedim(reshape(flat, (*rest, m, m)), (-2, -1), (a, b))


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with the elements of input along its diagonal"""
    return diag_embed(ravel(require_tensor("diagflat", input)), offset)


def diag(input: Any, diagonal: int = 0) -> Any:
    """Of a vector: the matrix with this diagonal; of a matrix: its diagonal"""
    if require_tensor("diag", input).ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag of shape {tuple(input.shape)}", hint="a vector or a matrix; use diagonal()")
    return _diagonal(input, diagonal).clone()


_diagonal = diagonal


def _triangle(input: Any, keep: Callable[[int, int], np.ndarray[Any, Any]]) -> Any:
    x = require_tensor("tril", input)
    if x.ndim < 2:
        raise ShapeError(f"a triangle of shape {tuple(x.shape)}", hint="at least 2 dimensions")
    return where(as_tensor(keep(*x.shape[-2:])), x, in_dtype(0, x.dtype))


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of matrices, up to ``diagonal``; zeros elsewhere"""
    return _triangle(input, lambda n, m: np.tri(n, m, diagonal, dtype=bool))


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of matrices, from ``diagonal`` on; zeros elsewhere"""
    return _triangle(input, lambda n, m: ~np.tri(n, m, diagonal - 1, dtype=bool))


def _indices(name: str, rows: Any, columns: Any, pick: Any, offset: int, dtype: Any, device: Any) -> Any:
    n, m = integer("row", rows), integer("col", columns)
    if n < 0 or m < 0:
        raise ShapeError(f"{name} of a matrix of {n} x {m}", hint="sizes are at least 0")
    check_device(device)
    return as_tensor(np.array(pick(n, m, offset)).astype((int64 if dtype is None else dtype_of(dtype)).numpy))


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Any:
    """The places of the lower triangle of a row x col matrix, row by row: shape (2, count)"""
    return _indices("tril_indices", row, col, lambda n, m, k: np.tril_indices(n, k, m), offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Any:
    """The places of the upper triangle of a row x col matrix, row by row: shape (2, count)"""
    return _indices("triu_indices", row, col, lambda n, m, k: np.triu_indices(n, k, m), offset, dtype, device)
