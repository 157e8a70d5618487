"""Functions that put tensors together and take them apart in several dimensions, with PyTorch's names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError, UsageError
from ..types import normalize_dim, promote
from ._arguments import as_tensor, cast, expand, index_dtype, require_tensor
from .arrange import atleast_1d, atleast_2d, atleast_3d
from .shape import cat, chunk, integer, listed, piece, place, ravel, reshape, split, split_with_sizes, stack

__all__ = [
    "block_diag", "cartesian_prod", "column_stack", "combinations", "dsplit", "dstack", "hsplit", "hstack",
    "meshgrid", "row_stack", "tensor_split", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit", "vstack",
]  # fmt: skip


def hstack(tensors: Sequence[Any]) -> Any:
    """Side by side: along the second dimension (vectors along the first)"""
    xs = [atleast_1d(x) for x in listed("hstack", tensors)]
    return cat(xs, 0 if xs[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """One below the other: along the first dimension, vectors as rows"""
    return cat([atleast_2d(x) for x in listed("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Any]) -> Any:
    """One behind the other: along the third dimension"""
    return cat([atleast_3d(x) for x in listed("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Side by side, vectors as columns"""
    xs = listed("column_stack", tensors)
    return hstack([reshape(x, (math.prod(x.shape), 1)) if x.ndim < 2 else x for x in xs])


def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal of a larger one, zeros elsewhere; vectors count as rows"""
    xs = [require_tensor("block_diag", x) for x in tensors] or [as_tensor(np.zeros((1, 0), np.float32))]
    if any(x.ndim > 2 for x in xs):
        raise ShapeError(
            f"block_diag of shapes {[tuple(x.shape) for x in xs]}", hint="tensors of at most 2 dimensions"
        )
    dtype = promote(*(x.dtype for x in xs))
    blocks = [cast(atleast_2d(x), dtype) for x in xs]
    width, start, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        n, m = x.shape
        rows.append(place(x, (n, width), [(0, n, 1), (start, start + m, 1)]))
        start += m
    return cat(rows, 0)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Coordinates of a grid: result k has tensors[k] along dimension k, and is constant along the others

    ``indexing="xy"`` exchanges the first two dimensions.

    >>> import retrograd as rg
    >>> rg.meshgrid(rg.arange(2), rg.arange(3))[1]
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    group = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    xs = listed("meshgrid", list(group))
    if indexing not in ("ij", "xy"):
        raise UsageError(f"meshgrid: indexing={indexing!r}", hint='indexing="ij" or "xy"')
    if any(x.ndim > 1 for x in xs) or any(x.dtype is not xs[0].dtype for x in xs):
        raise ShapeError(
            f"meshgrid of {[x._type for x in xs]}", hint="vectors (or single numbers) of one dtype"
        )
    shape = tuple(math.prod(x.shape) for x in xs)
    grids = [
        expand(reshape(x, tuple(n if i == k else 1 for i, n in enumerate(shape))), shape)
        for k, x in enumerate(xs)
    ]
    if indexing == "xy" and len(xs) > 1:
        return tuple(g.transpose(0, 1) for g in grids)
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """All ways to take one entry of each vector, one way in a row"""
    xs = listed("cartesian_prod", list(tensors))
    if any(x.ndim != 1 for x in xs):
        raise ShapeError(f"cartesian_prod of shapes {[tuple(x.shape) for x in xs]}", hint="vectors only")
    return xs[0] if len(xs) == 1 else stack([ravel(g) for g in meshgrid(*xs)], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways to take ``r`` entries of a vector in their order, one way in a row"""
    if require_tensor("combinations", input).ndim != 1 or integer("r", r) < 0:
        raise ShapeError(
            f"combinations of {r} out of shape {tuple(input.shape)}", hint="a vector, and r >= 0"
        )
    if not r:
        return as_tensor(np.zeros(0, input.dtype.numpy))
    ways = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(ways(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    from .pick import take

    return take(input, as_tensor(rows))


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """So many pieces, as equal as can be (the first ones one longer); or pieces that end before the given places"""
    if not require_tensor("tensor_split", input).ndim:
        raise ShapeError("tensor_split of a tensor without dimensions", hint="use .reshape(1) first")
    d = normalize_dim(dim, input.ndim)
    n = input.shape[d]
    where = indices_or_sections
    if hasattr(where, "_type"):
        if where.ndim > 1:
            raise ShapeError(
                f"tensor_split: indices_or_sections of shape {tuple(where.shape)}",
                hint="a number or a vector",
            )
        where = index_dtype(where).tolist()
    if isinstance(where, int):
        if where < 1:
            raise ShapeError(f"tensor_split into {where} pieces", hint="at least 1")
        each, longer = divmod(n, where)
        ends = np.cumsum([each + (k < longer) for k in range(where)]).tolist()[:-1]
    else:
        ends = [integer("an index", k) for k in where]
    starts = [0, *(max(0, min(n, k + n if k < 0 else k)) for k in ends), n]
    return tuple(piece(input, d, a, max(a, b)) for a, b in itertools.pairwise(starts))


def _splitter(name: str, rank: int, dim: Callable[[int], int], where: str) -> Callable[..., tuple[Any, ...]]:
    def function(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
        if require_tensor(name, input).ndim < rank:
            raise ShapeError(
                f"{name} of shape {tuple(input.shape)}",
                hint=f"at least {rank} dimension(s); use tensor_split",
            )
        d = dim(input.ndim)
        parts = indices_or_sections
        if isinstance(parts, int) and (parts < 1 or input.shape[d] % parts):
            raise ShapeError(
                f"{name}: a dimension of size {input.shape[d]} does not fall into {parts} equal pieces",
                hint="use tensor_split, which makes the first ones longer",
            )
        return tensor_split(input, parts, d)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`tensor_split` along {where}, into equal pieces or before the given places"
    return function


hsplit = _splitter(
    "hsplit", 1, lambda rank: 0 if rank == 1 else 1, "the second dimension (of a vector: its only one)"
)
vsplit = _splitter("vsplit", 2, lambda rank: 0, "the first dimension")
dsplit = _splitter("dsplit", 3, lambda rank: 2, "the third dimension")
unsafe_chunk, unsafe_split, unsafe_split_with_sizes = chunk, split, split_with_sizes
