"""Functions that fold dimensions into one number each, or normalise along one, with PyTorch's names."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import DTypeError, GradError, ShapeError, UsageError
from ..op import bind, context
from ..ops import reduce as ops
from ..ops.index import Gather
from ..types import bool_, dtype_of, int64, normalize_dim, normalize_dims, size, uint8
from . import elementwise as e
from ._arguments import cast, floating, is_tensor, require_tensor, shape_of
from .return_types import ValuesIndices, shown
from .shape import reshape, squeeze, unsqueeze

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "log_softmax",
    "logsumexp", "max", "mean", "min", "nanmean", "nansum", "prod", "softmax", "sum",
]  # fmt: skip

Dim = int | Sequence[int] | None


@shown("aminmax")
class MinMax(NamedTuple):
    """A pair of the smallest and the largest value."""

    min: Any
    max: Any


# -- arguments, for all functions that act along dimensions -----------------------------------------------------------
def one_dim(name: str, dim: Any, ndim: int) -> int:
    """A single dimension, counted from the front."""
    try:
        return normalize_dim(operator.index(dim), ndim)
    except TypeError:
        raise UsageError(
            f"{name} takes one dimension, a whole number; got dim={dim!r}", hint=f"{name}(x, dim=0)"
        ) from None


def all_dims(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions as a sorted tuple; None and () mean all of them, as in PyTorch."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    try:
        dims = (
            (operator.index(dim),) if not isinstance(dim, tuple | list) else tuple(map(operator.index, dim))
        )
    except TypeError:
        raise UsageError(
            f"{name} takes whole numbers as dimensions; got dim={dim!r}", hint=f"{name}(x, dim=(0, 1))"
        ) from None
    return normalize_dims(dims, ndim)


def along(name: str, input: Any, dim: Any) -> tuple[Any, int]:
    """The tensor with at least one dimension, and the dimension to act along."""
    d = one_dim(name, dim, require_tensor(name, input).ndim)
    return (input if input.ndim else reshape(input, (1,))), d


def chosen(input: Any, row: Any, dim: int, index: Any, keepdim: bool) -> ValuesIndices:
    """The entries of ``row`` (see `along`) at ``index``, which has size 1 along ``dim``: the gradient goes to them."""
    values = bind(Gather, row, index, dim=dim)
    if input.ndim and keepdim:
        return ValuesIndices(values, index)
    return ValuesIndices(squeeze(values, dim), squeeze(index, dim))


def known(x: Any) -> np.ndarray[Any, Any] | None:
    """The values of a tensor that is computed already; None while a function is traced or vectorised."""
    value = getattr(x, "_value", None)
    return value if isinstance(value, np.ndarray) else None


def require_floats(name: str, input: Any) -> Any:
    """A floating tensor, or an error."""
    if not require_tensor(name, input).dtype.is_floating_point:
        raise DTypeError(
            f"{name} needs a floating tensor, not {input.dtype!r}", hint=f"convert it: {name}(x.float())"
        )
    return input


def require_numbers(name: str, input: Any) -> Any:
    """A tensor of anything but bools, or an error."""
    if require_tensor(name, input).dtype is bool_:
        raise DTypeError(f"{name} takes numbers, not bools", hint=f"convert it: {name}(x.int())")
    return input


def require_elements(name: str, x: Any, dim: int) -> None:
    """An error if there is nothing along ``dim``."""
    if x.shape[dim] == 0:
        raise ShapeError(
            f"{name} over no elements: shape {tuple(x.shape)}, dim={dim}",
            hint="check that the tensor is not empty",
        )


def counted(name: str, input: Any, dtype: Any) -> Any:
    """In ``dtype`` if there is one; else bools and integers become int64."""
    x = require_tensor(name, input)
    if dtype is not None:
        keeps_gradient(name, x, dtype)
        return cast(x, dtype_of(dtype))
    return x if x.dtype.is_floating_point else cast(x, int64)


def keeps_gradient(name: str, x: Any, dtype: Any) -> None:
    """An error if the gradient that ``x`` wants would end in whole numbers."""
    if x.requires_grad and context.grad_enabled and not dtype_of(dtype).is_floating_point:
        raise GradError(
            f"{name} of a tensor that requires a gradient, with dtype={dtype_of(dtype)!r}: whole numbers have none",
            hint=f"x.detach().{name}(dtype=...) if no gradient is wanted",
        )


def count(x: Any, dims: tuple[int, ...]) -> int:
    """The number of elements that are folded into one."""
    return size(tuple(x.shape[d] for d in dims))


# -- sums -------------------------------------------------------------------------------------------------------------
def sum(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input over ``dim`` (default: all)"""
    if dtype is not None and dtype_of(dtype) is bool_:
        keeps_gradient("sum", input, dtype)
        return cast(any(input, all_dims("sum", dim, input.ndim), keepdim), bool_)
    x = counted("sum", input, dtype)
    return bind(ops.Sum, x, dim=all_dims("sum", dim, x.ndim), keepdim=keepdim)


