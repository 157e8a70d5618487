"""Functions that reduce, scan, sort or normalise, with PyTorch's names."""

from __future__ import annotations

import builtins
import math
from typing import Any, NamedTuple

from ..errors import ShapeError
from ..op import bind
from ..ops import reduce as ops
from ..ops.scan import Cumsum
from ..ops.sort import Sort
from ..types import bool_, dtype_of, int64, normalize_dim, normalize_dims, size
from . import elementwise as e
from ._arguments import as_tensor, cast, floating

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumsum", "log_softmax",
    "logsumexp", "max", "mean", "min", "norm", "prod", "softmax", "sort", "std", "sum", "topk", "var",
]  # fmt: skip

Dim = int | tuple[int, ...] | list[int] | None


class ValuesIndices(NamedTuple):
    """A pair of values and the positions at which they stood."""

    values: Any
    indices: Any


def _countable(x: Any, dtype: Any) -> Any:
    """Bools and integers are summed in int64."""
    if dtype is not None:
        return cast(x, dtype_of(dtype))
    return x if x.dtype.is_floating_point else cast(x, int64)


def sum(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input over ``dim`` (default: all)"""
    x = _countable(as_tensor(input), dtype)
    return bind(ops.Sum, x, dim=normalize_dims(dim, x.ndim), keepdim=keepdim)


def prod(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Π input over ``dim`` (default: all)"""
    x = _countable(as_tensor(input), dtype)
    return bind(ops.Prod, x, dim=normalize_dims(dim, x.ndim), keepdim=keepdim)


def _count(x: Any, dims: tuple[int, ...]) -> int:
    return size(tuple(x.shape[d] for d in dims))


def mean(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input / n over ``dim`` (default: all); NaN over nothing"""
    x = as_tensor(input) if dtype is None else cast(as_tensor(input), dtype_of(dtype))
    if not x.dtype.is_floating_point:
        raise ops.DTypeError(
            f"mean needs a floating tensor, not {x.dtype!r}", hint="convert it with .float()"
        )
    dims = normalize_dims(dim, x.ndim)
    n = _count(x, dims)
    return e.mul(sum(x, dims, keepdim), 1.0 / n if n else math.nan)


def var(
    input: Any, dim: Dim = None, *, correction: float = 1, unbiased: bool | None = None, keepdim: bool = False
) -> Any:
    """Σ (input - mean)² / (n - correction) over ``dim``"""
    if unbiased is not None:
        correction = 1 if unbiased else 0
    x = floating(input)
    dims = normalize_dims(dim, x.ndim)
    gap = e.sub(x, mean(x, dims, True))
    n = builtins.max(_count(x, dims) - correction, 0)
    return e.mul(sum(e.mul(gap, gap), dims, keepdim), 1.0 / n if n else math.nan)


def std(
    input: Any, dim: Dim = None, *, correction: float = 1, unbiased: bool | None = None, keepdim: bool = False
) -> Any:
    """√var"""
    return e.sqrt(var(input, dim, correction=correction, unbiased=unbiased, keepdim=keepdim))


def amax(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """The largest value over ``dim``; equal ones share the gradient evenly"""
    x = as_tensor(input)
    return bind(ops.Amax, x, dim=normalize_dims(dim, x.ndim), keepdim=keepdim)[0]


def amin(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """The smallest value over ``dim``; equal ones share the gradient evenly"""
    x = as_tensor(input)
    return bind(ops.Amin, x, dim=normalize_dims(dim, x.ndim), keepdim=keepdim)[0]


def _extreme(pick: Any, whole: Any, between: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return whole(input)
    if not isinstance(dim, int):
        return between(input, dim)
    if input.ndim == 0:
        return ValuesIndices(e.mul(input, 1), pick(input, 0))
    from .index import gather

    index = pick(input, dim, True)
    values = gather(input, dim, index)
    if keepdim:
        return ValuesIndices(values, index)
    from .shape import squeeze

    return ValuesIndices(squeeze(values, dim), squeeze(index, dim))


def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; with ``dim`` a pair (values, indices); with a tensor, the elementwise maximum"""
    return _extreme(argmax, amax, e.maximum, input, dim, keepdim)


def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; with ``dim`` a pair (values, indices); with a tensor, the elementwise minimum"""
    return _extreme(argmin, amin, e.minimum, input, dim, keepdim)


def _position(op: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    from .shape import reshape, unsqueeze

    x = as_tensor(input)
    if dim is None:
        flat = bind(op, reshape(x, (-1,)), dim=0)
        return reshape(flat, (1,) * x.ndim) if keepdim else flat
    d = normalize_dim(dim, x.ndim)
    if x.ndim == 0:
        return bind(op, reshape(x, (1,)), dim=0)
    out = bind(op, x, dim=d)
    return unsqueeze(out, d) if keepdim else out


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the largest value (the first, where several are equal)"""
    return _position(ops.Argmax, input, dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the smallest value (the first, where several are equal)"""
    return _position(ops.Argmin, input, dim, keepdim)


def any(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Is at least one element non-zero?"""
    return e.gt(sum(cast(cast(as_tensor(input), bool_), int64), dim, keepdim), 0)


def all(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Are all elements non-zero?"""
    return e.logical_not(any(e.logical_not(input), dim, keepdim))


def count_nonzero(input: Any, dim: Dim = None) -> Any:
    """How many elements are not zero"""
    return sum(cast(cast(as_tensor(input), bool_), int64), dim)


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Running sums along ``dim``"""
    x = _countable(as_tensor(input), dtype)
    return bind(Cumsum, x, dim=normalize_dim(dim, x.ndim)) if x.ndim else x


def logsumexp(input: Any, dim: Dim, keepdim: bool = False) -> Any:
    """ln Σ e^input over ``dim``, without overflow"""
    from .shape import squeeze

    x = floating(input)
    dims = normalize_dims(dim, x.ndim)
    if _count(x, dims) == 0:
        return e.log(sum(e.exp(x), dims, keepdim))  # the sum of nothing is 0, and there is no largest term
    top = amax(x, dims, True).detach()
    top = e.where(e.isfinite(top), top, 0.0)  # a row of only -inf (or with +inf) keeps its own value
    out = e.add(e.log(sum(e.exp(e.sub(x, top)), dims, True)), top)
    return out if keepdim else squeeze(out, dims)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """e^input / Σ e^input along ``dim``"""
    x = floating(input) if dtype is None else cast(as_tensor(input), dtype_of(dtype))
    return bind(ops.Softmax, x, dim=normalize_dim(dim, x.ndim)) if x.ndim else e.exp(e.sub(x, x))


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """input - ln Σ e^input along ``dim``"""
    x = floating(input) if dtype is None else cast(as_tensor(input), dtype_of(dtype))
    return bind(ops.LogSoftmax, x, dim=normalize_dim(dim, x.ndim)) if x.ndim else e.sub(x, x)


def softmin(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """softmax(-input)"""
    return softmax(e.neg(input), dim, dtype=dtype)


def norm(input: Any, p: Any = 2, dim: Dim = None, keepdim: bool = False) -> Any:
    """(Σ |input|^p)^(1/p); p may be inf; the gradient at 0 is 0"""
    x = floating(input)
    if p in ("fro", None):
        p = 2
    if p == math.inf:
        return amax(e.abs(x), dim, keepdim)
    if p == -math.inf:
        return amin(e.abs(x), dim, keepdim)
    if p == 1:
        return sum(e.abs(x), dim, keepdim)
    if p == 0:
        return sum(cast(e.ne(x, 0), x.dtype), dim, keepdim)
    total = sum(e.mul(x, x) if p == 2 else e.pow(e.abs(x), p), dim, keepdim)
    positive = e.gt(total, 0)
    root = e.pow(
        e.where(positive, total, 1.0), 1.0 / p
    )  # the slope of the root at 0 is infinite; 0 is the subgradient
    return e.where(positive, root, total)


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesIndices:
    """Values in order along ``dim``, and where they stood; always stable"""
    x = as_tensor(input)
    if x.ndim == 0:
        return ValuesIndices(e.mul(x, 1), argmax(x, 0))
    values, indices = bind(Sort, x, dim=normalize_dim(dim, x.ndim), descending=descending)
    return ValuesIndices(values, indices)


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that would sort ``input``"""
    return sort(input, dim, descending).indices


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesIndices:
    """The k largest (or smallest) values along ``dim``, and where they stood"""
    d = normalize_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[d] if input.ndim else 1):
        raise ShapeError(
            f"topk of {k} along a dimension of size {input.shape[d]}", hint="k must not exceed the size"
        )
    from .shape import narrow

    values, indices = sort(input, d, largest)
    return (
        ValuesIndices(narrow(values, d, 0, k), narrow(indices, d, 0, k))
        if input.ndim
        else ValuesIndices(values, indices)
    )
