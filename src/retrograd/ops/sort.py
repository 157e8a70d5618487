"""Primitives that sort, and that look up in what is sorted."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import TensorType, int64, size
from ._family import batch_size, lead
from .reduce import check_dims


class Sort(Op):
    """(y, order): x sorted along ``dim`` (stable), and where each element came from.   x̄ = ȳ put back in place"""

    n_outputs = 2

    def type(x: TensorType, *, dim: int, descending: bool) -> tuple[TensorType, TensorType]:
        check_dims(Sort, x, (dim,))
        return x, TensorType(x.shape, int64)

    def eval(x: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        if descending:  # reversing twice keeps equal elements in their order, and NaN first
            order = x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
        else:
            order = np.argsort(x, axis=dim, kind="stable")
        return np.take_along_axis(x, order, dim), order

    def vjp(g, y, _x, *, dim, descending):
        from .index import Gather

        back = bind(Sort, y[1], dim=dim, descending=False)[1]
        return (bind(Gather, g[0], back, dim=dim),)

    def batch(batched, x, *, dim, descending):
        return bind(Sort, x, dim=dim + 1, descending=descending)

    def samples(r):
        yield Sample(r.permutation(12).reshape(3, 4) * 0.7, dim=1, descending=False)
        yield Sample(r.permutation(6).reshape(3, 2) * 1.1, dim=0, descending=True)
        yield Sample(np.array([3, 1, 3, 2]), dim=0, descending=True)

    def errors(r):
        yield Bad(np.zeros(3), dim=1, descending=False, message="does not exist")


class SearchSorted(Op):
    """y = how many entries of the sorted last dimension of s are below x (``right``: not above x); NaN is above all.

    A primitive because a composite would compare each with each.
    """

    differentiable = False
    why_not = "a position is an integer"

    def type(s: TensorType, x: TensorType, *, right: bool) -> TensorType:
        if not s.shape or not x.shape or s.shape[:-1] != x.shape[:-1]:
            raise ShapeError(
                f"search_sorted of {x.shape} in {s.shape}: all but the last dimension must be equal",
                hint="use retrograd.searchsorted, which takes boundaries of one dimension for any shape",
            )
        if s.dtype is not x.dtype:
            raise DTypeError(
                f"search_sorted takes one dtype, got {s.dtype!r} and {x.dtype!r}",
                hint="convert one of them with .to(dtype)",
            )
        return TensorType(x.shape, int64)

    def eval(s: Array, x: Array, *, right: bool) -> Array:
        side = "right" if right else "left"
        n = size(s.shape[:-1])
        rows, wanted = s.reshape((n, s.shape[-1])), x.reshape((n, x.shape[-1]))
        out = np.empty(wanted.shape, np.int64)
        for i, values in enumerate(wanted):
            out[i] = np.searchsorted(rows[i], values, side)
        return out.reshape(x.shape)

    def batch(batched, s, x, *, right):
        n = batch_size(batched, (s, x))
        return bind(SearchSorted, lead(s, batched[0], n), lead(x, batched[1], n), right=right)

    def samples(r):
        yield Sample(np.sort(r.normal(size=5)), r.normal(size=4), right=False)
        yield Sample(np.array([[1, 2, 2, 3], [0, 0, 5, 9]]), np.array([[2, 0], [0, 9]]), right=True)
        yield Sample(np.zeros(0), np.zeros(3), right=False)
        yield Sample(np.zeros((2, 3)), np.zeros((2, 0)), right=False)

    def errors(r):
        yield Bad(np.zeros((2, 3)), np.zeros((3, 1)), right=False, message="must be equal")
        yield Bad(np.zeros(3), np.zeros(2, "float32"), right=False, message="one dtype")
