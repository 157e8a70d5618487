"""Functions that pick elements by position or by a mask, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import bind, constant
from ..ops import index as ops
from ..types import bool_, broadcast_shapes, int64, normalize_dim, size, uint8
from . import elementwise as e
from . import shape as s
from ._arguments import as_tensor, cast, expand, index_dtype, require_tensor

__all__ = [
    "argwhere", "gather", "index_select", "masked_select", "nonzero", "nonzero_static", "take",
    "take_along_dim", "unravel_index",
]  # fmt: skip


def wrapped(index: Any, n: int) -> Any:
    """Negative indices counted from the end."""
    value = getattr(index, "_value", None)
    if isinstance(value, np.ndarray) and (value.size == 0 or int(value.min()) >= 0):
        return index
    return e.where(e.lt(index, 0), e.add(index, n), index)


def positions_of(name: str, index: Any) -> Any:
    """An index as int64; only int32 and int64 count places (uint8 and bool are masks)."""
    if require_tensor(name, index).dtype in (bool_, uint8):
        raise DTypeError(f"{name}: an index of {index.dtype!r}", hint="convert it with .long()")
    return index_dtype(index)


def positions_or_none(name: str, index: Any) -> Any:
    """`positions_of`; an index without entries may have any dtype, such as that of an empty list."""
    some = size(tuple(require_tensor(name, index).shape))
    return positions_of(name, index) if some else cast(index, int64)


def long_index(name: str, index: Any) -> Any:
    """An index that PyTorch takes in int64 only."""
    if require_tensor(name, index).dtype is not int64:
        raise DTypeError(
            f"{name} takes an index of int64, not {index.dtype!r}", hint="convert it with .long()"
        )
    return index


def vector_index(name: str, index: Any, long: bool = False) -> Any:
    """An index for whole slices: a vector, or a single number."""
    index = (long_index if long else positions_of)(name, index)
    if index.ndim > 1:
        raise ShapeError(
            f"{name}: an index of shape {tuple(index.shape)}", hint="a vector of positions along dim"
        )
    return s.reshape(index, (1,)) if index.ndim == 0 else index


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """y[i, j] = input[index[i, j], j] (dim=0) or input[i, index[i, j]] (dim=1), and so on; never negative

    ``sparse_grad`` changes nothing: gradients are dense here.
    """
    del sparse_grad
    d, index = normalize_dim(dim, input.ndim), positions_or_none("gather", index)
    if not size(tuple(index.shape)):
        return s.reshape(s.piece(s.ravel(input), 0, 0, 0), tuple(index.shape))
    if input.ndim and index.ndim:
        return bind(ops.Gather, input, index, dim=d)
    if input.ndim > 1 or index.ndim > 1:
        raise ShapeError(
            f"gather from shape {tuple(input.shape)} with an index of shape {tuple(index.shape)}",
            hint="index needs as many dimensions as input",
        )
    flat = bind(ops.Gather, s.ravel(input), s.ravel(index), dim=0)
    return s.reshape(flat, tuple(index.shape))


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` whose indices broadcast against the input; without ``dim`` from the flattened input"""
    if dim is None:
        return bind(ops.Gather, s.ravel(input), s.ravel(positions_or_none("take_along_dim", indices)), dim=0)
    indices = long_index("take_along_dim", indices)
    if input.ndim != indices.ndim:
        raise ShapeError(
            f"take_along_dim from shape {tuple(input.shape)} with indices of shape {tuple(indices.shape)}",
            hint="indices need as many dimensions as input",
        )
    d = normalize_dim(dim, input.ndim)
    if not input.ndim:
        return gather(input, 0, indices)
    shape = broadcast_shapes(
        tuple(1 if i == d else n for i, n in enumerate(input.shape)),
        tuple(1 if i == d else n for i, n in enumerate(indices.shape)),
    )
    source = expand(input, tuple(input.shape[d] if i == d else n for i, n in enumerate(shape)))
    places = expand(indices, tuple(indices.shape[d] if i == d else n for i, n in enumerate(shape)))
    return bind(ops.Gather, source, wrapped(places, input.shape[d]), dim=d)


