"""Functions that sort, look up in what is sorted, and tell equal elements apart, with PyTorch's names."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, TraceError, UsageError
from ..op import bind, constant
from ..ops._family import fill
from ..ops.index import Gather, Index, ScatterAdd
from ..ops.sort import SearchSorted, Sort
from ..types import TensorType, bool_, int32, int64, size
from . import elementwise as e
from ._arguments import cast, common_dtype, is_tensor, require_tensor
from .pick import nonzero
from .reduce import along, any, chosen, known, one_dim, require_elements, require_numbers
from .return_types import ValuesIndices
from .scan import cumsum, diff
from .shape import cat, movedim, narrow, ravel, reshape

__all__ = [
    "argsort", "bucketize", "isin", "kthvalue", "msort", "searchsorted", "sort", "topk", "unique",
    "unique_consecutive",
]  # fmt: skip


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Values in order along ``dim``, and where they stood; always stable, NaN counts as the largest"""
    row, d = along("sort", input, dim)
    values, indices = bind(Sort, row, dim=d, descending=descending)
    if input.ndim == 0:
        return ValuesIndices(reshape(values, ()), reshape(indices, ()))
    return ValuesIndices(values, indices)


def msort(input: Any) -> Any:
    """Values in order along the first dimension"""
    return sort(input, 0).values


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that would sort ``input``; always stable"""
    return sort(input, dim, descending).indices


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The k largest (or smallest) values along ``dim`` in order, and where they stood; NaN counts as the largest"""
    row, d = along("topk", require_numbers("topk", input), dim)
    n = row.shape[d]
    if not 0 <= k <= n:
        raise ShapeError(f"topk of {k} along a dimension of size {n}", hint=f"use k between 0 and {n}")
    values, indices = sort(row, d, largest)
    if input.ndim == 0:
        return ValuesIndices(reshape(values, ()), reshape(indices, ()))
    return ValuesIndices(narrow(values, d, 0, k), narrow(indices, d, 0, k))


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The k-th smallest value along ``dim`` (counted from 1), and where it stands; NaN counts as the largest"""
    row, d = along("kthvalue", require_numbers("kthvalue", input), dim)
    require_elements("kthvalue", row, d)
    n = row.shape[d]
    if not 1 <= k <= n:
        raise ShapeError(f"kthvalue: k={k} along a dimension of size {n}", hint=f"use k between 1 and {n}")
    return chosen(input, row, d, narrow(argsort(row.detach(), d), d, k - 1, 1), keepdim)


# -- looking up -------------------------------------------------------------------------------------------------------
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Any:  # fmt: skip
    """The position at which each value would be inserted into the ascending last dimension of ``sorted_sequence``.

    Before equal entries; behind them with ``right=True`` or ``side="right"``.  The sequence has one dimension, or as
    many as the values.  ``sorter``: the positions that sort it, from `argsort`.
    """
    if side not in (None, "left", "right"):
        raise UsageError(f"searchsorted with side={side!r}", hint='use side="left" or side="right"')
    if side == "left" and right:
        raise UsageError('searchsorted got side="left" and right=True', hint="give one of them")
    s = require_numbers("searchsorted", sorted_sequence)
    x = input if is_tensor(input) else constant(input)
    if s.ndim == 0:
        raise ShapeError("searchsorted in a single number", hint="the sequence needs at least one dimension")
    if sorter is not None:
        s = bind(Gather, s, _checked_sorter(sorter, s), dim=s.ndim - 1)
    if s.ndim > 1 and tuple(s.shape[:-1]) != tuple(x.shape[:-1]):
        raise ShapeError(
            f"searchsorted of values {tuple(x.shape)} in a sequence {tuple(s.shape)}",
            hint="the sequence has one dimension, or the same shape but for the last dimension",
        )
    dtype = common_dtype(s, input if not is_tensor(input) else x)
    values = cast(require_numbers("searchsorted", x), dtype)
    flat = values if s.ndim > 1 else reshape(values, (size(x.shape),))
    found = bind(SearchSorted, cast(s, dtype), flat, right=right or side == "right")
    return cast(reshape(found, x.shape), int32 if out_int32 else int64)


def _checked_sorter(sorter: Any, s: Any) -> Any:
    if require_tensor("searchsorted", sorter).dtype is not int64:
        raise DTypeError(
            f"searchsorted: sorter holds {sorter.dtype!r}", hint="pass the int64 result of argsort"
        )
    if tuple(sorter.shape) != tuple(s.shape):
        raise ShapeError(
            f"searchsorted: sorter of shape {tuple(sorter.shape)} for a sequence {tuple(s.shape)}",
            hint="pass the result of argsort of the sequence",
        )
    return sorter


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the bucket of each value: how many of the ascending ``boundaries`` lie below it.

    With ``right=True``, a value that equals a boundary belongs to the next bucket.
    """
    if require_tensor("bucketize", boundaries).ndim != 1:
        raise ShapeError(
            f"bucketize with boundaries of shape {tuple(boundaries.shape)}", hint="use one dimension"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Is each element among the test elements?  NaN never is"""
    if not is_tensor(elements) and not is_tensor(test_elements):
        raise DTypeError("isin of two numbers", hint="wrap one of them: retrograd.tensor(...)")
    dtype = common_dtype(elements, test_elements)
    x, test = (
        cast(require_numbers("isin", v if is_tensor(v) else constant(v)), dtype)
        for v in (elements, test_elements)
    )
    n = size(test.shape)
    if n == 0:
        return fill(TensorType(x.shape, bool_), invert)
    known_values = sort(ravel(test)).values.detach()
    place = e.clamp(searchsorted(known_values, ravel(x.detach())), max=n - 1)
    found = reshape(e.eq(bind(Index, known_values, place), ravel(x)), x.shape)
    return e.logical_not(found) if invert else found


# -- telling apart ----------------------------------------------------------------------------------------------------
def _runs(different: Any, n: int) -> tuple[Any, Any, Any]:
    """Where the runs of equal neighbours start, the number of the run of each element, and their lengths."""
    starts = ravel(nonzero(different))
    group = e.sub(cumsum(different, 0), 1)
    return starts, group, diff(cat([starts, constant([n], int64)]))


def _with(values: Any, inverse: Any, counts: Any, wants_inverse: bool, wants_counts: bool) -> Any:
    out = (values, *([inverse] if wants_inverse else []), *([counts] if wants_counts else []))
    return out if len(out) > 1 else values


def _flat_rows(name: str, input: Any, dim: int | None) -> tuple[Any, int]:
    """The elements to be told apart as rows (n, m), and n: single elements, or slices along ``dim``."""
    if known(require_tensor(name, input)) is None:
        raise TraceError(
            f"{name} cannot be traced or vectorised: the number of results depends on the values",
            hint=f"call {name} outside and pass its results in",
        )
    if dim is None:
        n = size(input.shape)
        return reshape(input, (n, 1)), n
    d = one_dim(name, dim, input.ndim)
    if input.ndim == 0:
        raise ShapeError(f"{name} along dim={dim} of a single number", hint=f"{name}(x)")
    n, m = input.shape[d], math.prod(input.shape[:d] + input.shape[d + 1 :])
    if m == 0:
        raise ShapeError(
            f"{name} along dim={dim} of shape {tuple(input.shape)}: the slices are empty",
            hint="choose a dimension whose slices have elements",
        )
    return reshape(movedim(input, d, 0), (n, m)), n


def _taken(input: Any, dim: int | None, at: Any) -> Any:
    """The elements (or slices along ``dim``) at those positions."""
    if dim is None:
        return bind(Index, ravel(input), at)
    return movedim(bind(Index, movedim(input, dim, 0), at), 0, dim)


def _changes(rows: Any, n: int) -> Any:
    """Which rows differ from the one before (the first does)."""
    first = fill(TensorType((builtins.min(n, 1),), bool_), True)
    if n < 2:
        return first
    return cat([first, any(e.ne(narrow(rows, 0, 1, n - 1), narrow(rows, 0, 0, n - 1)), 1)])


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:  # fmt: skip
    """The different elements (or slices along ``dim``) in order; if asked for, where each element went, and how many.

    Every NaN counts as different.  Always sorted.  The number of results depends on the values, so it cannot be traced.
    """
    rows, n = _flat_rows("unique", input, dim)
    values = known(rows)
    assert values is not None
    order = constant(np.lexsort(values.T[::-1]) if n else np.zeros(0, np.int64), int64)
    starts, group, counts = _runs(_changes(bind(Index, rows.detach(), order), n), n)
    inverse = bind(ScatterAdd, group, order, shape=(n,), dim=0)
    found = _taken(input, dim, bind(Index, order, starts))
    if dim is None:
        inverse = reshape(inverse, input.shape)
    return _with(found, inverse, counts, return_inverse, return_counts)


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along ``dim``) that differ from the one before; if asked for, as `unique`"""
    rows, n = _flat_rows("unique_consecutive", input, dim)
    starts, group, counts = _runs(_changes(rows.detach(), n), n)
    if dim is None:
        group = reshape(group, input.shape)
    return _with(_taken(input, dim, starts), group, counts, return_inverse, return_counts)
