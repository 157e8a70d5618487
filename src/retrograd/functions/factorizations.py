"""Factors of matrices and of stacks of matrices, with PyTorch's names: Cholesky, QR, eigenvalues, singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ShapeError, UsageError
from ..op import bind, constant
from ..ops import decomposition as ops
from ..ops._matrix import identity, lower, product, rows, transposed, upper
from ..ops.solve import SolveTriangular
from ..types import TensorType
from . import elementwise as e
from . import shape as s
from ._matrices import floats, last_sizes, matrices, one_dtype, squares
from .return_types import shown

__all__ = ["cholesky", "orgqr", "ormqr", "qr", "svd"]


@shown("linalg_cholesky_ex")
class CholeskyEx(NamedTuple):
    """The factor, and 0 where there is one."""

    L: Any
    info: Any


@shown("linalg_qr")
class QR(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Any
    R: Any


@shown("linalg_eigh")
class Eigh(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


@shown("linalg_svd")
class SVD(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


@shown("svd")
class OldSVD(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, right singular vectors as columns."""

    U: Any
    S: Any
    V: Any


def symmetric(x: Any, use_upper: bool = False) -> Any:
    """The symmetric matrices of which ``x`` gives one triangle.

    Their gradient goes to both triangles of ``x``, as in PyTorch, so that a symmetric parameter stays symmetric.
    """
    given = x.detach()
    half = upper(given) if use_upper else lower(given)
    rest = upper(given, 1) if use_upper else lower(given, -1)
    seen = e.where(e.isfinite(x), x, 0.0)  # the other triangle may hold anything
    return half + transposed(rest) + (seen - seen.detach())


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """`cholesky`, and for each matrix 0 or the size of the first leading block that is not positive definite.

    Where info is not 0, L is NaN (PyTorch leaves a part of a factor there).
    """
    a = squares("cholesky", A)
    factor, info = bind(ops.Cholesky, symmetric(a, upper), check=check_errors)
    return CholeskyEx(transposed(factor) if upper else factor, info)


