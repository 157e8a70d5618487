"""Primitives that pick elements by position, and put them back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind, constant
from ..types import Shape, TensorType, bool_, int64, size
from ._family import batch_size, lead
from .logic import Cast
from .shape import Broadcast, Reshape


def _require_index(name: str, index: TensorType) -> None:
    if index.dtype is not int64:
        raise DTypeError(
            f"{name} needs int64 indices, not {index.dtype!r}", hint="convert the indices with .long()"
        )


def _check_range(name: str, index: Array, limit: int) -> None:
    """Indices must lie in [0, limit): negative ones were wrapped by the functions above this floor."""
    if index.size and (int(index.min()) < 0 or int(index.max()) >= limit):
        flat = index.reshape(-1)
        bad = int(flat[int(np.flatnonzero((flat < 0) | (flat >= limit))[0])])
        raise ShapeError(
            f"{name}: index {bad} is out of range for size {limit}",
            hint=f"valid indices are 0 to {limit - 1}",
        )


class Gather(Op):
    """y[i..] = x[i with the entry along ``dim`` replaced by index[i..]].   x̄ = ȳ added back at those places"""

    def type(x: TensorType, index: TensorType, *, dim: int) -> TensorType:
        _require_index("gather", index)
        _check_gather("gather", x.shape, index.shape, dim)
        return TensorType(index.shape, x.dtype)

    def eval(x: Array, index: Array, *, dim: int) -> Array:
        _check_range("gather", index, x.shape[dim])
        return np.take_along_axis(_crop(x, index.shape, dim), index, dim)

    def vjp(g, _y, _x, index, *, dim):
        return (lambda: bind(ScatterAdd, g, index, shape=_x.shape, dim=dim), None)

    def batch(batched, x, index, *, dim):
        n = batch_size(batched, (x, index))
        return bind(Gather, lead(x, batched[0], n), lead(index, batched[1], n), dim=dim + 1)

    def samples(r):
        yield Sample(r.normal(size=(3, 4)), r.integers(0, 4, (3, 6)), dim=1)
        yield Sample(r.normal(size=(3, 4)), r.integers(0, 3, (2, 2)), dim=0)
        yield Sample(r.normal(size=(3,)), np.zeros((0,), "int64"), dim=0)

    def errors(r):
        yield Bad(np.zeros((2, 3)), np.array([[0, 3]]), dim=1, message="out of range")
        yield Bad(np.zeros((2, 3)), np.array([[0.0, 1.0]]), dim=1, message="int64")
        yield Bad(np.zeros((2, 3)), np.zeros((3, 1), "int64"), dim=1, message="does not fit")


def _check_gather(name: str, shape: Shape, index: Shape, dim: int) -> None:
    fits = len(shape) == len(index) and 0 <= dim < max(len(shape), 1)
    if not fits or any(j > n for i, (n, j) in enumerate(zip(shape, index, strict=True)) if i != dim):
        raise ShapeError(
            f"{name} along dim {dim}: an index of shape {index} does not fit a tensor of shape {shape}",
            hint="index needs as many dimensions, and no larger sizes except along dim",
        )


def _crop(x: Array, shape: Shape, dim: int) -> Array:
    return x[tuple(slice(None) if i == dim else slice(n) for i, n in enumerate(shape))]


class ScatterAdd(Op):
    """y = zeros of ``shape``, with x added at the places that ``index`` names along ``dim``.   x̄ = ȳ gathered"""

    def type(x: TensorType, index: TensorType, *, shape: Shape, dim: int) -> TensorType:
        _require_index("scatter_add", index)
        _check_gather("scatter_add", shape, index.shape, dim)
        if x.shape != index.shape:
            raise ShapeError(
                f"scatter_add: values {x.shape} and index {index.shape} differ in shape",
                hint="one index per value",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, index: Array, *, shape: Shape, dim: int) -> Array:
        _check_range("scatter_add", index, shape[dim])
        grid = np.indices(index.shape, sparse=True)
        places = tuple(index if i == dim else g for i, g in enumerate(grid))
        if not places:
            return x.reshape(shape)
        return _add_at(
            x.reshape(-1), np.ravel_multi_index(np.broadcast_arrays(*places), shape).reshape(-1), size(shape)
        ).reshape(shape)

    def vjp(g, _y, _x, index, *, shape, dim):
        return (lambda: bind(Gather, g, index, dim=dim), None)

    def batch(batched, x, index, *, shape, dim):
        n = batch_size(batched, (x, index))
        return bind(
            ScatterAdd, lead(x, batched[0], n), lead(index, batched[1], n), shape=(n, *shape), dim=dim + 1
        )

    def samples(r):
        yield Sample(r.normal(size=(3, 5)), r.integers(0, 4, (3, 5)), shape=(3, 4), dim=1)
        yield Sample(r.normal(size=(2, 2)), r.integers(0, 3, (2, 2)), shape=(3, 4), dim=0)

    def errors(r):
        yield Bad(np.zeros(2), np.array([0, 5]), shape=(3,), dim=0, message="out of range")
        yield Bad(np.zeros(3), np.array([0, 1]), shape=(3,), dim=0, message="differ in shape")


def _add_at(values: Array, places: Array, n: int) -> Array:
    """Rows of ``values`` added up by place, always in the order in which they stand: the same bits every time.

    Floating numbers are added in float64 and rounded once, which is also several times quicker than numpy.add.at.
    """
    width = math.prod(values.shape[1:])
    if values.ndim > 1:
        places = (places[:, None] * width + np.arange(width)).reshape(-1)
    flat, total = values.reshape(-1), n * width
    if values.dtype.kind == "f":
        out = np.bincount(places, flat, total).astype(values.dtype, copy=False)
    else:
        out = np.zeros(total, values.dtype)
        np.add.at(out, places, flat)
    return out.reshape(n, *values.shape[1:])


class Index(Op):
    """y = x[i₀, i₁, ...]: whole slices of x, named by k index tensors over its first k dimensions.   x̄ = ȳ added back.

    An embedding is this op with k = 1.
    """

    def type(x: TensorType, *index: TensorType) -> TensorType:
        if not 1 <= len(index) <= len(x.shape):
            raise ShapeError(
                f"index: {len(index)} index tensors for a tensor of shape {x.shape}",
                hint="at most one per dimension",
            )
        for i in index:
            _require_index("index", i)
            if i.shape != index[0].shape:
                raise ShapeError(
                    f"index tensors of shapes {index[0].shape} and {i.shape}",
                    hint="use x[i, j], which broadcasts them",
                )
        return TensorType((*index[0].shape, *x.shape[len(index) :]), x.dtype)

    def eval(x: Array, *index: Array) -> Array:
        for d, i in enumerate(index):
            _check_range("index", i, x.shape[d])
        return x.take(index[0], axis=0) if len(index) == 1 else x[index]

    def vjp(g, _y, _x, *index):
        return (lambda: bind(IndexAdd, g, *index, shape=_x.shape), *(None for _ in index))

    def batch(batched, x, *index):
        n = batch_size(batched, (x, *index))
        if not batched[0]:
            return bind(Index, x, *(lead(i, b, n) for i, b in zip(index, batched[1:], strict=True)))
        rest = [lead(i, b, n) for i, b in zip(index, batched[1:], strict=True)]
        return bind(Index, x, _rows(n, rest[0].shape), *rest)

    def samples(r):
        yield Sample(r.normal(size=(5, 3)), r.integers(0, 5, (4,)))
        yield Sample(r.normal(size=(3, 4, 2)), r.integers(0, 3, (2, 2)), r.integers(0, 4, (2, 2)))
        yield Sample(r.normal(size=(3,)), np.array(2))

    def errors(r):
        yield Bad(np.zeros((3, 2)), np.array([3]), message="out of range")
        yield Bad(np.zeros((3, 2)), np.array([0.5]), message="int64")
        yield Bad(
            np.zeros(3), np.array([0]), np.array([0]), message="at most one per dimension|index tensors"
        )


def _rows(n: int, shape: Shape) -> Any:
    """Indices 0..n-1 along the first dimension, repeated over the others: which example an element belongs to."""
    column = bind(Reshape, constant(np.arange(n)), shape=(n, *(1,) * (len(shape) - 1)))
    return bind(Broadcast, column, shape=tuple(shape))


class IndexAdd(Op):
    """y = zeros of ``shape``, with slices x added where the index tensors point.   x̄ = ȳ[i₀, i₁, ...]"""

    def type(x: TensorType, *index: TensorType, shape: Shape) -> TensorType:
        for i in index:
            _require_index("index_add", i)
        expected = (*index[0].shape, *shape[len(index) :])
        if x.shape != expected:
            raise ShapeError(
                f"index_add: values of shape {x.shape}, where {expected} is expected",
                hint="one slice per index",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, *index: Array, shape: Shape) -> Array:
        for d, i in enumerate(index):
            _check_range("index_add", i, shape[d])
        lead_shape = shape[: len(index)]
        flat = np.ravel_multi_index(tuple(i.reshape(-1) for i in index), lead_shape)
        rows = x.reshape(flat.size, *shape[len(index) :])
        return _add_at(rows, flat, math.prod(lead_shape)).reshape(shape)

    def vjp(g, _y, _x, *index, shape):
        return (lambda: bind(Index, g, *index), *(None for _ in index))

    def batch(batched, x, *index, shape):
        n = batch_size(batched, (x, *index))
        rest = [lead(i, b, n) for i, b in zip(index, batched[1:], strict=True)]
        return bind(IndexAdd, lead(x, batched[0], n), _rows(n, rest[0].shape), *rest, shape=(n, *shape))

    def samples(r):
        yield Sample(r.normal(size=(4, 3)), r.integers(0, 5, (4,)), shape=(5, 3))
        yield Sample(r.normal(size=(6,)), r.integers(0, 2, (6,)), r.integers(0, 3, (6,)), shape=(2, 3))

    def errors(r):
        yield Bad(np.zeros((1, 2)), np.array([7]), shape=(3, 2), message="out of range")
        yield Bad(np.zeros((2, 2)), np.array([1]), shape=(3, 2), message="is expected")


class SegmentMax(Op):
    """(y, at): y_p = max of the x_i with index_i = p (the lowest number where there is none), and which x_i it is.

    ȳ_p is shared evenly among equal maxima; NaN wins.  A primitive because the order of writes to one place, on which
    scatter's "the last one stays" rests, can be found in no other way without knowing the values.
    """

    n_outputs = 2

    def type(x: TensorType, index: TensorType, *, size: int) -> tuple[TensorType, TensorType]:
        _require_index("segment_max", index)
        if len(x.shape) != 1 or x.shape != index.shape:
            raise ShapeError(
                f"segment_max: values {x.shape} and index {index.shape}",
                hint="one dimension, one index per value",
            )
        return TensorType((size,), x.dtype), TensorType(x.shape, bool_)

    def eval(x: Array, index: Array, *, size: int) -> tuple[Array, Array]:
        _check_range("segment_max", index, size)
        out = np.full(size, lowest(x.dtype), x.dtype)
        np.maximum.at(out, index, x)
        top = out[index]
        return out, (x == top) | ((x != x) & (top != top))

    def vjp(g, y, _x, index, *, size):
        def share():
            at = bind(Cast, y[1], dtype=_x.dtype)
            count = bind(IndexAdd, at, index, shape=(size,))
            return bind(Index, g[0], index) * (at / bind(Index, count, index))

        return (share, None)

    def batch(batched, x, index, *, size):
        n = batch_size(batched, (x, index))
        x, index = lead(x, batched[0], n), lead(index, batched[1], n)
        m = x.shape[1]
        row = bind(Broadcast, constant(np.arange(n).reshape(n, 1) * size), shape=(n, m))
        y, at = bind(
            SegmentMax,
            bind(Reshape, x, shape=(n * m,)),
            bind(Reshape, index + row, shape=(n * m,)),
            size=n * size,
        )
        return bind(Reshape, y, shape=(n, size)), bind(Reshape, at, shape=(n, m))

    def samples(r):
        yield Sample(r.normal(size=6), np.array([0, 2, 2, 0, 1, 2]), size=3)
        yield Sample(r.normal(size=2), np.array([0, 2]), grad=(), size=4)
        yield Sample(np.arange(4), np.array([1, 1, 0, 1]), size=2)
        yield Sample(np.array([1.0, 1.0, 0.5]), np.array([0, 0, 0]), size=1, kink=True)
        yield Sample(np.array([True, False]), np.array([1, 0]), size=3)
        yield Sample(np.zeros(0), np.zeros(0, "int64"), grad=(), size=2)

    def errors(r):
        yield Bad(np.zeros(2), np.array([0, 3]), size=3, message="out of range")
        yield Bad(np.zeros(2), np.array([0.0, 1.0]), size=3, message="int64")
        yield Bad(np.zeros(3), np.array([0, 1]), size=3, message="one index|values")


def lowest(dtype: np.dtype[Any]) -> Any:
    """The number that every other one of its dtype is not below."""
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


class NonZero(Op):
    """The positions of the non-zero elements, one row each: how many is known only from the values."""

    differentiable = False
    why_not = "a position is an integer"
    eager_only = "the number of results depends on the values"

    def type(x: TensorType) -> TensorType:
        return TensorType((-1, len(x.shape)), int64)

    def eval(x: Array) -> Array:
        return np.argwhere(x)

    def batch(batched, x):
        raise ShapeError(
            "nonzero gives each example a different number of rows",
            hint="use where(condition, a, b) inside vmap",
        )

    def samples(r):
        yield Sample(r.integers(0, 2, (3, 4)))
        yield Sample(np.zeros((2,), bool))

    def errors(r):
        return ()
