"""Lengths and distances, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind
from ..ops.decomposition import Svd
from ..types import DType, dtype_of
from . import elementwise as e
from ._arguments import cast, require_tensor
from .reduce import Dim, all_dims, amax, amin, one_dim, require_floats, sum
from .shape import movedim, reshape

__all__ = ["dist", "norm", "renorm"]


def _widened(name: str, x: Any, dtype: Any) -> Any:
    wanted: DType = dtype_of(dtype) if dtype is not None else x.dtype
    if not wanted.is_floating_point or wanted.rank < x.dtype.rank:
        raise DTypeError(
            f"{name} of {x.dtype!r} in {wanted!r}", hint="dtype must be floating and hold the input's values"
        )
    return cast(x, wanted)


def vector_norm(
    input: Any, ord: Any = 2, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """(Σ |x|^ord)^(1/ord) over ``dim`` (default: all); ord may be 0 (how many are not 0), inf, -inf or negative.

    At 0 the gradient is 0, as in PyTorch; equal extremes share the gradient of ±inf evenly.
    """
    x = _widened("vector_norm", require_floats("vector_norm", input), dtype)
    if isinstance(ord, str) or not isinstance(ord, int | float):
        raise UsageError(f"vector_norm with ord={ord!r}", hint="ord must be a number, such as 2 or math.inf")
    p = float(ord)
    dims = all_dims("vector_norm", dim, x.ndim)
    if (p < 0 or p == math.inf) and 0 in (x.shape[d] for d in dims):
        raise ShapeError(
            f"norm of order {ord} over no elements: shape {tuple(x.shape)}, dim={dim}",
            hint="check that the tensor is not empty, or use an order from 0 on",
        )
    if math.isinf(p):
        return (amax if p > 0 else amin)(e.abs(x), dims, keepdim)
    if p == 0:  # the sign has a derivative, and it is 0
        return sum(e.where(e.ne(x, 0), 1.0, e.sign(x)), dims, keepdim)
    if p == 1:
        return sum(e.abs(x), dims, keepdim)
    if p == 2:
        total = sum(e.mul(x, x), dims, keepdim)
    elif p > 2:
        total = sum(e.pow(e.abs(x), p), dims, keepdim)
    else:  # the slope of |x|^p at 0 is infinite: what is 0 stays out
        zero = e.eq(x, 0)
        power = e.pow(e.where(zero, 1.0, e.abs(x)), p)
        total = sum(e.where(zero, 0.0 if p > 0 else math.inf, power), dims, keepdim)
    nothing = e.eq(total, 0)  # the slope of the root at 0 is infinite; 0 is a subgradient
    safe = e.where(nothing, 1.0, total)
    return e.where(nothing, 0.0, e.sqrt(safe) if p == 2 else e.pow(safe, 1.0 / p))


def norm(input: Any, p: Any = "fro", dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |input|^p)^(1/p) over ``dim`` (default: all); p may be inf, -inf, "fro" (2) or "nuc" (of matrices)"""
    require_tensor("norm", input)
    if p is None or (p == "fro" and (dim is None or isinstance(dim, int) or len(dim) <= 2)):
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if isinstance(p, str):
        return _nuclear(input, p, dim, keepdim, dtype)
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


def _nuclear(input: Any, p: str, dim: Dim, keepdim: bool, dtype: Any) -> Any:
    """The sum of the singular values of matrices."""
    dims = all_dims("norm", dim, input.ndim)
    if p != "nuc" or len(dims) != 2:
        raise UsageError(
            f"norm with p={p!r} over dim={dim}", hint='p is a number, "fro", or with two dimensions "nuc"'
        )
    x = _widened("norm", require_floats("norm", input), dtype)
    values = bind(Svd, movedim(x, dims, (-2, -1)), full=False)[1]
    total = sum(values, -1)
    return reshape(total, tuple(1 if i in dims else n for i, n in enumerate(x.shape))) if keepdim else total


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of input - other"""
    require_tensor("dist", other)
    return vector_norm(e.sub(require_tensor("dist", input), other), p)


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Each slice along ``dim`` whose p-norm exceeds ``maxnorm`` is shortened to it"""
    if require_floats("renorm", input).ndim < 2:
        raise ShapeError(
            f"renorm of a tensor of shape {tuple(input.shape)}", hint="use at least 2 dimensions"
        )
    if p <= 0 or maxnorm < 0:
        raise UsageError(
            f"renorm with p={p}, maxnorm={maxnorm}", hint="p must be positive and maxnorm not negative"
        )
    d = one_dim("renorm", dim, input.ndim)
    length = vector_norm(input, p, tuple(i for i in range(input.ndim) if i != d), True)
    factor = e.where(e.gt(length, maxnorm), e.div(maxnorm, e.add(length, 1e-7)), 1.0)
    return e.mul(input, factor)
