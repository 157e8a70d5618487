"""Shape primitives: the same elements seen in another arrangement, and their reverses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind, constant
from ..types import Shape, TensorType, size
from ._family import batch_size, lead


def broadcast_array(x: Array, shape: Shape) -> Array:
    """``x`` repeated to ``shape`` without copying (stride 0); several times quicker than numpy.broadcast_to."""
    if x.shape == shape:
        return x
    strides = [0 if n != 1 else x.itemsize for n in shape]  # a stride of 0 says that elements share memory
    offset = len(shape) - x.ndim
    for i, (n, stride) in enumerate(zip(x.shape, x.strides, strict=True)):
        if n == shape[offset + i]:
            strides[offset + i] = stride
    if x.flags.c_contiguous and x.size:
        return np.ndarray(shape, x.dtype, x, 0, strides)  # type: ignore[arg-type]
    return np.lib.stride_tricks.as_strided(x, shape, strides)


class Broadcast(Op):
    """y = x repeated along new leading dimensions and along dimensions of size 1.   x̄ = ȳ summed over the repeats.

    The only un-broadcast there is: every function inserts this op, so no other rule has to know of broadcasting.
    """

    view = True

    def type(x: TensorType, *, shape: Shape) -> TensorType:
        offset = len(shape) - len(x.shape)
        if offset < 0 or any(n not in (1, shape[offset + i]) for i, n in enumerate(x.shape)):
            raise ShapeError(
                f"a tensor of shape {x.shape} cannot be expanded to {tuple(shape)}",
                hint="sizes must be equal or 1, counted from the right",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, *, shape: Shape) -> Array:
        return broadcast_array(x, tuple(shape))

    def vjp(g, _y, _x, *, shape):
        from .reduce import Sum

        offset = len(shape) - len(_x.shape)
        repeated = (
            *range(offset),
            *(i + offset for i, n in enumerate(_x.shape) if n == 1 and shape[i + offset] != 1),
        )
        if not repeated:
            return (g,)
        total = bind(Sum, g, dim=repeated, keepdim=False)
        return (total if total.shape == _x.shape else bind(Reshape, total, shape=_x.shape),)

    def batch(batched, x, *, shape):
        n, own = x.shape[0], x.shape[1:]
        padded = bind(Reshape, x, shape=(n, *(1,) * (len(shape) - len(own)), *own))
        return bind(Broadcast, padded, shape=(n, *shape))

    def samples(r):
        yield Sample(r.normal(size=(3,)), shape=(2, 3))
        yield Sample(r.normal(size=(2, 1, 3)), shape=(4, 2, 5, 3))
        yield Sample(r.normal(size=()), shape=(2, 2))
        yield Sample(r.normal(size=(1, 3)), shape=(0, 3))
        yield Sample(r.normal(size=(2, 3)).T, shape=(2, 3, 2))

    def errors(r):
        yield Bad(np.zeros((2, 3)), shape=(2, 4), message="cannot be expanded")
        yield Bad(np.zeros((2, 3)), shape=(3,), message="cannot be expanded")


class Reshape(Op):
    """y = the elements of x in row-major order under another shape.   x̄ = ȳ in the old shape"""

    view = True

    def type(x: TensorType, *, shape: Shape) -> TensorType:
        if size(x.shape) != size(shape):
            raise ShapeError(
                f"a tensor of shape {x.shape} ({size(x.shape)} elements) cannot be reshaped to {tuple(shape)} ({size(shape)})",
                hint="the number of elements must stay; one size may be -1",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, *, shape: Shape) -> Array:
        return x.reshape(shape)

    def vjp(g, _y, _x, *, shape):
        return (bind(Reshape, g, shape=_x.shape),)

    def batch(batched, x, *, shape):
        return bind(Reshape, x, shape=(x.shape[0], *shape))

    def samples(r):
        yield Sample(r.normal(size=(2, 6)), shape=(3, 4))
        yield Sample(r.normal(size=(2, 3)).T, shape=(6,))
        yield Sample(r.normal(size=()), shape=(1, 1))
        yield Sample(np.zeros((0, 3)), shape=(3, 0))

    def errors(r):
        yield Bad(np.zeros((2, 3)), shape=(4,), message="cannot be reshaped")


class Permute(Op):
    """y = x with its dimensions in the order ``dims``.   x̄ = ȳ with the inverse order"""

    view = True

    def type(x: TensorType, *, dims: tuple[int, ...]) -> TensorType:
        if sorted(dims) != list(range(len(x.shape))):
            raise ShapeError(
                f"permute of {len(x.shape)} dimensions got dims={tuple(dims)}",
                hint="name each dimension exactly once",
            )
        return TensorType(tuple(x.shape[d] for d in dims), x.dtype)

    def eval(x: Array, *, dims: tuple[int, ...]) -> Array:
        return x.transpose(dims)

    def vjp(g, _y, _x, *, dims):
        inverse = [0] * len(dims)
        for position, d in enumerate(dims):
            inverse[d] = position
        return (bind(Permute, g, dims=tuple(inverse)),)

    def batch(batched, x, *, dims):
        return bind(Permute, x, dims=(0, *(d + 1 for d in dims)))

    def samples(r):
        yield Sample(r.normal(size=(2, 3)), dims=(1, 0))
        yield Sample(r.normal(size=(2, 3, 4)), dims=(2, 0, 1))
        yield Sample(r.normal(size=()), dims=())

    def errors(r):
        yield Bad(np.zeros((2, 3)), dims=(0, 0), message=r"got dims=\(0, 0\)")


Steps = tuple[tuple[int, int, int], ...]


def _as_slices(index: Steps) -> tuple[slice, ...]:
    return tuple(slice(start, stop, step) for start, stop, step in index)


def _sliced(shape: Shape, index: Steps) -> Shape:
    return tuple(max(0, math.ceil((stop - start) / step)) for (start, stop, step) in index)


def _check_index(name: str, shape: Shape, index: Steps) -> None:
    if len(index) != len(shape) or any(
        not (0 <= a <= n and a <= b <= n and s > 0) for (a, b, s), n in zip(index, shape, strict=False)
    ):
        raise ShapeError(
            f"{name} of shape {tuple(shape)} got (start, stop, step) = {tuple(index)}",
            hint="one triple per dimension, 0 <= start <= stop <= size, step > 0",
        )


class Slice(Op):
    """y = x[start:stop:step, ...], one triple per dimension.   x̄ = ȳ put back into zeros (`Place`)"""

    view = True

    def type(x: TensorType, *, index: Steps) -> TensorType:
        _check_index("slice", x.shape, index)
        return TensorType(_sliced(x.shape, index), x.dtype)

    def eval(x: Array, *, index: Steps) -> Array:
        return x[_as_slices(index)]

    def vjp(g, _y, _x, *, index):
        return (bind(Place, g, shape=_x.shape, index=index),)

    def batch(batched, x, *, index):
        return bind(Slice, x, index=((0, x.shape[0], 1), *index))

    def samples(r):
        yield Sample(r.normal(size=(4, 5)), index=((1, 4, 2), (0, 5, 1)))
        yield Sample(r.normal(size=(3,)), index=((2, 2, 1),))
        yield Sample(r.normal(size=()), index=())

    def errors(r):
        yield Bad(np.zeros(3), index=((0, 4, 1),), message="start")
        yield Bad(np.zeros((3, 2)), index=((0, 2, 1),), message="one triple|start")


class Place(Op):
    """y = zeros of ``shape`` with x put at a slice.   x̄ = the slice of ȳ.   Padding is this op, too."""

    def type(x: TensorType, *, shape: Shape, index: Steps) -> TensorType:
        _check_index("place", shape, index)
        if _sliced(shape, index) != x.shape:
            raise ShapeError(
                f"place: the slice of {tuple(shape)} has shape {_sliced(shape, index)}, the value {x.shape}",
                hint="the value must have the shape of the slice",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, *, shape: Shape, index: Steps) -> Array:
        out = np.zeros(shape, x.dtype)
        out[_as_slices(index)] = x
        return out

    def vjp(g, _y, _x, *, shape, index):
        return (bind(Slice, g, index=index),)

    def batch(batched, x, *, shape, index):
        n = x.shape[0]
        return bind(Place, x, shape=(n, *shape), index=((0, n, 1), *index))

    def samples(r):
        yield Sample(r.normal(size=(2, 3)), shape=(4, 5), index=((0, 4, 2), (1, 4, 1)))
        yield Sample(r.normal(size=(2,)), shape=(2,), index=((0, 2, 1),))

    def errors(r):
        yield Bad(np.zeros(3), shape=(5,), index=((0, 2, 1),), message="the shape of the slice|has shape")


class Cat(Op):
    """y = the inputs one after the other along ``dim``.   Each input's cotangent is its piece of ȳ"""

    def type(*xs: TensorType, dim: int) -> TensorType:
        first = xs[0]
        for x in xs[1:]:
            fits = len(x.shape) == len(first.shape)
            if not fits or any(
                a != b for i, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if i != dim
            ):
                raise ShapeError(
                    f"cat along dim {dim}: shapes {', '.join(str(t.shape) for t in xs)} differ elsewhere",
                    hint="all sizes but the one along dim must be equal",
                )
            if x.dtype is not first.dtype:
                raise DTypeError(
                    f"cat takes one dtype, got {first.dtype!r} and {x.dtype!r}",
                    hint="use retrograd.cat, which promotes",
                )
        total = sum(x.shape[dim] for x in xs)
        return TensorType((*first.shape[:dim], total, *first.shape[dim + 1 :]), first.dtype)

    def eval(*xs: Array, dim: int) -> Array:
        return np.concatenate(xs, axis=dim)

    def vjp(g, _y, *_xs, dim):
        out, start = [], 0
        for x in _xs:
            stop = start + x.shape[dim]
            whole = tuple((0, n, 1) if i != dim else (start, stop, 1) for i, n in enumerate(g.shape))
            out.append(lambda whole=whole: bind(Slice, g, index=whole))
            start = stop
        return tuple(out)

    def batch(batched, *xs, dim):
        n = batch_size(batched, xs)
        return bind(Cat, *(lead(x, b, n) for x, b in zip(xs, batched, strict=True)), dim=dim + 1)

    def samples(r):
        yield Sample(r.normal(size=(2, 3)), r.normal(size=(2, 1)), r.normal(size=(2, 2)), dim=1)
        yield Sample(r.normal(size=(2,)), dim=0)
        yield Sample(r.normal(size=(0, 2)), r.normal(size=(1, 2)), dim=0)

    def errors(r):
        yield Bad(np.zeros((2, 3)), np.zeros((3, 3)), dim=1, message="differ elsewhere")
        yield Bad(np.zeros(2), np.zeros(2, "float32"), dim=0, message="one dtype")


