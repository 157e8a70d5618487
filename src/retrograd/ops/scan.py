"""Primitives that run along one dimension: sums, recurrences and extremes so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import TensorType, bool_, int64
from ._family import batch_size, lead
from .reduce import AlongDim, check_dims
from .shape import Flip, Place, Slice


class Cumsum(AlongDim):
    """y_i = Σ_{j≤i} x_j along ``dim``.   x̄_i = Σ_{j≥i} ȳ_j"""

    def type(x: TensorType, *, dim: int) -> TensorType:
        check_dims(Cumsum, x, (dim,))
        return x

    def eval(x: Array, *, dim: int) -> Array:
        return np.cumsum(x, axis=dim, dtype=x.dtype)

    def vjp(g, _y, _x, *, dim):
        return (bind(Flip, bind(Cumsum, bind(Flip, g, dims=(dim,)), dim=dim), dims=(dim,)),)


def _moved(x: Any, dim: int, by: int) -> Any:
    """y_i = x_{i-by} along ``dim`` (by is 1 or -1), and 0 where there is none."""
    n = x.shape[dim]
    here, there = (0, max(n - 1, 0), 1), (min(1, n), n, 1)
    if by < 0:
        here, there = there, here
    whole = tuple((0, m, 1) for m in x.shape)
    part = bind(Slice, x, index=(*whole[:dim], here, *whole[dim + 1 :]))
    return bind(Place, part, shape=x.shape, index=(*whole[:dim], there, *whole[dim + 1 :]))


class Recurrence(Op):
    """y_i = a_i·y_{i-1} + b_i along ``dim``, y_0 = b_0 (``reverse``: from the last to the first).

    b̄_i = ȳ_i + a_{i+1}·b̄_{i+1}, the same op the other way round;  ā_i = b̄_i·y_{i-1}.  A primitive because nothing
    else runs step by step; running products and running log-sums-of-exponentials are made of it, exact at zeros.
    """

    def type(a: TensorType, b: TensorType, *, dim: int, reverse: bool) -> TensorType:
        check_dims(Recurrence, a, (dim,))
        if a != b or a.dtype is bool_:
            kind = ShapeError if a.shape != b.shape else DTypeError
            raise kind(f"recurrence of {a!r} and {b!r}", hint="both need one shape and one dtype of numbers")
        return a

    def eval(a: Array, b: Array, *, dim: int, reverse: bool) -> Array:
        a, b = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0)
        if reverse:
            a, b = a[::-1], b[::-1]
        if len(b) and not b[1:].any():  # a running product: NumPy has it, and is quicker than the loop
            y = np.multiply.accumulate(np.concatenate((b[:1], a[1:])), axis=0, dtype=b.dtype)
        else:
            y = b.copy()
            for i in range(1, len(y)):
                y[i] += a[i] * y[i - 1]
        return np.ascontiguousarray(np.moveaxis(y[::-1] if reverse else y, 0, dim))

    def vjp(g, y, a, _b, *, dim, reverse):
        step = -1 if reverse else 1
        back = bind(Recurrence, _moved(a, dim, -step), g, dim=dim, reverse=not reverse)
        return (lambda: back * _moved(y, dim, step), back)

    def batch(batched, a, b, *, dim, reverse):
        n = batch_size(batched, (a, b))
        return bind(Recurrence, lead(a, batched[0], n), lead(b, batched[1], n), dim=dim + 1, reverse=reverse)

    def samples(r):
        yield Sample(r.normal(size=(3, 4)), r.normal(size=(3, 4)), dim=1, reverse=False)
        yield Sample(r.normal(size=(4, 2)), r.normal(size=(4, 2)), dim=0, reverse=True)
        yield Sample(np.array([2.0, 0.0, 3.0, 0.0]), np.array([1.5, 0.0, 0.0, 0.0]), dim=0, reverse=False)
        yield Sample(np.zeros((2, 0)), np.zeros((2, 0)), dim=1, reverse=False)
        yield Sample(r.integers(1, 4, (5,)), r.integers(1, 4, (5,)), dim=0, reverse=False)

    def errors(r):
        yield Bad(np.zeros(3), np.zeros(3), dim=1, reverse=False, message="does not exist")
        yield Bad(np.zeros(3), np.zeros(4), dim=0, reverse=False, message="recurrence of")
        yield Bad(np.zeros(3), np.zeros(3, "float32"), dim=0, reverse=False, message="recurrence of")


class RunningArg(Op):
    """y_i = the position j ≤ i of the largest (or smallest) x_j along ``dim``; the last of equal ones, NaN wins.

    A primitive because it costs one pass; the values are gathered, so that they need no rule.
    """

    differentiable = False
    why_not = "a position is an integer"

    def type(x: TensorType, *, dim: int, largest: bool) -> TensorType:
        check_dims(RunningArg, x, (dim,))
        return TensorType(x.shape, int64)

    def eval(x: Array, *, dim: int, largest: bool) -> Array:
        extreme = (np.maximum if largest else np.minimum).accumulate(x, axis=dim)
        here = (x == extreme) | (x != x)
        place = np.arange(x.shape[dim]).reshape((-1, *(1,) * (x.ndim - dim - 1)))
        return np.maximum.accumulate(np.where(here, place, 0), axis=dim)

    def batch(batched, x, *, dim, largest):
        return bind(RunningArg, x, dim=dim + 1, largest=largest)

    def samples(r):
        yield Sample(r.normal(size=(3, 4)), dim=1, largest=True)
        yield Sample(np.array([2, 1, 2, 3, 1, 3]), dim=0, largest=False)
        yield Sample(np.array([1.0, np.nan, 2.0]), dim=0, largest=True)
        yield Sample(np.zeros((2, 0)), dim=1, largest=True)

    def errors(r):
        yield Bad(np.zeros(3), dim=1, largest=True, message="does not exist")
