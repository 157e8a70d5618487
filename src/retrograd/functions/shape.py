"""Functions that show the same elements in another shape, another order or part by part, with PyTorch's names."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import bind, constant, context
from ..ops import shape as ops
from ..types import DType, Shape, dtype_of, normalize_dim, normalize_dims, promote, size
from ..types import broadcast_shapes as common_shape
from ._arguments import as_tensor, cast, expand, require_tensor
from ._bytes import bytes_as

__all__ = [
    "adjoint", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cat", "chunk", "concat", "concatenate",
    "flatten", "movedim", "moveaxis", "narrow", "permute", "ravel", "reshape", "select", "split", "split_with_sizes", "squeeze",
    "stack", "swapaxes", "swapdims", "t", "transpose", "unbind", "unflatten", "unsqueeze",
]  # fmt: skip


def integer(what: str, value: Any) -> int:
    """``value`` as an int; numbers with a point, and whatever else is no integer, are refused."""
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise DTypeError(f"{what} must be an integer, not {value!r}", hint="pass an int")
    return int(value.__index__())


def given(args: tuple[Any, ...], named: Any) -> Shape:
    """Integers given one by one, as one sequence, or by keyword."""
    numbers = args if named is None else (named,)
    if len(numbers) == 1 and isinstance(numbers[0], list | tuple):
        numbers = tuple(numbers[0])
    return tuple(n if type(n) is int else integer("a size", n) for n in numbers)


def sizes_of(name: str, args: tuple[Any, ...], named: Any = None) -> Shape:
    """Sizes, of which one may be -1: to be found out."""
    target = given(args, named)
    if any(n < -1 for n in target):
        raise ShapeError(f"{name}: a size is negative: {target}", hint="sizes are at least 0; one may be -1")
    return target


def reshape(input: Any, *args: Any, shape: Any = None) -> Any:
    """The same elements in another shape; one size may be -1"""
    target = sizes_of("reshape", args, shape)
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


def view(input: Any, *args: Any, size: Any = None, dtype: Any = None) -> Any:
    """`reshape`; unlike PyTorch it copies where the strides do not allow a view.  ``view(dtype)``: the same bytes, read as
    another dtype; no gradient passes."""
    if dtype is not None or (len(args) == 1 and isinstance(args[0], DType)):
        return bytes_as(input, dtype_of(args[0] if dtype is None else dtype))
    return reshape(input, *args, shape=size)


def view_as(input: Any, other: Any) -> Any:
    """input in the shape of ``other``"""
    return reshape(input, require_tensor("view_as", other).shape)


reshape_as = view_as


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions start_dim..end_dim as one"""
    x = as_tensor(input)
    a, b = normalize_dim(start_dim, x.ndim), normalize_dim(end_dim, x.ndim)
    if x.ndim == 0:
        return reshape(x, (1,))
    if a > b:
        raise ShapeError(
            f"flatten: start_dim {start_dim} lies behind end_dim {end_dim}",
            hint="use flatten(1) to keep the batch",
        )
    if a == b:
        return x
    return reshape(x, (*x.shape[:a], math.prod(x.shape[a : b + 1]), *x.shape[b + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension as several; one of them may be -1"""
    d = normalize_dim(dim, input.ndim)
    if not isinstance(sizes, tuple | list):
        raise DTypeError(
            f"unflatten takes its sizes in a tuple, got {sizes!r}", hint="x.unflatten(0, (2, -1))"
        )
    parts = sizes_of("unflatten", (sizes,))
    n = input.shape[d] if input.ndim else 1
    known = math.prod(m for m in parts if m != -1)
    fits = n % known == 0 if known and parts.count(-1) == 1 else -1 not in parts and known == n
    if not parts or not fits:
        raise ShapeError(
            f"unflatten: sizes {parts} do not make up dimension {d} of size {n}",
            hint="their product must be the size of the dimension; one may be -1",
        )
    filled = tuple(n // known if m == -1 else m for m in parts)
    return reshape(input, (*input.shape[:d], *filled, *input.shape[d + 1 :]))


def ravel(input: Any) -> Any:
    """input as one dimension"""
    x = as_tensor(input)
    return reshape(x, (size(x.shape),))


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


def permute(input: Any, *args: Any, dims: Any = None) -> Any:
    """Dimensions in another order"""
    order = given(args, dims)
    x = require_tensor("permute", input)
    return bind(ops.Permute, x, dims=tuple(normalize_dim(d, x.ndim) for d in order))


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
    if require_tensor("t", input).ndim > 2:
        raise ShapeError(
            f"t() takes at most 2 dimensions, got shape {tuple(input.shape)}", hint="use .transpose(-2, -1)"
        )
    return bind(ops.Permute, input, dims=tuple(reversed(range(input.ndim))))


def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged (numbers are real here, so nothing is conjugated)"""
    if require_tensor("adjoint", input).ndim < 2:
        raise ShapeError(
            f"a matrix is needed, got a tensor of shape {tuple(input.shape)}", hint="use .unsqueeze(0)"
        )
    return transpose(input, -2, -1)


def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Dimensions moved to new places, the others in order"""
    rank = require_tensor("movedim", input).ndim
    sources = (source,) if isinstance(source, int) else tuple(source)
    targets = (destination,) if isinstance(destination, int) else tuple(destination)
    src = [normalize_dim(d, rank) for d in sources]
    dst = [normalize_dim(d, rank) for d in targets]
    if len(src) != len(dst) or len(set(src)) != len(src) or len(set(dst)) != len(dst):
        raise ShapeError(
            f"movedim from {sources} to {targets}",
            hint="one destination for each source, and no dimension twice",
        )
    if not rank:
        return input
    rest = iter(i for i in range(rank) if i not in src)
    order = [src[dst.index(i)] if i in dst else next(rest) for i in range(rank)]
    return bind(ops.Permute, input, dims=tuple(order))


moveaxis = movedim


def expand_(input: Any, *args: Any, size: Any = None, implicit: bool = False) -> Any:
    """input repeated to ``size``, where -1 keeps a size; ``implicit`` is without effect, as in PyTorch"""
    target = list(given(args, size))
    offset = len(target) - input.ndim
    for i, n in enumerate(target):
        if n == -1 and i >= offset:
            target[i] = input.shape[i - offset]
        elif n < 0:
            raise ShapeError(
                f"expand: size {n} at dimension {i} of {tuple(target)}",
                hint="-1 keeps the size of a dimension that exists already",
            )
    return expand(input, tuple(target))


def broadcast_to(input: Any, shape: Sequence[int]) -> Any:
    """input repeated to ``shape`` (without copying); -1 keeps a size"""
    return expand_(as_tensor(input), tuple(shape))


def expand_as(input: Any, other: Any) -> Any:
    """input repeated to the shape of ``other``"""
    return expand(input, tuple(require_tensor("expand_as", other).shape))


def broadcast_shapes(*shapes: Any) -> Shape:
    """The common shape of shapes (or sizes) under broadcasting

    >>> import retrograd as rg
    >>> rg.broadcast_shapes((2, 1), 3)
    (2, 3)
    """
    listed = [(n,) if isinstance(n, int) else tuple(integer("a size", k) for k in n) for n in shapes]
    if any(n < 0 for shape in listed for n in shape):
        raise ShapeError(f"broadcast_shapes: a size is negative: {listed}", hint="sizes are at least 0")
    return common_shape(*listed)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All tensors repeated to their common shape"""
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    shape = common_shape(*(tuple(require_tensor("broadcast_tensors", x).shape) for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


def slice_dims(input: Any, index: Sequence[tuple[int, int, int]]) -> Any:
    """input[start:stop:step, ...], one triple for each dimension"""
    return bind(ops.Slice, input, index=tuple(index))


def place(input: Any, shape: Shape, index: Sequence[tuple[int, int, int]]) -> Any:
    """Zeros of ``shape`` with ``input`` put at a slice"""
    return bind(ops.Place, input, shape=tuple(shape), index=tuple(index))


def piece(x: Any, d: int, start: int, stop: int, step: int = 1) -> Any:
    """x[start:stop:step] along dimension d"""
    return slice_dims(x, [(start, stop, step) if i == d else (0, m, 1) for i, m in enumerate(x.shape)])


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """``length`` entries of ``dim`` from ``start``"""
    x = require_tensor("narrow", input)
    if not x.ndim:
        raise ShapeError("narrow of a tensor without dimensions", hint="use .reshape(1) first")
    if hasattr(start, "_type") and (start.ndim or start.dtype.category != 1):
        raise ShapeError(
            f"narrow: start is {start!r}", hint="pass an int, or an integer tensor of one number"
        )
    d = normalize_dim(dim, x.ndim)
    n, count = x.shape[d], integer("length", length)
    if hasattr(start, "_type") and context.tracer is not None and 0 <= count <= n:
        from .pick import index_select  # where it starts is not known yet, how long it is is

        low = start + (start < 0).to(start.dtype) * n
        return index_select(x, d, low + constant(np.arange(count)))
    first = integer("start", start)
    begin = first + n if first < 0 else first
    if count < 0 or not 0 <= begin <= begin + count <= n:
        raise ShapeError(
            f"narrow: {count} entries from {first} of a dimension of size {n}", hint=f"stay within 0 to {n}"
        )
    return piece(x, d, begin, begin + count)


def select(input: Any, dim: int, index: Any) -> Any:
    """Entry ``index`` of ``dim``; the dimension goes away"""
    if not input.ndim:
        raise ShapeError("select from a tensor without dimensions", hint="use .item()")
    d = normalize_dim(dim, input.ndim)
    n, i = input.shape[d], integer("index", index)
    if not -n <= i < n:
        raise ShapeError(
            f"index {i} is out of range for dimension {d} of size {n}",
            hint=f"use an index between {-n} and {n - 1}",
        )
    one = piece(input, d, i % n, i % n + 1)
    return reshape(one, (*input.shape[:d], *input.shape[d + 1 :]))


def listed(name: str, tensors: Any) -> list[Any]:
    """The tensors of a sequence, at least one."""
    if hasattr(tensors, "_type") or not isinstance(tensors, Sequence):
        raise DTypeError(
            f"{name} takes a list or tuple of tensors, got {type(tensors).__name__}",
            hint=f"{name}([a, b])",
        )
    if not tensors:
        raise ShapeError(f"{name} of no tensors", hint="pass at least one tensor")
    return [require_tensor(name, x) for x in tensors]


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors one after the other along ``dim``"""
    xs = listed("cat", tensors)
    dtype = promote(*(x.dtype for x in xs))
    filled = [x for x in xs if x.shape != (0,)] or xs[:1]  # PyTorch skips empty vectors here
    if any(x.ndim == 0 for x in filled):
        raise ShapeError("cat of a tensor without dimensions", hint="use stack, which makes a new dimension")
    return bind(ops.Cat, *(cast(x, dtype) for x in filled), dim=normalize_dim(dim, filled[0].ndim))


concat = concatenate = cat


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape along a new dimension"""
    xs = listed("stack", tensors)
    if any(x.shape != xs[0].shape for x in xs):
        raise ShapeError(
            f"stack takes tensors of one shape, got {[tuple(x.shape) for x in xs]}",
            hint="use cat for different sizes",
        )
    d = normalize_dim(dim, xs[0].ndim + 1)
    dtype = promote(*(x.dtype for x in xs))
    return bind(ops.Cat, *(cast(unsqueeze(x, d), dtype) for x in xs), dim=d)


def split(
    tensor: Any,
    split_size_or_sections: int | Sequence[int] | None = None,
    dim: int = 0,
    *,
    split_size: Any = None,
) -> tuple[Any, ...]:
    """Pieces of a given size (the last may be shorter), or of the given sizes"""
    each = split_size if split_size_or_sections is None else split_size_or_sections
    if not require_tensor("split", tensor).ndim:
        raise ShapeError("split of a tensor without dimensions", hint="use .reshape(1) first")
    d = normalize_dim(dim, tensor.ndim)
    n = tensor.shape[d]
    if isinstance(each, Sequence):
        return split_with_sizes(tensor, each, dim)
    each = integer("split_size", each)
    if each < 0 or (each == 0 and n):
        raise ShapeError(f"split into pieces of {each}", hint="the size of a piece is at least 1")
    return tuple(
        piece(tensor, d, i, builtins.min(i + each, n)) for i in range(0, builtins.max(n, 1), each or 1)
    )


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the given sizes"""
    if not require_tensor("split_with_sizes", input).ndim:
        raise ShapeError("split of a tensor without dimensions", hint="use .reshape(1) first")
    d = normalize_dim(dim, input.ndim)
    if not hasattr(split_sizes, "__iter__"):
        fix = "pieces of one size: split(x, 3); of several: split(x, [2, 1])"
        raise DTypeError(f"split_with_sizes takes a list of sizes, got {split_sizes!r}", hint=fix)
    sizes = [integer("a size", n) for n in split_sizes]
    if builtins.sum(sizes) != input.shape[d] or any(n < 0 for n in sizes):
        raise ShapeError(
            f"split sizes {sizes} add up to {builtins.sum(sizes)}, not {input.shape[d]}",
            hint="they must cover the dimension, and none may be negative",
        )
    ends = np.cumsum([0, *sizes]).tolist()
    return tuple(piece(input, d, a, b) for a, b in itertools.pairwise(ends))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` pieces of equal size (the last may be shorter)"""
    if not require_tensor("chunk", input).ndim:
        raise ShapeError("chunk of a tensor without dimensions", hint="use .reshape(1) first")
    n, wanted = input.shape[normalize_dim(dim, input.ndim)], integer("chunks", chunks)
    if wanted < 1:
        raise ShapeError(f"chunk into {wanted} pieces", hint="at least 1")
    return split(input, -(-n // wanted), dim) if n else split_with_sizes(input, (0,) * wanted, dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All entries of ``dim``, as tensors without it"""
    if not require_tensor("unbind", input).ndim:
        raise ShapeError("unbind of a tensor without dimensions", hint="use .item()")
    return tuple(select(input, dim, i) for i in range(input.shape[normalize_dim(dim, input.ndim)]))
