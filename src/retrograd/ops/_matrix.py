"""What ops on stacks of matrices share: checks, batching, triangles, diagonals, and triangular systems in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Op, bind, constant
from ..types import Shape, TensorType
from ._family import batch_size, fill, lead, require_floating
from .logic import Where
from .matmul import Matmul
from .shape import Broadcast, Permute, Reshape


class OfMatrices(Op, abstract=True):
    """Acts on the last two dimensions; all inputs have the same leading ones."""

    @classmethod
    def batch(cls, batched: tuple[bool, ...], *inputs: Any, **params: Any) -> Any:
        n = batch_size(batched, inputs)
        return bind(cls, *(lead(x, b, n) for x, b in zip(inputs, batched, strict=True)), **params)


def require_matrices(op: type[Op], *types: TensorType) -> None:
    """Floating stacks of matrices with the same leading sizes and dtype, or an error."""
    first = types[0]
    for x in types:
        require_floating(op, x)
        if len(x.shape) < 2:
            raise ShapeError(
                f"{op.name} needs a matrix or a stack of matrices, got shape {x.shape}",
                hint="give it at least two dimensions, e.g. with .unsqueeze(-1)",
            )
        if x.shape[:-2] != first.shape[:-2]:
            raise ShapeError(
                f"{op.name} takes equal leading sizes, got {first.shape} and {x.shape}",
                hint="use the function of retrograd.linalg, which broadcasts",
            )
        if x.dtype is not first.dtype:
            raise DTypeError(
                f"{op.name} takes one dtype, got {first.dtype!r} and {x.dtype!r}",
                hint="convert one of them, e.g. b.to(a.dtype)",
            )


def require_square(op: type[Op], x: TensorType) -> None:
    """A floating stack of square matrices, or an error."""
    require_matrices(op, x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"{op.name} needs square matrices, got {x.shape[-2]} rows and {x.shape[-1]} columns (shape {x.shape})",
            hint="for other shapes there are retrograd.linalg.lstsq, pinv, qr and svd",
        )


def transposed(x: Any) -> Any:
    """Each matrix with rows and columns exchanged."""
    n = len(x.shape)
    return bind(Permute, x, dims=(*range(n - 2), n - 1, n - 2))


def product(a: Any, b: Any, *, ta: bool = False, tb: bool = False) -> Any:
    """a @ b, with either one transposed."""
    return bind(Matmul, a, b, ta=ta, tb=tb)


def masked(x: Any, mask: Array) -> Any:
    """``x`` where the matrix ``mask`` holds, 0 elsewhere."""
    return bind(Where, bind(Broadcast, constant(mask), shape=tuple(x.shape)), x, fill(x))


def lower(x: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix."""
    return masked(x, np.tri(x.shape[-2], x.shape[-1], diagonal, dtype=bool))


def upper(x: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix."""
    return masked(x, ~np.tri(x.shape[-2], x.shape[-1], diagonal - 1, dtype=bool))


def diagonal(x: Any) -> Any:
    """The diagonals of square matrices."""
    from .reduce import Sum

    return bind(Sum, masked(x, np.eye(x.shape[-1], dtype=bool)), dim=(len(x.shape) - 1,), keepdim=False)


def diagonal_matrix(d: Any) -> Any:
    """Square matrices with ``d`` on the diagonal."""
    n = d.shape[-1]
    return masked(columns(d, n), np.eye(n, dtype=bool))


def columns(d: Any, rows: int) -> Any:
    """Each row of the result is ``d``: multiplying by it scales columns."""
    lead_shape, n = tuple(d.shape[:-1]), d.shape[-1]
    return bind(Broadcast, bind(Reshape, d, shape=(*lead_shape, 1, n)), shape=(*lead_shape, rows, n))


def rows(d: Any, width: int) -> Any:
    """Each column of the result is ``d``: multiplying by it scales rows."""
    lead_shape, n = tuple(d.shape[:-1]), d.shape[-1]
    return bind(Broadcast, bind(Reshape, d, shape=(*lead_shape, n, 1)), shape=(*lead_shape, n, width))


def identity(shape: Shape, dtype: Any) -> Any:
    """Unit matrices of a shape (..., n, n)."""
    return bind(Broadcast, constant(np.eye(shape[-2], shape[-1], dtype=dtype.numpy)), shape=tuple(shape))


def symmetric_part(x: Any) -> Any:
    """(x + xᵀ) / 2"""
    return (x + transposed(x)) * 0.5


def safe_reciprocal(x: Any) -> Any:
    """1/x, and 0 where x is 0: what has no direction of its own gets no derivative instead of an infinite one."""
    from .arithmetic import Div
    from .logic import Ne

    some = bind(Ne, x, fill(x))
    one = fill(x, 1.0)
    return bind(Where, some, bind(Div, one, bind(Where, some, x, one)), fill(x))
