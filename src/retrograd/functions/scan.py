"""Functions that run along one dimension: running sums and extremes, differences, areas and slopes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind
from ..ops import scan as ops
from ..ops._family import fill
from ..types import TensorType, bool_, uint8
from . import elementwise as e
from ._arguments import floating, is_tensor, require_tensor
from .reduce import along, chosen, counted, one_dim, require_floats, sum
from .return_types import ValuesIndices
from .shape import cat, narrow, reshape

__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "gradient", "logcumsumexp",
    "trapezoid", "trapz",
]  # fmt: skip


def _back(input: Any, out: Any) -> Any:
    """A result along a dimension, in the shape of the input (which may have had none)."""
    return out if input.ndim else reshape(out, ())


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """y_i = Σ_{j≤i} input_j along ``dim``; bools and integers are summed in int64"""
    x = counted("cumsum", input, dtype)
    row, d = along("cumsum", x, dim)
    return _back(x, bind(ops.Cumsum, row, dim=d))


def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """y_i = Π_{j≤i} input_j along ``dim``; bools and integers are multiplied in int64.  The gradient is exact at zeros"""
    x = counted("cumprod", input, dtype)
    row, d = along("cumprod", x, dim)
    first = narrow(row, d, 0, builtins.min(1, row.shape[d]))
    rest = fill(TensorType((*row.shape[:d], row.shape[d] - first.shape[d], *row.shape[d + 1 :]), row.dtype))
    return _back(x, bind(ops.Recurrence, row, cat([first, rest], d), dim=d, reverse=False))


def _running(name: str, input: Any, dim: int, largest: bool) -> ValuesIndices:
    row, d = along(name, input, dim)
    return chosen(input, row, d, bind(ops.RunningArg, row, dim=d, largest=largest), True)


def cummax(input: Any, dim: int) -> ValuesIndices:
    """The largest value so far along ``dim``, and where it stands (the last of equal ones, which gets the gradient)"""
    return _running("cummax", input, dim, True)


def cummin(input: Any, dim: int) -> ValuesIndices:
    """The smallest value so far along ``dim``, and where it stands (the last of equal ones, which gets the gradient)"""
    return _running("cummin", input, dim, False)


def logcumsumexp(input: Any, dim: int) -> Any:
    """y_i = ln Σ_{j≤i} e^input_j along ``dim``, without overflow"""
    x = require_floats("logcumsumexp", input)
    row, d = along("logcumsumexp", x, dim)
    n = row.shape[d]
    if 0 in row.shape:
        return e.mul(x, 1)
    # Everything is measured from the largest term so far, m: s_i = s_{i-1}·e^(m_{i-1} - m_i) + e^(x_i - m_i).
    top = cummax(row, d).values.detach()
    top = e.where(e.isfinite(top), top, 0.0)
    before = cat([narrow(top, d, 0, 1), narrow(top, d, 0, n - 1)], d)
    # A sum that was empty so far (only -inf) stays so, whatever it was measured from.
    shrink = e.exp(e.clamp(e.sub(before, top), max=0.0))
    total = bind(ops.Recurrence, shrink, e.exp(e.sub(row, top)), dim=d, reverse=False)
    return _back(x, e.add(e.log(total), top))


# -- differences ------------------------------------------------------------------------------------------------------
def _steps(x: Any, d: int) -> tuple[Any, Any]:
    """All but the first, and all but the last along a dimension."""
    n = builtins.max(x.shape[d] - 1, 0)
    return narrow(x, d, builtins.min(1, x.shape[d]), n), narrow(x, d, 0, n)


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th differences x_{i+1} - x_i along ``dim``; of bools, whether they differ"""
    if require_tensor("diff", input).ndim == 0:
        raise ShapeError("diff of a single number", hint="pass a tensor with at least one dimension")
    if n < 0:
        raise UsageError(f"diff of order n={n}", hint="n must not be negative: diff(x, n=1)")
    d = one_dim("diff", dim, input.ndim)
    parts = [p for p in (prepend, input, append) if p is not None]
    for part in parts:
        if require_tensor("diff", part).ndim != input.ndim:
            raise ShapeError(
                f"diff: prepend or append has {part.ndim} dimension(s), the input {input.ndim}",
                hint="give it as many dimensions: prepend.unsqueeze(dim)",
            )
    out = cat(parts, d) if len(parts) > 1 and n else input
    for _ in range(builtins.min(n, out.shape[d])):
        later, earlier = _steps(out, d)
        out = e.ne(later, earlier) if out.dtype is bool_ else e.sub(later, earlier)
    return out if n else out.clone()


