"""Systems of linear equations: solution, triangular solution, LU factors, determinant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import LinAlgError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import TensorType, int32
from ._elimination import factored, substitute
from ._family import lead
from ._matrix import (
    OfMatrices,
    lower,
    product,
    require_matrices,
    require_square,
    upper,
)
from .shape import Permute, Reshape


def _require_system(op: type[Op], a: TensorType, b: TensorType) -> None:
    require_square(op, a)
    require_matrices(op, a, b)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"{op.name}: {a.shape[-1]} equations (matrix {a.shape}), but {b.shape[-2]} rows on the right-hand side {b.shape}",
            hint="the right-hand side needs one row for each row of the matrix",
        )


class Solve(OfMatrices):
    """(x, info): op(a) x = b, where op transposes if ``ta`` says so.   b̄ = op(a)⁻ᵀ x̄, ā = -b̄ xᵀ (or its transpose).

    info is 0, or the number of the first zero pivot of a singular matrix (then x is NaN; with ``check`` an error).  A
    primitive: LAPACK's own elimination is quicker and more accurate than an inverse.
    """

    n_outputs = 2
    reads = ("a y", "a")

    def type(a: TensorType, b: TensorType, *, ta: bool, check: bool) -> tuple[TensorType, TensorType]:
        _require_system(Solve, a, b)
        return b, TensorType(a.shape[:-2], int32)

    def eval(a: Array, b: Array, *, ta: bool, check: bool) -> tuple[Array, Array]:
        info = np.zeros(a.shape[:-2], np.int32)
        m = a.swapaxes(-1, -2) if ta else a
        try:
            return np.linalg.solve(m, b), info
        except np.linalg.LinAlgError:
            packed, _ = factored(a)
            zero = np.diagonal(packed, axis1=-2, axis2=-1) == 0
            info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(np.int32)
            if not info.any():  # rounding decided otherwise here: the last pivot is the one that vanished
                info = np.where(_singular(m), a.shape[-1], 0).astype(np.int32)
            if check:
                at = tuple(int(i) for i in np.argwhere(info)[0])
                raise LinAlgError(
                    f"the matrix{f' at {list(at)}' if at else ''} is singular: pivot {info[at]} of {a.shape[-1]} is zero",
                    hint="the equations depend on each other; use linalg.lstsq or linalg.pinv for the best solution",
                ) from None
            out = np.full_like(b, np.nan)
            good = info == 0
            out[good] = np.linalg.solve(m[good], b[good])
            return out, info

    def vjp(g, y, a, _b, *, ta, check):
        done: list[Any] = []

        def right():
            if not done:
                done.append(bind(Solve, a, g[0], ta=not ta, check=check)[0])
            return done[0]

        def left():
            out = product(y[0], right(), tb=True) if ta else product(right(), y[0], tb=True)
            return -out

        return left, right

    def batch(batched, a, b, *, ta, check):
        if batched[1] and not batched[0] and len(a.shape) == 2:
            # All examples have the same matrix: it is factored once, and their columns stand side by side.
            n, m, k = b.shape
            wide = bind(Reshape, bind(Permute, b, dims=(1, 0, 2)), shape=(m, n * k))
            x, info = bind(Solve, a, wide, ta=ta, check=check)
            x = bind(Permute, bind(Reshape, x, shape=(m, n, k)), dims=(1, 0, 2))
            return x, lead(info, False, n)
        n = a.shape[0] if batched[0] else b.shape[0]
        return bind(Solve, lead(a, batched[0], n), lead(b, batched[1], n), ta=ta, check=check)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)), r.normal(size=(3, 2)), ta=False, check=True)
        yield Sample(r.normal(size=(2, 3, 3)), r.normal(size=(2, 3, 1)), ta=True, check=False)
        yield Sample(
            _well(r, 3).astype("float32"), r.normal(size=(3, 1)).astype("float32"), ta=False, check=True
        )
        yield Sample(np.zeros((0, 0)), np.zeros((0, 2)), ta=False, check=True)
        yield Sample(
            np.array([[1.0, 2.0], [2.0, 4.0]]), r.normal(size=(2, 1)), ta=False, check=False, grad=()
        )

    def errors(r):
        singular = np.array([[1.0, 2.0], [2.0, 4.0]])
        yield Bad(singular, np.ones((2, 1)), ta=False, check=True, message="singular: pivot 2 of 2")
        yield Bad(np.zeros((2, 3)), np.zeros((2, 1)), ta=False, check=True, message="square")
        yield Bad(np.eye(2), np.zeros((3, 1)), ta=False, check=True, message="2 equations.*3 rows")
        yield Bad(np.eye(2), np.zeros((2, 1), "float32"), ta=False, check=True, message="one dtype")


def _singular(m: Array) -> Array:
    def refuses(a: Array) -> bool:
        try:
            np.linalg.inv(a)
        except np.linalg.LinAlgError:
            return True
        return False

    return np.array([refuses(a) for a in m.reshape(-1, *m.shape[-2:])]).reshape(m.shape[:-2])


def _well(r: np.random.Generator, n: int) -> Array:
    """A matrix far from singular."""
    return r.uniform(-0.5, 0.5, (n, n)) + 2 * np.eye(n)


class SolveTriangular(OfMatrices):
    """op(t) y = b for the lower (or ``upper``) triangle t of a; op transposes if ``trans`` says so; ``unit``: the diagonal
    counts as 1.   b̄ = op(t)⁻ᵀ ȳ, ā = the triangle of -b̄ yᵀ (or of its transpose).

    A zero on the diagonal gives inf or NaN.  A primitive: substitution needs no factoring, and loses no accuracy.
    """

    reads = ("a y", "a")

    def type(a: TensorType, b: TensorType, *, upper: bool, trans: bool, unit: bool) -> TensorType:
        _require_system(SolveTriangular, a, b)
        return b

    def eval(a: Array, b: Array, *, upper: bool, trans: bool, unit: bool) -> Array:
        if trans:
            a, upper = a.swapaxes(-1, -2), not upper
        return substitute(a, b, upper=upper, unit=unit)

    def vjp(g, y, a, _b, *, upper, trans, unit):
        done: list[Any] = []

        def right():
            if not done:
                done.append(bind(SolveTriangular, a, g, upper=upper, trans=not trans, unit=unit))
            return done[0]

        def left():
            out = product(y, right(), tb=True) if trans else product(right(), y, tb=True)
            return -_triangle(out, upper, unit)

        return left, right

    def samples(r):
        for up in (False, True):
            for trans in (False, True):
                unit = up != trans
                a = r.normal(size=(3, 3)) + 3 * np.eye(3)
                yield Sample(a, r.normal(size=(3, 2)), upper=up, trans=trans, unit=unit)
        yield Sample(_well(r, 70), r.normal(size=(70, 1)), upper=True, trans=False, unit=False, grad=())
        a, b = _well(r, 2).astype("float32"), np.ones((2, 1), "float32")
        yield Sample(a, b, upper=False, trans=False, unit=False)
        yield Sample(np.zeros((2, 0, 0)), np.zeros((2, 0, 3)), upper=False, trans=False, unit=False)

    def errors(r):
        yield Bad(np.eye(2), np.zeros((3, 1)), upper=True, trans=False, unit=False, message="2 equations")
        yield Bad(np.zeros((2, 3)), np.zeros((2, 1)), upper=True, trans=False, unit=False, message="square")


def _triangle(x: Any, up: bool, unit: bool) -> Any:
    return upper(x, int(unit)) if up else lower(x, -int(unit))
