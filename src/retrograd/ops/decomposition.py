"""Factorisations of matrices, with reverse rules that are accurate where the factors are.

Rules after I. Murray, "Differentiation of the Cholesky decomposition" (2016); J. Townsend, "Differentiating the singular
value decomposition" (2016); M. Seeger et al., "Auto-differentiating linear algebra" (2017); M. Giles, "An extended
collection of matrix derivative results" (2008).  LAPACK does the factoring, through NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import GradError, LinAlgError
from ..op import Array, Bad, Sample, bind
from ..types import TensorType, int32
from ._matrix import (
    OfMatrices,
    columns,
    diagonal_matrix,
    lower,
    product,
    require_matrices,
    require_square,
    rows,
    safe_reciprocal,
    symmetric_part,
    transposed,
)
from .shape import Slice
from .solve import SolveTriangular


def _positive(r: np.random.Generator, *shape: int) -> Array:
    a = r.normal(size=shape)
    return a @ a.swapaxes(-1, -2) + np.eye(shape[-1])


class Cholesky(OfMatrices):
    """(L, info): (a + aᵀ)/2 = L Lᵀ with L lower triangular.   ā = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, symmetrised; Φ keeps the lower triangle
    and half of the diagonal (Murray 2016).

    info is 0, or the size of the first leading block that is not positive definite (then L is NaN; with ``check`` an
    error).  A primitive: no composition of others finds the factor.
    """

    n_outputs = 2

    def type(a: TensorType, *, check: bool) -> tuple[TensorType, TensorType]:
        require_square(Cholesky, a)
        return a, TensorType(a.shape[:-2], int32)

    def eval(a: Array, *, check: bool) -> tuple[Array, Array]:
        a = (a + a.swapaxes(-1, -2)) * a.dtype.type(0.5)
        info = np.zeros(a.shape[:-2], np.int32)
        if a.size == 0:
            return a, info
        try:
            return np.linalg.cholesky(a), info
        except np.linalg.LinAlgError:
            out = np.full_like(a, np.nan)
            for at in np.ndindex(*info.shape):
                info[at] = _first_not_positive(a[at])
                if info[at] == 0:
                    out[at] = np.linalg.cholesky(a[at])
            if check:
                at = tuple(int(i) for i in np.argwhere(info)[0])
                raise LinAlgError(
                    f"cholesky: the matrix{_place(at)} is not positive definite: its leading block of size {info[at]} is not",
                    hint="add a little to the diagonal, e.g. a + 1e-6 * retrograd.eye(n), or use linalg.eigh",
                ) from None
            return out, info

    def vjp(g, y, _a, *, check):
        factor = y[0]
        inner = lower(product(factor, g[0], ta=True))
        inner = (inner + lower(inner, -1)) * 0.5
        left = bind(SolveTriangular, factor, symmetric_part(inner), upper=False, trans=True, unit=False)
        return (
            transposed(bind(SolveTriangular, factor, transposed(left), upper=False, trans=True, unit=False)),
        )

    def samples(r):
        yield Sample(_positive(r, 3, 3), check=False)
        yield Sample(_positive(r, 2, 2, 2), check=False)
        yield Sample(_positive(r, 3, 3).astype("float32"), check=False)
        yield Sample(np.array([[4.0]]), check=True)
        yield Sample(np.zeros((2, 0, 0)), check=True)
        yield Sample(np.array([[1.0, 2.0], [2.0, 1.0]]), check=False, grad=())

    def errors(r):
        yield Bad(np.array([[1.0, 2.0], [2.0, 1.0]]), check=True, message="not positive definite.*size 2")
        yield Bad(np.zeros((2, 3)), check=True, message="square")
        yield Bad(np.eye(2, dtype="int64"), check=True, message="floating")


def _first_not_positive(a: Array) -> int:
    """Size of the first leading block that has no Cholesky factor; 0 if all of ``a`` has one.  By halving."""
    good, bad = 0, a.shape[-1] + 1
    while bad - good > 1:
        k = (good + bad) // 2
        try:
            np.linalg.cholesky(a[:k, :k])
            good = k
        except np.linalg.LinAlgError:
            bad = k
    return 0 if bad == a.shape[-1] + 1 else bad


def _place(at: tuple[int, ...]) -> str:
    return f" at {list(at)}" if at else ""


class Qr(OfMatrices):
    """(Q, R): a = Q R, Q with orthonormal columns, R upper triangular; at least as many rows as columns.

    ā = (Q̄ + Q·copyltu(M)) R⁻ᵀ with M = R R̄ᵀ - Q̄ᵀ Q (Seeger et al. 2017).  ``complete``: Q is square; the added columns
    are not unique and have no derivative.  A primitive: Gram-Schmidt from others would lose orthogonality.
    """

    n_outputs = 2

    def type(a: TensorType, *, complete: bool) -> tuple[TensorType, TensorType]:
        require_matrices(Qr, a)
        *some, m, n = a.shape
        k = m if complete else min(m, n)
        return TensorType((*some, m, k), a.dtype), TensorType((*some, k, n), a.dtype)

    def eval(a: Array, *, complete: bool) -> tuple[Array, Array]:
        *some, m, n = a.shape
        if a.size == 0:
            k = m if complete else min(m, n)
            unit = np.broadcast_to(np.eye(m, k, dtype=a.dtype), (*some, m, k)).copy()
            return unit, np.zeros((*some, k, n), a.dtype)
        q, r = np.linalg.qr(a, mode="complete" if complete else "reduced")
        return q, r

    def vjp(g, y, _a, *, complete):
        (gq, gr), (q, r) = g, y
        m, n = _a.shape[-2:]
        if m < n or (complete and m > n):
            raise GradError(
                "qr: the factors of a matrix of shape "
                f"({m}, {n}) {'with a square Q' if m > n else 'with more columns than rows'} have no derivative here",
                hint='use linalg.qr(a) with mode="reduced", which has one for every shape',
            )
        inner = product(r, gr, tb=True) - product(gq, q, ta=True)
        inner = lower(inner) + transposed(lower(inner, -1))
        right = gq + product(q, inner)
        return (transposed(bind(SolveTriangular, r, transposed(right), upper=True, trans=False, unit=False)),)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)), complete=False)
        yield Sample(r.normal(size=(2, 4, 2)), complete=False)
        yield Sample(r.normal(size=(4, 2)).astype("float32"), complete=False)
        yield Sample(r.normal(size=(2, 2)), complete=True)
        yield Sample(r.normal(size=(4, 2)), complete=True, grad=())
        yield Sample(r.normal(size=(2, 3)), complete=False, grad=())
        yield Sample(np.zeros((3, 0)), complete=True, grad=())
        yield Sample(np.zeros((2, 0, 0)), complete=False)

    def errors(r):
        yield Bad(np.zeros(3), complete=False, message="needs a matrix")
        yield Bad(np.eye(2, dtype="int64"), complete=False, message="floating")


class Eigh(OfMatrices):
    """(w, V): (a + aᵀ)/2 = V diag(w) Vᵀ, w ascending, V orthogonal.   ā = V (diag(w̄) + F∘(Vᵀ V̄)) Vᵀ, symmetrised, with
    F_ij = 1/(w_j - w_i) (Giles 2008), and 0 where eigenvalues are equal: their vectors are not unique.

    A primitive: the eigenvectors of close eigenvalues need LAPACK's care.
    """

    n_outputs = 2

    def type(a: TensorType) -> tuple[TensorType, TensorType]:
        require_square(Eigh, a)
        return TensorType(a.shape[:-1], a.dtype), a

    def eval(a: Array) -> tuple[Array, Array]:
        return _converged("eigh", np.linalg.eigh, (a + a.swapaxes(-1, -2)) * a.dtype.type(0.5))

    def vjp(g, y, _a):
        (gw, gv), (w, v) = g, y
        n = w.shape[-1]
        inner = product(v, gv, ta=True) * safe_reciprocal(columns(w, n) - rows(w, n)) + diagonal_matrix(gw)
        return (product(product(v, symmetric_part(inner)), v, tb=True),)

    def samples(r):
        for shape in ((3, 3), (2, 2, 2)):
            yield Sample(r.normal(size=shape) + np.diag(3.0 * np.arange(shape[-1])))
        yield Sample(np.array([[1.0, 0.5], [0.25, 4.0]], "float32"))
        yield Sample(np.array([[4.0]]))
        yield Sample(np.zeros((2, 0, 0)))

    def errors(r):
        yield Bad(np.zeros((2, 3)), message="square")
        yield Bad(np.eye(2, dtype="int64"), message="floating")


class Svd(OfMatrices):
    """(U, s, Vᵀ): a = U diag(s) Vᵀ, s descending.   ā = U (diag(s̄) + (F∘skew(Uᵀ Ū)) S + S (F∘skew(Vᵀ V̄))) Vᵀ
    + (I - U Uᵀ) Ū S⁻¹ Vᵀ + U S⁻¹ V̄ᵀ (I - V Vᵀ), with skew(x) = x - xᵀ and F_ij = 1/(s_j² - s_i²) (Townsend 2016).

    Where singular values are equal or zero, their vectors are not unique and get no share of the derivative.
    ``full``: U and Vᵀ are square; the added vectors have no derivative.  A primitive: the eigenvalues of aᵀa would lose half
    of the digits.
    """

    n_outputs = 3

    def type(a: TensorType, *, full: bool) -> tuple[TensorType, TensorType, TensorType]:
        require_matrices(Svd, a)
        *some, m, n = a.shape
        k = min(m, n)
        return (
            TensorType((*some, m, m if full else k), a.dtype),
            TensorType((*some, k), a.dtype),
            TensorType((*some, n if full else k, n), a.dtype),
        )

    def eval(a: Array, *, full: bool) -> tuple[Array, Array, Array]:
        return _converged("svd", np.linalg.svd, a, full_matrices=full)

    def vjp(g, y, _a, *, full):
        (gu, gs, gvh), (u, s, vh) = g, y
        *some, m, n = _a.shape
        k = s.shape[-1]
        if full:
            gu, u = (_corner(x, (*some, m, k)) for x in (gu, u))
            gvh, vh = (_corner(x, (*some, k, n)) for x in (gvh, vh))
        wide, tall = columns(s, k), rows(s, k)
        gaps = safe_reciprocal((wide - tall) * (wide + tall))
        inner = diagonal_matrix(gs)
        left, right = product(u, gu, ta=True), product(vh, gvh, tb=True)
        inner = inner + (left - transposed(left)) * gaps * wide
        inner = inner + (right - transposed(right)) * gaps * tall
        out = product(u, inner)
        inverse = safe_reciprocal(s)
        if m > k:
            out = out + (gu - product(u, left)) * columns(inverse, m)
        out = product(out, vh)
        if n > k:
            out = out + product(u, (gvh - product(transposed(right), vh)) * rows(inverse, n))
        return (out,)

    def samples(r):
        for shape in ((3, 3), (4, 2), (2, 2, 3)):
            yield Sample(r.normal(size=shape), full=False)
        yield Sample(np.array([[4.0, 0.5], [0.25, 1.0]], "float32"), full=False)
        yield Sample(r.normal(size=(3, 2)), full=True, grad=())
        yield Sample(r.normal(size=(2, 2)), full=True)
        yield Sample(np.zeros((2, 0, 3)), full=False)
        yield Sample(np.zeros((0, 3)), full=True, grad=())

    def errors(r):
        yield Bad(np.zeros(3), full=False, message="needs a matrix")
        yield Bad(np.eye(2, dtype="int64"), full=False, message="floating")


def _converged(name: str, factors: Callable[..., Any], a: Array, **options: Any) -> tuple[Array, ...]:
    """The factors; LAPACK fails on NaN and infinities, sometimes silently."""
    try:
        found = tuple(factors(a, **options))
    except np.linalg.LinAlgError:
        found = ()
    if not found or not np.isfinite(found[0]).all():
        what = "did not converge" if np.isfinite(a).all() else "got a matrix with NaN or infinite entries"
        raise LinAlgError(f"{name} {what}", hint="look at the entries, e.g. with retrograd.isfinite(a).all()")
    return found


def _corner(x, shape):
    """The first entries of ``x`` along each dimension."""
    return bind(Slice, x, index=tuple((0, n, 1) for n in shape))