def linalg_cholesky(A: Any, *, upper: bool = False) -> Any:
    """Lower triangular L with A = L Lᵀ, or the ``upper`` one with A = Uᵀ U, of symmetric positive definite matrices.

    Only that triangle of A is read; the gradient is symmetric.  Derivative after I. Murray (2016).

    >>> import retrograd as rg
    >>> rg.linalg.cholesky(rg.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    return cholesky_ex(A, upper=upper, check_errors=True).L


def cholesky(input: Any, upper: bool = False) -> Any:
    """`linalg.cholesky` under its older name"""
    return linalg_cholesky(input, upper=upper)


def linalg_qr(A: Any, mode: str = "reduced") -> QR:
    """A = Q R with orthonormal columns in Q and R upper triangular.

    ``mode``: "reduced" (m, k) and (k, n) with k = min(m, n), "complete" (m, m) and (m, n), "r" for R alone.  Derivatives: for
    "reduced" always, for "complete" where m ≤ n, for "r" none, as in PyTorch.
    """
    a = matrices("qr", A)
    m, n = last_sizes(a)
    if mode not in ("reduced", "complete", "r"):
        raise UsageError(f"qr with mode={mode!r}", hint='mode is "reduced", "complete" or "r"')
    if mode == "r":
        r = bind(ops.Qr, a.detach(), complete=False)[1]
        return QR(constant([], a.dtype), r)
    if mode == "complete" and m > n:
        return QR(*bind(ops.Qr, a, complete=True))
    if m >= n:
        return QR(*bind(ops.Qr, a, complete=False))
    q, r = bind(ops.Qr, s.narrow(a, -1, 0, m), complete=False)
    return QR(q, s.cat([r, product(q, s.narrow(a, -1, m, n - m), ta=True)], -1))


def qr(input: Any, some: bool = True) -> QR:
    """`linalg.qr` under its older name; ``some``: reduced"""
    return linalg_qr(input, "reduced" if some else "complete")


def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices: A = V diag(w) Vᵀ.

    Only the lower triangle is read (UPLO="U": the upper one); the gradient is symmetric.  Vectors of equal eigenvalues are not
    unique and get no gradient.
    """
    a = squares("eigh", A)
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise UsageError(f"eigh with UPLO={UPLO!r}", hint='UPLO is "L" or "U"')
    return Eigh(*bind(ops.Eigh, symmetric(a, UPLO.upper() == "U")))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices, ascending"""
    return eigh(A, UPLO).eigenvalues


def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """A = U diag(S) Vh with orthonormal columns in U and rows in Vh, S descending and not negative.

    ``full_matrices``: U and Vh are square, else (m, k) and (k, n) with k = min(m, n).  Added vectors, and vectors of equal
    singular values, are not unique and get no gradient.  ``driver`` is for other devices.
    """
    a = matrices("svd", A)
    if driver is not None:
        raise UsageError(
            f"svd with driver={driver!r}", hint="drivers are for other devices; leave driver=None"
        )
    return SVD(*bind(ops.Svd, a, full=full_matrices))


def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """Singular values, descending"""
    return linalg_svd(A, False, driver=driver).S


def svd(input: Any, some: bool = True, compute_uv: bool = True) -> OldSVD:
    """`linalg.svd` under its older name, with V in place of Vh; without ``compute_uv`` U and V are zeros"""
    u, values, vh = linalg_svd(input, not some)
    if not compute_uv:
        batch, (m, n) = tuple(input.shape[:-2]), last_sizes(input)
        from ..ops._family import fill

        u, v = (fill(TensorType((*batch, k, k), input.dtype)) for k in (m, n))
        return OldSVD(u, values, v)
    return OldSVD(u, values, transposed(vh))


def _reflected(input: Any, tau: Any, start: Any, transpose: bool = False) -> Any:
    """H₁ H₂ ... H_k start, with the reflections H_i = I - tau_i v_i v_iᵀ that ``input`` holds below its diagonal.

    All at once: the product is I - V T Vᵀ with T = (I + diag(tau)·striu(VᵀV))⁻¹ diag(tau) (T. Joffrain et al. 2006).
    """
    k = tau.shape[-1]
    v = lower(s.narrow(input, -1, 0, k), -1) + identity((*input.shape[:-1], k), input.dtype)
    scale = rows(tau, k)
    inner = identity((*tau.shape, k), tau.dtype) + scale * upper(product(v, v, ta=True), 1)
    if transpose:  # the transposed product has Tᵀ in the middle
        middle = bind(SolveTriangular, inner, product(v, start, ta=True), upper=True, trans=True, unit=True)
        return start - product(v, rows(tau, start.shape[-1]) * middle)
    right = rows(tau, start.shape[-1]) * product(v, start, ta=True)
    return start - product(v, bind(SolveTriangular, inner, right, upper=True, trans=False, unit=True))


def householder_product(input: Any, tau: Any) -> Any:
    """The first n columns of the product of the reflections I - tau_i v_i v_iᵀ, v_i below the diagonal of ``input`` (m, n)"""
    a, tau = _reflections("householder_product", input, tau)
    m, n = last_sizes(a)
    if m < n:
        raise ShapeError(
            f"householder_product of shape {tuple(a.shape)}", hint="as many rows as columns, or more"
        )
    start = identity((*a.shape[:-2], m, n), a.dtype)
    return _reflected(a, tau, start)


orgqr = householder_product


def _reflections(name: str, input: Any, tau: Any) -> tuple[Any, Any]:
    a, tau = matrices(name, input), floats(name, tau)
    one_dtype(name, a, tau)
    m, n = last_sizes(a)
    if tau.ndim != a.ndim - 1 or tau.shape[:-1] != a.shape[:-2] or tau.shape[-1] > min(m, n):
        raise ShapeError(
            f"{name} of shapes {tuple(a.shape)} and {tuple(tau.shape)}",
            hint="input (..., m, n), tau (..., k) with k not larger than m or n",
        )
    return a, tau


def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Q other, other Q, Qᵀ other or other Qᵀ, with the square Q that `householder_product` begins to write out"""
    a, tau = _reflections("ormqr", input, tau)
    c = matrices("ormqr", other)
    one_dtype("ormqr", a, c)
    if tau.shape[-1] != min(last_sizes(a)):
        raise ShapeError(
            f"ormqr of shapes {tuple(a.shape)} and {tuple(tau.shape)}",
            hint="tau needs one entry for each reflection",
        )
    if c.shape[:-2] != a.shape[:-2] or c.shape[-2 if left else -1] != a.shape[-2]:
        raise ShapeError(
            f"ormqr: reflections of {a.shape[-2]} entries do not fit shape {tuple(c.shape)}",
            hint=f"other needs {a.shape[-2]} {'rows' if left else 'columns'} and the same leading sizes as the input",
        )
    if not left:
        return transposed(_reflected(a, tau, transposed(c), not transpose))
    return _reflected(a, tau, c, transpose)
