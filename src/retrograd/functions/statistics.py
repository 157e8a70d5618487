"""Spread, order statistics, correlation and counts of values, with PyTorch's names."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant
from ..ops.index import Gather
from ..ops.reduce import Argmax, Sum
from ..types import int64, size
from . import elementwise as e
from ._arguments import cast, expand, is_tensor, require_tensor
from .reduce import (
    all_dims,
    along,
    amax,
    any,
    chosen,
    count,
    known,
    mean,
    require_elements,
    require_floats,
    require_numbers,
    sum,
)  # fmt: skip
from .return_types import ValuesIndices
from .scan import cummax
from .shape import cat, movedim, narrow, ravel, reshape, squeeze, unsqueeze
from .sort import argsort, sort

__all__ = [
    "corrcoef", "cov", "median", "mode", "nanmedian", "nanquantile", "quantile", "std", "std_mean", "var", "var_mean",
]  # fmt: skip


# -- spread -----------------------------------------------------------------------------------------------------------
def _moments(
    name: str, input: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: Any
) -> tuple[Any, Any]:
    """The variance and the mean."""
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise UsageError(f"{name} got both unbiased and correction", hint=f"{name}(x, correction=1)")
    degrees = (1 if unbiased in (None, True) else 0) if correction is None else correction
    x = require_floats(name, input)
    dims = all_dims(name, dim, x.ndim)
    average = mean(x, dims, True)
    gap = e.sub(x, average)
    free = float(builtins.max(count(x, dims) - degrees, 0))
    variance = e.div(bind(Sum, e.mul(gap, gap), dim=dims, keepdim=keepdim), free)
    return variance, average if keepdim else squeeze(average, dims)


def _root(variance: Any) -> Any:
    """The square root, whose derivative at 0 is taken as 0."""
    zero = e.eq(variance, 0)
    return e.where(zero, 0.0, e.sqrt(e.where(zero, 1.0, variance)))


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """Σ (input - mean)² / (n - correction) over ``dim`` (default: all); NaN or infinite where n ≤ correction.

    ``correction`` is 1 unless given; ``unbiased=False`` stands for 0.
    """
    return _moments("var", input, dim, unbiased, keepdim, correction)[0]


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> Any:
    """√var; where all values are equal, the derivative is 0"""
    return _root(_moments("std", input, dim, unbiased, keepdim, correction)[0])


def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> tuple[Any, Any]:
    """The variance (see `var`) and the mean"""
    return _moments("var_mean", input, dim, unbiased, keepdim, correction)


def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
) -> tuple[Any, Any]:
    """The standard deviation (see `std`) and the mean"""
    variance, average = _moments("std_mean", input, dim, unbiased, keepdim, correction)
    return _root(variance), average


# -- order statistics -------------------------------------------------------------------------------------------------
def _median(name: str, input: Any, dim: int | None, keepdim: bool, skip: bool) -> Any:
    require_numbers(name, input)
    if dim is None:
        return _shared_median(name, input, skip)
    row, d = along(name, input, dim)
    require_elements(name, row, d)
    return chosen(input, row, d, _middle(row.detach(), d, skip), keepdim)


def _middle(x: Any, d: int, skip: bool) -> Any:
    """Where the lower median stands; NaN is skipped, or else the first NaN is taken."""
    order = argsort(x, d)
    n = x.shape[d]
    if not x.dtype.is_floating_point:
        return narrow(order, d, (n - 1) // 2, 1)
    nan = e.isnan(x)
    if skip:
        left = sum(e.logical_not(nan), d, True)
        return bind(Gather, order, e.floor_divide(e.clamp(e.sub(left, 1), min=0), 2), dim=d)
    first = unsqueeze(bind(Argmax, nan, dim=d), d)
    return e.where(any(nan, d, True), first, narrow(order, d, (n - 1) // 2, 1))


def _shared_median(name: str, input: Any, skip: bool) -> Any:
    """Of all elements; equal ones share the gradient evenly."""
    flat = ravel(input)
    if flat.shape[0] == 0 and flat.dtype.is_floating_point:
        return sum(e.mul(flat, math.nan)) + math.nan
    require_elements(name, flat, 0)
    middle = squeeze(bind(Gather, flat, _middle(flat.detach(), 0, skip), dim=0), 0)
    if not flat.dtype.is_floating_point:
        return middle
    value = middle.detach()
    same = e.logical_or(e.eq(flat, value), e.logical_and(e.isnan(flat), e.isnan(value)))
    return amax(
        e.where(same, flat, -math.inf)
    )  # the other values lie below: amax shares among the equal ones


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements; with ``dim`` a pair (values, indices).  NaN wins.

    The gradient of the first form is shared evenly by equal values, that of the second goes to the chosen one.
    """
    return _median("median", input, dim, keepdim, False)


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of what is not NaN; with ``dim`` a pair (values, indices); gradients as of `median`"""
    return _median("nanmedian", input, dim, keepdim, True)


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """The most frequent value along ``dim`` (the smallest of equally frequent ones), and where it stands last"""
    row, d = along("mode", input, dim)
    require_elements("mode", row, d)
    values, order = sort(row.detach(), d)
    n = row.shape[d]
    place = expand(reshape(constant(np.arange(n), int64), (n, *(1,) * (row.ndim - d - 1))), tuple(row.shape))
    new = e.ne(narrow(values, d, 1, n - 1), narrow(values, d, 0, n - 1))
    first = narrow(place, d, 0, 1)
    start = cummax(cat([first, e.mul(narrow(place, d, 1, n - 1), cast(new, int64))], d), d).values
    end = unsqueeze(bind(Argmax, e.sub(place, start), dim=d), d)  # where the first of the longest runs ends
    return chosen(input, row, d, bind(Gather, order, end, dim=d), keepdim)


def _quantile(
    name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip: bool
) -> Any:
    x = require_floats(name, input)
    if size(x.shape) == 0:
        raise ShapeError(f"{name} of no elements: shape {tuple(x.shape)}", hint="check that it is not empty")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise UsageError(
            f"{name} with interpolation={interpolation!r}",
            hint="use 'linear', 'lower', 'higher', 'midpoint' or 'nearest'",
        )
    if is_tensor(q) and q.dtype is not x.dtype:
        raise DTypeError(f"{name}: q is {q.dtype!r}, the input {x.dtype!r}", hint="convert q: q.to(x.dtype)")
    level = q if is_tensor(q) else constant(float(q), x.dtype)
    if level.ndim > 1:
        raise ShapeError(
            f"{name}: q of shape {tuple(level.shape)}", hint="q is a number or has one dimension"
        )
    levels = known(level)
    if levels is not None and not bool(((levels >= 0) & (levels <= 1)).all()):
        raise UsageError(f"{name}: q={levels.tolist()} leaves [0, 1]", hint="q=0.5 is the median")
    # The dimension goes to the end; the results for each q are put in front.
    moved = ravel(x) if dim is None else x
    row, d = along(name, moved, 0 if dim is None else dim)
    rows = sort(movedim(row, d, row.ndim - 1)).values
    found = _between(rows, reshape(level, (-1,)), interpolation, skip)
    if keepdim:
        kept = (1,) * x.ndim if dim is None else tuple(1 if i == d else n for i, n in enumerate(x.shape))
    else:
        kept = () if dim is None or not x.ndim else tuple(n for i, n in enumerate(x.shape) if i != d)
    return reshape(movedim(found, found.ndim - 1, 0), (*level.shape, *kept))


def _between(rows: Any, level: Any, interpolation: str, skip: bool) -> Any:
    """Values at the ranks level·(n - 1) of sorted rows, one for each level."""
    n = rows.shape[-1]
    nan = e.isnan(rows.detach())
    if skip:
        last = cast(e.clamp(e.sub(sum(e.logical_not(nan), -1, True), 1), min=0), rows.dtype)
        rank = e.mul(level, last)
    else:
        lead = (*rows.shape[:-1], level.shape[0])
        rank = e.where(any(nan, -1, True), float(n - 1), expand(e.mul(level, float(n - 1)), lead))  # NaN wins
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": e.floor, "higher": e.ceil, "nearest": e.round}[interpolation](rank)
        return bind(Gather, rows, cast(rank, int64), dim=rows.ndim - 1)
    below = e.floor(rank)
    weight = (
        e.sub(rank, below) if interpolation == "linear" else expand(constant(0.5, rank.dtype), rank.shape)
    )
    low, high = (bind(Gather, rows, cast(r, int64), dim=rows.ndim - 1) for r in (below, e.ceil(rank)))
    return e.lerp(low, high, weight)


def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The value below which a share ``q`` lies along ``dim`` (default: all), at rank q·(n - 1); NaN wins.

    Between two ranks: "linear", "lower", "higher", "midpoint" or "nearest".  Several q come first in the result's shape.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """`quantile` of what is not NaN; NaN where nothing is left"""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


# -- correlation ------------------------------------------------------------------------------------------------------
def _weights(name: str, given: Any, n: int, floating: bool) -> Any:
    w = require_tensor("cov", given)
    if w.ndim > 1 or size(w.shape) != n:
        raise ShapeError(
            f"cov: {name} of shape {tuple(w.shape)}", hint=f"one for each of the {n} observations"
        )
    if w.dtype.is_floating_point is not floating or w.dtype.category == 0:
        raise DTypeError(
            f"cov: {name} holds {w.dtype!r}", hint="fweights are whole numbers, aweights floating ones"
        )
    values = known(w)
    if values is not None and (values < 0).any():
        raise UsageError(f"cov: {name} are negative", hint="a weight says how much an observation counts")
    return w


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables (rows) over observations (columns): Σ_k (x_ik - x̄_i)(x_jk - x̄_j) / (n - correction).

    ``fweights``: how often each observation was made; ``aweights``: how much it counts.
    """
    if require_numbers("cov", input).ndim > 2:
        raise ShapeError(f"cov of shape {tuple(input.shape)}", hint="use (variables, observations)")
    x = reshape(input, (1, size(input.shape))) if input.ndim < 2 else input
    n = x.shape[1]
    frequency = None if fweights is None else reshape(_weights("fweights", fweights, n, False), (n,))
    importance = None if aweights is None else reshape(_weights("aweights", aweights, n, True), (n,))
    w = importance if frequency is None else frequency if importance is None else e.mul(frequency, importance)
    if w is None:
        total: Any = float(n)
        free: Any = float(builtins.max(n - correction, 0))
    else:
        total = sum(w)
        value = known(total)
        if value is not None and value == 0:
            raise UsageError("cov: the weights sum to zero", hint="at least one observation must count")
        lost = (
            correction if importance is None or correction == 0 else correction * sum(w * importance) / total
        )
        free = e.clamp(e.sub(total, lost), min=0)
    average = e.div(sum(x if w is None else e.mul(x, w), 1, True), total)
    gap = e.sub(x, average)
    from .linalg import matmul
    from .shape import t

    other = gap if w is None else e.mul(gap, cast(w, gap.dtype))
    out = e.div(matmul(gap, t(other)), free)
    return squeeze(out, None)


def corrcoef(input: Any) -> Any:
    """Pearson's correlations of variables (rows) over observations (columns), limited to [-1, 1]"""
    if require_numbers("corrcoef", input).ndim > 2:
        raise ShapeError(f"corrcoef of shape {tuple(input.shape)}", hint="use (variables, observations)")
    c = cov(input)
    if c.ndim == 0:
        return e.div(c, c)
    from .diagonal import diagonal

    spread = e.sqrt(diagonal(c))
    return e.clamp(e.div(e.div(c, unsqueeze(spread, 1)), unsqueeze(spread, 0)), -1, 1)