def _areas(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int, Any, Any]:
    """The tensor, its dimension, neighbours added up, and the widths between them."""
    for given in (y, x):
        if given is not None and require_tensor(name, given).dtype is bool_:
            raise DTypeError(f"{name} takes numbers, not bools", hint="convert them: y.float()")
    if y.ndim == 0:
        raise ShapeError(f"{name} of a single number", hint="pass a tensor with at least one dimension")
    d = one_dim(name, dim, y.ndim)
    if x is None:
        return y, d, e.add(*_steps(y, d)), dx
    if dx is not None:
        raise UsageError(
            f"{name} got both x and dx", hint=f"pass the points, {name}(y, x), or their distance dx"
        )
    if x.ndim == 1 and x.shape[0] != y.shape[d]:
        raise ShapeError(
            f"{name}: {x.shape[0]} points for values of shape {tuple(y.shape)}, dim={dim}",
            hint="there must be one x for each value along dim",
        )
    after = y.ndim - d - 1 if x.ndim == 1 else 0  # further dimensions are aligned at the right
    x = reshape(x, ((1,) * (y.ndim - x.ndim - after) + tuple(x.shape) + (1,) * after))
    widths = e.sub(*_steps(x, d))
    return y, d, e.add(*_steps(y, d)), widths


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The area under ``y`` along ``dim`` by the trapezoidal rule: Σ (x_{i+1} - x_i)(y_i + y_{i+1}) / 2"""
    _, d, pairs, widths = _areas("trapezoid", y, x, dx, dim)
    if y.shape[d] == 0:
        return fill(TensorType((*y.shape[:d], *y.shape[d + 1 :]), y.dtype))
    if widths is not None:
        pairs = e.mul(pairs, widths)
    return e.div(sum(pairs, d), 2)


trapz = trapezoid


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The area under ``y`` so far along ``dim``, by the trapezoidal rule"""
    _, d, pairs, widths = _areas("cumulative_trapezoid", y, x, dx, dim)
    if widths is not None:
        pairs = e.mul(pairs, widths)
    return e.div(cumsum(pairs, d), 2)


# -- slopes -----------------------------------------------------------------------------------------------------------
def _slopes_evenly(x: Any, d: int, step: Any, edge_order: int) -> Any:
    n = x.shape[d]

    def at(i: int) -> Any:
        return narrow(x, d, i % n, 1)

    middle = e.mul(e.sub(narrow(x, d, 2, n - 2), narrow(x, d, 0, n - 2)), 0.5)
    if edge_order == 1:
        first, last = e.sub(at(1), at(0)), e.sub(at(-1), at(-2))
    else:
        first = e.sub(e.sub(e.mul(at(1), 2), e.mul(at(0), 1.5)), e.mul(at(2), 0.5))
        last = e.add(e.sub(e.mul(at(-1), 1.5), e.mul(at(-2), 2)), e.mul(at(-3), 0.5))
    return e.div(cat([first, middle, last], d), step)


def _slopes(x: Any, d: int, points: Any, edge_order: int) -> Any:
    """Slopes of the parabola through three neighbouring points (of the line through two, at ends of order 1)."""
    n = x.shape[d]
    width = reshape(e.sub(*_steps(points, 0)), (n - 1, *(1,) * (x.ndim - d - 1)))
    rise = e.div(e.sub(*_steps(x, d)), width)  # slopes of the lines
    if edge_order == 1 and n == 2:
        return cat([rise, rise], d)
    (right, left), (w2, w1) = _steps(rise, d), _steps(width, 0)
    middle = e.div(e.add(e.mul(left, w2), e.mul(right, w1)), e.add(w1, w2))
    ends = []
    for i, j in ((0, 1), (n - 2, n - 3)):
        near = narrow(rise, d, i, 1)
        if edge_order == 2:
            a, b = narrow(width, 0, i, 1), narrow(width, 0, j, 1)
            far = narrow(rise, d, j, 1)
            near = e.add(near, e.div(e.mul(e.sub(near, far), a), e.add(a, b)))
        ends.append(near)
    return cat([ends[0], middle, ends[1]], d)


def gradient(
    input: Any, *, spacing: Any = 1, dim: int | Sequence[int] | None = None, edge_order: int = 1
) -> tuple[Any, ...]:
    """The slopes of a sampled function along each of ``dim`` (default: all), one tensor each.

    Central differences of second order; ``edge_order`` 1 or 2 at the ends.  ``spacing`` is a number, one number for each
    dimension, or one tensor of coordinates for each.
    """
    if require_tensor("gradient", input).dtype in (uint8, bool_):
        raise DTypeError(f"gradient takes signed numbers, not {input.dtype!r}", hint="convert it: x.float()")
    if edge_order not in (1, 2):
        raise UsageError(f"gradient with edge_order={edge_order!r}", hint="use edge_order=1 or edge_order=2")
    if dim is None:
        dims = list(range(input.ndim))
    else:
        dims = [
            one_dim("gradient", k, input.ndim) for k in (dim if isinstance(dim, tuple | list) else (dim,))
        ]
    if len(set(dims)) != len(dims):
        raise ShapeError(f"gradient: a dimension appears twice in dim={dim}", hint="name each dimension once")
    if is_tensor(spacing) and spacing.ndim:
        raise UsageError("gradient takes coordinates in a list", hint="gradient(x, spacing=(coordinates,))")
    spacing = 1 if spacing is None else spacing
    listed = list(spacing) if isinstance(spacing, tuple | list) else [spacing] * len(dims)
    if len(listed) != len(dims):
        raise UsageError(
            f"gradient got {len(listed)} spacings for {len(dims)} dimensions",
            hint="pass one number, or one entry for each dimension",
        )
    out = []
    for d, step in zip(dims, listed, strict=True):
        if input.ndim == 0 or input.shape[d] < edge_order + 1:
            raise ShapeError(
                f"gradient of a tensor of shape {tuple(input.shape)} along dim={d}",
                hint=f"each dimension must have at least {edge_order + 1} entries",
            )
        x = floating(input)
        if not is_tensor(step) or step.ndim == 0:
            out.append(_slopes_evenly(x, d, step, edge_order))
            continue
        if tuple(step.shape) != (input.shape[d],):
            raise ShapeError(
                f"gradient: coordinates of shape {tuple(step.shape)} along a dimension of size {input.shape[d]}",
                hint="one coordinate for each entry",
            )
        out.append(_slopes(x, d, step, edge_order))
    return tuple(out)
