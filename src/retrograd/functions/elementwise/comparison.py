"""Comparison, logic, limits and choice, element by element."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError, UsageError
from ...op import Op, bind
from ...ops import arithmetic as ops
from ...ops import logic
from ...ops._family import fill as filled
from ...types import TensorType, bool_, broadcast_shapes, dtype_of, uint8
from .._arguments import (
    as_tensor,
    binary,
    cast,
    expand,
    floating,
    in_dtype,
    is_tensor,
    require_one_tensor,
    require_tensor,
    require_tensors,
    together,
)
from .arithmetic import abs, add, mul, sub

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "clamp", "clamp_max", "clamp_min", "clip", "eq", "equal", "fill", "fmax", "fmin",
    "ge", "gt", "heaviside", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le",
    "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "masked_fill", "maximum", "minimum", "nan_to_num", "ne", "where",
    "greater", "greater_equal", "less", "less_equal", "not_equal",
]  # fmt: skip


def maximum(input: Any, other: Any) -> Any:
    """The larger of two, elementwise; NaN if one is; where equal, each gets half of the gradient"""
    require_tensors("maximum", input, other)
    return binary(ops.Maximum, input, other)


def minimum(input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; NaN if one is; where equal, each gets half of the gradient"""
    require_tensors("minimum", input, other)
    return binary(ops.Minimum, input, other)


def fmax(input: Any, other: Any) -> Any:
    """The larger of two, or the one that is not NaN; where equal, ``input`` gets the gradient"""
    require_tensors("fmax", input, other)
    a, b = together(input, other)
    return where(logical_or(ge(a, b), isnan(b)), a, b)


def fmin(input: Any, other: Any) -> Any:
    """The smaller of two, or the one that is not NaN; where equal, ``input`` gets the gradient"""
    require_tensors("fmin", input, other)
    a, b = together(input, other)
    return where(logical_or(le(a, b), isnan(b)), a, b)


def heaviside(input: Any, values: Any) -> Any:
    """0 left of 0, 1 right of it, ``values`` at 0 itself"""
    require_tensors("heaviside", input, values)
    if input.dtype is not values.dtype:
        raise DTypeError(
            f"heaviside takes equal dtypes, got {input.dtype!r} and {values.dtype!r}",
            hint="heaviside(x, values.to(x.dtype))",
        )
    return where(eq(input, 0), values, cast(gt(input, 0), input.dtype))


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input limited to [min, max]; the gradient passes where min <= input <= max (the ends included, NaN not, as PyTorch)"""
    if min is None and max is None:
        raise UsageError("clamp without limits", hint="clamp(x, min=0.0), clamp(x, max=1.0) or both")
    value = as_tensor(input)
    given = [limit for limit in (min, max) if limit is not None]
    value, *limits = together(value, *given)
    if value.dtype is bool_ and not all(map(is_tensor, given)):
        raise DTypeError("clamp of bools with a number", hint="x & limit, x | limit")
    low = None if min is None else limits[0]
    high = None if max is None else limits[-1]
    held = value.detach()
    if low is not None:
        held = bind(ops.Maximum, held, low.detach())
    if high is not None:
        held = bind(ops.Minimum, held, high.detach())
    if any(map(is_tensor, given)) or (min is not None and max is not None and min > max):
        return _with_limits(value, held, low, high)
    return where(eq(value, held), value, held) if value.dtype.is_floating_point else held


def _with_limits(value: Any, held: Any, low: Any, high: Any) -> Any:
    """``held``, whose gradient goes to the value or the limit that it is; a limit above the other counts for nothing."""
    out, inside = held, None
    if high is not None:
        above, inside = gt(value, high), le(value, high)
        above = above if low is None else logical_or(above, lt(high, low))
        out = where(logical_and(above, eq(held, high)), high, out)  # NaN if the other limit is
    if low is not None:
        below = lt(value, low)
        out = where(below if high is None else logical_and(below, lt(low, high)), low, out)
        inside = ge(value, low) if inside is None else logical_and(inside, ge(value, low))
    return where(inside, value, out)


def clamp_min(input: Any, min: Any) -> Any:
    """input, not below ``min``"""
    return clamp(require_tensor("clamp_min", input), min=min)


def clamp_max(input: Any, max: Any) -> Any:
    """input, not above ``max``"""
    return clamp(require_tensor("clamp_max", input), max=max)


clip = clamp


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; with the condition alone, the positions where it holds"""
    if input is None and other is None:
        from ..pick import nonzero

        return nonzero(condition, as_tuple=True)
    condition = as_tensor(condition)
    if condition.dtype not in (bool_, uint8):
        raise DTypeError(
            f"where takes a bool condition, not {condition.dtype!r}",
            hint="compare first, e.g. where(x > 0, x, y)",
        )
    a, b = together(input, other)
    shape = broadcast_shapes(condition.shape, a.shape)
    return bind(logic.Where, expand(cast(condition, bool_), shape), expand(a, shape), expand(b, shape))


