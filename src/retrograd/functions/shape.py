"""Functions that rearrange, join and split, with PyTorch's names."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..op import bind
from ..ops import shape as ops
from ..types import Shape, normalize_dim, normalize_dims, promote, size
from ._arguments import as_tensor, cast, expand, in_dtype, shape_of

__all__ = [
    "atleast_1d", "atleast_2d", "broadcast_tensors", "broadcast_to", "cat", "chunk", "concat",
    "concatenate", "flatten", "flip", "movedim", "narrow", "permute", "ravel", "repeat_interleave",
    "reshape", "roll", "select", "split", "squeeze", "stack", "swapaxes", "swapdims", "t", "tile",
    "transpose", "unbind", "unsqueeze",
]  # fmt: skip


def reshape(input: Any, *shape: Any) -> Any:
    """The same elements in another shape; one size may be -1"""
    target = shape_of(shape)
    x = as_tensor(input)
    if -1 in target:
        known = math.prod(n for n in target if n != -1)
        if target.count(-1) > 1 or not known or size(x.shape) % known:
            raise ShapeError(
                f"a tensor of shape {tuple(x.shape)} cannot be reshaped to {target}",
                hint="one size may be -1, and the others must divide the number of elements",
            )
        target = tuple(size(x.shape) // known if n == -1 else n for n in target)
    return bind(ops.Reshape, x, shape=target)


def view(input: Any, *shape: Any) -> Any:
    """`reshape`; unlike PyTorch it copies where the strides do not allow a view. ``view(dtype)`` is not supported."""
    return reshape(input, *shape)


def view_as(input: Any, other: Any) -> Any:
    """input in the shape of ``other``"""
    return reshape(input, other.shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions start_dim..end_dim as one"""
    x = as_tensor(input)
    if x.ndim == 0:
        return reshape(x, (1,))
    a, b = normalize_dim(start_dim, x.ndim), normalize_dim(end_dim, x.ndim)
    if a > b:
        raise ShapeError(
            f"flatten: start_dim {start_dim} lies behind end_dim {end_dim}",
            hint="use flatten(1) to keep the batch",
        )
    if a == b:
        return x
    return reshape(x, (*x.shape[:a], math.prod(x.shape[a : b + 1]), *x.shape[b + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension as several"""
    d = normalize_dim(dim, input.ndim)
    known = math.prod(n for n in sizes if n != -1)
    filled = tuple(input.shape[d] // builtins.max(known, 1) if n == -1 else n for n in sizes)
    return reshape(input, (*input.shape[:d], *filled, *input.shape[d + 1 :]))


def ravel(input: Any) -> Any:
    """input as one dimension"""
    return reshape(input, (-1,)) if size(input.shape) else reshape(input, (0,))


def squeeze(input: Any, dim: int | tuple[int, ...] | None = None) -> Any:
    """Dimensions of size 1 dropped (all, or those named)"""
    x = as_tensor(input)
    dims = normalize_dims(dim, x.ndim)
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if not (n == 1 and i in dims)))


def unsqueeze(input: Any, dim: int) -> Any:
    """A dimension of size 1 inserted before ``dim``"""
    x = as_tensor(input)
    d = normalize_dim(dim, x.ndim + 1)
    return reshape(x, (*x.shape[:d], 1, *x.shape[d:]))


def permute(input: Any, *dims: Any) -> Any:
    """Dimensions in another order"""
    order = shape_of(dims)
    return bind(ops.Permute, input, dims=tuple(normalize_dim(d, input.ndim) for d in order))


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged"""
    a, b = normalize_dim(dim0, input.ndim), normalize_dim(dim1, input.ndim)
    order = list(range(input.ndim))
    if order:
        order[a], order[b] = order[b], order[a]
    return bind(ops.Permute, input, dims=tuple(order))


swapaxes = swapdims = transpose


def t(input: Any) -> Any:
    """The transpose of a matrix; vectors stay"""
    if input.ndim > 2:
        raise ShapeError(
            f"t() takes at most 2 dimensions, got shape {tuple(input.shape)}", hint="use .transpose(-2, -1)"
        )
    return bind(ops.Permute, input, dims=tuple(reversed(range(input.ndim))))


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions moved to new places, the others in order"""
    sources = (source,) if isinstance(source, int) else tuple(source)
    targets = (destination,) if isinstance(destination, int) else tuple(destination)
    src = [normalize_dim(d, input.ndim) for d in sources]
    dst = [normalize_dim(d, input.ndim) for d in targets]
    rest = iter(i for i in range(input.ndim) if i not in src)
    order = [src[dst.index(i)] if i in dst else next(rest) for i in range(input.ndim)]
    return bind(ops.Permute, input, dims=tuple(order))


def broadcast_to(input: Any, shape: Sequence[int]) -> Any:
    """input repeated to ``shape`` (without copying)"""
    return expand(as_tensor(input), tuple(shape))


def expand_(input: Any, *sizes: Any) -> Any:
    """input repeated to ``sizes``, where -1 keeps a size"""
    target = list(shape_of(sizes))
    offset = len(target) - input.ndim
    for i, n in enumerate(target):
        if n == -1 and i >= offset:
            target[i] = input.shape[i - offset]
    return expand(input, tuple(target))


def expand_as(input: Any, other: Any) -> Any:
    """input repeated to the shape of ``other``"""
    return expand(input, tuple(other.shape))


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All tensors repeated to their common shape"""
    from ..types import broadcast_shapes

    shape = broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


def repeat(input: Any, *sizes: Any) -> Any:
    """input tiled ``sizes`` times along each dimension"""
    times = shape_of(sizes)
    if len(times) < input.ndim:
        raise ShapeError(
            f"repeat got {len(times)} numbers for {input.ndim} dimensions",
            hint="one number per dimension, 1 to keep it",
        )
    shape = (*(1,) * (len(times) - input.ndim), *input.shape)
    woven = tuple(n for pair in zip((1,) * len(shape), shape, strict=True) for n in pair)
    wide = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    out = tuple(a * b for a, b in zip(times, shape, strict=True))
    return reshape(expand(reshape(input, woven), wide), out)


def tile(input: Any, *dims: Any) -> Any:
    """`repeat` that takes fewer numbers than dimensions"""
    times = shape_of(dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


def repeat_interleave(input: Any, repeats: int, dim: int | None = None) -> Any:
    """Each element ``repeats`` times in a row"""
    x = ravel(input) if dim is None else input
    d = normalize_dim(dim or 0, x.ndim)
    wide = expand(unsqueeze(x, d + 1), (*x.shape[: d + 1], repeats, *x.shape[d + 1 :]))
    return flatten(wide, d, d + 1)


def slice_dims(input: Any, index: Sequence[tuple[int, int, int]]) -> Any:
    """input[start:stop:step, ...], one triple for each dimension"""
    return bind(ops.Slice, input, index=tuple(index))


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """``length`` entries of ``dim`` from ``start``"""
    d = normalize_dim(dim, input.ndim)
    n = input.shape[d]
    start = start + n if start < 0 else start
    if not 0 <= start <= start + length <= n:
        raise ShapeError(
            f"narrow: {start} to {start + length} of a dimension of size {n}", hint=f"stay within 0 to {n}"
        )
    return slice_dims(
        input, [(start, start + length, 1) if i == d else (0, m, 1) for i, m in enumerate(input.shape)]
    )


def select(input: Any, dim: int, index: int) -> Any:
    """Entry ``index`` of ``dim``; the dimension goes away"""
    d = normalize_dim(dim, input.ndim)
    n = input.shape[d] if input.ndim else 0
    if not -n <= index < n:
        raise ShapeError(
            f"index {index} is out of range for dimension {d} of size {n}",
            hint=f"use an index between {-n} and {n - 1}",
        )
    one = narrow(input, d, index % n, 1)
    return reshape(one, (*input.shape[:d], *input.shape[d + 1 :]))


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors one after the other along ``dim``"""
    xs = [as_tensor(x) for x in tensors]
    if not xs:
        raise ShapeError("cat of no tensors", hint="pass at least one tensor")
    dtype = promote(*(x.dtype for x in xs))
    filled = [x for x in xs if x.shape != (0,)] or xs[:1]  # PyTorch skips empty vectors here
    return bind(ops.Cat, *(cast(x, dtype) for x in filled), dim=normalize_dim(dim, filled[0].ndim))


concat = concatenate = cat


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape along a new dimension"""
    xs = [as_tensor(x) for x in tensors]
    if not xs or any(x.shape != xs[0].shape for x in xs):
        raise ShapeError(
            f"stack takes tensors of one shape, got {[tuple(x.shape) for x in xs]}",
            hint="use cat for different sizes",
        )
    return cat([unsqueeze(x, dim) for x in xs], normalize_dim(dim, xs[0].ndim + 1))


def _piece(x: Any, d: int, start: int, stop: int) -> Any:
    return slice_dims(x, [(start, stop, 1) if i == d else (0, m, 1) for i, m in enumerate(x.shape)])


def split(input: Any, split_size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of a given size (the last may be shorter), or of the given sizes"""
    d = normalize_dim(dim, input.ndim)
    n = input.shape[d]
    if isinstance(split_size, int):
        return tuple(
            _piece(input, d, i, builtins.min(i + split_size, n))
            for i in range(0, builtins.max(n, 1), split_size)
        )
    if builtins.sum(split_size) != n:
        raise ShapeError(
            f"split sizes {list(split_size)} add up to {builtins.sum(split_size)}, not {n}",
            hint="they must cover the dimension",
        )
    out, start = [], 0
    for length in split_size:
        out.append(_piece(input, d, start, start + length))
        start += length
    return tuple(out)


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` pieces of equal size (the last may be shorter)"""
    n = input.shape[normalize_dim(dim, input.ndim)]
    return split(input, builtins.max(-(-n // chunks), 1), dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All entries of ``dim``, as tensors without it"""
    return tuple(select(input, dim, i) for i in range(input.shape[normalize_dim(dim, input.ndim)]))


def flip(input: Any, *dims: Any) -> Any:
    """input read backwards along ``dims``"""
    return bind(ops.Flip, input, dims=normalize_dims(shape_of(dims), input.ndim))


def roll(input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """Entries moved by ``shifts``, those that fall off coming in at the other end"""
    if dims is None:
        return reshape(roll(ravel(input), shifts, 0), input.shape)
    for shift, dim in zip(*((s,) if isinstance(s, int) else tuple(s) for s in (shifts, dims)), strict=True):
        n = input.shape[normalize_dim(dim, input.ndim)]
        if n and shift % n:
            cut = n - shift % n
            input = cat([narrow(input, dim, cut, n - cut), narrow(input, dim, 0, cut)], dim)
    return input


def place(input: Any, shape: Shape, index: Sequence[tuple[int, int, int]]) -> Any:
    """Zeros of ``shape`` with ``input`` put at a slice"""
    return bind(ops.Place, input, shape=tuple(shape), index=tuple(index))


def _pad_constant(input: Any, pad: Sequence[int], value: float = 0.0) -> Any:
    """A constant around input: (left, right) of the last dimension, then of the one before it, ...; negative sizes crop"""
    from .elementwise import where

    if len(pad) % 2 or len(pad) // 2 > input.ndim:
        raise ShapeError(
            f"pad={tuple(pad)} for {input.ndim} dimension(s)",
            hint="two numbers for each dimension, the last one first",
        )
    before, after = [0] * input.ndim, [0] * input.ndim
    for i in range(len(pad) // 2):
        before[-1 - i], after[-1 - i] = pad[2 * i], pad[2 * i + 1]
    crop = [
        (builtins.max(-b, 0), n - builtins.max(-a, 0), 1)
        for b, a, n in zip(before, after, input.shape, strict=True)
    ]
    x = slice_dims(input, crop)
    low = [builtins.max(b, 0) for b in before]
    shape = tuple(b + n + builtins.max(a, 0) for b, n, a in zip(low, x.shape, after, strict=True))
    index = [(b, b + n, 1) for b, n in zip(low, x.shape, strict=True)]
    out = place(x, shape, index)
    if value == 0:
        return out
    from ..ops._family import fill
    from ..types import TensorType, bool_

    inside = place(fill(TensorType(tuple(x.shape), bool_), True), shape, index)
    return where(inside, out, in_dtype(value, x.dtype))


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Padding with a constant (other modes come with the convolutions)"""
    if mode != "constant":
        raise ShapeError(f"pad mode {mode!r} is not supported", hint="use mode='constant'")
    return _pad_constant(input, pad, value or 0.0)


def atleast_1d(input: Any) -> Any:
    """At least one dimension"""
    return reshape(input, (1,)) if input.ndim == 0 else input


def atleast_2d(input: Any) -> Any:
    """At least two dimensions"""
    return unsqueeze(atleast_1d(input), 0) if input.ndim < 2 else input
