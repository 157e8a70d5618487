"""Systems of linear equations, inverses and least squares, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import LinAlgError, ShapeError, UsageError
from ..op import bind, constant, context
from ..ops._family import fill
from ..ops._matrix import identity, lower, product, transposed, upper
from ..ops.lu import Lu, RowOrder
from ..ops.solve import Solve, SolveTriangular
from ..types import TensorType, int32, int64
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, expand, require_tensor
from ._matrices import last_sizes, matrices, one_dtype, squares, together
from .diagonal import diagonal
from .pick import gather
from .return_types import shown
from .sort import argsort

__all__ = [
    "cholesky_inverse", "cholesky_solve", "inverse", "lu", "lu_solve", "lu_unpack", "triangular_solve",
]  # fmt: skip


@shown("linalg_solve_ex")
class SolveEx(NamedTuple):
    """The solution, and 0 where there is one."""

    result: Any
    info: Any


@shown("linalg_inv_ex")
class InvEx(NamedTuple):
    """The inverse, and 0 where there is one."""

    inverse: Any
    info: Any


@shown("linalg_lu_factor")
class LUFactor(NamedTuple):
    """Both factors in one matrix, and the exchanges of rows."""

    LU: Any
    pivots: Any


@shown("linalg_lu_factor_ex")
class LUFactorEx(NamedTuple):
    """Both factors in one matrix, the exchanges of rows, and 0 or the number of the first zero pivot."""

    LU: Any
    pivots: Any
    info: Any


class LUInfos(NamedTuple):
    """What the older `lu` returns with get_infos."""

    LU: Any
    pivots: Any
    infos: Any


@shown("linalg_lu")
class PLU(NamedTuple):
    """A permutation, a lower triangle with units on the diagonal, and an upper triangle."""

    P: Any
    L: Any
    U: Any


@shown("triangular_solve")
class TriangularSolve(NamedTuple):
    """The solution, and the coefficients again."""

    solution: Any
    cloned_coefficient: Any


# -- solutions and inverses ---------------------------------------------------------------------------------------------
def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> SolveEx:
    """`solve`, and for each matrix 0 or the number of the first zero pivot (the solution is NaN there)"""
    a = squares("solve", A)
    one_dtype("solve", a, B)
    if B.ndim == 0:
        raise ShapeError(
            "solve for a number", hint="the right-hand side is a vector, a matrix, or a stack of them"
        )
    vectors = B.ndim == 1 or (B.ndim == a.ndim - 1 and tuple(B.shape) == tuple(a.shape[:-1]))
    if vectors and not left:
        raise UsageError(
            f"solve with left=False and a right-hand side of vectors {tuple(B.shape)}",
            hint="give each vector a dimension, e.g. b.unsqueeze(-2)",
        )
    b = s.unsqueeze(B, -1) if vectors else B
    rows = -2 if left else -1
    if b.shape[rows] != a.shape[-1]:
        raise ShapeError(
            f"solve: the matrix {tuple(a.shape)} does not fit the right-hand side {tuple(B.shape)}",
            hint=f"it needs {a.shape[-1]} {'rows' if left else 'columns'}",
        )
    x, info = _solved(a, b if left else transposed(b), not left, check_errors)
    x = x if left else transposed(x)
    return SolveEx(s.squeeze(x, -1) if vectors else x, info)


def _solved(a: Any, b: Any, ta: bool, check: bool) -> Any:
    """`Solve` with leading sizes broadcast; a matrix that many right-hand sides share is factored once."""
    if a.ndim == 2 and b.ndim > 2:
        n, k = last_sizes(b)
        lead = tuple(b.shape[:-2])
        beside = s.reshape(s.movedim(b, -2, 0), (n, math.prod(lead) * k))
        x, info = bind(Solve, a, beside, ta=ta, check=check)
        return s.movedim(s.reshape(x, (n, *lead, k)), 0, -2), info
    shape = tuple(a.shape[:-2])
    a, b = together(a, b)
    x, info = bind(Solve, a, b, ta=ta, check=check)
    if 0 in tuple(info.shape):
        return x, fill(TensorType(shape, int32))
    for d, n in enumerate(
        (1,) * (info.ndim - len(shape)) + shape
    ):  # one number for each matrix that was given
        info = s.narrow(info, d, 0, n)
    return x, s.reshape(info, shape)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """X with A X = B, or X A = B if not ``left``; a singular A is an error.

    A (..., n, n), B (..., n, k) or a vector (n,), or a stack of vectors of the shape of A without its last size.

    >>> import retrograd as rg
    >>> rg.linalg.solve(rg.tensor([[2.0, 0.0], [0.0, 4.0]]), rg.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    return solve_ex(A, B, left=left, check_errors=True).result


def inv_ex(A: Any, *, check_errors: bool = False) -> InvEx:
    """`inv`, and for each matrix 0 or the number of the first zero pivot (the inverse is NaN there)"""
    a = squares("inv", A)
    return InvEx(*bind(Solve, a, identity(tuple(a.shape), a.dtype), ta=False, check=check_errors))


def inv(A: Any) -> Any:
    """A⁻¹; a singular A is an error. `solve` is quicker and more accurate where A⁻¹ is only multiplied"""
    return inv_ex(A, check_errors=True).inverse


def inverse(input: Any) -> Any:
    """`linalg.inv` under its older name"""
    return inv(input)


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """X with A X = B, or X A = B if not ``left``, for the upper or lower triangle of A; the other one is not read.

    ``unitriangular``: the diagonal counts as 1.  A zero on the diagonal gives infinities or NaN, no error, as in PyTorch.
    """
    a = squares("solve_triangular", A)
    b = cast(require_tensor("solve_triangular", B), a.dtype)  # as PyTorch does here, and nowhere else
    matrices("solve_triangular", b)
    if b.shape[-2 if left else -1] != a.shape[-1]:
        raise ShapeError(
            f"solve_triangular: the matrix {tuple(a.shape)} does not fit the right-hand side {tuple(b.shape)}",
            hint=f"it needs {a.shape[-1]} {'rows' if left else 'columns'}",
        )
    a, b = together(a, b)
    if left:
        return bind(SolveTriangular, a, b, upper=upper, trans=False, unit=unitriangular)
    x = bind(SolveTriangular, a, transposed(b), upper=upper, trans=True, unit=unitriangular)
    return transposed(x)


def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:
    """`linalg.solve_triangular` under its older name: A X = b, or Aᵀ X = b with ``transpose``"""
    a = squares("triangular_solve", A)
    one_dtype("triangular_solve", a, matrices("triangular_solve", b))
    wide, right = together(a, b)
    if right.shape[-2] != a.shape[-1]:
        raise ShapeError(
            f"triangular_solve: the matrix {tuple(a.shape)} does not fit the right-hand side {tuple(b.shape)}",
            hint=f"it needs {a.shape[-1]} rows",
        )
    x = bind(SolveTriangular, wide, right, upper=upper, trans=transpose, unit=unitriangular)
    return TriangularSolve(x, wide.clone())


def cholesky_solve(input: Any, L: Any, upper: bool = False) -> Any:
    """X with A X = input, from the Cholesky factor L of A = L Lᵀ (``upper``: A = Lᵀ L)"""
    a = squares("cholesky_solve", L)
    one_dtype("cholesky_solve", a, matrices("cholesky_solve", input))
    if input.shape[-2] != a.shape[-1]:
        raise ShapeError(
            f"cholesky_solve: the factor {tuple(a.shape)} does not fit the right-hand side {tuple(input.shape)}",
            hint=f"it needs {a.shape[-1]} rows",
        )
    a, b = together(a, input)
    b = bind(SolveTriangular, a, b, upper=upper, trans=upper, unit=False)
    return bind(SolveTriangular, a, b, upper=upper, trans=not upper, unit=False)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """A⁻¹ from the Cholesky factor L of A = L Lᵀ (``upper``: A = Lᵀ L)"""
    a = squares("cholesky_inverse", L)
    half = bind(SolveTriangular, a, identity(tuple(a.shape), a.dtype), upper=upper, trans=upper, unit=False)
    return product(half, half, ta=True)


# -- LU factors ---------------------------------------------------------------------------------------------------------
def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """`lu_factor`, and for each matrix 0 or the number of the first zero pivot"""
    a = matrices("lu_factor", A)
    if not pivot:
        raise UsageError(
            "LU factors without exchanging rows are not accurate, and not available (nor are they in PyTorch on the CPU)",
            hint="leave pivot=True",
        )
    packed, pivots = bind(Lu, a)
    k = min(last_sizes(a))
    corner = s.narrow(s.narrow(packed.detach(), -1, 0, k), -2, 0, k)
    zero = e.eq(diagonal(corner, 0, -2, -1), 0)
    number = e.mul(cast(zero, int64), constant(np.arange(k, 0, -1)))  # the first zero has the largest number
    first = r.amax(number, -1) if k else fill(TensorType(tuple(a.shape[:-2]), int64))
    info = cast(e.where(e.gt(first, 0), e.add(e.neg(first), k + 1), 0), int32)
    if check_errors and context.tracer is None and info.numpy().any():
        place = tuple(int(i) for i in np.argwhere(info.numpy())[0])
        raise LinAlgError(
            f"lu_factor: pivot {int(info.numpy()[place])} of the matrix{f' at {list(place)}' if place else ''} is zero, "
            "so that lu_solve would divide by zero",
            hint="use linalg.lu_factor_ex, which reports it, or linalg.lu",
        )
    return LUFactorEx(packed, pivots, info)


def lu_factor(A: Any, *, pivot: bool = True) -> LUFactor:
    """L and U of P A = L U in one matrix (the units of L left out), and the exchanges of rows, counted from 1.

    Partial pivoting; a zero pivot is an error.  For `lu_solve`.
    """
    return LUFactor(*lu_factor_ex(A, pivot=pivot, check_errors=True)[:2])


def lu(A: Any, pivot: bool = True, get_infos: bool = False) -> LUFactor | LUInfos:
    """`linalg.lu_factor` under its older name, for a zero pivot as well"""
    packed, pivots, info = lu_factor_ex(A, pivot=pivot)
    return LUInfos(packed, pivots, info) if get_infos else LUFactor(packed, pivots)


def linalg_lu(A: Any, *, pivot: bool = True) -> PLU:
    """A = P L U with a permutation P, L lower triangular with units on the diagonal, and U upper triangular"""
    packed, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return lu_unpack(packed, pivots)


def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> PLU:
    """P, L and U from what `lu_factor` returns; what is not unpacked is empty"""
    packed = matrices("lu_unpack", LU_data)
    m, n = last_sizes(packed)
    k = min(m, n)
    nothing = constant([], packed.dtype)
    p, left, right = nothing, nothing, nothing
    if unpack_data:
        left = s.narrow(lower(packed, -1), -1, 0, k) + identity((*packed.shape[:-1], k), packed.dtype)
        right = s.narrow(upper(packed), -2, 0, k)
    if unpack_pivots:
        order = _order("lu_unpack", packed, LU_pivots, m)
        at = s.unsqueeze(order, -2)  # row order[i] of P has its 1 in column i
        numbers = constant(np.arange(m)[:, None])
        p = cast(e.eq(at, numbers), packed.dtype)
    return PLU(p, left, right)


def _order(name: str, packed: Any, pivots: Any, m: int) -> Any:
    if tuple(require_tensor(name, pivots).shape) != (*packed.shape[:-2], min(last_sizes(packed))):
        raise ShapeError(
            f"{name}: pivots of shape {tuple(pivots.shape)} for factors of shape {tuple(packed.shape)}",
            hint="use both results of linalg.lu_factor",
        )
    return bind(RowOrder, pivots, size=m)


def linalg_lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """X with A X = B from the factors that `lu_factor` found of A; ``adjoint``: Aᵀ X = B; not ``left``: X A = B"""
    a, b = squares("lu_solve", LU), matrices("lu_solve", B)
    one_dtype("lu_solve", a, b)
    order = _order("lu_solve", a, pivots, a.shape[-1])
    if not left:
        b, adjoint = transposed(b), not adjoint
    if b.shape[-2] != a.shape[-1]:
        raise ShapeError(
            f"lu_solve: factors {tuple(a.shape)} do not fit the right-hand side {tuple(B.shape)}",
            hint=f"it needs {a.shape[-1]} {'rows' if left else 'columns'}",
        )
    a, b = together(a, b)
    place = expand(s.unsqueeze(order, -1), tuple(b.shape))

    def triangle(x: Any, up: bool) -> Any:
        return bind(SolveTriangular, a, x, upper=up, trans=adjoint, unit=not up)

    if adjoint:  # Uᵀ, then Lᵀ, then the rows back in their places
        back = expand(s.unsqueeze(argsort(order, -1), -1), tuple(b.shape))
        x = gather(triangle(triangle(b, True), False), -2, back)
    else:
        x = triangle(triangle(gather(b, -2, place), False), True)
    return x if left else transposed(x)


def lu_solve(b: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """`linalg.lu_solve` under its older name"""
    return linalg_lu_solve(LU_data, LU_pivots, b)