def tensor_where(self: Any, condition: Any, other: Any) -> Any:
    """self where condition holds, else other"""
    return where(condition, self, other)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``value`` where mask holds, else input; keeps the dtype of ``input``"""
    if require_tensor("masked_fill", mask).dtype is not bool_:
        raise DTypeError(f"masked_fill takes a bool mask, not {mask.dtype!r}", hint="mask.bool()")
    if is_tensor(value) and value.ndim:
        raise ShapeError(
            f"masked_fill takes one number for value, got shape {tuple(value.shape)}",
            hint="where(mask, value, input)",
        )
    return where(mask, in_dtype(value, input.dtype), input)


def fill(input: Any, value: Any) -> Any:
    """``value`` in the shape and dtype of ``input``, whose gradient is 0"""
    if is_tensor(value) and value.ndim:
        raise ShapeError(
            f"fill takes one number, got shape {tuple(value.shape)}", hint="value.expand(input.shape)"
        )
    kind = require_tensor("fill", input)._type
    return where(filled(TensorType(kind.shape, bool_), True), in_dtype(value, kind.dtype), input)


def _compare(op: type[Op], name: str, input: Any, other: Any) -> Any:
    return binary(op, require_tensor(name, input), other)


def eq(input: Any, other: Any) -> Any:
    """input == other"""
    return _compare(logic.Eq, "eq", input, other)


def ne(input: Any, other: Any) -> Any:
    """input != other"""
    return _compare(logic.Ne, "ne", input, other)


def lt(input: Any, other: Any) -> Any:
    """input < other"""
    return _compare(logic.Lt, "lt", input, other)


def le(input: Any, other: Any) -> Any:
    """input <= other"""
    return _compare(logic.Le, "le", input, other)


def gt(input: Any, other: Any) -> Any:
    """input > other"""
    return _compare(logic.Gt, "gt", input, other)


def ge(input: Any, other: Any) -> Any:
    """input >= other"""
    return _compare(logic.Ge, "ge", input, other)


def _bits(op: type[Op], name: str, input: Any, other: Any) -> Any:
    require_one_tensor(name, input, other)
    return binary(op, input, other)


def bitwise_and(input: Any, other: Any) -> Any:
    """input & other"""
    return _bits(logic.BitAnd, "bitwise_and", input, other)


def bitwise_or(input: Any, other: Any) -> Any:
    """input | other"""
    return _bits(logic.BitOr, "bitwise_or", input, other)


def bitwise_xor(input: Any, other: Any) -> Any:
    """input ^ other"""
    return _bits(logic.BitXor, "bitwise_xor", input, other)


def bitwise_left_shift(input: Any, other: Any) -> Any:
    """input · 2^other in whole numbers; 0 for a negative shift"""
    return _bits(logic.ShiftLeft, "bitwise_left_shift", input, other)


def bitwise_right_shift(input: Any, other: Any) -> Any:
    """⌊input / 2^other⌋; a negative shift counts as one beyond all bits"""
    return _bits(logic.ShiftRight, "bitwise_right_shift", input, other)


def bitwise_not(input: Any) -> Any:
    """~input"""
    return bind(logic.BitNot, as_tensor(input))


def _truth(x: Any) -> Any:
    return cast(as_tensor(x), bool_)


def logical_and(input: Any, other: Any) -> Any:
    """Both are non-zero"""
    require_tensors("logical_and", input, other)
    return bitwise_and(_truth(input), _truth(other))


def logical_or(input: Any, other: Any) -> Any:
    """At least one is non-zero"""
    require_tensors("logical_or", input, other)
    return bitwise_or(_truth(input), _truth(other))


def logical_xor(input: Any, other: Any) -> Any:
    """Exactly one is non-zero"""
    require_tensors("logical_xor", input, other)
    return bitwise_xor(_truth(input), _truth(other))


def logical_not(input: Any) -> Any:
    """input is zero"""
    return bitwise_not(_truth(input))


def isnan(input: Any) -> Any:
    """Which elements are NaN"""
    return ne(input, input)


def isinf(input: Any) -> Any:
    """Which elements are infinite"""
    return (
        eq(abs(input), math.inf)
        if require_tensor("isinf", input).dtype.is_floating_point
        else filled(TensorType(input.shape, bool_), False)
    )


def isposinf(input: Any) -> Any:
    """Which elements are +∞"""
    return eq(input, math.inf) if require_tensor("isposinf", input).dtype.is_floating_point else isinf(input)


def isneginf(input: Any) -> Any:
    """Which elements are -∞"""
    return eq(input, -math.inf) if require_tensor("isneginf", input).dtype.is_floating_point else isinf(input)


def isreal(input: Any) -> Any:
    """True everywhere: complex tensors do not exist here"""
    return filled(TensorType(tuple(require_tensor("isreal", input).shape), bool_), True)


def isfinite(input: Any) -> Any:
    """Which elements are neither NaN nor infinite"""
    if not require_tensor("isfinite", input).dtype.is_floating_point:
        return filled(TensorType(input.shape, bool_), True)
    return lt(abs(input), math.inf)


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|input - other| <= atol + rtol·|other|"""
    require_tensors("isclose", input, other)
    if input.dtype is not other.dtype:
        raise DTypeError(
            f"isclose takes equal dtypes, got {input.dtype!r} and {other.dtype!r}",
            hint="other.to(input.dtype)",
        )
    if rtol < 0 or atol < 0:
        raise UsageError(f"isclose with rtol={rtol}, atol={atol}", hint="tolerances are not negative")
    same = eq(input, other)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(input), isnan(other)))
    if not rtol and not atol:
        return same
    a, b = (
        x if x.dtype.is_floating_point else floating(x) for x in (input, other)
    )  # whole numbers would wrap
    gap = abs(sub(a, b))
    return logical_or(same, logical_and(isfinite(gap), le(gap, add(abs(mul(b, rtol)), atol))))


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> builtins.bool:
    """True if all elements are close"""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan).numpy().all())


def equal(input: Any, other: Any) -> builtins.bool:
    """True if shape and all elements are equal"""
    require_tensors("equal", input, other)
    return tuple(input.shape) == tuple(other.shape) and builtins.bool(eq(input, other).numpy().all())


def nan_to_num(
    input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """NaN and infinities replaced by numbers (default: 0 and the largest finite ones)"""
    if not require_tensor("nan_to_num", input).dtype.is_floating_point:
        return input.clone()
    limits = np.finfo(input.dtype.numpy)
    out = where(isnan(input), 0.0 if nan is None else nan, input)
    out = where(eq(out, math.inf), float(limits.max) if posinf is None else posinf, out)
    return where(eq(out, -math.inf), float(limits.min) if neginf is None else neginf, out)


def to_dtype(input: Any, dtype: Any) -> Any:
    """input in another dtype"""
    return cast(as_tensor(input), dtype_of(dtype))


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
