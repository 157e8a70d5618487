"""Pseudoinverse, rank, least squares, and equations between tensors, with PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError, UsageError
from ..op import bind, constant, context
from ..ops._family import fill
from ..ops._matrix import product, transposed
from ..ops.matrix_function import Pinv
from ..ops.solve import SolveTriangular
from ..types import TensorType, int64, normalize_dim
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, is_tensor, require_tensor
from ._matrices import floats, last_sizes, matrices, one_dtype, squares, together
from .factorizations import eigvalsh, linalg_qr, svdvals, symmetric
from .return_types import shown
from .solving import inv, solve

__all__ = ["pinverse"]


@shown("linalg_lstsq")
class Lstsq(NamedTuple):
    """The solution and what is known of the fit; what was not computed is empty."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def _least(name: str, x: Any, largest: Any, atol: Any, rtol: Any) -> Any:
    """The larger of atol and rtol·σ_max for each matrix: what is below counts as 0."""
    for tol in (atol, rtol):
        if not (tol is None or is_tensor(tol) or isinstance(tol, int | float)):
            raise UsageError(
                f"{name} with a tolerance {tol!r}", hint="a number, or a tensor of numbers for the batch"
            )
    usual = max(last_sizes(x)) * float(np.finfo(x.dtype.numpy).eps)
    if rtol is None:
        if atol is None:
            rtol = usual
        elif is_tensor(atol):
            rtol = e.where(e.gt(atol, 0), 0.0, usual)
        else:
            rtol = 0.0 if atol > 0 else usual
    relative = e.mul(largest, rtol)
    return cast(e.clamp(relative, cast(atol, relative.dtype) if is_tensor(atol) else (atol or 0.0)), x.dtype)


def pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """A⁺, the Moore-Penrose inverse: ``pinv(A, *, atol=None, rtol=None, hermitian=False)``, or ``pinv(A, rcond)``.

    Singular values up to max(atol, rtol·σ_max) count as 0; rtol is max(m, n)·eps unless atol is given.  ``hermitian``: only the
    lower triangle of A is read.  The derivative holds as long as the rank stays (G. Golub and V. Pereyra 1973).
    """
    return _pinv(A, rcond, hermitian, atol=atol, rtol=rtol)


def _pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    a = matrices("pinv", A)
    if 0 in tuple(a.shape):
        return e.mul(transposed(a), 1)
    if hermitian:
        a = symmetric(squares("pinv", a))
    largest = s.narrow(svdvals(a.detach()), -1, 0, 1)
    tolerances = [
        t if t is None or not is_tensor(t) or t.ndim == 0 else s.unsqueeze(t, -1) for t in (atol, rtol)
    ]
    if rcond is not None:
        tolerances = [None, s.unsqueeze(rcond, -1) if is_tensor(rcond) and rcond.ndim else rcond]
    least = s.unsqueeze(_least("pinv", a, largest, *tolerances), -1)
    return bind(Pinv, *together(a, least.detach()))


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """`linalg.pinv` under its older name"""
    return _pinv(input, rcond)


