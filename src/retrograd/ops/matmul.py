"""The matrix product."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import TensorType, bool_, size
from ._family import lead
from .shape import Reshape


class Matmul(Op):
    """y = op(a) @ op(b), where op transposes the last two dimensions if ``ta`` (``tb``) says so.

    Shapes (..., n, k) and (..., k, m) after op, with equal leading dimensions.  ā = ȳ @ op(b)ᵀ and b̄ = op(a)ᵀ @ ȳ, written
    with the same flags: no transposed copy is ever made, and a weight's gradient has the weight's own layout.
    """

    reads = ("b", "a")

    def type(a: TensorType, b: TensorType, *, ta: bool, tb: bool) -> TensorType:
        if a.dtype is not b.dtype:
            raise DTypeError(
                f"matmul of {a.dtype!r} and {b.dtype!r}",
                hint="make both one dtype, e.g. a.to(b.dtype); PyTorch refuses this too",
            )
        if (
            a.dtype is bool_ and size(a.shape) and size(b.shape)
        ):  # of nothing PyTorch gives False, the empty sum
            raise DTypeError(
                "matmul takes numbers, not bool", hint="convert them first, e.g. a.int() @ b.int()"
            )
        if len(a.shape) < 2 or len(a.shape) != len(b.shape) or a.shape[:-2] != b.shape[:-2]:
            raise ShapeError(
                f"matmul takes equal ranks >= 2 and equal leading sizes, got {a.shape} and {b.shape}",
                hint="use retrograd.matmul",
            )
        n, k = (a.shape[-1], a.shape[-2]) if ta else (a.shape[-2], a.shape[-1])
        k2, m = (b.shape[-1], b.shape[-2]) if tb else (b.shape[-2], b.shape[-1])
        if k != k2:
            raise ShapeError(
                f"matrix product of ({n}, {k}) and ({k2}, {m}): the inner sizes {k} and {k2} differ",
                hint=f"the last size of the left operand must be {k2}, or the right operand must have {k} rows",
            )
        return TensorType((*a.shape[:-2], n, m), a.dtype)

    def eval(a: Array, b: Array, *, ta: bool, tb: bool) -> Array:
        if ta:
            a = a.swapaxes(-1, -2)
        if tb:
            b = b.swapaxes(-1, -2)
        return np.matmul(a, b)

    def vjp(g, _y, a, b, *, ta, tb):
        def left():
            return bind(Matmul, b, g, ta=tb, tb=True) if ta else bind(Matmul, g, b, ta=False, tb=not tb)

        def right():
            return bind(Matmul, g, a, ta=True, tb=ta) if tb else bind(Matmul, a, g, ta=not ta, tb=False)

        return left, right

    def batch(batched, a, b, *, ta, tb):
        if batched[0] and not batched[1] and len(b.shape) == 2 and not ta:
            # Rows of all examples meet the same matrix: one large product instead of many small ones.
            n, rows, k = a.shape
            flat = bind(Matmul, bind(Reshape, a, shape=(n * rows, k)), b, ta=False, tb=tb)
            return bind(Reshape, flat, shape=(n, rows, flat.shape[1]))
        size = a.shape[0] if batched[0] else b.shape[0]
        return bind(Matmul, lead(a, batched[0], size), lead(b, batched[1], size), ta=ta, tb=tb)

    def samples(r):
        for ta in (False, True):
            for tb in (False, True):
                a, b = r.normal(size=(3, 4)), r.normal(size=(4, 2))
                yield Sample(a.T if ta else a, b.T if tb else b, ta=ta, tb=tb)
        yield Sample(r.normal(size=(2, 3, 4)), r.normal(size=(2, 4, 5)), ta=False, tb=False)
        yield Sample(r.normal(size=(2, 4, 3)), r.normal(size=(2, 5, 4)), ta=True, tb=True)
        yield Sample(
            r.normal(size=(3, 2)).astype("float32"),
            r.normal(size=(2, 3)).astype("float32"),
            ta=False,
            tb=False,
        )
        yield Sample(np.zeros((2, 0)), np.zeros((0, 3)), ta=False, tb=False)
        yield Sample(r.integers(0, 5, (2, 3)), r.integers(0, 5, (3, 2)), ta=False, tb=False)

    def errors(r):
        yield Bad(
            np.zeros((2, 3)), np.zeros((4, 2)), ta=False, tb=False, message="inner sizes 3 and 4 differ"
        )
        yield Bad(
            np.zeros((2, 3)), np.zeros((3, 2), "float32"), ta=False, tb=False, message="float64 and .*float32"
        )
        yield Bad(np.eye(2, dtype=bool), np.eye(2, dtype=bool), ta=False, tb=False, message="not bool")
        yield Bad(np.zeros(3), np.zeros((3, 2)), ta=False, tb=False, message="equal ranks")
