"""Functions that turn, shift, repeat and slide, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError, TraceError
from ..op import bind, constant
from ..ops import shape as ops
from ..types import normalize_dim, normalize_dims
from ._arguments import as_tensor, expand, index_dtype, require_tensor
from .shape import cat, flatten, given, integer, piece, ravel, reshape, transpose, unsqueeze

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90",
    "tile",
]  # fmt: skip


def flip(input: Any, *args: Any, dims: Any = None) -> Any:
    """input read backwards along ``dims``"""
    x = require_tensor("flip", input)
    chosen = normalize_dims(given(args, dims), x.ndim)
    return bind(ops.Flip, x, dims=chosen) if x.ndim else reshape(x, (1,)).flip(0).reshape(())


def fliplr(input: Any) -> Any:
    """Columns from right to left"""
    if require_tensor("fliplr", input).ndim < 2:
        raise ShapeError(f"fliplr of shape {tuple(input.shape)}", hint="at least 2 dimensions; use flip")
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """Rows from bottom to top"""
    if require_tensor("flipud", input).ndim < 1:
        raise ShapeError("flipud of a tensor without dimensions", hint="at least 1 dimension")
    return flip(input, 0)


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turned ``k`` times by 90 degrees, from dims[0] towards dims[1]"""
    plane = tuple(dims)
    if len(plane) != 2 or require_tensor("rot90", input).ndim < 2:
        raise ShapeError(
            f"rot90 of shape {tuple(input.shape)} in the plane {plane}", hint="name two different dimensions"
        )
    a, b = (normalize_dim(d, input.ndim) for d in plane)
    if a == b:
        raise ShapeError(f"rot90 in the plane {plane}", hint="name two different dimensions")
    turns = integer("k", k) % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return flip(input, a, b)
    return transpose(flip(input, b), a, b) if turns == 1 else flip(transpose(input, a, b), b)


