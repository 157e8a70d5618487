"""Elementwise functions with PyTorch's names: arithmetic, comparison, powers, the exp/log family, rounding, choice."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..op import Op, bind
from ..ops import elementwise as ops
from ..ops import logic
from ..ops._family import fill
from ..types import TensorType, bool_, broadcast_shapes, dtype_of
from ._arguments import (
    as_tensor,
    binary,
    cast,
    common_dtype,
    expand,
    floating,
    in_dtype,
    is_tensor,
    require_tensor,
    together,
)

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)


def _numeric(op: type[Op], x: Any) -> Any:
    return bind(op, as_tensor(x))


def is_one(alpha: Any) -> builtins.bool:
    """True for the number 1; a tensor is never asked for its value, for it may be traced."""
    return isinstance(alpha, int | float) and alpha == 1


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha·other"""
    return binary(ops.Add, input, other if is_one(alpha) else mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input - alpha·other"""
    return binary(ops.Sub, input, other if is_one(alpha) else mul(other, alpha))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha·input"""
    return sub(other, input, alpha=alpha)


def mul(input: Any, other: Any) -> Any:
    """input · other"""
    return binary(ops.Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; ``rounding_mode`` "floor" or "trunc" rounds the quotient"""
    if rounding_mode == "floor":
        return floor_divide(input, other)
    quotient = binary(ops.Div, input, other, floating=True)
    if rounding_mode == "trunc":
        return cast(trunc(quotient), common_dtype(input, other))
    return quotient


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋"""
    return binary(ops.FloorDivide, input, other)


def remainder(input: Any, other: Any) -> Any:
    """input - other·⌊input / other⌋: the sign is that of ``other``, as Python's %"""
    return binary(ops.Remainder, input, other)


def neg(input: Any) -> Any:
    """-input"""
    return _numeric(ops.Neg, input)


def positive(input: Any) -> Any:
    """input, unchanged"""
    return require_tensor("positive", input)


def abs(input: Any) -> Any:
    """|input|; derivative 0 at 0"""
    return _numeric(ops.Abs, input)


def sign(input: Any) -> Any:
    """-1, 0 or 1"""
    return _numeric(ops.Sign, input)


def _rounding(op: type[Op], x: Any) -> Any:
    x = as_tensor(x)
    return bind(op, x) if x.dtype.is_floating_point else x


def floor(input: Any) -> Any:
    """The largest integer not above input; derivative 0"""
    return _rounding(ops.Floor, input)


def ceil(input: Any) -> Any:
    """The smallest integer not below input; derivative 0"""
    return _rounding(ops.Ceil, input)


def trunc(input: Any) -> Any:
    """input without its fraction; derivative 0"""
    return _rounding(ops.Trunc, input)


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer (halves to even), or the nearest multiple of 10^-decimals; derivative 0"""
    if decimals:
        scale = 10.0**decimals
        return div(round(mul(input, scale)), scale)
    return _rounding(ops.Round, input)


def frac(input: Any) -> Any:
    """input - trunc(input)"""
    return sub(input, trunc(input))


def exp(input: Any) -> Any:
    """e^input"""
    return bind(ops.Exp, floating(input))


def exp2(input: Any) -> Any:
    """2^input"""
    return exp(mul(floating(input), _LN2))


def expm1(input: Any) -> Any:
    """e^input - 1, accurate near 0"""
    return bind(ops.Expm1, floating(input))


def log(input: Any) -> Any:
    """ln input"""
    return bind(ops.Log, floating(input))


def log2(input: Any) -> Any:
    """log₂ input"""
    return div(log(input), _LN2)


def log10(input: Any) -> Any:
    """log₁₀ input"""
    return div(log(input), _LN10)


def log1p(input: Any) -> Any:
    """ln(1 + input), accurate near 0"""
    return bind(ops.Log1p, floating(input))


def logaddexp(input: Any, other: Any) -> Any:
    """ln(e^input + e^other), without overflow"""
    a, b = together(input, other)
    larger, smaller = maximum(a, b), minimum(a, b)
    # Equal infinities differ by NaN; there the larger one alone is the answer.
    same = eq(a, b)
    gap = where(same, fill(a), sub(smaller, larger))
    return add(larger, log1p(exp(gap)))


def sqrt(input: Any) -> Any:
    """√input"""
    return bind(ops.Sqrt, floating(input))


def rsqrt(input: Any) -> Any:
    """1 / √input"""
    return reciprocal(sqrt(input))


def square(input: Any) -> Any:
    """input²"""
    return mul(input, input)


def reciprocal(input: Any) -> Any:
    """1 / input"""
    x = floating(input)
    return bind(ops.Div, fill(x, 1.0), x)


def pow(input: Any, exponent: Any) -> Any:
    """input^exponent"""
    if isinstance(exponent, int | float) and is_tensor(input) and input.dtype.is_floating_point:
        if exponent == 2:
            return mul(input, input)
        if exponent == 0.5:
            return sqrt(input)
        if exponent == 1:
            return mul(input, 1)
    return binary(ops.Pow, input, exponent)


def sin(input: Any) -> Any:
    """sine of radians"""
    return bind(ops.Sin, floating(input))


def cos(input: Any) -> Any:
    """cosine of radians"""
    return bind(ops.Cos, floating(input))


def tan(input: Any) -> Any:
    """tangent of radians"""
    return div(sin(input), cos(input))


def tanh(input: Any) -> Any:
    """hyperbolic tangent"""
    return bind(ops.Tanh, floating(input))


def erf(input: Any) -> Any:
    """2/√π ∫₀^input e^(-t²) dt"""
    return bind(ops.Erf, floating(input))


def erfc(input: Any) -> Any:
    """1 - erf(input)"""
    return rsub(erf(input), 1)


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-input)"""
    return bind(ops.Sigmoid, floating(input))


def logit(input: Any, eps: float | None = None) -> Any:
    """ln(p / (1 - p)), the inverse of sigmoid; ``eps`` keeps p inside [eps, 1 - eps]"""
    p = floating(input) if eps is None else clamp(floating(input), eps, 1 - eps)
    return sub(log(p), log1p(neg(p)))


def softplus_raw(input: Any) -> Any:
    """ln(1 + e^input), without overflow"""
    return bind(ops.Softplus, floating(input))


def relu(input: Any) -> Any:
    """max(0, input); derivative 0 at 0"""
    return bind(ops.Relu, as_tensor(input))


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
        from .index import nonzero

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


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight·(end - input)"""
    return add(input, mul(sub(end, input), weight))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1·tensor2"""
    return add(input, mul(mul(tensor1, tensor2), value))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1/tensor2"""
    return add(input, mul(div(tensor1, tensor2), value))


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


subtract, multiply, divide, true_divide, negative, absolute = sub, mul, div, div, neg, abs
greater, greater_equal, less, less_equal, not_equal, fix = gt, ge, lt, le, ne, trunc
