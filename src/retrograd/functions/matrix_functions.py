"""Determinants, powers, norms and other functions of a matrix as a whole, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant
from ..ops._family import fill
from ..ops._matrix import identity
from ..ops.lu import Det, Slogdet
from ..ops.matrix_function import MatrixExp
from ..types import TensorType, bool_, broadcast_shapes, int64, normalize_dim
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, expand, require_tensor
from ._matrices import floats, last_sizes, matrices, one_dtype, squares
from .arrange import flip
from .diagonal import diagonal
from .factorizations import svdvals
from .linalg import matmul
from .norm import _widened, vector_norm
from .reduce import Dim
from .return_types import shown
from .scan import cumprod
from .solving import inv, inv_ex

__all__ = ["cross", "det", "logdet", "matrix_exp", "matrix_power", "slogdet", "vander"]


@shown("linalg_slogdet")
class LogDeterminant(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def det(input: Any) -> Any:
    """The determinant; its gradient, the cofactors, is right for singular matrices, too"""
    return bind(Det, squares("det", input))


def slogdet(input: Any) -> LogDeterminant:
    """Sign and ln |det input|, without overflow; 0 and -inf for a singular matrix.  Gradient: input⁻ᵀ"""
    return LogDeterminant(*bind(Slogdet, squares("slogdet", input)))


def logdet(input: Any) -> Any:
    """ln det input; -inf for a singular matrix, NaN where the determinant is negative"""
    sign, size = slogdet(input)
    return e.where(e.lt(sign, 0), math.nan, size)


def matrix_exp(input: Any) -> Any:
    """e^input = Σ inputᵏ/k!, of square matrices; by scaling and squaring (N. Higham 2005)"""
    return bind(MatrixExp, squares("matrix_exp", input))


def matrix_power(input: Any, n: int) -> Any:
    """input multiplied by itself n times, by repeated squaring; the inverse for negative n"""
    a = require_tensor("matrix_power", input)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(
            f"matrix_power needs square matrices, got shape {tuple(a.shape)}",
            hint="the last two sizes must be equal",
        )
    if isinstance(n, bool) or not isinstance(n, int):
        raise UsageError(f"matrix_power with n={n!r}", hint="n is a whole number; see linalg.eigh for others")
    if n < 0:
        a, n = inv(a), -n
    if n == 0:  # depends on the input, with derivative 0
        return e.where(constant(True), identity(tuple(a.shape), a.dtype), a)
    out = None
    while True:
        if n & 1:
            out = a if out is None else matmul(out, a)
        n >>= 1
        if n == 0:
            return a.clone() if out is input else out
        a = matmul(a, a)


# -- norms --------------------------------------------------------------------------------------------------------------
def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """A norm of matrices over two dimensions: "fro" √Σ|a|², "nuc" Σσ, 2 the largest σ, -2 the smallest, 1 and inf the largest
    sum of a column and of a row, -1 and -inf the smallest"""
    a = floats("matrix_norm", A)
    if isinstance(dim, int) or len(dim) != 2:
        raise UsageError(f"matrix_norm over dim={dim}", hint="name two dimensions, e.g. dim=(-2, -1)")
    if a.ndim < 2:
        raise ShapeError(f"matrix_norm of shape {tuple(a.shape)}", hint="use linalg.vector_norm")
    rows, columns = (normalize_dim(d, a.ndim) for d in dim)
    if rows == columns:
        raise UsageError(f"matrix_norm over dim={dim}", hint="name two different dimensions")
    if ord == "fro":
        return vector_norm(a, 2, (rows, columns), keepdim, dtype=dtype)
    a = _widened("matrix_norm", a, dtype)
    if ord in ("nuc", 2, -2):
        values = svdvals(s.movedim(a, (rows, columns), (-2, -1)))
        out = _extreme(values, ord, -1) if ord != "nuc" else r.sum(values, -1)
        if keepdim:
            for d in sorted((rows, columns)):
                out = s.unsqueeze(out, d)
        return out
    if ord not in (1, -1, math.inf, -math.inf):
        raise UsageError(
            f"matrix_norm with ord={ord!r}", hint='ord is "fro", "nuc", inf, -inf, 1, -1, 2 or -2'
        )
    added, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = r.sum(e.abs(a), added, True)
    out = _extreme(sums, ord, chosen, True)
    return out if keepdim else s.squeeze(out, (rows, columns))


def _extreme(x: Any, ord: float, dim: int, keepdim: bool = False) -> Any:
    if ord > 0 and x.shape[dim] == 0:  # of no sums the largest is 0, as in PyTorch
        return r.sum(x, dim, keepdim)
    return (r.amax if ord > 0 else r.amin)(x, dim, keepdim)


def norm(A: Any, ord: Any = None, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A vector norm over one dimension, a matrix norm over two; without ``ord`` √Σ|a|² over ``dim`` or all of A"""
    a = floats("linalg.norm", A)
    if dim is not None:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
        if len(dims) not in (1, 2) and ord is not None:
            raise UsageError(f"linalg.norm over dim={dim}", hint="name one or two dimensions")
    elif ord is None:
        return vector_norm(a, 2, None, keepdim, dtype=dtype)
    else:
        if a.ndim not in (1, 2):
            raise ShapeError(
                f"linalg.norm with ord={ord!r} of shape {tuple(a.shape)}",
                hint="name the dimensions, e.g. dim=(-2, -1) or dim=-1",
            )
        dims = tuple(range(a.ndim))
    if ord is None:
        return vector_norm(a, 2, dims, keepdim, dtype=dtype)
    if len(dims) == 2:
        return matrix_norm(a, ord, dims, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise UsageError(
            f"linalg.norm with ord={ord!r} over one dimension", hint="name two dimensions, e.g. dim=(-2, -1)"
        )
    return vector_norm(a, ord, dims, keepdim, dtype=dtype)


def cond(A: Any, p: Any = None) -> Any:
    """The condition number ‖A‖·‖A⁻¹‖ in a matrix norm; p None or 2: σ_max/σ_min, -2 the reverse; inf for a singular matrix"""
    a, by_values = matrices("cond", A), p in (None, 2, -2)
    if not by_values:
        squares(f"cond with p={p!r}", a)
        if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
            raise UsageError(f"cond with p={p!r}", hint='p is None, "fro", "nuc", inf, -inf, 1, -1, 2 or -2')
    if 0 in last_sizes(a):
        return fill(TensorType(tuple(a.shape[:-2]), a.dtype))
    if by_values:
        values = svdvals(a)
        first, last = s.select(values, -1, 0), s.select(values, -1, -1)
        return e.div(last, first) if p == -2 else e.div(first, last)
    inverse, info = inv_ex(a)
    unit = e.where(s.unsqueeze(s.unsqueeze(e.gt(info, 0), -1), -1), 1.0, inverse)
    return e.where(e.gt(info, 0), math.inf, e.mul(matrix_norm(a, p), matrix_norm(unit, p)))


# -- small things ---------------------------------------------------------------------------------------------------------
def linalg_vander(x: Any, *, N: int | None = None) -> Any:
    """Rows 1, x, x², ..., x^(N-1) for each x (N: as many as there are x)"""
    if require_tensor("vander", x).dtype is bool_:
        raise DTypeError("vander takes numbers, not bool", hint="convert it: x.int()")
    column = s.reshape(x, (*x.shape, 1)) if x.ndim else s.reshape(x, (1, 1))
    n = (x.shape[-1] if x.ndim else 1) if N is None else N
    if n < 2:
        raise UsageError(f"vander with N={n}", hint="N is at least 2; name it where there is one x: N=2")
    shape, dtype = tuple(column.shape[:-1]), x.dtype if x.dtype.is_floating_point else int64
    ones = fill(TensorType((*shape, 1), dtype), 1)
    return s.cat([ones, cumprod(expand(column, (*shape, n - 1)), -1)], -1)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of the entries of a vector as rows: x^(N-1), ..., x, 1, or the other way round with ``increasing``"""
    if require_tensor("vander", x).ndim != 1:
        raise ShapeError(
            f"vander of shape {tuple(x.shape)}", hint="use a vector, or linalg.vander for stacks of them"
        )
    n = x.shape[0] if N is None else N
    if n < 0:
        raise UsageError(f"vander with N={N}", hint="N is not negative")
    wide = linalg_vander(cast(x, int64) if x.dtype is bool_ else x, N=max(n, 2))
    wide = s.narrow(wide, -1, 0, n)
    return wide if increasing else flip(wide, -1)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Σ x·y over ``dim``; leading sizes broadcast"""
    one_dtype("vecdot", floats("vecdot", x), floats("vecdot", y))
    if x.ndim == y.ndim == 1 and tuple(x.shape) != tuple(y.shape):
        raise ShapeError(
            f"vecdot of {x.shape[0]} and {y.shape[0]} entries", hint="vectors need the same length"
        )
    product = e.mul(x, y)
    return r.sum(product, normalize_dim(dim, product.ndim))


def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of 3 entries along ``dim``; the other sizes broadcast"""
    a, b = require_tensor("cross", input), require_tensor("cross", other)
    one_dtype("cross", a, b)
    if a.ndim != b.ndim:
        raise ShapeError(
            f"cross of shapes {tuple(a.shape)} and {tuple(b.shape)}",
            hint="both need the same number of dimensions",
        )
    d = normalize_dim(dim, a.ndim)
    if a.ndim == 0 or a.shape[d] != 3 or b.shape[d] != 3:
        raise ShapeError(
            f"cross along dimension {dim} of shapes {tuple(a.shape)} and {tuple(b.shape)}",
            hint="that dimension must have size 3 in both",
        )
    if a.dtype is bool_:
        raise DTypeError("cross takes numbers, not bool", hint="convert it: x.int()")
    shape = broadcast_shapes(tuple(a.shape), tuple(b.shape))
    a, b = expand(a, shape), expand(b, shape)

    def turned(x: Any, first: int) -> Any:
        return s.cat([s.narrow(x, d, k % 3, 1) for k in range(first, first + 3)], d)

    return e.sub(e.mul(turned(a, 1), turned(b, 2)), e.mul(turned(a, 2), turned(b, 1)))


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """`linalg.cross`; without ``dim`` along the first dimension of size 3"""
    if dim is None:
        found = [i for i, n in enumerate(require_tensor("cross", input).shape) if n == 3]
        if not found:
            raise ShapeError(
                f"cross: no dimension of {tuple(input.shape)} has size 3",
                hint="cross is for vectors of 3 entries",
            )
        dim = found[0]
    return linalg_cross(input, other, dim=dim)


def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices"""
    return diagonal(A, offset, dim1, dim2)
