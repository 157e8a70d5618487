"""Functions that count values into bins, with PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import DTypeError, ShapeError, TraceError, UsageError
from ..op import bind, constant
from ..ops.index import IndexAdd
from ..types import float64, int64, size
from . import elementwise as e
from ._arguments import cast, is_tensor, require_tensor
from .ranges import linspace
from .reduce import known, require_floats, sum
from .return_types import shown
from .scan import diff
from .shape import ravel, reshape
from .sort import searchsorted

__all__ = ["bincount", "histc", "histogram", "histogramdd"]


@shown("histogram")
class Histogram(NamedTuple):
    """Counts, and the edges of the bins."""

    hist: Any
    bin_edges: Any


def _no_values(name: str) -> TraceError:
    return TraceError(
        f"{name} cannot be traced or vectorised: it looks at the values",
        hint=f"call {name} outside the function and pass its result in",
    )


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the numbers 0, 1, 2, ... occurs, or the sum of its weights.

    The length is the largest number plus one, at least ``minlength``; it depends on the values, so it cannot be traced.
    """
    x = require_tensor("bincount", input)
    if x.dtype.category != 1:
        raise DTypeError(f"bincount needs whole numbers, not {x.dtype!r}", hint="convert them: x.long()")
    if minlength < 0:
        raise UsageError(f"bincount with minlength={minlength}", hint="minlength must not be negative")
    if x.ndim != 1:
        raise ShapeError(f"bincount of shape {tuple(x.shape)}", hint="flatten it: bincount(x.ravel())")
    values = known(x)
    if values is None:
        raise _no_values("bincount")
    if values.size and values.min() < 0:
        raise UsageError(f"bincount of {int(values.min())}", hint="numbers must not be negative")
    n = max(minlength, (int(values.max()) + 1 if values.size else 0))
    if weights is None or not values.size:
        each = constant(np.ones(x.shape, np.int64), int64)
    elif tuple(require_tensor("bincount", weights).shape) != tuple(x.shape):
        raise ShapeError(
            f"bincount: weights of shape {tuple(weights.shape)} for {x.shape[0]} numbers", hint="one for each"
        )
    else:
        each = weights if weights.dtype.is_floating_point else cast(weights, float64)
    return bind(IndexAdd, each, cast(x, int64), shape=(n,))


def _range(name: str, x: Any, low: float, high: float, margin: float) -> tuple[float, float]:
    """The ends of the bins: as given, or where both are the same, those of the values."""
    if low == high and size(x.shape):
        values = known(x)
        if values is None:
            raise _no_values(f"{name} without a range")
        low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"{name}: the range [{low}, {high}] is not finite", hint="give min and max")
    if low > high:
        raise UsageError(f"{name}: min={low} exceeds max={high}", hint="exchange them")
    return (low - margin, high + margin) if low == high else (low, high)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many values fall into each of ``bins`` equal bins from min to max (both 0: the range of the values).

    What lies outside, and NaN, is not counted; the last bin includes its upper end.
    """
    x = ravel(require_floats("histc", input).detach())
    if bins <= 0:
        raise UsageError(f"histc with {bins} bins", hint="use at least one")
    low, high = _range("histc", x, min, max, 1.0)
    inside = e.logical_and(e.ge(x, low), e.le(x, high))
    place = e.mul(e.div(e.sub(e.where(inside, x, low), low), high - low), float(bins))
    place = e.clamp(cast(place, int64), max=bins - 1)
    return bind(IndexAdd, cast(inside, x.dtype), place, shape=(bins,))


def histogramdd(
    input: Any, bins: Any, range: Sequence[float] | None = None, weight: Any = None, density: bool = False
) -> tuple[Any, tuple[Any, ...]]:
    """Counts of points (the last dimension of ``input``) in a grid of bins, and the edges along each dimension.

    ``bins``: how many along each dimension, or tensors of ascending edges.  ``density``: the integral is 1.
    """
    if require_floats("histogramdd", input).ndim < 2:
        raise ShapeError(f"histogramdd of shape {tuple(input.shape)}", hint="use (points, dimensions)")
    return _histogram("histogramdd", input.detach(), bins, range, weight, density)


def histogram(
    input: Any,
    bins: Any = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Any = None,
    density: bool = False,
) -> Histogram:
    """Counts of values in bins, and the edges of the bins; the last bin includes its upper end.

    ``bins``: how many equal ones over ``range`` (default: that of the values), or a tensor of ascending edges.
    ``weight``: what each value counts.  ``density``: the integral over all bins is 1.
    """
    x = require_floats("histogram", input).detach()
    points = reshape(x, (size(x.shape), 1))
    hist, edges = _histogram("histogram", points, [bins], range, weight, density)
    return Histogram(hist, edges[0])


def _histogram(
    name: str, x: Any, bins: Any, range: Any, weight: Any, density: bool
) -> tuple[Any, tuple[Any, ...]]:
    d = x.shape[-1]
    bins = [bins] * d if isinstance(bins, int) else list(bins)
    if len(bins) != d:
        raise ShapeError(f"{name}: {len(bins)} bins for {d} dimensions", hint="one entry for each dimension")
    if range is not None and len(range) != 2 * d:
        raise UsageError(f"{name}: a range of {len(range)} numbers", hint=f"give {2 * d}: low, high for each")
    n = math.prod(x.shape[:-1])
    points = reshape(x, (n, d))
    edges, places, inside = [], [], None
    for k, given in enumerate(bins):
        column = reshape(points[:, k], (n,))
        edge = _edges(name, column, given, None if range is None else range[2 * k : 2 * k + 2])
        last = edge.shape[0] - 1
        within = e.logical_and(e.ge(column, edge[0]), e.le(column, edge[last]))
        place = e.sub(searchsorted(edge, column, right=True), 1)
        places.append(e.clamp(place, 0, last - 1))  # the upper end belongs to the last bin
        edges.append(edge)
        inside = within if inside is None else e.logical_and(inside, within)
    if weight is None:
        each = cast(inside, x.dtype)
    else:
        if tuple(require_tensor(name, weight).shape) != tuple(x.shape[:-1]) and size(weight.shape) != n:
            raise ShapeError(f"{name}: weight of shape {tuple(weight.shape)}", hint="one for each value")
        each = e.where(inside, cast(reshape(weight.detach(), (n,)), x.dtype), 0.0)
    hist = bind(IndexAdd, each, *places, shape=tuple(edge.shape[0] - 1 for edge in edges))
    if density:
        hist = e.div(hist, sum(hist))
        for k, edge in enumerate(edges):
            hist = e.div(hist, reshape(diff(edge), (-1, *(1,) * (d - k - 1))))
    return hist, tuple(edges)


def _edges(name: str, column: Any, given: Any, ends: Any) -> Any:
    if is_tensor(given):
        if given.ndim != 1 or given.shape[0] < 2 or given.dtype is not column.dtype:
            raise ShapeError(
                f"{name}: edges {given.dtype!r}{list(given.shape)} for values of {column.dtype!r}",
                hint="at least two ascending edges of the same dtype",
            )
        return given
    if not isinstance(given, int) or given < 1:
        raise UsageError(
            f"{name} with bins={given!r}", hint="a positive number of bins, or a tensor of edges"
        )
    low, high = (0.0, 0.0) if ends is None else map(float, ends)
    if ends is None and size(column.shape) == 0:
        low, high = 0.0, 1.0
    low, high = _range(name, column, low, high, 0.5) if ends is None or low >= high else (low, high)
    return linspace(low, high, given + 1, dtype=column.dtype)