def roll(input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """Entries moved by ``shifts``, those that fall off coming in at the other end"""
    x = require_tensor("roll", input)
    moves = [integer("a shift", s) for s in ((shifts,) if isinstance(shifts, int) else shifts)]
    if not moves:
        raise ShapeError("roll by no shifts", hint="roll(x, 1, 0)")
    if dims is None or (not isinstance(dims, int) and not len(dims)):
        if len(moves) != 1:
            raise ShapeError(f"roll by {moves} along no dimension", hint="one dimension for each shift")
        return reshape(roll(ravel(x), moves[0], 0), x.shape)
    along = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(moves) != len(along):
        raise ShapeError(f"roll by {moves} along {along}", hint="one dimension for each shift")
    start = x
    for shift, dim in zip(moves, along, strict=True):
        if not x.ndim:
            raise ShapeError(f"roll of a single number along {dim}", hint="leave dims out")
        d = normalize_dim(dim, x.ndim)
        n = x.shape[d]
        if n and shift % n:
            cut = n - shift % n
            x = cat([piece(x, d, cut, n), piece(x, d, 0, cut)], d)
    return x.clone() if x is start else x


def own(x: Any) -> Any:
    """x, copied if it looks into the memory of another tensor: what is documented as new may be written to."""
    return x if x._base is None else x.clone()


def repeat(input: Any, *args: Any, repeats: Any = None) -> Any:
    """input tiled ``repeats`` times along each dimension"""
    times = given(args, repeats)
    if len(times) < input.ndim or any(n < 0 for n in times):
        raise ShapeError(
            f"repeat got {times} for {input.ndim} dimensions",
            hint="one number per dimension, at least 0; 1 keeps it",
        )
    shape = (*(1,) * (len(times) - input.ndim), *input.shape)
    woven = tuple(n for n in shape for n in (1, n))
    wide = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    out = tuple(a * b for a, b in zip(times, shape, strict=True))
    return own(reshape(expand(reshape(input, woven), wide), out))


def tile(input: Any, *args: Any, dims: Any = None) -> Any:
    """`repeat` that takes fewer numbers than dimensions"""
    times = given(args, dims)
    return repeat(input, (1,) * (require_tensor("tile", input).ndim - len(times)) + times)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element ``repeats`` times in a row (a number, or one number for each); of repeats alone, their positions

    >>> import retrograd as rg
    >>> rg.repeat_interleave(rg.tensor([7, 8]), rg.tensor([1, 2]))
    tensor([7, 8, 8])
    """
    if repeats is None:
        counts = require_tensor("repeat_interleave", input)
        return _positions(counts, counts.shape[0] if counts.ndim == 1 else -1, output_size)
    x = ravel(input) if dim is None else require_tensor("repeat_interleave", input)
    x = reshape(x, (1,)) if not x.ndim else x
    d = normalize_dim(dim or 0, x.ndim)
    if isinstance(repeats, int):
        if repeats < 0:
            raise ShapeError(f"repeat_interleave {repeats} times", hint="at least 0 times")
        wide = expand(unsqueeze(x, d + 1), (*x.shape[: d + 1], repeats, *x.shape[d + 1 :]))
        out = own(flatten(wide, d, d + 1))
    else:
        from .pick import index_select

        out = index_select(x, d, _positions(as_tensor(repeats), x.shape[d], output_size))
    if output_size is not None and out.shape[d] != output_size:
        raise ShapeError(
            f"repeat_interleave makes {out.shape[d]} entries, output_size={output_size}",
            hint="leave output_size out",
        )
    return out


def _positions(counts: Any, n: int, total: int | None) -> Any:
    """0 as often as the first count says, then 1, ...; ``total`` of them, if it is known."""
    index_dtype(counts)
    if counts.ndim > 1 or (counts.ndim == 1 and counts.shape[0] not in (1, n)) or n < 0:
        raise ShapeError(
            f"repeat_interleave: repeats of shape {tuple(counts.shape)} for {n} entries",
            hint="one number, or one for each entry",
        )
    if isinstance(counts._value, np.ndarray):
        times = np.broadcast_to(counts._value, (n,))
        if times.size and int(times.min()) < 0:
            raise ShapeError(f"repeat_interleave {int(times.min())} times", hint="repeats are at least 0")
        return constant(np.repeat(np.arange(n), times))
    if total is None:
        raise TraceError(
            "repeat_interleave by a tensor cannot be traced: the size of the result depends on values",
            hint="say how long it is: repeat_interleave(x, repeats, dim, output_size=n)",
        )
    from .scan import cumsum
    from .sort import searchsorted

    ends = cumsum(expand(reshape(counts, (-1,)), (n,)), 0)
    return searchsorted(ends, constant(np.arange(total)), right=True)


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of ``size`` entries of a dimension, ``step`` apart, as a new last dimension (a view)

    >>> import retrograd as rg
    >>> rg.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    x = reshape(input, (1,)) if not input.ndim else input
    d = normalize_dim(dimension, x.ndim)
    width, stride = integer("size", size), integer("step", step)
    if not 0 <= width <= x.shape[d] or stride < 1:
        raise ShapeError(
            f"unfold: windows of {width} entries, {stride} apart, of a dimension of size {x.shape[d]}",
            hint="0 <= size <= the size of the dimension, and step >= 1",
        )
    count = (x.shape[d] - width) // stride + 1
    shape = (*x.shape[:d], count, *x.shape[d + 1 :], width)
    unit = [tuple(int(i == k) for i in range(x.ndim)) for k in range(x.ndim)]
    steps = [*unit, unit[d]]
    steps[d] = tuple(stride * i for i in unit[d])
    windows = bind(ops.Strided, x, shape=shape, start=(0,) * x.ndim, steps=tuple(steps))
    return windows if input.ndim else reshape(windows, (width,))


def atleast_1d(*tensors: Any) -> Any:
    """Tensors with at least one dimension"""
    return _each(tensors, lambda x: reshape(x, (1,)) if x.ndim == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """Tensors with at least two dimensions: vectors become rows"""
    return _each(tensors, lambda x: reshape(x, (1, *x.shape)) if x.ndim == 1 else _at_least(x, 2))


def atleast_3d(*tensors: Any) -> Any:
    """Tensors with at least three dimensions: (n,) becomes (1, n, 1), (n, m) becomes (n, m, 1)"""

    def one(x: Any) -> Any:
        if x.ndim == 1:
            return reshape(x, (1, x.shape[0], 1))
        return unsqueeze(x, -1) if x.ndim == 2 else _at_least(x, 3)

    return _each(tensors, one)


def _at_least(x: Any, rank: int) -> Any:
    return reshape(x, (1,) * rank) if x.ndim == 0 else x


def _each(tensors: Any, one: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], list | tuple):
        return one(require_tensor("atleast", tensors[0]))
    group = tensors[0] if len(tensors) == 1 else tensors
    return tuple(one(require_tensor("atleast", x)) for x in group)