def sum_to_size(input: Any, *size: Any) -> Any:
    """The sum over what broadcasting would have repeated: a tensor of shape ``size`` that broadcasts to that of ``input``"""
    want = shape_of(size)
    extra = input.ndim - len(want)
    if extra < 0 or not builtins.all(n in (1, m) for n, m in zip(want, input.shape[extra:], strict=True)):
        raise ShapeError(
            f"sum_to_size: {want} does not broadcast to {tuple(input.shape)}",
            hint="each size must be 1 or that of the tensor, counted from the last",
        )
    dims = (*range(extra), *(extra + i for i, n in enumerate(want) if n == 1 and input.shape[extra + i] != 1))
    if not want:
        return sum(input)
    return sum(input, dims, keepdim=True).reshape(want) if dims else input


def nansum(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input over ``dim`` (default: all), where NaN counts as 0"""
    x = require_tensor("nansum", input)
    return sum(e.where(e.isnan(x), 0, x) if x.dtype.is_floating_point else x, dim, keepdim, dtype=dtype)


def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Π input over ``dim`` (default: all); the gradient is exact at zeros"""
    x = require_tensor("prod", input)
    dims = all_dims("prod", None, x.ndim) if dim is None else (one_dim("prod", dim, x.ndim),)[: x.ndim]
    if dtype is not None and dtype_of(dtype) is bool_:
        keeps_gradient("prod", x, dtype)
        return cast(all(x, dims, keepdim), bool_)
    return bind(ops.Prod, counted("prod", x, dtype), dim=dims, keepdim=keepdim)


def _averaged(name: str, input: Any, dtype: Any) -> Any:
    x = require_tensor(name, input) if dtype is None else cast(require_tensor(name, input), dtype_of(dtype))
    return require_floats(name, x)


def mean(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ input / n over ``dim`` (default: all); NaN over nothing"""
    x = _averaged("mean", input, dtype)
    dims = all_dims("mean", dim, x.ndim)
    return e.div(bind(ops.Sum, x, dim=dims, keepdim=keepdim), float(count(x, dims)))


def nanmean(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim`` (default: all) of what is not NaN; NaN where nothing is left"""
    x = _averaged("nanmean", require_floats("nanmean", input), dtype)
    left = sum(e.logical_not(e.isnan(x)), dim, keepdim)
    return e.div(nansum(x, dim, keepdim), cast(left, x.dtype))


def count_nonzero(input: Any, dim: Dim = None) -> Any:
    """How many elements are not zero"""
    return sum(cast(require_tensor("count_nonzero", input), bool_), dim)


# -- yes or no --------------------------------------------------------------------------------------------------------
def any(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Is at least one element not zero?  (bool, but uint8 for uint8, as in PyTorch)"""
    x = require_tensor("any", input)
    dims = () if dim is not None and dim in ((), []) else all_dims("any", dim, x.ndim)
    found = e.gt(bind(ops.Sum, cast(cast(x, bool_), int64), dim=dims, keepdim=keepdim), 0)
    return cast(found, uint8) if x.dtype is uint8 else found


def all(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Are all elements not zero?  (bool, but uint8 for uint8, as in PyTorch)"""
    x = require_tensor("all", input)
    found = e.logical_not(any(e.logical_not(x), dim, keepdim))
    return cast(found, uint8) if x.dtype is uint8 else found


# -- extremes ---------------------------------------------------------------------------------------------------------
def amax(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """The largest value over ``dim``; equal ones share the gradient evenly"""
    x = require_tensor("amax", input)
    return bind(ops.Amax, x, dim=all_dims("amax", dim, x.ndim), keepdim=keepdim)[0]


def amin(input: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """The smallest value over ``dim``; equal ones share the gradient evenly"""
    x = require_tensor("amin", input)
    return bind(ops.Amin, x, dim=all_dims("amin", dim, x.ndim), keepdim=keepdim)[0]


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest value; equal ones share the gradient evenly"""
    dims = None if dim is None else one_dim("aminmax", dim, require_tensor("aminmax", input).ndim)
    return MinMax(amin(input, dims, keepdim), amax(input, dims, keepdim))


def _extreme(
    name: str, op: Any, whole: Any, between: Any, input: Any, dim: Any, keepdim: bool, other: Any
) -> Any:
    require_tensor(name, input)
    if other is not None or is_tensor(dim):
        return between(input, require_tensor(name, dim if other is None else other))
    if dim is None:
        return whole(input)
    row, d = along(name, input, dim)
    return chosen(input, row, d, unsqueeze(bind(op, row, dim=d), d), keepdim)


def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest value; with ``dim`` a pair (values, indices); with another tensor, the elementwise maximum.

    The gradient of the first form is shared evenly by equal values, that of the second goes to the first of them.
    """
    return _extreme("max", ops.Argmax, amax, e.maximum, input, dim, keepdim, other)


def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest value; with ``dim`` a pair (values, indices); with another tensor, the elementwise minimum.

    The gradient of the first form is shared evenly by equal values, that of the second goes to the first of them.
    """
    return _extreme("min", ops.Argmin, amin, e.minimum, input, dim, keepdim, other)


def _position(name: str, op: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    x = require_numbers(name, input)
    if dim is None:
        flat = bind(op, reshape(x, (size(x.shape),)), dim=0)
        return reshape(flat, (1,) * x.ndim) if keepdim else flat
    row, d = along(name, x, dim)
    out = bind(op, row, dim=d)
    return unsqueeze(out, d) if keepdim and x.ndim else out


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the largest value (the first, where several are equal)"""
    return _position("argmax", ops.Argmax, input, dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the smallest value (the first, where several are equal)"""
    return _position("argmin", ops.Argmin, input, dim, keepdim)


# -- exponentials -----------------------------------------------------------------------------------------------------
def logsumexp(input: Any, dim: Dim, keepdim: bool = False) -> Any:
    """ln Σ e^input over ``dim``, without overflow"""
    x = floating(require_tensor("logsumexp", input))
    dims = all_dims("logsumexp", dim, x.ndim)
    if count(x, dims) == 0:
        return e.log(sum(e.exp(x), dims, keepdim))  # the sum of nothing is 0, and there is no largest term
    top = amax(x, dims, True).detach()
    top = e.where(e.isfinite(top), top, 0.0)  # a row of only -inf (or with +inf) keeps its own value
    out = e.add(e.log(sum(e.exp(e.sub(x, top)), dims, True)), top)
    return out if keepdim else squeeze(out, dims)


def _exponents(name: str, input: Any, dtype: Any) -> Any:
    x = require_tensor(name, input)
    if dtype is None and not x.dtype.is_floating_point:
        raise DTypeError(
            f"{name} needs a floating tensor, not {x.dtype!r}",
            hint=f"{name}(x, dim, dtype=retrograd.float32) converts it first",
        )
    return require_floats(name, x if dtype is None else cast(x, dtype_of(dtype)))


def _normalized(name: str, op: Any, x: Any, dim: int) -> Any:
    row, d = along(name, x, dim)
    out = bind(op, row, dim=d)
    return out if x.ndim else reshape(out, ())


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """e^input / Σ e^input along ``dim``"""
    x = _exponents("softmax", input, dtype)
    return _normalized("softmax", ops.Softmax, x, dim)


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """input - ln Σ e^input along ``dim``"""
    x = _exponents("log_softmax", input, dtype)
    return _normalized("log_softmax", ops.LogSoftmax, x, dim)
