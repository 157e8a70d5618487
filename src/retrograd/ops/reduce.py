"""Primitives that fold dimensions into one number each, or normalise along one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import Shape, TensorType, bool_, int64, size
from ._family import fill, require_floating
from .arithmetic import Div
from .elementwise import Exp
from .logic import Cast
from .shape import Broadcast, Permute, Place, Reshape, Slice

Dims = tuple[int, ...]


def _reduced(shape: Shape, dim: Dims, keepdim: bool) -> Shape:
    if keepdim:
        return tuple(1 if i in dim else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in dim)


def check_dims(op: type[Op], x: TensorType, dim: Dims) -> None:
    if any(not 0 <= d < len(x.shape) for d in dim):
        raise ShapeError(
            f"{op.name}: dim={tuple(dim)} does not exist in a tensor of shape {x.shape}",
            hint="use existing dimensions",
        )


def spread(x: Any, shape: Shape, dim: Dims, keepdim: bool) -> Any:
    """A reduced tensor repeated over the dimensions that were reduced."""
    if not keepdim:
        x = bind(Reshape, x, shape=_reduced(shape, dim, True))
    return bind(Broadcast, x, shape=shape)


class Reduction(Op, abstract=True):
    """Dimensions ``dim`` are folded into one number each."""

    @classmethod
    def batch(cls, batched, x, *, dim, keepdim):
        return bind(cls, x, dim=tuple(d + 1 for d in dim), keepdim=keepdim)

    @classmethod
    def samples(cls, r):
        yield Sample(r.normal(size=(3, 4)), dim=(1,), keepdim=False)
        yield Sample(r.normal(size=(3, 4, 2)), dim=(0, 2), keepdim=True)
        yield Sample(r.normal(size=(2, 3)).astype("float32"), dim=(0, 1), keepdim=False)
        yield Sample(r.normal(size=()), dim=(), keepdim=False)

    @classmethod
    def errors(cls, r):
        yield Bad(np.zeros(3), dim=(1,), keepdim=False, message="does not exist")


class Sum(Reduction):
    """y = Σ x over ``dim``.   x̄ = ȳ repeated"""

    def type(x: TensorType, *, dim: Dims, keepdim: bool) -> TensorType:
        check_dims(Sum, x, dim)
        if x.dtype is bool_:
            raise DTypeError("sum takes numbers, not bool", hint="use retrograd.sum, which counts in int64")
        return TensorType(_reduced(x.shape, dim, keepdim), x.dtype)

    def eval(x: Array, *, dim: Dims, keepdim: bool) -> Array:
        return np.sum(x, axis=dim, keepdims=keepdim, dtype=x.dtype)

    def vjp(g, _y, _x, *, dim, keepdim):
        return (spread(g, _x.shape, dim, keepdim),)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.zeros((0, 3)), dim=(0,), keepdim=False)
        yield Sample(r.integers(0, 9, (4, 2)), dim=(0,), keepdim=False)


class Prod(Reduction):
    """y = Π x over ``dim``.   x̄_i = ȳ·Π_{j≠i} x_j, exact at zeros (nothing is divided by x)"""

    def type(x: TensorType, *, dim: Dims, keepdim: bool) -> TensorType:
        check_dims(Prod, x, dim)
        if x.dtype is bool_:
            raise DTypeError("prod takes numbers, not bool", hint="use retrograd.prod, which counts in int64")
        return TensorType(_reduced(x.shape, dim, keepdim), x.dtype)

    def eval(x: Array, *, dim: Dims, keepdim: bool) -> Array:
        return np.prod(x, axis=dim, keepdims=keepdim, dtype=x.dtype)

    def vjp(g, _y, x, *, dim, keepdim):
        # The product of all others is that of all before times that of all behind: nothing is divided.
        from .scan import Recurrence

        rank = len(x.shape)
        kept = tuple(i for i in range(rank) if i not in dim)
        order = (*kept, *dim)
        outer, n = tuple(x.shape[i] for i in kept), size(tuple(x.shape[i] for i in dim))
        if n == 0:
            return (fill(x),)
        moved = bind(Permute, x, dims=order)
        flat = bind(Reshape, moved, shape=(*outer, n))
        whole = tuple((0, m, 1) for m in outer)
        low, high = (*whole, (0, n - 1, 1)), (*whole, (1, n, 1))
        others = None
        for take, put, start, reverse in ((low, high, 0, False), (high, low, n - 1, True)):
            factors = bind(Place, bind(Slice, flat, index=take), shape=flat.shape, index=put)
            one = fill(TensorType((*outer, 1), x.dtype), 1)
            first = bind(Place, one, shape=flat.shape, index=(*whole, (start, start + 1, 1)))
            run = bind(Recurrence, factors, first, dim=rank - len(dim), reverse=reverse)
            others = run if others is None else others * run
        inverse = tuple(order.index(i) for i in range(rank))
        back = bind(Permute, bind(Reshape, others, shape=moved.shape), dims=inverse)
        return (spread(g, x.shape, dim, keepdim) * back,)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), dim=(1,), keepdim=False)


class Extremum(Reduction, abstract=True):
    """(y, at): the extreme value, and where it is; the place is kept so that no rule compares recomputed values."""

    n_outputs = 2

    @classmethod
    def type(cls, x: TensorType, *, dim: Dims, keepdim: bool) -> tuple[TensorType, TensorType]:
        check_dims(cls, x, dim)
        if 0 in (x.shape[d] for d in dim):
            raise ShapeError(
                f"{cls.name} over no elements: shape {x.shape}, dim={dim}",
                hint="check that the tensor is not empty",
            )
        return TensorType(_reduced(x.shape, dim, keepdim), x.dtype), TensorType(x.shape, bool_)

    def vjp(g, y, _x, *, dim, keepdim):
        at = bind(Cast, y[1], dtype=_x.dtype)
        count = bind(Sum, at, dim=dim, keepdim=True)
        share = bind(Div, at, bind(Broadcast, count, shape=_x.shape))
        return (spread(g[0], _x.shape, dim, keepdim) * share,)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([[1.0, 2.0, 2.0]]), dim=(1,), keepdim=False, kink=True)
        yield Sample(r.integers(0, 5, (3, 3)), dim=(0,), keepdim=False)

    @classmethod
    def errors(cls, r):
        yield from super().errors(r)
        yield Bad(np.zeros((0, 2)), dim=(0,), keepdim=False, message="over no elements")


def _extreme(reduce: Any, x: Array, dim: Dims, keepdim: bool) -> tuple[Array, Array]:
    top = reduce(x, axis=dim, keepdims=True)
    at = x == top
    if x.dtype.kind == "f":
        at |= np.isnan(x) & np.isnan(top)  # NaN wins and takes the gradient
    return (top if keepdim else top.reshape(_reduced(x.shape, dim, False))), at


class Amax(Extremum):
    """y = max x over ``dim``; NaN wins.   ȳ is shared evenly among equal maxima (as PyTorch's amax)"""

    def eval(x: Array, *, dim: Dims, keepdim: bool) -> Any:
        return _extreme(np.max, x, dim, keepdim)


class Amin(Extremum):
    """y = min x over ``dim``; NaN wins.   ȳ is shared evenly among equal minima (as PyTorch's amin)"""

    def eval(x: Array, *, dim: Dims, keepdim: bool) -> Any:
        return _extreme(np.min, x, dim, keepdim)


class Arg(Op, abstract=True):
    """The position of an extreme value along one dimension; the first one where several are equal."""

    differentiable = False
    why_not = "a position is an integer"

    @classmethod
    def type(cls, x: TensorType, *, dim: int) -> TensorType:
        check_dims(cls, x, (dim,))
        if x.shape[dim] == 0:
            raise ShapeError(
                f"{cls.name} over no elements: shape {x.shape}, dim={dim}",
                hint="check that the tensor is not empty",
            )
        return TensorType(_reduced(x.shape, (dim,), False), int64)

    @classmethod
    def batch(cls, batched, x, *, dim):
        return bind(cls, x, dim=dim + 1)

    @classmethod
    def samples(cls, r):
        yield Sample(r.normal(size=(3, 4)), dim=1)
        yield Sample(np.array([2, 7, 7, 1]), dim=0)

    @classmethod
    def errors(cls, r):
        yield Bad(np.zeros((2, 0)), dim=1, message="over no elements")


class Argmax(Arg):
    """y = the index of the largest element along ``dim``"""

    def eval(x: Array, *, dim: int) -> Array:
        return np.argmax(x, axis=dim)


class Argmin(Arg):
    """y = the index of the smallest element along ``dim``"""

    def eval(x: Array, *, dim: int) -> Array:
        return np.argmin(x, axis=dim)


class AlongDim(Op, abstract=True):
    """Same shape in and out, acting along one dimension."""

    @classmethod
    def batch(cls, batched, x, *, dim):
        return bind(cls, x, dim=dim + 1)

    @classmethod
    def samples(cls, r):
        yield Sample(r.normal(size=(3, 4)), dim=1)
        yield Sample(r.normal(size=(2, 3, 2)), dim=1)
        yield Sample(r.normal(size=(4,)).astype("float32"), dim=0)
        yield Sample(np.zeros((2, 0)), dim=1)

    @classmethod
    def errors(cls, r):
        yield Bad(np.zeros(3), dim=2, message="does not exist")


class Softmax(AlongDim):
    """y = e^(x - max x) / Σ e^(x - max x) along ``dim``.   x̄ = y·(ȳ - Σ ȳ·y)"""

    def type(x: TensorType, *, dim: int) -> TensorType:
        check_dims(Softmax, x, (dim,))
        require_floating(Softmax, x)
        return x

    def eval(x: Array, *, dim: int) -> Array:
        if x.size == 0:
            return x.copy()
        with np.errstate(invalid="ignore"):  # rows of only -inf, or with +inf, are NaN, as in PyTorch
            y = np.exp(x - np.max(x, axis=dim, keepdims=True))
        y /= np.sum(y, axis=dim, keepdims=True)
        return y

    def vjp(g, y, _x, *, dim):
        weighted = g * y
        return (weighted - y * spread(bind(Sum, weighted, dim=(dim,), keepdim=True), y.shape, (dim,), True),)


class LogSoftmax(AlongDim):
    """y = x - ln Σ eˣ along ``dim``, stable.   x̄ = ȳ - eʸ·Σ ȳ"""

    def type(x: TensorType, *, dim: int) -> TensorType:
        check_dims(LogSoftmax, x, (dim,))
        require_floating(LogSoftmax, x)
        return x

    def eval(x: Array, *, dim: int) -> Array:
        if x.size == 0:
            return x.copy()
        with np.errstate(invalid="ignore"):
            shifted = x - np.max(x, axis=dim, keepdims=True)
        shifted -= np.log(np.sum(np.exp(shifted), axis=dim, keepdims=True))
        return shifted

    def vjp(g, y, _x, *, dim):
        total = spread(bind(Sum, g, dim=(dim,), keepdim=True), y.shape, (dim,), True)
        return (g - bind(Exp, y) * total,)