def matrix_rank(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Any:
    """How many singular values exceed max(atol, rtol·σ_max): ``matrix_rank(A, *, atol=None, rtol=None, hermitian=False)``.

    The older ``matrix_rank(A, tol, hermitian)`` compares with tol alone.  With ``hermitian`` only the lower triangle is read.
    """
    return _rank(A, tol, hermitian, atol=atol, rtol=rtol)


def _rank(A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    a = matrices("matrix_rank", A).detach()
    if 0 in last_sizes(a):
        return fill(TensorType(tuple(a.shape[:-2]), int64))
    values = e.abs(eigvalsh(a)) if hermitian else svdvals(a)
    if tol is not None:
        least = tol
    else:
        least = _least("matrix_rank", a, r.amax(values, -1), atol, rtol)
    column = s.unsqueeze(least, -1) if is_tensor(least) else least
    return r.count_nonzero(e.gt(values, column), -1)


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> Lstsq:
    """X of the least ‖X‖ among those with the least ‖A X - B‖, for each column of B (or a vector B).

    ``driver``: "gels" for full rank, by QR; "gelsy" (default), "gelsd" and "gelss" for any rank, by singular values, of
    which those up to rcond·σ_max count as 0.  The rank comes with the last three, singular values with the last two, and
    residuals Σ (A X - B)² where A has more rows than columns and full rank ("gelsy" gives none, as in PyTorch).
    """
    ranks = require_tensor("lstsq", A).ndim, require_tensor("lstsq", B).ndim
    if ranks[0] < 2 or not 0 <= ranks[0] - ranks[1] <= 1:
        raise ShapeError(
            f"lstsq of shapes {tuple(A.shape)} and {tuple(B.shape)}",
            hint="A needs at least 2 dimensions, B as many, or one fewer for vectors",
        )
    a = matrices("lstsq", A)
    one_dtype("lstsq", a, B)
    driver = driver or "gelsy"
    if driver not in _DRIVERS:
        raise UsageError(f"lstsq with driver={driver!r}", hint=f"driver is one of {', '.join(_DRIVERS)}")
    vectors = B.ndim == 1 or (B.ndim == a.ndim - 1 and tuple(B.shape) == tuple(a.shape[:-1]))
    if not vectors and ranks[0] != ranks[1]:
        raise ShapeError(
            f"lstsq of shapes {tuple(A.shape)} and {tuple(B.shape)}",
            hint=f"B needs {A.ndim} dimensions, or the shape {tuple(A.shape[:-1])} for vectors",
        )
    b = s.unsqueeze(B, -1) if vectors else B
    if b.shape[-2] != a.shape[-2]:
        raise ShapeError(
            f"lstsq: the matrix {tuple(A.shape)} does not fit the right-hand side {tuple(B.shape)}",
            hint=f"it needs {a.shape[-2]} rows",
        )
    given, (a, b) = a.detach(), together(a, b)
    m, n = last_sizes(a)
    nothing, whole = constant([], a.dtype), min(m, n)
    rank, values = constant([], int64), nothing
    if driver == "gels":
        x = _by_qr(a, b)
    else:
        least = max(m, n) * float(np.finfo(a.dtype.numpy).eps) if rcond is None else rcond
        x = product(_pinv(a, least), b)
        singular = svdvals(given)
        top = s.narrow(singular, -1, 0, min(1, whole))
        rank = r.count_nonzero(e.gt(singular, e.mul(top, least)), -1)
        if driver in ("gelsd", "gelss"):
            values = singular
    residuals = s.narrow(s.ravel(x), 0, 0, 0)  # empty
    if m > n and driver != "gelsy" and _all_full(rank, driver, n):
        gap = e.sub(product(a, x), b)
        residuals = r.sum(e.mul(gap, gap), -2)
    return Lstsq(s.squeeze(x, -1) if vectors else x, residuals, rank, values)


def _all_full(rank: Any, driver: str, n: int) -> bool:
    """Have all matrices full rank?  Supposed while a function is traced, when no value is known."""
    return driver == "gels" or context.tracer is not None or bool((rank.numpy() == n).all())


def _by_qr(a: Any, b: Any) -> Any:
    m, n = last_sizes(a)
    if m >= n:
        q, t = linalg_qr(a)
        return bind(SolveTriangular, t, product(q, b, ta=True), upper=True, trans=False, unit=False)
    q, t = linalg_qr(transposed(a))
    return product(q, bind(SolveTriangular, t, b, upper=True, trans=True, unit=False))


def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of tensordot with A over its first ``ind`` dimensions, which have as many entries as the others"""
    floats("tensorinv", A)
    shape = tuple(A.shape)
    if ind <= 0:
        raise UsageError(f"tensorinv with ind={ind}", hint="ind is at least 1")
    n, k = math.prod(shape[:ind]), math.prod(shape[ind:])
    if n != k or ind > len(shape):
        raise ShapeError(
            f"tensorinv: the first {ind} dimensions of {shape} have {n} entries, the others {k}",
            hint="both need the same number of entries",
        )
    return s.reshape(inv(s.reshape(A, (n, n))), (*shape[ind:], *shape[:ind]))


def tensorsolve(A: Any, B: Any, dims: Sequence[int] | None = None) -> Any:
    """X with tensordot(A, X, X.ndim) = B; ``dims`` of A are moved to its end first"""
    floats("tensorsolve", A)
    one_dtype("tensorsolve", A, B)
    if dims is not None:
        last = [normalize_dim(d, A.ndim) for d in dims]
        A = s.permute(A, [d for d in range(A.ndim) if d not in last] + last)
    rest = tuple(A.shape[B.ndim :])
    n, k = math.prod(tuple(A.shape[: B.ndim])), math.prod(rest)
    if A.ndim < B.ndim or n != k or n != math.prod(tuple(B.shape)):
        raise ShapeError(
            f"tensorsolve: {n} equations and {k} unknowns from A of shape {tuple(A.shape)} with B of shape {tuple(B.shape)}",
            hint="the first dimensions of A are those of B, and the others have as many entries",
        )
    return s.reshape(solve(s.reshape(A, (n, n)), s.reshape(B, (n,))), rest)