def rows_first(x: Any, d: int) -> Any:
    """Dimension d exchanged with the first one."""
    return s.transpose(x, 0, d) if d else x


def index_select(input: Any, dim: int, index: Any) -> Any:
    """Whole slices of ``dim``, in the order of ``index``"""
    d = normalize_dim(dim, input.ndim)
    index = vector_index("index_select", index)
    if not input.ndim:
        if tuple(index.shape) != (1,):
            raise ShapeError(
                f"index_select of {index.shape[0]} entries from a single number", hint="one index, which is 0"
            )
        return s.reshape(index_select(s.reshape(input, (1,)), 0, index), ())
    out = rows_first(bind(ops.Index, rows_first(input, d), index), d)
    return out.contiguous() if d else out


def take(input: Any, index: Any) -> Any:
    """Elements of the flattened input"""
    index, n = long_index("take", index), size(tuple(require_tensor("take", input).shape))
    if not n and size(tuple(index.shape)):
        raise ShapeError(f"take from shape {tuple(input.shape)}, which holds nothing", hint="check the input")
    return bind(ops.Index, s.ravel(input), wrapped(index, n))


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Positions of the non-zero elements: rows (n, ndim), or one index tensor per dimension"""
    x = as_tensor(input)
    if as_tuple:
        return s.unbind(bind(ops.NonZero, x if x.ndim else s.reshape(x, (1,))), 1)
    return bind(ops.NonZero, x)


def argwhere(input: Any) -> Any:
    """Positions of the non-zero elements, one in a row"""
    return nonzero(input)


def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """The first ``size`` rows of `nonzero`, filled up with ``fill_value``: a shape that does not depend on values"""
    from .reduce import sum
    from .scan import cumsum

    if s.integer("size", size) < 0:
        raise ShapeError(f"nonzero_static: size={size}", hint="at least 0")
    flags = s.ravel(cast(as_tensor(input), bool_))
    n = flags.shape[0]
    row = e.sub(cumsum(flags, 0), 1)
    slot = e.where(
        e.logical_and(flags, e.lt(row, size)), row, size
    )  # the rest falls into a place behind the last
    found = bind(ops.IndexAdd, constant(np.arange(n)), slot, shape=(size + 1,))
    inside = e.lt(constant(np.arange(size)), sum(flags))
    places = unravel_index(s.narrow(found, 0, 0, size), tuple(max(m, 1) for m in input.shape))
    if not places:
        return constant(np.zeros((size, 0), np.int64))
    return e.where(s.unsqueeze(inside, 1), s.stack(places, 1), fill_value)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where ``mask`` holds, as one dimension; the two are broadcast"""
    if require_tensor("masked_select", mask).dtype is not bool_:
        raise DTypeError(f"masked_select: a mask of {mask.dtype!r}", hint="write the comparison, e.g. x > 0")
    shape = broadcast_shapes(tuple(require_tensor("masked_select", input).shape), tuple(mask.shape))
    places = nonzero(s.ravel(expand(mask, shape)), as_tuple=True)[0]
    return bind(ops.Index, s.ravel(expand(input, shape)), places)


def unravel_index(indices: Any, shape: int | Sequence[int]) -> tuple[Any, ...]:
    """The coordinates, in a tensor of ``shape``, of elements numbered in row-major order

    >>> import retrograd as rg
    >>> rg.unravel_index(rg.tensor([5]), (2, 3))
    (tensor([1]), tensor([2]))
    """
    left = index_dtype(require_tensor("unravel_index", indices))
    sizes = (shape,) if isinstance(shape, int) else tuple(s.integer("a size", n) for n in shape)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"unravel_index in shape {sizes}", hint="sizes are at least 0")
    out = []
    for n in reversed(sizes):
        out.append(e.remainder(left, n))
        left = e.floor_divide(left, n)
    return tuple(reversed(out))