class Flip(Op):
    """y = x read backwards along ``dims``.   x̄ = ȳ read backwards"""

    def type(x: TensorType, *, dims: Sequence[int]) -> TensorType:
        if any(not 0 <= d < len(x.shape) for d in dims):
            raise ShapeError(
                f"flip: dims={tuple(dims)} does not exist in a tensor of shape {x.shape}",
                hint="use existing dimensions",
            )
        return x

    def eval(x: Array, *, dims: Sequence[int]) -> Array:
        return np.flip(x, tuple(dims)).copy()

    def vjp(g, _y, _x, *, dims):
        return (bind(Flip, g, dims=dims),)

    def batch(batched, x, *, dims):
        return bind(Flip, x, dims=tuple(d + 1 for d in dims))

    def samples(r):
        yield Sample(r.normal(size=(3, 4)), dims=(1,))
        yield Sample(r.normal(size=(2, 3, 2)), dims=(0, 2))

    def errors(r):
        yield Bad(np.zeros(3), dims=(1,), message="does not exist")


class Strided(Op):
    """y_i = x at start + Σ_d i_d·steps_d: diagonals and sliding windows.   x̄ = ȳ added up where it was read

    ``steps`` has, for each dimension of the result, the step along each dimension of x.  A primitive because no other op
    is a view of these elements.
    """

    view = True

    def type(x: TensorType, *, shape: Shape, start: Shape, steps: tuple[Shape, ...]) -> TensorType:
        fits = len(steps) == len(shape) and all(len(s) == len(x.shape) for s in (start, *steps))
        if not fits or (
            size(shape) and any(not 0 <= a <= b < n for a, b, n in _reach(x.shape, shape, start, steps))
        ):
            raise ShapeError(
                f"strided: shape={tuple(shape)}, start={tuple(start)}, steps={tuple(steps)} leave a tensor of shape {x.shape}",
                hint="every element must lie inside; one step for each dimension of x in each dimension of the result",
            )
        return TensorType(tuple(shape), x.dtype)

    def eval(x: Array, *, shape: Shape, start: Shape, steps: tuple[Shape, ...]) -> Array:
        if not size(shape):
            return np.zeros(shape, x.dtype)
        strides = tuple(sum(a * b for a, b in zip(step, x.strides, strict=True)) for step in steps)
        first = x[tuple(slice(s, None) for s in start)]
        return np.lib.stride_tricks.as_strided(first, shape, strides)

    def vjp(g, _y, _x, *, shape, start, steps):
        from .index import IndexAdd

        numbers = np.arange(size(_x.shape)).reshape(_x.shape)
        places = constant(Strided.eval(numbers, shape=shape, start=start, steps=steps).reshape(-1))
        total = bind(IndexAdd, bind(Reshape, g, shape=(size(shape),)), places, shape=(size(_x.shape),))
        return (bind(Reshape, total, shape=_x.shape),)

    def batch(batched, x, *, shape, start, steps):
        along = (1, *(0 for _ in start))
        inner = tuple((0, *step) for step in steps)
        return bind(Strided, x, shape=(x.shape[0], *shape), start=(0, *start), steps=(along, *inner))

    def samples(r):
        yield Sample(r.normal(size=(3, 4)), shape=(3,), start=(0, 1), steps=((1, 1),))
        yield Sample(r.normal(size=(2, 7)), shape=(2, 3, 3), start=(0, 0), steps=((1, 0), (0, 2), (0, 1)))
        yield Sample(r.normal(size=(3,)), shape=(2, 2), start=(1,), steps=((0,), (1,)))
        yield Sample(r.normal(size=(2, 2)), shape=(0,), start=(0, 2), steps=((1, 1),))
        yield Sample(r.normal(size=()), shape=(3,), start=(), steps=((),))

    def errors(r):
        yield Bad(np.zeros((3, 3)), shape=(3,), start=(0, 1), steps=((1, 1),), message="leave a tensor")
        yield Bad(np.zeros(3), shape=(2,), start=(0,), steps=((-1,),), message="leave a tensor")
        yield Bad(np.zeros(3), shape=(2,), start=(0,), steps=((1, 1),), message="leave a tensor")


def _reach(x: Shape, shape: Shape, start: Shape, steps: tuple[Shape, ...]) -> list[tuple[int, int, int]]:
    """For each dimension of x: the smallest and the largest position that is read, and the size."""
    moves = [[(n - 1) * step[d] for n, step in zip(shape, steps, strict=True)] for d in range(len(x))]
    return [
        (a + sum(m for m in move if m < 0), a + sum(m for m in move if m > 0), n)
        for a, move, n in zip(start, moves, x, strict=True)
    ]
