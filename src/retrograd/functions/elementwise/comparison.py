"""Comparison, logic, limits and choice, element by element."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ...op import bind
from ...ops import arithmetic as ops
from ...ops import logic
from ...ops._family import fill
from ...types import TensorType, bool_, broadcast_shapes, dtype_of
from .._arguments import as_tensor, binary, cast, expand, in_dtype, together
from .arithmetic import abs, add, mul, sub

__all__ = [
    "allclose", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "clamp", "clip", "eq", "equal",
    "ge", "gt", "isclose", "isfinite", "isinf", "isnan", "le", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "masked_fill", "maximum", "minimum", "nan_to_num", "ne", "where",
    "greater", "greater_equal", "less", "less_equal", "not_equal",
]  # fmt: skip


def maximum(input: Any, other: Any) -> Any:
    """The larger of two, elementwise; where equal, each gets half of the gradient"""
    return binary(ops.Maximum, input, other)


def minimum(input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; where equal, each gets half of the gradient"""
    return binary(ops.Minimum, input, other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input limited to [min, max]; the gradient passes where min <= input <= max (the ends included, as PyTorch)"""
    value = as_tensor(input)
    if min is not None:
        value, low = together(value, min)
        value = where(lt(value, low), low, value)
    if max is not None:
        value, high = together(value, max)
        value = where(gt(value, high), high, value)
    return value


clip = clamp


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; with the condition alone, the positions where it holds"""
    if input is None and other is None:
        from ..index import nonzero

        return nonzero(condition, as_tuple=True)
    condition = as_tensor(condition)
    a, b = together(input, other)
    shape = broadcast_shapes(condition.shape, a.shape)
    return bind(logic.Where, expand(cast(condition, bool_), shape), expand(a, shape), expand(b, shape))


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``value`` where mask holds, else input; keeps the dtype of ``input``"""
    value = in_dtype(value, input.dtype)
    return where(mask, value, input)


def eq(input: Any, other: Any) -> Any:
    """input == other"""
    return binary(logic.Eq, input, other)


def ne(input: Any, other: Any) -> Any:
    """input != other"""
    return binary(logic.Ne, input, other)


def lt(input: Any, other: Any) -> Any:
    """input < other"""
    return binary(logic.Lt, input, other)


def le(input: Any, other: Any) -> Any:
    """input <= other"""
    return binary(logic.Le, input, other)


def gt(input: Any, other: Any) -> Any:
    """input > other"""
    return binary(logic.Gt, input, other)


def ge(input: Any, other: Any) -> Any:
    """input >= other"""
    return binary(logic.Ge, input, other)


def bitwise_and(input: Any, other: Any) -> Any:
    """input & other"""
    return binary(logic.BitAnd, input, other)


def bitwise_or(input: Any, other: Any) -> Any:
    """input | other"""
    return binary(logic.BitOr, input, other)


def bitwise_xor(input: Any, other: Any) -> Any:
    """input ^ other"""
    return binary(logic.BitXor, input, other)


def bitwise_not(input: Any) -> Any:
    """~input"""
    return bind(logic.BitNot, as_tensor(input))


def _truth(x: Any) -> Any:
    return cast(as_tensor(x), bool_)


def logical_and(input: Any, other: Any) -> Any:
    """Both are non-zero"""
    return bitwise_and(_truth(input), _truth(other))


def logical_or(input: Any, other: Any) -> Any:
    """At least one is non-zero"""
    return bitwise_or(_truth(input), _truth(other))


def logical_xor(input: Any, other: Any) -> Any:
    """Exactly one is non-zero"""
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
        if input.dtype.is_floating_point
        else fill(TensorType(input.shape, bool_), False)
    )


def isfinite(input: Any) -> Any:
    """Which elements are neither NaN nor infinite"""
    if not input.dtype.is_floating_point:
        return fill(TensorType(input.shape, bool_), True)
    return lt(abs(input), math.inf)


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """|input - other| <= atol + rtol·|other|"""
    a, b = together(input, other)
    near = logical_or(eq(a, b), logical_and(isfinite(b), le(abs(sub(a, b)), add(mul(abs(b), rtol), atol))))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> builtins.bool:
    """True if all elements are close"""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan).numpy().all())


def equal(input: Any, other: Any) -> builtins.bool:
    """True if shape and all elements are equal"""
    return tuple(input.shape) == tuple(other.shape) and builtins.bool(eq(input, other).numpy().all())


def nan_to_num(input: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """NaN and infinities replaced by numbers (default: 0 and the largest finite ones)"""
    if not input.dtype.is_floating_point:
        return input
    limits = np.finfo(input.dtype.numpy)
    out = where(isnan(input), nan, input)
    out = where(eq(out, math.inf), float(limits.max) if posinf is None else posinf, out)
    return where(eq(out, -math.inf), float(limits.min) if neginf is None else neginf, out)


def to_dtype(input: Any, dtype: Any) -> Any:
    """input in another dtype"""
    return cast(as_tensor(input), dtype_of(dtype))


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
