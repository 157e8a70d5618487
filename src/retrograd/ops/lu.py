"""LU factors, the order of rows that their pivots stand for, and determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Sample, bind, constant
from ..types import TensorType, int32, int64
from ._elimination import factored, row_order
from ._family import fill
from ._matrix import (
    OfMatrices,
    diagonal,
    diagonal_matrix,
    identity,
    lower,
    product,
    require_matrices,
    require_square,
    rows,
    transposed,
    upper,
)
from .arithmetic import Abs
from .index import ScatterAdd
from .logic import Cast, Eq, Ne, Where
from .reduce import Amax, Prod
from .shape import Broadcast, Cat, Reshape, Slice
from .solve import Solve, SolveTriangular


def put_rows(x: Any, order: Any) -> Any:
    """Row i of ``x`` at row order[i] of the result."""
    index = rows(order, x.shape[-1])
    return bind(ScatterAdd, x, index, shape=tuple(x.shape), dim=len(x.shape) - 2)


def sign_of_exchanges(pivots: Any, dtype: Any) -> Any:
    """1 or -1: are the exchanges that ``pivots`` lists even or odd in number?"""
    k = pivots.shape[-1]
    still = bind(Broadcast, constant(np.arange(1, k + 1, dtype=np.int32)), shape=tuple(pivots.shape))
    moved = bind(Cast, bind(Ne, pivots, still), dtype=dtype)
    return bind(Prod, fill(moved, 1.0) - moved * 2.0, dim=(len(pivots.shape) - 1,), keepdim=False)


def _part(x: Any, first: slice, second: slice) -> Any:
    *some, m, n = x.shape
    whole = [(0, size, 1) for size in some]
    a, b = first.indices(m), second.indices(n)
    return bind(Slice, x, index=(*whole, (a[0], max(a[:2]), 1), (b[0], max(b[:2]), 1)))


class Lu(OfMatrices):
    """(lu, pivots): P a = L U with row i of a exchanged with row pivots[i] (from 1); lu holds L (its unit diagonal left
    out) below, and U.   ā = Pᵀ L⁻ᵀ (tril₋₁(Lᵀ L̄) + triu(Ū Uᵀ)) U⁻ᵀ for square a; other shapes in blocks.

    A primitive: which row is the pivot depends on the values.
    """

    n_outputs = 2

    def type(a: TensorType) -> tuple[TensorType, TensorType]:
        require_matrices(Lu, a)
        return a, TensorType((*a.shape[:-2], min(a.shape[-2:])), int32)

    def eval(a: Array) -> tuple[Array, Array]:
        return factored(a)

    def vjp(g, y, _a):
        packed, pivots = y
        m, n = _a.shape[-2:]
        k = min(m, n)
        top, below, right = slice(0, k), slice(k, m), slice(k, n)
        l1 = lower(_part(packed, top, top), -1) + identity((*_a.shape[:-2], k, k), _a.dtype)
        u1 = upper(_part(packed, top, top))
        gl, gu = lower(g[0], -1), upper(g[0])
        left = product(l1, _part(gl, top, top), ta=True)
        both = product(_part(gu, top, top), u1, tb=True)
        if n > k:
            left = left - product(_part(gu, top, right), _part(packed, top, right), tb=True)
        if m > k:
            both = both - product(_part(packed, below, top), _part(gl, below, top), ta=True)
        inner = lower(left, -1) + upper(both)

        def from_left(x):  # L⁻ᵀ x
            return bind(SolveTriangular, packed_square, x, upper=False, trans=True, unit=True)

        def from_right(x):  # x U⁻ᵀ
            out = bind(SolveTriangular, packed_square, transposed(x), upper=True, trans=False, unit=False)
            return transposed(out)

        packed_square = _part(packed, top, top)
        out = from_right(from_left(inner))
        if n > k:
            out = bind(Cat, out, from_left(_part(gu, top, right)), dim=len(_a.shape) - 1)
        if m > k:
            out = bind(Cat, out, from_right(_part(gl, below, top)), dim=len(_a.shape) - 2)
        return (put_rows(out, bind(RowOrder, pivots, size=m)),)

    def samples(r):
        for shape in ((3, 3), (2, 4), (4, 2), (2, 2, 2)):
            yield Sample(r.normal(size=shape) + 3 * np.eye(*shape[-2:])[::-1])
        yield Sample((r.normal(size=(3, 3)) + 2 * np.eye(3)).astype("float32"))
        yield Sample(r.uniform(-0.1, 0.1, (40, 50)) + 4 * np.eye(40, 50)[::-1], grad=())
        yield Sample(np.zeros((2, 0, 3)))

    def errors(r):
        yield Bad(np.zeros(3), message="needs a matrix")
        yield Bad(np.eye(2, dtype="int64"), message="floating")


class RowOrder(OfMatrices):
    """y = the numbers 0 to size-1 after exchanging, for each i in turn, number i with number pivots[i] - 1.

    A primitive: each exchange acts on what the ones before it left.
    """

    differentiable = False
    why_not = "a position is an integer"

    def type(pivots: TensorType, *, size: int) -> TensorType:
        if pivots.dtype is not int32:
            raise DTypeError(
                f"pivots are int32, not {pivots.dtype!r}",
                hint="use the pivots of linalg.lu_factor, or .int()",
            )
        if not pivots.shape or pivots.shape[-1] > size:
            raise ShapeError(
                f"pivots of shape {pivots.shape} for {size} rows",
                hint="there is one pivot for each row or column, whichever are fewer",
            )
        return TensorType((*pivots.shape[:-1], size), int64)

    def eval(pivots: Array, *, size: int) -> Array:
        if pivots.size and not (pivots.min() >= 1 and pivots.max() <= size):
            raise ShapeError(
                f"pivots between {pivots.min()} and {pivots.max()} for {size} rows",
                hint="pivots count from 1, as those of linalg.lu_factor do",
            )
        return row_order(pivots, size)

    def samples(r):
        yield Sample(np.array([3, 2, 3], "int32"), size=3)
        yield Sample(np.array([[2, 3], [1, 4]], "int32"), size=4)

    def errors(r):
        yield Bad(np.array([4, 2, 3], "int32"), size=3, message="between 2 and 4")
        yield Bad(np.array([1, 2]), size=2, message="int32")
        yield Bad(np.array([1, 2, 3], "int32"), size=2, message="for 2 rows")


class Det(OfMatrices):
    """y = det a.   ā = ȳ·cofactors of a, which are det(a) a⁻ᵀ, and exist where a is singular, too.

    The cofactors come from LU factors in which a zero pivot is replaced by one of the size of the rounding error.  A primitive:
    the derivative of a composition divides by the pivots.
    """

    def type(a: TensorType) -> TensorType:
        require_square(Det, a)
        return TensorType(a.shape[:-2], a.dtype)

    def eval(a: Array) -> Array:
        return np.linalg.det(a)

    def vjp(g, _y, a):
        shape, n = tuple(a.shape), a.shape[-1]
        if n == 0:
            return (fill(a),)
        packed, pivots = bind(Lu, a)
        d = diagonal(packed)
        size = bind(Amax, bind(Abs, d), dim=(len(shape) - 2,), keepdim=True)[0]
        tiny = bind(Where, bind(Eq, size, fill(size)), fill(size, 1.0), size).detach() * float(
            np.finfo(a.dtype.numpy).eps
        )
        zero = bind(Eq, d, fill(d))
        extra = bind(Where, zero, bind(Broadcast, tiny, shape=tuple(d.shape)), fill(d))
        packed = packed + diagonal_matrix(extra)
        det = (
            bind(Prod, d + extra, dim=(len(shape) - 2,), keepdim=False)
            * sign_of_exchanges(pivots, a.dtype)
            * g
        )
        scale = bind(Broadcast, bind(Reshape, det, shape=(*shape[:-2], 1, 1)), shape=shape)
        out = bind(
            SolveTriangular, packed, identity(shape, a.dtype) * scale, upper=True, trans=True, unit=False
        )
        out = bind(SolveTriangular, packed, out, upper=False, trans=True, unit=True)
        return (put_rows(out, bind(RowOrder, pivots, size=n)),)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)))
        yield Sample(r.normal(size=(2, 2, 2)))
        yield Sample(r.normal(size=(1, 1)))
        yield Sample(np.array([[1.0, 2.0], [2.0, 4.0]]), order=1)
        yield Sample((r.normal(size=(3, 3)) + np.eye(3)).astype("float32"))
        yield Sample(np.zeros((2, 0, 0)))

    def errors(r):
        yield Bad(np.zeros((2, 3)), message="square")
        yield Bad(np.eye(2, dtype="int64"), message="floating")


class Slogdet(OfMatrices):
    """(sign, y): y = ln |det a|.   ā = ȳ·a⁻ᵀ, by solving; NaN where a is singular (sign 0, y = -inf).

    A primitive: LAPACK's factors, which NumPy keeps to itself, come many times quicker than those of `Lu`.
    """

    n_outputs = 2

    def type(a: TensorType) -> tuple[TensorType, TensorType]:
        require_square(Slogdet, a)
        number = TensorType(a.shape[:-2], a.dtype)
        return number, number

    def eval(a: Array) -> tuple[Array, Array]:
        sign, size = np.linalg.slogdet(a)
        return sign, size

    def vjp(g, _y, a):
        shape = tuple(a.shape)
        scale = bind(Broadcast, bind(Reshape, g[1], shape=(*shape[:-2], 1, 1)), shape=shape)
        return (bind(Solve, a, identity(shape, a.dtype) * scale, ta=True, check=False)[0],)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)))
        yield Sample(r.normal(size=(2, 2, 2)))
        yield Sample(np.array([[-2.0]]))
        yield Sample((r.normal(size=(3, 3)) + 3 * np.eye(3)).astype("float32"))
        yield Sample(np.array([[1.0, 2.0], [2.0, 4.0]]), grad=())
        yield Sample(np.zeros((2, 0, 0)))

    def errors(r):
        yield Bad(np.zeros((2, 3)), message="square")
        yield Bad(np.eye(2, dtype="int64"), message="floating")
